"""An operator of the stack that a world would be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.sealing import Sealer
from reassort_ops.account.operator import Operator
from reassort_ops.account.stack import Stack
from reassort_ops.voter.reissue import Issued, reissue

if TYPE_CHECKING:
    from harness.service.world import Enrolled, World


def stack_of(world: World) -> Stack:
    """Return the outputs of the stack that a world would be."""
    return Stack(
        name="world",
        election_id=world.election.id,
        voters_table=world.tables["VotersTable"],
        identifiers_table=world.tables["IdentifiersTable"],
        sign_in_table=world.tables["SignInTable"],
        deliveries_table=world.tables["DeliveriesTable"],
        code_deliveries_table=world.tables["CodeDeliveriesTable"],
        register_table=world.tables["RegisterTable"],
        limits_table=world.tables["LimitsTable"],
        control_table=world.tables["ControlTable"],
        pace_table=world.tables["PaceTable"],
        hash_key_ids=world.engine.stores.hash_keys,
        encryption_key_id=world.encryption_key,
    )


def helpdesk_of(world: World) -> Operator:
    """Return what an operator of the name of Anne works with."""
    return Operator(world.wire.operator.dynamodb, stack_of(world), world.clock, "anne")


def issue(world: World, voter: Enrolled, helpdesk: Operator | None = None) -> Issued:
    """Let Anne give a voter the next identifier."""
    sealer = Sealer(world.wire.operator.kms, world.encryption_key)
    helpdesk = helpdesk or helpdesk_of(world)
    return reissue(voter.email, voter.voter_id, "identity checked", helpdesk, world.election, world.keyed_hash, sealer)
