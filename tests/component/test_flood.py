"""A flood of requests for codes holds up its own networks, and nobody else. `make bench-flood`
plays it at the full rate.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.elections import election_content, read_election
from harness.load.flood import Flood, play

# A twentieth of the real rate, so that a twentieth of the requests is the same flood: 16 times what
# the lane takes.
CODES_PER_SECOND = 2


@pytest.mark.req("S31")
@pytest.mark.parametrize("networks", [8, 32])
def test_flood_of_requests_delays_nobody_of_another_network(networks: int) -> None:
    sending: dict[str, Any] = {
        **election_content("dijon-2018")["sending"],
        "codes_per_second": CODES_PER_SECOND,
    }
    election = read_election("dijon-2018", sending=sending)
    found = play(Flood(16 * CODES_PER_SECOND * 20, 20, networks), election)
    assert len(found.waited) == 4
    assert found.kept, found.waited
