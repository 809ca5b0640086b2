"""A flood of requests for codes holds up its own networks, and nobody else."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from harness.elections import election_content, read_election
from harness.engines.ministack import MINISTACK
from harness.service.world import World

# A twentieth of the real rate, so that a twentieth of the requests is the same flood: 16 times what
# the lane takes.
CODES_PER_SECOND = 2
REQUESTS_PER_SECOND = 16 * CODES_PER_SECOND
SECONDS = 20
# At most so long does a voter of another network wait for a code.
PROMISED_SECONDS = 60


def flooded(networks: int) -> dict[str, float]:
    """Flood sign-in from so many networks; return when each of two other voters had their code, in
    seconds.

    One asks in the middle of the flood, one when it ends.
    """
    sending: dict[str, Any] = {
        **election_content("dijon-2018")["sending"],
        "codes_per_second": CODES_PER_SECOND,
    }
    with World(engine=MINISTACK, election=read_election("dijon-2018", sending=sending)) as world:
        number = count()
        asked: dict[str, float] = {}
        waited: dict[str, float] = {}

        def ask(source: str) -> str:
            email = f"voter{next(number)}@ac-dijon.fr"
            world.enrol(email, "09E9900123ABC")
            answer = world.call("POST", "/api/login", {"email": email}, headers={"X-Viewer-Address": source})
            assert answer.status == 202
            return email

        start = world.clock()
        while len(waited) < 2:
            second = (world.clock() - start).total_seconds()
            assert second < SECONDS + PROMISED_SECONDS, f"no code within {PROMISED_SECONDS} s: {waited}"
            if second < SECONDS:
                for request in range(REQUESTS_PER_SECOND):
                    ask(f"2001:db8:{request % networks:x}:1::{int(second):x}")
            if second in {SECONDS / 2, SECONDS}:
                asked[ask(f"203.0.113.{int(second)}")] = second
            world.run_outbox()
            had = {email.to for email in world.emails}
            waited |= {email: second - at for email, at in asked.items() if email in had and email not in waited}
            world.clock.move(seconds=1)
        return waited


@pytest.mark.req("S31")
@pytest.mark.parametrize("networks", [8, 32])
def test_flood_of_requests_delays_nobody_of_another_network(networks: int) -> None:
    waited = flooded(networks)
    assert len(waited) == 2
    assert max(waited.values()) <= PROMISED_SECONDS
