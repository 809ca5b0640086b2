"""`reassort election`: are reissues open, open them, stop them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from reassort.clock import epoch_milliseconds, from_milliseconds, iso, utc_now
from reassort.election import Election, Window, election_from_json
from reassort.election_file import read_election_file
from reassort.reissue_switch import ReissueSwitch

from reassort_ops.command_line import Commands
from reassort_ops.commands.options import (
    AsJson,
    Elections,
    Profile,
    Reason,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.commands.reasons import operators_reason
from reassort_ops.commands.target import Target
from reassort_ops.election_control import (
    close_reissues,
    open_reissues,
    prolong_ballot,
    raise_if_not_ahead,
    read_standing,
)
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.moments import moment, said_back
from reassort_ops.output import confirmed, may_ask, say, say_json
from reassort_ops.state_words import state_word

# Nobody agreed to what was said back; Typer's own status for wrong options is 2.
NOT_AGREED = 3

commands = Commands(
    help=tr("See whether reissues are open, stop them at once, open them again, prolong the ballot."),
    epilog=tr("Example: reassort election status --stack reassort"),
)


@commands.add("status", epilog=tr("Example: reassort election status --stack reassort"))
def election_status(
    stack: StackName,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the windows of the election that the stack runs with, what the operators made of them,
    and whether a reissue would be issued now.

    Exit status: 1 when the items that reissues depend on do not agree (close or open writes them
    again), or when the ballot closes at another time than was recorded (prolong, or deploy what was
    recorded).
    """
    target = Target(stack, elections, region, profile)
    _show(target, as_json=as_json)


