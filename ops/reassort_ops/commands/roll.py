"""`reassort roll`: check an electoral roll and put it on a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import IntFlag
from pathlib import Path
from typing import Annotated

import typer
from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds, utc_now
from reassort.election_file import read_election_file
from reassort.identifiers import show_identifier

from reassort_ops.command_line import Commands
from reassort_ops.commands.options import (
    AsJson,
    Elections,
    Profile,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.commands.roll_files import ErrorPath, Force, RollPath, check_file, fault_list, open_file
from reassort_ops.commands.target import Target
from reassort_ops.election_files import DEFAULT_FOLDER, only_election
from reassort_ops.failures import OperatorError
from reassort_ops.heap import keep_heap_small
from reassort_ops.language import tr, trn
from reassort_ops.output import confirmed, may_ask, progress, say
from reassort_ops.roll import first_identifiers
from reassort_ops.roll.check import CheckedRoll, valid_rows
from reassort_ops.roll.enrolment import ENROLLING, Enroller
from reassort_ops.roll.error_file import raise_if_error_file_exists
from reassort_ops.roll.faults import REFUSED_COLUMNS, FaultCode, RowFault
from reassort_ops.roll.file import RollFile
from reassort_ops.roll.first_identifiers import IdentifierDraw
from reassort_ops.roll.importing import Balance, RollImport, RowOutcome, Settled
from reassort_ops.roll.mailing_file import MailingRow, Recipient, read_recipients, write_mailing
from reassort_ops.roll.moves import RollMoves
from reassort_ops.roll.moving import ChangeOfAddress
from reassort_ops.roll.report import Lines, Members
from reassort_ops.roll.rows import RollRow
from reassort_ops.roll.update import ChangedRow, RollUpdate
from reassort_ops.roll.writes import TransactionWriter
from reassort_ops.state_words import state_word

commands = Commands(
    help=tr("Check the electoral roll and put it on a stack."),
    epilog=tr("Example: reassort roll check roll.csv --election elections/dijon-2018.yaml"),
)

_NO_ROW = tr("the header has no row below it: nobody is on this roll")


class _Note(IntFlag):
    """What is kept of a row until the end, in one byte a line: a roll of a million rows takes a
    megabyte.
    """

    # Its identifier was issued by this import and is its voter's current one.
    ISSUED = 1
    CHANGED = 2
    REFUSED = 4


# By the place of each, why a row was refused is kept in one byte a line.
_CODES = tuple(FaultCode)
# What the register has of a change of address that an import makes.
_NEW_ADDRESS = "nouvelle adresse sur la liste électorale"


@commands.add(
    "check",
    epilog=tr("Example: reassort roll check roll.csv --election elections/dijon-2018.yaml --errors erreurs.csv"),
)
def roll_check(
    file: RollPath,
    election: Annotated[
        Path | None,
        typer.Option(metavar=tr("FILE"), help=tr("Election file; else the only one of the folder elections")),
    ] = None,
    issue: Annotated[
        bool, typer.Option("--issue", help=tr("Identifiers will be issued: their column must be empty, or not there"))
    ] = False,
    errors: ErrorPath = None,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Find every fault of a roll: line, column and reason, and what comes twice anywhere in the
    file.

    Exit status: 0 when every row is valid.
    """
    model = read_election_file(election) if election else only_election(DEFAULT_FOLDER)
    if errors:
        raise_if_error_file_exists(errors, force=force)
    roll = open_file(file, errors, issuing=issue)
    report: Lines | Members = Members(roll, model.id) if as_json else Lines(roll)
    with fault_list(errors, roll) as note:
        checked = check_file(roll, model, report, note)
    valid = checked.read - checked.faulty
    if isinstance(report, Members):
        for name, count in (("read", checked.read), ("valid", valid), ("rejected", checked.faulty)):
            report.object.put(name, count)
        report.object.end()
    else:
        say(
            tr(
                "{file}: {encoding}, columns separated by {delimiter!r}: read {read} = valid "
                "{valid} + rejected {rejected} ({faults} faults)",
                file=file,
                encoding=roll.encoding_name,
                delimiter=roll.delimiter,
                read=checked.read,
                valid=valid,
                rejected=checked.faulty,
                faults=checked.faults,
            )
            + (tr("; {unused} columns not used", unused=roll.unused) if roll.unused else "")
        )
        if not checked.read:
            say(_NO_ROW, "red")
    exit_unless(checked.faulty == 0 and checked.read > 0)


