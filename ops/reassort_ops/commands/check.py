"""`reassort check`: is the account ready, and is the stack as it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError
from reassort.election import Election, ElectionFileError

from reassort_ops.account.after import all as after
from reassort_ops.account.after.deployed import read_stack
from reassort_ops.account.before import all as before_all
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import MARKS, Check, State
from reassort_ops.account.demand import demand
from reassort_ops.account.deployed_election import deployed_election, raise_if_another
from reassort_ops.account.probes import Probe, run_all
from reassort_ops.account.reach import reach
from reassort_ops.account.settings_file import read_settings
from reassort_ops.account.stack import Aws
from reassort_ops.commands.options import AsJson, Profile, Region, exit_unless
from reassort_ops.election_files import DEFAULT_FOLDER, election_of
from reassort_ops.failures import OperatorError, one_line
from reassort_ops.language import tr
from reassort_ops.output import progress, say, say_json
from reassort_ops.roll.file import open_roll

_POLICY = Path(__file__).parents[2] / "policies" / "check.json"
_CONFIG = Path("samconfig.toml")
_STYLES = {State.FAILED: "red", State.UNSEEN: "yellow"}


def check(
    stack: Annotated[
        str | None,
        typer.Option(
            "--stack",
            metavar=tr("NAME"),
            help=tr("CloudFormation stack of the service; with --before, else the profile's"),
        ),
    ] = None,
    before: Annotated[bool, typer.Option("--before", help=tr("Look at the account before a deploy"))] = False,
    config_env: Annotated[
        str,
        typer.Option(
            "--config-env", metavar=tr("PROFILE"), help=tr("With --before: the profile that will be deployed")
        ),
    ] = "production",
    config_file: Annotated[
        Path,
        typer.Option(
            "--config-file", metavar=tr("FILE"), help=tr("With --before: what is deployed; the templates are beside it")
        ),
    ] = _CONFIG,
    voters: Annotated[
        int | None, typer.Option("--voters", min=1, metavar="N", help=tr("With --before: how many are on the roll"))
    ] = None,
    roll: Annotated[
        Path | None,
        typer.Option("--roll", metavar=tr("FILE"), help=tr("With --before: the roll, whose rows are counted")),
    ] = None,
    share: Annotated[
        int,
        typer.Option(
            "--share",
            min=1,
            max=100,
            metavar=tr("PERCENT"),
            help=tr("With --before: how many of them ask on one day, at most"),
        ),
    ] = 100,
    elections: Annotated[
        Path | None,
        typer.Option(
            "--elections",
            metavar=tr("DIR"),
            help=tr(
                "With --before: the folder of the election files to be built, else elections; with --stack: a folder "
                "whose file must be the deployed one"
            ),
        ),
    ] = None,
    policy: Annotated[
        bool, typer.Option("--policy", help=tr("Print the IAM policy that suffices, and look at nothing"))
    ] = False,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Look at an account before a deploy, or at a deployed stack; change nothing.

    One line a check: ✓ as expected, ✗ not, – cannot be seen, and why. What is wrong names the
    section of docs/deploy.md that fixes it. Anyone who runs it may hold the policy that --policy
    prints, or AWS's ReadOnlyAccess.

    Exit status: 0 when nothing is wrong; what cannot be seen is counted, and is no failure.
    """
    if policy:
        typer.echo(_POLICY.read_text(encoding="utf-8"), nl=False)
        return
    if before:
        settings = read_settings(config_file, config_env)
        if stack is not None:
            settings = replace(settings, stack_name=stack)
        there = reach(Aws(profile, region or settings.region_or_none()))
        election, fault = _election(settings.value("Election"), elections or DEFAULT_FOLDER)
        size = _size(roll, voters)
        plan = Plan(
            settings=settings,
            region=there.aws.client("sts").meta.region_name,
            election=election,
            election_fault=fault,
            demand=None if election is None or size is None else demand(election, size, share),
        )
        title = tr(
            "before {stack_name} in {region} ({config_file}, {config_env})",
            stack_name=settings.stack_name,
            region=plan.region,
            config_file=config_file,
            config_env=config_env,
        )
        checks = _run(before_all.probes(there, plan))
    elif stack is None:
        raise OperatorError(tr("name a deployed stack by --stack, or look at the account by --before"))
    else:
        there = reach(Aws(profile, region))
        found = read_stack(there.aws, stack)
        election = _deployed(there.aws, found.outputs)
        if election is not None and elections is not None:
            raise_if_another(stack, election, elections)
        title = tr(
            "stack {found} in {region}, account {account}", found=found.name, region=found.region, account=found.account
        )
        checks = _run(after.probes(there, found, election))
    counts = Counter(one.state for one in checks)
    if as_json:
        say_json(_as_json(title, checks, counts))
    else:
        _show(title, checks, counts)
    exit_unless(not counts[State.FAILED])


def _run(probes: Sequence[Probe]) -> list[Check]:
    with progress(tr("looking"), len(probes)) as advance:
        return run_all(probes, advance)


def _election(election_id: str, folder: Path) -> tuple[Election | None, str]:
    """Return the election, or None and why there is none."""
    if not election_id:
        return None, tr("no Election")
    try:
        return election_of(election_id, folder), ""
    except (ElectionFileError, OSError) as error:
        return None, one_line(error)


def _deployed(aws: Aws, outputs: Mapping[str, str]) -> Election | None:
    """Return the election that a stack runs with, or None when it cannot be seen."""
    try:
        return deployed_election(aws, outputs["ElectionId"], outputs.get("SharedLayerArn", ""))
    except (OperatorError, ClientError, OSError):
        return None


def _size(roll: Path | None, voters: int | None) -> int | None:
    if roll is not None and voters is not None:
        raise OperatorError(tr("--voters and --roll both say how large the roll is: give one of them"))
    if roll is None:
        return voters
    return sum(not line.is_blank for line in open_roll(roll, issuing=True).lines())


def _show(title: str, checks: list[Check], counts: Counter[State]) -> None:
    say(title)
    group = ""
    for one in checks:
        if one.subject.group != group:
            group = one.subject.group
            say("")
            say(group)
        say(f"  {MARKS[one.state]} {_line(one)}", _STYLES.get(one.state))
    say("")
    say(", ".join(f"{counts[state]} {MARKS[state]}" for state in State))


def _line(one: Check) -> str:
    expected = tr(" (expected: {expected})", expected=one.expected) if one.expected else ""
    remedy = tr(" → {remedy}", remedy=one.remedy) if one.remedy else ""
    return tr(
        "{title}: {found}{expected}{remedy}", title=one.subject.title, found=one.found, expected=expected, remedy=remedy
    )


def _as_json(title: str, checks: list[Check], counts: Counter[State]) -> dict[str, Any]:
    return {
        "title": title,
        "checks": [
            {
                "group": one.subject.group,
                "title": one.subject.title,
                "state": one.state.value,
                "expected": one.expected,
                "found": one.found,
                "remedy": one.remedy,
            }
            for one in checks
        ],
        "counts": {state.value: counts[state] for state in State},
    }
