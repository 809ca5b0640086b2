"""`reassort minutes`: the page that the election bureau signs."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer
from reassort.clock import utc_now
from reassort.election_file import ElectionFile
from reassort.keyed_hash import HashKey
from reassort.voters import IdentifierStatus

from reassort_ops.commands.options import AsJson, Profile, Region, exit_unless
from reassort_ops.commands.target import Target
from reassort_ops.election_files import election_of
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.minutes.figures import PlatformReconciled, VersionsRun
from reassort_ops.output import progress, say, say_json
from reassort_ops.platform.export import StatusExport, StatusTally, differences, read_held
from reassort_ops.report.figures import as_json
from reassort_ops.whole_file import whole_file

# The checks of a file need `cryptography`, which takes a while to load.
if TYPE_CHECKING:
    from reassort.election import Election

    from reassort_ops.minutes.evidence import Evidence
    from reassort_ops.minutes.figures import Minutes

_PAGE = Path("minutes.html")


@dataclass(frozen=True)
class MinutesAsked:
    """What the options name."""

    target: Target | None
    register: Path | None
    key: Path | None
    platform: Path | None
    votes: int | None
    elections: Path | None
    segments: int


def minutes(
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack", metavar=tr("NAME"), help=tr("CloudFormation stack of the service; not needed for a FILE")
        ),
    ] = None,
    register: Annotated[
        Path | None,
        typer.Option(
            "--register", metavar=tr("FILE"), help=tr("A register that register export wrote; else the tables")
        ),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar=tr("PEM"), help=tr("The public key that the election bureau holds"))
    ] = None,
    platform: Annotated[
        Path | None,
        typer.Option(
            "--platform", metavar=tr("CSV"), help=tr("The voting platform's list, as platform compare takes it")
        ),
    ] = None,
    votes: Annotated[
        int | None,
        typer.Option("--votes", min=0, metavar="N", help=tr("Votes of the platform's own list (liste d'émargement)")),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar=tr("FILE"), help=tr("Where the page goes, else minutes.html; none with --json alone")
        ),
    ] = None,
    pdf: Annotated[Path | None, typer.Option("--pdf", metavar=tr("FILE"), help=tr("Also a PDF, on A4"))] = None,
    elections: Annotated[
        Path | None,
        typer.Option(
            "--elections",
            metavar=tr("DIR"),
            help=tr(
                "Folder of the election file: says what a FILE without --stack does not; with --stack it must be the "
                "deployed one"
            ),
        ),
    ] = None,
    segments: Annotated[int, typer.Option(min=1, max=64, help=tr("Segments of a table read at once"))] = 8,
    region: Region = None,
    profile: Profile = None,
    as_json_: AsJson = False,
) -> None:
    """Write the minutes in French, for the election bureau to sign: registered voters, stops and
    prolongations with author and reason, reissues by whom and by which way, disputes and freezes,
    reconciliation, the register's root and signature, incidents, versions. No figure is about one
    voter; one that cannot be known says so.

    With --register and --key it rests on a signed file, which is checked first, on any machine.
    With --stack the rest is read from the stack. Without --register it is a draft, of the tables.

    Exit status: 0 when the register verifies, its identifiers add up, and nothing that was compared
    differs.
    """
    if stack is None and register is None:
        raise OperatorError(tr("name a signed register with --register and --key, a --stack, or both"))
    if (register is None) != (key is None):
        raise OperatorError(tr("--register and --key go together: the key is the one that the election bureau holds"))
    if stack is None and (platform is not None or region is not None or profile is not None):
        raise OperatorError(tr("--platform, --region and --profile need a --stack"))
    target = None if stack is None else Target(stack, elections, region, profile)
    found = _minutes(MinutesAsked(target, register, key, platform, votes, elections, segments))
    page = output or (None if as_json_ else _PAGE)
    _write(found, page, pdf)
    if as_json_:
        say_json({**as_json(found), "holds": found.holds})
    else:
        _say(found, [file for file in (page, pdf) if file is not None])
    exit_unless(found.holds)


def _minutes(asked: MinutesAsked) -> Minutes:
    from reassort_ops.minutes.gathering import KnownBeside, StackSources, gather

    target, now = asked.target, utc_now()
    evidence = _evidence(asked)
    statement = evidence.statement
    election = _election(asked, evidence)
    if statement is not None:
        stack_name, election_id = statement.stack, statement.election
    else:
        assert target is not None  # noqa: S101 - one of the two was named
        stack_name, election_id = target.name, target.stack.election_id
    sources = None
    if target is not None:
        aws, segments = target.aws, asked.segments
        sources = StackSources(aws.dynamodb(segments), aws.cloudwatch(), aws.sqs(), target.stack, segments)
    with progress(tr("reading"), None) as advance:
        return gather(
            evidence,
            KnownBeside(election, _platform(asked), _versions(target, election)),
            sources,
            stack_name=stack_name,
            election_id=election_id,
            zone=ZoneInfo("UTC") if election is None else election.zone,
            now=now,
            advance=advance,
        )


def _evidence(asked: MinutesAsked) -> Evidence:
    from reassort_ops.minutes.evidence import evidence_of_file, evidence_of_stack

    target, register = asked.target, asked.register
    if register is not None and asked.key is not None:
        with progress(tr("verifying"), register.stat().st_size, counted=False) as advance:
            evidence = evidence_of_file(register, asked.key, advance)
        statement = evidence.statement
        if target is not None and statement is not None:
            signed, named = (statement.stack, statement.election), (target.name, target.stack.election_id)
            if signed != named:
                raise OperatorError(
                    tr(
                        "{register} is of stack {signed}, election {signed_election}; stack {stack} has "
                        "election {election}: no minutes are written",
                        register=register,
                        signed=signed[0],
                        signed_election=signed[1],
                        stack=named[0],
                        election=named[1],
                    )
                )
        return evidence
    assert target is not None  # noqa: S101 - a stack was named
    since = target.election.retention.deliveries_since(utc_now())
    with progress(tr("verifying"), None) as advance:
        return evidence_of_stack(target.aws.dynamodb(), target.stack, advance, reissued_since=since)


def _election(asked: MinutesAsked, evidence: Evidence) -> Election | None:
    """Return the election, where it is known."""
    if asked.target is not None:
        return asked.target.election
    if asked.elections is None or evidence.statement is None:
        return None
    return election_of(evidence.statement.election, asked.elections)


def _platform(asked: MinutesAsked) -> PlatformReconciled:
    if asked.platform is None or asked.target is None:
        return PlatformReconciled(votes=asked.votes)
    target, held = asked.target, read_held(asked.platform)
    compared = len(held)
    used = sum(status is IdentifierStatus.USED for status in held.values())
    run = StatusExport(
        target.aws.dynamodb(asked.segments), target.stack, target.keyed_hash(HashKey.HANDLE), asked.segments
    )
    with progress(tr("comparing"), None) as advance:
        differ = sum(1 for _ in differences(held, run.worths(StatusTally(), advance)))
    return PlatformReconciled(asked.votes, compared, used, differ)


def _versions(target: Target | None, election: Election | None) -> VersionsRun:
    command = version("reassort")
    if target is not None:
        found = target.deployed
        return VersionsRun(command, target.stack.shared_layer, found.layer_sha256, found.election_sha256)
    if isinstance(election, ElectionFile):
        return VersionsRun(command, election_sha256=sha256(election.for_functions().encode()).hexdigest())
    return VersionsRun(command)


def _write(found: Minutes, page: Path | None, pdf: Path | None) -> None:
    if page is not None:
        from reassort_ops.minutes.page import render_minutes

        with whole_file(page) as file:
            file.write(render_minutes(found).encode())
    if pdf is not None:
        from reassort_ops.minutes.pdf import write_minutes_pdf

        with whole_file(pdf) as file:
            write_minutes_pdf(found, file)


def _say(found: Minutes, written: list[Path]) -> None:
    for fault in found.faults:
        say(fault, "red")
    one = found.identifiers
    sign = "=" if one.balances else "≠"
    say(
        tr(
            "issued {issued} {sign} active {active} + revoked {revoked} + used {used} + frozen {frozen}",
            issued=one.issued,
            sign=sign,
            active=one.active,
            revoked=one.revoked,
            used=one.used,
            frozen=one.frozen,
        )
    )
    say(
        tr(
            "{voters} voters, {reissues} reissues, {votes} votes, {disputed} disputed",
            voters=found.voters,
            reissues=found.reissues,
            votes=found.votes,
            disputed=found.disputes.total,
        )
    )
    if found.platform.differences:
        say(tr("{differences} differences with the voting platform", differences=found.platform.differences), "red")
    if found.platform.votes not in (None, found.votes):
        say(
            tr(
                "the voting platform has {platform} votes, the register {register}",
                platform=found.platform.votes,
                register=found.votes,
            ),
            "red",
        )
    if found.seal is None:
        say(tr("a draft: without --register and --key it has no root and no signature"), "yellow")
    for file in written:
        say(tr("{file} written", file=file), "green")
