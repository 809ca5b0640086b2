"""`reassort platform`: what every identifier is worth, for the voting platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from reassort.clock import iso, utc_now
from reassort.keyed_hash import HashKey
from reassort.voters import IdentifierStatus

from reassort_ops.command_line import Commands
from reassort_ops.commands.options import AsJson, Profile, Region, StackName, exit_unless
from reassort_ops.commands.target import Target
from reassort_ops.language import tr
from reassort_ops.output import progress, say, say_json
from reassort_ops.platform.export import (
    Disagreement,
    StatusExport,
    StatusTally,
    differences,
    read_held,
    status_names,
    write_rows,
)
from reassort_ops.platform.reconciliation import WITHOUT_A_VOTE, VotesReconciled, what_to_look_at, write_differences
from reassort_ops.whole_file import whole_text

Threads = Annotated[int, typer.Option(min=1, max=64, help=tr("Reads under way at once"))]
_THREADS = 8

commands = Commands(
    help=tr("Reconcile with the voting platform: what every identifier is worth, by handle."),
    epilog=tr("Example: reassort platform export --stack reassort --output statuses.csv"),
)


@commands.add("export", epilog=tr("Example: reassort platform export --stack reassort --output statuses.csv"))
def platform_export(
    stack: StackName,
    output: Annotated[
        Path, typer.Option("--output", metavar=tr("FILE"), help=tr("CSV to write; replaced once it is complete"))
    ],
    threads: Threads = _THREADS,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Write a line for every identifier ever issued:
    handle;generation;status;superseded_at;sequence. Nothing of a voter is in it.

    It may run while the service does. The voting platform takes it to catch up with events that it
    missed.

    Exit status: 0 when issued = active + revoked + used + frozen.
    """
    run, total = _run(Target(stack, None, region, profile), threads)
    tally, started = StatusTally(), utc_now()
    with whole_text(output) as file, progress(tr("exporting"), total) as advance:
        write_rows(file, run.worths(tally, advance))
    if as_json:
        say_json({**_described(stack, run, tally), "file": str(output), "started_at": iso(started)})
    else:
        say(
            tr(
                "{output}: {listed} identifiers, read from {started} to {ended}",
                output=output,
                listed=tally.listed,
                started=iso(started),
                ended=iso(utc_now()),
            )
        )
        _say_balance(tally)
    exit_unless(tally.balances)


