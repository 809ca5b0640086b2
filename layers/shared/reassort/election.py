"""One election as data: names, mail domains, windows, helpdesk hours, limits, identifier format.

The file an operator writes is YAML (`elections/<id>.yaml`), which `reassort.election_file` reads. The build turns it into
JSON inside the layer, so that a function reads it without a YAML parser. Both go through the same model.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

Territory = Literal["FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF"]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?@[a-z0-9.-]+$")]
Handset = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


class ElectionFileError(ValueError):
    """An election file cannot be used. The message names the file, each field and the reason."""


class Part(BaseModel):
    """A part of an election: no unknown member, and no change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Opening(Part):
    """A span of helpdesk hours in one day, local time: `start` included, `end` excluded."""

    start: time
    end: time

    @model_validator(mode="before")
    @classmethod
    def parse(cls, value: object) -> object:
        """Accept `08:00-12:30`."""
        if not isinstance(value, str):
            return value
        found = _HOURS.fullmatch(value)
        if found is None:
            raise ValueError(f"{value!r} is not of the form 08:00-12:30")
        start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
        return {"start": time(start_hour, start_minute), "end": time(end_hour, end_minute)}

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a span that ends before it starts."""
        if self.end <= self.start:
            raise ValueError("ends before it starts")
        return self


class HelpdeskHours(Part):
    """Helpdesk hours of one period: Monday to Friday, and single dates that replace the rule of their weekday."""

    weekdays: tuple[Opening, ...]
    dates: dict[date, tuple[Opening, ...]] = Field(default_factory=dict)


class Helpdesk(Part):
    """The phone service that helps voters."""

    phone: Annotated[str, StringConstraints(pattern=r"^0[1-9](?:[ .]?\d\d){4}$")]
    outside_voting: HelpdeskHours
    during_voting: HelpdeskHours


class Window(Part):
    """A span of time, `opens_at` included and `closes_at` excluded; aware once the election has been validated."""

    opens_at: datetime
    closes_at: datetime

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a window that closes before it opens."""
        if self.closes_at <= self.opens_at:
            raise ValueError("closes before it opens")
        return self

    def contains(self, instant: datetime) -> bool:
        """Tell whether the aware `instant` lies inside."""
        return self.opens_at <= instant < self.closes_at


class Windows(Part):
    """When identifiers are reissued, and when the ballot is open."""

    reissue: Window
    voting: Window


def _check_domain(value: str) -> str:
    if _DOMAIN.fullmatch(value) is None:
        raise ValueError(f"{value!r} is not a lower-case mail domain")
    return value


class Domain(Part):
    """A professional mail domain and how it is described to voters."""

    domain: Annotated[str, AfterValidator(_check_domain)]
    staff: Text
    example: Text

    @model_validator(mode="after")
    def check_example(self) -> Self:
        """Refuse an example that is not an address of the domain."""
        if not self.example.endswith("@" + self.domain):
            raise ValueError(f"example {self.example!r} is not an address of {self.domain}")
        return self


class Phones(Part):
    """Where accepted mobile numbers come from (ISO 3166-1 alpha-2 codes of French territories)."""

    territories: Annotated[tuple[Territory, ...], Field(min_length=1)]


class ExtraProof(Part):
    """One further fact that the roll holds and a voter must know, beside mailbox and NUMEN. Label, hint and fault are French, for voters.

    A `text` has so many letters and digits, blanks and hyphens not counted. Fewer than 4 would be guessed within the tries of the lock.
    """

    kind: Literal["date", "text"]
    label: Text
    hint: Text
    fault: Text
    min_length: Annotated[int, Field(ge=4, le=40)] | None = None
    max_length: Annotated[int, Field(ge=4, le=40)] | None = None

    @model_validator(mode="after")
    def check_lengths(self) -> Self:
        """Refuse a text of unknown length, a date that has one, and a longest text shorter than the shortest."""
        lengths = (self.min_length, self.max_length)
        if self.kind == "date":
            if lengths != (None, None):
                raise ValueError("a date has no min_length and no max_length")
        elif self.min_length is None or self.max_length is None:
            raise ValueError("a text needs min_length and max_length")
        elif self.max_length < self.min_length:
            raise ValueError("max_length must not be less than min_length")
        return self


class Senders(Part):
    """Who messages come from. An SMS sender id has at most 11 letters and digits (3GPP TS 23.040)."""

    email_name: Text
    email_local_part: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$")]
    sms_sender_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{2,10}$")]
    sms_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .'-]{1,40}$")]


