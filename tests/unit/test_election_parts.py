"""What the parts of an election file forgive, and what they are worth where nothing is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from reassort.election import ElectionFileError, IdentifierFormat, PhoneLimits, packaged_election
from reassort.election_file import parse_election

from harness.elections import STAFF_CARD, election_content, read_election

if TYPE_CHECKING:
    from pathlib import Path


def part(*path: str, to: object) -> dict[str, Any]:
    """Return the content of a file in which one member is another."""
    content = election_content("dijon-2018")
    inner: Any = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return content


def test_blanks_around_a_text_are_dropped() -> None:
    election = parse_election(part("name", to="  Élections \t"), "x.yaml")
    assert election.name == "Élections"
    assert parse_election(part("site", "notice", to=" Panne. "), "x.yaml").site.notice == "Panne."


def test_parts_are_equal_by_what_they_hold() -> None:
    shape = IdentifierFormat(symbols=15, group=4)
    assert shape == IdentifierFormat(symbols=15, group=4)
    assert shape != IdentifierFormat(symbols=15, group=5)
    assert shape != {"symbols": 15, "group": 4}
    assert shape.replaced(group=5) == IdentifierFormat(symbols=15, group=5)
    assert PhoneLimits(voters=1, sms_per_day=2).contents() == {"voters": 1, "sms_per_day": 2}


def test_a_file_that_was_read_is_not_changed() -> None:
    site = read_election("dijon-2018").site
    with pytest.raises(ValidationError, match="frozen"):
        site.name = "Autre"  # type: ignore[misc] # it is immutable


def test_what_is_not_said_of_the_helpdesk() -> None:
    helpdesk = read_election("dijon-2018").helpdesk
    assert (helpdesk.lookups_per_hour, helpdesk.lookups_per_day) == (60, 300)
    assert (helpdesk.second_person, helpdesk.second_person_minutes, helpdesk.networks) == (None, 15, ())


@pytest.mark.parametrize(
    ("network", "read"), [("192.0.2.0/24", "192.0.2.0/24"), ("2001:DB8::/32", "2001:db8::/32"), ("192.0.2.1", None)]
)
def test_a_network_is_written_with_its_length(network: str, read: str | None) -> None:
    content = part("helpdesk", "networks", to=[network])
    if read is None:
        with pytest.raises(ElectionFileError, match="with its length, such as 192"):
            parse_election(content, "x.yaml")
    else:
        assert parse_election(content, "x.yaml").helpdesk.networks == (read,)


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("https://vote.fr", "vote.fr"),
        ("https://vote.fr/", "vote.fr"),
        ("https://a.vote.fr/2026?x=1", "a.vote.fr/2026?x=1"),
    ],
)
def test_an_address_is_read_aloud_without_its_scheme(address: str, bare: str) -> None:
    site = parse_election(part("voting_site", to={"name": "Vote", "address": address}), "x.yaml").voting_site
    assert site is not None
    assert site.bare_address == bare


@pytest.mark.parametrize(
    "content",
    [
        part("helpdesk", "outside_voting", "weekdays", to=["12:30-17:00", "08:00-12:30"]),
        part("helpdesk", "outside_voting", "weekdays", to=["00:00-23:59"]),
        part("limits", "numen", "helpdesk_after", to=6),
        part("limits", "numen", "lock_after", to=9),
        part("extra_proof", to=dict(STAFF_CARD)),
        part("retention", "deliveries_days", to=150),
        part("retention", "register_days", to=150),
        part("windows", "reissue", "closes_at", to="2018-12-06T17:00"),
        part("windows", "voting", "closes_at", to="2018-12-06T17:00:00+01:00"),
        part("windows", "voting", "closes_at", to=datetime(2018, 12, 6, 16, tzinfo=UTC)),
        part("watch", "wrong_numens", to={"percent": 1, "floor": 11}),
        part("watch", "wrong_codes", to={"percent": 1, "floor": 6}),
        part("watch", "used_codes", to={"percent": 1, "floor": 9}),
    ],
)
def test_what_just_agrees_is_taken(content: dict[str, Any]) -> None:
    assert parse_election(content, "x.yaml").id == "dijon-2018"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (part("helpdesk", "outside_voting", "weekdays", to=["08:00-08:00"]), "ends before it starts"),
        (
            part("helpdesk", "outside_voting", "weekdays", to=["08:00-24:00"]),
            "'08:00-24:00' is not of the form 08:00-12:30",
        ),
        (part("windows", "voting", "closes_at", to="2018-11-29T08:00"), r"windows\.voting: closes before it opens"),
        (part("windows", "voting", to={"x": 1, "opens_at": "2018-11-29"}), "opens_at is a date without an hour"),
        (part("helpdesk", "form", to="https://a.fr/" + "x" * 188), "at most 200"),
        (part("helpdesk", "form", to="http://a.fr"), r"'http://a\.fr' is not an address"),
        (part("helpdesk", "phone", to="112"), "'112' is not a telephone number"),
        (part("timezone", to="Europe/Dijon"), "'Europe/Dijon' is not an IANA"),
        (part("domains", to=[{"domain": "A.fr", "staff": "s", "example": "a@A.fr"}]), r"'A\.fr' is not a lower-case"),
        (
            part("domains", to=[{"domain": "a.fr", "staff": "s", "example": "a@b.fr"}]),
            r"'a@b\.fr' is not an address of a\.fr",
        ),
        (part("windows", "reissue", "opens_at", to="1541404800"), "opens_at is not a date and time"),
        (part("windows", "reissue", "opens_at", to=" 2018-11-05 "), "a date without an hour"),
        (part("windows", "reissue", to="2018"), "must have members"),
        (part("windows", "voting", "closes_at", to="2018-11-29T08:00+01:00"), "windows.voting closes before it opens"),
        (part("windows", "reissue", "opens_at", to="2018-12-06T16:00Z"), "windows.reissue closes before it opens"),
        (
            part(
                "canaries",
                to={
                    "every_minutes": 15,
                    "late_after_minutes": 5,
                    "targets": [
                        {"domain": "ac-dijon.fr", "mailbox": "sonde@ac-dijon.fr"},
                        {"domain": "u-bourgogne.fr", "handset": "+33380448996"},
                    ],
                },
            ),
            r"handset of u-bourgogne.fr: not a mobile number \(landline\)",
        ),
        (part("watch", "used_codes", to={"percent": 1, "floor": 8}), "bucket and reserve together"),
    ],
)
def test_what_just_contradicts_is_refused(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(ElectionFileError, match=reason):
        parse_election(content, "x.yaml")


_CANARIES = {"every_minutes": 15, "late_after_minutes": 5, "targets": [{"domain": "ac-dijon.fr"}]}


def _canary(**target: str) -> dict[str, Any]:
    return part("canaries", to={**_CANARIES, "targets": [{"domain": "ac-dijon.fr", **target}]})


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (part("id", to="../secret"), "lower-case letters, digits and hyphens, 2 to 40"),
        (part("helpdesk", "email", to="Aide"), "a mailbox in lower case, such as assistance@ac-dijon.fr"),
        (_canary(mailbox="Sonde"), "a mailbox in lower case, such as sonde@ac-dijon.fr"),
        (_canary(handset="06"), r"\+ and the country code, such as \+33612345678"),
        (part("senders", "email_local_part", to="A B"), "what stands before the @ of an address"),
        (part("senders", "sms_sender_id", to="Été"), "3 to 11 letters and digits without accents"),
        (part("senders", "sms_name", to="Été"), "at most 40 letters without accents"),
        (part("site", "colours", to={"dark": {"id": "navy"}}), 'a colour such as "#4b2a7b", in quotes'),
    ],
)
def test_what_a_member_must_look_like_is_said(content: dict[str, Any], form: str) -> None:
    with pytest.raises(ElectionFileError, match=f"is not of the form: {form}"):
        parse_election(content, "x.yaml")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("name", 5, "must be a text"),
        ("helpdesk.outside_voting.weekdays", "x", "must be a list"),
        ("site.accessibility.defects", "x", "must be a list"),
        ("limits.code", "5", "must have members"),
        ("helpdesk.during_voting.dates", "x", "must have members"),
        ("site.colours", {"light": "x"}, "must have members"),
        ("site.host", "x", "must have members"),
        ("limits.code.tries", [], "must be a whole number"),
        ("limits.code.tries", "five", "must be a whole number"),
        ("limits.code.tries", 1.5, "must be a whole number"),
        ("limits.code.tries", "9" * 5000, "must be a whole number (an integer) within reason"),
        ("limits.sms_max_price_usd", [], 'must be a number such as "0.10"'),
        ("limits.sms_max_price_usd", "ten", 'must be a number such as "0.10"'),
        ("windows.voting.opens_at", "soon", "must be a date and time such as 2018-12-06T17:00"),
        ("helpdesk.during_voting.dates", {"soon": []}, "must be a date such as 2018-12-06"),
        ("helpdesk.outside_voting.weekdays", [{"start": "x", "end": "12:00"}], "must be a time such as 17:00"),
    ],
)
def test_a_value_of_another_kind_is_told_what_it_must_be(path: str, value: object, said: str) -> None:
    with pytest.raises(ElectionFileError) as refusal:
        parse_election(part(*path.split("."), to=value), "x.yaml")
    named = [line for line in str(refusal.value).splitlines() if line.startswith(f"x.yaml: {path}")]
    assert [said in line for line in named] == [True]


@pytest.mark.parametrize(
    ("status", "rate", "said"),
    [
        ("non conforme", "0", None),
        ("non conforme", "49.99", None),
        ("partiellement conforme", "50", None),
        ("partiellement conforme", "99.99", None),
        ("totalement conforme", "100", None),
        ("non conforme", "-0.01", "must be at least 0"),
        ("totalement conforme", "100.01", "must be at most 100"),
        ("non conforme", "12.345", "must have at most 2 decimal places"),
    ],
)
def test_what_an_audit_found_is_a_share_of_the_criteria(status: str, rate: str, said: str | None) -> None:
    audit = {"by": "le rectorat", "on": "2018-10-01", "rate": rate}
    defects = [] if rate == "100" else ["un lien"]
    content = part("site", "accessibility", to={"status": status, "audit": audit, "defects": defects})
    if said is None:
        assert parse_election(content, "x.yaml").site.accessibility.status == status
    else:
        with pytest.raises(ElectionFileError, match=rf"accessibility\.audit\.rate: {said}"):
            parse_election(content, "x.yaml")


def test_one_time_of_a_window_may_have_an_offset_and_the_other_none() -> None:
    content = part("windows", "voting", to={"opens_at": "2018-11-29T07:00Z", "closes_at": "2018-12-06T17:00"})
    assert parse_election(content, "x.yaml").windows.voting == read_election("dijon-2018").windows.voting


def test_deliveries_are_kept_for_days() -> None:
    now = datetime(2018, 12, 1, tzinfo=UTC)
    retention = read_election("dijon-2018").retention
    assert retention.deliveries_since(now) == now - timedelta(days=retention.deliveries_days)


@pytest.mark.req("S25")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{", ""),
        ('"sms_max_price_usd":"', '"sms_max_price_usd":"x'),
        ('"organiser"', '"organizer"'),
        ('"organiser":', '"other":1,"organiser":'),
        ('"domains":[', '"domains":"'),
        ('"identifier":{"symbols":', '"identifier":{"symbols":[1],"group":'),
        ('"timezone":"Europe/Paris"', '"timezone":{"a":1}'),
        ('"2018-', '"2018:'),
    ],
)
def test_a_damaged_election_is_named_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    monkeypatch.setattr("reassort.election.__file__", str(tmp_path / "election.py"))
    path = tmp_path / "elections" / "dijon-2018.json"
    path.parent.mkdir()
    whole = read_election("dijon-2018").for_functions()
    path.write_text(whole, "utf-8")
    assert packaged_election("dijon-2018").id == "dijon-2018"
    assert old in whole
    path.write_text(whole.replace(old, new, 1), "utf-8")
    with pytest.raises(ElectionFileError, match=r"^dijon-2018\.json: (\w+Error|InvalidOperation)"):
        packaged_election("dijon-2018")
