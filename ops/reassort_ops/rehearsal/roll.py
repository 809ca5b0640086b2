"""The fictional roll of a rehearsal: who is on it, the proof that a stack holds nobody else, and
its removal.

The proof is in the register. The first entry of a fictional voter's chain names
`rehearsal:<operator>` as who put them on the roll, which nothing but a rehearsal writes and nothing
can change later without breaking the chain; a real voter's names the import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from reassort.clock import iso
from reassort.identifiers import ALPHABET, check_symbol, show_identifier
from reassort.register import ELECTION_CHAIN
from reassort.table_keys import phone_key
from reassort.tables import ContentionError, to_wire

from reassort_ops.batch_pool import patient_attempts
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from reassort.election import Election

    from reassort_ops.account.stack import Stack

type _Wire = Mapping[str, Any]

# Who put a fictional voter on the roll, in the register, before the operator's name.
SOURCE = "rehearsal"
# What is sent there is taken by SES, reported on, and reaches nobody (SES developer guide, "Using
# the mailbox simulator").
SIMULATOR = "simulator.amazonses.com"
_HERE = frozenset({"127.0.0.1", "localhost", "::1"})
_KEYS_A_BATCH = 25
# One mailbox in so many returns what it gets.
_BOUNCING_EVERY = 200
_ESTABLISHMENTS = ("École", "Collège", "Lycée", "Université")


@dataclass(frozen=True, slots=True)
class FictionalVoter:
    """A voter of a fictional roll: everything about them follows from the roll's seed and their
    number, from 1 on.

    No académie has NUMENs that begin with 00.
    """

    number: int
    email: str
    numen: str
    phone: str
    establishment: str
    identifier: str

    def row(self) -> RollRow:
        """Return the voter as a row of a roll."""
        return RollRow(
            line=self.number,
            address=self.email,
            numen=self.numen,
            establishment=self.establishment,
            secretariat=None,
            identifier=self.identifier.replace("-", ""),
        )


class FictionalRoll:
    """All voters of one seed. Addresses are SES's mailbox simulator's; on an embedded AWS, of the
    election's own domains.
    """

    def __init__(self, election: Election, *, seed: int, voters: int, here: bool, phones: Sequence[str] = ()) -> None:
        self.size = voters
        self.seed = seed
        self._domains = election.domain_names if here else (SIMULATOR,)
        self._shape = election.identifier
        self._phones = phones

    def voter(self, number: int) -> FictionalVoter:
        """Make the voter of a number from 1 to the roll's size."""
        draw = Random(f"{self.seed}:{number}")  # noqa: S311 - they are nobody's, and a seed must give them again
        symbols = "".join(draw.choices(ALPHABET, k=self._shape.symbols))
        letters = "".join(draw.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=3))
        mailbox = "bounce" if number % _BOUNCING_EVERY == 0 else "success"
        return FictionalVoter(
            number=number,
            email=f"{mailbox}+repetition-{self.seed}-{number}@{self._domains[number % len(self._domains)]}",
            numen=f"00E{number:07d}{letters}",
            phone=self._phones[number % len(self._phones)] if self._phones else f"06{number:08d}",
            establishment=f"Répétition, {_ESTABLISHMENTS[number % len(_ESTABLISHMENTS)]} {number % 997}",
            identifier=show_identifier(symbols + check_symbol(symbols), self._shape),
        )

    def rows(self) -> Iterator[RollRow]:
        """Return every voter as a row of a roll."""
        return (self.voter(number).row() for number in range(1, self.size + 1))


def is_here(dynamodb: DynamoDBClient) -> bool:
    """Tell whether the AWS that is spoken to is an embedded one on this machine, whose messages
    reach nobody.
    """
    return urlsplit(dynamodb.meta.endpoint_url).hostname in _HERE


def raise_if_real(dynamodb: DynamoDBClient, stack: Stack, advance: Callable[[int], object]) -> None:
    """Refuse a stack that is, was or is to be a real election's. Reads only; `advance` is told how
    many more items were looked at.

    Raises:
        OperatorError: its tables are protected from deletion, which is what a real election's are;
            its register has a chain that no rehearsal began; or its roll has a voter whose chain no
            rehearsal began.
        botocore.exceptions.ClientError: AWS refuses.
    """
    described = dynamodb.describe_table(TableName=stack.voters_table)["Table"]
    if described.get("DeletionProtectionEnabled"):
        raise OperatorError(
            tr(
                "stack {stack} is protected from deletion, as a real election's is; rehearse on one "
                "that was deployed with DeletionProtection=false",
                stack=stack.name,
            )
        )
    fictional: set[str] = set()
    for entry in _first_entries(dynamodb, stack):
        if not _is_fictional(entry):
            raise OperatorError(
                tr(
                    "the register of stack {stack} has a voter whom no rehearsal made; nothing was written",
                    stack=stack.name,
                )
            )
        fictional.add(entry["voter_id"]["S"])
        advance(1)
    for voter in _scan(dynamodb, stack.voters_table, ("voter_id",)):
        if voter["voter_id"]["S"] not in fictional:
            raise OperatorError(
                tr(
                    "the roll of stack {stack} has a voter whom no rehearsal made; nothing was written",
                    stack=stack.name,
                )
            )
        advance(1)