class IdentifierFormat(Part):
    """Shape of an identifier: random symbols, one check symbol added, shown in groups.

    13 symbols of the 30-letter alphabet carry 63 bits; fewer would fall under the 60 bits the service promises.
    """

    symbols: Annotated[int, Field(ge=13, le=31)]
    group: Annotated[int, Field(ge=3, le=8)]


class CodeLimits(Part):
    """One-time codes. ASVS 5.0 6.5.x and 6.6.3, NIST SP 800-63B-4 section 3.1.3.2."""

    lifetime_minutes: Annotated[int, Field(ge=1, le=10)]
    tries: Annotated[int, Field(ge=1, le=10)]
    resend_seconds: Annotated[int, Field(ge=10, le=600)]
    latest_valid: Annotated[int, Field(ge=1, le=3)]
    bucket: Annotated[int, Field(ge=1, le=20)]
    refill_minutes: Annotated[int, Field(ge=1, le=15)]
    # Sources that may each have one more code in a window of `limits.source` while the bucket is empty.
    reserve: Annotated[int, Field(ge=1, le=10)]
    alarm_per_day: Annotated[int, Field(ge=1)]


class NumenLimits(Part):
    """Wrong NUMENs: a lock of minutes after some, until the helpdesk unlocks after more."""

    lock_after: Annotated[int, Field(ge=1)]
    lock_minutes: Annotated[int, Field(ge=1, le=15)]
    helpdesk_after: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a final lock that comes before the short one."""
        if self.helpdesk_after <= self.lock_after:
            raise ValueError("helpdesk_after must be greater than lock_after")
        return self


class SessionLimits(Part):
    """Lifetime of a session. ASVS 5.0 7.3.1 and 7.3.2."""

    idle_minutes: Annotated[int, Field(ge=2, le=60)]
    absolute_minutes: Annotated[int, Field(ge=5, le=720)]


class SourceLimits(Part):
    """Codes that one source (an IPv4 address, or a /64 of IPv6) may ask for in each window of so many minutes.

    Wide, for a whole school or academy may share one address.
    """

    # No fewer than the shards of the count (`login.source_limit.SHARDS`).
    codes: Annotated[int, Field(ge=8)]
    window_minutes: Annotated[int, Field(ge=1, le=15)]


class ReissueLimits(Part):
    """Reissues of one voter."""

    per_day: Annotated[int, Field(ge=1, le=20)]
    in_all: Annotated[int, Field(ge=1, le=50)]


class PhoneLimits(Part):
    """Use of one phone number: by how many voters, and how many SMS in 24 hours."""

    voters: Annotated[int, Field(ge=1, le=20)]
    sms_per_day: Annotated[int, Field(ge=1, le=100)]


class Sending(Part):
    """How fast messages are handed over, and how many SMS a day.

    Codes have a rate of their own, for they die after minutes. SES counts both: `codes_per_second` and `emails_per_second` together must
    stay under the account's rate. Carriers take some 10 SMS a second.
    """

    codes_per_second: Annotated[int, Field(ge=1, le=1000)]
    emails_per_second: Annotated[int, Field(ge=1, le=1000)]
    sms_per_second: Annotated[int, Field(ge=1, le=1000)]
    sms_per_day: Annotated[int, Field(ge=1)]
    # A voter whose SMS waits for longer than this is told so and offered the other channel at once.
    long_wait_seconds: Annotated[int, Field(ge=10, le=900)]


class Limits(Part):
    """Every limit of the service."""

    code: CodeLimits
    source: SourceLimits
    numen: NumenLimits
    session: SessionLimits
    reissues: ReissueLimits
    phone: PhoneLimits
    redeliveries: Annotated[int, Field(ge=1, le=10)]
    sms_max_price_usd: Annotated[Decimal, Field(gt=0, le=1)]


class Retention(Part):
    """How long things are kept: a delivery from its request on, roll and register from the close of the ballot on."""

    deliveries_days: Annotated[int, Field(ge=1, le=400)]
    redelivery_minutes: Annotated[int, Field(ge=5, le=1440)]
    # Voters and identifiers.
    roll_days: Annotated[int, Field(ge=1, le=400)]
    register_days: Annotated[int, Field(ge=1, le=1830)]

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse deliveries that outlive the voters they are about, and a register that its voters outlive."""
        if self.deliveries_days > self.roll_days:
            raise ValueError("deliveries_days must not be greater than roll_days")
        if self.register_days < self.roll_days:
            raise ValueError("register_days must not be less than roll_days")
        return self


