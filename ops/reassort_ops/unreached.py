"""The voters whom no identifier reached, for the helpdesk: by reference and establishment, and
nothing that tells who it is.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from reassort.clock import from_milliseconds
from reassort.outbox import Channel, Delivery, Kind, Message, Status, delivery_from_item
from reassort.reasons import Reason
from reassort.register import Change, read_chain
from reassort.tables import Item, read_one
from reassort.unreached import never_reached
from reassort.voters import voter_from_item

from reassort_ops.report.segments import Wanted, scan
from reassort_ops.spreadsheet import inert

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack

# French, for the helpdesk: the file is theirs.
COLUMNS = ("référence", "établissement", "secrétariat", "demandé le", "échec par", "raison")
_WAYS = {Channel.SMS: "SMS", Channel.EMAIL: "courriel"}


@dataclass(frozen=True)
class Unreached:
    """A voter whom nothing reached, by the reference of the last reissue that failed. `ways` are
    those that failed, `asked_at` is milliseconds since 1970.
    """

    reference: str
    establishment: str
    secretariat: str | None
    asked_at: int
    ways: tuple[Channel, ...]
    reason: Reason

    def row(self, zone: ZoneInfo) -> tuple[str, ...]:
        """Return the cells of its line, none of which a spreadsheet computes."""
        cells = (
            self.reference,
            self.establishment,
            self.secretariat or "",
            f"{from_milliseconds(self.asked_at).astimezone(zone):%Y-%m-%d %H:%M}",
            " et ".join(_WAYS[way] for way in self.ways),
            self.reason.words,
        )
        return tuple(map(inert, cells))


def read_unreached(
    dynamodb: DynamoDBClient, stack: Stack, segments: int, advance: Callable[[int], object]
) -> list[Unreached]:
    """Return everybody whom nothing reached, by establishment and the longest wait first. `advance`
    is told how many more deliveries were looked at.

    It knows of those whose deliveries are still kept.

    Raises:
        ContentionError: the tables throttle for longer than is worth waiting.
        botocore.exceptions.ClientError: AWS refuses.
    """
    whose: set[str] = set()
    attributes = ("kind", "voter_id", "messages.identifier.status")
    wanted = Wanted(stack.deliveries_table, attributes, "{kind} = :reissue", {":reissue": Kind.REISSUE.value})

    def take(item: Item) -> None:
        if item["messages"]["identifier"]["status"] == Status.FAILED:
            whose.add(item["voter_id"])

    scan(dynamodb, wanted, segments, take, advance)
    found = (_of_voter(voter_id, dynamodb, stack) for voter_id in whose)
    return sorted((one for one in found if one is not None), key=lambda one: (one.establishment, one.asked_at))


def by_establishment(found: Iterable[Unreached]) -> list[tuple[str, int]]:
    """Count them by establishment, the most first."""
    counts = Counter(one.establishment for one in found)
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def as_csv(found: Sequence[Unreached], zone: ZoneInfo) -> bytes:
    """Write the list as a spreadsheet of an office reads it: a BOM, and semicolons."""
    text = io.StringIO()
    text.write("\ufeff")
    writer = csv.writer(text, delimiter=";")
    writer.writerow(COLUMNS)
    writer.writerows(one.row(zone) for one in found)
    return text.getvalue().encode()


def _of_voter(voter_id: str, dynamodb: DynamoDBClient, stack: Stack) -> Unreached | None:
    item = read_one(dynamodb, stack.voters_table, {"voter_id": voter_id})
    if item is None:
        return None
    voter = voter_from_item(item)
    kept = [_delivery(reference, dynamodb, stack) for reference in _references(voter_id, dynamodb, stack)]
    delivery = never_reached(voter, [one for one in kept if one is not None])
    if delivery is None:
        return None
    failed = [step for step in delivery.identifier_history() if step.status is Status.FAILED]
    return Unreached(
        reference=delivery.delivery_id,
        establishment=voter.establishment,
        secretariat=voter.secretariat,
        asked_at=delivery.created_at,
        ways=tuple(dict.fromkeys(step.channel or delivery.channel for step in failed)),
        reason=delivery.reason_of(Message.IDENTIFIER) or Reason.UNKNOWN,
    )


def _references(voter_id: str, dynamodb: DynamoDBClient, stack: Stack) -> list[str]:
    chain = read_chain(dynamodb, stack.register_table, voter_id)
    return [entry.first_word for entry in chain if entry.change is Change.REISSUED]


def _delivery(reference: str, dynamodb: DynamoDBClient, stack: Stack) -> Delivery | None:
    item = read_one(dynamodb, stack.deliveries_table, {"delivery_id": reference})
    return None if item is None else delivery_from_item(item)
