"""Every key of every table, in one place."""

from datetime import datetime
from zlib import crc32

# Voters: the clause of a condition that a voter has not left the roll. It stands here because
# sign-in needs it, and nothing else of a voter.
ON_ROLL = "attribute_not_exists(left_at)"

# SignIn: one partition a voter (or a stranger's address, which looks alike).
CODE_BUCKET = "codes"
CHALLENGE_PREFIX = "challenge#"
SESSION_PREFIX = "session#"


def codes_day_attribute(day: datetime) -> str:
    """Return the attribute of a bucket that counts its codes of one day, in the election's local
    time.
    """
    return f"codes_{day:%Y%m%d}"


def challenge_key(token_hash: str) -> str:
    """Return the sort key of a challenge in the sign-in table."""
    return CHALLENGE_PREFIX + token_hash


def reserve_key(window: int) -> str:
    """Return the sort key of what a voter's reserve has given in one window."""
    return f"reserve#{window}"


def source_partition(source_hash: str) -> str:
    """Return the partition of a source's counters in the sign-in table."""
    return f"source#{source_hash}"


def source_key(window: int, shard: int) -> str:
    """Return the sort key of one shard of a source's counter in one window."""
    return f"codes#{window}#{shard}"


def session_key(token_hash: str) -> str:
    """Return the sort key of a session in the sign-in table."""
    return SESSION_PREFIX + token_hash


def phone_key(phone_hash: str) -> str:
    """Return the key of a phone number's counters in the limits table."""
    return f"phone#{phone_hash}"


def sms_day_attribute(day: datetime) -> str:
    """Return the attribute that counts a number's SMS of one day, in the election's local time."""
    return f"sms_{day:%Y%m%d}"


def kept_codes_attribute(day: datetime) -> str:
    """Return the attribute that counts what a network took of the codes that are kept for those who
    ask for little, of one day in the election's local time.
    """
    return f"kept_{day:%Y%m%d}"


# The counters that pace each lane of sending, in the pace table.
PACE_PREFIX = "pace#"


def pace_key(lane: str) -> str:
    """Return the key of a lane's pace in the pace table."""
    return f"{PACE_PREFIX}{lane}"


def share_key(source_hash: str) -> str:
    """Return the key of a network's share of the lane of codes, in the pace table."""
    return f"{PACE_PREFIX}source#{source_hash}"


# The operators' record of when reissues may commit, in the control table: what an operator reads,
# and what reissues are conditioned on.
CONTROL_KEY = "control"
# At 50 reissues a second some two conditions in a hundred meet another one on the same item, and
# are tried again.
CONTROL_SHARDS = 48


def control_shard_keys() -> tuple[str, ...]:
    """Return the keys of all items that reissues are conditioned on."""
    return tuple(f"{CONTROL_KEY}#{shard:02}" for shard in range(CONTROL_SHARDS))


def control_shard_key(voter_id: str) -> str:
    """Return the key of the item that a voter's reissues are conditioned on."""
    return f"{CONTROL_KEY}#{crc32(voter_id.encode()) % CONTROL_SHARDS:02}"


# How the ids of canaries begin, and those of one-time codes, which tell the table that they are in;
# a reissue's reference begins like neither.
CANARY_PREFIX = "canary-"
CODE_PREFIX = "code-"

DUE_INDEX = "due"
SMS_INDEX = "sms"
# The sweeper's index is spread over this many partitions; each takes 1,000 writes a second.
DUE_SHARDS = tuple(str(number) for number in range(8))
# Deliveries that owe nothing but their erasure lie apart, so that looking at what waits does not
# read them.
ERASE_SHARDS = tuple(f"erase-{number}" for number in range(8))


def due_shard(delivery_id: str) -> str:
    """Return the partition of the sweeper's index for a delivery that owes a message."""
    return DUE_SHARDS[sum(delivery_id.encode()) % len(DUE_SHARDS)]


def erase_shard(delivery_id: str) -> str:
    """Return the partition of the sweeper's index for a delivery that owes only its erasure."""
    return ERASE_SHARDS[sum(delivery_id.encode()) % len(ERASE_SHARDS)]
