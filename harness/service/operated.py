"""The stack that a command finds by its outputs, on tables that a test has made."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from reassort_ops.account.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reassort.keyed_hash import HashKey

    from harness.service.world import World


def stack_on(
    tables: Mapping[str, str],
    election_id: str,
    *,
    hash_key_ids: Mapping[HashKey, str] = MappingProxyType({}),
    encryption_key_id: str = "",
) -> Stack:
    """Return the outputs of a stack with these tables, given by logical id."""
    return Stack(
        name="reassort",
        election_id=election_id,
        voters_table=tables["VotersTable"],
        identifiers_table=tables["IdentifiersTable"],
        deliveries_table=tables["DeliveriesTable"],
        code_deliveries_table=tables["CodeDeliveriesTable"],
        register_table=tables["RegisterTable"],
        sign_in_table=tables["SignInTable"],
        limits_table=tables["LimitsTable"],
        control_table=tables["ControlTable"],
        pace_table=tables["PaceTable"],
        hash_key_ids=hash_key_ids,
        encryption_key_id=encryption_key_id,
    )


def stack_of(world: World) -> Stack:
    """Return the outputs of the stack that a world would be."""
    stores = world.engine.stores
    return stack_on(
        world.tables, world.election.id, hash_key_ids=stores.hash_keys, encryption_key_id=stores.encryption_key
    )
