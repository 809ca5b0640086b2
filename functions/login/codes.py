"""One-time codes: asking for one, and turning one into a session.

Asking never looks at the roll. A stranger's address takes the same path, with the same writes, as a voter's, so the
answer cannot tell them apart; `notify` drops the delivery of an address that is not on the roll.
"""

from __future__ import annotations

import random
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.keyed_hash import KeyedHash, Purpose, same
from reassort.keys import CODE_BUCKET, challenge_key, codes_day_attribute
from reassort.outbox import code_delivery_item
from reassort.problems import Code, Problem
from reassort.sessions import Token, draw_token, session_item
from reassort.tables import (
    Action,
    ConditionFailedError,
    ContentionError,
    Item,
    exists,
    put_if_absent,
    update,
    update_one,
    update_request,
    write_all,
)

from login.reserve import take_from_reserve
from login.source_limit import SOURCE_ACTION, count_code, source_problem

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.clock import Clock
    from reassort.election import CodeLimits, Election
    from reassort.sealing import Sealer

CODE_DIGITS = 6
# As long as its code's delivery: until then the helpdesk can tell a caller what became of the code.
_CHALLENGE_KEPT = timedelta(days=1)
# A day of memory for the alarm on the number of codes; the bucket itself refills within minutes.
_BUCKET_KEPT = timedelta(days=2)
_NO_CODE = "-"
_ROUNDS = 4
_LONGEST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class SignIn:
    """What the rules of sign-in need."""

    dynamodb: DynamoDBClient
    keyed_hash: KeyedHash
    sealer: Sealer
    election: Election
    clock: Clock
    sign_in_table: str
    deliveries_table: str
    voters_table: str


@dataclass(frozen=True)
class Asked:
    """The answer to a request for a code. Durations are in seconds; `today` says which of the day the bucket's code was."""

    challenge: Token
    expires_in: int
    resend_in: int
    sent: bool
    today: int | None


def ask_code(address: str, held: Token | None, source: str, deps: SignIn) -> Asked:
    """Queue a one-time code to an address, if its bucket allows one now.

    `address` is normalised; `held` is the browser's challenge, which keeps its count of failed tries when it is for the
    same address; `source` is where the request comes from.

    Raises:
        Problem: `source-limit` when too many codes were asked for from there.
        ContentionError: the tables are busy.
        botocore.exceptions.ClientError: AWS cannot be reached; nothing was queued.
    """
    limits = deps.election.limits.code
    now = deps.clock()
    voter_id = deps.keyed_hash.voter_id(address)
    bucket = _take_from_bucket(voter_id, now, deps)
    sent = bucket.today is not None or (bucket.is_empty and take_from_reserve(voter_id, source, now, deps))
    challenge = held if held is not None and held.voter_id == voter_id else draw_token(voter_id)
    if sent:
        try:
            challenge = _queue_code(address, challenge, source, now, deps, renewed=challenge is held)
        except (Problem, ContentionError):
            if bucket.today is not None:
                _give_back(voter_id, deps)
            raise
    return Asked(
        challenge=challenge,
        expires_in=limits.lifetime_minutes * 60,
        resend_in=bucket.resend_in,
        sent=sent,
        today=bucket.today,
    )


def redeem_code(code: str, held: Token | None, deps: SignIn) -> Token:
    """Turn a code into a session of its voter.

    Raises:
        Problem: `wrong-code` when there is no such challenge, it has expired or the code is another;
            `too-many-tries` when its tries are used up.
        ContentionError: the tables are busy.
    """
    if held is None:
        raise Problem(Code.WRONG_CODE)
    limits = deps.election.limits.code
    now = deps.clock()
    key = _challenge_item_key(deps.keyed_hash, held)
    challenge = _count_try(key, now, deps)
    if not _matches(code, held, challenge, now, deps.keyed_hash):
        left = limits.tries - challenge["tries"]
        raise Problem(Code.WRONG_CODE, attempts_left=left)
    session = draw_token(held.voter_id)
    try:
        write_all(deps.dynamodb, _sign_in_actions(key, challenge, session, now, deps))
    except ConditionFailedError as error:
        # Used a moment ago by another request, or the address is not on the roll.
        raise Problem(Code.WRONG_CODE) from error
    return session


@dataclass(frozen=True)
class _Bucket:
    """What a bucket gave: which code of the day, or None; the seconds until the next; whether it is empty, not only too soon."""

    today: int | None
    resend_in: int
    is_empty: bool = False


