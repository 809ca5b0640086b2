"""Who acts on a stack: the name that the register records, and what the act needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.clock import Clock

    from reassort_ops.account.stack import Stack


@dataclass(frozen=True)
class Operator:
    """An operator at work on one stack. `name` is the one of their AWS credentials."""

    dynamodb: DynamoDBClient
    stack: Stack
    clock: Clock
    name: str
