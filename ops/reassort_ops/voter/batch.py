"""A batch: the next identifier for each voter of a list, one after another and at a pace.

The service remembers what a batch gave: its key is of the batch and the voter, and the same key
finds out what became of an earlier call. So nothing is kept on this machine, and a run that was
stopped anywhere is resumed by running it again, by any operator.
"""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from reassort.addresses import AddressFormatError, read_address
from reassort.problems import Code

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.file import RollFile
from reassort_ops.voter.api import HelpdeskApi, HelpdeskRefusalError, NoAnswerError, NothingToDoError

_EMAIL_PLACE, _SCHOOL_PLACE = (list(Column).index(column) for column in (Column.EMAIL, Column.ESTABLISHMENT))
# What is refused to one voter, and says nothing of the next one.
_OF_ONE_VOTER = frozenset(
    {
        Code.ALREADY_VOTED,
        Code.DELIVERY_IN_PROGRESS,
        Code.FROZEN,
        Code.NO_SUCH_VOTER,
        Code.OFF_ROLL,
        Code.PROPOSAL_CLOSED,
        Code.STALE_PAGE,
        Code.TOO_MANY_REISSUES,
    }
)
# Busy for a moment, or over a bound that lifts by itself.
_WAITS = (429, 500, 502, 503, 504)
_TRIES = 6
_LONGEST_WAIT = 3600


class BatchFault(StrEnum):
    """Why the service is not asked about a line."""

    NO_ROW = "invalid-row"
    NO_ADDRESS = "address-needed"
    INVALID = "invalid-address"
    TWICE = "duplicate"


@dataclass(frozen=True, slots=True)
class ListedVoter:
    """A line of the list. `address` is empty when `fault` says why there is none."""

    line: int
    address: str = field(repr=False, default="")
    fault: BatchFault | None = None


def listed_voters(file: RollFile, establishment: str | None = None) -> Iterator[ListedVoter]:
    """Read whom a file names, or those of one establishment.

    Raises:
        RollFileError: it cannot be read.
    """
    wanted = None if establishment is None else _plain(establishment)
    there = set[bytes]()
    for line in file.lines():
        if line.is_blank:
            continue
        if line.malformed is not None:
            yield ListedVoter(line.number, fault=BatchFault.NO_ROW)
            continue
        if wanted is not None and _plain(line.cells[_SCHOOL_PLACE]) != wanted:
            continue
        typed = line.cells[_EMAIL_PLACE].strip()
        try:
            address = read_address(typed)
        except AddressFormatError:
            fault = BatchFault.INVALID if "@" in typed else BatchFault.NO_ADDRESS
            yield ListedVoter(line.number, fault=fault)
            continue
        digest = sha256(address.encode()).digest()[:16]
        yield ListedVoter(line.number, address, BatchFault.TWICE if digest in there else None)
        there.add(digest)


def batch_key(name: str, address: str) -> str:
    """Return the key under which a batch gives one voter one identifier."""
    return sha256(f"reassort batch\0{name}\0{address}".encode()).hexdigest()


@dataclass
class BatchBalance:
    """Where everybody of the list went: asked = given + given before + proposed + refused + left.

    `refused` counts by the code of the refusal, those of lines too.
    """

    asked: int
    given: int = 0
    given_before: int = 0
    proposed: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def left(self) -> int:
        """Return how many were not reached, or whose outcome is not known."""
        return self.asked - self.given - self.given_before - self.proposed - self.refused.total()


@dataclass(frozen=True)
class VoterBatch:
    """One run of a batch. `pause` waits for so many seconds, `clock` counts them; `now` tells
    whether a proposal still waits; `tell` is told what is waited for.
    """

    api: HelpdeskApi
    name: str
    reason: str
    per_minute: int
    now: Callable[[], datetime]
    tell: Callable[[str], object]
    pause: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def run(
        self, voters: Iterable[ListedVoter], balance: BatchBalance, refuse: Callable[[int, str], object]
    ) -> Iterator[None]:
        """Give each voter the next identifier, and count what became of them; yield after each.
        `refuse` is told the line and the code of each refusal.

        Raises:
            OperatorError: nothing more can be given. The same run again goes on from there.
        """
        turn = self.clock()
        for voter in voters:
            refusal: str | None = voter.fault
            if voter.fault is None:
                self.pause(max(0.0, turn - self.clock()))
                started = self.clock()
                refusal, sent = self._give(voter, balance)
                # What was given before sends nothing, and is passed over at once.
                turn = started + 60 / self.per_minute if sent else started
            if refusal is not None:
                balance.refused[refusal] += 1
                refuse(voter.line, refusal)
            yield

    def _give(self, voter: ListedVoter, balance: BatchBalance) -> tuple[str | None, bool]:
        """Return why a voter is refused, and whether something may have been sent."""
        key = batch_key(self.name, voter.address)
        # An earlier try of this run may have had its effect.
        unknown = False
        for attempt in range(1, _TRIES + 1):
            try:
                answer = self.api.give_in_batch(voter.address, self.reason, key)
            except NothingToDoError:
                return Code.NOTHING_TO_DO.value, False
            except NoAnswerError:
                unknown = True
                self._wait(attempt, None, tr("no answer"))
            except HelpdeskRefusalError as refusal:
                if refusal.code in _OF_ONE_VOTER:
                    return refusal.code, False
                if refusal.fault.startswith("who/"):
                    of_domain = refusal.fault == "who/domain"
                    return Code.EMAIL_DOMAIN.value if of_domain else BatchFault.INVALID.value, False
                if refusal.status not in _WAITS:
                    raise
                unknown = unknown or refusal.status >= 500
                self._wait(attempt, refusal.retry_after, refusal.code or str(refusal.status))
            else:
                return self._count(answer, balance, unknown=unknown)
        raise AssertionError  # pragma: no cover - the last attempt returns or raises

    def _count(self, answer: dict[str, Any], balance: BatchBalance, *, unknown: bool) -> tuple[str | None, bool]:
        if "proposal" in answer:
            if datetime.fromisoformat(answer["proposal"]["expires_at"]) <= self.now():
                return Code.PROPOSAL_CLOSED.value, False
            balance.proposed += 1
            return None, True
        if answer["before"] and not unknown:
            balance.given_before += 1
            return None, False
        balance.given += 1
        return None, True

    def _wait(self, attempt: int, retry_after: int | None, why: str) -> None:
        seconds = 2**attempt if retry_after is None else retry_after
        if attempt == _TRIES or seconds > _LONGEST_WAIT:
            raise OperatorError(tr("the helpdesk's API gives nothing more for now ({why})", why=why))
        if seconds >= 10:
            self.tell(tr("waits for {seconds} s ({why})", seconds=seconds, why=why))
        self.pause(seconds)


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()
