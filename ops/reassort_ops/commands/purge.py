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
from reassort_ops.output import confirmed, may_ask, progress, say, say_json
from reassort_ops.purge import Purge, raise_if_under_way
from reassort_ops.state_words import state_word

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
    with progress(tr("counting"), None) as advance:
        run.count(advance)
    complete = run.due == 0
    agreed = False
    try:
        if not as_json:
            _say_due(target, run, iso(now))
        if run.due and not dry_run:
            agreed = yes or (not as_json and may_ask() and confirmed(tr("Remove them for good?")))
        if agreed:
            with progress(tr("removing"), run.due) as advance:
                run.remove(advance)
            complete = True
    finally:
        if as_json:
            say_json(_purge_json(target, run, iso(now), complete=complete))
        elif agreed:
            _say_removed(run, complete=complete)
        elif run.due:
            say(tr("nothing removed"))
    if not complete:
        raise typer.Exit(NOT_AGREED)


def _say_due(target: Target, run: Purge, at: str) -> None:
    say(tr("{stack} ({election}) at {at}", stack=target.name, election=target.election.id, at=at))
    shown = [
        (
            state_word(rule.table),
            state_word(kind),
            tally,
            tr("the end of each item") if rule.has_own_end else iso(rule.ends_at),
        )
        for rule in run.rules
        for kind, tally in sorted(run.tallies[rule.table].items())
    ]
    head = tr("table"), tr("kind"), tr("to remove"), tr("kept")
    table = max([12, *(len(of) for of, _, _, _ in shown)]) + 1
    kind = max([12, *(len(what) for _, what, _, _ in shown)]) + 1
    due, kept = (max(10, len(name) + 1) for name in head[2:])
    say(f"{head[0]:{table}}{head[1]:{kind}}{head[2]:>{due}}{head[3]:>{kept}}  {tr('until')}")
    for of, what, tally, until in shown:
        say(f"{of:{table}}{what:{kind}}{tally.due:{due}}{tally.kept:{kept}}  {until}")
    say(tr("{due} to remove", due=run.due))
    if any(tally.due for tally in run.tallies["voters"].values()):
        say(
            tr(
                "the register can be verified and signed only as long as the voters are there: reassort register export"
            ),
            "yellow",
        )


def _say_removed(run: Purge, *, complete: bool) -> None:
    renewed = tr(", {renewed} in use again and kept", renewed=run.renewed) if run.renewed else ""
    say(
        tr("removed {removed} of {due}{renewed}", removed=run.removed, due=run.due, renewed=renewed),
        "green" if complete else None,
    )
    if complete:
        say(tr("the tables' continuous backups forget them within 35 days"))
    else:
        say(tr("run the same command again to remove the rest"))


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