def _take_from_bucket(voter_id: str, now: datetime, deps: SignIn) -> _Bucket:
    """Take one code from the bucket, if it may give one now.

    The bucket is kept as one instant (GCRA): `full_at`, when it will be full again. A code moves it by one refill; it
    may not move further ahead of now than a whole bucket. A full bucket, the usual case, costs one write, which counts
    the code as well.
    """
    limits = deps.election.limits.code
    at = epoch_milliseconds(now)
    refill = limits.refill_minutes * 60_000
    spacing = limits.resend_seconds * 1000
    ahead = (limits.bucket - 1) * refill
    values = {":at": at, ":spaced": at - spacing, ":kept": epoch_seconds(now + _BUCKET_KEPT), ":one": 1}
    day = codes_day_attribute(now.astimezone(deps.election.zone))
    key = {"voter_id": voter_id, "key": CODE_BUCKET}

    def take(expression: str, condition: str, more: dict[str, int]) -> _Bucket:
        request = update_request(
            deps.sign_in_table,
            key,
            f"SET {expression}, last_at = :at, expires_at = :kept ADD #day :one",
            condition,
            {**values, **more},
            {"#day": day},
        )
        bucket = update_one(deps.dynamodb, request, returns="UPDATED_NEW")
        return _Bucket(bucket[day], seconds_until_next(bucket))

    def seconds_until_next(bucket: Item) -> int:
        return _seconds_until(max(bucket["full_at"] - ahead, bucket["last_at"] + spacing), at)

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
            return _Bucket(None, seconds_until_next(refusal.item), is_empty=refusal.item["last_at"] <= at - spacing)


def _give_back(voter_id: str, deps: SignIn) -> None:
    """Put a code back that was taken from the bucket and not queued: it may be asked for again at once, from elsewhere."""
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


def _seconds_until(ready: int, at: int) -> int:
    return max(1, -((at - ready) // 1000))


def _queue_code(address: str, challenge: Token, source: str, now: datetime, deps: SignIn, *, renewed: bool) -> Token:
    limits = deps.election.limits.code
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    delivery_id = secrets.token_urlsafe(16)
    lifetime = timedelta(minutes=limits.lifetime_minutes)
    sealed_address = deps.sealer.seal_address(challenge.voter_id, address)
    delivery = code_delivery_item(
        delivery_id=delivery_id,
        voter_id=challenge.voter_id,
        address=sealed_address,
        payload=deps.sealer.seal_payload(delivery_id, {"code": code}),
        now=now,
        lifetime=lifetime,
    )
    outbox = put_if_absent("delivery", deps.deliveries_table, delivery, "delivery_id")
    newest = _stored_code(code, challenge, now + lifetime, delivery_id, deps.keyed_hash)
    if renewed:
        try:
            _write_counted([_renew_challenge(challenge, newest, now, deps), outbox], source, now, deps)
        except ConditionFailedError:
            # Expired, used, or never ours: a new challenge, whose tries start anew with its own code.
            challenge = draw_token(challenge.voter_id)
            newest = _stored_code(code, challenge, now + lifetime, delivery_id, deps.keyed_hash)
        else:
            return challenge
    item = {
        **_challenge_item_key(deps.keyed_hash, challenge),
        "codes_1": newest,
        "tries": 0,
        "valid_until": epoch_milliseconds(now + lifetime),
        "expires_at": epoch_seconds(now + lifetime + _CHALLENGE_KEPT),
        "address": sealed_address,
        "masked_address": mask_address(address),
    }
    _write_counted([put_if_absent("challenge", deps.sign_in_table, item, "voter_id"), outbox], source, now, deps)
    return challenge


def _write_counted(actions: list[Action], source: str, now: datetime, deps: SignIn) -> None:
    """Write a code's items and count it for its source; two requests of one school may meet in the count, which passes."""
    for attempt in range(1, _ROUNDS + 1):
        try:
            write_all(deps.dynamodb, [*actions, count_code(source, now, deps)])
        except ConditionFailedError as refusal:
            if refusal.refused == {SOURCE_ACTION}:
                raise source_problem(now, deps) from refusal
            raise
        except ContentionError:
            if attempt == _ROUNDS:
                raise
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * attempt))  # noqa: S311 - jitter
        else:
            return


