"""`reassort voter batch`: what it reads, asks, says and writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from reassort_ops.commands import voter_batch
from reassort_ops.failures import OperatorError
from reassort_ops.roll.file import open_roll
from reassort_ops.voter.api import HelpdeskApi, read_answer
from reassort_ops.voter.batch import BatchBalance, ListedVoter, VoterBatch, batch_key, listed_voters
from typer.testing import Result

from tests.unit.ops.helpdesk_api import OPERATOR
from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.ops.test_helpdesk import chain
from tests.unit.ops.test_voter_reissue import DURING, mark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helpdesk.deps import Deps

    from tests.unit.ops.conftest import OperatedStack, Screen

pytestmark = pytest.mark.req("O7")

REASON = ("--reason", "plis perdus par le transporteur")
OTHER_SCHOOL = "École Jean Moulin"


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no time pass; return what was waited for."""
    waited = list[float]()
    made = VoterBatch

    def without_time(**parts: Any) -> VoterBatch:
        return made(**{**parts, "pause": waited.append, "clock": lambda: sum(waited)})

    monkeypatch.setattr(voter_batch, "VoterBatch", without_time)
    return waited


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path, waits: list[float]) -> Iterator[OperatedStack]:
    """A stack with two voters of a school and one of another one."""
    content = [row(1), row(2), row(3, establishment=OTHER_SCHOOL)]
    with time_machine.travel(DURING, tick=False):
        assert deployed.run("roll", "import", write_roll(tmp_path, content)).exit_code == 0
        yield deployed


def run(deployed: OperatedStack, file: Path, *options: object) -> Result:
    return deployed.run("voter", "batch", file, *REASON, *options)


def generations(deployed: OperatedStack) -> list[int]:
    return [deployed.voter(row(number).email)["generation"] for number in (1, 2, 3)]


def written(folder: Path, *lines: str) -> Path:
    path = folder / "list.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.req("S26", "I9", "I7")
