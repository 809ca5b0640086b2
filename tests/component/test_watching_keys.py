"""A key that is disabled or about to be deleted is measured within a minute, and named."""

import pytest
from botocore.exceptions import EndpointConnectionError

from harness.service.wire import Call, aws_error
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


@pytest.mark.req("R18")
@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (aws_error("AccessDeniedException"), "AccessDeniedException"),
        (EndpointConnectionError(endpoint_url="https://kms"), "EndpointConnectionError"),
    ],
    ids=["refused", "unreachable"],
)
def test_key_that_kms_does_not_tell_of_is_measured_and_named(world: World, fault: Exception, state: str) -> None:
    def refuse(call: Call) -> None:
        if call.operation == "DescribeKey":
            raise fault

    world.wire.interceptors.append(refuse)
    world.sweep()
    named = [line["state"] for line in world.log_lines if line.get("message") == "key cannot be used"]
    assert set(named) == {state}
    assert world.metrics("UnusableKeys") == [float(len(named))]
