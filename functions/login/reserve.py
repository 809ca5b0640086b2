"""A code for a voter whose bucket somebody else keeps empty.

Anyone who asks for every code of a voter the moment the bucket gives one would keep them out for as
long as they like. So a source that is refused for what others took may have one code in each
window at once, and so may a few other sources. The voter's own network is one of them, unless
several others were as quick.
"""

from datetime import datetime

from reassort.clock import epoch_seconds
from reassort.keyed_hash import Purpose
from reassort.table_keys import reserve_key
from reassort.tables import ConditionFailedError, update_one, update_request

from login.deps import Deps

_KEPT_SECONDS = 3600


def take_from_reserve(voter_id: str, source: str, now: datetime, deps: Deps) -> bool:
    """Take the code that a source may have although the bucket is empty; tell whether there was
    one.
    """
    window = deps.election.limits.source.window_minutes * 60
    number = epoch_seconds(now) // window
    hashed = deps.keyed_hash.hash(Purpose.SOURCE, source)
    request = update_request(
        deps.sign_in_table,
        {"voter_id": voter_id, "key": reserve_key(number)},
        "ADD sources :sources SET expires_at = :expires_at",
        "attribute_not_exists(sources) OR (NOT contains(sources, :source) AND size(sources) < :most)",
        {
            ":sources": {hashed},
            ":source": hashed,
            ":most": deps.election.limits.code.reserve,
            ":expires_at": (number + 1) * window + _KEPT_SECONDS,
        },
    )
    try:
        update_one(deps.dynamodb, request)
    except ConditionFailedError:
        return False
    return True