def test_everybody_of_a_roll_is_given_one_on_record_and_once(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "roll.csv"
    first = run(enrolled, file, "--yes")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.splitlines()[-1] == "roll.csv: asked 3 = given 3 + given before 0 + refused 0 + left 0"
    assert generations(enrolled) == [2, 2, 2]
    last = chain(enrolled)[-1]
    assert (last["change"], last["actor"]) == ("reissued", OPERATOR)
    assert str(last["reference"]).endswith(" plis perdus par le transporteur")
    before = enrolled.everything()
    again = run(enrolled, file, "--yes")
    assert (again.exit_code, "given 0 + given before 3" in again.stdout) == (0, True)
    assert enrolled.everything() == before
    for secret in (row(1).email, row(1).numen, row(1).identifier, "nom1", "•"):
        assert secret not in first.output + again.output
    assert enrolled.run_json("register", "verify")[0] == 0


def test_one_school_of_a_roll_then_the_rest_of_it(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "roll.csv"
    one = run(enrolled, file, "--yes", "--establishment", "école  jean MOULIN")
    assert (one.exit_code, generations(enrolled)) == (0, [1, 1, 2])
    status, told = enrolled.run_json("voter", "batch", file, *REASON, "--yes")
    assert (status, told["given"], told["given_before"], generations(enrolled)) == (0, 2, 1, [2, 2, 2])
    nobody = run(enrolled, file, "--yes", "--establishment", "Lycée Inconnu")
    assert (nobody.exit_code, "names no voter of this establishment" in nobody.stderr) == (1, True)
    no_column = run(enrolled, written(tmp_path, "Courriel", row(1).email), "--establishment", OTHER_SCHOOL)
    assert (no_column.exit_code, "has no column establishment" in no_column.stderr) == (1, True)


def test_another_name_is_another_batch(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = tmp_path / "roll.csv"
    assert run(enrolled, file, "--yes").exit_code == 0
    refused = run(enrolled, file, "--yes", "--name", "second loss")
    # What has just left is not replaced.
    assert (refused.exit_code, "refused 3: delivery-in-progress" in refused.stdout) == (0, True)
    assert generations(enrolled) == [2, 2, 2]
    assert run(enrolled, file, "--yes", "--name", " ").exit_code == 1


def test_it_asks_once_and_does_nothing_before(
    enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, before = tmp_path / "roll.csv", enrolled.everything()
    assert (run(enrolled, file).exit_code, enrolled.everything()) == (1, before)
    counted = run(enrolled, file, "--dry-run", "--yes")
    assert (counted.exit_code, counted.stdout.splitlines()[-1]) == (3, "nothing was done")
    status, told = enrolled.run_json("voter", "batch", file, *REASON, "--dry-run")
    assert (status, told["begun"], told["asked"], told["left"], told["second_person"]) == (3, False, 3, 3, False)
    assert enrolled.items("HelpdeskRecordTable") == []
    questions = list[str]()
    answers = iter([False, True])

    def confirm(question: str) -> bool:
        questions.append(question)
        return next(answers)

    monkeypatch.setattr(voter_batch, "may_ask", lambda: True)
    monkeypatch.setattr(voter_batch, "confirmed", confirm)
    declined = run(enrolled, file)
    assert (declined.exit_code, enrolled.everything()) == (3, before)
    assert declined.stdout.splitlines()[-1] == "nothing was done"
    assert (run(enrolled, file).exit_code, generations(enrolled), len(questions)) == (0, [2, 2, 2], 2)


def test_a_helpdesk_of_an_earlier_version_is_asked_for_nothing(
    enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HelpdeskApi, "me", lambda _: {"acts": ["look", "reissue"], "second_person": False})
    result = run(enrolled, tmp_path / "roll.csv", "--yes")
    assert (result.exit_code, generations(enrolled)) == (1, [1, 1, 1])
    assert "deploy this version of the service first" in result.stderr


def test_what_it_would_do_is_said_word_for_word(enrolled: OperatedStack, second_person: Deps, tmp_path: Path) -> None:
    addresses = [row(number).email for number in (1, 2, 3)]
    whole = written(tmp_path, "Courriel", *addresses)
    batch = f"batch 'list.csv' on reassort: 3 voters of {whole}"
    proposed = "each is proposed to a second person, who confirms it or not; until then nothing changes for them"
    lost = "each gets the next identifier by e-mail; each former identifier stops working, for good"
    said = [batch, proposed, lost, "at 2 a minute this takes some 2 min", "nothing was done"]
    assert run(enrolled, whole, "--dry-run", "--per-minute", 2).stdout.splitlines() == said
    twice = written(tmp_path, "Courriel", *addresses, "nobody", addresses[0])
    passed_over = "2 lines name nobody, or somebody twice: they are passed over"
    said = [batch, passed_over, proposed, lost, "at 120 a minute this takes some 1 min", "nothing was done"]
    assert run(enrolled, twice, "--dry-run").stdout.splitlines() == said


def test_what_a_program_reads_is_whole(enrolled: OperatedStack, tmp_path: Path) -> None:
    told = {"batch": "roll.csv", "stack": "reassort", "second_person": False, "begun": True, "asked": 3, "given": 3}
    told |= {"given_before": 0, "proposed": 0, "refused": {}, "left": 0}
    assert enrolled.run_json("voter", "batch", tmp_path / "roll.csv", *REASON, "--yes") == (0, told)


@pytest.mark.parametrize(("name", "status"), [("n", 3), ("n" * 80, 3), ("n" * 81, 1), ("a\x00b", 1)])
def test_a_name_has_80_characters_at_most(enrolled: OperatedStack, tmp_path: Path, name: str, status: int) -> None:
    result = run(enrolled, tmp_path / "roll.csv", "--dry-run", "--name", name)
    assert (result.exit_code, "--name takes 1 to 80 characters" in result.stderr) == (status, status == 1)


def test_a_list_that_has_lost_lines_meanwhile_leaves_somebody(
    enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path, "Courriel", row(1).email, row(2).email)
    monkeypatch.setattr(voter_batch, "may_ask", lambda: True)
    monkeypatch.setattr(voter_batch, "confirmed", lambda _: bool(written(tmp_path, "Courriel", row(1).email)))
    result = run(enrolled, file)
    assert (result.exit_code, "given 1 + given before 0 + refused 0 + left 1" in result.stdout) == (1, True)


def test_who_is_left_is_not_green(enrolled: OperatedStack, tmp_path: Path, screen: Screen) -> None:
    with time_machine.travel("2018-12-06T16:00Z", tick=False):
        run(enrolled, tmp_path / "roll.csv", "--yes")
    assert screen.colour("left 3") == ""
    run(enrolled, tmp_path / "roll.csv", "--yes")
    assert screen.colour("left 0") == "green"


@pytest.mark.parametrize("reason", ["Mme Martin", "0612345678", ""])
def test_a_reason_names_nobody(enrolled: OperatedStack, tmp_path: Path, reason: str) -> None:
    refused = enrolled.run("voter", "batch", tmp_path / "roll.csv", "--yes", "--reason", reason)
    assert (refused.exit_code, generations(enrolled)) == (1, [1, 1, 1])


@pytest.mark.req("I7")
def test_refusals_are_counted_and_written_by_line(enrolled: OperatedStack, tmp_path: Path) -> None:
    mark(enrolled, "voted_at")
    frozen = enrolled.run("voter", "freeze", row(2).email, "--reason", "boîte piratée")
    assert frozen.exit_code == 0
    lines = ("Courriel;Service", f"{row(1).email};x", f"{row(2).email};x", f"{row(3).email};x", "", "7K3M9-QWX2T;x")
    more = (f"<{row(3).email.upper()}>;x", "a@b;x", "nobody@ac-dijon.fr;x", "a.b@gmail.com;x", '"open;x')
    file, errors = written(tmp_path, *lines, *more), tmp_path / "refused.csv"
    result = run(enrolled, file, "--yes", "--errors", errors)
    assert result.exit_code == 0
    assert "asked 9 = given 1 + given before 0 + refused 8 + left 0" in result.stdout
    wanted = (
        "2;already-voted", "3;frozen", "6;address-needed", "7;duplicate", "8;invalid-address", "9;no-such-voter",
        "10;email-domain", "11;invalid-row",
    )  # fmt: skip
    assert errors.read_text("utf-8-sig").splitlines() == ["line;code", *wanted]
    assert errors.stat().st_mode & 0o777 == 0o600
    assert "  refused 1: frozen" in result.stdout
    assert "@" not in result.stdout
    assert generations(enrolled) == [1, 1, 2]
    assert run(enrolled, file, "--yes", "--errors", errors).exit_code == 1
    assert run(enrolled, file, "--yes", "--errors", errors, "--force").exit_code == 0


def test_the_pace_is_kept_and_who_was_given_before_costs_none(
    enrolled: OperatedStack, tmp_path: Path, waits: list[float]
) -> None:
    run(enrolled, tmp_path / "roll.csv", "--yes", "--per-minute", "30")
    assert waits == [0, 2, 2]
    waits.clear()
    run(enrolled, tmp_path / "roll.csv", "--yes", "--per-minute", "30")
    assert waits == [0, 0, 0]


def test_ctrl_c_tells_the_balance_and_how_to_go_on(
    enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = HelpdeskApi.give_in_batch
    calls = iter((False, True))

    def stop_behind_the_second(self: HelpdeskApi, *arguments: str) -> dict[str, Any]:
        answer = give(self, *arguments)
        if next(calls):
            raise KeyboardInterrupt
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(HelpdeskApi, "give_in_batch", stop_behind_the_second)
        stopped = run(enrolled, tmp_path / "roll.csv", "--yes", "--errors", tmp_path / "e.csv")
    assert (stopped.exit_code, stopped.stderr) == (130, "reassort: interrupted\n")
    assert "given 1 + given before 0 + refused 0 + left 2" in stopped.stdout
    assert "run the same command again to go on: nobody gets a second identifier" in stopped.stdout
    assert (tmp_path / "e.csv").exists()
    rest = run(enrolled, tmp_path / "roll.csv", "--yes")
    assert (rest.exit_code, "given 1 + given before 2" in rest.stdout) == (0, True)
    assert generations(enrolled) == [2, 2, 2]


def test_what_is_refused_to_all_stops_it(enrolled: OperatedStack, tmp_path: Path) -> None:
    with time_machine.travel("2018-12-06T16:00Z", tick=False):
        result = run(enrolled, tmp_path / "roll.csv", "--yes")
    assert (result.exit_code, "(window-closed)" in result.stderr, "left 3" in result.stdout) == (1, True, True)


@pytest.mark.req("S34")
def test_a_second_person_is_asked_for_each(enrolled: OperatedStack, second_person: Deps, tmp_path: Path) -> None:
    assert second_person.election.helpdesk.second_person == "reissue"
    result = run(enrolled, tmp_path / "roll.csv", "--yes")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-2:] == [
        "roll.csv: asked 3 = given 0 + given before 0 + proposed 3 + refused 0 + left 0",
        "somebody else confirms or refuses each of them: reassort voter proposals, or « À confirmer »",
    ]
    assert (generations(enrolled), len(enrolled.run_json("voter", "proposals")[1]["proposals"])) == ([1, 1, 1], 3)


class TestWaiting:
    """What is busy is waited for, as it says."""

    def give(self, *answers: tuple[int, str, str]) -> tuple[list[float], list[str], BatchBalance]:
        """Give one voter an identifier by an API that answers so: status, code, Retry-After."""
        coming, waited, told = iter(answers), list[float](), list[str]()

        class AnsweringApi(HelpdeskApi):
            def __init__(self) -> None:
                """Have neither URL nor credentials."""

            def give_in_batch(self, *_: str) -> dict[str, Any]:
                status, code, retry_after = next(coming)
                body = '{"before": true}' if status == 200 else f'{{"code": "{code}"}}'
                return read_answer(status, body.encode(), retry_after)

        balance = BatchBalance(1)
        run = VoterBatch(
            AnsweringApi(), "b", "r", 60, lambda: DURING, told.append, pause=waited.append, clock=lambda: 0.0
        )
        list(run.run([ListedVoter(2, row(1).email)], balance, lambda *_: None))
        return waited, told, balance

    def test_as_long_as_the_answer_says(self) -> None:
        waited, told, balance = self.give((429, "too-many-lookups", "1800"), (503, "unavailable", "2"), (200, "", ""))
        assert waited == [0, 1800, 2]
        assert told == ["waits for 1800 s (too-many-lookups)"]
        # The one that was unavailable may have done it.
        assert (balance.given, balance.given_before) == (1, 0)

    def test_longer_each_time_when_it_does_not_say(self) -> None:
        waited, _, balance = self.give((429, "unavailable", ""), (429, "unavailable", ""), (200, "", ""))
        assert (waited, balance.given_before) == ([0, 2, 4], 1)

    def test_not_for_ever(self) -> None:
        for answers in ([(503, "unavailable", "1")] * 6, [(429, "too-many-lookups", "4000")]):
            with pytest.raises(OperatorError, match="gives nothing more for now"):
                self.give(*answers)

    def test_no_permission_ends_it_at_once(self) -> None:
        with pytest.raises(OperatorError, match="not-allowed"):
            self.give((403, "not-allowed", ""))


def test_a_key_is_of_the_batch_and_the_voter_and_tells_neither(tmp_path: Path) -> None:
    keys = {batch_key(name, row(number).email) for name in ("a", "b") for number in (1, 2)}
    assert {len(keys), *map(len, keys)} == {4, 64}
    (listed, _) = listed_voters(open_roll(write_roll(tmp_path, rows(2)), partial=True))
    assert (listed.address, "nom1" in repr(listed)) == (row(1).email, False)
