"""`reassort register`: the record of every change."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from reassort.clock import utc_now

from reassort_ops.account.stack import Stack
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
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.output import progress, say, say_json
from reassort_ops.register.check import Reconciliation, verify_register
from reassort_ops.register.helpdesk_chains import heads_path, read_helpdesk_chains

# The modules of the file need `cryptography`, which takes a while to load: only the commands that
# sign or check wait for it.
if TYPE_CHECKING:
    from reassort_ops.register.export import Export
    from reassort_ops.register.file_check import FileCheck

commands = Commands(
    help=tr("Verify the register of a stack; export it for the election bureau; check what was exported."),
    epilog=tr("Example: reassort register export --stack reassort --output register.jsonl"),
)


@commands.add("export", epilog=tr("Example: reassort register export --stack reassort --output register.jsonl"))
def register_export(
    stack: StackName,
    output: Annotated[
        Path, typer.Option("--output", metavar=tr("FILE"), help=tr("The file to write; none is replaced"))
    ],
    region: Region = None,
    profile: Profile = None,
    elections: Elections = None,
    as_json: AsJson = False,
) -> None:
    """Write the register to a signed file that anybody can check offline, the public key to
    FILE.pub.pem, and the ends of the helpdesk's record, which are signed too, to
    FILE.helpdesk.jsonl.

    It may run while the service does, and signs nothing unless every chain verifies and the
    reconciliation holds. The file has pseudonyms, times and names of operators; no address, no
    NUMEN, no phone number, no identifier (docs/register.md).

    Exit status: 0 when the file is written.
    """
    from reassort_ops.register.export import KmsSigner, export_register

    target = Target(stack, elections, region, profile)
    aws, found = target.aws, target.stack
    signer = KmsSigner.of(aws.kms(), found.register_key_id)
    since = target.election.retention.deliveries_since(utc_now())
    with progress(tr("exporting"), None) as advance:
        export = export_register(
            output,
            dynamodb=aws.dynamodb(),
            stack=found,
            signer=signer,
            clock=utc_now,
            advance=advance,
            reissued_since=since,
        )
    if as_json:
        say_json({"file": str(output), "written": export.statement is not None, **_export_json(found, export)})
    else:
        _say_reconciliation(export.counted)
        if export.statement is None:
            say(tr("nothing was signed or written"), "red")
        else:
            say(tr("{output}: Merkle root {root}", output=output, root=export.statement.merkle_root))
            say(
                tr(
                    "{output}.helpdesk.jsonl: ends of {chains} chains of the helpdesk's record",
                    output=output,
                    chains=export.statement.helpdesk_chains,
                )
            )
            say(
                tr(
                    "{output}.pub.pem: public key {key}",
                    output=output,
                    key=export.statement.public_key_sha256,
                )
            )
            say(
                tr(
                    "the bureau can verify it offline, in a browser, with the page of `make verifier` "
                    "(docs/register.md)"
                )
            )
    exit_unless(export.statement is not None)


@commands.add(
    "verify",
    epilog=tr(
        "Example: reassort register verify register.jsonl --key register.pub.pem, or: reassort register verify "
        "--stack reassort"
    ),
)
def register_verify(
    file: Annotated[
        Path | None, typer.Argument(metavar=tr("FILE"), help=tr("An exported register; without it, the one of --stack"))
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar=tr("PEM"), help=tr("The public key that the election bureau holds"))
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option("--since", metavar=tr("EARLIER"), help=tr("An earlier export, which FILE must continue")),
    ] = None,
    stack: Annotated[
        str | None, typer.Option("--stack", metavar=tr("NAME"), help=tr("CloudFormation stack of the service"))
    ] = None,
    region: Region = None,
    profile: Profile = None,
    elections: Elections = None,
    as_json: AsJson = False,
) -> None:
    """Verify every chain of the register and print the reconciliation; with --stack every chain of
    the helpdesk's record too.

    With FILE: offline, with nothing but the file and the public key, which must come from the
    election bureau and not with the file. It names the first line that is not as it was signed.
    With --since: nothing of an earlier export was replaced or removed, not even by those who may
    write the tables. With --stack: the tables themselves, while the service runs: each identifier,
    proof, vote and delivery against the entry that commits to it.

    Exit status: 0 when all of it verifies and issued = active + revoked + used + frozen.
    """
    if file is not None:
        if stack is not None or region is not None or profile is not None:
            raise OperatorError(tr("a FILE is checked offline: leave out --stack, --region and --profile"))
        if key is None:
            raise OperatorError(tr("a FILE is checked with --key, the public key that the election bureau holds"))
        _verify_file(file, key, since, as_json=as_json)
        return
    if stack is None:
        raise OperatorError(tr("name a FILE and its --key, or a --stack"))
    if key is not None or since is not None:
        raise OperatorError(tr("--key and --since are for a FILE: the register of a stack is not signed"))
    target = Target(stack, elections, region, profile)
    aws, found = target.aws, target.stack
    kept_since = target.election.retention.deliveries_since(utc_now())
    with progress(tr("verifying"), None) as advance:
        result = verify_register(aws.dynamodb(), found, advance, reissued_since=kept_since)
        result.faults.extend(read_helpdesk_chains(aws.dynamodb(), found.helpdesk_record_table).faults)
    if as_json:
        say_json({"stack": found.name, "election": found.election_id, **_reconciliation_json(result)})
    else:
        _say_reconciliation(result)
    exit_unless(result.holds)


def _verify_file(file: Path, key: Path, since: Path | None, *, as_json: bool) -> None:
    from reassort_ops.register.file_check import check_register_file, first_departure, read_public_key

    public_key = read_public_key(key)
    with progress(tr("verifying"), file.stat().st_size, counted=False) as advance:
        result = check_register_file(file, public_key, advance)
    ends = heads_path(file)
    statement = result.statement
    if statement is not None and ends.exists() and sha256(ends.read_bytes()).hexdigest() != statement.helpdesk_sha256:
        result.counted.faults.append(tr("{ends} is not what was signed", ends=ends))
    if since is not None and result.holds:
        if not check_register_file(since, public_key).holds:
            raise OperatorError(tr("{since} does not verify by itself: check it without --since", since=since))
        departure = first_departure(since, file)
        if departure is not None:
            result.counted.faults.append(tr("{since}, {departure}", since=since, departure=departure))
    if as_json:
        say_json(_file_json(file, result))
    else:
        if result.broken is not None:
            say(tr("first broken: {broken}", broken=result.broken), "red")
        _say_reconciliation(result.counted)
        if statement is not None:
            about = tr(
                "{election}, stack {stack}, {started_at} to {finished_at}",
                election=statement.election,
                stack=statement.stack,
                started_at=statement.started_at,
                finished_at=statement.finished_at,
            )
            helpdesk = tr("checked") if ends.exists() else tr("not there: {ends} would tell", ends=ends.name)
            say(
                tr(
                    "{chains} chains of the helpdesk's record; their ends: {helpdesk}",
                    chains=statement.helpdesk_chains,
                    helpdesk=helpdesk,
                )
            )
            say(
                tr(
                    "register of {about}; {signed} by the key given",
                    about=about,
                    signed=tr("signed") if result.signed else tr("not signed"),
                )
            )
        say(
            tr("{file}: {verdict}", file=file, verdict=tr("verified") if result.holds else tr("NOT VERIFIED")),
            "green" if result.holds else "red",
        )
    exit_unless(result.holds)


def _say_reconciliation(result: Reconciliation) -> None:
    for fault in result.faults:
        say(fault, "red")
    removed = tr(", {removed} of them removed from the roll", removed=result.removed) if result.removed else ""
    say(
        tr(
            "{voters} voters{removed}, {entries} entries, {faults} faults",
            voters=result.voters,
            removed=removed,
            entries=result.entries,
            faults=len(result.faults),
        )
    )
    say(result.equation)


def _reconciliation_json(result: Reconciliation) -> dict[str, Any]:
    return {
        "voters": result.voters,
        "removed": result.removed,
        "entries": result.entries,
        "issued": result.issued,
        **{status.value: count for status, count in result.by_status.items()},
        "balances": result.balances,
        "faults": result.faults,
    }


def _export_json(stack: Stack, export: Export) -> dict[str, Any]:
    statement = export.statement
    return {
        "stack": stack.name,
        "election": stack.election_id,
        **_reconciliation_json(export.counted),
        "merkle_root": statement and statement.merkle_root,
        "public_key_sha256": statement and statement.public_key_sha256,
    }


def _file_json(file: Path, result: FileCheck) -> dict[str, Any]:
    statement, broken = result.statement, result.broken
    return {
        "file": str(file),
        "verified": result.holds,
        "signed": result.signed,
        "statement": statement and statement.model_dump(mode="json"),
        "first_broken": broken
        and {"line": broken.line, "voter_id": broken.voter_id, "sequence": broken.sequence, "why": broken.why},
        **_reconciliation_json(result.counted),
    }
