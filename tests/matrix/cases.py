"""Trying every fault at every call of a scenario, each in the same world at the same moment."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.service.wire import Call, ProcessDiedError
from harness.service.world import Response, World
from tests.invariants import SENDING
from tests.matrix.faults import FaultKind, Strike, kinds_of
from tests.matrix.scenarios.scenario import Retrier, Scenario
from tests.matrix.stage import Checkpoint, Stage

if TYPE_CHECKING:
    pass

# How often the caller tries again; one fault strikes once, and a lease of 30 s is waited for in
# steps of 5.
_TRIES = 10
_PASSING = frozenset({"delivery-in-progress", "unavailable"})


@dataclass(frozen=True)
class Case:
    """A call of the scenario, by its place from 1, and what happens to it."""

    position: int
    call: Call
    kind: FaultKind
    refused: bool
    after_a_send: bool

    def __str__(self) -> str:
        """Return for example `call 3, dynamodb.UpdateItem DeliveriesTable: reply lost`."""
        return f"call {self.position}, {self.call}: {self.kind.name}"

    @property
    def leaves_doubt(self) -> bool:
        """Tell whether a message may have been sent without a record of it."""
        return self.after_a_send or (self.call.operation in SENDING and self.kind.has_effect and not self.refused)


@dataclass
class Result:
    """What came of a scenario: one entry of `broken` for each case that did not survive."""

    name: str
    calls: int = 0
    cases: int = 0
    repeated: int = 0
    broken: list[str] = field(default_factory=list)

    @property
    def survivors(self) -> int:
        """Return how many cases kept every invariant."""
        return self.cases - len(self.broken)


def try_all(scenario: Scenario) -> Result:
    """Run a scenario without a fault, then with each fault at each of its calls."""
    result = Result(scenario.name)
    with World(scenario.election) as world:
        stage = Stage(world)
        scenario.set_up(stage)
        saved = stage.save()
        cases = list(plan(scenario, stage, saved))
        result.calls = cases[-1].position
        for case in cases:
            result.cases += 1
            try:
                result.repeated += try_one(scenario, stage, saved, case)
            except Exception as error:  # noqa: BLE001 - each case tells for itself
                where = traceback.extract_tb(error.__traceback__)[-1]
                result.broken.append(f"{case}: {type(error).__name__}: {error} at {where.line}")
    return result


def first_answers(scenario: Scenario) -> list[tuple[str, object]]:
    """Return what the client is told at once under each fault: all of it but the secrets, of which
    the lengths are kept.
    """
    with World(scenario.election) as world:
        stage = Stage(world)
        scenario.set_up(stage)
        saved = stage.save()
        answers: list[tuple[str, object]] = []
        for case in list(plan(scenario, stage, saved)):
            stage.restore(saved)
            answers.append((str(case), _shape(strike(scenario, stage, case))))
        return answers


def plan(scenario: Scenario, stage: Stage, saved: Checkpoint) -> Iterator[Case]:
    """Run a scenario without a fault, to its end, and give each call with each fault; of a question
    to every shard in turn, the first two and the last.
    """
    stage.restore(saved)
    watch = Strike("", ProcessDiedError(), "before", times=0)
    watch.arm(stage.world)
    with stage.world.recorded() as calls:
        answer = scenario.act(stage)
    watch.disarm(stage.world)
    scenario.meanwhile(stage)
    _try_again(scenario, stage, answer)
    _finish(scenario, stage)
    for position, call in enumerate(calls, start=1):
        if _is_asked_of_every_shard(calls, position):
            continue
        # A provider that refuses in the scenario itself never got as far as an answer on the wire.
        refused = position not in watch.answered
        former = calls[position - 2] if position > 1 else None
        after_a_send = call.operation == "UpdateItem" and former is not None and former.operation in SENDING
        for kind in kinds_of(call):
            yield Case(position, call, kind, refused, after_a_send)


def _is_asked_of_every_shard(calls: list[Call], position: int) -> bool:
    """Tell whether two calls before this one and one after it ask the same."""
    like = [str(call) for call in calls[max(position - 3, 0) : position + 1]]
    return calls[position - 1].operation == "Query" and like == like[:1] * 4


def try_one(scenario: Scenario, stage: Stage, saved: Checkpoint, case: Case) -> int:
    """Try one fault at one call; return how many messages went twice.

    Raises:
        AssertionError: an invariant does not hold, or the scenario does not reach its goal.
    """
    stage.restore(saved)
    answer = strike(scenario, stage, case)
    stage.ledger.check_now()
    scenario.meanwhile(stage)
    if case.kind.patient:
        stage.settle()
    _try_again(scenario, stage, answer)
    _finish(scenario, stage, replays=case.kind.replays)
    repeated = stage.ledger.repeated()
    assert repeated <= case.leaves_doubt, f"{repeated} messages went twice"
    return repeated


def strike(scenario: Scenario, stage: Stage, case: Case) -> object:
    """Run the scenario's handler with the fault. Return its answer, or what it raised."""
    fault = Strike(case.call.operation, case.kind.error(), case.kind.when, position=case.position, refused=case.refused)
    fault.arm(stage.world)
    outcome: object
    try:
        outcome = scenario.act(stage)
    except BaseException as error:
        if not isinstance(error, (Exception, ProcessDiedError)):
            raise
        outcome = error
    fault.disarm(stage.world)
    assert fault.times == 0, "the call was not made this time"
    if isinstance(outcome, ProcessDiedError):
        stage.start_worker()
    return outcome


