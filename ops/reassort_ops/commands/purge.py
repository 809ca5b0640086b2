"""`reassort purge`: the end of the retention."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from reassort.clock import iso, utc_now

from reassort_ops.commands.options import (
    AsJson,
    Elections,
    Profile,
    Region,
    StackName,
)
from reassort_ops.commands.target import Target
from reassort_ops.language import tr
from reassort_ops.output import may_ask, progress, say, say_json
from reassort_ops.purge import Purge, raise_if_under_way

# Something is to be removed, and nobody has agreed to it. Typer's own status for wrong options
# is 2.
NOT_AGREED = 3


def purge(
    stack: StackName,
    elections: Elections = None,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Remove without asking"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Only show, whatever else is said"))] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help=tr("Segments of a table worked on at once"))] = 16,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Remove what the election file's retention no longer allows, after showing what.

    On a terminal it asks first; anywhere else it only shows, unless --yes. It refuses while the
    election is under way, and an interrupted purge is resumed by running it again.

    Exit status: 0 when nothing is left to remove, 3 when it was only shown.
    """
    target = Target(stack, elections, region, profile)
    now = utc_now()
    raise_if_under_way(target.election, now)
    run = Purge(
        dynamodb=target.aws.dynamodb(threads), stack=target.stack, election=target.election, now=now, threads=threads
    )
    with progress("counting", None) as advance:
        run.count(advance)
    complete = run.due == 0
    agreed = False
    try:
        if not as_json:
            _say_due(target, run, iso(now))
        if run.due and not dry_run:
            agreed = yes or (not as_json and may_ask() and typer.confirm("Remove them for good?"))
        if agreed:
            with progress("removing", run.due) as advance:
                run.remove(advance)
            complete = True
    finally:
        if as_json:
            say_json(_purge_json(target, run, iso(now), complete=complete))
        elif agreed:
            _say_removed(run, complete=complete)
        elif run.due:
            say("nothing removed")
    if not complete:
        raise typer.Exit(NOT_AGREED)


def _say_due(target: Target, run: Purge, at: str) -> None:
    say(f"{target.name} ({target.election.id}) at {at}")
    say(f"{'table':13}{'kind':13}{'to remove':>10}{'kept':>10}  until")
    for rule in run.rules:
        until = "the end of each item" if rule.has_own_end else iso(rule.ends_at)
        for kind, tally in sorted(run.tallies[rule.table].items()):
            say(f"{rule.table:13}{kind:13}{tally.due:10}{tally.kept:10}  {until}")
    say(f"{run.due} to remove")
    if any(tally.due for tally in run.tallies["voters"].values()):
        say(
            "the register can be verified and signed only as long as the voters are there: reassort register export",
            "yellow",
        )


def _say_removed(run: Purge, *, complete: bool) -> None:
    renewed = f", {run.renewed} in use again and kept" if run.renewed else ""
    say(f"removed {run.removed} of {run.due}{renewed}", "green" if complete else None)
    if complete:
        say("the tables' continuous backups forget them within 35 days")
    else:
        say("run the same command again to remove the rest")


def _purge_json(target: Target, run: Purge, at: str, *, complete: bool) -> dict[str, Any]:
    return {
        "stack": target.name,
        "election": target.election.id,
        "at": at,
        "roll_ends_at": iso(target.election.roll_ends_at),
        "register_ends_at": iso(target.election.register_ends_at),
        "due": run.due,
        "removed": run.removed,
        "renewed": run.renewed,
        "complete": complete,
        "items": [
            {"table": table, "kind": kind, **vars(tally)}
            for table, kinds in run.tallies.items()
            for kind, tally in sorted(kinds.items())
        ],
    }
