"""An agent gives a voter the next identifier: it goes to the professional mailbox, and nobody else
sees it.

For a voter whom the helpdesk has identified and who cannot ask by themselves: a forgotten NUMEN, a
lock, no telephone. The helpdesk may give as many again as the election allows a voter to ask for,
and no more; its window, a stop and a vote hold for it too. A frozen voter gets the next identifier
in one act, and the frozen one is revoked: it never works again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, delivery_from_item
from reassort.problems import FROZEN_IN_BATCH, GIVEN_MEANWHILE, GIVEN_TOO_OFTEN, Code, Problem
from reassort.reissue_limits import raise_unless_open, wait_for_reissue
from reassort.reissue_transaction import PREVIOUS, reissue_actions
from reassort.tables import Action, ConditionFailedError, ContentionError, read_one, write_all

from helpdesk.changes import ROUNDS, raise_if_left
from helpdesk.situation import is_on_its_way
from helpdesk.voter_record import read_switch, read_voter

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election
    from reassort.reissue_switch import ReissueSwitch
    from reassort.voters import Voter

    from helpdesk.deps import Deps, Seat

_LONGEST_PAUSE_SECONDS = 0.2
# Of what a voter may ask for: theirs, and as many by the helpdesk.
_TIMES = 2


@dataclass(frozen=True)
class Order:
    """A reissue that is to be made: `actor` and `reason` are for the register, `destination` is
    the masked address, `address` seals the whole one.

    `generation` is the one after which it was ordered, None when it is ordered now. What is ordered
    `in_batch` lifts no freeze, and replaces nothing that is on its way.
    """

    voter_id: str
    reference: str
    actor: str
    reason: str
    destination: str
    address: Callable[[], bytes]
    in_batch: bool
    generation: int | None = None


@dataclass(frozen=True)
class Issued:
    """What an agent is told of a reissue. `before`: an earlier request made it, and this one found
    it.
    """

    reference: str
    generation: int
    destination: str
    before: bool = False


def raise_unless_given(voter: Voter, switch: ReissueSwitch, now: datetime, election: Election) -> None:
    """Refuse what no helpdesk may do.

    Raises:
        Problem: `off-roll`, `window-closed`, `reissues-stopped`, `already-voted`,
            `too-many-reissues`.
    """
    raise_if_left(voter)
    raise_unless_open(voter, switch, now, election)
    wait = wait_for_reissue(voter, now, election, _TIMES)
    if wait is not None:
        raise Problem(Code.TOO_MANY_REISSUES, retry_after=wait, wording=GIVEN_TOO_OFTEN)


def raise_if_spared(voter: Voter, now: datetime, deps: Deps) -> None:
    """Refuse what an agent may do for one voter after a check, and a batch must not.

    Raises:
        Problem: `frozen`; `delivery-in-progress`: an identifier is on its way.
        ContentionError: DynamoDB throttles.
    """
    if voter.frozen_at is not None:
        raise Problem(Code.FROZEN, wording=FROZEN_IN_BATCH)
    if voter.last_reference is None:
        return
    item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": voter.last_reference})
    if item is not None and is_on_its_way(delivery_from_item(item), epoch_milliseconds(now)):
        raise Problem(Code.DELIVERY_IN_PROGRESS, retry_after=120)


def given_before(reference: str, destination: str, deps: Deps) -> Issued | None:
    """Return the reissue of a reference, whatever the voter was given since, as long as its
    delivery is kept.

    Raises:
        ContentionError: DynamoDB throttles.
    """
    item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": reference})
    if item is None:
        return None
    return Issued(reference, delivery_from_item(item).generation, destination, before=True)


def reissue(order: Order, also: Callable[[datetime], list[Action]], desk: Seat) -> Issued:
    """Issue the next identifier of a voter and revoke the current one, once for each reference.
    Both messages go to the address of the order. What `also` returns is written with it.

    The register keeps who acted, and the reference with the reason.

    Raises:
        Problem: `no-such-voter`, `off-roll`, `window-closed`, `reissues-stopped`, `already-voted`,
            `too-many-reissues`; `stale-page`: they were given another identifier meanwhile;
            `delivery-in-progress`: the former one is being sent at this moment; in a batch what
            `raise_if_spared` refuses; `unavailable` under contention; what `also` refuses. Nothing
            was issued.
        botocore.exceptions.ClientError: AWS cannot be reached. Whether it committed is unknown; the
            same request with the same key finds out.
    """
    deps = desk.deps
    first_read = order.generation
    sending = False
    for _ in range(ROUNDS):
        now = deps.clock()
        further = also(now)
        voter = read_voter(order.voter_id, deps)
        if order.reference == voter.last_reference:
            # An earlier try committed, and its answer was lost.
            return Issued(order.reference, voter.generation, order.destination, before=True)
        if first_read not in (None, voter.generation):
            raise Problem(Code.STALE_PAGE, wording=GIVEN_MEANWHILE)
        first_read = voter.generation
        raise_unless_given(voter, read_switch(deps), now, deps.election)
        if order.in_batch:
            raise_if_spared(voter, now, deps)
        _, actions = reissue_actions(
            voter,
            now,
            deps.tables,
            deps.election,
            deps.keyed_hash,
            deps.sealer,
            reference=order.reference,
            actor=order.actor,
            note=f"{order.reference} {order.reason}",
            channel=Channel.EMAIL,
            destinations={Channel.EMAIL: order.destination},
            address=order.address(),
        )
        try:
            write_all(deps.dynamodb, [*actions, *further])
        except ConditionFailedError as refusal:
            if "delivery" in refusal.refused and "voter" not in refusal.refused:
                # This request was answered before, and another identifier came after its own.
                raise Problem(Code.STALE_PAGE, wording=GIVEN_MEANWHILE) from refusal
            sending = PREVIOUS in refusal.refused
        except ContentionError:
            pass
        else:
            return Issued(order.reference, voter.generation + 1, order.destination)
        # Somebody else writes the voter, or the identifier that is being revoked is being sent at
        # this moment, or reissues were stopped.
        time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter
    raise Problem(Code.DELIVERY_IN_PROGRESS if sending else Code.UNAVAILABLE, retry_after=5)
