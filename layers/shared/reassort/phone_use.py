"""How much one phone number may be used: by how many voters, and for how many SMS a day.

Somebody who tries a list of NUMENs has one phone: these limits stop them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reassort.clock import epoch_seconds
from reassort.table_keys import phone_key, sms_day_attribute
from reassort.tables import Action, update

if TYPE_CHECKING:
    from reassort.election import Election

PHONE_ACTION = "phone"
_KNOWN_VOTER = "attribute_not_exists(voters) OR contains(voters, :voter_id) OR size(voters) < :max_voters"
_SMS_LEFT = "attribute_not_exists(#day) OR #day < :max_sms"


def count_sms(table: str, phone_hash: str, voter_id: str, now: datetime, election: Election) -> Action:
    """Return the write that counts one SMS to a number; it is refused over the limits.

    Only SMS count: otherwise three voters who name somebody's number and choose e-mail would use it
    up. `table` is the one of the limits.
    """
    limits = election.limits.phone
    expires = now + timedelta(days=election.retention.deliveries_days)
    return update(
        PHONE_ACTION,
        table,
        {"key": phone_key(phone_hash)},
        "ADD voters :voter, #day :one SET expires_at = :expires_at",
        f"({_KNOWN_VOTER}) AND ({_SMS_LEFT})",
        {
            ":voter": {voter_id},
            ":voter_id": voter_id,
            ":max_voters": limits.voters,
            ":expires_at": epoch_seconds(expires),
            ":one": 1,
            ":max_sms": limits.sms_per_day,
        },
        {"#day": _day(now, election)},
        tells=True,
    )


def is_for_others(item: Mapping[str, Any] | None, voter_id: str, election: Election) -> bool:
    """Tell whether a number serves as many voters as it may, this one not among them. `item` is its
    count.
    """
    voters = (item or {}).get("voters", set())
    return voter_id not in voters and len(voters) >= election.limits.phone.voters


def takes_sms(item: Mapping[str, Any] | None, voter_id: str, now: datetime, election: Election) -> bool:
    """Tell whether `count_sms` would be accepted now. `item` is the number's count."""
    today = (item or {}).get(_day(now, election), 0)
    return not is_for_others(item, voter_id, election) and bool(today < election.limits.phone.sms_per_day)


def _day(now: datetime, election: Election) -> str:
    return sms_day_attribute(now.astimezone(election.zone))
