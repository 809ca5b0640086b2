"""« Ce n’était pas moi »: anyone who reads the confirmation in the professional mailbox can freeze
the new identifier.

A disputed identifier never votes, whatever is unfrozen later, and the voter's sessions end: one of
them may be the thief's.
"""

from datetime import datetime
from typing import Any

from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.keyed_hash import KeyedHash, same
from reassort.outbox import WAKE, Delivery, Message, Status, delivery_from_item, history_step, queued_message
from reassort.problems import Code, Problem
from reassort.references import dispute_token, normalise_reference
from reassort.register import DISPUTE_ACTOR, Change, append_entry
from reassort.table_keys import due_shard
from reassort.tables import Action, ConditionFailedError, ContentionError, read_one, update, write_all
from reassort.voters import NOT_FROZEN, NOT_VOTED, SAME_GENERATION, Voter, change_voter, voter_from_item

from reissue.deps import Deps

_ROUNDS = 8


def dispute_reissue(token: str, deps: Deps) -> Delivery:
    """Record that a reissue was not its voter's, freeze its identifier if it is the current one,
    alert the helpdesk.

    Disputing twice changes nothing. Returns the delivery, as it was before.

    Raises:
        Problem: `invalid-token`; `unavailable` when the voter's entry is contended.
    """
    reference = _reference_of(token, deps.keyed_hash)
    for _ in range(_ROUNDS):
        item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": reference})
        if item is None:
            raise Problem(Code.INVALID_TOKEN)
        delivery = delivery_from_item(item)
        if delivery.disputed_at is not None:
            return delivery
        voter_item = read_one(deps.dynamodb, deps.tables.voters, {"voter_id": delivery.voter_id})
        if voter_item is None:
            raise Problem(Code.INVALID_TOKEN)
        try:
            write_all(deps.dynamodb, _dispute_actions(delivery, voter_from_item(voter_item), deps.clock(), deps))
        except (ConditionFailedError, ContentionError):
            continue
        return delivery
    raise Problem(Code.UNAVAILABLE, retry_after=2)


def look_at_dispute(token: str, deps: Deps) -> Delivery:
    """Return the delivery of the request that a token is about; nothing is changed.

    Raises:
        Problem: `invalid-token`.
        ContentionError: the table is busy.
    """
    item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": _reference_of(token, deps.keyed_hash)})
    if item is None:
        raise Problem(Code.INVALID_TOKEN)
    return delivery_from_item(item)


def disputed_body(delivery: Delivery) -> dict[str, Any]:
    """Return the body of both calls: which request it was, before the voter disputes it and for
    the call to the helpdesk. It says no more than the confirmation with the token.
    """
    return {
        "reference": delivery.delivery_id,
        "at": iso(from_milliseconds(delivery.created_at)),
        "channel": delivery.channel.value,
        "destination": delivery.destination,
    }


def _reference_of(token: str, keyed_hash: KeyedHash) -> str:
    reference = normalise_reference(token.partition(".")[0])
    if reference is None or not same(token, dispute_token(reference, keyed_hash)):
        raise Problem(Code.INVALID_TOKEN)
    return reference


def _dispute_actions(delivery: Delivery, voter: Voter, now: datetime, deps: Deps) -> list[Action]:
    at = epoch_milliseconds(now)
    current = delivery.generation == voter.generation and voter.moved_to is None
    freezes = current and voter.frozen_at is None and voter.voted_at is None
    change = Change.FROZEN if freezes else Change.DISPUTED
    entry = voter.next_entry(change, now, DISPUTE_ACTOR, generation=delivery.generation, reference=delivery.delivery_id)
    assignments = ["signed_out_at = :at"]
    values: dict[str, int] = {":at": at}
    if freezes:
        assignments.append("frozen_at = :at")
    if delivery.generation == voter.generation:
        assignments.append("disputed = :disputed")
        values[":disputed"] = delivery.generation
    queued = [history_step(at, Message.ALERT, Status.QUEUED)]
    return [
        change_voter(
            deps.tables.voters,
            voter,
            entry,
            ", ".join(assignments),
            values,
            clauses=(SAME_GENERATION, NOT_VOTED, NOT_FROZEN) if freezes else (),
        ),
        append_entry(deps.tables.register, entry),
        update(
            "delivery",
            deps.tables.deliveries,
            {"delivery_id": delivery.delivery_id},
            "SET disputed_at = :at, messages.alert = :alert, history = list_append(history, :queued), "
            "wake = :wake, due_shard = :shard, due_at = :at, queued_at = :at",
            "attribute_exists(delivery_id) AND attribute_not_exists(disputed_at)",
            {
                ":at": at,
                ":alert": queued_message(),
                ":queued": queued,
                ":wake": WAKE,
                ":shard": due_shard(delivery.delivery_id),
            },
        ),
    ]
