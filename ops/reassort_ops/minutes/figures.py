"""The figures of the minutes: what the page shows and `--json` prints. None is a figure that could
not be known, never a zero.

Nothing is about one voter. Instants are aware, in the election's time zone where it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from reassort.register import Change


class MinutesBasis(StrEnum):
    """What the register's figures rest on: a signed file that verifies, or the tables alone."""

    SIGNED_FILE = "signed-file"
    TABLES = "tables"


@dataclass(frozen=True)
class MinutesHead:
    """Which election it is. What only the election file tells is None without it."""

    election: str
    stack: str
    zone: str
    name: str | None
    organiser: str | None
    reissues_open_at: datetime | None
    reissues_close_at: datetime | None
    ballot_opens_at: datetime | None
    ballot_closes_at: datetime | None


@dataclass(frozen=True)
class ElectionAct:
    """What an operator did to the election as a whole. `until` is what the act names: when reissues
    stop, or when a prolonged ballot closes.
    """

    at: datetime
    change: Change
    actor: str
    until: datetime | None
    reason: str


@dataclass(frozen=True)
class ReissuesByHand:
    """Reissues by who made them. They add up to all reissues of the register."""

    voter: int
    agent: int
    operator: int
    two_people: int


@dataclass(frozen=True)
class ReissuesByWay:
    """Reissues by the way that was asked for, of those whose delivery is kept; the first three add
    up to all. `fell_back` went by the other way by themselves, `redelivered` because the voter
    asked.
    """

    sms: int | None
    email: int | None
    unknown: int | None
    fell_back: int | None
    redelivered: int | None


@dataclass(frozen=True)
class IdentifiersSent:
    """Where the identifiers of the reissues stand, of those whose delivery is kept."""

    delivered: int | None
    sent: int | None
    waiting: int | None
    failed: int | None
    superseded: int | None


@dataclass(frozen=True)
class DisputesSettled:
    """« Ce n’était pas moi », and what became of it: another identifier was given, it is frozen
    still, the vote was recorded already, the identifier had been replaced already.
    """

    total: int
    replaced: int
    frozen: int
    voted: int
    former: int


@dataclass(frozen=True)
class FreezesSettled:
    """Freezes by helpdesk and operators, and what became of them."""

    total: int
    unfrozen: int
    replaced: int
    frozen: int


@dataclass(frozen=True)
class RollChange:
    """How often the register has a change of the roll or of a voter's locks; `change` is the
    register's own word.
    """

    change: str
    count: int


@dataclass(frozen=True)
class IdentifierBalance:
    """Every identifier that was ever issued, by what became of it."""

    issued: int
    active: int
    revoked: int
    used: int
    frozen: int
    balances: bool


@dataclass(frozen=True)
class PlatformReconciled:
    """What the voting platform counts, and how far it agrees. `votes` was given by hand; the others
    are of the platform's list of identifiers.
    """

    votes: int | None = None
    compared: int | None = None
    used: int | None = None
    differences: int | None = None


@dataclass(frozen=True)
class RegisterSeal:
    """The signature of the register's file: of which file, over which root, by which key."""

    file: str
    file_sha256: str
    started_at: str
    finished_at: str
    entries: int
    merkle_root: str
    algorithm: str
    signature: str
    key_id: str
    public_key_sha256: str
    helpdesk_chains: int
    helpdesk_checked: bool


@dataclass(frozen=True)
class VersionsRun:
    """What ran: the command, the layer that all functions share, the election file in it."""

    command: str
    layer: str | None = None
    layer_sha256: str | None = None
    election_sha256: str | None = None


@dataclass(frozen=True)
class AlarmRung:
    """How often an alarm rang, and when first and last. `name` is without the stack's."""

    name: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class IncidentsSeen:
    """What went wrong. Alarms are those since `alarms_since`: CloudWatch forgets older ones."""

    undelivered: int | None = None
    dead_letters: int | None = None
    alarms: tuple[AlarmRung, ...] | None = None
    alarms_since: datetime | None = None


@dataclass(frozen=True)
class Minutes:
    """All of it. `faults` say in the command's own words what does not verify."""

    head: MinutesHead
    at: datetime
    checked: MinutesBasis
    voters: int
    acts: tuple[ElectionAct, ...]
    reissues: int
    by_hand: ReissuesByHand
    by_way: ReissuesByWay
    sent: IdentifiersSent
    disputes: DisputesSettled
    freezes: FreezesSettled
    roll_changes: tuple[RollChange, ...]
    identifiers: IdentifierBalance
    votes: int
    platform: PlatformReconciled
    seal: RegisterSeal | None
    faults: tuple[str, ...]
    incidents: IncidentsSeen
    versions: VersionsRun

    @property
    def holds(self) -> bool:
        """Tell whether the register verifies and nothing that was compared differs."""
        votes = self.platform.votes
        agrees = not self.platform.differences and (votes is None or votes == self.votes)
        return self.identifiers.balances and not self.faults and agrees
