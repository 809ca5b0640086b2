"""Whatever happens to whichever AWS call of whichever handler: I1 to I10 hold, and what was asked
for comes about.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest

from tests.matrix.cases import first_answers, try_all
from tests.matrix.scenarios import SCENARIOS
from tests.matrix.scenarios.scenario import Scenario
from tests.matrix.scenarios.signing_in import AskCode, AskCodeOfAStranger
from tests.matrix.table import PROPERTY

# R3 is a matter of races, not of faults.
SHOWN = [f"I{number}" for number in range(1, 11)] + [f"R{number}" for number in range(1, 16) if number != 3]


@pytest.mark.req("S23", *SHOWN)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_every_fault_at_every_call(scenario: Scenario, record_property: Callable[[str, object], None]) -> None:
    result = try_all(scenario)
    record_property(PROPERTY, asdict(result))
    assert not result.broken, "\n" + "\n".join(result.broken)


@pytest.mark.req("I8", "S1", "S25")
def test_no_fault_tells_a_known_address_from_an_unknown_one() -> None:
    assert first_answers(AskCode()) == first_answers(AskCodeOfAStranger())
