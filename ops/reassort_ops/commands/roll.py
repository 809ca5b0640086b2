"""`reassort roll`: check an electoral roll and put it on a stack."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from reassort.clock import epoch_milliseconds, utc_now
from reassort.election import Election
from reassort.election_file import read_election_file

from reassort_ops.commands.options import (
    LOOK,
    AsJson,
    Elections,
    Profile,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.election_files import DEFAULT_FOLDER, only_election
from reassort_ops.output import progress, say, say_json
from reassort_ops.roll_check import Checked, check_roll, valid_rows
from reassort_ops.roll_file import RollFile, open_roll
from reassort_ops.roll_import import Balance, Outcome, RollImport, Settled
from reassort_ops.roll_rows import Fault
from reassort_ops.roll_writes import TransactionWriter
from reassort_ops.target import Target

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="Check the electoral roll and put it on a stack.",
    epilog="Example: reassort roll check roll.csv --election elections/dijon-2018.yaml",
)

RollPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV with a header: email;numen;establishment;secretariat;identifier, and extra_proof if the election asks for it",
    ),
]


@commands.command("check", epilog="Example: reassort roll check roll.csv --election elections/dijon-2018.yaml")
def roll_check(
    file: RollPath,
    election: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Election file; else the only one of the folder elections"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find every fault of a roll: line, column and reason, and what comes twice anywhere in the file.

    Exit status: 0 when every row is valid.
    """
    model = read_election_file(election) if election else only_election(DEFAULT_FOLDER)
    roll = open_roll(file)
    faults, checked = _check(roll, model, as_json=as_json)
    if as_json:
        say_json(
            {
                **_described(roll, model.id),
                "read": checked.read,
                "valid": checked.read - checked.faulty,
                "rejected": checked.faulty,
                "faults": [_fault_json(fault) for fault in faults],
            }
        )
    else:
        say(
            f"{file}: {roll.encoding_name}, columns separated by {roll.delimiter!r}: "
            f"read {checked.read} = valid {checked.read - checked.faulty} + rejected {checked.faulty} ({checked.faults} faults)"
        )
    exit_unless(checked.faulty == 0 and checked.read > 0)


@commands.command("import", epilog="Example: reassort roll import roll.csv --stack reassort --profile staging")
def roll_import(
    file: RollPath,
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Import the valid rows of a roll that has faults")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Transactions under way at once")] = 16,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put a roll on a stack. Nothing is imported if the roll has a fault, unless --skip-invalid.

    A voter who is on the stack already is compared and left alone, so a second import changes nothing and an interrupted one
    is resumed by running it again.

    Exit status: 0 when every row is on the stack as the file says.
    """
    roll = open_roll(file)
    target = Target(stack, elections, region, profile)
    model = target.election
    faults, checked = _check(roll, model, as_json=as_json)
    balance = Balance(checked.read)
    refused = bool(checked.faulty) and not skip_invalid
    balance.counts[Outcome.REJECTED] = checked.read if refused else checked.faulty
    notable: list[Settled] = []
    try:
        if not refused and checked.read > checked.faulty:
            _import(roll, checked, target, balance, notable, threads)
    finally:
        if as_json:
            say_json(
                {
                    **_described(roll, model.id),
                    "stack": stack,
                    "read": balance.read,
                    **{outcome.value: count for outcome, count in balance.counts.items()},
                    "not_reached": balance.not_reached,
                    "faulty": checked.faulty,
                    "faults": [_fault_json(fault) for fault in faults],
                    "differences": [_settled_json(settled) for settled in notable],
                }
            )
        else:
            _say_balance(file, stack, checked, balance, notable, refused=refused)
    exit_unless(balance.is_complete and balance.read > 0)


def _check(roll: RollFile, election: Election, *, as_json: bool) -> tuple[list[Fault], Checked]:
    """Check a roll; print faults as they are found, or keep them for the JSON object."""
    kept: list[Fault] = []

    def show(fault: Fault) -> None:
        say(f"{roll.path}:{fault.line}: {fault.column}: {fault.reason}")

    with progress("checking", roll.size, counted=False) as advance:
        checked = check_roll(roll, election, kept.append if as_json else show, advance)
    return kept, checked


def _import(
    roll: RollFile, checked: Checked, target: Target, balance: Balance, notable: list[Settled], threads: int
) -> None:
    run = RollImport(
        reader=target.dynamodb,
        writer=TransactionWriter(target.aws.session, threads),
        stack=target.stack,
        keyed_hash=target.keyed_hash,
        operator=target.aws.operator(),
        at=epoch_milliseconds(utc_now()),
    )
    with progress("importing", checked.read - checked.faulty) as advance:

        def settle(batch: Sequence[Settled]) -> None:
            for settled in batch:
                balance.counts[settled.outcome] += 1
                if settled.outcome in (Outcome.CHANGED, Outcome.REJECTED):
                    notable.append(settled)
            advance(len(batch))

        run.run(valid_rows(roll, target.election, checked), settle, threads)


def _say_balance(
    file: Path, stack: str, checked: Checked, balance: Balance, notable: Sequence[Settled], *, refused: bool
) -> None:
    for settled in sorted(notable, key=lambda one: one.line):
        if settled.outcome is Outcome.CHANGED:
            what = f"differs from the stack in {', '.join(settled.differing)}; left alone"
        else:
            what = f"rejected: {settled.reason}"
        say(f"{file}:{settled.line}: {settled.masked_address}: {what}")
    if refused:
        say(
            f"nothing imported: {checked.faulty} of {checked.read} rows have faults; --skip-invalid imports the others",
            "red",
        )
    parts = [f"{outcome.value} {count}" for outcome, count in balance.counts.items()]
    if balance.not_reached:
        parts.append(f"not reached {balance.not_reached}")
    say(f"{file} → {stack}: read {balance.read} = {' + '.join(parts)}", "green" if balance.is_complete else None)
    if balance.not_reached:
        say("run the same command again to import the rest")


def _described(roll: RollFile, election_id: str) -> dict[str, Any]:
    return {
        "file": str(roll.path),
        "encoding": roll.encoding_name,
        "delimiter": roll.delimiter,
        "election": election_id,
    }


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "column": str(fault.column), "code": fault.code, "reason": fault.reason}


def _settled_json(settled: Settled) -> dict[str, Any]:
    return {
        "line": settled.line,
        "address": settled.masked_address,
        "outcome": settled.outcome.value,
        "differing": [column.value for column in settled.differing],
        "reason": settled.reason,
    }
