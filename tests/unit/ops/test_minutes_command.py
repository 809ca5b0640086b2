"""`reassort minutes`: a signed file on any machine, the stack for the rest, and what does not
verify.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from reassort.clock import iso
from reassort.register import Change
from reassort_ops.account.stack import Aws
from reassort_ops.cli import app
from reassort_ops.commands import minutes as command
from reassort_ops.commands.minutes import MinutesAsked
from reassort_ops.commands.target import Target
from reassort_ops.minutes.figures import PlatformReconciled
from typer.testing import CliRunner

from harness.elections import FOLDER, read_election
from tests.minutes_history import AlarmsOfCloudWatch
from tests.unit.ops import registers
from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.test_minutes_parts import FULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort_ops.minutes.figures import Minutes
    from reassort_ops.output import Advance
    from typer.testing import Result

    from tests.unit.ops.conftest import OperatedStack, Screen

DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
VOTERS = 4
OF_A_STACK = ("--platform", "--region", "--profile")


@pytest.fixture
def lived(deployed: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatedStack]:
    """A stack with voters, one of whom was given another identifier."""
    monkeypatch.setattr(Aws, "cloudwatch", lambda _: AlarmsOfCloudWatch())
    with time_machine.travel(DURING, tick=False):
        assert deployed.run("roll", "import", write_roll(tmp_path, rows(VOTERS))).exit_code == 0
        assert deployed.run("voter", "reissue", row(1).email, "--reason", "vérifié au guichet").exit_code == 0
        yield deployed


@pytest.fixture
def signed(lived: OperatedStack, tmp_path: Path) -> tuple[str, str]:
    """The register of the stack, and the bureau's key."""
    file = tmp_path / "register.jsonl"
    assert lived.run("register", "export", "--output", file).exit_code == 0
    return str(file), f"{file}.pub.pem"


def offline(*arguments: str) -> Result:
    """Run the command on a machine that has files alone."""
    return CliRunner().invoke(app, ["minutes", *arguments])


@pytest.mark.req("O9")
def test_page_pdf_and_json_of_a_signed_register_and_its_stack(
    lived: OperatedStack, signed: tuple[str, str], tmp_path: Path
) -> None:
    file, key = signed
    page, pdf = tmp_path / "minutes.html", tmp_path / "minutes.pdf"
    status, told = lived.run_json(
        "minutes", "--register", file, "--key", key, "--output", page, "--pdf", pdf, "--votes", "0", "--segments", "1"
    )
    assert (status, told["holds"], told["checked"], told["voters"]) == (0, True, "signed-file", VOTERS)
    assert told["by_hand"] == {"voter": 0, "agent": 0, "operator": 1, "two_people": 0}
    assert (told["by_way"]["email"], told["sent"]["waiting"]) == (1, 1)
    assert told["incidents"]["dead_letters"] == 0
    assert told["platform"] == {"votes": 0, "compared": None, "used": None, "differences": None}
    deployed = read_election("dijon-2018").for_functions().encode()
    assert told["versions"]["election_sha256"] == sha256(deployed).hexdigest()
    layer = told["versions"]["layer_sha256"]
    assert len(b64decode(layer)) == sha256().digest_size
    seal = told["seal"]
    with open(file, "rb") as register:  # noqa: PTH123 - a string
        content = register.read()
    assert seal["file_sha256"] == sha256(content).hexdigest()
    assert seal["helpdesk_checked"] is True
    shown = page.read_text("utf-8")
    for evidence in ("merkle_root", "signature", "public_key_sha256", "file_sha256"):
        assert seal[evidence] in shown
    for name in ("Observations du bureau", "Nom et prénom", "Président ou présidente"):
        assert name in shown
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) >= 3
    assert (page.stat().st_mode & 0o777, pdf.stat().st_mode & 0o777) == (0o600, 0o600)


@pytest.mark.req("O9")
def test_a_signed_file_is_enough_and_the_rest_is_unknown(signed: tuple[str, str], tmp_path: Path) -> None:
    file, key = signed
    page = tmp_path / "minutes.html"
    result = offline("--register", file, "--key", key, "--output", str(page), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["voters"], told["reissues"]) == (0, VOTERS, 1)
    assert told["by_way"]["sms"] is None
    assert told["incidents"] == {"undelivered": None, "dead_letters": None, "alarms": None, "alarms_since": None}
    assert (told["head"]["name"], told["versions"]["election_sha256"]) == (None, None)
    shown = page.read_text("utf-8")
    assert '<th scope="row">Envois abandonnés, à cette heure</th><td>inconnu</td>' in shown
    # The election file says what the election is called, and on whose clocks it runs.
    named = json.loads(offline("--register", file, "--key", key, "--elections", str(FOLDER), "--json").stdout)
    assert (named["head"]["name"], named["head"]["zone"]) == ("Élections professionnelles 2018", "Europe/Paris")
    assert named["versions"]["election_sha256"]


