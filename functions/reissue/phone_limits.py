"""How much one phone number may be used: by how many voters, and for how many SMS a day.

One person with a list of NUMENs has one phone; this is what that runs into.
"""

from datetime import datetime, time, timedelta

from reassort.clock import epoch_seconds
from reassort.problems import Code, Problem
from reassort.table_keys import phone_key, sms_day_attribute
from reassort.tables import Action, ConditionFailedError, update

from reissue.deps import Deps

PHONE_ACTION = "phone"
_KNOWN_VOTER = "attribute_not_exists(voters) OR contains(voters, :voter_id) OR size(voters) < :max_voters"
_SMS_LEFT = "attribute_not_exists(#day) OR #day < :max_sms"


def count_sms(phone_hash: str, voter_id: str, now: datetime, deps: Deps) -> Action:
    """Return the write that counts one SMS to a number; it is refused over the limits.

    Only SMS count: otherwise three voters who name somebody's number and choose e-mail would use it
    up.
    """
    limits = deps.election.limits.phone
    expires = now + timedelta(days=deps.election.retention.deliveries_days)
    return update(
        PHONE_ACTION,
        deps.limits_table,
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
        {"#day": sms_day_attribute(now.astimezone(deps.election.zone))},
        tells=True,
    )


def phone_problem(voter_id: str, refusal: ConditionFailedError, now: datetime, deps: Deps) -> Problem:
    """Return the refusal of an overused number, with the seconds until it takes an SMS for this
    voter again.

    The day's count ends at local midnight. The count of voters does not end before the reissues do.
    """
    local = now.astimezone(deps.election.zone)
    voters = (refusal.item or {}).get("voters", set())
    if voter_id not in voters and len(voters) >= deps.election.limits.phone.voters:
        ends_at = deps.election.windows.reissue.closes_at
    else:
        ends_at = datetime.combine(local.date() + timedelta(days=1), time(), deps.election.zone)
    return Problem(Code.PHONE_IN_USE, retry_after=max(1, int((ends_at - now).total_seconds())))
