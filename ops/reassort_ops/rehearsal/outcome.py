"""What became of a rehearsal: every committed reissue looked up in the tables, and held against
what was promised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any

from reassort.outbox import Channel, Delivery, HistoryStep, Kind, Message, Status, delivery_from_item
from reassort.tables import from_wire

from reassort_ops.language import joined, number, tr, trn
from reassort_ops.rehearsal.post import is_settled
from reassort_ops.state_words import state_word

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from reassort_ops.account.stack import Stack
    from reassort_ops.register.check import Reconciliation
    from reassort_ops.rehearsal.morning import MorningTally
    from reassort_ops.rehearsal.post import Post

_HANDED_OVER = frozenset({Status.SENT, Status.DELIVERED})
# Receipts of the last messages come after everything has been sent.
_QUIET_SECONDS = 8.0
_LOOK_SECONDS = 1.0


@dataclass
class Delivered:
    """What became of the committed reissues. `waits` are seconds from the request to the hand-over,
    by message and channel.

    Promised to be 0: `lost` were neither handed over nor superseded nor failed in sight; `wrong`
    are identifiers that are not the ones of their generation, or that left after their successor
    had been issued; `twice` are further copies that no voter asked for.
    """

    reissues: int = 0
    handed_over: int = 0
    arrived: int = 0
    failed: int = 0
    superseded: int = 0
    disputed: int = 0
    by_fallback: int = 0
    lost: int = 0
    wrong: int = 0
    twice: int = 0
    codes: int = 0
    codes_lost: int = 0
    waits: dict[str, list[float]] = field(default_factory=dict)
    lost_references: list[str] = field(default_factory=list)
    wrong_references: list[str] = field(default_factory=list)


async def settle(post: Post, tally: MorningTally, patience: float) -> None:
    """Wait until nothing of the voters waits to be sent and reports have come in, at most so many
    seconds without any change.
    """
    known = {committed.reference for committed in tally.committed}
    while post.failure is None:
        idle = time.monotonic() - post.changed_at
        complete = known <= post.latest.keys() and post.unsettled == 0
        if idle > (_QUIET_SECONDS if complete else patience):
            return
        await asyncio.sleep(_LOOK_SECONDS)


def judge(
    dynamodb: DynamoDBClient,
    stack: Stack,
    tally: MorningTally,
    voter_ids: frozenset[str],
    since: int,
    identifier_hashes: Mapping[str, str],
    sent_too_late: frozenset[str],
) -> Delivered:
    """Look up what became of every reissue that was answered, and of every one that the tables hold
    beside them.

    Args:
        dynamodb, stack: the tables.
        tally: what the voters saw.
        voter_ids: who asked.
        since: when the rehearsal began, milliseconds since 1970.
        identifier_hashes: by reference, the hash of the identifier that its message brought.
        sent_too_late: the references whose identifier was handed over after its successor had been
            issued.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    result = Delivered()
    deliveries = {
        item["delivery_id"]: delivery_from_item(item)
        for table in stack.outbox.all
        for item in _scan(dynamodb, table)
        if item["voter_id"] in voter_ids and item["created_at"] >= since
    }
    issued = {
        item["identifier_hash"]: (item["voter_id"], item["generation"])
        for item in _scan(dynamodb, stack.identifiers_table)
    }
    references = {committed.reference for committed in tally.committed}
    references |= {name for name, delivery in deliveries.items() if delivery.kind is Kind.REISSUE}
    for reference in sorted(references):
        result.reissues += 1
        delivery = deliveries.get(reference)
        if delivery is None or not is_settled(delivery):
            result.lost += 1
            result.lost_references.append(reference)
        else:
            _count(delivery, result)
            brought = identifier_hashes.get(reference)
            is_another = brought is not None and issued.get(brought) != (delivery.voter_id, delivery.generation)
            if is_another or reference in sent_too_late:
                result.wrong += 1
                result.wrong_references.append(reference)
    for delivery in deliveries.values():
        if delivery.kind is Kind.CODE:
            result.codes += 1
            result.codes_lost += not is_settled(delivery)
        _time(delivery, result)
    return result