@pytest.mark.req("O9", "S33")
def test_a_file_that_was_changed_gives_no_minutes(signed: tuple[str, str], tmp_path: Path) -> None:
    file, key = signed
    altered = tmp_path / "altered.jsonl"
    with open(file, "rb") as register:  # noqa: PTH123 - a string
        altered.write_bytes(register.read().replace(b"guichet", b"comptoi"))
    page = tmp_path / "minutes.html"
    result = offline("--register", str(altered), "--key", key, "--output", str(page))
    assert (result.exit_code, page.exists()) == (1, False)
    assert "does not verify, so no minutes are written" in result.stderr
    # Nor do ends of the helpdesk's record that are not those that were signed.
    with open(f"{file}.helpdesk.jsonl", "ab") as ends:  # noqa: PTH123 - a string
        ends.write(b"{}\n")
    assert offline("--register", file, "--key", key, "--output", str(page)).exit_code == 1
    assert not page.exists()


@pytest.mark.req("O9")
def test_a_file_of_another_stack_is_refused(lived: OperatedStack, tmp_path: Path) -> None:
    elsewhere = registers.HEADER.model_copy(update={"stack": "elsewhere", "election": "another"})
    file, key = tmp_path / "another.jsonl", tmp_path / "another.pem"
    entries = list(registers.chain(registers.pseudonym(1), [Change.ISSUED]))
    file.write_bytes(registers.register_file(entries, header=elsewhere))
    key.write_bytes(registers.SIGNER.pem)
    assert offline("--register", str(file), "--key", str(key), "--json").exit_code == 0
    result = lived.run("minutes", "--register", file, "--key", key, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"reassort: {file} is of stack elsewhere, election another; stack reassort has election dijon-2018: no "
        "minutes are written\n"
    )


@pytest.mark.req("O9")
def test_without_a_signed_file_it_is_a_draft(lived: OperatedStack, tmp_path: Path) -> None:
    page = tmp_path / "minutes.html"
    result = lived.run("minutes", "--output", page, "--segments", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "issued 5 = active 4 + revoked 1 + used 0 + frozen 0",
        "4 voters, 1 reissues, 0 votes, 0 disputed",
        "a draft: without --register and --key it has no root and no signature",
        f"{page} written",
    ]
    shown = page.read_text("utf-8")
    assert "Ce document est un projet." in shown
    assert "non signé" in shown


@pytest.mark.req("O9", "S33")
def test_what_does_not_verify_or_agree_is_said_and_is_no_success(lived: OperatedStack, tmp_path: Path) -> None:
    page = tmp_path / "minutes.html"
    assert lived.run("minutes", "--output", page, "--votes", "1", "--segments", "1").exit_code == 1
    assert "La plateforme compte 1 vote, le registre 0 vote." in page.read_text("utf-8").replace("\u00a0", " ")
    voter_id = lived.keyed_hash.voter_id(row(2).email)
    lived.dynamodb.update_item(
        TableName=lived.stack.voters_table,
        Key={"voter_id": {"S": voter_id}},
        UpdateExpression="SET numen_hash = :another",
        ExpressionAttributeValues={":another": {"S": "another"}},
    )
    result = lived.run("minutes", "--output", page, "--segments", "1")
    assert (result.exit_code, "the NUMEN was changed without an entry" in result.stdout) == (1, True)
    shown = page.read_text("utf-8")
    assert "Le registre ne se vérifie pas" in shown
    # Whose it is stands in the command's own output alone.
    assert voter_id not in shown


@pytest.mark.req("O9")
def test_the_platforms_list_is_compared(lived: OperatedStack, tmp_path: Path) -> None:
    statuses = tmp_path / "statuses.csv"
    assert lived.run("platform", "export", "--output", statuses).exit_code == 0
    _, told = lived.run_json("minutes", "--platform", statuses, "--segments", "1")
    assert told["platform"] == {"votes": None, "compared": 5, "used": 0, "differences": 0}
    statuses.write_text(statuses.read_text("utf-8").replace(";active;", ";used;", 1), "utf-8")
    status, told = lived.run_json("minutes", "--platform", statuses, "--segments", "1")
    assert (status, told["platform"]["used"], told["platform"]["differences"]) == (1, 1, 1)


