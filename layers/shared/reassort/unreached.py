"""Voters who were never reached: their identifier failed by every channel, and nobody has settled
it yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from reassort.outbox import Delivery, Message, Status
from reassort.voters import Voter


def never_reached(voter: Voter, deliveries: Iterable[Delivery]) -> Delivery | None:
    """Return the latest delivery of a voter that reached nobody; None when there is none, or it is
    settled: they have voted or left the roll, a later one arrived, or the helpdesk has marked it as
    settled since.
    """
    if voter.voted_at is not None or voter.left_at is not None:
        return None
    found = None
    for delivery in sorted(deliveries, key=lambda one: one.created_at):
        match delivery.status_of(Message.IDENTIFIER):
            case Status.FAILED if delivery.created_at > voter.settled_at:
                found = delivery
            case Status.DELIVERED:
                found = None
    return found
