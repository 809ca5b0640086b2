"""A world for each test, and the check that every answer in it is one that `openapi.yaml`
describes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.service.openapi import raise_if_undescribed
from harness.service.world import World
from tests.component.operators import operator_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled


@pytest.fixture
def world() -> Iterator[World]:
    """A running service, whose answers are checked against the description of the API when the test
    is over.
    """
    with World() as world:
        yield world
        # An expression that DynamoDB does not take, a reserved word for one, is handled as any
        # fault of AWS, and would show nowhere else.
        assert "ValidationException" not in world.log_text
        for response in world.responses:
            raise_if_undescribed(response)


@pytest.fixture
def claire(world: World) -> Enrolled:
    """A voter of a school."""
    return world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", "7K3M-9QWX-2TBD-HV5S")


@pytest.fixture
def paul(world: World) -> Enrolled:
    """A voter of the university, without a secretariat on the roll."""
    return world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ", establishment="UFR Sciences", secretariat=None)


@pytest.fixture
def browser(world: World, claire: Enrolled) -> Browser:
    """A browser in which Claire has just signed in."""
    return world.signed_in(claire)


@pytest.fixture
def operator(world: World) -> Operator:
    """Somebody who runs the stack."""
    return operator_of(world)
