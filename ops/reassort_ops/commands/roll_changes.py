"""`reassort roll` while the election lives: changes of address, removals, corrections, and who is
on the stack and not in the file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from reassort.addresses import AddressDomainError, AddressFormatError, mask_address, normalise_address
from reassort.clock import epoch_milliseconds, utc_now
from reassort.keyed_hash import HashKey

from reassort_ops.commands.options import AsJson, Elections, Profile, Reason, Region, StackName, exit_unless
from reassort_ops.commands.reasons import operators_reason
from reassort_ops.commands.roll import commands
from reassort_ops.commands.roll_files import ErrorPath, Force, check_file, fault_list, open_file
from reassort_ops.commands.target import Target
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr, trn
from reassort_ops.output import confirmed, may_ask, progress, say, say_json
from reassort_ops.roll.check import CheckedRoll, valid_rows
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.error_file import raise_if_error_file_exists
from reassort_ops.roll.faults import REFUSED_COLUMNS, FaultCode, RowFault
from reassort_ops.roll.file import RollFile
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.missing import MissingVoter, missing_voters
from reassort_ops.roll.moving import Arrival, ChangeOfAddress
from reassort_ops.roll.report import Lines, Members
from reassort_ops.roll.rows import RollRow
from reassort_ops.roll.update import ChangedRow, RollUpdate
from reassort_ops.spreadsheet import inert
from reassort_ops.state_words import state_word
from reassort_ops.whole_file import whole_text

__all__ = ["commands"]

_PSEUDONYM = re.compile(r"[A-Za-z0-9_-]{22}")
# One pseudonym in 64 begins as an option does.
_DASHED = {"ignore_unknown_options": True}
_COLUMNS = ("voter", "establishment", "status", "line")
_PROOFS = frozenset({Column.NUMEN, Column.EXTRA_PROOF})
_CORRECTED = _PROOFS | {Column.ESTABLISHMENT, Column.SECRETARIAT}
Voters = Annotated[
    list[str],
    typer.Argument(
        metavar=tr("EMAIL|VOTER…"), help=tr("Addresses, or pseudonyms as `reassort roll missing` lists them")
    ),
]


@commands.add(
    "move",
    epilog=tr(
        "Example: reassort roll move prenom.nom@ac-dijon.fr prenom.nom@u-bourgogne.fr --stack reassort "
        "--reason 'affectation de septembre'"
    ),
)
def roll_move(
    former: Annotated[str, typer.Argument(metavar=tr("EMAIL"), help=tr("The address that the stack has"))],
    present: Annotated[str, typer.Argument(metavar=tr("NEW_EMAIL"), help=tr("The voter's new address"))],
    stack: StackName,
    reason: Reason,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Change the address of a voter, who stays one voter. Nobody who has voted is moved.

    Every identifier and session of the former address ends. The voter signs in with the new address
    and asks for the next identifier, or is given it: reassort voter reissue. A freeze stays. A
    change by mistake is changed back by the same command.
    """
    checked = operators_reason(reason)
    target = Target(stack, elections, region, profile)
    election = target.election
    if election.extra_proof is not None:
        raise OperatorError(
            tr(
                "the election asks for a further proof, which is bound to the address: "
                "`reassort roll import --move` takes both from a file"
            )
        )
    keyed_hash = target.keyed_hash(HashKey.VOTER, HashKey.IDENTIFIER)
    addresses = [_address(typed, election.domain_names) for typed in (former, present)]
    if addresses[0] == addresses[1]:
        raise OperatorError(tr("both addresses are the same: nothing was changed"))
    old_id, new_id = map(keyed_hash.voter_id, addresses)
    ChangeOfAddress(target.operator(), election, keyed_hash).move(old_id, Arrival(new_id), checked)
    if as_json:
        say_json({"moved": True, "former": old_id, "voter": new_id})
        return
    masked = [mask_address(address) for address in addresses]
    say(
        tr("{former} → {present}: moved. The former identifier has ended", former=masked[0], present=masked[1]),
        "green",
    )
    say(tr("the next one: the voter asks for it on the site, with the new address; or `reassort voter reissue`"))


