"""All that is kept about one voter, read together: roll, register, every delivery, sign-ins while
they are remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.outbox import Delivery, delivery_from_item
from reassort.problems import Code, Problem
from reassort.register import Change, Entry, read_chain
from reassort.reissue_switch import ReissueSwitch, switch_from_item
from reassort.sessions import live_session
from reassort.table_keys import CHALLENGE_PREFIX, CODE_BUCKET, CONTROL_KEY, SESSION_PREFIX, codes_day_attribute
from reassort.tables import Item, read_items, read_one, read_partition
from reassort.voters import Voter, voter_from_item

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.deps import Deps

# Who keeps asking for codes in a voter's name makes hundreds a day; an agent needs the last ones.
_LATEST_CHALLENGES = 20
_CODES = ("codes_3", "codes_2", "codes_1")


@dataclass(frozen=True)
class AskedCode:
    """A one-time code that was asked for; `delivery` is None once it is past its retention. Times
    are milliseconds since 1970.
    """

    at: int
    delivery: Delivery | None


@dataclass(frozen=True)
class SignIn:
    """One sign-in of one browser: its codes, oldest first, how many wrong ones were typed, when the
    right one was.
    """

    codes: tuple[AskedCode, ...]
    wrong_codes: int
    used_at: int | None
    valid_until: int


@dataclass(frozen=True)
class VoterRecord:
    """What is known of a voter, and what the operators' record says of reissues. `deliveries` are
    those of the reissues that are kept still, oldest first.

    `session_ends_at` is when the last live session ends if nobody uses it, None when there is none;
    `session_starts` are when sessions began that are remembered. Times are milliseconds since 1970.
    """

    voter: Voter
    switch: ReissueSwitch
    chain: tuple[Entry, ...]
    deliveries: tuple[Delivery, ...]
    sign_ins: tuple[SignIn, ...]
    session_starts: tuple[int, ...]
    session_ends_at: int | None
    codes_today: int

    @property
    def last_delivery(self) -> Delivery | None:
        """Return the delivery of the current identifier; None when it is the first one, or past its
        retention.
        """
        last = self.voter.last_reference
        return next((delivery for delivery in self.deliveries if delivery.delivery_id == last), None)


def read_voter(voter_id: str, deps: Deps) -> Voter:
    """Read one voter of the roll.

    Raises:
        Problem: `no-such-voter`.
        ContentionError: DynamoDB throttles.
    """
    voter = find_voter(voter_id, deps)
    if voter is None:
        raise Problem(Code.NO_SUCH_VOTER)
    return voter


def find_voter(voter_id: str, deps: Deps) -> Voter | None:
    """Read one voter, None when there is no such voter."""
    item = read_one(deps.dynamodb, deps.tables.voters, {"voter_id": voter_id}) if voter_id else None
    return None if item is None else voter_from_item(item)


def read_switch(deps: Deps) -> ReissueSwitch:
    """Read what the operators' record says of reissues, strongly consistent."""
    return switch_from_item(read_one(deps.dynamodb, deps.tables.control, {"key": CONTROL_KEY}))


def read_record(voter_id: str, now: datetime, deps: Deps) -> VoterRecord:
    """Read what is known of a voter.

    Raises:
        Problem: `no-such-voter`.
        ContentionError: the tables are busy.
        botocore.exceptions.ClientError: AWS refuses.
    """
    election = deps.election
    voter = read_voter(voter_id, deps)
    chain = tuple(read_chain(deps.dynamodb, deps.tables.register, voter_id))
    kept = read_partition(deps.dynamodb, deps.sign_in_table, {"voter_id": voter_id})
    challenges = sorted(
        (item for item in kept if item["key"].startswith(CHALLENGE_PREFIX)), key=lambda item: int(item["valid_until"])
    )[-_LATEST_CHALLENGES:]
    sessions = [item for item in kept if item["key"].startswith(SESSION_PREFIX)]
    reissues = [entry.first_word for entry in chain if entry.change is Change.REISSUED]
    references = list(dict.fromkeys([*reissues, *filter(None, [voter.last_reference])]))
    codes = [code["delivery"] for item in challenges for code in _codes_of(item) if "delivery" in code]
    found = _deliveries([*references, *codes], deps)
    lifetime = timedelta(minutes=election.limits.code.lifetime_minutes)
    limits, ended_at = election.limits.session, voter.signed_out_at
    live = [live_session(item, now, limits, signed_out_at=ended_at) for item in sessions]
    today = codes_day_attribute(now.astimezone(election.zone))
    return VoterRecord(
        voter=voter,
        switch=read_switch(deps),
        chain=chain,
        deliveries=tuple(found[reference] for reference in references if reference in found),
        sign_ins=tuple(_sign_in(item, found, lifetime) for item in challenges),
        session_starts=tuple(sorted(item["created_at"] for item in sessions)),
        session_ends_at=max((one.ends_at(election.limits.session) for one in live if one is not None), default=None),
        codes_today=sum(item.get(today, 0) for item in kept if item["key"] == CODE_BUCKET),
    )


def _codes_of(challenge: Item) -> list[dict[str, Any]]:
    """Return the codes of a challenge, oldest first; a place that was never filled has no end."""
    return [challenge[name] for name in _CODES if name in challenge and challenge[name]["valid_until"]]


def _sign_in(challenge: Item, found: dict[str, Delivery], lifetime: timedelta) -> SignIn:
    used_at = challenge.get("used_at")
    minutes = lifetime // timedelta(milliseconds=1)
    return SignIn(
        codes=tuple(
            AskedCode(code["valid_until"] - minutes, found.get(code.get("delivery", "")))
            for code in _codes_of(challenge)
        ),
        # The right one is counted like every other.
        wrong_codes=challenge["tries"] - (1 if used_at is not None else 0),
        used_at=used_at,
        valid_until=challenge["valid_until"],
    )


def _deliveries(delivery_ids: Sequence[str], deps: Deps) -> dict[str, Delivery]:
    wanted: dict[str, list[Item]] = {}
    for delivery_id in dict.fromkeys(delivery_ids):
        wanted.setdefault(deps.outbox.of(delivery_id), []).append({"delivery_id": delivery_id})
    return {
        item["delivery_id"]: delivery_from_item(item)
        for table, keys in wanted.items()
        for item in read_items(deps.dynamodb, table, keys)
    }
