"""Who is asking: the session, its voter and one delivery, read together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reassort.control import Control, control_from_item, control_item_key
from reassort.outbox import Delivery, delivery_from_item
from reassort.problems import Code, Problem
from reassort.sessions import Session, Token, live_session, session_item_key
from reassort.tables import read_many
from reassort.voters import Voter, voter_from_item

if TYPE_CHECKING:
    from datetime import datetime

    from reissue.deps import Deps


@dataclass(frozen=True)
class SignedIn:
    """A live session and its voter; the delivery is None when there is none of that reference.

    `control` says whether reissues may commit, where that was asked for.
    """

    session: Session
    voter: Voter
    delivery: Delivery | None
    control: Control = field(default_factory=Control)

    def own_delivery(self) -> Delivery:
        """Return the delivery. Raises `not-found` when there is none, or it is somebody else's."""
        if self.delivery is None or self.delivery.voter_id != self.voter.voter_id:
            raise Problem(Code.NOT_FOUND)
        return self.delivery


def read_signed_in(
    token: Token | None, now: datetime, deps: Deps, reference: str | None = None, *, with_control: bool = False
) -> SignedIn:
    """Read who is asking in one round trip.

    Raises:
        Problem: `signed-out` when there is no live session, or its voter has left the roll.
        ContentionError: the tables are busy.
    """
    if token is None:
        raise Problem(Code.SIGNED_OUT)
    keys = {
        deps.tables.sign_in: session_item_key(deps.keyed_hash, token),
        deps.tables.voters: {"voter_id": token.voter_id},
    }
    if reference is not None:
        keys[deps.tables.deliveries] = {"delivery_id": reference}
    if with_control:
        keys[deps.tables.control] = control_item_key(token.voter_id)
    found = read_many(deps.dynamodb, keys)
    session = live_session(found[deps.tables.sign_in], now, deps.election.limits.session)
    voter_item = found[deps.tables.voters]
    if session is None or voter_item is None:
        raise Problem(Code.SIGNED_OUT)
    item = found.get(deps.tables.deliveries)
    control = control_from_item(found.get(deps.tables.control))
    return SignedIn(session, voter_from_item(voter_item), delivery_from_item(item) if item else None, control)