@commands.add(
    "import",
    epilog=tr(
        "Example: reassort roll import roll.csv --stack reassort --profile staging --errors erreurs.csv\n\n"
        "Example: reassort roll import roll.csv --stack reassort --issue mailing.csv.age --recipient age1…\n\n"
        "Example: reassort roll import corrected.csv --stack reassort --update\n\n"
        "Example: reassort roll import september.csv --stack reassort --move"
    ),
)
def roll_import(
    file: RollPath,
    stack: StackName,
    elections: Elections = None,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help=tr("Import the valid rows of a roll that has faults"))
    ] = False,
    issue: Annotated[
        Path | None,
        typer.Option(
            metavar=tr("FILE"),
            help=tr(
                "Issue identifiers, for a roll without any, and write them to this file for mailing, encrypted with age"
            ),
        ),
    ] = None,
    recipient: Annotated[
        list[str] | None,
        typer.Option(
            metavar=tr("KEY"), help=tr("Public key that may open the file of --issue: age1… or SSH; may be repeated")
        ),
    ] = None,
    recipients_file: Annotated[
        list[Path] | None, typer.Option(metavar=tr("FILE"), help=tr("File of such keys, one a line; may be repeated"))
    ] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help=tr(
                "Put right, after showing it and asking, what the roll says otherwise of voters who are on the "
                "stack; never an identifier"
            ),
        ),
    ] = False,
    move: Annotated[
        bool,
        typer.Option(
            "--move",
            help=tr(
                "Change the address of voters who are on the stack with another one, after showing it and asking: "
                "every identifier of the former address is revoked"
            ),
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Update and move without asking"))] = False,
    errors: ErrorPath = None,
    force: Force = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help=tr("Transactions under way at once"))] = 16,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put a roll on a stack. Nothing is imported if the roll has a fault, unless --skip-invalid.

    A voter who is on the stack already is compared and left alone, so a second import changes
    nothing and an interrupted one is resumed by running it again. What differs is shown, old → new;
    --update then asks on a terminal, and anywhere else only shows, unless --yes.

    A person is one voter: a row whose NUMEN is that of a voter with another address is rejected,
    unless --move.

    Exit status: 0 when every row is on the stack as the file says.
    """
    if errors:
        raise_if_error_file_exists(errors, force=force)
    recipients = _recipients(issue, recipient or [], recipients_file or [])
    roll = open_file(file, errors, issuing=issue is not None)
    target = Target(stack, elections, region, profile)
    model = target.election
    report: Lines | Members = Members(roll, model.id) if as_json else Lines(roll)
    failure: BaseException | None = None
    # The list of faults is whole once the roll is checked, whatever becomes of the import.
    with fault_list(errors, roll) as note:
        checked = check_file(roll, model, report, note)
        run = _ImportRun(roll, checked, target, report, note, threads, issue, recipients)
        run.balance.counts[RowOutcome.REJECTED] = (
            checked.faulty if skip_invalid else checked.read if checked.faulty else 0
        )
        try:
            if checked.read > checked.faulty and (skip_invalid or not checked.faulty):
                run.write(update=update, move=move, agreed=yes)
        except BaseException as error:  # noqa: BLE001 - raised again below, once the list is on the disk
            failure = error
    # What stops a command is told once, with its own advice.
    stopped = isinstance(failure, OperatorError)
    _tell_balance(run, refused=bool(checked.faulty) and not skip_invalid, stopped=stopped)
    if failure is not None:
        raise failure
    exit_unless(run.balance.is_complete and run.balance.read > 0)


def _recipients(issue: Path | None, keys: Sequence[str], files: Sequence[Path]) -> list[Recipient]:
    if issue is None:
        if keys or files:
            raise OperatorError(tr("--recipient and --recipients-file are for the file of --issue"))
        return []
    first_identifiers.raise_if_taken(issue)
    return read_recipients(keys, files)


@dataclass
class _ImportRun:
    """One import of a roll that was checked, and what became of it."""

    roll: RollFile
    checked: CheckedRoll
    target: Target
    report: Lines | Members
    note: Callable[[RowFault], object]
    threads: int
    mailing: Path | None
    recipients: Sequence[Recipient]
    issued: int = 0
    notes: bytearray = field(init=False)
    # Empty until the first row is refused.
    refusals: bytearray = field(init=False, default_factory=bytearray)
    balance: Balance = field(init=False)
    draw: IdentifierDraw | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with nothing known."""
        self.notes = bytearray(len(self.checked.refused))
        self.balance = Balance(self.checked.read)

    def write(self, *, update: bool, move: bool, agreed: bool) -> None:
        """Import, change the addresses and write the identifiers that were issued; show what
        differs, and update it. What changes a voter who is there waits until that was agreed to.
        """
        target = self.target
        at = epoch_milliseconds(utc_now())
        enroller = Enroller(target.keyed_hash(*ENROLLING), f"import:{target.aws.operator()}", at)
        if self.mailing is not None:
            key = first_identifiers.begin(target.aws.kms(), target.stack, self.mailing, self.roll.path)
            self.draw = IdentifierDraw(key, target.election.identifier)
        self._import(enroller)
        if move and self.refusals:
            self._ask_and_move(enroller, agreed=agreed)
        if self.mailing is not None:
            self._mail(self.mailing)
        self._show_refused()
        if self.balance.counts[RowOutcome.CHANGED]:
            self._show_and_update(enroller, update=update, agreed=agreed)
            self._show_refused()

    def _import(self, enroller: Enroller) -> None:
        run = RollImport(
            reader=self.target.aws.dynamodb(self.threads),
            writer=TransactionWriter(self.target.aws.session, self.threads),
            stack=self.target.stack,
            enroller=enroller,
            issuing=self.roll.issuing,
        )
        keep_heap_small()
        with progress(tr("importing"), self.checked.read - self.checked.faulty) as advance:

            def settle(batch: Sequence[Settled]) -> None:
                for one in batch:
                    self.balance.counts[one.outcome] += 1
                    if one.current:
                        self.notes[one.line] |= _Note.ISSUED
                    if one.outcome is RowOutcome.CHANGED:
                        self.notes[one.line] |= _Note.CHANGED
                    elif one.refusal is not None:
                        self._refuse(one.line, one.refusal)
                advance(len(batch))

            run.run(self._rows(), settle, self.threads)

    def _refuse(self, line: int, code: FaultCode) -> None:
        """Note why a row was refused, until it is shown."""
        if not self.refusals:
            self.refusals = bytearray(len(self.notes))
        self.notes[line] |= _Note.REFUSED
        self.refusals[line] = _CODES.index(code)

    def _refused(self) -> Iterator[tuple[RollRow, FaultCode]]:
        """Read the rows that were refused and not shown yet."""
        for row in self._rows(_Note.REFUSED):
            yield row, _CODES[self.refusals[row.line]]

    def _agreed(self, question: str, *, agreed: bool) -> bool:
        asks = isinstance(self.report, Lines) and may_ask()
        return agreed or (asks and confirmed(question))

    def _ask_and_move(self, enroller: Enroller, *, agreed: bool) -> None:
        """Change the address of voters whose NUMEN a row has with another one."""
        lines = [row.line for row, code in self._refused() if code is FaultCode.ELSEWHERE]
        if not lines or not self._agreed(
            trn("Change the address of {count} voter?", "Change the address of {count} voters?", count=len(lines)),
            agreed=agreed,
        ):
            return
        target = self.target
        operator = replace(target.operator(), name=enroller.actor)
        run = RollMoves(ChangeOfAddress(operator, target.election, enroller.keyed_hash), operator, enroller)
        with progress(tr("moving"), len(lines)) as advance:
            for row, code in self._refused():
                if code is not FaultCode.ELSEWHERE:
                    continue
                settled = run.move(row, _NEW_ADDRESS)
                advance(1)
                if settled.refusal is not None:
                    self._refuse(row.line, settled.refusal)
                    continue
                self.notes[row.line] &= ~_Note.REFUSED
                self.notes[row.line] |= _Note.ISSUED * settled.current
                self.balance.counts[RowOutcome.REJECTED] -= 1
                self.balance.counts[settled.outcome] += 1

    def _mail(self, path: Path) -> None:
        """Write the identifiers that this import issued, now that each is its voter's, and forget
        how they were drawn.
        """
        count = sum(note & _Note.ISSUED for note in self.notes)
        if count:
            with progress(tr("encrypting"), count) as advance:
                self.issued = write_mailing(path, self.recipients, self._mailing_rows(advance))
        first_identifiers.end(path)

    def _mailing_rows(self, advance: Callable[[float], object]) -> Iterator[MailingRow]:
        shape = self.target.election.identifier
        for row in self._rows(_Note.ISSUED):
            yield MailingRow(
                row.address,
                row.establishment,
                row.secretariat or "",
                show_identifier(row.identifier, shape),
                row.name,
                row.postal,
            )
            advance(1)

    def _show_refused(self) -> None:
        if not self.refusals:
            return
        for row, code in self._refused():
            fault = RowFault(row.line, REFUSED_COLUMNS.get(code, "email"), code)
            self.note(fault)
            self.report.rejected(fault, mask_address(row.address))
            self.notes[row.line] &= ~_Note.REFUSED

    def _show_and_update(self, enroller: Enroller, *, update: bool, agreed: bool) -> None:
        run = RollUpdate(
            dynamodb=self.target.aws.dynamodb(self.threads),
            stack=self.target.stack,
            enroller=enroller,
            clock=utc_now,
            issuing=self.roll.issuing,
        )
        possible = 0
        for changed in run.changed(self._rows(_Note.CHANGED)):
            if isinstance(changed, ChangedRow):
                self.report.changed(changed)
                possible += changed.may_be_updated
        if (
            update
            and possible
            and self._agreed(trn("Update {count} voter?", "Update {count} voters?", count=possible), agreed=agreed)
        ):
            self._update(run)

    def _update(self, run: RollUpdate) -> None:
        with progress(tr("updating"), self.balance.counts[RowOutcome.CHANGED]) as advance:

            def settle(batch: Sequence[Settled]) -> None:
                for one in batch:
                    self.balance.counts[RowOutcome.CHANGED] -= 1
                    self.balance.counts[one.outcome] += 1
                    if one.refusal is not None:
                        self._refuse(one.line, one.refusal)
                advance(len(batch))

            run.apply(self._rows(_Note.CHANGED), settle, self.threads)

    def _rows(self, noted: _Note | None = None) -> Iterator[RollRow]:
        """Read the valid rows of which one of these is noted, or all of them; draw their
        identifiers if the roll brings none.
        """
        for row in valid_rows(self.roll, self.target.election, self.checked):
            if noted is not None and not self.notes[row.line] & noted:
                continue
            if self.draw is not None:
                row.identifier = self.draw.draw(row.address)
            yield row


