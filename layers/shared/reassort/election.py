"""One election as data: names, mail domains, windows, helpdesk hours, limits, identifier format.

The file an operator writes is YAML (`elections/<id>.yaml`), which `reassort.election_file` reads and validates. The build turns it
into JSON inside the layer. What was validated there is not validated again: these are plain records, which cost a cold start
nothing, where pydantic's models cost it a quarter (docs/performance.md).
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, dataclass_transform
from zoneinfo import ZoneInfo

type Territory = Literal["FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF"]


class ElectionFileError(ValueError):
    """An election file cannot be used. The message names the file, each field and the reason."""


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Part:
    """A part of an election, immutable. It has exactly the members that its class names."""

    def __init__(self, **members: Any) -> None:
        if members.keys() != self.__annotations__.keys():
            raise TypeError(f"{type(self).__name__}: {', '.join(sorted(members.keys() ^ self.__annotations__.keys()))}")
        vars(self).update(members)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")


class Opening(Part):
    """A span of helpdesk hours in one day, local time: `start` included, `end` excluded."""

    start: time
    end: time


class HelpdeskHours(Part):
    """Helpdesk hours of one period: Monday to Friday, and single dates that replace the rule of their weekday."""

    weekdays: tuple[Opening, ...]
    dates: Mapping[date, tuple[Opening, ...]]


class Helpdesk(Part):
    """The phone service that helps voters."""

    phone: str
    outside_voting: HelpdeskHours
    during_voting: HelpdeskHours


class Window(Part):
    """A span of time, `opens_at` included and `closes_at` excluded; aware once the election has been validated."""

    opens_at: datetime
    closes_at: datetime

    def contains(self, instant: datetime) -> bool:
        """Tell whether the aware `instant` lies inside."""
        return self.opens_at <= instant < self.closes_at


class Windows(Part):
    """When identifiers are reissued, and when the ballot is open."""

    reissue: Window
    voting: Window


class Domain(Part):
    """A professional mail domain and how it is described to voters."""

    domain: str
    staff: str
    example: str


class Phones(Part):
    """Where accepted mobile numbers come from (ISO 3166-1 alpha-2 codes of French territories)."""

    territories: tuple[Territory, ...]


class ExtraProof(Part):
    """One further fact that the roll holds and a voter must know, beside mailbox and NUMEN. Label, hint and fault are French, for voters.

    A `text` has so many letters and digits, blanks and hyphens not counted. Fewer than 4 would be guessed within the tries of the lock.
    """

    kind: Literal["date", "text"]
    label: str
    hint: str
    fault: str
    min_length: int | None
    max_length: int | None


class Senders(Part):
    """Who messages come from. An SMS sender id has at most 11 letters and digits (3GPP TS 23.040)."""

    email_name: str
    email_local_part: str
    sms_sender_id: str
    sms_name: str


class IdentifierFormat(Part):
    """Shape of an identifier: random symbols, one check symbol added, shown in groups.

    13 symbols of the 30-letter alphabet carry 63 bits; fewer would fall under the 60 bits the service promises.
    """

    symbols: int
    group: int


class CodeLimits(Part):
    """One-time codes. ASVS 5.0 6.5.x and 6.6.3, NIST SP 800-63B-4 section 3.1.3.2."""

    lifetime_minutes: int
    tries: int
    resend_seconds: int
    latest_valid: int
    bucket: int
    refill_minutes: int
    # Sources that may each have one more code in a window of `limits.source` while the bucket is empty.
    reserve: int
    alarm_per_day: int


class NumenLimits(Part):
    """Wrong NUMENs: a lock of minutes after some, until the helpdesk unlocks after more."""

    lock_after: int
    lock_minutes: int
    helpdesk_after: int


class SessionLimits(Part):
    """Lifetime of a session. ASVS 5.0 7.3.1 and 7.3.2."""

    idle_minutes: int
    absolute_minutes: int


class SourceLimits(Part):
    """Codes that one source (an IPv4 address, or a /64 of IPv6) may ask for in each window of so many minutes.

    Wide, for a whole school or academy may share one address.
    """

    # No fewer than the shards of the count (`login.source_limit.SHARDS`).
    codes: int
    window_minutes: int


class ReissueLimits(Part):
    """Reissues of one voter."""

    per_day: int
    in_all: int


class PhoneLimits(Part):
    """Use of one phone number: by how many voters, and how many SMS in 24 hours."""

    voters: int
    sms_per_day: int


class Sending(Part):
    """How fast messages are handed over, and how many SMS a day.

    Codes have a rate of their own, for they die after minutes. SES counts both: `codes_per_second` and `emails_per_second` together must
    stay under the account's rate. Carriers take some 10 SMS a second.
    """

    codes_per_second: int
    emails_per_second: int
    sms_per_second: int
    sms_per_day: int
    # A voter whose SMS waits for longer than this is told so and offered the other channel at once.
    long_wait_seconds: int


class Limits(Part):
    """Every limit of the service."""

    code: CodeLimits
    source: SourceLimits
    numen: NumenLimits
    session: SessionLimits
    reissues: ReissueLimits
    phone: PhoneLimits
    redeliveries: int
    sms_max_price_usd: Decimal


class Retention(Part):
    """How long things are kept: a delivery from its request on, roll and register from the close of the ballot on."""

    deliveries_days: int
    redelivery_minutes: int
    # Voters and identifiers.
    roll_days: int
    register_days: int


class CanaryTarget(Part):
    """Where the canaries of one mail domain go: a mailbox in it, a handset, or both. They are the service's own, and nobody's.

    `handset` is in E.164, for example `+33612345678`.
    """

    domain: str
    mailbox: str | None
    handset: str | None


class Canaries(Part):
    """Messages that the service sends to itself on the way that voters' take, to see that they arrive.

    Each target gets one every `every_minutes`, from the full hour on; one that has not arrived `late_after_minutes` later is missing.
    """

    every_minutes: int
    late_after_minutes: int
    targets: tuple[CanaryTarget, ...]


class Election(Part):
    """What the functions know of an election."""

    id: str
    name: str
    organiser: str
    timezone: str
    windows: Windows
    helpdesk: Helpdesk
    domains: tuple[Domain, ...]
    phones: Phones
    extra_proof: ExtraProof | None
    senders: Senders
    identifier: IdentifierFormat
    limits: Limits
    sending: Sending
    retention: Retention
    canaries: Canaries | None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The election's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def roll_ends_at(self) -> datetime:
        """From when on voters and identifiers are kept no longer."""
        return self._after_ballot(self.retention.roll_days)

    @property
    def register_ends_at(self) -> datetime:
        """From when on the register is kept no longer."""
        return self._after_ballot(self.retention.register_days)

    def _after_ballot(self, days: int) -> datetime:
        # At the hour of the close on the wall clock, whatever daylight saving did since.
        return self.windows.voting.closes_at.astimezone(self.zone) + timedelta(days=days)

    @property
    def domain_names(self) -> tuple[str, ...]:
        """Accepted mail domains, in the order of the file."""
        return tuple(domain.domain for domain in self.domains)


def packaged_election(election_id: str) -> Election:
    """Read the election that the build validated and put beside this module.

    Raises:
        ElectionFileError: no election of that id was packaged, or its file is damaged.
    """
    path = Path(__file__).parent / "elections" / f"{election_id}.json"
    try:
        return election_from_json(path.read_bytes())
    except OSError as error:
        raise ElectionFileError(f"{path.name}: no election of that name was built into the layer") from error
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as error:
        raise ElectionFileError(f"{path.name}: {type(error).__name__}") from error


def election_from_json(content: str | bytes) -> Election:
    """Read what `ElectionFile.for_functions` wrote.

    Raises:
        ValueError, ArithmeticError, LookupError, TypeError, AttributeError: it is something else.
    """
    read = json.loads(content)
    limits, helpdesk = read["limits"], read["helpdesk"]
    return Election(
        **{
            **read,
            "windows": Windows(**{name: _window(window) for name, window in read["windows"].items()}),
            "helpdesk": Helpdesk(
                phone=helpdesk["phone"],
                outside_voting=_hours(helpdesk["outside_voting"]),
                during_voting=_hours(helpdesk["during_voting"]),
            ),
            "domains": tuple(Domain(**domain) for domain in read["domains"]),
            "phones": Phones(territories=tuple(read["phones"]["territories"])),
            "extra_proof": read["extra_proof"] and ExtraProof(**read["extra_proof"]),
            "senders": Senders(**read["senders"]),
            "identifier": IdentifierFormat(**read["identifier"]),
            "limits": Limits(
                code=CodeLimits(**limits["code"]),
                source=SourceLimits(**limits["source"]),
                numen=NumenLimits(**limits["numen"]),
                session=SessionLimits(**limits["session"]),
                reissues=ReissueLimits(**limits["reissues"]),
                phone=PhoneLimits(**limits["phone"]),
                redeliveries=limits["redeliveries"],
                sms_max_price_usd=Decimal(limits["sms_max_price_usd"]),
            ),
            "sending": Sending(**read["sending"]),
            "retention": Retention(**read["retention"]),
            "canaries": read["canaries"] and _canaries(read["canaries"]),
        }
    )


def _canaries(canaries: Mapping[str, Any]) -> Canaries:
    return Canaries(**{**canaries, "targets": tuple(CanaryTarget(**target) for target in canaries["targets"])})


def _window(window: Mapping[str, str]) -> Window:
    return Window(
        opens_at=datetime.fromisoformat(window["opens_at"]), closes_at=datetime.fromisoformat(window["closes_at"])
    )


def _hours(hours: Mapping[str, Any]) -> HelpdeskHours:
    return HelpdeskHours(
        weekdays=_openings(hours["weekdays"]),
        dates={date.fromisoformat(day): _openings(openings) for day, openings in hours["dates"].items()},
    )


def _openings(openings: list[Mapping[str, str]]) -> tuple[Opening, ...]:
    return tuple(
        Opening(start=time.fromisoformat(opening["start"]), end=time.fromisoformat(opening["end"]))
        for opening in openings
    )
