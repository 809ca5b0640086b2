"""How many codes one voter may ask for: a bucket that refills, kept as one instant (GCRA).

The instant is `full_at`, when the bucket will be full again. A code moves it by one refill; it may
not move further ahead of now than a whole bucket.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.keyed_hash import Purpose
from reassort.table_keys import CODE_BUCKET, codes_day_attribute
from reassort.tables import ConditionFailedError, ContentionError, update_one, update_request

from login.deps import Deps

# A day of memory for the alarm on the number of codes; the bucket itself refills within minutes.
_KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Given:
    """What a bucket gave: which code of the day, or None; then whether that is for what others
    took, or the source itself more than a moment ago, and the number of the request that the
    helpdesk lets in.
    """

    today: int | None
    through_others: bool = False
    let_in: str | None = None


def take_from_bucket(voter_id: str, source: str, now: datetime, deps: Deps) -> Given:
    """Take one code from the bucket for a source, if it may give one now.

    A full bucket, the usual case, costs one write, which counts the code as well.
    """
    limits = deps.election.limits.code
    at = epoch_milliseconds(now)
    refill = limits.refill_minutes * 60_000
    spacing = limits.resend_seconds * 1000
    ahead = (limits.bucket - 1) * refill
    hashed = deps.keyed_hash.hash(Purpose.SOURCE, source)
    values = {":at": at, ":spaced": at - spacing, ":kept": epoch_seconds(now + _KEPT), ":one": 1, ":source": hashed}
    day = codes_day_attribute(now.astimezone(deps.election.zone))
    key = {"voter_id": voter_id, "key": CODE_BUCKET}

    def take(expression: str, condition: str, more: dict[str, int]) -> Given:
        request = update_request(
            deps.sign_in_table,
            key,
            f"SET {expression}, last_at = :at, last_source = :source, expires_at = :kept ADD #day :one",
            condition,
            {**values, **more},
            {"#day": day},
        )
        return Given(update_one(deps.dynamodb, request, returns="UPDATED_NEW")[day])

    try:
        return take(
            "full_at = :refilled",
            "attribute_not_exists(full_at) OR (full_at <= :at AND last_at <= :spaced)",
            {":refilled": at + refill},
        )
    except ConditionFailedError:
        try:
            return take(
                "full_at = full_at + :refill",
                "full_at > :at AND full_at <= :latest AND last_at <= :spaced",
                {":refill": refill, ":latest": at + ahead},
            )
        except ConditionFailedError as refusal:
            if refusal.item is None:
                raise ContentionError("bucket") from refusal
            # A bucket of before an update in the middle of a vote has no such member.
            another = refusal.item.get("last_source") != hashed
            through_others = another or refusal.item["last_at"] <= at - spacing
            return Given(None, through_others, refusal.item.get("let_in"))


def take_let_in(voter_id: str, number: str, now: datetime, deps: Deps) -> bool:
    """Take the code that the helpdesk lets a request of this number have; tell whether there was
    one still.
    """
    day = codes_day_attribute(now.astimezone(deps.election.zone))
    request = update_request(
        deps.sign_in_table,
        {"voter_id": voter_id, "key": CODE_BUCKET},
        "REMOVE let_in, let_in_until ADD #day :one",
        "let_in = :number AND let_in_until > :at",
        {":number": number, ":at": epoch_milliseconds(now), ":one": 1},
        {"#day": day},
    )
    try:
        update_one(deps.dynamodb, request)
    except ConditionFailedError:
        return False
    return True


def give_back(voter_id: str, deps: Deps) -> None:
    """Put a code back that was taken from the bucket and not queued: it may be asked for again at
    once, from elsewhere.
    """
    update_one(
        deps.dynamodb,
        update_request(
            deps.sign_in_table,
            {"voter_id": voter_id, "key": CODE_BUCKET},
            "SET full_at = full_at - :refill, last_at = :never",
            "attribute_exists(full_at)",
            {":refill": deps.election.limits.code.refill_minutes * 60_000, ":never": 0},
        ),
    )
