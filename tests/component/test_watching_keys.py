"""A key that is disabled or about to be deleted is measured within a minute, and named."""

import pytest

from harness.service.wire import Call
from harness.service.world import World


@pytest.mark.req("R18")
def test_keys_that_can_be_used_are_no_alarm(world: World) -> None:
    world.sweep()
    assert world.metrics("UnusableKeys") == [0.0]


@pytest.mark.req("R18")
@pytest.mark.parametrize("state", ["Disabled", "PendingDeletion"])
def test_key_that_cannot_be_used_is_measured_and_named_until_it_is_back(world: World, state: str) -> None:
    kms, key = world.wire.operator.kms, next(iter(world.engine.stores.hash_keys.values()))
    if state == "Disabled":
        kms.disable_key(KeyId=key)
    else:
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)

    world.sweep()
    assert world.metrics("UnusableKeys") == [1.0]
    assert [
        (line["key"], line["state"]) for line in world.log_lines if line.get("message") == "key cannot be used"
    ] == [(key, state)]

    if state == "PendingDeletion":
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    world.sweep()
    assert world.metrics("UnusableKeys") == [1.0, 0.0]


@pytest.mark.req("R18")
def test_key_is_measured_though_nothing_can_be_swept(world: World) -> None:
    """As without the key of the tables: they refuse, and the sweeper fails."""

    def refuse(call: Call) -> None:
        if call.operation == "Query":
            raise ConnectionError

    key = next(iter(world.engine.stores.hash_keys.values()))
    world.wire.operator.kms.disable_key(KeyId=key)
    world.wire.interceptors.append(refuse)
    with pytest.raises(ConnectionError):
        world.sweep()
    assert world.metrics("UnusableKeys") == [1.0]