class CanaryTarget(Part):
    """Where the canaries of one mail domain go: a mailbox in it, a handset, or both. They are the service's own, and nobody's.

    `handset` is in E.164, for example `+33612345678`.
    """

    domain: Annotated[str, AfterValidator(_check_domain)]
    mailbox: Mailbox | None = None
    handset: Handset | None = None

    @model_validator(mode="after")
    def check_destinations(self) -> Self:
        """Refuse a target that leads nowhere, and a mailbox elsewhere than in its domain."""
        if self.mailbox is None and self.handset is None:
            raise ValueError("needs a mailbox, a handset or both")
        if self.mailbox is not None and not self.mailbox.endswith("@" + self.domain):
            raise ValueError(f"mailbox must be an address of {self.domain}")
        return self


class Canaries(Part):
    """Messages that the service sends to itself on the way that voters' take, to see that they arrive.

    Each target gets one every `every_minutes`, from the full hour on; one that has not arrived `late_after_minutes` later is missing.
    """

    every_minutes: Annotated[int, Field(ge=5, le=60)]
    late_after_minutes: Annotated[int, Field(ge=2, le=59)]
    # Two of each, by two channels, are read in one call of 100 keys.
    targets: Annotated[tuple[CanaryTarget, ...], Field(min_length=1, max_length=25)]

    @model_validator(mode="after")
    def check_times(self) -> Self:
        """Refuse a rhythm that drifts through the hour, and a deadline that comes after the next canary."""
        if 60 % self.every_minutes:
            raise ValueError("every_minutes must divide an hour")
        if self.late_after_minutes >= self.every_minutes:
            raise ValueError("late_after_minutes must be less than every_minutes")
        return self


class Election(Part):
    """What the functions know of an election."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])$")]
    name: Text
    organiser: Text
    timezone: str
    windows: Windows
    helpdesk: Helpdesk
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    phones: Phones
    extra_proof: ExtraProof | None = None
    senders: Senders
    identifier: IdentifierFormat
    limits: Limits
    sending: Sending
    retention: Retention
    canaries: Canaries | None = None

    @field_validator("timezone")
    @classmethod
    def check_timezone(cls, value: str) -> str:
        """Refuse a name that the IANA database does not hold."""
        try:
            ZoneInfo(value)
        except (ValueError, OSError, ZoneInfoNotFoundError) as error:
            raise ValueError(f"{value!r} is not an IANA time zone") from error
        return value

    @field_validator("domains")
    @classmethod
    def check_domains_differ(cls, value: tuple[Domain, ...]) -> tuple[Domain, ...]:
        """Refuse a domain that is listed twice."""
        names = [domain.domain for domain in value]
        if len(set(names)) < len(names):
            raise ValueError("a domain is listed twice")
        return value

    @field_validator("windows")
    @classmethod
    def localise(cls, value: Windows, info: ValidationInfo) -> Windows:
        """Read times without an offset as local times."""
        zone = ZoneInfo(info.data["timezone"]) if "timezone" in info.data else None
        if zone is None:
            return value

        def aware(window: Window) -> Window:
            return Window(
                opens_at=window.opens_at if window.opens_at.tzinfo else window.opens_at.replace(tzinfo=zone),
                closes_at=window.closes_at if window.closes_at.tzinfo else window.closes_at.replace(tzinfo=zone),
            )

        return Windows(reissue=aware(value.reissue), voting=aware(value.voting))

    @model_validator(mode="after")
    def check_windows(self) -> Self:
        """Refuse reissues after the ballot has closed: nobody could use the identifier."""
        if self.windows.reissue.closes_at > self.windows.voting.closes_at:
            raise ValueError("windows.reissue closes after windows.voting")
        return self

    @model_validator(mode="after")
    def check_canaries(self) -> Self:
        """Refuse canaries of a domain that is not the election's, or listed twice: nobody would see which one is missing."""
        names = [target.domain for target in self.canaries.targets] if self.canaries else []
        if len(set(names)) < len(names):
            raise ValueError("canaries.targets lists a domain twice")
        for name in names:
            if name not in self.domain_names:
                raise ValueError(f"canaries.targets: {name} is not one of the domains")
        return self

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
        return Election.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ElectionFileError(f"{path.name}: no election of that name was built into the layer") from error
    except ValidationError as error:
        raise ElectionFileError(f"{path.name}: {error.error_count()} faults") from error