def _renew_challenge(challenge: Token, newest: dict[str, Any], now: datetime, deps: SignIn) -> Any:
    """Add a code to a live challenge; the oldest of the codes that stay valid falls out, the count of tries stays."""
    limits = deps.election.limits.code
    kept = limits.latest_valid
    shifts = [f"codes_{slot} = if_not_exists(codes_{slot - 1}, :none)" for slot in range(kept, 1, -1)]
    lifetime = timedelta(minutes=limits.lifetime_minutes)
    return update(
        "challenge",
        deps.sign_in_table,
        _challenge_item_key(deps.keyed_hash, challenge),
        "SET " + ", ".join([*shifts, "codes_1 = :newest", "valid_until = :valid_until", "expires_at = :expires_at"]),
        "attribute_exists(voter_id) AND attribute_not_exists(used_at) AND valid_until > :now",
        {
            ":newest": newest,
            ":valid_until": epoch_milliseconds(now + lifetime),
            ":expires_at": epoch_seconds(now + lifetime + _CHALLENGE_KEPT),
            ":now": epoch_milliseconds(now),
            **({":none": {"code": _NO_CODE, "valid_until": 0}} if shifts else {}),
        },
    )


def _stored_code(
    code: str, challenge: Token, valid_until: datetime, delivery_id: str, keyed_hash: KeyedHash
) -> dict[str, Any]:
    return {
        "code": _code_hash(code, challenge, keyed_hash),
        "valid_until": epoch_milliseconds(valid_until),
        "delivery": delivery_id,
    }


def _code_hash(code: str, challenge: Token, keyed_hash: KeyedHash) -> str:
    # The challenge's secret is part of it, so a code works only in the browser that asked for it.
    return keyed_hash.hash(Purpose.CODE, challenge.voter_id, challenge.secret, code)


def _challenge_item_key(keyed_hash: KeyedHash, challenge: Token) -> Item:
    secret_hash = keyed_hash.hash(Purpose.CHALLENGE, challenge.voter_id, challenge.secret)
    return {"voter_id": challenge.voter_id, "key": challenge_key(secret_hash)}


def _count_try(key: Item, now: datetime, deps: SignIn) -> Item:
    """Count a try before anything is compared, and return the challenge."""
    limits: CodeLimits = deps.election.limits.code
    live = "attribute_exists(voter_id) AND attribute_not_exists(used_at) AND valid_until > :now"
    try:
        return update_one(
            deps.dynamodb,
            update_request(
                deps.sign_in_table,
                key,
                "SET tries = tries + :one",
                f"{live} AND tries < :allowed",
                {":one": 1, ":allowed": limits.tries, ":now": epoch_milliseconds(now)},
            ),
            returns="ALL_NEW",
        )
    except ConditionFailedError as refusal:
        challenge = refusal.item
        at = epoch_milliseconds(now)
        if challenge is not None and "used_at" not in challenge and challenge["valid_until"] > at:
            wait = _seconds_until(challenge["valid_until"], at)
            raise Problem(Code.TOO_MANY_TRIES, retry_after=wait, attempts_left=0) from refusal
        raise Problem(Code.WRONG_CODE) from refusal


def _matches(code: str, held: Token, challenge: Item, now: datetime, keyed_hash: KeyedHash) -> bool:
    given = _code_hash(code, held, keyed_hash)
    at = epoch_milliseconds(now)
    stored = [challenge[name] for name in ("codes_1", "codes_2", "codes_3") if name in challenge]
    # Every code is compared, so the time does not tell which one, or that none, was near.
    outcomes = [same(given, entry["code"]) and entry["valid_until"] > at for entry in stored]
    return any(outcomes)


def _sign_in_actions(key: Item, challenge: Item, session: Token, now: datetime, deps: SignIn) -> list[Any]:
    item = session_item(
        deps.keyed_hash,
        session,
        address=challenge["address"],
        masked_address=challenge["masked_address"],
        now=now,
        limits=deps.election.limits.session,
    )
    return [
        update(
            "challenge",
            deps.sign_in_table,
            key,
            "SET used_at = :now",
            "attribute_not_exists(used_at)",
            {":now": epoch_milliseconds(now)},
        ),
        put_if_absent("session", deps.sign_in_table, item, "voter_id"),
        exists("voter", deps.voters_table, {"voter_id": session.voter_id}),
    ]
