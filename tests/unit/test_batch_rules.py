"""A batch of identifiers against an API that answers what it is told to: whom it asks for, what it
counts, how long it waits.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort.problems import Code
from reassort_ops.failures import OperatorError
from reassort_ops.roll.file import Malformed, RollLine
from reassort_ops.voter.api import HelpdeskApi, HelpdeskRefusalError, NoAnswerError, NothingToDoError
from reassort_ops.voter.batch import BatchBalance, BatchFault, ListedVoter, VoterBatch, batch_key, listed_voters

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.req("O7")

NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
GIVEN, GIVEN_BEFORE = {"before": False}, {"before": True}
NO_ANSWER = NoAnswerError("no answer")


def refusal(status: int, code: str = "", fault: str = "", retry_after: int | None = None) -> HelpdeskRefusalError:
    """Return what the API refuses with."""
    return HelpdeskRefusalError("refused", status, code, fault, retry_after)


def proposed(lasts: timedelta) -> dict[str, Any]:
    """Return the answer to an act that another person must confirm."""
    return {"proposal": {"expires_at": (NOW + lasts).isoformat()}}


class ToldApi(HelpdeskApi):
    """Gives these answers, one a call, and remembers the calls."""

    def __init__(self, *answers: Any) -> None:
        """Have neither URL nor credentials."""
        self.__dict__.update(answers=list(answers), calls=[])

    def give_in_batch(self, *call: str) -> dict[str, Any]:
        """Answer."""
        self.calls.append(call)  # type: ignore[attr-defined]
        answer: Any = self.answers.pop(0)  # type: ignore[attr-defined]
        if isinstance(answer, Exception):
            raise answer
        return dict(answer)


class BatchRun:
    """One run of a batch, of voters at lines 2, 3 and so on."""

    def __init__(self, *answers: Any, voters: list[ListedVoter] | None = None, per_minute: int = 60) -> None:
        self.api = ToldApi(*answers)
        self.waited: list[float] = []
        self.told: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.per_minute = per_minute
        self.voters = voters or [ListedVoter(2, "v1@ac-dijon.fr")]
        self.balance = BatchBalance(len(self.voters))

    def go(self) -> BatchRun:
        """Run it, without time."""
        run = VoterBatch(
            self.api, "b", "r", self.per_minute, lambda: NOW, self.told.append,
            pause=self.waited.append, clock=lambda: 100 + sum(self.waited),
        )  # fmt: skip
        yielded = len(list(run.run(self.voters, self.balance, lambda *one: self.refused.append(one))))
        assert yielded == len(self.voters)
        return self

    @property
    def counts(self) -> tuple[int, int, int, dict[str, int], int]:
        """Return the whole balance."""
        kept = self.balance
        return kept.given, kept.given_before, kept.proposed, dict(kept.refused), kept.left


def voters(count: int) -> list[ListedVoter]:
    return [ListedVoter(number + 1, f"v{number}@ac-dijon.fr") for number in range(1, count + 1)]


def test_each_voter_is_asked_for_under_the_key_of_the_batch() -> None:
    run = BatchRun(GIVEN, GIVEN_BEFORE, proposed(timedelta(seconds=1)), voters=voters(3)).go()
    assert run.counts == (1, 1, 1, {}, 0)
    assert run.api.calls == [  # type: ignore[attr-defined]
        (voter.address, "r", batch_key("b", voter.address)) for voter in voters(3)
    ]
    assert len({batch_key(name, address) for name in "ab" for address in "cd"} | {batch_key("a", "c")}) == 4


def test_a_balance_begins_with_everybody_left() -> None:
    fresh = BatchBalance(9)
    assert (fresh.given, fresh.given_before, fresh.proposed, fresh.left) == (0, 0, 0, 9)
    fresh.given, fresh.given_before, fresh.proposed = 1, 2, 1
    fresh.refused["frozen"] = 2
    assert fresh.left == 3


@pytest.mark.parametrize(
    "code",
    [
        Code.ALREADY_VOTED, Code.DELIVERY_IN_PROGRESS, Code.FROZEN, Code.NO_SUCH_VOTER, Code.OFF_ROLL,
        Code.PROPOSAL_CLOSED, Code.STALE_PAGE, Code.TOO_MANY_REISSUES,
    ],
)  # fmt: skip
def test_what_is_refused_to_one_voter_lets_the_next_one_be_asked_for_at_once(code: Code) -> None:
    run = BatchRun(refusal(409, code.value), GIVEN, voters=voters(2)).go()
    assert (run.counts, run.refused) == ((1, 0, 0, {code.value: 1}, 0), [(2, code.value)])
    assert run.waited == [0, 0]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (NothingToDoError("déjà"), "nothing-to-do"),
        (refusal(400, "invalid-request", "who/domain"), "email-domain"),
        (refusal(400, "invalid-request", "who/format"), "invalid-address"),
        (proposed(timedelta(0)), "proposal-closed"),
    ],
)
def test_a_refusal_is_counted_by_its_code_and_costs_no_turn(answer: Any, code: str) -> None:
    run = BatchRun(answer, GIVEN, voters=voters(2)).go()
    assert (run.counts, run.refused, run.waited) == ((1, 0, 0, {code: 1}, 0), [(2, code)], [0, 0])


@pytest.mark.parametrize(("answer", "turn"), [(GIVEN, 2), (proposed(timedelta(seconds=1)), 2), (GIVEN_BEFORE, 0)])
def test_only_what_sends_something_takes_its_turn(answer: Any, turn: int) -> None:
    run = BatchRun(answer, GIVEN, voters=voters(2), per_minute=30).go()
    assert run.waited == [0, turn]


def test_what_stands_in_no_line_is_refused_without_asking() -> None:
    listed = [ListedVoter(2, fault=BatchFault.NO_ROW), ListedVoter(3, "v@x.fr", BatchFault.TWICE), *voters(1)]
    run = BatchRun(GIVEN, voters=listed).go()
    assert run.counts == (1, 0, 0, {"invalid-row": 1, "duplicate": 1}, 0)
    assert run.refused == [(2, "invalid-row"), (3, "duplicate")]


@pytest.mark.parametrize(
    ("busy", "given", "why"),
    [
        (refusal(429, "too-many-lookups", retry_after=10), (0, 1), "too-many-lookups"),
        (refusal(499 + 1, "", retry_after=10), (1, 0), "500"),
        (refusal(502, "", retry_after=10), (1, 0), "502"),
        (refusal(503, "unavailable", retry_after=10), (1, 0), "unavailable"),
        (refusal(504, "", retry_after=10), (1, 0), "504"),
    ],
)
def test_what_is_busy_is_asked_again_and_may_have_done_it_already(
    busy: HelpdeskRefusalError, given: tuple[int, int], why: str
) -> None:
    run = BatchRun(busy, GIVEN_BEFORE).go()
    assert (run.balance.given, run.balance.given_before) == given
    assert (run.waited, run.told) == ([0, 10], [f"waits for 10 s ({why})"])


def test_no_answer_is_asked_for_longer_each_time_and_waits_are_told_from_ten_seconds_on() -> None:
    run = BatchRun(*[NO_ANSWER] * 5, GIVEN_BEFORE).go()
    assert run.waited == [0, 2, 4, 8, 16, 32]
    assert run.told == ["waits for 16 s (no answer)", "waits for 32 s (no answer)"]
    assert run.counts == (1, 0, 0, {}, 0)
    assert BatchRun(refusal(503, retry_after=9), GIVEN).go().told == []


def test_what_one_call_may_have_done_stays_so_however_the_next_one_is_refused() -> None:
    run = BatchRun(refusal(503), refusal(429, "too-many-lookups"), GIVEN_BEFORE).go()
    assert (run.balance.given, run.balance.given_before) == (1, 0)


def test_six_tries_are_the_most_and_an_hour_the_longest_wait() -> None:
    with pytest.raises(OperatorError, match=r"nothing more for now \(no answer\)"):
        BatchRun(*[NO_ANSWER] * 6, GIVEN).go()
    assert BatchRun(refusal(429, "limit", retry_after=3600), GIVEN).go().waited == [0, 3600]
    with pytest.raises(OperatorError, match=r"nothing more for now \(limit\)"):
        BatchRun(refusal(429, "limit", retry_after=3601), GIVEN).go()


def test_what_is_refused_to_all_ends_it_as_it_was_said() -> None:
    for status, code in ((403, "not-allowed"), (409, "window-closed"), (501, "")):
        with pytest.raises(HelpdeskRefusalError):
            BatchRun(refusal(status, code), GIVEN).go()


class LinesOfFile:
    """A list as it was read."""

    def __init__(self, *lines: RollLine) -> None:
        self.read = lines

    def lines(self) -> Iterator[RollLine]:
        """Return its lines."""
        return iter(self.read)


def line(number: int, email: str, school: str = "") -> RollLine:
    return RollLine(number, (email, "", school, "", "", ""), 6)


def listed(*lines: RollLine, school: str | None = None) -> list[ListedVoter]:
    file: Any = LinesOfFile(*lines)
    return list(listed_voters(file, school))


def test_every_line_that_is_not_blank_is_somebody_or_has_a_fault() -> None:
    found = listed(
        RollLine(2),
        RollLine(3, malformed=Malformed.QUOTES),
        line(4, "7K3M9-QWX2T"),
        line(5, "a@b"),
        line(6, " Anne.Martin@AC-Dijon.fr "),
        line(7, "anne.martin@ac-dijon.fr"),
        line(8, "luc@ac-dijon.fr"),
    )
    assert [(one.line, one.address, one.fault) for one in found] == [
        (3, "", BatchFault.NO_ROW),
        (4, "", BatchFault.NO_ADDRESS),
        (5, "", BatchFault.INVALID),
        (6, "anne.martin@ac-dijon.fr", None),
        (7, "anne.martin@ac-dijon.fr", BatchFault.TWICE),
        (8, "luc@ac-dijon.fr", None),
    ]
    assert "anne" not in repr(found[3])


def test_a_hundred_addresses_are_no_duplicates() -> None:
    found = listed(*(line(number, f"v{number}@ac-dijon.fr") for number in range(2, 102)))
    assert {one.fault for one in found} == {None}


def test_one_establishment_is_found_however_it_is_typed() -> None:
    lines = (line(2, "a@x.fr", "Lycée A"), line(3, "b@x.fr", "École  Jean Moulin"), line(4, "c@x.fr", "LYCÉE a "))
    assert [one.line for one in listed(*lines, school="lycée  A")] == [2, 4]
    assert [one.line for one in listed(*lines, school="E\u0301cole Jean MOULIN")] == [3]
    assert [one.line for one in listed(*lines)] == [2, 3, 4]
