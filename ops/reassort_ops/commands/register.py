"""`reassort register`: the record of every change."""

from __future__ import annotations

from typing import Any

import typer

from reassort_ops.commands.options import (
    LOOK,
    AsJson,
    Profile,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.output import progress, say, say_json
from reassort_ops.register_check import Reconciliation, verify_register
from reassort_ops.stack import Aws, Stack

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="Verify the register of a stack.",
    epilog="Example: reassort register verify --stack reassort",
)


@commands.command("verify", epilog="Example: reassort register verify --stack reassort")
def register_verify(
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Verify every voter's chain in the register and print the reconciliation. It may run while the service does.

    Exit status: 0 when every chain verifies and issued = active + revoked + used + frozen.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    with progress("verifying", None) as advance:
        result = verify_register(aws.dynamodb(), found, advance)
    if as_json:
        say_json(_reconciliation_json(found, result))
    else:
        for fault in result.faults:
            say(fault, "red")
        states = " + ".join(f"{status.value} {count}" for status, count in result.by_status.items())
        say(f"{result.voters} voters, {result.entries} entries, {len(result.faults)} faults")
        say(f"issued {result.issued} {'=' if result.balances else '≠'} {states}")
    exit_unless(result.holds)


def _reconciliation_json(stack: Stack, result: Reconciliation) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "election": stack.election_id,
        "voters": result.voters,
        "entries": result.entries,
        "issued": result.issued,
        **{status.value: count for status, count in result.by_status.items()},
        "balances": result.balances,
        "faults": result.faults,
    }
