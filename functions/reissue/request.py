"""A voter asks for the next identifier: one transaction, idempotent under the request's key."""

import random
import time
import uuid
from datetime import datetime

from reassort.election import Election
from reassort.keyed_hash import Purpose, same
from reassort.outbox import Channel, Delivery
from reassort.phone_use import PHONE_ACTION, count_sms
from reassort.phones import mask_phone
from reassort.problems import REISSUED_MEANWHILE, Code, Problem
from reassort.references import derive_reference
from reassort.register import VOTER_ACTOR
from reassort.reissue_limits import raise_unless_open, wait_for_reissue
from reassort.reissue_switch import SWITCH, ReissueSwitch
from reassort.reissue_transaction import PREVIOUS, reissue_actions
from reassort.sessions import Token
from reassort.tables import ConditionFailedError, ContentionError, write_all
from reassort.voters import Voter

from reissue.deps import Deps
from reissue.form import Accepted, Form, request_hash
from reissue.numen_check import are_proofs_right, raise_if_locked, record_numen_failure
from reissue.phone_limits import phone_problem
from reissue.signed_in import SignedIn, read_signed_in

# A voter competes with nobody but their own second click, so a handful of rounds is plenty.
_ROUNDS = 8
_LONGEST_PAUSE_SECONDS = 0.05


def request_reissue(token: Token, idempotency_key: str, form: Form, deps: Deps) -> Accepted:
    """Issue the next identifier to the signed-in voter, once for each idempotency key.

    Raises:
        Problem: any refusal of the contract; nothing has changed then, except the count of wrong
            proofs.
        botocore.exceptions.ClientError: AWS cannot be reached. Whether it committed is unknown; the
            same request with the same key finds out.
    """
    reference = derive_reference(deps.keyed_hash, token.voter_id, idempotency_key)
    for attempt in range(_ROUNDS):
        now = deps.clock()
        try:
            signed_in = read_signed_in(token, now, deps, reference, with_switch=True)
            if signed_in.delivery is not None:
                return _repeated(signed_in.delivery, signed_in.voter, form, deps)
            voter = signed_in.voter
            if attempt == 0 and voter.last_reference == reference:
                # This very request committed between the reads of one batch, which is no snapshot.
                continue
            raise_if_stale(form.revision, voter, deps)
            raise_if_not_reissuable(voter, now, deps.election, signed_in.switch)
            raise_if_locked(voter, now, deps.election)
            if not are_proofs_right(form, voter, deps):
                raise record_numen_failure(voter, now, deps)
            return _issue(signed_in, reference, form, now, deps)
        except ConditionFailedError as refusal:
            if refusal.refused & {"voter", SWITCH}:
                # Changed or stopped since it was read: the next round reads and says so.
                continue
            if PHONE_ACTION in refusal.refused:
                raise phone_problem(token.voter_id, refusal, now, deps) from refusal
            if PREVIOUS in refusal.refused:
                raise Problem(Code.DELIVERY_IN_PROGRESS, retry_after=5) from refusal
        except ContentionError:
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * (attempt + 1)))  # noqa: S311 - jitter
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def raise_if_stale(revision: str, voter: Voter, deps: Deps) -> None:
    """Refuse what was agreed to on a page of another voter, or of this one before their last
    reissue.

    Raises:
        Problem: `stale-page`.
    """
    if same(revision, deps.keyed_hash.revision(voter.voter_id, voter.generation)):
        return
    former = [deps.keyed_hash.revision(voter.voter_id, number) for number in range(1, voter.generation)]
    if any(same(revision, shown) for shown in former):
        raise Problem(Code.STALE_PAGE, wording=REISSUED_MEANWHILE, same_voter=True)
    raise Problem(Code.STALE_PAGE, same_voter=False)


def raise_if_not_reissuable(voter: Voter, now: datetime, election: Election, switch: ReissueSwitch) -> None:
    """Refuse a reissue outside the window, while reissues are stopped, after the vote, while
    frozen, or over the voter's limits.

    Raises:
        Problem: `window-closed`, `reissues-stopped`, `already-voted`, `frozen` or
            `too-many-reissues`.
    """
    raise_unless_open(voter, switch, now, election)
    if voter.frozen_at is not None:
        raise Problem(Code.FROZEN)
    wait = wait_for_reissue(voter, now, election)
    if wait is not None:
        raise Problem(Code.TOO_MANY_REISSUES, retry_after=wait)


def _repeated(delivery: Delivery, voter: Voter, form: Form, deps: Deps) -> Accepted:
    if delivery.voter_id != voter.voter_id or not same(delivery.request_hash, request_hash(form, deps)):
        raise Problem(Code.IDEMPOTENCY_MISMATCH)
    # What the first answer said, even if the identifier has gone by the other channel since.
    return Accepted(delivery.delivery_id, delivery.generation, form.channel, delivery.destinations[form.channel])


def _issue(signed_in: SignedIn, reference: str, form: Form, now: datetime, deps: Deps) -> Accepted:
    voter = signed_in.voter
    destinations = {Channel.SMS: mask_phone(form.phone), Channel.EMAIL: signed_in.session.masked_address}
    phone_hash = deps.keyed_hash.hash(Purpose.PHONE, form.phone)
    identifier_hash, actions = reissue_actions(
        voter,
        now,
        deps.tables,
        deps.election,
        deps.keyed_hash,
        deps.sealer,
        reference=reference,
        actor=VOTER_ACTOR,
        note=reference,
        channel=form.channel,
        destinations=destinations,
        address=signed_in.session.address,
        phone=form.phone,
        phone_hash=phone_hash,
        request_hash=request_hash(form, deps),
        session=signed_in.session.key,
    )
    if form.channel is Channel.SMS:
        actions.append(count_sms(deps.limits_table, phone_hash, voter.voter_id, now, deps.election))
    # The token belongs to this very content, so the SDK's retries after a lost reply are no-ops.
    content = deps.keyed_hash.digest(Purpose.REFERENCE, reference, identifier_hash)
    write_all(deps.dynamodb, actions, token=str(uuid.UUID(bytes=content[:16])))
    return Accepted(reference, voter.generation + 1, form.channel, destinations[form.channel])
