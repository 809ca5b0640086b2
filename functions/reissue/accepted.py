"""What a voter is told of a reissue or a redelivery that was accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reassort.outbox import Channel


@dataclass(frozen=True)
class Accepted:
    """What a committed reissue is known by; `destination` is masked."""

    reference: str
    generation: int
    channel: Channel
    destination: str
