"""What `reassort check` prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reassort_ops.account.stack import Aws
from reassort_ops.cli import app
from reassort_ops.commands import check as command
from typer.testing import CliRunner, Result

from harness.elections import FOLDER, election_content, read_election, write_election
from tests.unit.ops.check.account import GIVEN, Account
from tests.unit.ops.check.answers import REGION, AnsweringAws
from tests.unit.ops.conftest import Screen

ROOT = FOLDER.parent
# Nobody listens there; it stands in for AWS, so nothing is asked of the web or the DNS.
ENDPOINT = "http://127.0.0.1:9"
ROLL = ["email;numen;establishment;secretariat", *(f"{letter}@ac-normandie.fr;x;y;" for letter in "abcd"), "", ""]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A filled-in samconfig.toml beside the templates."""
    for name in ("template.yaml", "observability.yaml"):
        (tmp_path / name).symlink_to(ROOT / name)
    values = json.dumps([f"{name}={value}" for name, value in GIVEN.items()])
    path = tmp_path / "samconfig.toml"
    path.write_text(
        f'[staging.deploy.parameters]\nstack_name = "reassort"\nregion = "{REGION}"\nparameter_overrides = {values}\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def answered(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The account, for the command's own clients."""
    aws = AnsweringAws(account.answers, ENDPOINT)
    monkeypatch.setattr(Aws, "client", lambda _self, service, region=None: aws.client(service, region))
    return account


def run(*arguments: object) -> Result:
    """Run the command with the repository's elections."""
    return CliRunner().invoke(app, ["check", *map(str, arguments), "--elections", str(FOLDER)])


def test_before_a_deploy(answered: Account, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("--before", "--config-file", config, "--config-env", "staging", "--voters", 30000)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"before reassort in {REGION} ({config}, staging)"
    assert (
        "  ✓ quota of 24 hours: 2,000,000, 1,243 of them used (expected: at least 440,192 "
        "(400,000 codes + 30,000 confirmations + 10,000 identifiers beyond the day's SMS + 192 canaries))"
    ) in lines
    _, *groups, counted = (block.splitlines() for block in result.stdout.split("\n\n"))
    assert [[line[:2] == "  " for line in group] for group in groups] == [
        [False, *(True for _ in group[1:])] for group in groups
    ]
    assert len({group[0] for group in groups}) == len(groups) > 3
    assert counted == ["28 ✓, 0 ✗, 0 –"]


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such election file in the folder of --elections"), ("id: [", "normandie-2026.yaml:1")],
)
def test_an_election_that_cannot_be_read_is_a_fault(
    answered: Account, config: Path, tmp_path: Path, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "normandie-2026.yaml").write_text(content, "utf-8")
    options = ("--before", "--config-file", str(config), "--config-env", "staging", "--elections", str(tmp_path))
    result = CliRunner().invoke(app, ["check", *options])
    (line,) = [line for line in result.stdout.splitlines() if "election file: " in line]
    assert (result.exit_code, line.startswith("  ✗ "), said in line) == (1, True, True)


def test_without_a_folder_it_is_the_one_here(answered: Account, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    options = ("--before", "--config-file", str(config), "--config-env", "staging", "--voters", "30000")
    assert CliRunner().invoke(app, ["check", *options]).exit_code == 0


@pytest.mark.parametrize(("given", "asked"), [([], REGION), (["--region", "eu-west-1"], "eu-west-1")])
def test_the_region_is_the_one_of_the_settings_unless_another_is_given(
    answered: Account, config: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], asked: str
) -> None:
    regions = list[str | None]()

    def aws(profile: str | None, region: str | None) -> Aws:
        regions.append(region)
        return Aws(profile, region)

    monkeypatch.setattr(command, "Aws", aws)
    run("--before", "--config-file", config, "--config-env", "staging", *given)
    assert regions == [asked]


def test_what_is_wrong_is_red_and_what_is_not_seen_yellow(answered: Account, config: Path, screen: Screen) -> None:
    answered.answers.change("sesv2", "GetAccount", {"ProductionAccessEnabled": False, "Details": None})
    look = ("--before", "--config-file", config, "--config-env", "staging")
    run(*look)
    answered.answers.refuse("sesv2", "GetAccount", "AccessDeniedException")
    run(*look)
    marks = {line[2]: colour for line, colour in screen.colours.items() if line.startswith("  ")}
    assert marks == {"✓": "", "✗": "red", "–": "yellow"}


def test_a_fault_ends_it_with_status_1_and_names_the_section(answered: Account, config: Path) -> None:
    answered.answers.change("sesv2", "GetAccount", {"ProductionAccessEnabled": False, "Details": None})
    result = run("--before", "--config-file", config, "--config-env", "staging", "--voters", 30000)
    assert result.exit_code == 1
    assert "  ✗ production access: sandbox (expected: granted) → docs/deploy.md#ses" in result.stdout.splitlines()
    assert result.stdout.endswith("27 ✓, 1 ✗, 0 –\n")


def test_what_cannot_be_seen_is_counted_and_is_no_failure(answered: Account, config: Path) -> None:
    answered.answers.refuse("sesv2", "GetAccount", "AccessDeniedException")
    result = run("--before", "--config-file", config, "--config-env", "staging", "--voters", 30000, "--json")
    content: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, content["counts"]) == (0, {"passed": 24, "failed": 0, "unseen": 4})
    assert {
        "group": "E-mail",
        "title": "rate",
        "state": "unseen",
        "expected": "",
        "found": "not permitted: GetAccount",
        "remedy": "docs/deploy.md#ses",
    } in content["checks"]


def test_the_roll_may_be_counted(answered: Account, config: Path, tmp_path: Path) -> None:
    roll = tmp_path / "roll.csv"
    roll.write_text("\n".join(ROLL), encoding="utf-8")
    result = run("--before", "--config-file", config, "--config-env", "staging", "--roll", roll, "--share", 50)
    # Half of four; no line needs an identifier yet, and one is blank.
    assert "400,000 codes + 2 confirmations + " in result.stdout


def test_another_name_for_the_stack_may_be_given(answered: Account, config: Path) -> None:
    result = run("--before", "--config-file", config, "--config-env", "staging", "--stack", "reassort-2027")
    assert result.stdout.startswith(f"before reassort-2027 in {REGION}")
    assert "expected: AccountResources=shared, beside reassort" in result.stdout


def test_a_deployed_stack(answered: Account) -> None:
    answered.answers.refuse("iam", "SimulatePrincipalPolicy", "AccessDenied")
    result = run("--stack", "reassort", "--json")
    content: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert content["title"] == f"stack reassort in {REGION}, account 123456789012"
    assert content["counts"]["failed"] == 0
    assert {one["found"] for one in content["checks"] if one["group"] == "Roles"} == {
        "not permitted: SimulatePrincipalPolicy"
    }
    assert {one["found"] for one in content["checks"] if one["group"] == "Site"} == {
        f"not seen here: {ENDPOINT} stands in for AWS"
    }


def test_a_deployed_stack_with_another_file_than_the_named_one(
    answered: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "deployed_election", lambda *_: read_election("normandie-2026"))
    windows = election_content("normandie-2026")["windows"]
    windows["voting"]["closes_at"] = windows["reissue"]["closes_at"] = "2026-12-12T17:00"
    folder = write_election(tmp_path, "normandie-2026", windows=windows).parent
    result = CliRunner().invoke(app, ["check", "--stack", "reassort", "--elections", str(folder)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "is not the election that stack reassort runs with" in result.stderr


def test_the_policy_is_printed_without_looking_at_anything() -> None:
    result = CliRunner().invoke(app, ["check", "--policy"])
    policy = (ROOT / "ops" / "policies" / "check.json").read_text("utf-8")
    assert (result.exit_code, result.stdout) == (0, policy)
    assert json.loads(policy)["Statement"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name a deployed stack by --stack, or look at the account by --before"),
        (["--before", "--config-file", "no-such.toml"], "no-such.toml: No such file or directory"),
        (
            ["--before", "--config-env", "no-such"],
            "no profile no-such with deploy.parameters; it has staging, production, local",
        ),
        (["--before", "--voters", "5", "--roll", "roll.csv"], "give one of them"),
    ],
)
def test_an_error_is_one_line(
    answered: Account, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(ROOT)
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert reason in result.stderr


def test_a_stack_that_is_not_there(answered: Account) -> None:
    answered.answers.refuse("cloudformation", "DescribeStacks", "ValidationError")
    result = run("--stack", "reassort")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"reassort: no stack reassort in {REGION}\n")
