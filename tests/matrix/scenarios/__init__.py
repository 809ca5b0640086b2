"""What the matrix tries: each scenario is one run of one handler, and what must have come of it in
the end, whatever happened.
"""

from typing import Any

from tests.matrix.scenarios import delivering, helping, reissuing, reporting, signing_in, voting
from tests.matrix.scenarios.scenario import Scenario

# In the order of a reissue's life.
_PARTS = (signing_in, reissuing, delivering, reporting, voting, helping)


def _named(base: type[Any]) -> list[Scenario]:
    made = [base()] if "name" in vars(base) else []
    return made + [scenario for derived in base.__subclasses__() for scenario in _named(derived)]


SCENARIOS = _named(Scenario)