def _tell_balance(run: _ImportRun, *, refused: bool, stopped: bool) -> None:
    balance, checked = run.balance, run.checked
    if isinstance(run.report, Members):
        members = run.report.object
        if "differences" not in members.names:
            members.append("differences")
        members.put("stack", run.target.name)
        members.put("read", balance.read)
        for outcome, count in balance.counts.items():
            members.put(outcome.value, count)
        for name, count in (("not_reached", balance.not_reached), ("faulty", checked.faulty), ("issued", run.issued)):
            members.put(name, count)
        members.end()
        return
    file, stack = run.roll.path, run.target.name
    if refused:
        say(
            tr(
                "nothing imported: {faulty} of {read} rows have faults; --skip-invalid imports the others",
                faulty=checked.faulty,
                read=checked.read,
            ),
            "red",
        )
    if run.issued:
        say(
            tr(
                "{mailing}: {issued} identifiers, for {keys} public keys; the only copy there is",
                mailing=run.mailing,
                issued=run.issued,
                keys=len(run.recipients),
            )
        )
    parts = [
        f"{state_word(outcome.value)} {count}"
        for outcome, count in balance.counts.items()
        if count or outcome is not RowOutcome.MOVED
    ]
    if balance.not_reached:
        parts.append(tr("not reached {not_reached}", not_reached=balance.not_reached))
    say(
        tr(
            "{file} → {stack}: read {read} = {parts}",
            file=file,
            stack=stack,
            read=balance.read,
            parts=" + ".join(parts),
        ),
        "green" if balance.is_complete else None,
    )
    if not balance.read:
        say(_NO_ROW, "red")
    if stopped:
        return
    if balance.not_reached:
        say(tr("run the same command again to import the rest"))
    if run.mailing is not None and first_identifiers.resume_file(run.mailing).exists():
        say(
            tr(
                "no identifier is written yet; until {mailing} is, keep {file}",
                mailing=run.mailing,
                file=first_identifiers.resume_file(run.mailing),
            )
        )
