"""Election files: a fault is named by file, field and reason; those of `elections/` are valid
and really differ.

More than 400 lines, because it is a table of faults with a line for each member.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from reassort.election import (
    Election,
    ElectionFileError,
    IdentifierFormat,
    Part,
    election_from_json,
    packaged_election,
    telephone_digits,
)
from reassort.election_file import ElectionFile, parse_election, read_election_file
from reassort.french import zone_words

from harness.elections import DATE_OF_BIRTH, FOLDER, IDS, STAFF_CARD, election_content, read_election
from harness.fuzz.strategies import any_text

type Content = dict[str, Any]
type Change = Callable[[Content], object]


def _set(*path: str | int, to: object) -> Change:
    def change(content: Content) -> None:
        part: Any = content
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = to

    return change


def _accessibility(status: str, rate: float, *, defects: list[str] | None = None) -> Content:
    audit = {"by": "le rectorat", "on": "2018-10-01", "rate": rate}
    return {"status": status, "audit": audit, "defects": defects or []}


def _canaries(times: int = 1, every: int = 15, **target: str) -> Change:
    return _set("canaries", to={"every_minutes": every, "late_after_minutes": 5, "targets": [target] * times})


# What is wrong → the field that is named, and a word of the reason.
FAULTS: dict[str, tuple[Change, str, str]] = {
    "missing part": (lambda content: content.pop("helpdesk"), "helpdesk", "required"),
    "misspelt member": (_set("helpdesks", to={}), "helpdesks", "not permitted here: is it misspelt?"),
    "misspelt member deep down": (
        _set("limits", "code", "try", to=5),
        "limits.code.try",
        "not permitted here: is it misspelt?",
    ),
    "unknown time zone": (_set("timezone", to="Europe/Dijon"), "timezone", "IANA"),
    "window closes before it opens": (
        _set("windows", "voting", "closes_at", to="2018-11-01T08:00"),
        "windows.voting",
        "before it opens",
    ),
    "reissue after the ballot": (
        _set("windows", "reissue", "closes_at", to="2018-12-07T08:00"),
        "file",
        "closes after windows.voting",
    ),
    "no date": (_set("windows", "reissue", "opens_at", to="soon"), "windows.reissue.opens_at", "date and time"),
    "hours not of the form": (
        _set("helpdesk", "outside_voting", "weekdays", to=["8h-12h"]),
        "helpdesk.outside_voting.weekdays.0",
        "08:00-12:30",
    ),
    "hours end before they start": (
        _set("helpdesk", "during_voting", "weekdays", to=["20:00-08:00"]),
        "helpdesk.during_voting.weekdays.0",
        "before it starts",
    ),
    "helpdesk number": (_set("helpdesk", "phone", to="call us"), "helpdesk.phone", "as voters dial it"),
    "mailbox of the helpdesk": (_set("helpdesk", "email", to="Assistance"), "helpdesk.email", "form"),
    "form of the helpdesk": (_set("helpdesk", "form", to="http://aide.fr"), "helpdesk.form", "https://"),
    "relay without an address": (_set("helpdesk", "relay", to={"name": "Acceo"}), "helpdesk.relay.address", "required"),
    "voting site without a name": (
        _set("voting_site", to={"address": "https://vote.fr"}),
        "voting_site.name",
        "required",
    ),
    "voting site in the clear": (
        _set("voting_site", "address", to="http://vote.fr"),
        "voting_site.address",
        "https://",
    ),
    "user before the host of the voting site": (
        _set("voting_site", "address", to="https://vote.fr@ailleurs.fr"),
        "voting_site.address",
        "https://",
    ),
    "voting site that an SMS cannot hold": (
        _set("voting_site", "address", to="https://vote.fr/[1]"),
        "voting_site.address",
        "https://",
    ),
    "domain listed twice": (
        lambda content: content["domains"].append(content["domains"][0]),
        "domains",
        "listed twice",
    ),
    "no domain": (_set("domains", to=[]), "domains", "at least 1"),
    "capital in a domain": (_set("domains", 0, "domain", to="AC-Dijon.fr"), "domains.0.domain", "lower-case"),
    "example of another domain": (
        _set("domains", 1, "example", to="prenom.nom@ac-dijon.fr"),
        "domains.1",
        "not an address of u-bourgogne.fr",
    ),
    "foreign territory": (_set("phones", "territories", to=["FR", "CH"]), "phones.territories.1", "must be"),
    "sender id too long": (_set("senders", "sms_sender_id", to="ELECTIONS2018"), "senders.sms_sender_id", "form"),
    "accent in the name for SMS": (_set("senders", "sms_name", to="Élections"), "senders.sms_name", "form"),
    "identifier under 60 bits": (_set("identifier", "symbols", to=12), "identifier.symbols", "at least 13"),
    "code that lives too long": (
        _set("limits", "code", "lifetime_minutes", to=11),
        "limits.code.lifetime",
        "at most",
    ),
    "too many codes valid": (_set("limits", "code", "latest_valid", to=4), "limits.code.latest_valid", "at most"),
    "lock over 15 minutes": (_set("limits", "numen", "lock_minutes", to=16), "limits.numen.lock_minutes", "at most"),
    "final lock before the short one": (
        _set("limits", "numen", "helpdesk_after", to=5),
        "limits.numen",
        "greater than lock_after",
    ),
    "number written as a word": (
        _set("limits", "reissues", "per_day", to="three"),
        "limits.reissues.per_day",
        "integer",
    ),
    "SMS at any price": (_set("limits", "sms_max_price_usd", to="5"), "limits.sms_max_price_usd", "at most"),
    "further proof of another kind": (
        _set("extra_proof", to={**DATE_OF_BIRTH, "kind": "password"}),
        "extra_proof.kind",
        "'date' or 'text'",
    ),
    "further proof without words for the voter": (
        _set("extra_proof", to={**DATE_OF_BIRTH, "fault": " "}),
        "extra_proof.fault",
        "at least 1",
    ),
    "date that has a length": (
        _set("extra_proof", to={**DATE_OF_BIRTH, "max_length": 10}),
        "extra_proof",
        "no min_length",
    ),
    "text of unknown length": (
        _set("extra_proof", to={**STAFF_CARD, "max_length": None}),
        "extra_proof",
        "needs min_length and max_length",
    ),
    "text that is soon guessed": (
        _set("extra_proof", to={**STAFF_CARD, "min_length": 3}),
        "extra_proof.min_length",
        "at least 4",
    ),
    "longest text shorter than the shortest": (
        _set("extra_proof", to={**STAFF_CARD, "max_length": 5}),
        "extra_proof",
        "max_length must not be less",
    ),
    "blank name": (_set("name", to="  "), "name", "at least 1"),
    "no text of the site": (lambda content: content.pop("site"), "site", "required"),
    "misspelt text of the site": (
        _set("site", "notices", to="Panne"),
        "site.notices",
        "not permitted here: is it misspelt?",
    ),
    "blank name of the site": (_set("site", "name", to=" "), "site.name", "at least 1"),
    "notice that is a page": (_set("site", "notice", to="a" * 401), "site.notice", "at most 400"),
    "host without an address": (
        lambda content: content["site"]["host"].pop("address"),
        "site.host.address",
        "required",
    ),
    "nobody directs the publication": (
        lambda content: content["site"].pop("publication_director"),
        "site.publication_director",
        "required",
    ),
    "nobody protects the data": (
        _set("site", "data_protection_contact", to=""),
        "site.data_protection_contact",
        "at least 1",
    ),
    "status in other words": (
        _set("site", "accessibility", "status", to="conforme"),
        "site.accessibility.status",
        "must be 'non conforme', 'partiellement conforme' or 'totalement conforme'",
    ),
    "conformity without an audit": (
        _set("site", "accessibility", "status", to="partiellement conforme"),
        "site.accessibility",
        "must be 'non conforme': there is no audit",
    ),
    "conformity under half of the criteria": (
        _set("site", "accessibility", to=_accessibility("partiellement conforme", 49.99)),
        "site.accessibility",
        "must be 'non conforme': the audit found that 49.99 %",
    ),
    "total conformity under all of the criteria": (
        _set("site", "accessibility", to=_accessibility("totalement conforme", 99.9)),
        "site.accessibility",
        "must be 'partiellement conforme'",
    ),
    "less than the audit found": (
        _set("site", "accessibility", to=_accessibility("non conforme", 50)),
        "site.accessibility",
        "must be 'partiellement conforme'",
    ),
    "defects that are not told": (
        _set("site", "accessibility", to=_accessibility("partiellement conforme", 80)),
        "site.accessibility",
        "defects must be listed: the audit found that 80 %",
    ),
    "defects of what is perfect": (
        _set("site", "accessibility", to=_accessibility("totalement conforme", 100, defects=["un lien"])),
        "site.accessibility",
        "defects must not be listed: the audit found that 100 %",
    ),
    "more than all of the criteria": (
        _set("site", "accessibility", to=_accessibility("totalement conforme", 101)),
        "site.accessibility.audit.rate",
        "at most 100",
    ),
    "audit without a date": (
        _set("site", "accessibility", "audit", to={"by": "le rectorat", "rate": 80}),
        "site.accessibility.audit.on",
        "required",
    ),
    "colour by its name": (
        _set("site", "colours", to={"light": {"brand": "navy"}}),
        "site.colours.light.brand",
        "form",
    ),
    "colour that YAML took for a comment": (
        _set("site", "colours", to={"dark": {"brand": None}}),
        "site.colours.dark.brand",
        "string",
    ),
    "third scheme": (_set("site", "colours", to={"sepia": {}}), "site.colours.sepia", "not permitted"),
    "deliveries that outlive their voters": (
        _set("retention", "deliveries_days", to=151),
        "retention",
        "deliveries_days must not be greater than roll_days",
    ),
    "voters who outlive the register": (
        _set("retention", "register_days", to=149),
        "retention",
        "register_days must not be less than roll_days",
    ),
    "roll without an end": (lambda content: content["retention"].pop("roll_days"), "retention.roll_days", "required"),
    "no thresholds": (lambda content: content.pop("watch"), "watch", "required"),
    "threshold of all": (_set("watch", "domain_failure_percent", to=100), "watch.domain_failure_percent", "at most"),
    "floor of NUMENs that one voter reaches": (
        _set("watch", "wrong_numens", "floor", to=10),
        "file",
        "watch.wrong_numens.floor must be greater than limits.numen.helpdesk_after",
    ),
    "floor of codes that one browser reaches": (
        _set("watch", "wrong_codes", "floor", to=5),
        "file",
        "watch.wrong_codes.floor must be greater than limits.code.tries",
    ),
    "floor of codes that one mailbox reaches": (
        _set("watch", "used_codes", "floor", to=8),
        "file",
        "watch.used_codes.floor must be greater",
    ),
    "canary of another domain": (
        _canaries(domain="ac-lyon.fr", handset="+33612345678"),
        "file",
        "ac-lyon.fr is not one",
    ),
    "canary that goes nowhere": (_canaries(domain="ac-dijon.fr"), "canaries.targets.0", "mailbox, a handset or both"),
    "canary's mailbox elsewhere": (
        _canaries(domain="ac-dijon.fr", mailbox="sonde@u-bourgogne.fr"),
        "canaries.targets.0",
        "an address of ac-dijon.fr",
    ),
    "canary's mailbox with a capital": (
        _canaries(domain="ac-dijon.fr", mailbox="Sonde@ac-dijon.fr"),
        "canaries.targets.0.mailbox",
        "form",
    ),
    "canary's handset as it is dialled": (
        _canaries(domain="ac-dijon.fr", handset="06 12 34 56 78"),
        "canaries.targets.0.handset",
        "form",
    ),
    "canary's handset abroad": (
        _canaries(domain="ac-dijon.fr", handset="+41791234567"),
        "file",
        "handset of ac-dijon.fr: not a mobile number (foreign)",
    ),
    "canary's handset that is a landline": (_canaries(domain="ac-dijon.fr", handset="+33380448996"), "file", "mobile"),
    "canary's handset overseas by the mainland's code": (
        _canaries(domain="ac-dijon.fr", handset="+33692123456"),
        "file",
        "handset of ac-dijon.fr: its E.164 form is another one",
    ),
    "canaries that drift": (
        _canaries(every=25, domain="ac-dijon.fr", handset="+33612345678"),
        "canaries",
        "must divide an hour",
    ),
    "canaries that are late after the next": (
        _canaries(every=5, domain="ac-dijon.fr", handset="+33612345678"),
        "canaries",
        "less than every_minutes",
    ),
    "canaries of one domain twice": (
        _canaries(2, domain="ac-dijon.fr", handset="+33612345678"),
        "file",
        "lists a domain twice",
    ),
    "id with a slash": (_set("id", to="../secret"), "id", "form"),
    "close without an hour": (
        _set("windows", "voting", "closes_at", to=date(2018, 12, 6)),
        "windows.voting",
        "closes_at is a date without an hour: 2018-12-06T08:00",
    ),
    "close in quotes without an hour": (
        _set("windows", "reissue", "closes_at", to="2018-12-06"),
        "windows.reissue",
        "a date without an hour",
    ),
    "close as a number": (
        _set("windows", "voting", "closes_at", to=20181206),
        "windows.voting",
        "not a date and time",
    ),
    "hours that overlap": (
        _set("helpdesk", "outside_voting", "weekdays", to=["13:00-17:30", "08:00-13:30"]),
        "helpdesk.outside_voting",
        "overlap: 08:00-13:30 and 13:00-17:30",
    ),
    "hours of a date that overlap": (
        _set("helpdesk", "during_voting", "dates", to={"2018-12-01": ["09:00-12:00", "11:00-17:00"]}),
        "helpdesk.during_voting",
        "overlap",
    ),
    "list that is a text": (_set("helpdesk", "outside_voting", "weekdays", to="08:00-12:00"), "helpdesk", "a list"),
    "part that is a text": (_set("limits", "code", to="5"), "limits.code", "must have members"),
}


@pytest.mark.parametrize(("change", "field", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_fault_is_named_by_file_field_and_reason(change: Change, field: str, reason: str) -> None:
    content = election_content("dijon-2018")
    change(content)
    with pytest.raises(ElectionFileError) as refusal:
        parse_election(content, "dijon-2018.yaml")
    named = [line for line in str(refusal.value).splitlines() if line.startswith(f"dijon-2018.yaml: {field}")]
    assert named, refusal.value
    assert reason.lower() in named[0].lower()


@pytest.mark.parametrize("change", [change for change, _, _ in FAULTS.values()], ids=FAULTS.keys())
def test_no_fault_is_in_the_words_of_a_library(change: Change) -> None:
    content = election_content("dijon-2018")
    change(content)
    with pytest.raises(ElectionFileError) as refusal:
        parse_election(content, "x.yaml")
    assert not re.search(r"Input should|valid (tuple|dict|string)|pydantic|TypedDict", str(refusal.value))


@pytest.mark.req("O14")
@pytest.mark.parametrize(
    "phone",
    [
        "03.80.44.89.96",
        "0 800 123 456",
        "0262 12 34 56",
        "0590 12 34 56",
        "27 12 34",
        "40 12 34 56",
        "+687 27 12 34",
        "3646",
    ],
)
def test_helpdesks_of_everywhere_have_a_number(phone: str) -> None:
    election = read_election("dijon-2018", helpdesk={**election_content("dijon-2018")["helpdesk"], "phone": phone})
    assert election.helpdesk.phone == phone
    assert telephone_digits(phone) == phone.replace(" ", "").replace(".", "")


@pytest.mark.parametrize(
    "phone", ["03.80.44.89", "12", "0 800 123 45", "+", "03/80/44/89/96", "03.80.44.89.96.", "٠٣٨٠٤٤٨٩٩٦"]
)
def test_what_nobody_can_dial_is_refused(phone: str) -> None:
    with pytest.raises(ElectionFileError, match="as voters dial it"):
        read_election("dijon-2018", helpdesk={**election_content("dijon-2018")["helpdesk"], "phone": phone})


@pytest.mark.req("O14")
@pytest.mark.parametrize(
    ("zone", "place"),
    [
        ("Europe/Paris", "Paris"),
        ("Pacific/Noumea", "Nouvelle-Calédonie"),
        ("Indian/Reunion", "La Réunion"),
        ("Pacific/Marquesas", "Marquises"),
        ("America/St_Barthelemy", "Saint-Barthélemy"),
        ("America/Miquelon", "Saint-Pierre-et-Miquelon"),
    ],
)
def test_hours_are_called_by_the_name_of_the_place(zone: str, place: str) -> None:
    assert zone_words(read_election("dijon-2018", timezone=zone)) == f"heure de {place}"


def _parts(kind: Any) -> Iterator[type]:
    """Give every part of an election file, and what it is made of."""
    if isinstance(kind, type) and issubclass(kind, (Part, BaseModel)):
        yield kind
        members = kind.members if issubclass(kind, Part) else kind.__annotations__
        for member in members.values():
            yield from _parts(member)
    for inner in getattr(kind, "__args__", ()):
        yield from _parts(inner)


def test_every_member_is_in_the_document() -> None:
    text = (FOLDER.parent / "docs" / "elections.md").read_text("utf-8")
    named = {part for name in re.findall(r"`([\w.-]+)`", text) for part in name.split(".")}
    members = {
        name
        for part in _parts(ElectionFile)
        for name in (part.members if issubclass(part, Part) else part.__annotations__)
        if name != "model_config"
    }
    assert members - named == set()


def test_a_file_is_named_after_its_id(tmp_path: Path) -> None:
    path = tmp_path / "normandie-2026.yaml"
    path.write_text((FOLDER / "dijon-2018.yaml").read_text("utf-8"), encoding="utf-8")
    with pytest.raises(ElectionFileError, match=rf"^{path}: id: holds the election dijon-2018, not normandie-2026"):
        read_election_file(path)


def test_every_fault_of_a_file_is_named_at_once() -> None:
    content = election_content("dijon-2018")
    content["name"] = ""
    content["limits"]["code"]["tries"] = 0
    with pytest.raises(ElectionFileError) as refusal:
        parse_election(content, "dijon-2018.yaml")
    assert len(str(refusal.value).splitlines()) == 2


def test_file_that_holds_nothing_is_named() -> None:
    with pytest.raises(ElectionFileError, match=r"^empty\.yaml: "):
        parse_election({}, "empty.yaml")


# What YAML's own constructors answer with an error of another kind than YAML's is among these.
NOT_READ = {
    "cut off": ("id: [", ":1: "),
    "list": ("- a list", ": not an election file"),
    "nothing": ("", ": not an election file"),
    "part": ("id: x", ": name: is required"),
    "day that does not exist": ("id: x\ndates:\n  2018-11-31: [08:00-12:00]", ":3: day is out of range for month"),
    "month that does not exist": ("id: x\nopens_at: 2018-13-05T08:00:00", ":2: month must be in 1..12"),
    "number without digits": ("id: 0x_", ":1: invalid literal"),
    "number beyond reason": (f"id: {'9' * 5000}", ":1: Exceeds the limit"),
    "truth that is none": ("id: !!bool x", ":1: not of the kind that its tag says"),
    "date that is none": ("id: !!timestamp x", ":1: not of the kind that its tag says"),
    "Python": ("id: !!python/object/apply:os.getcwd []", ":1: could not determine a constructor"),
    "lists without end": ("[" * 5000, ": not YAML"),
    "control character": ("id: \x00", ": not YAML"),
    "member that is there twice": ("id: a\nname: b\nid: c", ":3: 'id' is there twice"),
    "itself": ("&a {id: *a}", ": id: must be a text"),
}


@pytest.mark.req("S29")
@pytest.mark.parametrize(("text", "reason"), NOT_READ.values(), ids=NOT_READ.keys())
def test_file_that_cannot_be_read_is_named_with_the_line(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ElectionFileError) as refusal:
        read_election_file(path)
    assert f"{path}{reason}" in str(refusal.value)


@pytest.mark.req("S25")
def test_file_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    with pytest.raises(ElectionFileError, match=r"x\.yaml: No such file"):
        read_election_file(path)
    path.write_bytes(b"id: \xe9")
    with pytest.raises(ElectionFileError, match=r"x\.yaml: not UTF-8"):
        read_election_file(path)


_TEXT = (FOLDER / "dijon-2018.yaml").read_text("utf-8")


@pytest.mark.req("S25", "S29")
@given(
    st.one_of(
        any_text.map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.binary(max_size=60),
        st.builds(
            lambda at, length, slip: f"{_TEXT[:at]}{slip}{_TEXT[at + length :]}".encode("utf-8", "surrogatepass"),
            st.integers(0, len(_TEXT)),
            st.integers(0, 12),
            st.sampled_from(["", "  ", "\n", ":", "- ", "&a ", "*a", "!!int ", "{", "0x", "9999", "~", '"', "\t", "# "])
            | any_text,
        ),
    )
)
def test_damaged_file_is_read_or_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "dijon-2018.yaml"
        path.write_bytes(content)
        try:
            election = read_election_file(path)
        except ElectionFileError as refusal:
            assert str(refusal).startswith(str(path))  # noqa: PT017 - either outcome is right
        else:
            assert election_from_json(election.for_functions()).id == election.id


def test_election_that_was_not_packaged_is_named() -> None:
    with pytest.raises(ElectionFileError, match=r"nowhere-2030\.json: "):
        packaged_election("nowhere-2030")


@pytest.mark.parametrize("content", ["[]", "5", "null", '"dijon-2018"'])
def test_json_that_is_no_object_is_no_election(content: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        election_from_json(content)


@pytest.mark.parametrize("election_id", IDS)
def test_deployed_file_is_valid_and_named_after_its_id(election_id: str) -> None:
    assert read_election(election_id).id == election_id


def _content(part: object) -> Any:
    """Return a part as dicts, all the way down."""
    if isinstance(part, Part):
        return {name: _content(value) for name, value in part.contents().items()}
    if isinstance(part, dict):
        return {name: _content(value) for name, value in part.items()}
    return tuple(map(_content, part)) if isinstance(part, tuple) else part


def test_a_part_has_all_of_its_members_and_keeps_them() -> None:
    with pytest.raises(TypeError, match=r"^IdentifierFormat: symbols"):
        IdentifierFormat(group=4)  # type: ignore[call-arg] # a member is missing
    with pytest.raises(TypeError, match="colour"):
        IdentifierFormat(group=4, symbols=15, colour="red")  # type: ignore[call-arg] # one is too many
    with pytest.raises(AttributeError, match=r"^IdentifierFormat is immutable"):
        IdentifierFormat(group=4, symbols=15).group = 5  # type: ignore[misc] # it is immutable


@pytest.mark.parametrize("election_id", IDS)
def test_election_survives_its_packaging_as_json(election_id: str) -> None:
    election = read_election(election_id)
    packaged = election_from_json(election.for_functions())
    assert {**_content(packaged), "site": election.site, "watch": election.watch} == _content(election)


@pytest.mark.parametrize("wanted", [DATE_OF_BIRTH, STAFF_CARD], ids=["date", "text"])
def test_functions_know_the_further_proof(wanted: Content) -> None:
    election = read_election("dijon-2018", extra_proof=wanted)
    packaged = election_from_json(election.for_functions()).extra_proof
    assert packaged is not None
    assert {name: value for name, value in packaged.contents().items() if value is not None} == wanted


@pytest.mark.parametrize("election_id", IDS)
def test_no_deployed_election_asks_for_a_further_proof(election_id: str) -> None:
    assert read_election(election_id).extra_proof is None


def test_functions_know_the_canaries_and_no_threshold() -> None:
    target = {"domain": "ac-dijon.fr", "mailbox": "sonde@ac-dijon.fr", "handset": "+33612345678"}
    wanted = {"every_minutes": 10, "late_after_minutes": 3, "targets": [target]}
    election = read_election("dijon-2018", canaries=wanted)
    packaged = election_from_json(election.for_functions()).canaries
    assert packaged is not None
    assert _content(packaged) == {**wanted, "targets": (target,)}
    assert "watch" not in Election.members


def test_the_demo_has_no_canaries() -> None:
    assert read_election("dijon-2018").canaries is None


def test_functions_leave_the_model_of_the_site_alone() -> None:
    root = FOLDER.parent
    sources = [*(root / "functions").rglob("*.py"), *(root / "layers" / "shared").rglob("*.py")]
    users = [
        path
        for path in sources
        if re.search(r"^\s*(from|import) .*election_file", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert len(sources) > 20
    assert users == []
    assert "site" not in Election.members


@pytest.mark.req("U9")
@pytest.mark.parametrize("election_id", IDS)
def test_functions_know_where_the_vote_is_and_how_to_write_to_the_helpdesk(election_id: str) -> None:
    election = read_election(election_id)
    packaged = election_from_json(election.for_functions())
    assert packaged.voting_site == election.voting_site
    assert packaged.helpdesk.relay == election.helpdesk.relay
    assert packaged.helpdesk.email
    assert packaged.voting_site
    assert packaged.voting_site.address == f"https://{packaged.voting_site.bare_address}"


def test_election_file_of_before_these_parts_is_still_valid() -> None:
    content = election_content("dijon-2018")
    helpdesk = {name: content["helpdesk"][name] for name in ("phone", "outside_voting", "during_voting")}
    election = read_election("dijon-2018", voting_site=None, helpdesk=helpdesk)
    assert (election.voting_site, election.helpdesk.email, election.helpdesk.relay) == (None, None, None)


def test_the_two_elections_share_nothing_that_is_the_elections_own() -> None:
    dijon, normandie = (read_election(election_id) for election_id in ("dijon-2018", "normandie-2026"))
    assert dijon.name != normandie.name
    assert dijon.organiser != normandie.organiser
    assert not set(dijon.domain_names) & set(normandie.domain_names)
    assert dijon.windows != normandie.windows
    assert dijon.helpdesk.phone != normandie.helpdesk.phone
    assert dijon.helpdesk.during_voting != normandie.helpdesk.during_voting
    assert dijon.senders.sms_sender_id != normandie.senders.sms_sender_id
    assert dijon.identifier != normandie.identifier
    assert dijon.phones != normandie.phones
    assert dijon.limits.reissues != normandie.limits.reissues
    assert dijon.retention != normandie.retention
    assert dijon.site.name != normandie.site.name
    assert dijon.site.colours != normandie.site.colours


def test_facts_of_the_dijon_election() -> None:
    dijon = read_election("dijon-2018")
    assert dijon.domain_names == ("ac-dijon.fr", "u-bourgogne.fr", "crous-dijon.fr")
    assert dijon.helpdesk.phone == "03.80.44.89.96"
    assert dijon.windows.voting.opens_at.isoformat() == "2018-11-29T08:00:00+01:00"
    assert dijon.windows.voting.closes_at.date().isoformat() == "2018-12-06"
    assert [day.isoformat() for day in dijon.helpdesk.during_voting.dates] == ["2018-12-01"]


@pytest.mark.parametrize("election_id", IDS)
def test_window_includes_its_opening_and_excludes_its_closing(election_id: str) -> None:
    window = read_election(election_id).windows.reissue
    instant = timedelta(milliseconds=1)
    assert [
        window.contains(moment)
        for moment in (window.opens_at - instant, window.opens_at, window.closes_at - instant, window.closes_at)
    ] == [False, True, True, False]


@pytest.mark.parametrize("election_id", IDS)
def test_roll_and_register_end_days_after_the_ballot_at_the_hour_of_its_close(election_id: str) -> None:
    election = read_election(election_id)
    packaged = election_from_json(election.for_functions())
    closes_at = election.windows.voting.closes_at
    for ends_at, days in (
        (election.roll_ends_at, election.retention.roll_days),
        (election.register_ends_at, election.retention.register_days),
        (packaged.roll_ends_at, election.retention.roll_days),
    ):
        # In Paris daylight saving began in between for the roll.
        assert (ends_at.date() - closes_at.date()).days == days
        assert ends_at.time() == closes_at.time()
        summer = election_id != "nouvelle-caledonie-2026" and days < 365
        assert ends_at.tzname() == ("CEST" if summer else closes_at.tzname())


def test_local_times_follow_daylight_saving() -> None:
    content = election_content("dijon-2018")
    content["windows"]["reissue"]["opens_at"] = "2018-10-01T08:00"
    opens_at = parse_election(content, "summer.yaml").windows.reissue.opens_at
    assert opens_at.isoformat() == "2018-10-01T08:00:00+02:00"


@pytest.mark.req("U12")
@pytest.mark.parametrize("election_id", IDS)
def test_sms_sender_id_fits_the_networks(election_id: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,10}", read_election(election_id).senders.sms_sender_id)
