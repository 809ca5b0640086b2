"""What a voter is told of a phone number that may be used no more."""

from datetime import datetime, time, timedelta

from reassort.phone_use import is_for_others
from reassort.phone_use import takes_sms as count_takes_sms
from reassort.problems import Code, Problem
from reassort.table_keys import phone_key
from reassort.tables import ConditionFailedError, read_one

from reissue.deps import Deps


def takes_sms(phone_hash: str, voter_id: str, now: datetime, deps: Deps) -> bool:
    """Tell whether a number takes one more SMS for this voter now.

    Raises:
        ContentionError: the table is busy.
    """
    item = read_one(deps.dynamodb, deps.limits_table, {"key": phone_key(phone_hash)})
    return count_takes_sms(item, voter_id, now, deps.election)


def phone_problem(voter_id: str, refusal: ConditionFailedError, now: datetime, deps: Deps) -> Problem:
    """Return the refusal of an overused number, with the seconds until it takes an SMS for this
    voter again.

    The day's count ends at local midnight. The count of voters does not end before the reissues do.
    """
    local = now.astimezone(deps.election.zone)
    if is_for_others(refusal.item, voter_id, deps.election):
        ends_at = deps.election.windows.reissue.closes_at
    else:
        ends_at = datetime.combine(local.date() + timedelta(days=1), time(), deps.election.zone)
    return Problem(Code.PHONE_IN_USE, retry_after=max(1, int((ends_at - now).total_seconds())))
