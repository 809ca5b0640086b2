"""`reassort voter`: one voter, for the helpdesk. All of it goes through the helpdesk's API, which
puts each look and each act on record.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from reassort_ops.command_line import Commands
from reassort_ops.commands.options import (
    Address,
    AddressOrReference,
    AsJson,
    CallerCode,
    ElectionsUnread,
    Profile,
    Proposal,
    Reason,
    Region,
    RequestNumber,
    StackName,
    exit_unless,
)
from reassort_ops.commands.target import helpdesk_api
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.output import say, say_json
from reassort_ops.voter.api import NothingToDoError
from reassort_ops.voter.sheet import sheet

# What the sheet advises while an identifier waits or is being sent.
ON_ITS_WAY = "wait-for-delivery"

commands = Commands(
    help=tr("Look at one voter, let them in, unlock, freeze or unfreeze them, give them the next identifier."),
    epilog=tr("Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort"),
)


@commands.add(
    "show",
    epilog=tr("Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort --caller-code 'girafe tambour'"),
)
def voter_show(
    who: AddressOrReference,
    stack: StackName,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Tell an agent, in French, where a voter stands, what to do next and all that happened; never
    an identifier, a NUMEN, the whole address. The look is on record.

    With --caller-code it says whether the caller is signed in on the site as that voter; the exit
    status is 1 when the code is another.
    """
    answer = helpdesk_api(stack, region, profile).look(who, caller_code)
    if as_json:
        say_json(answer)
    else:
        for line in sheet(answer, stack):
            say(line.text, line.style)
    exit_unless(answer["caller"] != "wrong-code")


