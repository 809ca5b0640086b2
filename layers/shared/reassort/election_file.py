"""The election file that an operator writes: what is accepted of an election, what only its site says and shows, and when alarms ring.

`reassort.election` says what each part is for; its classes are the bases of the models here, which add the rules of each member.
No function imports this module, and their layer holds neither pydantic nor YAML.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
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

from reassort import election as plain
from reassort.election import ElectionFileError, Territory
from reassort.phones import PhoneError, normalise_phone

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Mailbox = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?@[a-z0-9.-]+$")]
Handset = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$")]
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
# Of any length that still reads as one message at the top of a page.
Notice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Model(BaseModel):
    """A part of an election file: no unknown member, and no change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Opening(Model, plain.Opening):
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


class HelpdeskHours(Model, plain.HelpdeskHours):
    weekdays: tuple[Opening, ...]
    dates: Mapping[date, tuple[Opening, ...]] = Field(default_factory=dict)


class Helpdesk(Model, plain.Helpdesk):
    phone: Annotated[str, StringConstraints(pattern=r"^0[1-9](?:[ .]?\d\d){4}$")]
    outside_voting: HelpdeskHours
    during_voting: HelpdeskHours


class Window(Model, plain.Window):
    opens_at: datetime
    closes_at: datetime

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a window that closes before it opens."""
        if self.closes_at <= self.opens_at:
            raise ValueError("closes before it opens")
        return self


class Windows(Model, plain.Windows):
    reissue: Window
    voting: Window


def _check_domain(value: str) -> str:
    if _DOMAIN.fullmatch(value) is None:
        raise ValueError(f"{value!r} is not a lower-case mail domain")
    return value


class Domain(Model, plain.Domain):
    domain: Annotated[str, AfterValidator(_check_domain)]
    staff: Text
    example: Text

    @model_validator(mode="after")
    def check_example(self) -> Self:
        """Refuse an example that is not an address of the domain."""
        if not self.example.endswith("@" + self.domain):
            raise ValueError(f"example {self.example!r} is not an address of {self.domain}")
        return self


class Phones(Model, plain.Phones):
    territories: Annotated[tuple[Territory, ...], Field(min_length=1)]


class ExtraProof(Model, plain.ExtraProof):
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


class Senders(Model, plain.Senders):
    email_name: Text
    email_local_part: Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?$")]
    sms_sender_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9]{2,10}$")]
    sms_name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 .'-]{1,40}$")]


class IdentifierFormat(Model, plain.IdentifierFormat):
    symbols: Annotated[int, Field(ge=13, le=31)]
    group: Annotated[int, Field(ge=3, le=8)]


class CodeLimits(Model, plain.CodeLimits):
    lifetime_minutes: Annotated[int, Field(ge=1, le=10)]
    tries: Annotated[int, Field(ge=1, le=10)]
    resend_seconds: Annotated[int, Field(ge=10, le=600)]
    latest_valid: Annotated[int, Field(ge=1, le=3)]
    bucket: Annotated[int, Field(ge=1, le=20)]
    refill_minutes: Annotated[int, Field(ge=1, le=15)]
    # Sources that may each have one more code in a window of `limits.source` while the bucket is empty.
    reserve: Annotated[int, Field(ge=1, le=10)]
    alarm_per_day: Annotated[int, Field(ge=1)]


class NumenLimits(Model, plain.NumenLimits):
    lock_after: Annotated[int, Field(ge=1)]
    lock_minutes: Annotated[int, Field(ge=1, le=15)]
    helpdesk_after: Annotated[int, Field(ge=2)]

    @model_validator(mode="after")
    def check_order(self) -> Self:
        """Refuse a final lock that comes before the short one."""
        if self.helpdesk_after <= self.lock_after:
            raise ValueError("helpdesk_after must be greater than lock_after")
        return self


class SessionLimits(Model, plain.SessionLimits):
    idle_minutes: Annotated[int, Field(ge=2, le=60)]
    absolute_minutes: Annotated[int, Field(ge=5, le=720)]


class SourceLimits(Model, plain.SourceLimits):
    # No fewer than the shards of the count (`login.source_limit.SHARDS`).
    codes: Annotated[int, Field(ge=8)]
    window_minutes: Annotated[int, Field(ge=1, le=15)]


class ReissueLimits(Model, plain.ReissueLimits):
    per_day: Annotated[int, Field(ge=1, le=20)]
    in_all: Annotated[int, Field(ge=1, le=50)]


class PhoneLimits(Model, plain.PhoneLimits):
    voters: Annotated[int, Field(ge=1, le=20)]
    sms_per_day: Annotated[int, Field(ge=1, le=100)]


class Sending(Model, plain.Sending):
    codes_per_second: Annotated[int, Field(ge=1, le=1000)]
    emails_per_second: Annotated[int, Field(ge=1, le=1000)]
    sms_per_second: Annotated[int, Field(ge=1, le=1000)]
    sms_per_day: Annotated[int, Field(ge=1)]
    # A voter whose SMS waits for longer than this is told so and offered the other channel at once.
    long_wait_seconds: Annotated[int, Field(ge=10, le=900)]


class Limits(Model, plain.Limits):
    code: CodeLimits
    source: SourceLimits
    numen: NumenLimits
    session: SessionLimits
    reissues: ReissueLimits
    phone: PhoneLimits
    redeliveries: Annotated[int, Field(ge=1, le=10)]
    sms_max_price_usd: Annotated[Decimal, Field(gt=0, le=1)]


class Retention(Model, plain.Retention):
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


class CanaryTarget(Model, plain.CanaryTarget):
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


class Canaries(Model, plain.Canaries):
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


class Election(Model, plain.Election):
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


class Host(Model):
    """Who hosts the site, and a sentence on where the data are."""

    name: Text
    address: Text
    data_location: Text | None = None


class Audit(Model):
    """An audit of the site by the RGAA 4.1. `rate` is the share of criteria that are met, in per cent."""

    by: Text
    on: date
    rate: Annotated[Decimal, Field(ge=0, le=100, decimal_places=2)]


class Accessibility(Model):
    """What the declaration of accessibility says, in the words that the RGAA asks for."""

    status: Literal["non conforme", "partiellement conforme", "totalement conforme"]
    audit: Audit | None = None
    defects: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def check_status(self) -> Self:
        """Refuse a status that the audit does not bear out (order of 20 September 2019, annex), and defects it contradicts."""
        if self.audit is None:
            earned, why = "non conforme", "there is no audit"
        else:
            why = f"the audit found that {self.audit.rate} % of the criteria are met"
            earned = "totalement conforme"
            if self.audit.rate < 100:
                earned = "partiellement conforme" if self.audit.rate >= 50 else "non conforme"
        if self.status != earned:
            raise ValueError(f"status must be {earned!r}: {why}")
        if self.audit is not None and bool(self.defects) != (self.audit.rate < 100):
            raise ValueError(f"defects must {'not ' if self.defects else ''}be listed: {why}")
        return self


class Colours(Model):
    """Colours in place of those of `site/styles/theme.css`, by the names of its tokens.

    Whether a token exists, and whether the colours can be read on each other, is the site build's to say.
    """

    light: dict[str, Colour] = Field(default_factory=dict)
    dark: dict[str, Colour] = Field(default_factory=dict)


class Site(Model):
    """Names, texts and colours of the voter space. Texts are plain, without a full stop; a notice and `data_location` have theirs."""

    name: Text
    notice: Notice | None = None
    publication_director: Text
    host: Host
    data_protection_contact: Text
    accessibility: Accessibility
    colours: Colours = Field(default_factory=Colours)


class Share(Model):
    """A share that rings, in per cent, and from how many on in one period it is looked at: below, one person alone would be a share."""

    percent: Annotated[int, Field(ge=1, le=99)]
    floor: Annotated[int, Field(ge=1)]


class Watch(Model):
    """From where on an alarm rings: above the number that stands here, or below it for `used_codes`.

    Counts are for five minutes unless their name says otherwise. Only the template knows them (`packaging/watch.py`).
    """

    # The oldest message of any lane.
    waiting_minutes: Annotated[int, Field(ge=1, le=240)]
    # The sweeper takes a minute, and what it queues some seconds more.
    overdue_minutes: Annotated[int, Field(ge=3, le=60)]
    stream_seconds: Annotated[int, Field(ge=10, le=3600)]
    undelivered: Annotated[int, Field(ge=0)]
    domain_failure_percent: Annotated[int, Field(ge=1, le=99)]
    sms_failure_percent: Annotated[int, Field(ge=1, le=99)]
    # Of `sending.sms_per_day`.
    sms_cap_percent: Annotated[int, Field(ge=10, le=99)]
    sms_month_usd: Annotated[int, Field(ge=1)]
    complaints_per_hour: Annotated[int, Field(ge=0)]
    wrong_numens: Share
    numen_locks: Annotated[int, Field(ge=1)]
    wrong_codes: Share
    # In a quarter of an hour: sign-ins of codes queued.
    used_codes: Share
    disputes_per_hour: Annotated[int, Field(ge=1)]
    function_errors: Annotated[int, Field(ge=1)]
    api_faults_per_minute: Annotated[int, Field(ge=1)]
    blocked_requests: Annotated[int, Field(ge=1)]


class ElectionFile(Election):
    """A validated election file."""

    site: Site
    watch: Watch

    @model_validator(mode="after")
    def check_one_voter_is_no_attack(self) -> Self:
        """Refuse a floor that one voter reaches alone, by every try that the limits give."""
        if self.watch.wrong_numens.floor <= self.limits.numen.helpdesk_after:
            raise ValueError("watch.wrong_numens.floor must be greater than limits.numen.helpdesk_after")
        if self.watch.wrong_codes.floor <= self.limits.code.tries:
            raise ValueError("watch.wrong_codes.floor must be greater than limits.code.tries")
        if self.watch.used_codes.floor <= self.limits.code.bucket + self.limits.code.reserve:
            raise ValueError("watch.used_codes.floor must be greater than limits.code.bucket and reserve together")
        return self

    @model_validator(mode="after")
    def check_handsets(self) -> Self:
        """Refuse a handset that no voter could give: its SMS would go another way than theirs."""
        for target in self.canaries.targets if self.canaries else ():
            if target.handset is None:
                continue
            try:
                normalised = normalise_phone(target.handset, self.phones.territories)
            except PhoneError as error:
                raise ValueError(f"canaries.targets: handset of {target.domain}: {error}") from error
            if normalised != target.handset:
                raise ValueError(f"canaries.targets: handset of {target.domain}: its E.164 form is another one")
        return self

    def for_functions(self) -> str:
        """Return the JSON that `reassort.election.election_from_json` reads."""
        return self.model_dump_json(exclude={"site", "watch"})


class _Loader(yaml.SafeLoader):
    """YAML's own, which says of a date that does not exist where it is."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:
            # 31 November, or a text that is tagged as a number.
            reason = str(error) if isinstance(error, ValueError) else "not of the kind that its tag says"
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=node.start_mark) from error


def read_election_file(path: Path) -> ElectionFile:
    """Read and validate one election file.

    Raises:
        ElectionFileError: it is missing, no YAML, or not a valid election; names the file, the line or the field, and the reason.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a safe one
    except OSError as error:
        raise ElectionFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ElectionFileError(f"{path}: not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = f"{path}:{error.problem_mark.line + 1}" if error.problem_mark else str(path)
        raise ElectionFileError(f"{line}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ElectionFileError(f"{path}: not YAML") from error
    if not isinstance(content, dict):
        raise ElectionFileError(f"{path}: not an election file")
    return parse_election(content, str(path))


def parse_election(content: dict[str, Any], file: str) -> ElectionFile:
    """Validate the content of an election file.

    Raises:
        ElectionFileError: names `file` and, one a line, each field with the reason it is refused.
    """
    try:
        return ElectionFile.model_validate(content)
    except ValidationError as error:
        faults = (
            f"{file}: {'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        )
        raise ElectionFileError("\n".join(faults)) from error
