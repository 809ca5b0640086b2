"""`reassort deliveries`: what waits to be sent, and dead letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from reassort.clock import epoch_milliseconds, from_milliseconds, utc_now
from reassort.outbox import Kind

from reassort_ops import deliveries, unreached
from reassort_ops.account.stack import Aws
from reassort_ops.command_line import Commands
from reassort_ops.commands.options import (
    AsJson,
    Elections,
    Profile,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.commands.target import Target
from reassort_ops.language import tr
from reassort_ops.output import progress, say, say_json
from reassort_ops.state_words import state_word
from reassort_ops.whole_file import whole_file

commands = Commands(
    help=tr("See what waits to be sent and whom nothing reached, and send dead letters back."),
    epilog=tr("Example: reassort deliveries list --stack reassort"),
)


@commands.add("list", epilog=tr("Example: reassort deliveries list --stack reassort --most 50"))
def deliveries_list(
    stack: StackName,
    most: Annotated[int, typer.Option(min=1, metavar="N", help=tr("How many to name, the longest wait first"))] = 20,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List what waits to be sent, by lane and the longest first, and count the dead letters.
    Nothing of a voter is shown.

    Exit status: 0 when nothing is overdue and there is no dead letter.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    at = epoch_milliseconds(utc_now())
    queue = deliveries.waiting(aws.dynamodb(), found)
    dead = deliveries.dead_letters(aws.sqs(), found)
    overdue = sum(one.is_overdue(at) for one in queue)
    lanes = Counter(one.kind.value if one.kind is Kind.CODE else one.channel for one in queue)
    if as_json:
        named = [
            {
                "reference": one.name,
                "kind": one.kind.value,
                "channel": one.channel,
                "waits_seconds": one.waited(at),
                "overdue": one.is_overdue(at),
            }
            for one in queue[:most]
        ]
        say_json({"waiting": dict(lanes), "overdue": overdue, "dead_letters": dead, "longest": named})
    else:
        for one in queue[:most]:
            late = tr("  overdue") if one.is_overdue(at) else ""
            say(f"{one.name:24}{state_word(one.kind.value):11}{state_word(one.channel):9}{one.waited(at):>7} s{late}")
        if len(queue) > most:
            say(tr("… and {count} more", count=len(queue) - most))
        told = ", ".join(f"{state_word(lane)} {count}" for lane, count in sorted(lanes.items())) or tr("nothing")
        say(
            tr(
                "{count} waiting ({lanes}), {overdue} overdue, {dead} dead letters",
                count=len(queue),
                lanes=told,
                overdue=overdue,
                dead=dead,
            )
        )
    exit_unless(not overdue and not dead)


@commands.add("unreached", epilog=tr("Example: reassort deliveries unreached --stack reassort --csv unreached.csv"))
def deliveries_unreached(
    stack: StackName,
    by_school: Annotated[bool, typer.Option("--by-school", help=tr("Only how many, by establishment"))] = False,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar=tr("FILE"), help=tr("Also the list for the helpdesk, in French"))
    ] = None,
    elections: Elections = None,
    segments: Annotated[int, typer.Option(min=1, max=64, help=tr("Segments of a table read at once"))] = 8,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List the voters whom no identifier reached, by either way, by establishment: reference, since
    when, why. No address, no telephone number, no NUMEN. A voter is off the list once a later
    identifier arrived, they voted, or it was settled: reassort voter settle REFERENCE.

    It knows of deliveries as long as they are kept (retention.deliveries_days).

    Exit status: 0 when nobody is on the list.
    """
    target = Target(stack, elections, region, profile)
    zone = target.election.zone
    with progress(tr("reading"), None) as advance:
        found = unreached.read_unreached(target.aws.dynamodb(segments), target.stack, segments, advance)
    counts = unreached.by_establishment(found)
    if csv_file is not None:
        with whole_file(csv_file) as file:
            file.write(unreached.as_csv(found, zone))
    if as_json:
        say_json(
            {
                "unreached": len(found),
                "by_establishment": dict(counts),
                "voters": [] if by_school else [_unreached_json(one, zone) for one in found],
            }
        )
    else:
        for name, count in counts:
            say(f"{count:>5}  {name}")
            for one in [] if by_school else (one for one in found if one.establishment == name):
                reference, _, _, asked_at, ways, reason = one.row(zone)
                say(f"       {reference}  {asked_at}  {ways} : {reason}")
        say(
            tr(
                "{voters} whom nothing reached, of {establishments} establishments",
                voters=len(found),
                establishments=len(counts),
            )
        )
        if csv_file is not None:
            say(tr("{file} written", file=csv_file), "green")
    exit_unless(not found)


def _unreached_json(one: unreached.Unreached, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "establishment": one.establishment,
        "secretariat": one.secretariat,
        "asked_at": from_milliseconds(one.asked_at).astimezone(zone).isoformat(timespec="seconds"),
        "failed_by": [way.value for way in one.ways],
        "reason": one.reason.value,
    }


@commands.add("redrive", epilog=tr("Example: reassort deliveries redrive --stack reassort"))
def deliveries_redrive(
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Send the dead letters back to the retry queue, once their cause is removed. It may be
    repeated: nothing is sent to a voter twice.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    sqs = aws.sqs()
    with progress(tr("sending back"), deliveries.dead_letters(sqs, found)) as advance:
        done = deliveries.redrive(sqs, found, advance)
    if as_json:
        say_json(asdict(done))
    else:
        left = (
            tr("; {left} left, which are the stream's: the sweeper has them in hand", left=done.left)
            if done.left
            else ""
        )
        say(
            tr("{sent_back} sent back{left}", sent_back=done.sent_back, left=left)
            if done.sent_back or left
            else tr("no dead letter: nothing to send back")
        )