@pytest.mark.req("O9")
@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name a signed register"),
        (["--register", "register.jsonl"], "--register and --key go together"),
        (["--key", "key.pem", "--stack", "x"], "--register and --key go together"),
        *((["--register", "a", "--key", "b", option, "c"], "need a --stack") for option in OF_A_STACK),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], reason: str) -> None:
    result = offline(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert reason in result.stderr


def test_times_are_those_of_the_election(lived: OperatedStack) -> None:
    told: dict[str, Any] = lived.run_json("minutes", "--segments", "1")[1]
    assert told["at"] == "2018-11-30T10:15:00+01:00"
    assert iso(datetime.fromisoformat(told["head"]["ballot_closes_at"])) == "2018-12-06T16:00:00Z"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[MinutesAsked]:
    """Let minutes be those of `FULL`, written to a folder; return what was asked for."""
    found: list[MinutesAsked] = []

    def minutes(asked: MinutesAsked) -> Minutes:
        found.append(asked)
        return FULL

    monkeypatch.setattr(command, "_minutes", minutes)
    monkeypatch.setattr("reassort_ops.minutes.pdf.write_minutes_pdf", lambda _, file: file.write(b"%PDF-"))
    monkeypatch.chdir(tmp_path)
    return found


def test_every_option_is_heeded_and_a_table_is_read_in_eight_parts_unless_asked(asked: list[MinutesAsked]) -> None:
    signed = ("--register", "r", "--key", "k")
    more = ("--platform", "p", "--votes", "3", "--elections", "e", "--segments", "2", "--region", "x", "--profile", "y")
    for options in (("--stack", "s"), signed, (*signed, "--stack", "s", *more)):
        assert offline(*options, "--json").exit_code == 0
    r, k, p, e = map(Path, "rkpe")
    assert asked == [
        MinutesAsked(Target("s", None, None, None), None, None, None, None, None, 8),
        MinutesAsked(None, r, k, None, None, None, 8),
        MinutesAsked(Target("s", e, "x", "y"), r, k, p, 3, e, 2),
    ]


def test_the_page_goes_to_minutes_html_unless_json_is_all_that_is_asked_for(
    asked: list[MinutesAsked], tmp_path: Path
) -> None:
    assert offline("--stack", "s", "--json").exit_code == 0
    assert list(tmp_path.iterdir()) == []
    assert offline("--stack", "s", "--json", "--pdf", "one.pdf").exit_code == 0
    assert [file.name for file in tmp_path.iterdir()] == ["one.pdf"]
    assert offline("--stack", "s").stdout.splitlines()[-1] == "minutes.html written"
    named = offline("--stack", "s", "--output", "two.html", "--pdf", "two.pdf").stdout.splitlines()
    assert named[-2:] == ["two.html written", "two.pdf written"]
    assert {file.name for file in tmp_path.iterdir()} == {"one.pdf", "minutes.html", "two.html", "two.pdf"}
    assert len(asked) == 4


SUMMED_UP = ["issued 28 = active 29 + revoked 30 + used 31 + frozen 32", "1 voters, 2 reissues, 33 votes, 17 disputed"]


@pytest.mark.parametrize(
    ("changes", "lines", "colours"),
    [
        ({}, SUMMED_UP, []),
        (
            {"faults": ("one is wrong", "two is too"), "identifiers": replace(FULL.identifiers, balances=False)},
            ["one is wrong", "two is too", SUMMED_UP[0].replace("=", "≠"), SUMMED_UP[1]],
            ["red", "red"],
        ),
        ({"platform": PlatformReconciled()}, SUMMED_UP, []),
        (
            {"platform": PlatformReconciled(votes=34, differences=2), "seal": None},
            [
                *SUMMED_UP,
                "2 differences with the voting platform",
                "the voting platform has 34 votes, the register 33",
                "a draft: without --register and --key it has no root and no signature",
            ],
            ["red", "red", "yellow"],
        ),
    ],
)
def test_what_is_printed_of_minutes_and_what_somebody_has_to_act_on(
    screen: Screen, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], lines: list[str], colours: list[str]
) -> None:
    command._say(replace(FULL, **changes), [Path("a.html"), Path("a.pdf")])
    assert capsys.readouterr().out.splitlines() == [*lines, "a.html written", "a.pdf written"]
    assert [colour for colour in screen.colours.values() if colour] == [*colours, "green", "green"]


def test_a_signed_file_is_read_by_the_byte(signed: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[tuple[int | None, bool]] = []

    @contextmanager
    def progress(_: str, total: int | None, *, counted: bool = True) -> Iterator[Advance]:
        bars.append((total, counted))
        yield lambda _: None

    monkeypatch.setattr(command, "progress", progress)
    assert offline("--register", signed[0], "--key", signed[1], "--json").exit_code == 0
    assert bars == [(Path(signed[0]).stat().st_size, False), (None, True)]