def raise_if_unfit(election: Election, now: datetime, *, here: bool) -> None:
    """Refuse an election in which nothing could be played, or whose messages could reach somebody.

    Raises:
        OperatorError: it asks for a further proof that fictional voters do not have, identifiers
            are not reissued now, or, where messages really leave, its domains do not include SES's
            mailbox simulator.
    """
    window = election.windows.reissue
    if not window.contains(now):
        raise OperatorError(
            tr(
                "identifiers of {election} are reissued from {opens_at} to {closes_at}: a rehearsal "
                "needs a stack whose election is open",
                election=election.id,
                opens_at=iso(window.opens_at),
                closes_at=iso(window.closes_at),
            )
        )
    if election.extra_proof is not None:
        raise OperatorError(
            tr(
                "{election} asks for a further proof: rehearse with an election file without extra_proof",
                election=election.id,
            )
        )
    if not here and SIMULATOR not in election.domain_names:
        raise OperatorError(
            tr(
                "{election} does not accept addresses of {domain}, and no others may be written "
                "to: deploy an election file for rehearsals (docs/rehearsal.md)",
                election=election.id,
                domain=SIMULATOR,
            )
        )


class Removal:
    """Takes every fictional voter off a stack, with all that is theirs. A real voter beside them is
    not touched.

    The first entry of a chain goes last, so an interrupted removal finds again whom it had begun
    with.
    """

    def __init__(self, dynamodb: DynamoDBClient, stack: Stack) -> None:
        self._dynamodb = dynamodb
        self._stack = stack
        self.voters = 0
        self.items = 0

    def run(self, advance: Callable[[int], object]) -> None:
        """Remove them. `advance` is told how many more items are gone.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        stack = self._stack
        fictional = {entry["voter_id"]["S"] for entry in _first_entries(self._dynamodb, stack) if _is_fictional(entry)}
        self.voters = len(fictional)

        def theirs(table: str, *attributes: str) -> Iterator[_Wire]:
            for item in _scan(self._dynamodb, table, ("voter_id", *attributes)):
                if item.get("voter_id", {}).get("S") in fictional:
                    yield item

        phones = {
            item["phone_hash"]["S"]
            for item in theirs(stack.deliveries_table, "phone_hash")
            if item.get("phone_hash", {}).get("S")
        }
        self._delete(stack.limits_table, (to_wire({"key": phone_key(phone)}) for phone in phones), advance)
        for table, keys in (
            (stack.code_deliveries_table, ("delivery_id",)),
            (stack.deliveries_table, ("delivery_id",)),
            (stack.sign_in_table, ("voter_id", "key")),
            (stack.identifiers_table, ("identifier_hash",)),
            (stack.numens_table, ("numen_hash",)),
            (stack.voters_table, ("voter_id",)),
        ):
            found = theirs(table, *(name for name in keys if name != "voter_id"))
            self._delete(table, ({name: item[name] for name in keys} for item in found), advance)
        for first in (False, True):
            entries = (
                {name: item[name] for name in ("voter_id", "sequence")}
                for item in theirs(stack.register_table, "sequence")
                if (item["sequence"]["N"] == "1") is first
            )
            self._delete(stack.register_table, entries, advance)

    def _delete(self, table: str, keys: Iterable[_Wire], advance: Callable[[int], object]) -> None:
        for batch in batched(keys, _KEYS_A_BATCH, strict=False):
            wanted: Any = {table: [{"DeleteRequest": {"Key": key}} for key in batch]}
            for attempt in patient_attempts():
                with attempt:
                    wanted = self._dynamodb.batch_write_item(RequestItems=wanted)["UnprocessedItems"]
                    if wanted:
                        raise ContentionError("UnprocessedItems")
            self.items += len(batch)
            advance(len(batch))


def _is_fictional(entry: _Wire) -> bool:
    actor: str = entry["actor"]["S"]
    return actor.startswith(f"{SOURCE}:")


def _first_entries(dynamodb: DynamoDBClient, stack: Stack) -> Iterator[_Wire]:
    """Return the entry that begins each chain; an entry whose chain has none, which a removal
    leaves half done, is passed over.

    So is the chain of the election itself, which says when operators stopped and opened reissues:
    it is no voter's.
    """
    return (
        entry
        for entry in _scan(dynamodb, stack.register_table, ("voter_id", "sequence", "actor"))
        if entry["sequence"]["N"] == "1" and entry["voter_id"]["S"] != ELECTION_CHAIN
    )


def _scan(dynamodb: DynamoDBClient, table: str, attributes: Sequence[str]) -> Iterator[_Wire]:
    names = {f"#{position}": name for position, name in enumerate(dict.fromkeys(attributes))}
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        ProjectionExpression=", ".join(names),
        ExpressionAttributeNames=names,
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]
