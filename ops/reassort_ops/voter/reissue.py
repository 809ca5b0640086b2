"""An operator gives a voter the next identifier: it goes to the professional mailbox, and nobody
else sees it.

For a voter whom the helpdesk has identified and who cannot ask by themselves: a forgotten NUMEN, a
lock, no telephone. The limits on the voter's own requests do not apply; what an election may never
allow does: its window, a vote. A frozen voter gets the next identifier in one act, and the frozen
one is revoked: it never works again.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.addresses import mask_address
from reassort.outbox import Channel
from reassort.references import derive_reference
from reassort.reissue_transaction import ReissueTables, reissue_actions
from reassort.tables import ConditionFailedError, ContentionError, write_all

from reassort_ops.election_control import read_switch
from reassort_ops.failures import OperatorError
from reassort_ops.voter.record import read_voter

if TYPE_CHECKING:
    from reassort.election import Election
    from reassort.keyed_hash import KeyedHash
    from reassort.sealing import Sealer

    from reassort_ops.account.operator import Operator

_ROUNDS = 8
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Issued:
    """What an operator is told of a reissue."""

    reference: str
    generation: int
    destination: str


def reissue(
    address: str,
    voter_id: str,
    reason: str,
    helpdesk: Operator,
    election: Election,
    keyed_hash: KeyedHash,
    sealer: Sealer,
) -> Issued:
    """Issue the next identifier of a voter and revoke the current one; both messages go to
    `address`, which is normalised.

    The register keeps the operator, and the reference with the reason.

    Raises:
        OperatorError: no such voter, outside of the window, the voter has voted, they were given
            another identifier meanwhile, or the entry is contended; nothing was issued.
        botocore.exceptions.ClientError: AWS refuses; nothing was issued.
        botocore.exceptions.BotoCoreError: AWS does not answer: whether it was issued, `voter show`
            tells.
    """
    reference = derive_reference(keyed_hash, voter_id, str(uuid.uuid4()))
    stack = helpdesk.stack
    tables = ReissueTables(
        stack.voters_table, stack.identifiers_table, stack.deliveries_table, stack.register_table, stack.control_table
    )
    first_read: int | None = None
    for _ in range(_ROUNDS):
        now = helpdesk.clock()
        voter = read_voter(helpdesk.dynamodb, stack, voter_id)
        if voter.last_reference == reference:
            # An earlier round committed, and its answer was lost.
            return Issued(reference, voter.generation, mask_address(address))
        if first_read not in (None, voter.generation):
            raise OperatorError(
                f"the voter was given n° {voter.generation} a moment ago; look with voter show before giving another"
            )
        first_read = voter.generation
        if not election.windows.reissue.contains(now):
            raise OperatorError("identifiers are not reissued now: see windows.reissue of the election file")
        if not read_switch(helpdesk.dynamodb, stack).lets(now):
            raise OperatorError("reissues are closed: see election status")
        if voter.voted_at is not None:
            raise OperatorError("the voter has voted: no identifier can be issued any more")
        _, actions = reissue_actions(
            voter,
            now,
            tables,
            election,
            keyed_hash,
            sealer,
            reference=reference,
            actor=helpdesk.name,
            note=f"{reference} {reason}",
            channel=Channel.EMAIL,
            destinations={Channel.EMAIL: mask_address(address)},
            address=sealer.seal_address(voter_id, address),
        )
        try:
            write_all(helpdesk.dynamodb, actions)
        except (ConditionFailedError, ContentionError):
            # Somebody else writes the voter, or the identifier that is being revoked is being sent
            # at this moment, or reissues were stopped.
            time.sleep(_PAUSE_SECONDS)
            continue
        return Issued(reference, voter.generation + 1, mask_address(address))
    raise OperatorError("the voter's entry is being written, or their former identifier sent; try again")
