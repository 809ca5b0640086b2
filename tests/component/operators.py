"""Who works on the stack that a world would be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, ReadTimeoutError
from reassort.tables import ContentionError
from reassort_ops.account.operator import Operator

from harness.service.operated import stack_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.service.world import Enrolled, SeatedAgent, World


def operator_of(world: World) -> Operator:
    """Return what an operator of the name of Anne works with."""
    return Operator(world.wire.operator.dynamodb, stack_of(world), world.clock, "anne")


# What may befall a call of an operator's, and whether it has its effect all the same.
FAULTS = {"throttled": False, "timed out": False, "reply lost": True}


@dataclass
class _OperatorsClient:
    client: Any

    def of(self, operator: Operator) -> Operator:
        """Return an operator who works with this client."""
        client: Any = self
        return replace(operator, dynamodb=client)

    def __getattr__(self, name: str) -> Any:
        """Return an operation."""
        return getattr(self.client, name)


class BusyClient(_OperatorsClient):
    """An operator's client of DynamoDB whose transactions meet another one, always."""

    def transact_write_items(self, **_: Any) -> None:
        """Change nothing."""
        raise ContentionError


@dataclass
class StruckClient(_OperatorsClient):
    """An operator's client of DynamoDB, one of whose calls meets a fault, or has something come in
    just before it. Calls count from 1; `made` is how many there were.
    """

    struck: int = 0
    fault: str = ""
    before: Callable[[], object] | None = None
    made: int = 0

    def __getattr__(self, name: str) -> Any:
        """Return an operation."""
        operation = getattr(self.client, name)
        if not callable(operation) or name in ("exceptions", "get_paginator", "meta"):
            return operation

        def call(**request: Any) -> Any:
            self.made += 1
            if self.made != self.struck:
                return operation(**request)
            if self.before is not None:
                self.before()
                return operation(**request)
            if FAULTS[self.fault]:
                operation(**request)
            if self.fault == "throttled":
                raise ClientError({"Error": {"Code": "ThrottlingException", "Message": ""}}, name)
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

        return call


def issue(world: World, voter: Enrolled, agent: SeatedAgent | None = None) -> str:
    """Let Anne, or another operator if given, give a voter the next identifier. Return its
    reference.
    """
    answer = (agent or world.agent()).act("reissue", voter.email)
    assert answer.status == 200, answer.text
    reference: str = answer.json["reference"]
    return reference
