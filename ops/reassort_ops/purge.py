"""Removing what the retention of the election file no longer allows: counted first, then removed.

Each is one pass over the tables, in segments that are read in parallel. What is left is the only
state, so a purge that was interrupted is resumed by running it again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from reassort.clock import epoch_milliseconds, epoch_seconds, iso
from reassort.tables import PASSING, Action, ContentionError, to_wire, write_all

from reassort_ops.batch_pool import patient_attempts
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ScanInputTypeDef
    from reassort.election import Election

    from reassort_ops.account.stack import Stack

type _Wire = Mapping[str, Any]

# The most that a transaction takes. Deletes of a transaction need `dynamodb:DeleteItem` and nothing
# else, so a purger can put nothing:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_KEYS_A_BATCH = 100
# An item that is gone fulfils it, so a repeated call after a lost reply says the same as the first.
_STILL_EXPIRED = "attribute_not_exists(expires_at) OR expires_at <= :now"


@dataclass(frozen=True)
class PurgeRule:
    """What of one table may be removed.

    `ends_at` is when items end that have no `expires_at` of their own: all of them where
    `has_own_end` is false. An item's kind is what its attribute `kind_attribute` says before the
    first `#`, or `kind` where there is none.
    """

    table: str
    name: str
    key: tuple[str, ...]
    ends_at: datetime
    has_own_end: bool = False
    kind: str = ""
    kind_attribute: str | None = None
    newest_attribute: str | None = None

    def kind_of(self, item: _Wire) -> str:
        """Return what kind of item it is."""
        if self.kind_attribute is None:
            return self.kind
        said: str = item.get(self.kind_attribute, {}).get("S", "other")
        return said.partition("#")[0]

    def is_due(self, item: _Wire, now: datetime) -> bool:
        """Tell whether an item is kept no longer."""
        expires_at = item.get("expires_at", {}).get("N") if self.has_own_end else None
        return now >= self.ends_at if expires_at is None else epoch_seconds(now) >= int(expires_at)

    def key_of(self, item: _Wire) -> dict[str, Any]:
        """Return the key of an item."""
        return {name: item[name] for name in self.key}

    @property
    def attributes(self) -> list[str]:
        """Return what must be read of an item: nothing that says more of a voter than its key."""
        own_end = "expires_at" if self.has_own_end else None
        wanted = dict.fromkeys((*self.key, own_end, self.kind_attribute, self.newest_attribute))
        return [name for name in wanted if name is not None]


def rules_of(stack: Stack, election: Election) -> tuple[PurgeRule, ...]:
    """Return what holds for each table, in the order of removal: the roll before the register that
    tells of it.
    """
    roll, register = election.roll_ends_at, election.register_ends_at
    return (
        PurgeRule("sign-in", stack.sign_in_table, ("voter_id", "key"), roll, has_own_end=True, kind_attribute="key"),
        PurgeRule("limits", stack.limits_table, ("key",), roll, has_own_end=True, kind_attribute="key"),
        PurgeRule("pace", stack.pace_table, ("key",), roll, has_own_end=True, kind_attribute="key"),
        PurgeRule("control", stack.control_table, ("key",), roll, kind="control"),
        PurgeRule(
            "codes", stack.code_deliveries_table, ("delivery_id",), roll, has_own_end=True, kind_attribute="kind"
        ),
        PurgeRule(
            "deliveries", stack.deliveries_table, ("delivery_id",), roll, has_own_end=True, kind_attribute="kind"
        ),
        PurgeRule("identifiers", stack.identifiers_table, ("identifier_hash",), roll, kind="identifier"),
        PurgeRule("NUMENs", stack.numens_table, ("numen_hash",), roll, kind="NUMEN"),
        PurgeRule("voters", stack.voters_table, ("voter_id",), roll, kind="voter", newest_attribute="issued_at"),
        PurgeRule(
            "helpdesk's record", stack.helpdesk_record_table, ("agent", "sequence"), register, kind="look or act"
        ),
        PurgeRule("register", stack.register_table, ("voter_id", "sequence"), register, kind_attribute="change"),
    )


@dataclass
class PurgeTally:
    """How many items of one kind there are: those that may be removed, and what became of them.

    `renewed` are those that were in use again when they were to be removed; they stay.
    """

    due: int = 0
    kept: int = 0
    removed: int = 0
    renewed: int = 0


def raise_if_under_way(election: Election, now: datetime) -> None:
    """Refuse to purge from the opening of the first window to the close of the last.

    Raises:
        OperatorError: voters are being served.
    """
    windows = (election.windows.reissue, election.windows.voting)
    closes_at = max(window.closes_at for window in windows)
    if min(window.opens_at for window in windows) <= now < closes_at:
        raise OperatorError(
            tr("the election is under way until {closes_at}: nothing is purged before", closes_at=iso(closes_at))
        )


class Purge:
    """One purge of a stack: what is due at `now`, and no more. Its threads share it."""

    def __init__(
        self, *, dynamodb: DynamoDBClient, stack: Stack, election: Election, now: datetime, threads: int
    ) -> None:
        self._dynamodb = dynamodb
        self._election = election
        self._now = now
        self._threads = threads
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._newest = 0
        self.rules = rules_of(stack, election)
        self.tallies: dict[str, dict[str, PurgeTally]] = {rule.table: {} for rule in self.rules}

    @property
    def due(self) -> int:
        """Return how many items may be removed, as counted."""
        return sum(tally.due for tally in self._all())

    @property
    def removed(self) -> int:
        """Return how many items were removed."""
        return sum(tally.removed for tally in self._all())

    @property
    def renewed(self) -> int:
        """Return how many items were in use again."""
        return sum(tally.renewed for tally in self._all())

    def count(self, advance: Callable[[int], object]) -> None:
        """Count what may be removed and what is kept. `advance` is told how many more items were
        looked at.

        Raises:
            OperatorError: voters got identifiers after the ballot had closed, so the election file
                is not the stack's.
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.ClientError: AWS refuses.
        """
        for rule in self.rules:
            self._in_segments(partial(self._count_segment, rule, advance))
        closes_at = self._election.windows.voting.closes_at
        if self._now >= self._election.roll_ends_at and self._newest >= epoch_milliseconds(closes_at):
            raise OperatorError(
                tr(
                    "voters got identifiers after {closes_at}, when the ballot had closed by the "
                    "deployed election: deploy the one with the dates of this ballot",
                    closes_at=iso(closes_at),
                )
            )

    def remove(self, advance: Callable[[int], object]) -> None:
        """Remove what may be removed. `advance` is told how many more items were dealt with.

        An interruption or a failure lets the calls under way finish, and they are counted.

        Raises:
            ContentionError: the tables throttle for longer than is worth waiting.
            botocore.exceptions.BotoCoreError: AWS cannot be reached.
            botocore.exceptions.ClientError: AWS refuses.
        """
        for rule in self.rules:
            if any(tally.due for tally in self.tallies[rule.table].values()):
                self._in_segments(partial(self._remove_segment, rule, advance))

    def _all(self) -> Iterator[PurgeTally]:
        return (tally for kinds in self.tallies.values() for tally in kinds.values())

    def _in_segments(self, work: Callable[[int], None]) -> None:
        with ThreadPoolExecutor(self._threads, "purge") as pool:
            try:
                for done in as_completed([pool.submit(work, segment) for segment in range(self._threads)]):
                    done.result()
            except BaseException:
                self._stopping.set()
                raise

    def _count_segment(self, rule: PurgeRule, advance: Callable[[int], object], segment: int) -> None:
        for items in self._pages(rule, segment):
            with self._lock:
                for item in items:
                    tally = self._tally(rule, item)
                    if rule.is_due(item, self._now):
                        tally.due += 1
                    else:
                        tally.kept += 1
                    if rule.newest_attribute:
                        self._newest = max(self._newest, int(item[rule.newest_attribute]["L"][-1]["N"]))
                advance(len(items))

    def _remove_segment(self, rule: PurgeRule, advance: Callable[[int], object], segment: int) -> None:
        remove = self._remove_expired if rule.has_own_end else self._remove_batch
        for items in self._pages(rule, segment):
            due = (item for item in items if rule.is_due(item, self._now))
            for batch in batched(due, _KEYS_A_BATCH, strict=False):
                if self._stopping.is_set():
                    return
                remove(rule, batch, advance)

    def _remove_batch(self, rule: PurgeRule, items: Sequence[_Wire], advance: Callable[[int], object]) -> None:
        """Remove items of a table that has ended as a whole: nobody writes them any more."""
        deletes = [Action("purge", "Delete", {"TableName": rule.name, "Key": rule.key_of(item)}) for item in items]
        for attempt in patient_attempts(self._stopping):
            with attempt:
                write_all(self._dynamodb, deletes)
        for item in items:
            self._settle(rule, item, advance)

    def _remove_expired(self, rule: PurgeRule, items: Sequence[_Wire], advance: Callable[[int], object]) -> None:
        """Remove items that have an end of their own, each unless it was given a later one since it
        was read.
        """
        for item in items:
            request: Any = {
                "TableName": rule.name,
                "Key": rule.key_of(item),
                "ConditionExpression": _STILL_EXPIRED,
                "ExpressionAttributeValues": to_wire({":now": epoch_seconds(self._now)}),
            }
            renewed = False
            for attempt in patient_attempts(self._stopping):
                with attempt:
                    try:
                        self._call(partial(self._dynamodb.delete_item, **request))
                    except self._dynamodb.exceptions.ConditionalCheckFailedException:
                        renewed = True
            self._settle(rule, item, advance, renewed=renewed)

    def _settle(self, rule: PurgeRule, item: _Wire, advance: Callable[[int], object], *, renewed: bool = False) -> None:
        with self._lock:
            tally = self._tally(rule, item)
            if renewed:
                tally.renewed += 1
            else:
                tally.removed += 1
            advance(1)

    def _tally(self, rule: PurgeRule, item: _Wire) -> PurgeTally:
        return self.tallies[rule.table].setdefault(rule.kind_of(item), PurgeTally())

    def _pages(self, rule: PurgeRule, segment: int) -> Iterator[Sequence[_Wire]]:
        names = {f"#{position}": name for position, name in enumerate(rule.attributes)}
        request: ScanInputTypeDef = {
            "TableName": rule.name,
            "Segment": segment,
            "TotalSegments": self._threads,
            "ProjectionExpression": ", ".join(names),
            "ExpressionAttributeNames": names,
            "ConsistentRead": True,
        }
        while not self._stopping.is_set():
            for attempt in patient_attempts(self._stopping):
                with attempt:
                    answer = self._call(partial(self._dynamodb.scan, **request))
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _call[T](self, call: Callable[[], T]) -> T:
        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in PASSING:
                raise ContentionError(code) from error
            raise
