"""The challenge: what ties codes to the browser that asked for them, and counts the tries."""

from datetime import datetime, timedelta

from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds, epoch_seconds, seconds_until
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.problems import Code, Problem
from reassort.sessions import Token
from reassort.table_keys import challenge_key
from reassort.tables import Action, ConditionFailedError, Item, put_if_absent, update, update_one, update_request

from login.deps import Deps

# As long as its code's delivery: until then the helpdesk can tell a caller what became of the code.
_KEPT = timedelta(days=1)
_NO_CODE = "-"
# A challenge that is not there has no time to compare, so it is not live either.
_LIVE = "valid_until > :now AND attribute_not_exists(used_at)"


def challenge_item_key(keyed_hash: KeyedHash, challenge: Token) -> Item:
    """Return the key of a challenge's item in the sign-in table."""
    secret_hash = keyed_hash.hash(Purpose.CHALLENGE, challenge.voter_id, challenge.secret)
    return {"voter_id": challenge.voter_id, "key": challenge_key(secret_hash)}


def put_challenge(
    challenge: Token, newest: Item, address: str, sealed_address: bytes, now: datetime, deps: Deps
) -> Action:
    """Return the write of a new challenge with its first code."""
    lifetime = timedelta(minutes=deps.election.limits.code.lifetime_minutes)
    item = {
        **challenge_item_key(deps.keyed_hash, challenge),
        "codes_1": newest,
        "tries": 0,
        "valid_until": epoch_milliseconds(now + lifetime),
        "expires_at": epoch_seconds(now + lifetime + _KEPT),
        "address": sealed_address,
        "masked_address": mask_address(address),
    }
    return put_if_absent("challenge", deps.sign_in_table, item, "voter_id")


def renew_challenge(challenge: Token, newest: Item, now: datetime, deps: Deps) -> Action:
    """Add a code to a live challenge; the oldest of the codes that stay valid falls out, the count
    of tries stays.
    """
    limits = deps.election.limits.code
    kept = limits.latest_valid
    shifts = [f"codes_{slot} = if_not_exists(codes_{slot - 1}, :none)" for slot in range(kept, 1, -1)]
    lifetime = timedelta(minutes=limits.lifetime_minutes)
    return update(
        "challenge",
        deps.sign_in_table,
        challenge_item_key(deps.keyed_hash, challenge),
        "SET " + ", ".join([*shifts, "codes_1 = :newest", "valid_until = :valid_until", "expires_at = :expires_at"]),
        _LIVE,
        {
            ":newest": newest,
            ":valid_until": epoch_milliseconds(now + lifetime),
            ":expires_at": epoch_seconds(now + lifetime + _KEPT),
            ":now": epoch_milliseconds(now),
            **({":none": {"code": _NO_CODE, "valid_until": 0}} if shifts else {}),
        },
    )


def count_try(key: Item, now: datetime, deps: Deps) -> Item:
    """Count a try before anything is compared, and return the challenge."""
    limits = deps.election.limits.code
    try:
        return update_one(
            deps.dynamodb,
            update_request(
                deps.sign_in_table,
                key,
                "SET tries = tries + :one",
                f"{_LIVE} AND tries < :allowed",
                {":one": 1, ":allowed": limits.tries, ":now": epoch_milliseconds(now)},
            ),
            returns="ALL_NEW",
        )
    except ConditionFailedError as refusal:
        challenge = refusal.item
        at = epoch_milliseconds(now)
        if challenge is None:
            # No code left for this browser: another one had asked a moment before.
            raise Problem(Code.NO_CHALLENGE) from refusal
        if "used_at" in challenge:
            raise Problem(Code.CODE_USED) from refusal
        if challenge["valid_until"] <= at:
            raise Problem(Code.CODE_EXPIRED) from refusal
        wait = seconds_until(challenge["valid_until"], at)
        raise Problem(Code.TOO_MANY_TRIES, retry_after=wait, attempts_left=0) from refusal


def use_up_challenge(key: Item, now: datetime, deps: Deps) -> Action:
    """Return the write that lets a challenge work once."""
    unused, values = "attribute_not_exists(used_at)", {":now": epoch_milliseconds(now)}
    return update("challenge", deps.sign_in_table, key, "SET used_at = :now", unused, values)
