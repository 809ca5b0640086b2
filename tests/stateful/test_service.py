"""Any schedule of sign-ins, reissues, votes, disputes, deliveries, faults and replays keeps the
invariants.

The service runs in one process, on a clock that only the rules move. The schedules are the same at
each run, in `SHARDS` parts that two processes can share:

    STATEFUL_STEPS=100 STATEFUL_EXAMPLES=500   longer schedules, and more of them in each shard
    STATEFUL_SEARCH=1                          new ones, drawn at random
    STATEFUL_SHRINK=1                          look for the shortest that fails, for five minutes
"""

from __future__ import annotations

import logging
import os
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stateful.invariants import Invariants
from tests.stateful.machine import Machine
from tests.stateful.operators import Operators
from tests.stateful.outbox import Outbox
from tests.stateful.races import Races
from tests.stateful.receipts import PendingReceipts
from tests.stateful.voters import Voters
from tests.stateful.voting import Voting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SHARDS = 4
EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "15"))
STEPS = int(os.environ.get("STATEFUL_STEPS", "50"))
_SPARE = 4
SEARCH = bool(os.environ.get("STATEFUL_SEARCH"))
SHRINK = bool(os.environ.get("STATEFUL_SHRINK"))


class Service(Voters, Voting, Operators, Outbox, PendingReceipts, Races, Invariants):
    """All rules at once."""


@pytest.fixture
def _unlogged() -> Iterator[None]:
    """Log nothing: a hundred thousand lines take as long as the steps, and no invariant reads
    them.
    """
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.req(
    "I1", "I2", "I3", "I4", "I5", "I6", "I9", "I10", "R1", "R2", "R3", "R4", "R5", "R7", "R8", "R9", "R10", "R12", "R13"
)
@pytest.mark.usefixtures("_unlogged")
@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_schedule_keeps_the_invariants(shard: int, record_property: Callable[[str, object], None]) -> None:
    Machine.steps.clear()
    Machine.outcomes.clear()
    for turn in count():
        missing = EXAMPLES * STEPS - Machine.steps.total()
        if missing <= 0:
            break
        machine: type[Service] = type(f"Shard{shard}Turn{turn}", (Service,), {})
        run_state_machine_as_test(
            machine if SEARCH else seed(shard + SHARDS * turn)(machine),
            settings=settings(
                # Some schedules end before their last step.
                max_examples=missing // STEPS + _SPARE,
                # The opening of the election counts as a step.
                stateful_step_count=STEPS + 1,
                deadline=None,
                database=None,
                print_blob=True,
                report_multiple_bugs=False,
                phases=(Phase.generate, Phase.shrink) if SHRINK else (Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )
    record_property("steps", dict(Machine.steps))
    record_property("outcomes", dict(Machine.outcomes))