@commands.add(
    "data",
    epilog=tr(
        "Example: reassort voter data prenom.nom@ac-dijon.fr --stack reassort --reason 'access request' --out data.html"
    ),
)
def voter_data(
    who: AddressOrReference,
    stack: StackName,
    out: Annotated[
        Path, typer.Option("--out", metavar=tr("FILE"), help=tr("Where the page goes; replaced once it is whole"))
    ],
    reason: Reason,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Write, in French, all that is kept about a voter, for them to have (droit d'accès): what in
    which form, why and for how long, what happened and who acted, their rights. Never an
    identifier, a NUMEN, a pseudonym. Check first who asks; it is on record with its reason.
    """
    from reassort_ops.voter.data_page import render_data
    from reassort_ops.whole_file import whole_file

    answer = helpdesk_api(stack, region, profile).data(who, reason)
    with whole_file(out) as file:
        file.write(render_data(answer).encode())
    if as_json:
        say_json(answer)
    else:
        say(tr("{out} written: for the voter alone", out=out), "green")


@commands.add(
    "let-in",
    epilog=tr("Example: reassort voter let-in prenom.nom@ac-dijon.fr --stack reassort --number 482913"),
)
def voter_let_in(
    who: AddressOrReference,
    stack: StackName,
    number: RequestNumber,
    reason: Reason = "appelant sans code",
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let the next code of a caller's browser pass at once, no matter who keeps asking for codes in
    their name. It goes to the voter's mailbox.
    """
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.act("let-in", who, reason, caller_code=caller_code, number=number), as_json=as_json)


@commands.add(
    "unlock",
    epilog=tr("Example: reassort voter unlock prenom.nom@ac-dijon.fr --stack reassort --reason 'identity checked'"),
)
def voter_unlock(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Forget a voter's wrong NUMENs, so that they can try again at once."""
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.act("unlock", who, reason, caller_code=caller_code), as_json=as_json)


@commands.add(
    "freeze",
    epilog=tr("Example: reassort voter freeze prenom.nom@ac-dijon.fr --stack reassort --reason 'mailbox stolen'"),
)
def voter_freeze(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a voter's identifier unusable and stop reissues, until it is unfrozen."""
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.act("freeze", who, reason, caller_code=caller_code), as_json=as_json)


@commands.add(
    "unfreeze",
    epilog=tr("Example: reassort voter unfreeze prenom.nom@ac-dijon.fr --stack reassort --reason 'voter called'"),
)
def voter_unfreeze(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a frozen voter's identifier usable again; never one that was disputed."""
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.act("unfreeze", who, reason, caller_code=caller_code), as_json=as_json)


@commands.add(
    "reissue",
    epilog=tr(
        "Example: reassort voter reissue prenom.nom@ac-dijon.fr --stack reassort --reason 'identity checked, no phone'"
    ),
)
def voter_give_next(
    email: Address,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Give a voter the next identifier, by e-mail to this address. The one before stops working;
    nobody but the voter sees either. While one is on its way it gives no other.

    Where the election asks for a second person, another one confirms it: reassort voter confirm.
    """
    api = helpdesk_api(stack, region, profile)
    waiting = api.look(email, caller_code)
    if waiting["situation"] == ON_ITS_WAY or any(step["name"] == ON_ITS_WAY for step in waiting["advice"]):
        raise OperatorError(
            tr("one is on its way already, reference {reference}: nothing was changed", reference=waiting["reference"])
        )
    _say_done(lambda: api.act("reissue", email, reason, caller_code=caller_code), as_json=as_json)


@commands.add(
    "settle",
    epilog=tr("Example: reassort voter settle 7K3M9-QWX2T --stack reassort --reason 'called back through the school'"),
)
def voter_settle(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Take a voter off the list of those whom nothing reached (reassort deliveries unreached).
    Nothing of their identifier changes; the reason is on record.
    """
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.act("settle", who, reason, caller_code=caller_code), as_json=as_json)


@commands.add("proposals", epilog=tr("Example: reassort voter proposals --stack reassort"))
def voter_proposals(
    stack: StackName,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for a second person, oldest first."""
    waiting = helpdesk_api(stack, region, profile).proposals()
    if as_json:
        say_json({"proposals": waiting})
        return
    for one in waiting:
        caller = tr("caller checked") if one["caller_verified"] else tr("caller NOT CHECKED")
        say(
            tr(
                "{id}  {address}, {caller}, by {agent}: {reason}",
                id=one["id"],
                address=one["address"],
                caller=caller,
                agent=one["agent"],
                reason=one["reason"],
            )
        )
    if not waiting:
        say(tr("Nothing waits for a second person."))


@commands.add(
    "confirm", epilog=tr("Example: reassort voter confirm 7K3M9-QWX2T --stack reassort --reason 'seen with the agent'")
)
def voter_confirm(
    proposal: Proposal,
    stack: StackName,
    reason: Reason,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Be the second person: give the identifier that somebody else proposed. The register names
    both.
    """
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.decide(proposal, "confirm", reason), as_json=as_json)


@commands.add(
    "refuse", epilog=tr("Example: reassort voter refuse 7K3M9-QWX2T --stack reassort --reason 'caller not checked'")
)
def voter_refuse(
    proposal: Proposal,
    stack: StackName,
    reason: Reason,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Be the second person: let nothing come of what somebody else proposed."""
    api = helpdesk_api(stack, region, profile)
    _say_done(lambda: api.decide(proposal, "refuse", reason), as_json=as_json)


def _say_done(act: Callable[[], dict[str, Any]], *, as_json: bool) -> None:
    try:
        answer = act()
    except NothingToDoError as nothing:
        answer = {"done": str(nothing)}
    if as_json:
        say_json(answer)
        return
    if "proposal" in answer:
        waits = answer["proposal"]
        say(
            tr(
                "Request {id}: a second person must confirm it before {until}.",
                id=waits["id"],
                until=waits["expires_at"],
            )
        )
        return
    whose = f"{answer['sheet']['address']} : " if "sheet" in answer else ""
    reference = tr(" Reference {reference}.", reference=answer["reference"]) if "reference" in answer else ""
    say(f"{whose}{answer['done']}{reference}")
