"""`reassort deliveries`: what waits to be sent, and dead letters."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer
from reassort.clock import epoch_milliseconds, utc_now
from reassort.outbox import Kind

from reassort_ops import deliveries
from reassort_ops.account.stack import Aws
from reassort_ops.commands.options import (
    LOOK,
    AsJson,
    Profile,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.output import progress, say, say_json

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="See what waits to be sent, and send dead letters back.",
    epilog="Example: reassort deliveries list --stack reassort",
)


@commands.command("list", epilog="Example: reassort deliveries list --stack reassort --most 50")
def deliveries_list(
    stack: StackName,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="How many to name, the longest wait first")] = 20,
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
            late = "  overdue" if one.is_overdue(at) else ""
            say(f"{one.name:24}{one.kind.value:9}{one.channel:7}{one.waited(at):>7} s{late}")
        if len(queue) > most:
            say(f"… and {len(queue) - most} more")
        told = ", ".join(f"{lane} {count}" for lane, count in sorted(lanes.items())) or "nothing"
        say(f"{len(queue)} waiting ({told}), {overdue} overdue, {dead} dead letters")
    exit_unless(not overdue and not dead)


@commands.command("redrive", epilog="Example: reassort deliveries redrive --stack reassort")
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
    with progress("sending back", deliveries.dead_letters(sqs, found)) as advance:
        done = deliveries.redrive(sqs, found, advance)
    if as_json:
        say_json(asdict(done))
    else:
        say(f"{done.sent_back} sent back, {done.left} left: they are the stream's, which the sweeper has in hand")
