"""Messages: an SMS of one part, complete e-mails without remote content, and nothing secret where it does not belong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.texts import Email, Texts
from reassort.addresses import mask_address
from reassort.election import Election
from reassort.identifiers import generate_identifier
from reassort.outbox import Channel, Delivery, code_delivery_item, delivery_from_item, reissue_delivery_item

from tests.elections import IDS, election_content, read_election

ORIGIN = "https://reassort.example.fr"
NOW = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
REFERENCE = "7K3M9-QWX2T"
DISPUTE = f"{REFERENCE}.mJ4nQ2vX8tLz6sKc1wPb9yRd5hGf3aTe7uVi0oZxNkM"
# 3GPP TS 23.038: the basic table and its extension, whose characters take two places.
GSM7 = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = set("^{}\\[~]|€")


def gsm7_length(text: str) -> int:
    """Return the places that a text takes in an SMS. Raises ValueError when GSM 7-bit lacks one of its characters."""
    if missing := set(text) - GSM7 - GSM7_EXTENSION:
        raise ValueError(f"not in GSM 7-bit: {missing}")
    return sum(2 if character in GSM7_EXTENSION else 1 for character in text)


def masked_address(election: Election) -> str:
    return mask_address(f"claire.martin@{election.domain_names[0]}")


def reissue_delivery(election: Election, generation: int = 2, channel: Channel = Channel.SMS) -> Delivery:
    return delivery_from_item(
        reissue_delivery_item(
            reference=REFERENCE,
            voter_id="q0Zk3mTn8yVb5sWc1xLd7A",
            generation=generation,
            channel=channel,
            destinations={Channel.SMS: "•• •• •• 56 78", Channel.EMAIL: masked_address(election)},
            phone_hash="phone",
            address=b"sealed",
            payload=b"sealed",
            request_hash="request",
            now=NOW,
            retention=election.retention,
        )
    )


def code_delivery() -> Delivery:
    return delivery_from_item(
        code_delivery_item(
            delivery_id="delivery",
            voter_id="q0Zk3mTn8yVb5sWc1xLd7A",
            address=b"sealed",
            payload=b"sealed",
            now=NOW,
            lifetime=timedelta(minutes=10),
        )
    )


def emails_of(election: Election) -> Iterator[tuple[str, Email]]:
    """Give every e-mail of an election, by name, filled with one identifier and one code."""
    texts = Texts(election, ORIGIN)
    payload = payload_of(election)
    yield "code", texts.code_email(code_delivery(), {"code": "480213"})
    for channel in Channel:
        delivery = reissue_delivery(election, channel=channel)
        yield f"confirmation-{channel}", texts.confirmation_email(delivery, payload)
    yield "identifier", texts.identifier_email(reissue_delivery(election, channel=Channel.EMAIL), payload)


def payload_of(election: Election) -> dict[str, str]:
    identifier = generate_identifier(election.identifier)
    return {"identifier": identifier, "phone": "+33612345678", "dispute": DISPUTE}


EMAILS = [
    pytest.param(read_election(election_id), email, id=f"{election_id}-{name}")
    for election_id in IDS
    for name, email in emails_of(read_election(election_id))
]


class Page(HTMLParser):
    """What a mail program would see of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.opened.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        if self.opened and self.opened[-1] != "style":
            self.text += data


# ---------------------------------------------------------------- SMS


@pytest.mark.req("U12", "P9", "U7")
@pytest.mark.parametrize("election_id", IDS)
@pytest.mark.parametrize("generation", [2, 10])
def test_sms_is_one_part_and_says_what_it_replaces(election_id: str, generation: int) -> None:
    election = read_election(election_id)
    payload = payload_of(election)
    text = Texts(election, ORIGIN).identifier_sms(reissue_delivery(election, generation), payload)
    assert gsm7_length(text) <= 160
    assert payload["identifier"] in text
    assert f"No {generation}, remplace le no {generation - 1}" in text
    assert REFERENCE in text
    assert "\n" not in text


def _longest_election(name: str) -> Election:
    content = election_content("dijon-2018")
    senders = {**content["senders"], "sms_name": name}
    limits = {**content["limits"], "reissues": {"per_day": 20, "in_all": 50}}
    return read_election("dijon-2018", senders=senders, limits=limits, identifier={"symbols": 31, "group": 3})


@pytest.mark.req("U12", "P9")
def test_longest_sms_that_an_election_file_allows_is_still_one_part() -> None:
    election = _longest_election("E" * 40)
    delivery = reissue_delivery(election, generation=1 + election.limits.reissues.in_all)
    text = Texts(election, ORIGIN).identifier_sms(delivery, payload_of(election))
    assert gsm7_length(text) <= 160


@pytest.mark.req("U12")
@given(st.from_regex(r"[A-Za-z0-9 .'-]{1,40}", fullmatch=True))
def test_every_allowed_election_name_is_in_the_alphabet_of_sms(name: str) -> None:
    assert gsm7_length(name) == len(name)


@pytest.mark.req("U12")
def test_french_letters_that_gsm_lacks_are_known_here() -> None:
    for letter in "çêâîôûœ«»’":
        with pytest.raises(ValueError, match="GSM"):
            gsm7_length(letter)


