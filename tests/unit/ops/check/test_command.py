"""What `reassort check` prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from reassort_ops.account.stack import Aws
from reassort_ops.cli import app
from typer.testing import CliRunner, Result

from harness.elections import FOLDER
from tests.unit.ops.check.account import GIVEN, Account
from tests.unit.ops.check.answers import REGION, AnsweringAws

ROOT = FOLDER.parent
# Nobody listens there; it stands in for AWS, so nothing is asked of the web or the DNS.
ENDPOINT = "http://127.0.0.1:9"
ROLL = ["email;numen;establishment;secretariat;identifier", "a@ac-normandie.fr;x;y;;z", "", "b@ac-normandie.fr;x;y;;z"]


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


def test_before_a_deploy(answered: Account, config: Path) -> None:
    result = run("--before", "--config-file", config, "--config-env", "staging", "--voters", 30000)
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0] == f"before reassort in {REGION} ({config}, staging)"
    assert (
        "  ✓ quota of 24 hours: 2,000,000, 1,243 of them used (expected: at least 440,192 "
        "(400,000 codes + 30,000 confirmations + 10,000 identifiers beyond the day's SMS + 192 canaries))"
    ) in lines
    assert lines[-1] == "28 ✓, 0 ✗, 0 –"


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
    # Half of two.
    assert "at least 400,193 (400,000 codes + 1 confirmations + 192 canaries)" in result.stdout


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


def test_the_policy_is_printed_without_looking_at_anything() -> None:
    result = CliRunner().invoke(app, ["check", "--policy"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads((ROOT / "ops" / "policies" / "check.json").read_text("utf-8"))


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
