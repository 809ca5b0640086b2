"""The session of a signed-in voter: made by `login`, read and prolonged by `reissue`.

The browser holds a cookie (`cookies.py`) of the voter's pseudonym and a secret; the table holds a
keyed hash of the secret. The pseudonym gives the item's partition, so that session, voter and
delivery are read in one round trip.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.table_keys import session_key
from reassort.tables import ConditionFailedError, Item, update_one, update_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort.election import SessionLimits

SESSION_COOKIE = "__Host-session"
# 24 random bytes carry 192 bits (ASVS 5.0 7.2.3 asks for 128).
SECRET_BYTES = 24
# A session is prolonged at most this often, so that a page that loads twice writes once.
_PROLONG_AFTER = timedelta(seconds=30)


@dataclass(frozen=True)
class Token:
    """What a cookie carries: whose partition, and the secret."""

    voter_id: str
    secret: str


def draw_token(voter_id: str) -> Token:
    """Draw a token for a voter from the system's CSPRNG."""
    return Token(voter_id, secrets.token_urlsafe(SECRET_BYTES))


@dataclass(frozen=True)
class Session:
    """A live session. `address` is sealed; `masked_address` may be shown. Times are milliseconds
    since 1970.
    """

    voter_id: str
    key: str
    address: bytes
    masked_address: str
    created_at: int
    seen_at: int

    def ends_at(self, limits: SessionLimits) -> int:
        """Return when the session ends if nothing prolongs it."""
        idle = self.seen_at + limits.idle_minutes * 60_000
        absolute = self.created_at + limits.absolute_minutes * 60_000
        return min(idle, absolute)

    def prolonged(self, now: datetime) -> Session:
        """Return the session as last seen now."""
        return Session(
            self.voter_id, self.key, self.address, self.masked_address, self.created_at, epoch_milliseconds(now)
        )


def session_item_key(keyed_hash: KeyedHash, token: Token) -> Item:
    """Return the key of a session's item in the sign-in table."""
    secret_hash = keyed_hash.hash(Purpose.SESSION, token.voter_id, token.secret)
    return {"voter_id": token.voter_id, "key": session_key(secret_hash)}


def session_item(
    keyed_hash: KeyedHash,
    token: Token,
    *,
    address: bytes,
    masked_address: str,
    now: datetime,
    limits: SessionLimits,
) -> Item:
    """Return the item of a new session."""
    return {
        **session_item_key(keyed_hash, token),
        "address": address,
        "masked_address": masked_address,
        "created_at": epoch_milliseconds(now),
        "seen_at": epoch_milliseconds(now),
        "expires_at": epoch_seconds(now + timedelta(minutes=limits.absolute_minutes)),
    }


def live_session(item: Item | None, now: datetime, limits: SessionLimits, *, signed_out_at: int = 0) -> Session | None:
    """Read a session's item; None when there is none, it was idle too long, is too old, or began
    before `signed_out_at` (milliseconds since 1970), when a freeze or a dispute ended all.

    DynamoDB removes expired items up to days late, so the times are checked here.
    """
    if item is None:
        return None
    session = Session(
        voter_id=item["voter_id"],
        key=item["key"],
        address=item["address"],
        masked_address=item["masked_address"],
        created_at=item["created_at"],
        seen_at=item["seen_at"],
    )
    lives = epoch_milliseconds(now) < session.ends_at(limits) and session.created_at >= signed_out_at
    return session if lives else None


def prolong_session(dynamodb: DynamoDBClient, table: str, session: Session, now: datetime) -> Session:
    """Record that the voter is there. A session that was signed out meanwhile is not brought
    back.
    """
    if epoch_milliseconds(now) - session.seen_at < _PROLONG_AFTER / timedelta(milliseconds=1):
        return session
    try:
        update_one(
            dynamodb,
            update_request(
                table,
                {"voter_id": session.voter_id, "key": session.key},
                "SET seen_at = :now",
                "attribute_exists(voter_id)",
                {":now": epoch_milliseconds(now)},
            ),
        )
    except ConditionFailedError:
        return session
    return session.prolonged(now)
