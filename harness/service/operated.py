"""The stack that a command finds by its outputs, on tables that a test has made."""

from __future__ import annotations

from collections import defaultdict
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
    """Return a stack with these tables, given by logical id, and without what is not given."""
    keys = {f"{key.logical_id}Id": key_id for key, key_id in hash_key_ids.items()}
    given = {**tables, **keys, "ElectionId": election_id, "EncryptionKeyId": encryption_key_id}
    return Stack.from_outputs("reassort", defaultdict(str, given))


def stack_of(world: World) -> Stack:
    """Return the outputs of the stack that a world would be."""
    stores = world.engine.stores
    return stack_on(
        world.tables, world.election.id, hash_key_ids=stores.hash_keys, encryption_key_id=stores.encryption_key
    )