def _try_again(scenario: Scenario, stage: Stage, outcome: object) -> None:
    """Do what the caller of the handler does after a fault."""
    match scenario.caller:
        case Retrier.CLIENT:
            stage.answer = _ask_until_answered(scenario, stage, outcome)
        case Retrier.EVENT | Retrier.OPERATOR if isinstance(outcome, BaseException):
            stage.world.clock.move(minutes=1)
            scenario.act(stage)


def _ask_until_answered(scenario: Scenario, stage: Stage, outcome: object) -> Response:
    for _ in range(_TRIES):
        if isinstance(outcome, Response) and not _asks_to_come_back(outcome):
            return outcome
        # API Gateway says 502 when the function's process ends.
        wait = int(outcome.headers["retry-after"]) if isinstance(outcome, Response) else 1
        stage.world.clock.move(seconds=wait)
        outcome = scenario.act(stage)
    raise AssertionError("the client never gets an answer")


def _asks_to_come_back(response: Response) -> bool:
    """Tell whether a client is to repeat its request; R15: a fault is a 503 that says when."""
    assert response.status < 500 or (response.status, response.code) == (503, "unavailable")
    return response.code in _PASSING


def _shape(outcome: object) -> object:
    if not isinstance(outcome, Response):
        return type(outcome)
    cookies = {name: (len(cookie.value), cookie.attributes) for name, cookie in outcome.cookies.items()}
    return outcome.status, outcome.headers, cookies, outcome.text


def _finish(scenario: Scenario, stage: Stage, *, replays: bool = True) -> None:
    """Let all settle and check what must hold; then bring every event and request again, which
    changes nothing.
    """
    stage.settle()
    stage.ledger.check_settled()
    scenario.goal(stage)
    stage.settle()
    if not replays:
        return
    before = (stage.ledger.snapshot(), stage.ledger.sent_count())
    stage.replay_events()
    scenario.repeat(stage)
    stage.settle()
    after = (stage.ledger.snapshot(), stage.ledger.sent_count())
    assert after == before, f"a replay changed something: {_differences(before, after)}"
    stage.ledger.check_messages()


def _differences(before: tuple[dict[str, list[str]], int], after: tuple[dict[str, list[str]], int]) -> str:
    changed = [
        f"{table}: {sorted(set(before[0][table]) ^ set(after[0][table]))}"
        for table in before[0]
        if before[0][table] != after[0][table]
    ]
    return "; ".join([*changed, f"{after[1] - before[1]} messages more"])