def _count(delivery: Delivery, result: Delivered) -> None:
    status = delivery.status_of(Message.IDENTIFIER)
    result.superseded += delivery.superseded_at is not None and status not in _HANDED_OVER
    result.disputed += delivery.disputed_at is not None
    result.handed_over += status in _HANDED_OVER
    result.arrived += status is Status.DELIVERED
    result.failed += status is Status.FAILED
    result.by_fallback += delivery.fell_back
    for message in delivery.messages:
        sent = [step for step in _steps(delivery, message) if step.status is Status.SENT]
        result.twice += max(0, len(sent) - 1 - delivery.round_of(message))


def _time(delivery: Delivery, result: Delivered) -> None:
    for message in delivery.messages:
        first = next((step for step in _steps(delivery, message) if step.status is Status.SENT), None)
        if first is not None:
            channel = first.channel or Channel.EMAIL
            kind = tr("{message} by {channel}", message=state_word(message.value), channel=state_word(channel.value))
            result.waits.setdefault(kind, []).append((first.at - delivery.created_at) / 1000)


def _steps(delivery: Delivery, message: Message) -> Iterator[HistoryStep]:
    return (HistoryStep.read(step) for step in delivery.history if step["message"] == message)


def _scan(dynamodb: DynamoDBClient, table: str) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from map(from_wire, page["Items"])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` per cent of values do not exceed (nearest rank), 0 for none;
    `share` is more than 0, and 100 at most.
    """
    ordered = sorted(values)
    if not ordered:
        return 0.0
    return ordered[ceil(len(ordered) * share / 100) - 1]


@dataclass(frozen=True)
class RehearsalOutcome:
    """All of a rehearsal's result. `register` is None when the rehearsal was broken off before it
    was verified.
    """

    stack: str
    election: str
    seed: int
    voters: int
    share: float
    seconds: float
    at_once: int
    lasted: float
    tally: MorningTally
    delivered: Delivered
    register: Reconciliation | None

    @property
    def broken(self) -> list[str]:
        """Name each promise that was broken."""
        counts = {
            tr("reissues lost"): self.delivered.lost,
            tr("identifiers of a wrong generation"): self.delivered.wrong,
            tr("messages sent twice"): self.delivered.twice,
            tr("codes lost"): self.delivered.codes_lost,
            tr("voters were never answered"): self.tally.unanswered,
            tr("voters waited in vain"): self.tally.in_vain,
        }
        found = [joined(" ", (str(count), what)) for what, count in counts.items() if count]
        if self.register is not None and not self.register.holds:
            found.append(
                tr("the register does not verify") if self.register.faults else tr("the register does not reconcile")
            )
        return found

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Return the table of calls and waits: name, number, refused, failed, and the 50th, 95th
        and 99th percentile in seconds.
        """
        for name, call in sorted(self.tally.calls.items()):
            yield (name, *_counts(len(call.took), call.refused, call.failed), *_percentiles(call.took))
        for name, waits in (
            (tr("wait for the code"), self.tally.waited_for_code),
            (tr("wait for the identifier"), self.tally.waited_for_identifier),
        ):
            yield (name, *_counts(len(waits)), "", "", *_percentiles(waits))
        for kind, waits in sorted(self.delivered.waits.items()):
            yield (tr("hand-over of {kind}", kind=kind), *_counts(len(waits)), "", "", *_percentiles(waits))

    def sums(self) -> Iterator[tuple[str, str]]:
        """Return what the run adds up to, a line each."""
        tally, delivered = self.tally, self.delivered
        yield tr("voters on the fictional roll"), number(self.voters)
        yield tr("came, of them signed in"), f"{number(tally.came)}, {number(tally.signed_in)}"
        yield tr("committed reissues"), number(delivered.reissues)
        yield (
            tr("identifiers handed over, of them reported as arrived"),
            f"{number(delivered.handed_over)}, {number(delivered.arrived)}",
        )
        yield (
            tr("superseded before they left; disputed"),
            f"{number(delivered.superseded)}; {number(delivered.disputed)}",
        )
        yield (
            tr("failed, as the voter sees; gone by the other channel after a failure"),
            f"{number(delivered.failed)}; {number(delivered.by_fallback)}",
        )
        yield tr("redeliveries, votes"), f"{number(tally.redeliveries)}, {number(tally.votes)}"
        yield tr("lost"), number(delivered.lost)
        yield tr("of a wrong generation"), number(delivered.wrong)
        yield tr("sent twice"), number(delivered.twice)
        yield tr("codes queued, of them lost"), f"{number(delivered.codes)}, {number(delivered.codes_lost)}"
        for (call, status, code), count in sorted(self.tally.refusals.items()):
            kind = (
                tr("limit reached")
                if status == 429
                else tr("no answer")
                if status == 0
                else tr("failed")
                if status >= 500
                else tr("refused")
            )
            yield (
                tr(
                    "{kind}: {call}, {status} {code}",
                    kind=kind,
                    call=call,
                    status=status or code,
                    code=code if status else "",
                ).rstrip(),
                number(count),
            )
        for why, count in sorted(tally.gave_up.items()):
            yield tr("went away: {why}", why=why), number(count)
        yield tr("never answered; waited in vain"), f"{number(tally.unanswered)}; {number(tally.in_vain)}"
        yield tr("waited for a free connection (95 %), s"), number(percentile(tally.waited_for_connection, 95), 1)
        yield tr("register"), _register_line(self.register)

    def as_json(self) -> dict[str, Any]:
        """Return all of it for a program; times in seconds."""
        tally, delivered = self.tally, self.delivered
        return {
            "stack": self.stack,
            "election": self.election,
            "seed": self.seed,
            "voters": self.voters,
            "share": self.share,
            "seconds": self.seconds,
            "at_once": self.at_once,
            "lasted": round(self.lasted, 1),
            "came": tally.came,
            "signed_in": tally.signed_in,
            "votes": tally.votes,
            "disputes": tally.disputes,
            "redeliveries": tally.redeliveries,
            "unanswered": tally.unanswered,
            "in_vain": tally.in_vain,
            "calls": {
                name: {"number": len(call.took), "refused": call.refused, "failed": call.failed, **_spread(call.took)}
                for name, call in sorted(tally.calls.items())
            },
            "waits": {
                "code": {"number": len(tally.waited_for_code), **_spread(tally.waited_for_code)},
                "identifier": {"number": len(tally.waited_for_identifier), **_spread(tally.waited_for_identifier)},
            },
            "hand_over": {
                kind: {"number": len(waits), **_spread(waits)} for kind, waits in sorted(delivered.waits.items())
            },
            "refusals": [
                {"call": call, "status": status, "code": code, "number": count}
                for (call, status, code), count in sorted(tally.refusals.items())
            ],
            "gave_up": dict(sorted(tally.gave_up.items())),
            "reissues": {
                name: getattr(delivered, name)
                for name in ("reissues", "handed_over", "arrived", "failed", "superseded", "disputed", "by_fallback")
            },
            "lost": delivered.lost,
            "lost_references": delivered.lost_references,
            "wrong_generation": delivered.wrong,
            "wrong_references": delivered.wrong_references,
            "sent_twice": delivered.twice,
            "codes": delivered.codes,
            "codes_lost": delivered.codes_lost,
            "register": None
            if self.register is None
            else {
                "voters": self.register.voters,
                "entries": self.register.entries,
                "issued": self.register.issued,
                **{status.value: count for status, count in self.register.by_status.items()},
                "holds": self.register.holds,
                "faults": self.register.faults,
            },
            "broken": self.broken,
        }


def _register_line(register: Reconciliation | None) -> str:
    if register is None:
        return tr("not verified")
    states = " + ".join(f"{state_word(status.value)} {number(count)}" for status, count in register.by_status.items())
    verified = (
        tr("verified") if not register.faults else trn("{count} fault", "{count} faults", count=len(register.faults))
    )
    return tr(
        "{verified}: issued {issued:,} {sign} {states}",
        verified=verified,
        issued=register.issued,
        sign="=" if register.balances else "≠",
        states=states,
    )


def _counts(*counts: int) -> tuple[str, ...]:
    return tuple(number(count) for count in counts)


def _percentiles(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(number(percentile(values, share), 2) for share in (50, 95, 99))


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(percentile(values, share), 3) for share in (50, 95, 99)}