@commands.add("compare", epilog=tr("Example: reassort platform compare platform.csv --stack reassort"))
def platform_compare(
    file: Annotated[
        Path, typer.Argument(metavar=tr("FILE"), help=tr("CSV of the platform with the columns handle and status"))
    ],
    stack: StackName,
    threads: Threads = _THREADS,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Compare what the voting platform holds of each identifier with what the stack says, and name
    each difference.

    While the service runs, a difference may be a change of this very minute: compare again.

    Exit status: 0 when there is no difference.
    """
    held = read_held(file)
    compared = len(held)
    run, total = _run(Target(stack, None, region, profile), threads)
    tally = StatusTally()
    found: list[Disagreement] = []
    with progress(tr("comparing"), total) as advance:
        found.extend(differences(held, run.worths(tally, advance)))
    if as_json:
        named = [{"handle": one.handle, "platform": one.platform, "stack": one.stack} for one in found]
        say_json({**_described(stack, run, tally), "file": str(file), "compared": compared, "differences": named})
    else:
        for one in found:
            say(
                tr(
                    "{handle}: platform {platform}, stack {stack}",
                    handle=one.handle,
                    platform=one.platform or tr("does not know it"),
                    stack=one.stack or tr("never issued it"),
                )
            )
        say(
            tr(
                "{file}: {compared} compared with {listed} of {stack}, {differences} differences",
                file=file,
                compared=compared,
                listed=tally.listed,
                stack=stack,
                differences=len(found),
            )
        )
        _say_balance(tally)
    exit_unless(not found and tally.balances)


@commands.add("reconcile", epilog=tr("Example: reassort platform reconcile platform.csv --stack reassort"))
def platform_reconcile(
    file: Annotated[
        Path,
        typer.Argument(
            metavar=tr("FILE"),
            help=tr(
                "CSV that the platform exports at the close: handle and status, used for each ballot that it holds"
            ),
        ),
    ],
    stack: StackName,
    output: Annotated[
        Path,
        typer.Option("--output", metavar=tr("FILE"), help=tr("CSV of the differences; replaced once it is complete")),
    ] = Path("platform-differences.csv"),
    threads: Threads = _THREADS,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """At the close: hold each vote of the platform against the register's, and say in one sentence
    whether they are the same.

    It counts ballots whose vote was never recorded, those under an identifier that was replaced,
    frozen or never issued, and recorded votes without a ballot. Each is a line of a CSV file, by
    handle; no identifier and no voter is in it. A status that the platform has otherwise, without
    a vote on either side, is in the file and breaks nothing.

    Exit status: 0 when both hold the same votes.
    """
    held = read_held(file)
    ballots = sum(status is IdentifierStatus.USED for status in held.values())
    target = Target(stack, None, region, profile)
    closes_at = target.election.windows.voting.closes_at
    is_open = utc_now() < closes_at
    run, total = _run(target, threads)
    tally = StatusTally()
    with progress(tr("reconciling"), total) as advance:
        found = tuple(differences(held, run.worths(tally, advance)))
    result = VotesReconciled(ballots, tally.by_status[IdentifierStatus.USED], found)
    with whole_text(output) as lines:
        write_differences(lines, result.found)
    if as_json:
        counts = {kind.value: count for kind, count in result.by_difference.items()}
        said = {"reconciled": result.holds, "ballots": ballots, "votes": result.votes, "differences": counts}
        say_json({**_described(stack, run, tally), "file": str(file), "output": str(output), "open": is_open, **said})
    else:
        for kind, count in result.by_difference.items():
            line = tr("{count} {kind}: {why}", count=count, kind=kind.value, why=what_to_look_at(kind))
            say(line, None if kind in WITHOUT_A_VOTE else "red")
        _say_balance(tally)
        if result.found:
            say(str(output))
        if is_open:
            again = tr(
                "the ballot is open until {closes:%Y-%m-%d %H:%M}: "
                "a vote of this minute may differ; reconcile after it",
                closes=closes_at.astimezone(target.election.zone),
            )
            say(again, "yellow")
        say(result.sentence, "green" if result.holds else "red")
    exit_unless(result.holds and tally.balances)


def _run(target: Target, threads: int) -> tuple[StatusExport, int | None]:
    dynamodb = target.aws.dynamodb(threads)
    described = dynamodb.describe_table(TableName=target.stack.identifiers_table)["Table"]
    # DynamoDB counts every six hours: good enough for a bar, if there is anything to go by.
    export = StatusExport(dynamodb, target.stack, target.keyed_hash(HashKey.HANDLE), threads)
    return export, described.get("ItemCount") or None


def _say_balance(tally: StatusTally) -> None:
    before, after = tally.issued
    issued = str(tally.listed) if before <= tally.listed <= after else f"{before}…{after}"
    say(
        tr(
            "issued {issued} {sign} {states}",
            issued=issued,
            sign="=" if tally.balances else "≠",
            states=status_names(tally.by_status),
        )
    )
    if tally.orphans:
        say(tr("{orphans} identifiers belong to no voter of the roll", orphans=tally.orphans), "red")


def _described(stack: str, run: StatusExport, tally: StatusTally) -> dict[str, Any]:
    return {
        "stack": stack,
        "election": run.stack.election_id,
        "issued": list(tally.issued),
        "listed": tally.listed,
        **{status.value: count for status, count in tally.by_status.items()},
        "orphans": tally.orphans,
        "balances": tally.balances,
    }
