"""Handing messages over no faster than the providers take them: each lane gives out turns, at the
election's rate.

A lane is one item with one instant, `next_at`: when the next turn begins (a virtual-scheduling form
of the generic cell rate algorithm, ITU-T I.371). Taking a turn is one conditional write that moves
it by one interval, so any number of workers together keep the rate, messages keep their order, and
a turn that lies ahead is the expected wait of its message. The SMS lane counts the day's SMS in the
same write.

Codes are asked for by anybody, so their lane is shared between the networks that ask. While little
waits, each code takes the next turn. Beyond that a code first waits for the turn of its own
network, which has a fixed share of the rate: a network that asks for thousands waits for itself,
and the lane stays short for the others. A turn that a code would not live to see is never taken.

Codes have a room as well: in any 24 hours at most `sending.codes_per_day` leave, half of them at
once (the same algorithm, on the lane's instant `room_at`, in the same write). So they never use up
what SES lets the account send, which identifiers and confirmations need. A fifth of what may leave
at once is kept for networks that ask for little.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds, epoch_seconds
from reassort.election import Election
from reassort.table_keys import kept_codes_attribute, pace_key, share_key, sms_day_attribute
from reassort.tables import ConditionFailedError, Item, update_one, update_request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Providers count by the second, so what comes within one second of its turn may go at once.
BURST_MILLISECONDS = 1000
# How far behind a lane's next turn may be before the lane counts as idle. Without it, a lane used
# at less than its rate would change between idle and busy at nearly every message, and each change
# costs a refused write.
_SLACK_MILLISECONDS = 200
# For how long a worker that took a turn expects the lane to be in use.
_IN_USE_MILLISECONDS = 1000
# How far a provider that throttles pushes its lane's next turn away.
_SLOWED_MILLISECONDS = 2000
_KEPT_SECONDS = 3 * 86_400
# The lane of codes may be this long before the networks' shares count.
_SHORT_MILLISECONDS = 5000
# A network's share of the lane of codes: this part of its rate, and at once a fifth of what the
# lane takes in a second. So it takes 64 networks that ask without end to fill the lane; what they
# have at once holds it up for some 13 s.
_SHARES = 64
_AT_ONCE_OF_A_SECOND = 5
_DAY_MICROSECONDS = 86_400_000_000
# The room is used up when its instant is this far ahead; for everybody, at four fifths of it. Of
# the rest a network has a 150th a day.
_ROOM_MICROSECONDS = _DAY_MICROSECONDS
_ROOM_FOR_ALL_MICROSECONDS = _ROOM_MICROSECONDS * 4 // 5
_KEPT_OF_A_DAY = 1500


class Lane(StrEnum):
    """What waits together. Codes do not queue behind other e-mails: they die after minutes."""

    CODE = "code"
    EMAIL = "email"
    SMS = "sms"


class DailyCapError(Exception):
    """The election's SMS of this day are used up."""


class CodesUsedUpError(Exception):
    """As many codes have left as may leave in a day."""


class TurnTooLateError(Exception):
    """The next turn lies beyond what was asked for. It was not taken."""


