"""One election as data: names, mail domains, windows, helpdesk hours, limits, identifier format.

Each member and its bounds stand here once. An operator writes a file of YAML,
`elections/<id>.yaml`. `reassort.election_file` validates it by what stands here, and the build
turns it into JSON inside the layer. Functions read that JSON into plain records and validate
nothing again: pydantic would cost a quarter of a cold start (docs/performance.md).
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal, Self, dataclass_transform
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

type Territory = Literal["FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF"]


class ElectionFileError(ValueError):
    """An election file cannot be used. The message names the file, each field and the reason."""


class Rule:
    """What is accepted of a member beside its type. Only pydantic looks at it, for an election
    file.

    `bounds` have the names of pydantic's `Field` and `StringConstraints`. A `check` returns the
    value or raises `ValueError`.
    """

    def __init__(self, check: Callable[[Any], Any] | None = None, **bounds: Any) -> None:
        self._check = check
        self._bounds = bounds

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic import AfterValidator, Field, StringConstraints

        bounds = StringConstraints(**self._bounds) if source is str else Field(**self._bounds)
        checks = (AfterValidator(self._check),) if self._check else ()
        return handler.generate_schema(Annotated[source, bounds, *checks])


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Part:
    """A part of an election, immutable. It has the members that its class names and no others.

    A member with a default may be left out.
    """

    members: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls) -> None:
        cls.members = {**cls.members, **cls.__annotations__}

    def __init__(self, **members: Any) -> None:
        wrong = {name for name in members.keys() ^ self.members.keys() if name in members or not hasattr(self, name)}
        if wrong:
            raise TypeError(f"{type(self).__name__}: {', '.join(sorted(wrong))}")
        vars(self).update(members)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Part) and self.contents() == other.contents()

    __hash__ = None  # type: ignore[assignment]

    def contents(self) -> dict[str, Any]:
        """Return the members by their names."""
        return {name: getattr(self, name) for name in self.members}

    def replaced(self, **members: Any) -> Self:
        """Return the same with other `members`, which are not checked."""
        return type(self)(**{**self.contents(), **members})

    @classmethod
    def parse(cls, written: Any) -> Any:
        """Return the members of what an operator has written, where that may be short."""
        return written

    def check(self) -> Self:
        """Return the part, made complete by what its members say of each other.

        Raises:
            ValueError: they contradict each other.
        """
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, handler: Any) -> Any:
        """Tell pydantic how an election file is validated. No function calls it."""
        from pydantic_core import core_schema

        members = {
            name: core_schema.typed_dict_field(
                core_schema.with_default_schema(handler.generate_schema(kind), default=getattr(cls, name))
                if hasattr(cls, name)
                else handler.generate_schema(kind),
                required=not hasattr(cls, name),
            )
            for name, kind in cls.members.items()
        }
        given = core_schema.typed_dict_schema(members, extra_behavior="forbid")
        checked = core_schema.no_info_after_validator_function(lambda members: cls(**members).check(), given)
        return core_schema.no_info_before_validator_function(cls.parse, checked)


def _is_domain(value: str) -> str:
    if re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", value) is None:
        raise ValueError(f"{value!r} is not a lower-case mail domain")
    return value


def _is_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise ValueError(f"{value!r} is not an IANA time zone") from error
    return value


def _is_network(value: str) -> str:
    from ipaddress import ip_network

    if "/" not in value:
        raise ValueError("a network is written with its length, such as 192.0.2.0/24")
    return str(ip_network(value))


def _is_web_address(value: str) -> str:
    # All of its signs are in the alphabet of SMS, one septet each. No user before the host: it
    # would hide the host.
    if re.fullmatch(r"https://(?:[a-z0-9-]+\.)+[a-z]{2,63}(?:/[A-Za-z0-9._/?=&%-]*)?", value) is None:
        raise ValueError(f"{value!r} is not an address that begins with https://, with a lower-case host")
    return value


def _is_helpdesk_number(value: str) -> str:
    # National (mainland, overseas, 0 800), local of New Caledonia, Wallis or Polynesia, short, or
    # international.
    digits = re.sub(r"[ .\u00a0\u202f]", "", value)
    forms = r"0[1-9]\d{8}|[2-9]\d{5}|[48]\d{7}|[13]\d{3}|\+[1-9]\d{7,14}"
    if re.fullmatch(forms, digits, re.ASCII) is None or not re.fullmatch(r"[+\d].*\d", value):
        raise ValueError(
            f"{value!r} is not a telephone number as voters dial it: 03.80.44.89.96, 0 800 123 456, 0262 12 34 56, "
            "27 12 34 or +687 27 12 34"
        )
    return value


def telephone_digits(phone: str) -> str:
    """Return a number as a `tel:` link wants it: without separators, an international one with its
    sign.
    """
    return ("+" if phone.startswith("+") else "") + re.sub(r"\D", "", phone)


def _differ(domains: tuple["Domain", ...]) -> tuple["Domain", ...]:
    if len({domain.domain for domain in domains}) < len(domains):
        raise ValueError("a domain is listed twice")
    return domains


Text = Annotated[str, Rule(strip_whitespace=True, min_length=1, max_length=200)]
MailDomain = Annotated[str, Rule(_is_domain)]
Mailbox = Annotated[str, Rule(pattern=r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?@[a-z0-9.-]+$")]
WebAddress = Annotated[str, Rule(_is_web_address, max_length=200)]
Network = Annotated[str, Rule(_is_network)]
Handset = Annotated[str, Rule(pattern=r"^\+[1-9][0-9]{6,14}$")]


class Opening(Part):
    """A span of helpdesk hours in one day, local time: `start` included, `end` excluded."""

    start: time
    end: time

    @classmethod
    def parse(cls, written: Any) -> Any:
        """Accept `08:00-12:30`."""
        if not isinstance(written, str):
            return written
        found = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", written)
        if found is None:
            raise ValueError(f"{written!r} is not of the form 08:00-12:30")
        start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
        return {"start": time(start_hour, start_minute), "end": time(end_hour, end_minute)}

    def check(self) -> Self:
        """Refuse a span that ends before it starts."""
        if self.end <= self.start:
            raise ValueError("ends before it starts")
        return self


class HelpdeskHours(Part):
    """Helpdesk hours of one period: Monday to Friday, and single dates that replace the rule of
    their weekday.
    """

    weekdays: tuple[Opening, ...]
    dates: Mapping[date, tuple[Opening, ...]] = {}

    def check(self) -> Self:
        """Refuse hours of one day that overlap."""
        for spans in (self.weekdays, *self.dates.values()):
            ordered = sorted(spans, key=lambda span: span.start)
            for one, following in pairwise(ordered):
                if following.start < one.end:
                    raise ValueError(
                        f"hours overlap: {one.start:%H:%M}-{one.end:%H:%M} and "
                        f"{following.start:%H:%M}-{following.end:%H:%M}"
                    )
        return self


class Relay(Part):
    """A service through which voters who do not hear call the helpdesk: sign language, text, cued
    speech (loi n° 2016-1321, art. 105).
    """

    name: Text
    address: WebAddress


class Helpdesk(Part):
    """The phone service that helps voters, and how it is reached without a telephone: a mailbox, a
    form, a relay.
    """

    phone: Annotated[str, Rule(_is_helpdesk_number)]
    outside_voting: HelpdeskHours
    during_voting: HelpdeskHours
    # Voters that one agent may look up. A call takes some minutes.
    lookups_per_hour: Annotated[int, Rule(ge=5, le=1000)] = 60
    lookups_per_day: Annotated[int, Rule(ge=5, le=10_000)] = 300
    # What a second person of the helpdesk confirms, and within how many minutes.
    second_person: Literal["reissue"] | None = None
    second_person_minutes: Annotated[int, Rule(ge=2, le=60)] = 15
    email: Mailbox | None = None
    form: WebAddress | None = None
    relay: Relay | None = None
    # From where the helpdesk's page is reached; from anywhere when there is none.
    networks: tuple[Network, ...] = ()


class VotingSite(Part):
    """Where voters vote, which is another site: the name by which they know it, its address, and a
    sentence that they should have read before they go there.
    """

    name: Text
    address: WebAddress
    note: Text | None = None

    @property
    def bare_address(self) -> str:
        """The address as it is read aloud or typed: without `https://`."""
        return self.address.removeprefix("https://").removesuffix("/")


class Window(Part):
    """A span of time, `opens_at` included and `closes_at` excluded; aware once the election has
    been validated.
    """

    opens_at: datetime
    closes_at: datetime

    @classmethod
    def parse(cls, written: Any) -> Any:
        """Refuse a day without an hour, which would be midnight, and a number, which would be
        seconds since 1970.
        """
        for name, value in written.items() if isinstance(written, dict) else ():
            if name not in cls.members:
                continue
            text = str(value).strip()
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise ValueError(f"{name} is a date without an hour: {text}T08:00 has one")
            if not isinstance(value, (str, datetime)) or re.fullmatch(r"[\d.]+", text):
                raise ValueError(f"{name} is not a date and time such as 2018-12-06T17:00")
        return written

    def contains(self, instant: datetime) -> bool:
        """Tell whether the aware `instant` lies inside."""
        return self.opens_at <= instant < self.closes_at

    def local(self, zone: ZoneInfo) -> Self:
        """Return the window with its naive times taken as local ones of `zone`."""
        times = self.contents().items()
        return type(self)(**{name: time if time.tzinfo else time.replace(tzinfo=zone) for name, time in times})

    def check(self) -> Self:
        """Refuse a window that closes before it opens. Where one time alone has an offset, the
        election does, which knows the time zone of the other.
        """
        if bool(self.opens_at.tzinfo) is bool(self.closes_at.tzinfo) and self.closes_at <= self.opens_at:
            raise ValueError("closes before it opens")
        return self


class Windows(Part):
    """When identifiers are reissued, and when the ballot is open."""

    reissue: Window
    voting: Window


class Domain(Part):
    """A professional mail domain and how it is described to voters."""

    domain: MailDomain
    staff: Text
    example: Text

    def check(self) -> Self:
        """Refuse an example that is not an address of the domain."""
        if not self.example.endswith("@" + self.domain):
            raise ValueError(f"example {self.example!r} is not an address of {self.domain}")
        return self


class Phones(Part):
    """Where accepted mobile numbers come from (ISO 3166-1 alpha-2 codes of French territories)."""

    territories: Annotated[tuple[Territory, ...], Rule(min_length=1)]


class ExtraProof(Part):
    """One further fact that the roll holds and a voter must know, beside mailbox and NUMEN. Label,
    hint and fault are French, for voters.

    A `text` has so many letters and digits, blanks and hyphens not counted. Fewer than 4 would be
    guessed within the tries of the lock.
    """

    kind: Literal["date", "text"]
    label: Text
    hint: Text
    fault: Text
    min_length: Annotated[int, Rule(ge=4, le=40)] | None = None
    max_length: Annotated[int, Rule(ge=4, le=40)] | None = None

    def check(self) -> Self:
        """Refuse a text of unknown length, a date that has one, and a longest text shorter than the
        shortest.
        """
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
    """Who messages come from. An SMS sender id has at most 11 letters and digits (3GPP TS
    23.040).
    """

    email_name: Text
    email_local_part: Annotated[str, Rule(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$")]
    sms_sender_id: Annotated[str, Rule(pattern=r"^[A-Za-z][A-Za-z0-9]{2,10}$")]
    sms_name: Annotated[str, Rule(pattern=r"^[A-Za-z0-9 .'-]{1,40}$")]


class IdentifierFormat(Part):
    """Shape of an identifier: random symbols, one check symbol added, shown in groups.

    13 symbols of the 30-letter alphabet carry 63 bits; fewer would fall under the 60 bits the
    service promises.
    """

    symbols: Annotated[int, Rule(ge=13, le=31)]
    group: Annotated[int, Rule(ge=3, le=8)]


class CodeLimits(Part):
    """One-time codes. ASVS 5.0 6.5.x and 6.6.3, NIST SP 800-63B-4 section 3.1.3.2."""

    lifetime_minutes: Annotated[int, Rule(ge=1, le=10)]
    tries: Annotated[int, Rule(ge=1, le=10)]
    resend_seconds: Annotated[int, Rule(ge=10, le=600)]
    latest_valid: Annotated[int, Rule(ge=1, le=3)]
    bucket: Annotated[int, Rule(ge=1, le=20)]
    refill_minutes: Annotated[int, Rule(ge=1, le=15)]
    # Sources that may each have one more code in a window of `limits.source` while the bucket is
    # empty.
    reserve: Annotated[int, Rule(ge=1, le=10)]
    alarm_per_day: Annotated[int, Rule(ge=1)]


class NumenLimits(Part):
    """Wrong NUMENs: a lock of minutes after some, until the helpdesk unlocks after more."""

    lock_after: Annotated[int, Rule(ge=1)]
    lock_minutes: Annotated[int, Rule(ge=1, le=15)]
    helpdesk_after: Annotated[int, Rule(ge=2)]

    def check(self) -> Self:
        """Refuse a final lock that comes before the short one."""
        if self.helpdesk_after <= self.lock_after:
            raise ValueError("helpdesk_after must be greater than lock_after")
        return self


class SessionLimits(Part):
    """Lifetime of a session. ASVS 5.0 7.3.1 and 7.3.2."""

    idle_minutes: Annotated[int, Rule(ge=2, le=60)]
    absolute_minutes: Annotated[int, Rule(ge=5, le=720)]


class SourceLimits(Part):
    """Codes that one source (an IPv4 address, or a /48 of IPv6) may ask for in each window of so
    many minutes.

    Wide, because a whole school or academy may share one address.
    """

    # No fewer than the shards of the count (`login.source_limit.SHARDS`).
    codes: Annotated[int, Rule(ge=8)]
    window_minutes: Annotated[int, Rule(ge=1, le=15)]


class ReissueLimits(Part):
    """Reissues of one voter."""

    per_day: Annotated[int, Rule(ge=1, le=20)]
    in_all: Annotated[int, Rule(ge=1, le=50)]


class PhoneLimits(Part):
    """Use of one phone number: by how many voters, and how many SMS in 24 hours."""

    voters: Annotated[int, Rule(ge=1, le=20)]
    sms_per_day: Annotated[int, Rule(ge=1, le=100)]


class Sending(Part):
    """How fast messages are handed over, and how many codes and SMS a day.

    Codes have a rate of their own, because they die after minutes. SES counts both:
    `codes_per_second` and `emails_per_second` together must stay under the account's rate. Carriers
    take some 10 SMS a second.
    """

    codes_per_second: Annotated[int, Rule(ge=1, le=1000)]
    # In any 24 hours, half of them at once. SES's quota needs room beside them for identifiers and
    # confirmations.
    codes_per_day: Annotated[int, Rule(ge=100, le=10_000_000)]
    emails_per_second: Annotated[int, Rule(ge=1, le=1000)]
    sms_per_second: Annotated[int, Rule(ge=1, le=1000)]
    sms_per_day: Annotated[int, Rule(ge=1)]
    # A voter whose SMS waits for longer than this is told so and offered the other channel at once.
    long_wait_seconds: Annotated[int, Rule(ge=10, le=900)]


class Limits(Part):
    """Every limit of the service."""

    code: CodeLimits
    source: SourceLimits
    numen: NumenLimits
    session: SessionLimits
    reissues: ReissueLimits
    phone: PhoneLimits
    redeliveries: Annotated[int, Rule(ge=1, le=10)]
    sms_max_price_usd: Annotated[Decimal, Rule(gt=0, le=1)]


class Retention(Part):
    """How long things are kept: a delivery from its request on, roll and register from the close of
    the ballot on.
    """

    deliveries_days: Annotated[int, Rule(ge=1, le=400)]
    redelivery_minutes: Annotated[int, Rule(ge=5, le=1440)]
    # Voters and identifiers.
    roll_days: Annotated[int, Rule(ge=1, le=400)]
    register_days: Annotated[int, Rule(ge=1, le=1830)]

    def check(self) -> Self:
        """Refuse deliveries that outlive the voters they are about, and a register that its voters
        outlive.
        """
        if self.deliveries_days > self.roll_days:
            raise ValueError("deliveries_days must not be greater than roll_days")
        if self.register_days < self.roll_days:
            raise ValueError("register_days must not be less than roll_days")
        return self

    def deliveries_since(self, now: datetime) -> datetime:
        """Return from when on every delivery is still kept."""
        return now - timedelta(days=self.deliveries_days)


class CanaryTarget(Part):
    """Where the canaries of one mail domain go: a mailbox in it, a handset, or both. They are the
    service's own, and nobody's.

    `handset` is in E.164, for example `+33612345678`.
    """

    domain: MailDomain
    mailbox: Mailbox | None = None
    handset: Handset | None = None

    def check(self) -> Self:
        """Refuse a target that leads nowhere, and a mailbox elsewhere than in its domain."""
        if self.mailbox is None and self.handset is None:
            raise ValueError("needs a mailbox, a handset or both")
        if self.mailbox is not None and not self.mailbox.endswith("@" + self.domain):
            raise ValueError(f"mailbox must be an address of {self.domain}")
        return self


class Canaries(Part):
    """Messages that the service sends to itself on the way that voters' take, to see that they
    arrive.

    Each target gets one every `every_minutes`, from the full hour on; one that has not arrived
    `late_after_minutes` later is missing.
    """

    every_minutes: Annotated[int, Rule(ge=5, le=60)]
    late_after_minutes: Annotated[int, Rule(ge=2, le=59)]
    # Two of each, by two channels, are read in one call of 100 keys.
    targets: Annotated[tuple[CanaryTarget, ...], Rule(min_length=1, max_length=25)]

    def check(self) -> Self:
        """Refuse a rhythm that drifts through the hour, and a deadline that comes after the next
        canary.
        """
        if 60 % self.every_minutes:
            raise ValueError("every_minutes must divide an hour")
        if self.late_after_minutes >= self.every_minutes:
            raise ValueError("late_after_minutes must be less than every_minutes")
        return self


class Election(Part):
    """What the functions know of an election."""

    id: Annotated[str, Rule(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])$")]
    name: Text
    organiser: Text
    timezone: Annotated[str, Rule(_is_time_zone)]
    windows: Windows
    voting_site: VotingSite | None = None
    helpdesk: Helpdesk
    domains: Annotated[tuple[Domain, ...], Rule(_differ, min_length=1)]
    phones: Phones
    extra_proof: ExtraProof | None = None
    senders: Senders
    identifier: IdentifierFormat
    limits: Limits
    sending: Sending
    retention: Retention
    canaries: Canaries | None = None

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

    def check(self) -> Self:
        """Read times without an offset as local ones. Refuse windows and canaries of no use to
        anybody.

        That is a reissue after the ballot has closed, because nobody could use the identifier, and
        a canary of a foreign domain or of one listed twice: nobody would see which one is missing.
        """
        windows = self.windows
        local = Windows(reissue=windows.reissue.local(self.zone), voting=windows.voting.local(self.zone))
        for name, window in local.contents().items():
            if window.closes_at <= window.opens_at:
                raise ValueError(f"windows.{name} closes before it opens")
        if local.reissue.closes_at > local.voting.closes_at:
            raise ValueError("windows.reissue closes after windows.voting")
        names = [target.domain for target in self.canaries.targets] if self.canaries else []
        if len(set(names)) < len(names):
            raise ValueError("canaries.targets lists a domain twice")
        for name in names:
            if name not in self.domain_names:
                raise ValueError(f"canaries.targets: {name} is not one of the domains")
        return self.replaced(windows=local)


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
    election = _read(Election, json.loads(content))
    if not isinstance(election, Election):
        raise TypeError(f"no election: {type(election).__name__}")
    return election


_FROM_TEXT: Mapping[Any, Callable[[str], Any]] = {
    date: date.fromisoformat,
    time: time.fromisoformat,
    datetime: datetime.fromisoformat,
    Decimal: Decimal,
}


def _read(kind: Any, value: Any) -> Any:
    """Make of a value of JSON what the annotation of its member says."""
    if hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    of: tuple[Any, ...] = getattr(kind, "__args__", ())
    if NoneType in of:
        return None if value is None else _read(of[0], value)
    match value:
        case str():
            return _FROM_TEXT.get(kind, str)(value)
        case list():
            return tuple([_read(of[0], item) for item in value])
        case dict() if of:
            return {_read(of[0], key): _read(of[1], item) for key, item in value.items()}
        case dict():
            return kind(**{name: _read(kind.members[name], item) for name, item in value.items()})
        case _:
            return value
