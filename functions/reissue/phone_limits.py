"""How much one phone number may be used: by how many voters, and for how many SMS a day.

One person with a list of NUMENs has one phone; this is what that runs into.
"""

from datetime import datetime, time, timedelta

from reassort.clock import epoch_seconds
from reassort.problems import Code, Problem
from reassort.table_keys import phone_key, sms_day_attribute
from reassort.tables import Action, update

from reissue.deps import Deps

PHONE_ACTION = "phone"
_KNOWN_VOTER = "attribute_not_exists(voters) OR contains(voters, :voter_id) OR size(voters) < :max_voters"
_SMS_LEFT = "attribute_not_exists(#day) OR #day < :max_sms"


def count_phone_use(phone_hash: str, voter_id: str, now: datetime, deps: Deps, *, by_sms: bool) -> Action:
    """Return the write that counts one use of a number; it is refused over the limits."""
    limits = deps.election.limits.phone
    expires = now + timedelta(days=deps.election.retention.deliveries_days)
    values: dict[str, object] = {
        ":voter": {voter_id},
        ":voter_id": voter_id,
        ":max_voters": limits.voters,
        ":expires_at": epoch_seconds(expires),
    }
    if not by_sms:
        expression = "ADD voters :voter SET expires_at = :expires_at"
        return update(PHONE_ACTION, deps.limits_table, {"key": phone_key(phone_hash)}, expression, _KNOWN_VOTER, values)
    return update(
        PHONE_ACTION,
        deps.limits_table,
        {"key": phone_key(phone_hash)},
        "ADD voters :voter, #day :one SET expires_at = :expires_at",
        f"({_KNOWN_VOTER}) AND ({_SMS_LEFT})",
        {**values, ":one": 1, ":max_sms": limits.sms_per_day},
        {"#day": sms_day_attribute(now.astimezone(deps.election.zone))},
    )


def phone_problem(now: datetime, deps: Deps) -> Problem:
    """Return the refusal of an overused number; the day's count starts anew at local midnight."""
    local = now.astimezone(deps.election.zone)
    midnight = datetime.combine(local.date() + timedelta(days=1), time(), deps.election.zone)
    return Problem(Code.PHONE_IN_USE, retry_after=max(1, int((midnight - local).total_seconds())))
