"""The election file that an operator writes: how it is read, what its site says, when alarms ring.

`reassort.election` declares the rest. No function imports this module, and their layer holds
neither pydantic nor YAML.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator
from pydantic_core import ErrorDetails, to_json

from reassort.election import Election, ElectionFileError, Part, Text
from reassort.phones import PhoneError, normalise_phone

# Of any length that still reads as one message at the top of a page.
Notice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Model(BaseModel):
    """A part of an election file: no unknown member, and no change once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Host(Model):
    """Who hosts the site, and a sentence on where the data are."""

    name: Text
    address: Text
    data_location: Text | None = None


class Audit(Model):
    """An audit of the site by the RGAA 4.1. `rate` is the share of criteria that are met, in per
    cent.
    """

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
        """Refuse a status that the audit does not bear out (order of 20 September 2019, annex), and
        defects it contradicts.
        """
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

    Whether a token exists, and whether the colours can be read on each other, is the site build's
    to say.
    """

    light: dict[str, Colour] = Field(default_factory=dict)
    dark: dict[str, Colour] = Field(default_factory=dict)


class Site(Model):
    """Names, texts and colours of the voter space. Texts are plain, without a full stop; a notice
    and `data_location` have theirs.
    """

    name: Text
    notice: Notice | None = None
    publication_director: Text
    host: Host
    data_protection_contact: Text
    accessibility: Accessibility
    colours: Colours = Field(default_factory=Colours)


class Share(Model):
    """The percentage above which an alarm rings, and the number of events below which it is not
    looked at: one person alone must not ring it.
    """

    percent: Annotated[int, Field(ge=1, le=99)]
    floor: Annotated[int, Field(ge=1)]


class Watch(Model):
    """Thresholds of the alarms: each rings above its number, or below it for
    `used_codes`.

    Counts are for five minutes unless their name says otherwise. Only the template knows them
    (`tools/alarms/table.py`).
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
    # Of `sending.codes_per_day`.
    codes_percent: Annotated[int, Field(ge=10, le=99)]
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

    def check(self) -> Self:
        """Refuse a floor that one voter reaches alone, and a handset that no voter could give.

        One voter has every try that the limits give. An SMS to such a handset would go another way
        than theirs.
        """
        election = super().check()
        if self.watch.wrong_numens.floor <= self.limits.numen.helpdesk_after:
            raise ValueError("watch.wrong_numens.floor must be greater than limits.numen.helpdesk_after")
        if self.watch.wrong_codes.floor <= self.limits.code.tries:
            raise ValueError("watch.wrong_codes.floor must be greater than limits.code.tries")
        if self.watch.used_codes.floor <= self.limits.code.bucket + self.limits.code.reserve:
            raise ValueError("watch.used_codes.floor must be greater than limits.code.bucket and reserve together")
        for target in self.canaries.targets if self.canaries else ():
            if target.handset is None:
                continue
            try:
                normalised = normalise_phone(target.handset, self.phones.territories)
            except PhoneError as error:
                raise ValueError(
                    f"canaries.targets: handset of {target.domain}: not a mobile number ({error})"
                ) from error
            if normalised != target.handset:
                raise ValueError(f"canaries.targets: handset of {target.domain}: its E.164 form is another one")
        return election

    def for_functions(self) -> str:
        """Return the JSON that `reassort.election.election_from_json` reads."""
        return to_json({name: getattr(self, name) for name in Election.members}, fallback=Part.contents).decode()


_ELECTION_FILE = TypeAdapter(ElectionFile)


class _Loader(yaml.SafeLoader):
    """YAML's own, which says of a date that does not exist where it is."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value!r} is there twice", problem_mark=key.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else "")
        return super().construct_mapping(node, deep)

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
        ElectionFileError: it is missing, no YAML, or not a valid election; names the file, the line
            or the field, and the reason.
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
    election = parse_election(content, str(path))
    if election.id != path.stem:
        raise ElectionFileError(
            f"{path}: id: holds the election {election.id}, not {path.stem}: a file is named after its id"
        )
    return election


def parse_election(content: dict[str, Any], file: str) -> ElectionFile:
    """Validate the content of an election file.

    Raises:
        ElectionFileError: names `file` and, one a line, each field with the reason it is refused.
    """
    try:
        return _ELECTION_FILE.validate_python(content)
    except ValidationError as error:
        faults = (f"{file}: {'.'.join(map(str, fault['loc'])) or 'file'}: {_plain(fault)}" for fault in error.errors())
        raise ElectionFileError("\n".join(faults)) from error


# In place of a pattern: what it lets through. By the member's name.
_FORMS = {
    "id": "lower-case letters, digits and hyphens, 2 to 40 of them",
    "email": "a mailbox in lower case, such as assistance@ac-dijon.fr",
    "mailbox": "a mailbox in lower case, such as sonde@ac-dijon.fr",
    "handset": "+ and the country code, such as +33612345678",
    "email_local_part": "what stands before the @ of an address, in lower case",
    "sms_sender_id": "3 to 11 letters and digits without accents, a letter first",
    "sms_name": "at most 40 letters without accents, digits, blanks and . ' -",
}
_COLOUR = 'a colour such as "#4b2a7b", in quotes'
# Pydantic's types of faults; `{…}` is what it knows of the bound.
_PLAIN = {
    "missing": "is required and missing",
    "extra_forbidden": "is not permitted here: is it misspelt?",
    "string_type": 'must be a text (a string), in quotes if it looks like a number: "0.10"',
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "tuple_type": "must be a list: one entry a line, each after a hyphen, or [one, other]",
    "dict_type": "must have members, one an indented line",
    "model_type": "must have members, one an indented line",
    "int_type": "must be a whole number (an integer)",
    "int_parsing": "must be a whole number (an integer)",
    "int_from_float": "must be a whole number (an integer)",
    "int_parsing_size": "must be a whole number (an integer) within reason",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "decimal_type": 'must be a number such as "0.10"',
    "decimal_parsing": 'must be a number such as "0.10"',
    "decimal_max_places": "must have at most {decimal_places} decimal places",
}
_KINDS = {
    "datetime": "must be a date and time such as 2018-12-06T17:00",
    "date": "must be a date such as 2018-12-06",
    "time": "must be a time such as 17:00",
}


def _plain(fault: ErrorDetails) -> str:
    """Say a fault in the words of the person who writes the file."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", fault["msg"]))
    if kind == "string_pattern_mismatch":
        names = [str(part) for part in fault["loc"]]
        return f"is not of the form: {_COLOUR if 'colours' in names else _FORMS.get(names[-1], 'that it must have')}"
    if kind in _PLAIN:
        return _PLAIN[kind].format(**context)
    return next((words for start, words in _KINDS.items() if kind.startswith(f"{start}_")), fault["msg"])
