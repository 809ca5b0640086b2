"""`reassort election`: are reissues open, open them, stop them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from reassort.clock import from_milliseconds, iso, utc_now
from reassort.election import Election, Window
from reassort.reissue_switch import ReissueSwitch

from reassort_ops.commands.options import (
    LOOK,
    AsJson,
    Elections,
    Profile,
    Reason,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.commands.target import Target
from reassort_ops.election_control import Standing, close_reissues, open_reissues, read_standing
from reassort_ops.election_files import DEFAULT_FOLDER
from reassort_ops.output import say, say_json
from reassort_ops.voter.changes import checked_reason

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="See whether reissues are open, stop them at once, open them again.",
    epilog="Example: reassort election status --stack reassort",
)


@commands.command("status", epilog="Example: reassort election status --stack reassort")
def election_status(
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show the windows of the election file, what the operators made of them, and whether a reissue
    would be issued now.

    Exit status: 1 when the items that reissues depend on do not agree; close or open writes them
    anew.
    """
    target = Target(stack, elections, region, profile)
    standing = read_standing(target.dynamodb, target.stack)
    _show(target, standing, as_json=as_json)
    exit_unless(not standing.differing)


@commands.command("open", epilog="Example: reassort election open --stack reassort --reason 'bureau, 9:10'")
def election_open(
    stack: StackName,
    reason: Reason,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let reissues commit, inside the window of the election file. Lifts a stop; writes the window
    into the tables.
    """
    checked = checked_reason(reason)
    target = Target(stack, elections, region, profile)
    open_reissues(target.election, checked, target.helpdesk())
    _show(target, read_standing(target.dynamodb, target.stack), as_json=as_json)


@commands.command("close", epilog="Example: reassort election close --stack reassort --reason 'SMS provider leaks'")
def election_close(
    stack: StackName,
    reason: Reason,
    at: Annotated[
        datetime | None,
        typer.Option(metavar="TIME", help="From then on, in the election's time zone: 2018-12-06T12:00; else at once"),
    ] = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Stop all reissues at once, or from a given time on. Votes, disputes and messages under way go
    on.

    What had committed before is delivered; when the command returns, nothing further commits.
    """
    checked = checked_reason(reason)
    target = Target(stack, elections, region, profile)
    instant = at.replace(tzinfo=target.election.zone) if at else None
    close_reissues(target.election, checked, target.helpdesk(), instant)
    _show(target, read_standing(target.dynamodb, target.stack), as_json=as_json)


def _show(target: Target, standing: Standing, *, as_json: bool) -> None:
    election, control, latest = target.election, standing.control, standing.latest
    state = _state(election.windows.reissue, control)
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
                "closes_early_at": _early(election, control),
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
        return
    say(f"{target.name} ({election.id}): reissues are {state}", {"open": "green", "stopped": "red"}.get(state))
    for name, window in (("reissues", election.windows.reissue), ("voting", election.windows.voting)):
        say(f"{name:12}{_local(window.opens_at, election)} to {_local(window.closes_at, election)}  (election file)")
    if _early(election, control) is not None and control.closes_at is not None:
        say(f"{'closes early':12}  {_local(from_milliseconds(control.closes_at), election)}")
    if latest is not None:
        at = _local(from_milliseconds(latest.at), election)
        say(f"{latest.change.value} {at} by {latest.actor}: {latest.reference}")
    for key in standing.differing:
        say(f"{key} says something else than the record", "red")


def _state(window: Window, control: ReissueSwitch) -> str:
    now = utc_now()
    if control.stopped:
        return "stopped"
    if now < window.opens_at:
        return "not open yet"
    return "open" if window.contains(now) and control.lets(now) else "closed"


def _early(election: Election, control: ReissueSwitch) -> str | None:
    """Return when reissues close before the election file says so; None when they do not, or are
    stopped.
    """
    if control.closes_at is None or control.stopped:
        return None
    closes_at = from_milliseconds(control.closes_at)
    return iso(closes_at) if closes_at < election.windows.reissue.closes_at else None


def _window_json(window: Window) -> dict[str, Any]:
    return {"opens_at": iso(window.opens_at), "closes_at": iso(window.closes_at)}


def _local(instant: datetime, election: Election) -> str:
    return f"{instant.astimezone(election.zone):%Y-%m-%d %H:%M %Z}"
