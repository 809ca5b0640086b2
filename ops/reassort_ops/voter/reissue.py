"""An operator gives a voter the next identifier: it goes to the professional mailbox, and nobody else sees it.

For a voter whom the helpdesk has identified and who cannot ask by themselves: a forgotten NUMEN, a lock, no telephone. The limits on
the voter's own requests do not apply; what an election may never allow does: its window, a vote. A frozen voter gets the next
identifier in one act, and the frozen one is revoked: it never works again.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.addresses import mask_address
from reassort.control import require_open
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.issuing import IssuingTables, issue_actions
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.outbox import Channel, reissue_delivery_item
from reassort.references import derive_reference, dispute_token
from reassort.register import Change
from reassort.tables import ConditionFailedError, ContentionError, write_all

from reassort_ops.election_control import read_control
from reassort_ops.failures import OperatorError
from reassort_ops.voter.record import read_voter

if TYPE_CHECKING:
    from reassort.election import Election
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
    """Issue the next identifier of a voter and revoke the current one; both messages go to `address`, which is normalised.

    The register keeps the operator, and the reference with the reason.

    Raises:
        OperatorError: no such voter, outside of the window, the voter has voted, they were given another
            identifier meanwhile, or the entry is contended; nothing was issued.
        botocore.exceptions.ClientError: AWS refuses; nothing was issued.
        botocore.exceptions.BotoCoreError: AWS does not answer: whether it was issued, `voter show` tells.
    """
    reference = derive_reference(keyed_hash, voter_id, str(uuid.uuid4()))
    stack = helpdesk.stack
    tables = IssuingTables(stack.voters_table, stack.identifiers_table, stack.deliveries_table, stack.register_table)
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
        if not read_control(helpdesk.dynamodb, stack).lets(now):
            raise OperatorError("reissues are closed: see election status")
        if voter.voted_at is not None:
            raise OperatorError("the voter has voted: no identifier can be issued any more")
        generation = voter.generation + 1
        identifier = generate_identifier(election.identifier)
        delivery = reissue_delivery_item(
            reference=reference,
            voter_id=voter_id,
            generation=generation,
            channel=Channel.EMAIL,
            destinations={Channel.EMAIL: mask_address(address)},
            phone_hash="",
            address=sealer.seal_address(voter_id, address),
            payload=sealer.seal_payload(
                reference, {"identifier": identifier, "phone": "", "dispute": dispute_token(reference, keyed_hash)}
            ),
            request_hash="",
            now=now,
            retention=election.retention,
        )
        entry = voter.next_entry(
            Change.REISSUED, now, helpdesk.name, generation=generation, reference=f"{reference} {reason}"
        )
        identifier_hash = keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
        try:
            write_all(
                helpdesk.dynamodb,
                [
                    *issue_actions(voter, entry, delivery, identifier_hash, tables, now, election.retention),
                    require_open(stack.control_table, voter_id, now),
                ],
            )
        except (ConditionFailedError, ContentionError):
            # Somebody else writes the voter, or the identifier that is being revoked is being sent at this moment, or reissues were stopped.
            time.sleep(_PAUSE_SECONDS)
            continue
        return Issued(reference, generation, mask_address(address))
    raise OperatorError("the voter's entry is being written, or their former identifier sent; try again")
