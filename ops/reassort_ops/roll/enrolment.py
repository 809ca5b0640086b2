"""A row of the roll as the tables hold it, and in what the stack differs from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.keyed_hash import HashKey, KeyedHash, Purpose
from reassort.register import GENESIS, Change, Entry
from reassort.tables import ContentionError, Item, from_wire, to_wire

from reassort_ops.batch_pool import BatchPool
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.rows import RollRow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

# BatchGetItem takes 100 keys, and each voter has three: their own, those of identifier and NUMEN.
VOTERS_A_READ = 33
_FIRST = 1
# The keys of the hashes that an enrolment holds.
ENROLLING = (HashKey.VOTER, HashKey.PROOF, HashKey.IDENTIFIER)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A row, and what is written of it: the voter, the first identifier, the first entry of the
    register, and whose the NUMEN is.
    """

    row: RollRow
    voter: Item
    identifier: Item
    entry: Entry

    @property
    def voter_id(self) -> str:
        """Return the voter's pseudonym."""
        return str(self.voter["voter_id"])

    @property
    def numen(self) -> Item:
        """Return the item that keeps the NUMEN for this voter alone, on the whole stack."""
        return {"numen_hash": self.entry.numen_hash, "voter_id": self.voter_id}

    @property
    def items(self) -> tuple[tuple[str, Item], ...]:
        """Return each item with its table, by the table's logical id in the template."""
        return (
            ("VotersTable", self.voter),
            ("IdentifiersTable", self.identifier),
            ("NumensTable", self.numen),
            ("RegisterTable", self.entry.to_item()),
        )


@dataclass(frozen=True, slots=True)
class Difference:
    """A column in which the stack differs from the roll. `old` and `new` are None where only hashes
    are known, or nothing is there.
    """

    column: Column
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True)
class Enroller:
    """Makes enrolments. `at` is the time of issue, milliseconds since 1970; `actor` is whom the
    register names.
    """

    keyed_hash: KeyedHash
    actor: str
    at: int

    def enrol(self, row: RollRow) -> Enrolment:
        """Return what is written of a valid row. A file of corrections may have no NUMEN and no
        identifier: those leave no hash.
        """
        hashes = self.keyed_hash
        voter_id = hashes.voter_id(row.address)
        identifier_hash = hashes.hash(Purpose.IDENTIFIER, row.identifier) if row.identifier else ""
        numen_hash = hashes.hash(Purpose.NUMEN, row.numen) if row.numen else ""
        extra_proof = None if row.extra_proof is None else hashes.extra_proof(voter_id, row.extra_proof)
        entry = Entry(
            voter_id=voter_id,
            sequence=1,
            change=Change.ISSUED,
            generation=_FIRST,
            at=self.at,
            actor=self.actor,
            reference="",
            previous=GENESIS,
            identifier_hash=identifier_hash,
            numen_hash=numen_hash,
            extra_proof_hash=extra_proof or "",
        )
        voter: Item = {
            "voter_id": voter_id,
            "numen_hash": numen_hash,
            "establishment": row.establishment,
            "issued_at": [self.at],
            "generation": _FIRST,
            "chain_length": 1,
            "chain_head": entry.hash,
            "numen_failures": 0,
            "numen_locked_until": 0,
        }
        if row.secretariat:
            voter["secretariat"] = row.secretariat
        if extra_proof is not None:
            voter["extra_proof_hash"] = extra_proof
        identifier = {"identifier_hash": identifier_hash, "voter_id": voter_id, "generation": _FIRST}
        return Enrolment(row, voter, identifier, entry)


@dataclass(frozen=True, slots=True)
class OnStack:
    """What the stack has of enrolments: voters by pseudonym, identifiers by hash, and by the hash
    of a NUMEN the pseudonym of whose it is.
    """

    voters: Mapping[str, Item]
    identifiers: Mapping[str, Item]
    numens: Mapping[str, str]

    def voter(self, enrolment: Enrolment) -> Item | None:
        """Return the voter with the address of a row."""
        return self.voters.get(enrolment.voter_id)

    def identifier(self, enrolment: Enrolment) -> Item | None:
        """Return whose the identifier of a row is."""
        return self.identifiers.get(enrolment.identifier["identifier_hash"])

    def has_another(self, enrolment: Enrolment) -> bool:
        """Tell whether the NUMEN of a row is that of a voter with another address."""
        return self.numens.get(enrolment.entry.numen_hash, enrolment.voter_id) != enrolment.voter_id


