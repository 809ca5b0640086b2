"""How many codes one source may ask for: what somebody runs into who tries many addresses from one
place.

Every code allows a few tries, so this bounds both the messages that a source causes and its
guesses. The bound is wide: thousands of voters of one school, or of a whole academy, share one
address. It ends with its window, and says nothing of the roll.

The count is part of the transaction that queues the code, so no number of simultaneous requests
gets past it. It is spread over shards, so that voters of one school seldom meet in one item; each
shard has its share of the bound.
"""

import random
from datetime import datetime

from reassort.clock import epoch_seconds
from reassort.keyed_hash import Purpose
from reassort.problems import Code, Problem
from reassort.table_keys import source_key, source_partition
from reassort.tables import Action, update

from login.deps import Deps

SOURCE_ACTION = "source"
SHARDS = 8
_KEPT_SECONDS = 3600


def count_code(source: str, now: datetime, deps: Deps) -> Action:
    """Return the write that counts one code of a source in the current window; it is refused over
    the bound.
    """
    limits = deps.election.limits.source
    window = limits.window_minutes * 60
    number = epoch_seconds(now) // window
    shard = random.randrange(SHARDS)  # noqa: S311 - it only spreads the load
    return update(
        SOURCE_ACTION,
        deps.sign_in_table,
        {
            "voter_id": source_partition(deps.keyed_hash.hash(Purpose.SOURCE, source)),
            "key": source_key(number, shard),
        },
        "ADD codes :one SET expires_at = :expires_at",
        "attribute_not_exists(codes) OR codes < :share",
        {":one": 1, ":share": limits.codes // SHARDS, ":expires_at": (number + 1) * window + _KEPT_SECONDS},
    )


def source_problem(now: datetime, deps: Deps) -> Problem:
    """Return the refusal of a source that has asked for too many codes, with the seconds until its
    window ends.
    """
    window = deps.election.limits.source.window_minutes * 60
    return Problem(Code.SOURCE_LIMIT, retry_after=window - epoch_seconds(now) % window)
