"""Handing messages over no faster than the providers take them: each lane gives out turns, at the election's rate.

A lane is one item with one instant, `next_at`: when the next turn begins (a virtual-scheduling form of the generic cell rate algorithm,
ITU-T I.371). Taking a turn is one conditional write that moves it by one interval, so any number of workers together keep the
rate, messages keep their order, and a turn that lies ahead is the expected wait of its message. The SMS lane counts the day's SMS
in the same write.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.election import Election
from reassort.table_keys import pace_key, sms_day_attribute
from reassort.tables import ConditionFailedError, Item, update_one, update_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Providers count by the second, so what comes within one second of its turn may go at once.
BURST_MILLISECONDS = 1000
# How far behind a lane's next turn may be before the lane counts as idle. Without it, a lane used at less than its rate would
# change between idle and busy at nearly every message, and each change costs a refused write.
_SLACK_MILLISECONDS = 200
# For how long a worker that took a turn expects the lane to be in use.
_IN_USE_MILLISECONDS = 1000
# How far a provider that throttles pushes its lane's next turn away.
_SLOWED_MILLISECONDS = 2000
_KEPT_SECONDS = 3 * 86_400


class Lane(StrEnum):
    """What waits together. Codes do not queue behind other e-mails: they die after minutes."""

    CODE = "code"
    EMAIL = "email"
    SMS = "sms"


class DailyCapError(Exception):
    """The election's SMS of this day are used up."""


class Pace:
    """The turns of all lanes, kept in the pace table. Times are milliseconds since 1970, stored in microseconds."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, election: Election) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._zone = election.zone
        self._cap = election.sending.sms_per_day
        self._intervals = {
            Lane.CODE: 1_000_000 // election.sending.codes_per_second,
            Lane.EMAIL: 1_000_000 // election.sending.emails_per_second,
            Lane.SMS: 1_000_000 // election.sending.sms_per_second,
        }
        # When this worker last took a turn in each lane, in microseconds.
        self._taken_at: dict[Lane, int] = {}
        # The share of the day's SMS that is used, in per cent, as of the last SMS of this worker.
        self.sms_cap_used = 0.0

    def take_turn(self, lane: Lane, now: datetime) -> int:
        """Take the lane's next turn and return when it is: now, or up to any time ahead.

        Raises:
            DailyCapError: the day's SMS are used up.
            botocore.exceptions.ClientError: the table cannot be reached.
        """
        at = epoch_milliseconds(now) * 1000
        interval = self._intervals[lane]
        idle = (
            "SET next_at = :moved",
            "(attribute_not_exists(next_at) OR next_at <= :behind)",
            {":moved": at + interval},
        )
        busy = ("SET next_at = next_at + :interval", "next_at > :behind", {":interval": interval})
        # One is a guess, and the other is tried when it was wrong.
        in_use = at - self._taken_at.get(lane, 0) < _IN_USE_MILLISECONDS * 1000
        forms = (busy, idle) if in_use else (idle, busy)
        for _ in range(2):
            for form in forms:
                taken = self._take(lane, now, *form, behind=at - _SLACK_MILLISECONDS * 1000)
                if taken is not None:
                    self._taken_at[lane] = at
                    return max(taken - interval, at) // 1000
        # The lane changed between idle and busy four times within a few milliseconds: it is lightly used.
        return at // 1000

    def slow_down(self, lane: Lane, now: datetime) -> None:
        """Let nobody take a turn in this lane for a moment: its provider throttles."""
        until = (epoch_milliseconds(now) + _SLOWED_MILLISECONDS) * 1000
        self._write(
            lane,
            now,
            "SET next_at = :until",
            "attribute_not_exists(next_at) OR next_at < :until",
            {":until": until},
        )

    def _take(
        self, lane: Lane, now: datetime, expression: str, condition: str, values: dict[str, int], *, behind: int
    ) -> int | None:
        names = {}
        if lane is Lane.SMS:
            names = {"#day": sms_day_attribute(now.astimezone(self._zone))}
            condition = f"{condition} AND (attribute_not_exists(#day) OR #day < :cap)"
            values = {**values, ":cap": self._cap, ":one": 1}
            expression = f"{expression}, #day = if_not_exists(#day, :none) + :one"
            values[":none"] = 0
        taken = self._write(lane, now, expression, condition, {**values, ":behind": behind}, names)
        if taken is None:
            return None
        if lane is Lane.SMS:
            self.sms_cap_used = 100 * taken[names["#day"]] / self._cap
        next_at: int = taken["next_at"]
        return next_at

    def _write(
        self,
        lane: Lane,
        now: datetime,
        expression: str,
        condition: str,
        values: dict[str, int],
        names: dict[str, str] | None = None,
    ) -> Item | None:
        request = update_request(
            self._table,
            {"key": pace_key(lane)},
            f"{expression}, expires_at = :kept",
            condition,
            {**values, ":kept": epoch_seconds(now) + _KEPT_SECONDS},
            names,
        )
        try:
            return update_one(self._dynamodb, request, returns="ALL_NEW")
        except ConditionFailedError as refusal:
            day = (names or {}).get("#day")
            if day and refusal.item and refusal.item.get(day, 0) >= self._cap:
                raise DailyCapError from refusal
            return None
