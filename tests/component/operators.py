"""An operator of the stack that a world would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.sealing import Sealer
from reassort_ops.account.operator import Operator
from reassort_ops.voter.reissue import Issued, reissue

from harness.service.operated import stack_of

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World


def helpdesk_of(world: World) -> Operator:
    """Return what an operator of the name of Anne works with."""
    return Operator(world.wire.operator.dynamodb, stack_of(world), world.clock, "anne")


def issue(world: World, voter: Enrolled, helpdesk: Operator | None = None) -> Issued:
    """Let Anne give a voter the next identifier."""
    sealer = Sealer(world.wire.operator.kms, world.encryption_key)
    helpdesk = helpdesk or helpdesk_of(world)
    return reissue(voter.email, voter.voter_id, "identity checked", helpdesk, world.election, world.keyed_hash, sealer)
