"""Who is on the stack and not in a file of the roll.

The stack knows no addresses. So a voter is listed by pseudonym, establishment and standing, which
name nobody and are enough to remove them. A voter whom the file lists with another address is
reported by line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reassort.keyed_hash import KeyedHash, Purpose
from reassort.tables import from_wire
from reassort.voters import voter_from_item

from reassort_ops.register.commitments import IdentifierSet

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack
    from reassort_ops.roll.rows import RollRow


@dataclass(frozen=True, slots=True)
class MissingVoter:
    """A voter on the roll of the stack whose address the file does not have. `line` is where it has
    their NUMEN with another address, None when it has neither.
    """

    voter_id: str
    establishment: str
    status: str
    line: int | None = None


def missing_voters(
    dynamodb: DynamoDBClient,
    stack: Stack,
    keyed_hash: KeyedHash,
    rows: Callable[[], Iterable[RollRow]],
    advance: Callable[[int], object] = lambda _: None,
) -> tuple[int, list[MissingVoter]]:
    """Return how many voters are on the roll of the stack, and those who are not in the file, by
    establishment. `rows` reads the file again; `advance` is told how many more voters are compared.

    Memory: eight bytes for each row, and those who are missing.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    there = IdentifierSet()
    for row in rows():
        there.add(keyed_hash.voter_id(row.address))
    there.close()
    count = 0
    missing: dict[str, MissingVoter] = {}
    owners: dict[str, str] = {}
    for page in dynamodb.get_paginator("scan").paginate(TableName=stack.voters_table, ConsistentRead=True):
        for voter in (voter_from_item(from_wire(item)) for item in page["Items"]):
            if voter.left_at is not None:
                continue
            count += 1
            if voter.voter_id not in there:
                status = voter.identifier_status(voter.generation).value
                missing[voter.voter_id] = MissingVoter(voter.voter_id, voter.establishment, status)
                owners[voter.numen_hash] = voter.voter_id
        advance(len(page["Items"]))
    for row in rows() if missing else ():
        owner = owners.get(keyed_hash.hash(Purpose.NUMEN, row.numen)) if row.numen else None
        if owner is not None:
            missing[owner] = replace(missing[owner], line=row.line)
    return count, sorted(missing.values(), key=lambda one: (one.establishment, one.voter_id))
