"""`reassort helpdesk`: who may come to the helpdesk, and what its page must know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from reassort.agent_names import agent_name
from reassort.clock import iso

from reassort_ops.account.stack import Aws, Stack
from reassort_ops.command_line import Commands
from reassort_ops.commands.options import AsJson, Profile, Reason, Region, StackName
from reassort_ops.commands.target import helpdesk_api
from reassort_ops.failures import OperatorError
from reassort_ops.helpdesk.page import page_config
from reassort_ops.helpdesk.people import PASSWORD_DAYS, Group, checked_name, invite, number_of, people, remove
from reassort_ops.language import tr
from reassort_ops.output import say, say_json

commands = Commands(
    help=tr("Say who may come to the helpdesk's page: agents, supervisors, auditors."),
    epilog=tr("Example: reassort helpdesk list --stack reassort"),
)
Name = Annotated[
    str, typer.Argument(metavar=tr("NAME"), help=tr("Under which the record knows the person, such as claire.martin"))
]
# Cognito's words that a reader need not know.
_STATUS = {"FORCE_CHANGE_PASSWORD": tr("invited"), "CONFIRMED": tr("signed in before")}


@commands.add("invite", epilog=tr("Example: reassort helpdesk invite claire.martin --group agent --stack reassort"))
def helpdesk_invite(
    name: Name,
    group: Annotated[Group, typer.Option(help=tr("What the person does: nobody has two groups"))],
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let somebody come, and print a temporary password once; or give somebody another group, which
    ends their sessions.

    The first sign-in asks for a password of one's own and sets up the second factor. Anyone who
    lost either is removed and invited again.
    """
    checked = checked_name(name)
    aws, found = _stack(stack, region, profile)
    done = invite(aws.client("cognito-idp"), found.helpdesk_users, checked, group)
    if as_json:
        say_json(
            {
                "stack": stack,
                "name": done.name,
                "agent": done.agent,
                "shown_as": agent_name(done.agent),
                "group": done.group.value,
                "left": list(done.left),
                "temporary_password": done.temporary_password,
                "valid_days": PASSWORD_DAYS if done.temporary_password else None,
                "page": found.helpdesk_url or None,
            }
        )
    elif done.temporary_password is None:
        moved = tr(", no longer {left}; sessions are ended", left=", ".join(done.left)) if done.left else ""
        say(tr("{name} was invited before: {group}{moved}", name=done.name, group=done.group.value, moved=moved))
    else:
        say(
            tr(
                "{name} may come as {group}; page and register say: {agent}",
                name=done.name,
                group=done.group.value,
                agent=agent_name(done.agent),
            )
        )
        say(
            tr(
                "temporary password, shown this once and valid for {days} days: {password}",
                days=PASSWORD_DAYS,
                password=done.temporary_password,
            )
        )
        if found.helpdesk_url:
            say(tr("page: {url}", url=found.helpdesk_url))


@commands.add(
    "end", epilog=tr("Example: reassort helpdesk end claire.martin --stack reassort --reason 'account stolen'")
)
def helpdesk_end(
    name: Name,
    stack: StackName,
    reason: Reason,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """End somebody's sessions: from this moment on nothing that they ask for is done, for twelve
    hours. To let them come back sooner, remove and invite them.
    """
    checked = checked_name(name)
    aws, found = _stack(stack, region, profile)
    cognito = aws.client("cognito-idp")
    number = number_of(cognito, found.helpdesk_users, checked)
    if number is None:
        raise OperatorError(tr("{name} is not there: reassort helpdesk list", name=checked))
    helpdesk_api(stack, region, profile).end_sessions(number, reason)
    cognito.admin_user_global_sign_out(UserPoolId=found.helpdesk_users, Username=checked)
    if as_json:
        say_json({"stack": stack, "name": checked, "agent": number, "ended": True})
    else:
        say(tr("{name} ({agent}): sessions are ended", name=checked, agent=agent_name(number)))


@commands.add("remove", epilog=tr("Example: reassort helpdesk remove claire.martin --stack reassort"))
def helpdesk_remove(
    name: Name,
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """End somebody's sessions, and let them come no more. It may be repeated. What they did stays
    on record.
    """
    checked = checked_name(name)
    aws, found = _stack(stack, region, profile)
    cognito = aws.client("cognito-idp")
    number = number_of(cognito, found.helpdesk_users, checked)
    failure: OperatorError | None = None
    if number is not None:
        try:
            helpdesk_api(stack, region, profile).end_sessions(number, "retiré de l’assistance")
        except OperatorError as error:
            # They come no more all the same.
            failure = error
    was_there = remove(cognito, found.helpdesk_users, checked)
    if failure is not None:
        raise OperatorError(
            tr(
                "{name} is removed, but what they were given before is taken for up to an hour: {failure}",
                name=checked,
                failure=failure,
            )
        ) from failure
    if as_json:
        say_json({"stack": stack, "name": checked, "removed": was_there})
    else:
        say(tr("{name} is removed", name=checked) if was_there else tr("{name} was not there", name=checked))


@commands.add("list", epilog=tr("Example: reassort helpdesk list --stack reassort"))
def helpdesk_list(
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List who may come, how page and register call them, with group and since when."""
    aws, found = _stack(stack, region, profile)
    everybody = people(aws.client("cognito-idp"), found.helpdesk_users)
    if as_json:
        named = [
            {
                "name": person.name,
                "agent": person.agent,
                "shown_as": agent_name(person.agent),
                "groups": list(person.groups),
                "status": person.status,
                "enabled": person.enabled,
                "invited_at": iso(person.invited_at),
            }
            for person in everybody
        ]
        say_json({"stack": stack, "people": named})
        return
    for person in everybody:
        groups = ", ".join(person.groups) or tr("no group")
        status = _STATUS.get(person.status, person.status.lower()) if person.enabled else tr("disabled")
        say(f"{person.name:40}  {agent_name(person.agent):15}{groups:14}{status:20}{person.invited_at:%Y-%m-%d}")
    say(tr("{count} may come", count=len(everybody)))


@commands.add("config", epilog=tr("Example: reassort helpdesk config .build/helpdesk --stack reassort"))
def helpdesk_config(
    folder: Annotated[Path, typer.Argument(metavar=tr("FOLDER"), help=tr("Where the page was built"))],
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Write config.json into the built page: its stack's API and user pool. Nothing of it is
    secret.
    """
    if not (folder / "index.html").is_file():
        raise OperatorError(tr("{folder}: no index.html, so no page was built there", folder=folder))
    aws, found = _stack(stack, region, profile)
    config = page_config(found, str(aws.session.region_name))
    (folder / "config.json").write_text(json.dumps(config) + "\n", "utf-8")
    if as_json:
        say_json(config)
    else:
        say(
            tr(
                "{file}: written; {url} once it is published",
                file=folder / "config.json",
                url=found.helpdesk_url,
            )
        )


def _stack(name: str, region: str | None, profile: str | None) -> tuple[Aws, Stack]:
    """Find a stack that has a helpdesk.

    Raises:
        OperatorError: it was deployed before there was one.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(name)
    if not found.helpdesk_users:
        raise OperatorError(tr("stack {name} has no output HelpdeskUserPoolId: deploy this version first", name=name))
    return aws, found