# ---------------------------------------------------------------- e-mails


@pytest.mark.req("U12")
@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_email_has_a_full_text_part_and_a_french_page(election: Election, email: Email) -> None:
    page = Page(email.html)
    assert ("html", "lang", "fr") in page.attributes
    assert page.opened.count("h1") == 1
    assert page.opened.count("title") == 1
    # Whatever the page tells, numbers and names included, the text tells too.
    told = set(re.findall(r"\w{3,}", page.text.lower()))
    # The label of the link says what the sentence beside it says.
    assert told - set(re.findall(r"\w{3,}", f"{email.subject} {email.text}".lower())) <= {"moi", "bloquer", "cet"}


@pytest.mark.req("U12", "S20")
@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_email_loads_nothing_and_runs_nothing(election: Election, email: Email) -> None:
    page = Page(email.html)
    assert not set(page.opened) & {
        "img",
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "form",
        "base",
    }
    assert not re.search(r"url\(|@import|@font-face|src=|background=", email.html)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    links = [value for _, name, value in page.attributes if name == "href"]
    assert all(link.startswith(f"{ORIGIN}/contestation.html#") for link in links)


@pytest.mark.req("U12")
@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_email_is_legible_in_dark_mode(election: Election, email: Email) -> None:
    assert ("meta", "content", "light dark") in Page(email.html).attributes
    assert "prefers-color-scheme: dark" in email.html


@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_email_names_the_election_and_its_helpdesk(election: Election, email: Email) -> None:
    for part in (email.text, Page(email.html).text):
        assert election.name in part
        assert election.organiser in part
        assert election.helpdesk.phone in part
        assert "None" not in part
        assert "{" not in part


@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_email_of_one_election_says_nothing_of_another(election: Election, email: Email) -> None:
    for other in (read_election(election_id) for election_id in IDS if election_id != election.id):
        for fact in (other.name, other.organiser, other.helpdesk.phone, *other.domain_names):
            assert fact not in email.text + email.html + email.subject


@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_subject_is_one_line_without_a_secret(election: Election, email: Email) -> None:
    assert re.fullmatch(r"[^\r\n]{1,120}", email.subject)
    assert not re.search(r"\d{6}|[2-9A-HJ-Z]{4}-[2-9A-HJ-Z]{4}", email.subject)


@pytest.mark.req("I4")
@pytest.mark.parametrize("election_id", IDS)
@pytest.mark.parametrize("channel", Channel)
def test_confirmation_holds_the_way_to_dispute_and_not_the_identifier(election_id: str, channel: Channel) -> None:
    election = read_election(election_id)
    payload = payload_of(election)
    email = Texts(election, ORIGIN).confirmation_email(reissue_delivery(election, channel=channel), payload)
    everything = email.subject + email.text + email.html
    assert payload["identifier"] not in everything
    assert payload["identifier"].replace("-", "") not in everything
    assert payload["phone"] not in everything
    for part in (email.text, email.html):
        assert f"{ORIGIN}/contestation.html#{DISPUTE}" in part
        assert "éassort n° 2, remplace le n° 1" in part
        assert REFERENCE in part
        assert {"sms": "•• •• •• 56 78", "email": masked_address(election)}[channel] in part
        assert "le vendredi 30 novembre 2018 à 10 h 15" in part


@pytest.mark.req("U7")
@pytest.mark.parametrize("election_id", IDS)
def test_identifier_email_tells_number_time_and_reference(election_id: str) -> None:
    election = read_election(election_id)
    payload = payload_of(election)
    email = Texts(election, ORIGIN).identifier_email(reissue_delivery(election, channel=Channel.EMAIL), payload)
    for part in (email.text, email.html):
        assert payload["identifier"] in part
        assert "éassort n° 2, remplace le n° 1" in part
        assert REFERENCE in part
        assert "le vendredi 30 novembre 2018 à 10 h 15" in part
        assert DISPUTE not in part


def test_code_email_says_how_long_the_code_lives() -> None:
    election = read_election("dijon-2018")
    email = Texts(election, ORIGIN).code_email(code_delivery(), {"code": "012345"})
    for part in (email.text, email.html):
        assert "012345" in part
        assert "10 minutes" in part


@pytest.mark.req("I7")
def test_alert_for_the_helpdesk_names_the_reference_and_nobody() -> None:
    election = read_election("dijon-2018")
    text = Texts(election, ORIGIN).dispute_alert(reissue_delivery(election))
    assert REFERENCE in text
    assert "@" not in text
    assert "••" not in text


def test_markup_in_the_election_file_is_shown_not_obeyed() -> None:
    election = read_election("dijon-2018", name="Élections <b>&</b> vote")
    email = Texts(election, ORIGIN).code_email(code_delivery(), {"code": "480213"})
    assert "Élections &lt;b&gt;&amp;&lt;/b&gt; vote" in email.html
    assert "Élections <b>&</b> vote" in email.text


def test_what_a_template_asks_for_and_does_not_get_is_an_error() -> None:
    texts = Texts(read_election("dijon-2018"), ORIGIN)
    with pytest.raises(KeyError):
        texts.code_email(code_delivery(), {})
