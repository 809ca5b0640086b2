"""Asking for a one-time code.

Asking never looks at the roll. A stranger's address takes the same path, with the same writes, as a
voter's, so the answer cannot distinguish them; `notify` drops the delivery of an address that is
not on the roll.
"""

import random
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reassort.keyed_hash import Purpose, same
from reassort.outbox import code_delivery_item
from reassort.problems import Problem
from reassort.sessions import Token, draw_token
from reassort.table_keys import CODE_PREFIX
from reassort.tables import Action, ConditionFailedError, ContentionError, put_if_absent, write_all

from login.bucket import give_back, take_from_bucket, take_let_in
from login.challenge import put_challenge, renew_challenge
from login.codes import draw_code, stored_code
from login.deps import Deps
from login.reserve import take_from_reserve
from login.source_limit import SOURCE_ACTION, count_code, source_problem

_ROUNDS = 4
_LONGEST_PAUSE_SECONDS = 0.05


@dataclass(frozen=True)
class Asked:
    """The answer to a request for a code. Durations are in seconds; `today` says which of the day
    the bucket's code was.
    """

    challenge: Token
    expires_in: int
    resend_in: int
    sent: bool
    today: int | None


def ask_code(address: str, held: Sequence[Token], source: str, deps: Deps, *, number: str | None = None) -> Asked:
    """Queue a one-time code to an address, if its bucket allows one now.

    `address` is normalised; `held` are the browser's challenges, of which the one for the same
    address goes on, with its codes and its count of failed tries; `source` is where the request
    comes from; by `number` the helpdesk lets the page in.

    Raises:
        Problem: `source-limit` when too many codes were asked for from there.
        ContentionError: the tables are busy.
        botocore.exceptions.ClientError: AWS cannot be reached; nothing was queued.
    """
    now = deps.clock()
    voter_id = deps.keyed_hash.voter_id(address)
    bucket = take_from_bucket(voter_id, source, now, deps)
    sent = bucket.today is not None
    if (
        bucket.let_in is not None
        and number is not None
        and same(number, bucket.let_in)
        and take_let_in(voter_id, number, now, deps)
    ):
        # Whatever the caller's network has asked for does not count against them.
        sent, source = True, f"let in {voter_id}"
    sent = sent or (bucket.through_others and take_from_reserve(voter_id, source, now, deps))
    own = next((token for token in held if token.voter_id == voter_id), None)
    challenge = own or draw_token(voter_id)
    if sent:
        try:
            challenge = _queue_code(address, challenge, source, now, deps, renewed=challenge is own)
        except (Problem, ContentionError):
            if bucket.today is not None:
                give_back(voter_id, deps)
            raise
    limits = deps.election.limits.code
    # Alike for everybody: the true wait would tell who besieges a mailbox when to ask again.
    return Asked(challenge, limits.lifetime_minutes * 60, limits.resend_seconds, sent, bucket.today)


def _queue_code(address: str, challenge: Token, source: str, now: datetime, deps: Deps, *, renewed: bool) -> Token:
    code, delivery_id = draw_code(), CODE_PREFIX + secrets.token_urlsafe(16)
    lifetime = timedelta(minutes=deps.election.limits.code.lifetime_minutes)
    sealed_address = deps.sealer.seal_address(challenge.voter_id, address)
    delivery = code_delivery_item(
        delivery_id=delivery_id,
        voter_id=challenge.voter_id,
        address=sealed_address,
        payload=deps.sealer.seal_payload(delivery_id, {"code": code}),
        source=deps.keyed_hash.hash(Purpose.SOURCE, source),
        now=now,
        lifetime=lifetime,
    )
    outbox = put_if_absent("delivery", deps.code_deliveries_table, delivery, "delivery_id")
    newest = stored_code(code, challenge, now + lifetime, delivery_id, deps.keyed_hash)
    if renewed:
        try:
            _write_counted([renew_challenge(challenge, newest, now, deps), outbox], source, now, deps)
        except ConditionFailedError:
            # Expired, used, or never ours: a new challenge, whose tries start again with its own
            # code.
            challenge = draw_token(challenge.voter_id)
            newest = stored_code(code, challenge, now + lifetime, delivery_id, deps.keyed_hash)
        else:
            return challenge
    new = put_challenge(challenge, newest, address, sealed_address, now, deps)
    _write_counted([new, outbox], source, now, deps)
    return challenge


def _write_counted(actions: list[Action], source: str, now: datetime, deps: Deps) -> None:
    """Write a code's items and count it for its source; two requests of one school may meet in the
    count, which passes.
    """
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
