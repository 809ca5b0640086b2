"""Changes of address that a roll brings: rows whose NUMEN is that of a voter with another
address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.tables import read_one

from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.moving import Arrival, ChangeOfAddress, MoveRefusedError
from reassort_ops.roll.numens import numen_owner

if TYPE_CHECKING:
    from reassort_ops.account.operator import Operator
    from reassort_ops.roll.enrolment import Enroller
    from reassort_ops.roll.rows import RollRow


@dataclass(frozen=True)
class RollMoves:
    """Moves the voters of rows to the rows' addresses."""

    change: ChangeOfAddress
    operator: Operator
    enroller: Enroller

    def move(self, row: RollRow, reason: str) -> Settled:
        """Move the voter who has the NUMEN of a row to its address.

        The row's identifier is theirs from then on, unless somebody ever had it: an office that
        changes an address often leaves the identifier of the first mailing in its place.

        Raises:
            OperatorError: the ballot has closed, an identifier is being sent, or somebody else
                keeps writing the voter.
            botocore.exceptions.ClientError: AWS refuses.
        """
        enrolment = self.enroller.enrol(row)
        stack, dynamodb = self.operator.stack, self.operator.dynamodb
        former = numen_owner(dynamodb, stack.numens_table, enrolment.entry.numen_hash)
        if former is None:
            return Settled(row.line, RowOutcome.REJECTED, refusal=FaultCode.ABSENT)
        if former == enrolment.voter_id:
            return Settled(row.line, RowOutcome.MOVED)
        identifier_hash = enrolment.entry.identifier_hash
        known = read_one(dynamodb, stack.identifiers_table, {"identifier_hash": identifier_hash})
        arrival = Arrival(
            voter_id=enrolment.voter_id,
            establishment=row.establishment,
            secretariat=row.secretariat,
            extra_proof_hash=enrolment.entry.extra_proof_hash or None,
            identifier_hash=identifier_hash if known is None else None,
        )
        try:
            self.change.move(former, arrival, reason)
        except MoveRefusedError as refused:
            return Settled(row.line, RowOutcome.REJECTED, refusal=refused.code)
        return Settled(row.line, RowOutcome.MOVED, current=known is None)