def read_enrolled(dynamodb: DynamoDBClient, stack: Stack, enrolments: Sequence[Enrolment], pool: BatchPool) -> OnStack:
    """Read what the stack has of at most `VOTERS_A_READ` enrolments.

    Raises:
        ContentionError: the tables throttle for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    tables = (stack.voters_table, stack.identifiers_table, stack.numens_table)
    wanted: dict[str, Any] = {
        tables[0]: {"Keys": [to_wire({"voter_id": one.voter_id}) for one in enrolments]},
        tables[1]: {"Keys": _keys("identifier_hash", (one.identifier["identifier_hash"] for one in enrolments))},
        tables[2]: {"Keys": _keys("numen_hash", (one.entry.numen_hash for one in enrolments))},
    }
    wanted = {table: request for table, request in wanted.items() if request["Keys"]}
    for request in wanted.values():
        request["ConsistentRead"] = True
    found: dict[str, list[Item]] = {table: [] for table in tables}
    for attempt in pool.attempts():
        with attempt:
            answer = dynamodb.batch_get_item(RequestItems=wanted)
            for table, items in answer["Responses"].items():
                found[table] += map(from_wire, items)
            wanted = dict(answer.get("UnprocessedKeys", {}))
            if wanted:
                raise ContentionError("UnprocessedKeys")
    return OnStack(
        {item["voter_id"]: item for item in found[tables[0]]},
        {item["identifier_hash"]: item for item in found[tables[1]]},
        {item["numen_hash"]: item["voter_id"] for item in found[tables[2]]},
    )


def _keys(name: str, values: Iterable[str]) -> list[dict[str, Any]]:
    """Return the keys, each once: of two rows that are corrected apart both may name one."""
    return [to_wire({name: value}) for value in dict.fromkeys(values) if value]


def holds_identifier(enrolment: Enrolment, identifier: Item | None) -> bool:
    """Tell whether the identifier of the row is the first one of its voter on the stack."""
    return identifier is not None and (identifier["voter_id"], identifier["generation"]) == (
        enrolment.voter_id,
        _FIRST,
    )


def _held_before(voter: Item, identifier: Item | None) -> bool:
    """Tell whether the identifier of the row is one that the voter had at their former address: the
    office gave the new address alone.
    """
    return identifier is not None and identifier["voter_id"] == voter.get("moved_from")


def differences(
    enrolment: Enrolment,
    voter: Item,
    identifier: Item | None,
    *,
    issuing: bool,
    columns: Collection[Column] = frozenset(Column),
) -> tuple[Difference, ...]:
    """Say in what a voter on the stack differs from the row, of those columns that the file has.
    When `issuing`, the row's identifier is not the roll's: it is not compared.
    """
    wanted = enrolment.voter
    found: list[Difference] = []
    if voter["numen_hash"] != wanted["numen_hash"]:
        found.append(Difference(Column.NUMEN))
    if voter["establishment"] != wanted["establishment"]:
        found.append(Difference(Column.ESTABLISHMENT, voter["establishment"], wanted["establishment"]))
    if voter.get("secretariat") != wanted.get("secretariat"):
        found.append(Difference(Column.SECRETARIAT, voter.get("secretariat"), wanted.get("secretariat")))
    if not issuing and not holds_identifier(enrolment, identifier) and not _held_before(voter, identifier):
        found.append(Difference(Column.IDENTIFIER))
    if voter.get("extra_proof_hash") != wanted.get("extra_proof_hash"):
        found.append(Difference(Column.EXTRA_PROOF))
    return tuple(one for one in found if one.column in columns)
