"""Every key of every table, in one place."""

from datetime import datetime

# SignIn: one partition a voter (or a stranger's address, which looks alike).
CODE_BUCKET = "codes"


def challenge_key(token_hash: str) -> str:
    """Return the sort key of a challenge in the sign-in table."""
    return f"challenge#{token_hash}"


def session_key(token_hash: str) -> str:
    """Return the sort key of a session in the sign-in table."""
    return f"session#{token_hash}"


def phone_key(phone_hash: str) -> str:
    """Return the key of a phone number's counters in the limits table."""
    return f"phone#{phone_hash}"


def sms_day_attribute(day: datetime) -> str:
    """Return the attribute that counts a number's SMS of one day, in the election's local time."""
    return f"sms_{day:%Y%m%d}"


DUE_INDEX = "due"
# The sweeper's index is spread over this many partitions; each takes 1,000 writes a second.
DUE_SHARDS = 8


def due_shard(delivery_id: str) -> str:
    """Return the partition of the sweeper's index that holds a delivery."""
    return str(sum(delivery_id.encode()) % DUE_SHARDS)
