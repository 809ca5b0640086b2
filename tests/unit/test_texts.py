"""Messages: an SMS of one part, complete e-mails without remote content, and nothing secret where
it does not belong.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from notify.texts import Email, Texts
from reassort.election import Election
from reassort.outbox import Channel

from harness.elections import IDS, election_content, read_election
from harness.service.gsm7 import gsm7_length
from harness.service.messages import (
    CODE,
    DISPUTE,
    MASKED_PHONE,
    ORIGIN,
    REFERENCE,
    alert,
    canary_sms,
    code_delivery,
    emails,
    masked_address,
    payload,
    reissue_delivery,
    sms,
)

EMAILS = [
    pytest.param(read_election(election_id), email, id=f"{election_id}-{name}")
    for election_id in IDS
    for name, email in emails(read_election(election_id))
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


# Every generation that a voter can reach, and 11 for files that allow fewer.
GENERATIONS = [
    pytest.param(election_id, generation, id=f"{election_id}-{generation}")
    for election_id in IDS
    for generation in range(2, max(11, 1 + read_election(election_id).limits.reissues.in_all) + 1)
]


@pytest.mark.req("U12", "P9", "U7")
@pytest.mark.parametrize(("election_id", "generation"), GENERATIONS)
def test_sms_is_one_part_and_says_what_it_replaces(election_id: str, generation: int) -> None:
    election = read_election(election_id)
    text = sms(election, generation)
    assert gsm7_length(text) <= 160
    assert text.splitlines() == [
        election.senders.sms_name,
        f"Identifiant de vote : {payload(election)['identifier']}",
        f"No {generation}, remplace le no {generation - 1}",
        f"Réf. assistance : {REFERENCE}",
        {
            "dijon-2018": "Fin du vote : 6/12 à 17 h (Paris)",
            "normandie-2026": "Vote : vote2026.ac-normandie.fr",
            "nouvelle-caledonie-2026": "Vote : vote2026.ac-noumea.nc",
        }[election_id],
    ]


def _longest_election() -> Election:
    content = election_content("dijon-2018")
    senders = {**content["senders"], "sms_name": "E" * 40}
    limits = {**content["limits"], "reissues": {"per_day": 20, "in_all": 50}}
    return read_election("dijon-2018", senders=senders, limits=limits, identifier={"symbols": 31, "group": 3})


@pytest.mark.req("U12", "P9")
def test_longest_sms_that_an_election_file_allows_is_still_one_part() -> None:
    election = _longest_election()
    assert gsm7_length(sms(election, generation=1 + election.limits.reissues.in_all)) <= 160


@pytest.mark.req("U12", "P9")
def test_sms_of_a_canary_is_one_part() -> None:
    assert gsm7_length(canary_sms(_longest_election())) <= 160


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
    links = {value for _, name, value in page.attributes if name == "href"}
    helpdesk = election.helpdesk
    assert election.voting_site
    ways = {"tel:" + helpdesk.phone.replace(".", ""), f"mailto:{helpdesk.email}", helpdesk.form}
    if helpdesk.relay:
        ways.add(helpdesk.relay.address)
    assert links - {*ways, election.voting_site.address, f"{ORIGIN}/contestation.html#{DISPUTE}"} == set()


@pytest.mark.req("U12")
@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_preview_line_says_something_else_than_the_subject(election: Election, email: Email) -> None:
    """A mail program shows the beginning of the body beside the subject."""
    for element in ("title", "h1"):
        (words,) = re.findall(f"<{element}>(.*?)</{element}>", email.html)
        assert words
        assert plain(words) not in email.subject
        assert email.subject not in plain(words)
    assert not email.text.startswith(email.subject)


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
        # Elections of one day may have one name.
        for fact in {other.name, other.organiser, other.helpdesk.phone, *other.domain_names} - {election.name}:
            assert fact not in email.text + email.html + email.subject


@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_subject_is_one_line_without_a_secret(election: Election, email: Email) -> None:
    assert re.fullmatch(r"[^\r\n]{1,120}", email.subject)
    assert not re.search(r"\d{6}|[2-9A-HJ-Z]{4}-[2-9A-HJ-Z]{4}", email.subject)


# When the requests were made, by the clocks of each election.
REQUESTED = {
    "dijon-2018": "vendredi 30 novembre 2018 à 10 h 15",
    "normandie-2026": "vendredi 4 décembre 2026 à 10 h 15",
    "nouvelle-caledonie-2026": "jeudi 3 décembre 2026 à 20 h 15",
}


def plain(part: str) -> str:
    """Undo the no-break spaces of the HTML part."""
    return re.sub("[\u00a0\u202f]", " ", part)


@pytest.mark.req("U12")
@pytest.mark.parametrize(("election", "email"), EMAILS)
def test_page_breaks_no_line_before_a_colon_or_inside_a_number(election: Election, email: Email) -> None:
    page = Page(email.html.partition("<body>")[2]).text
    assert not re.search(r" [:;?!»]|« |n° |\d h\b|h \d|• ", page)
    # The text part is for copying from, and for programs that show a no-break space as something
    # else.
    assert not re.search("[\u00a0\u202f]", email.text + email.subject)


@pytest.mark.req("I4")
@pytest.mark.parametrize("election_id", IDS)
@pytest.mark.parametrize("channel", Channel)
def test_confirmation_holds_the_way_to_dispute_and_not_the_identifier(election_id: str, channel: Channel) -> None:
    election = read_election(election_id)
    sealed = payload(election)
    email = Texts(election, ORIGIN).confirmation_email(reissue_delivery(election, channel=channel), sealed)
    everything = email.subject + email.text + email.html
    assert sealed["identifier"] not in everything
    assert sealed["identifier"].replace("-", "") not in everything
    assert sealed["phone"] not in everything
    other = {Channel.SMS: masked_address(election), Channel.EMAIL: MASKED_PHONE}[channel]
    for part in (email.text, plain(email.html)):
        assert f"{ORIGIN}/contestation.html#{DISPUTE}" in part
        assert "Réassort n° 2, remplace le n° 1" in part
        assert re.search(r"précédent (<strong>)?ne fonctionne plus", part)
        assert REFERENCE in part
        assert {Channel.SMS: MASKED_PHONE, Channel.EMAIL: masked_address(election)}[channel] in part
        assert other not in part
        assert f"le {REQUESTED[election_id]}" in part


@pytest.mark.req("I4", "U9")
def test_confirmation_says_what_the_link_does_and_what_to_do_next() -> None:
    election = read_election("dijon-2018")
    email = Texts(election, ORIGIN).confirmation_email(reissue_delivery(election), payload(election))
    for part in (email.text, plain(email.html)):
        link, password, call = (
            part.index(words)
            for words in ("confirmez sur la page", "Changez le mot de passe", "Appelez l’assistance au")
        )
        assert link < password < call
        for consequence in (
            "Le nouvel identifiant est alors bloqué",
            "L’assistance est prévenue",
            "Elle ne vous appellera pas",
            "vous ne pourrez ni voter ni faire une nouvelle demande",
        ):
            assert consequence in part


@pytest.mark.req("U7")
@pytest.mark.parametrize("fell_back", [False, True])
@pytest.mark.parametrize("election_id", IDS)
def test_identifier_email_tells_number_time_and_reference(election_id: str, fell_back: bool) -> None:
    election = read_election(election_id)
    delivery = reissue_delivery(election, channel=Channel.EMAIL, fell_back=fell_back)
    email = Texts(election, ORIGIN).identifier_email(delivery, payload(election))
    for part in (email.text, plain(email.html)):
        assert payload(election)["identifier"] in part
        assert "Réassort n° 2, remplace le n° 1" in part
        assert REFERENCE in part
        assert f"le {REQUESTED[election_id]}" in part
        assert DISPUTE not in part


@pytest.mark.req("R10")
def test_email_after_a_failed_sms_says_why_it_comes() -> None:
    election = read_election("dijon-2018")
    texts, sealed = Texts(election, ORIGIN), payload(election)
    chosen = reissue_delivery(election, channel=Channel.EMAIL)
    fallback = reissue_delivery(election, channel=Channel.EMAIL, fell_back=True)
    failed = f"Le SMS n’a pas pu être remis au numéro {MASKED_PHONE}"
    for write in (texts.identifier_email, texts.confirmation_email):
        for part in (write(fallback, sealed).text, plain(write(fallback, sealed).html)):
            assert failed in part
            assert "le même identifiant" in part.lower()
        assert "SMS" not in write(chosen, sealed).text


@pytest.mark.req("R11")
def test_confirmation_after_a_failed_email_says_that_an_sms_comes() -> None:
    election = read_election("dijon-2018")
    fallback = reissue_delivery(election, fell_back=True)
    email = Texts(election, ORIGIN).confirmation_email(fallback, payload(election))
    for part in (" ".join(email.text.split()), plain(email.html)):
        assert f"Le courriel n’a pas pu être remis à l’adresse {masked_address(election)}" in part
        assert f"Le même identifiant vous est envoyé par SMS, au numéro {MASKED_PHONE}" in part


@pytest.mark.req("U18")
def test_code_email_says_until_when_the_code_lives() -> None:
    election = read_election("dijon-2018")
    email = Texts(election, ORIGIN).code_email(code_delivery(election), {"code": "012345"})
    for part in (email.text, plain(email.html)):
        assert "012345" in part
        assert "jusqu’à 10 h 25 (heure de Paris)" in part


@pytest.mark.req("I7")
@pytest.mark.parametrize("election_id", IDS)
def test_alert_for_the_helpdesk_names_the_reference_and_nobody(election_id: str) -> None:
    election = read_election(election_id)
    text = alert(election)
    assert REFERENCE in text
    assert "n° 2" in text
    for personal in ("@", "•", "56 78", payload(election)["identifier"], DISPUTE):
        assert personal not in text


def test_markup_in_the_election_file_is_shown_not_obeyed() -> None:
    election = read_election("dijon-2018", name="Élections <b>&</b> vote")
    email = Texts(election, ORIGIN).code_email(code_delivery(election), {"code": CODE})
    assert "Élections &lt;b&gt;&amp;&lt;/b&gt; vote" in email.html
    assert "Élections <b>&</b> vote" in email.text


def test_what_a_template_asks_for_and_does_not_get_is_an_error() -> None:
    election = read_election("dijon-2018")
    with pytest.raises(UndefinedError, match="'code' is undefined"):
        Texts(election, ORIGIN)._render("code.txt.j2", code_delivery(election))