@commands.add(
    "remove",
    context_settings=_DASHED,
    epilog=tr("Example: reassort roll remove prenom.nom@ac-dijon.fr --stack reassort --reason 'radié le 12 novembre'"),
)
def roll_remove(
    voters: Voters,
    stack: StackName,
    reason: Reason,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Take voters off the roll (radiation): on record, no freeze, and no agent undoes it.

    They cannot sign in, and their identifier does not vote. Until the ballot closes, reassort roll
    restore puts them back as they stood. Nobody who has voted is removed.

    Exit status: 0 when all of them are off the roll.
    """
    _leave(voters, "removed", reason, Target(stack, elections, region, profile), as_json=as_json)


@commands.add(
    "restore",
    context_settings=_DASHED,
    epilog=tr("Example: reassort roll restore prenom.nom@ac-dijon.fr --stack reassort --reason 'radié par erreur'"),
)
def roll_restore(
    voters: Voters,
    stack: StackName,
    reason: Reason,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put removed voters back on the roll as they stood, with the identifier that they had; a
    freeze stays.

    Exit status: 0 when all of them are on the roll.
    """
    _leave(voters, "restored", reason, Target(stack, elections, region, profile), as_json=as_json)


@commands.add("missing", epilog=tr("Example: reassort roll missing september.csv --stack reassort --output gone.csv"))
def roll_missing(
    file: Annotated[
        Path,
        typer.Argument(metavar=tr("FILE"), help=tr("CSV with a header: email, and numen to tell changes of address")),
    ],
    stack: StackName,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar=tr("FILE"), help=tr("Write the list to this CSV file: voter, establishment, …")
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=tr("Overwrite the file of --output"))] = False,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List who is on the stack and not in the file, by pseudonym: the stack knows no addresses.
    Nothing is changed.

    A voter whom the file lists with another address is reported by line: use reassort roll import
    --move. Anyone who left is removed by pseudonym: reassort roll remove.

    Exit status: 0 when everybody on the stack is in the file.
    """
    if output is not None and output.exists() and not force:
        raise OperatorError(tr("{output}: is there already; --force overwrites it", output=output))
    roll = open_file(file, None, partial=True)
    target = Target(stack, elections, region, profile)
    election = target.election
    checked = check_file(roll, election, _Silent(roll) if as_json else Lines(roll), lambda _: None)
    if checked.faulty or not checked.read:
        raise OperatorError(
            tr(
                "{file}: {faulty} of {read} rows have faults: fix them first",
                file=file,
                faulty=checked.faulty,
                read=checked.read,
            )
        )
    keys = [HashKey.VOTER, *([HashKey.PROOF] if roll.has(Column.NUMEN) else [])]
    keyed_hash = target.keyed_hash(*keys)
    with progress(tr("comparing"), None) as advance:
        count, found = missing_voters(
            target.dynamodb, target.stack, keyed_hash, lambda: valid_rows(roll, election, checked), advance
        )
    if output is not None:
        _write_missing(output, found)
    if as_json:
        say_json({"voters": count, "rows": checked.read, "missing": [asdict(one) for one in found]})
    else:
        if output is None:
            for one in found:
                elsewhere = tr("; line {line} has another address", line=one.line) if one.line is not None else ""
                say(
                    tr(
                        "{voter_id}  {establishment}: {status}{elsewhere}",
                        voter_id=one.voter_id,
                        establishment=one.establishment,
                        status=state_word(one.status),
                        elsewhere=elsewhere,
                    )
                )
        where = tr(", written to {output}", output=output) if output is not None else ""
        say(
            tr(
                "{stack}: {voters} voters, {missing} of them not in {file}{where}",
                stack=target.name,
                voters=count,
                missing=len(found),
                file=file,
                where=where,
            ),
            None if found else "green",
        )
    exit_unless(not found)


@commands.add("correct", epilog=tr("Example: reassort roll correct corrections.csv --stack reassort"))
def roll_correct(
    file: Annotated[
        Path,
        typer.Argument(
            metavar=tr("FILE"),
            help=tr(
                "CSV with a header: email, and any of establishment, secretariat, numen, extra_proof; no other column "
                "is read"
            ),
        ),
    ],
    stack: StackName,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Correct without asking"))] = False,
    errors: ErrorPath = None,
    force: Force = False,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put right what the file says otherwise of voters who are on the stack: only the columns that
    it has, only the voters that it names. It needs no identifiers and no key.

    What differs is shown, old → new; then it asks on a terminal, and anywhere else only shows,
    unless --yes. Nothing is corrected if a row has a fault. Of a NUMEN and a further proof the
    register keeps who corrected them.

    Exit status: 0 when every row is on the stack as the file says.
    """
    if errors:
        raise_if_error_file_exists(errors, force=force)
    roll = open_file(file, errors, partial=True)
    if not roll.columns & _CORRECTED:
        raise OperatorError(tr("{file}:{header}: names no column that can be corrected", file=file, header=roll.header))
    target = Target(stack, elections, region, profile)
    report: Lines | Members = Members(roll, target.election.id) if as_json else Lines(roll)
    with fault_list(errors, roll) as note:
        checked = check_file(roll, target.election, report, note)
        counts = Counter({RowOutcome.REJECTED: checked.read} if checked.faulty else {})
        if checked.read and not checked.faulty:
            counts = _correct(roll, checked, target, report, note, agreed=yes)
    _tell_corrected(report, target.name, file, checked.read, counts)
    exit_unless(checked.read > 0 and checked.read == counts[RowOutcome.UNCHANGED] + counts[RowOutcome.UPDATED])


def _address(typed: str, domains: Sequence[str]) -> str:
    """Return a normalised address; it is not said back."""
    try:
        return normalise_address(typed, domains)
    except AddressDomainError:
        raise OperatorError(
            tr("an address is not of a domain of the election ({domains})", domains=", ".join(domains))
        ) from None
    except AddressFormatError:
        raise OperatorError(tr("an address is not of the form prenom.nom@domaine.fr")) from None