@commands.add("open", epilog=tr("Example: reassort election open --stack reassort --reason 'bureau, 9:10'"))
def election_open(
    stack: StackName,
    reason: Reason,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let reissues commit inside the window of the election that the stack runs with. Lifts a stop
    and an early close.
    """
    checked = operators_reason(reason)
    target = Target(stack, elections, region, profile)
    open_reissues(target.election, checked, target.operator())
    _show(target, as_json=as_json)


@commands.add("close", epilog=tr("Example: reassort election close --stack reassort --reason 'SMS provider leaks'"))
def election_close(
    stack: StackName,
    reason: Reason,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar=tr("TIME"),
            help=tr("From then on, else at once: 2018-12-06T12:00 in the election's time zone, or with an offset or Z"),
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Close at that time without asking"))] = False,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Stop all reissues at once, or from a given time on. Votes, disputes and messages under way go
    on.

    What had committed before is delivered; when the command returns, nothing further commits. With
    --at it says that time back, and asks on a terminal.
    """
    checked = operators_reason(reason)
    target = Target(stack, elections, region, profile)
    election = target.election
    instant = None if at is None else moment("--at", at, election.zone)
    if instant is not None:
        raise_if_not_ahead(election, instant, utc_now())
        _ask(tr("Reissues close {at}.", at=said_back(instant, election.zone)), yes=yes)
    close_reissues(election, checked, target.operator(), instant)
    _show(target, as_json=as_json)


@commands.add(
    "prolong",
    epilog=tr(
        "Example: reassort election prolong elections/dijon-2018.yaml --stack reassort --reason 'bureau, outage'"
    ),
)
def election_prolong(
    file: Annotated[
        Path,
        typer.Argument(metavar=tr("FILE"), help=tr("The election file with later closes, and nothing else changed")),
    ],
    stack: StackName,
    reason: Reason,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Prolong without asking"))] = False,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Record, before it is deployed, that ballot and reissues close later: who, when, why.

    Reissues, votes, texts and calendar follow together with the deploy of the same file; make
    prolong does all of it. Repeating it records nothing twice. A stop of the reissues stays.
    """
    checked = operators_reason(reason)
    target = Target(stack, None, region, profile)
    deployed, prolonged = target.election, election_from_json(read_election_file(file).for_functions())
    if prolonged.id != deployed.id:
        raise OperatorError(
            tr(
                "{file} is the election {election}, and {stack} runs {deployed}",
                file=file,
                election=prolonged.id,
                stack=stack,
                deployed=deployed.id,
            )
        )
    closes_at = prolonged.windows.voting.closes_at
    recorded = read_standing(target.dynamodb, target.stack).ballot_closes_at
    if recorded != epoch_milliseconds(closes_at):
        zone = deployed.zone
        _ask(
            tr(
                "The ballot closes {closes_at}, no longer {former}.",
                closes_at=said_back(closes_at, zone),
                former=said_back(deployed.windows.voting.closes_at, zone),
            ),
            yes=yes,
        )
        prolong_ballot(deployed, prolonged, checked, target.operator())
    _show(target, as_json=as_json, awaited=closes_at)


def _ask(said: str, *, yes: bool) -> None:
    """Say what will hold before anything is done; on a terminal, ask whether it is meant."""
    typer.echo(said, err=True)
    if not yes and may_ask() and not confirmed(tr("Is that what you mean?")):
        raise typer.Exit(NOT_AGREED)


def _show(target: Target, *, as_json: bool, awaited: datetime | None = None) -> None:
    """Show how the election stands, and end with status 1 when something does not agree. `awaited`
    is a close that is to be deployed next.
    """
    standing = read_standing(target.dynamodb, target.stack)
    election, switch, latest = target.election, standing.switch, standing.latest
    closes_at = election.windows.voting.closes_at
    recorded = None if standing.ballot_closes_at is None else from_milliseconds(standing.ballot_closes_at)
    unlike = recorded is not None and recorded != closes_at
    state = _state(election.windows.reissue, switch)
    if as_json:
        say_json(
            {
                "stack": target.name,
                "election": election.id,
                "reissues": state,
                "windows": {
                    "reissue": _window_json(election.windows.reissue),
                    "voting": _window_json(election.windows.voting),
                },
                "closes_early_at": _early(election, switch),
                "recorded_close": None if recorded is None else iso(recorded),
                "latest": None
                if latest is None
                else {
                    "at": iso(from_milliseconds(latest.at)),
                    "change": latest.change.value,
                    "operator": latest.actor,
                    "reason": latest.reference,
                },
                "differing": list(standing.differing),
            }
        )
    else:
        say(
            tr(
                "{target} ({election}): reissues are {state}",
                target=target.name,
                election=election.id,
                state=state_word(state),
            ),
            {"open": "green", "stopped": "red"}.get(state),
        )
        for name, window in ((tr("reissues"), election.windows.reissue), (tr("voting"), election.windows.voting)):
            span = tr(
                "{opens_at} to {closes_at}",
                opens_at=_local(window.opens_at, election),
                closes_at=_local(window.closes_at, election),
            )
            say(f"{name:13}{span}  {tr('(deployed)')}")
        if _early(election, switch) is not None and switch.closes_at is not None:
            say(f"{tr('closes early'):13}{_local(from_milliseconds(switch.closes_at), election)}")
        if latest is not None:
            at = _local(from_milliseconds(latest.at), election)
            say(
                tr(
                    "{change} {at} by {actor}: {reference}",
                    change=state_word(latest.change.value),
                    at=at,
                    actor=latest.actor,
                    reference=latest.reference,
                )
            )
        for key in standing.differing:
            say(tr("{key} says something else than the record", key=key), "red")
        if recorded is not None and unlike:
            say(_unlike(recorded, closes_at, election), "red")
    exit_unless(not standing.differing and (not unlike or recorded == awaited))


def _unlike(recorded: datetime, closes_at: datetime, election: Election) -> str:
    said = tr(
        "recorded close of the ballot: {recorded}; deployed: {closes_at}",
        recorded=_local(recorded, election),
        closes_at=_local(closes_at, election),
    )
    if recorded > closes_at:
        return tr("{said}: not prolonged yet, build and deploy the election file with that close", said=said)
    return tr("{said}: nobody recorded why; reassort election prolong would have", said=said)


def _state(window: Window, switch: ReissueSwitch) -> str:
    now = utc_now()
    if switch.stopped:
        return "stopped"
    if now < window.opens_at or (switch.opens_at is not None and epoch_milliseconds(now) < switch.opens_at):
        return "not open yet"
    return "open" if window.contains(now) and switch.lets(now) else "closed"


def _early(election: Election, switch: ReissueSwitch) -> str | None:
    """Return when reissues close before the election says so; None when they do not, or are
    stopped.
    """
    if switch.closes_at is None or switch.stopped:
        return None
    closes_at = from_milliseconds(switch.closes_at)
    return iso(closes_at) if closes_at < election.windows.reissue.closes_at else None


def _window_json(window: Window) -> dict[str, Any]:
    return {"opens_at": iso(window.opens_at), "closes_at": iso(window.closes_at)}


def _local(instant: datetime, election: Election) -> str:
    return f"{instant.astimezone(election.zone):%Y-%m-%d %H:%M %Z}"
