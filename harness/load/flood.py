"""A flood of requests for codes, from some networks and all for listed addresses, in virtual time
on the real handlers; and voters of other networks who ask meanwhile and afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from harness.engines.quick import quick_engine
from harness.service.world import World

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

# At most so long does a voter of another network wait for a code.
PROMISED_SECONDS = 60


@dataclass(frozen=True)
class Flood:
    """Requests within some seconds from some /64 networks, each of another line."""

    requests: int
    seconds: int
    networks: int


@dataclass
class Flooded:
    """What came of a flood: after how many seconds each other voter had a code, by the second in
    which they asked; codes sent and refused in all.
    """

    waited: dict[int, float | None] = field(default_factory=dict)
    sent: int = 0
    refused: int = 0

    @property
    def kept(self) -> bool:
        """Tell whether every other voter had a code in time."""
        return all(wait is not None and wait <= PROMISED_SECONDS for wait in self.waited.values())


def play(flood: Flood, election: ElectionFile) -> Flooded:
    """Play a flood, second by second. One voter asks a quarter of a minute into it, one in its
    middle, one when it ends and one a minute later.
    """
    moments = {min(15, flood.seconds // 4), flood.seconds // 2, flood.seconds, flood.seconds + 60}
    with quick_engine(), World(election=election) as world:
        number, found = count(), Flooded()
        asked: dict[str, int] = {}

        def ask(source: str) -> str:
            email = f"voter{next(number)}@ac-dijon.fr"
            world.enrol(email, "09E9900123ABC")
            answer = world.call("POST", "/api/login", {"email": email}, headers={"X-Viewer-Address": source})
            found.refused += answer.status != 202
            return email

        done = 0
        for second in range(flood.seconds + 60 + PROMISED_SECONDS + 1):
            while done < min(flood.requests, flood.requests * (second + 1) // flood.seconds):
                ask(f"2001:db8:{done % flood.networks:x}:1::{second:x}")
                done += 1
            if second in moments:
                asked[ask(f"203.0.113.{len(asked)}")] = second
                found.waited[second] = None
            world.run_outbox()
            for email in world.emails[found.sent :]:
                if email.to in asked:
                    found.waited[asked[email.to]] = second - asked[email.to]
            found.sent = len(world.emails)
            world.responses.clear()
            world.calls.clear()
            world.clock.move(seconds=1)
        return found