def _leave(voters: Sequence[str], done: str, reason: str, target: Target, *, as_json: bool) -> None:
    checked = operators_reason(reason)
    election = target.election
    keyed_hash = target.keyed_hash(HashKey.VOTER) if any("@" in typed for typed in voters) else None
    named: dict[str, str] = {}
    for typed in voters:
        if keyed_hash is not None and "@" in typed:
            address = _address(typed, election.domain_names)
            named[keyed_hash.voter_id(address)] = mask_address(address)
        elif _PSEUDONYM.fullmatch(typed):
            named[typed] = typed
        else:
            raise OperatorError(tr("a voter is named by an address, or by a pseudonym of 22 signs"))
    leaving = Leaving(target.operator(), election)
    act = leaving.remove if done == "removed" else leaving.restore
    told = []
    for voter_id, shown in named.items():
        try:
            outcome, why = (done if act(voter_id, checked) else "unchanged"), ""
        except OperatorError as refusal:
            outcome, why = "refused", str(refusal)
        told.append({"voter": voter_id, "outcome": outcome, "reason": why})
        if not as_json:
            say(
                tr("{voter}: {outcome}: {why}", voter=shown, outcome=state_word(outcome), why=why)
                if why
                else tr("{voter}: {outcome}", voter=shown, outcome=state_word(outcome)),
                "red" if why else None,
            )
    counts = Counter(one["outcome"] for one in told)
    if as_json:
        say_json(
            {"stack": target.name, "voters": told, **{name: counts[name] for name in (done, "unchanged", "refused")}}
        )
    exit_unless(not counts["refused"])


class _Silent(Lines):
    """Tells nothing of single faults, where a program reads one object."""

    def fault(self, fault: RowFault) -> None:
        """Pass over a fault."""


def _write_missing(path: Path, found: Sequence[MissingVoter]) -> None:
    with whole_text(path, "utf-8-sig") as text:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(_COLUMNS)
        writer.writerows(
            (one.voter_id, inert(one.establishment), one.status, "" if one.line is None else one.line) for one in found
        )


def _correct(
    roll: RollFile,
    checked: CheckedRoll,
    target: Target,
    report: Lines | Members,
    note: Callable[[RowFault], object],
    *,
    agreed: bool,
) -> Counter[RowOutcome]:
    """Show what differs, and write it if that was agreed to; return what became of the rows."""
    election, columns = target.election, roll.columns
    keys = [HashKey.VOTER, *([HashKey.PROOF] if columns & _PROOFS else [])]
    enroller = Enroller(target.keyed_hash(*keys), f"import:{target.aws.operator()}", epoch_milliseconds(utc_now()))
    run = RollUpdate(
        dynamodb=target.dynamodb,
        stack=target.stack,
        enroller=enroller,
        clock=utc_now,
        columns=columns,
    )
    differing: set[int] = set()
    counts: Counter[RowOutcome] = Counter()
    refused: dict[int, FaultCode] = {}

    def rows(lines: set[int] | None = None) -> Iterator[RollRow]:
        return (row for row in valid_rows(roll, election, checked) if lines is None or row.line in lines)

    def settle(batch: Sequence[Settled]) -> None:
        for one in batch:
            counts[one.outcome] += 1
            if one.refusal is not None:
                refused[one.line] = one.refusal

    for one in run.changed(rows()):
        if isinstance(one, ChangedRow):
            report.changed(one)
            differing.add(one.line)
        else:
            settle([one])
    counts[RowOutcome.UNCHANGED] = checked.read - len(differing) - len(refused)
    asks = isinstance(report, Lines) and may_ask()
    if differing and (
        agreed or (asks and confirmed(trn("Correct {count} voter?", "Correct {count} voters?", count=len(differing))))
    ):
        run.apply(rows(differing), settle, 1)
    else:
        counts[RowOutcome.CHANGED] = len(differing)
    for row in rows(set(refused)) if refused else ():
        fault = RowFault(row.line, REFUSED_COLUMNS.get(refused[row.line], "email"), refused[row.line])
        note(fault)
        report.rejected(fault, mask_address(row.address))
    return counts


_TOLD = (RowOutcome.UNCHANGED, RowOutcome.UPDATED, RowOutcome.CHANGED, RowOutcome.REJECTED)


def _tell_corrected(report: Lines | Members, stack: str, file: Path, read: int, counts: Counter[RowOutcome]) -> None:
    if isinstance(report, Members):
        members = report.object
        if "differences" not in members.names:
            members.append("differences")
        members.put("stack", stack)
        members.put("read", read)
        for outcome in _TOLD:
            members.put(outcome.value, counts[outcome])
        members.end()
        return
    parts = " + ".join(f"{state_word(outcome.value)} {counts[outcome]}" for outcome in _TOLD)
    say(tr("{file} → {stack}: read {read} = {parts}", file=file, stack=stack, read=read, parts=parts))
