"""Nothing of an answer, its time included, tells who is on the roll. `make bench-oracle` measures
it with 2,000 pairs.
"""

import pytest

from harness.stack.deployed import Deployment
from harness.stack.timing import auc, compare

PAIRS = 100
# Five standard errors of the AUC of so few pairs: a difference that shows without a measurement
# shows here.
FAR = 0.21


@pytest.mark.req("S1", "S2", "I8")
def test_answers_to_known_and_unknown_addresses_do_not_differ(deployment: Deployment) -> None:
    for name, compared in compare(deployment, PAIRS).items():
        assert len(compared.shapes) == 1, f"{name}: {compared.shapes}"
        allowed = FAR * (PAIRS / len(compared.first)) ** 0.5
        assert abs(compared.auc - 0.5) <= allowed, f"{name}: AUC {compared.auc:.3f}"


@pytest.mark.req("S2")
def test_difference_of_a_few_per_cent_is_found() -> None:
    assert auc([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]) == 0.5
    assert auc([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert auc([3.0, 4.0], [1.0, 2.0]) == 0.0
    quick = [number / 1000 for number in range(1000)]
    assert auc(quick, [value + 0.06 for value in quick]) > 0.55
