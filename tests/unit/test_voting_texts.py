"""Messages: where and until when to vote, in the voter's own time too, and what comes next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notify.texts import Texts

from harness.elections import IDS, election_content, read_election
from harness.service.gsm7 import gsm7_length
from harness.service.messages import ORIGIN, REFERENCE, payload, reissue_delivery, sms
from tests.unit.test_texts import Page, plain

# The room that is left decides what an SMS says of the vote: all, the address, the close, or
# nothing.
VOTE_LINES = {
    "https://vote.fr": "Vote : vote.fr, fin le 6/12 à 17 h (Paris)",
    "https://elections2018.ac-dijon.fr/vote/": "Vote : elections2018.ac-dijon.fr/vote",
    f"https://{'v' * 60}.fr": "Fin du vote : 6/12 à 17 h (Paris)",
}


@pytest.mark.req("U12", "P9")
@pytest.mark.parametrize("address", VOTE_LINES)
def test_sms_says_where_to_vote_as_far_as_there_is_room(address: str) -> None:
    election = read_election(
        "dijon-2018",
        voting_site={"name": "Vote", "address": address},
        senders={**election_content("dijon-2018")["senders"], "sms_name": "Vote 2018"},
    )
    text = sms(election)
    assert gsm7_length(text) == len(text) <= 160
    assert text.splitlines()[-1] == VOTE_LINES[address]


@pytest.mark.req("U12", "P9")
@given(st.from_regex(r"https://([a-z0-9-]{1,20}\.){1,3}[a-z]{2,6}(/[A-Za-z0-9._/?=&%-]{0,60})?", fullmatch=True))
def test_sms_is_one_part_wherever_the_vote_is(address: str) -> None:
    text = sms(read_election("dijon-2018", voting_site={"name": "Vote", "address": address}))
    assert gsm7_length(text) == len(text) <= 160
    assert text.splitlines()[3] == f"Réf. assistance : {REFERENCE}"


CLOSES = {
    "dijon-2018": "jeudi 6 décembre 2018 à 17 h, heure de Paris",
    "normandie-2026": "jeudi 10 décembre 2026 à 17 h, heure de Paris",
    "nouvelle-caledonie-2026": "jeudi 10 décembre 2026 à 16 h 30, heure de Nouvelle-Calédonie",
}


@pytest.mark.req("U7", "U9")
@pytest.mark.parametrize("election_id", IDS)
def test_identifier_and_confirmation_say_where_and_until_when_to_vote(election_id: str) -> None:
    election = read_election(election_id)
    site = election.voting_site
    assert site
    texts, delivery, sealed = Texts(election, ORIGIN), reissue_delivery(election), payload(election)
    for email in (texts.identifier_email(delivery, sealed), texts.confirmation_email(delivery, sealed)):
        for part in (email.text, plain(Page(email.html).text)):
            assert [
                word for word in (site.name, site.address, CLOSES[election_id], site.note or "") if word not in part
            ] == []


@pytest.mark.req("U7", "U9")
def test_emails_of_an_election_that_names_no_voting_site_say_when_the_vote_ends() -> None:
    election = read_election("dijon-2018", voting_site=None)
    email = Texts(election, ORIGIN).confirmation_email(reissue_delivery(election), payload(election))
    for part in (email.text, plain(email.html)):
        assert "Fin du vote" in part
        assert "Où voter" not in part


# At home where the mobile is: 17 h of Paris in winter.
HOURS_THERE = {
    "+590690123456": "17 h, heure de Paris (12 h aux Antilles)",
    "+596696123456": "17 h, heure de Paris (12 h aux Antilles)",
    "+594694123456": "17 h, heure de Paris (13 h en Guyane)",
    "+508551234": "17 h, heure de Paris (13 h à Saint-Pierre-et-Miquelon)",
    "+262692123456": "17 h, heure de Paris (20 h à La Réunion)",
    "+262639123456": "17 h, heure de Paris (19 h à Mayotte)",
    "+687751234": "17 h, heure de Paris (vendredi 7 décembre à 3 h en Nouvelle-Calédonie)",
    "+689871234": "17 h, heure de Paris (6 h à Tahiti)",
    "+681821234": "17 h, heure de Paris (vendredi 7 décembre à 4 h à Wallis-et-Futuna)",
    "+33612345678": "17 h, heure de Paris.",
}


@pytest.mark.req("U9")
@pytest.mark.parametrize("phone", HOURS_THERE)
def test_voter_overseas_is_told_their_own_hour_of_the_close(phone: str) -> None:
    election = read_election("dijon-2018")
    sealed = {**payload(election), "phone": phone}
    texts, delivery = Texts(election, ORIGIN), reissue_delivery(election)
    for email in (texts.identifier_email(delivery, sealed), texts.confirmation_email(delivery, sealed)):
        for part in (email.text, plain(Page(email.html).text)):
            assert HOURS_THERE[phone] in part


@pytest.mark.req("I4", "U9")
def test_confirmation_begins_with_what_happened_and_goes_on_in_order() -> None:
    election = read_election("dijon-2018")
    email = Texts(election, ORIGIN).confirmation_email(reissue_delivery(election), payload(election))
    shown = plain(Page(email.html.partition("<main>")[2]).text)
    for part in (email.text, shown):
        assert part.strip().startswith("Votre demande est enregistrée")
        steps = [
            part.index(words)
            for words in ("C’est votre 2e identifiant", "Recevez", "Votez", "Gardez cette", "pas vous ?".upper())
            if words in part
        ]
        assert len(steps) >= 4
        assert steps == sorted(steps)
