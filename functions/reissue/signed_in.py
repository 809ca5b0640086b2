"""Who is asking: the session, its voter and one delivery, read together."""

from dataclasses import dataclass, field
from datetime import datetime

from reassort.outbox import Delivery, delivery_from_item
from reassort.problems import Code, Problem
from reassort.reissue_switch import ReissueSwitch, switch_from_item, switch_item_key
from reassort.sessions import Session, Token, live_session, session_item_key
from reassort.tables import read_many
from reassort.voters import Voter, voter_from_item

from reissue.deps import Deps


@dataclass(frozen=True)
class SignedIn:
    """A live session and its voter; the delivery is None when there is none of that reference.

    `switch` says whether reissues may commit, where that was asked for.
    """

    session: Session
    voter: Voter
    delivery: Delivery | None
    switch: ReissueSwitch = field(default_factory=ReissueSwitch)

    def own_delivery(self) -> Delivery:
        """Return the delivery. Raises `not-found` when there is none, or it is somebody else's."""
        if self.delivery is None or self.delivery.voter_id != self.voter.voter_id:
            raise Problem(Code.NOT_FOUND)
        return self.delivery


def read_signed_in(
    token: Token, now: datetime, deps: Deps, reference: str | None = None, *, with_switch: bool = False
) -> SignedIn:
    """Read who is asking in one round trip.

    Raises:
        Problem: `signed-out` when there is no live session, its voter has left the roll, or a
            freeze or a dispute ended it.
        ContentionError: the tables are busy.
    """
    keys = {
        deps.sign_in_table: session_item_key(deps.keyed_hash, token),
        deps.tables.voters: {"voter_id": token.voter_id},
    }
    if reference is not None:
        keys[deps.tables.deliveries] = {"delivery_id": reference}
    if with_switch:
        keys[deps.tables.control] = switch_item_key(token.voter_id)
    found = read_many(deps.dynamodb, keys)
    voter_item = found[deps.tables.voters]
    if voter_item is None:
        raise Problem(Code.SIGNED_OUT)
    voter = voter_from_item(voter_item)
    if voter.left_at is not None:
        raise Problem(Code.SIGNED_OUT)
    limits = deps.election.limits.session
    session = live_session(found[deps.sign_in_table], now, limits, signed_out_at=voter.signed_out_at)
    if session is None:
        raise Problem(Code.SIGNED_OUT)
    item = found.get(deps.tables.deliveries)
    switch = switch_from_item(found.get(deps.tables.control))
    return SignedIn(session, voter, delivery_from_item(item) if item else None, switch)