class Pace:
    """The turns of all lanes, kept in the pace table. Times are milliseconds since 1970, stored in
    microseconds.
    """

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
        # Half of the day's codes may leave at once; the room for the other half comes in 24 hours.
        self._room_interval = 2 * _DAY_MICROSECONDS // election.sending.codes_per_day
        # The first of a day is given in any case.
        self._kept_for_each = election.sending.codes_per_day // _KEPT_OF_A_DAY
        # When all the room will be there again, as this worker last saw it, in microseconds.
        self._room_at = 0
        # The share of the room that is used, in per cent, as of the last code of this worker.
        self.codes_used = 0.0
        # When this worker last took a turn in each lane, in microseconds.
        self._taken_at: dict[Lane, int] = {}
        # When the next turn of the lane of codes began, as this worker last saw it, in
        # microseconds.
        self._codes_next_at = 0
        # The share of the day's SMS that is used, in per cent, as of the last SMS of this worker.
        self.sms_cap_used = 0.0

    def take_short_turn(self, source: str, now: datetime) -> int:
        """Take the next turn of the lane of codes, as `take_code_turn` does, while little waits.

        Raises:
            CodesUsedUpError: as many have left as may.
            TurnTooLateError: too much waits.
        """
        at = epoch_milliseconds(now)
        if self._codes_next_at > (at + _SHORT_MILLISECONDS) * 1000:
            # Known from a moment ago: in a flood the lane's item is spared a write that would be
            # refused.
            raise TurnTooLateError
        return self.take_code_turn(source, now, at + _SHORT_MILLISECONDS)

    def take_code_turn(self, source: str, now: datetime, latest: int) -> int:
        """Take the next turn of the lane of codes, up to `latest`, for a network.

        Raises:
            CodesUsedUpError: as many codes have left as may; or so many that only networks which
                ask for little have more, and this one asks for much.
            TurnTooLateError: it lies beyond `latest`.
            botocore.exceptions.ClientError: the table cannot be reached.
        """
        try:
            return self.take_turn(Lane.CODE, now, latest)
        except CodesUsedUpError:
            self.take_kept_code(source, now)
            return self.take_turn(Lane.CODE, now, latest, room=_ROOM_MICROSECONDS)

    def take_kept_code(self, source: str, now: datetime) -> None:
        """Count a code of those that are kept for networks which ask for little.

        Raises:
            CodesUsedUpError: this network has had its part of them today.
            botocore.exceptions.ClientError: the table cannot be reached.
        """
        taken = self._write(
            share_key(source),
            now,
            "SET #day = if_not_exists(#day, :none) + :one",
            "attribute_not_exists(#day) OR #day < :most",
            {":none": 0, ":one": 1, ":most": self._kept_for_each},
            {"#day": kept_codes_attribute(now.astimezone(self._zone))},
        )
        if taken is None:
            raise CodesUsedUpError

    def take_share(self, source: str, now: datetime, latest: int) -> int:
        """Take the next turn of a network in its share of the lane of codes; return when it is.

        Raises:
            TurnTooLateError: it lies beyond `latest`.
            botocore.exceptions.ClientError: the table cannot be reached.
        """
        interval = self._intervals[Lane.CODE] * _SHARES
        ahead = interval * max(1, 1_000_000 // self._intervals[Lane.CODE] // _AT_ONCE_OF_A_SECOND)
        at = epoch_milliseconds(now) * 1000
        key = share_key(source)
        idle = (
            "SET next_at = :moved",
            "(attribute_not_exists(next_at) OR next_at <= :at)",
            {":moved": at + interval, ":at": at},
        )
        busy = (
            "SET next_at = next_at + :interval",
            "next_at <= :latest",
            {":interval": interval, ":latest": latest * 1000 + ahead},
        )
        for form in (idle, busy):
            taken = self._write(key, now, *form)
            if taken is not None:
                next_at: int = taken["next_at"]
                return max(next_at - interval - ahead, at) // 1000
        raise TurnTooLateError

    def take_turn(
        self, lane: Lane, now: datetime, latest: int | None = None, *, room: int = _ROOM_FOR_ALL_MICROSECONDS
    ) -> int:
        """Take the lane's next turn and return when it is: now, or up to any time ahead, or up to
        `latest`. `room` is how far ahead the room of codes may be.

        Raises:
            DailyCapError: the day's SMS are used up.
            CodesUsedUpError: the room of codes is.
            TurnTooLateError: it lies beyond `latest`.
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
        if latest is not None:
            busy = (busy[0], f"{busy[1]} AND next_at <= :latest", {**busy[2], ":latest": latest * 1000})
        # One is a guess, and the other is tried when it was wrong.
        in_use = at - self._taken_at.get(lane, 0) < _IN_USE_MILLISECONDS * 1000
        forms = (busy, idle) if in_use else (idle, busy)
        for _ in range(2):
            for form in forms:
                taken = self._take(lane, now, *form, behind=at - _SLACK_MILLISECONDS * 1000, room=room)
                if taken is not None:
                    self._taken_at[lane] = at
                    return max(taken - interval, at) // 1000
        # The lane changed between idle and busy four times within a few milliseconds: it is lightly
        # used.
        return at // 1000

    def slow_down(self, lane: Lane, now: datetime) -> None:
        """Let nobody take a turn in this lane for a moment: its provider throttles."""
        until = (epoch_milliseconds(now) + _SLOWED_MILLISECONDS) * 1000
        self._write(
            pace_key(lane),
            now,
            "SET next_at = :until",
            "attribute_not_exists(next_at) OR next_at < :until",
            {":until": until},
        )

    def _take(
        self,
        lane: Lane,
        now: datetime,
        expression: str,
        condition: str,
        values: dict[str, int],
        *,
        behind: int,
        room: int,
    ) -> int | None:
        if lane is not Lane.CODE:
            return self._take_formed(lane, now, expression, condition, values, behind=behind)
        at = epoch_milliseconds(now) * 1000
        interval = self._room_interval
        all_there = (", room_at = :room_moved", "(attribute_not_exists(room_at) OR room_at <= :at)")
        some_used = (", room_at = room_at + :room_interval", "room_at > :at AND room_at <= :room_latest")
        given = (
            {":at": at, ":room_moved": at + interval},
            {":at": at, ":room_interval": interval, ":room_latest": at + room - interval},
        )
        for _ in range(2):
            used = self._room_at > at
            sets, holds = some_used if used else all_there
            taken = self._take_formed(
                lane, now, expression + sets, f"{condition} AND {holds}", {**values, **given[used]}, behind=behind
            )
            if taken is not None:
                self.codes_used = min(100.0, 100 * (self._room_at - at) / _ROOM_FOR_ALL_MICROSECONDS)
                return taken
            if used is (self._room_at > at):
                return None
        return None

    def _take_formed(
        self, lane: Lane, now: datetime, expression: str, condition: str, values: dict[str, int], *, behind: int
    ) -> int | None:
        names = {}
        if lane is Lane.SMS:
            names = {"#day": sms_day_attribute(now.astimezone(self._zone))}
            condition = f"{condition} AND (attribute_not_exists(#day) OR #day < :cap)"
            values = {**values, ":cap": self._cap, ":one": 1}
            expression = f"{expression}, #day = if_not_exists(#day, :none) + :one"
            values[":none"] = 0
        request = {**values, ":behind": behind}
        try:
            taken = self._write_known(pace_key(lane), now, expression, condition, request, names)
        except ConditionFailedError as refusal:
            found = refusal.item or {}
            if names and found.get(names["#day"], 0) >= self._cap:
                raise DailyCapError from refusal
            if found.get("next_at", 0) > values.get(":latest", found.get("next_at", 0)):
                self._codes_next_at = found["next_at"]
                raise TurnTooLateError from refusal
            if lane is Lane.CODE:
                self._room_at = found.get("room_at", 0)
            if self._room_at > values.get(":room_latest", self._room_at):
                raise CodesUsedUpError from refusal
            return None
        self._room_at = taken.get("room_at", self._room_at)
        if lane is Lane.SMS:
            self.sms_cap_used = 100 * taken[names["#day"]] / self._cap
        next_at: int = taken["next_at"]
        return next_at

    def _write(
        self,
        key: str,
        now: datetime,
        expression: str,
        condition: str,
        values: dict[str, int],
        names: dict[str, str] | None = None,
    ) -> Item | None:
        try:
            return self._write_known(key, now, expression, condition, values, names)
        except ConditionFailedError:
            return None

    def _write_known(
        self,
        key: str,
        now: datetime,
        expression: str,
        condition: str,
        values: dict[str, int],
        names: dict[str, str] | None = None,
    ) -> Item:
        request = update_request(
            self._table,
            {"key": key},
            f"{expression}, expires_at = :kept",
            condition,
            {**values, ":kept": epoch_seconds(now) + _KEPT_SECONDS},
            names or None,
        )
        return update_one(self._dynamodb, request, returns="ALL_NEW")
