"""Where and until when to vote: on the pages, in the hours of the election and of the voter."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page

from harness.site.mocked_space import ELECTION, NOW, MockedSpace, tracked
from tests.site.reading import expect_shown

CLOSE = "Fin du vote : jeudi 6 décembre 2018 à 17 h, heure de Paris"
HERE = {
    "Europe/Paris": "heure de Paris.",
    "America/Martinique": "heure de Paris (12 h chez vous).",
    "Indian/Reunion": "heure de Paris (20 h chez vous).",
    "Pacific/Noumea": "heure de Paris (vendredi 7 décembre à 3 h chez vous).",
}


@pytest.mark.req("U9", "U8")
@pytest.mark.parametrize("zone", HERE)
def test_home_and_tracking_say_where_to_vote_and_when_it_ends_for_the_voter(page: Page, site: Path, zone: str) -> None:
    browser = page.context.browser
    assert browser is not None
    assert ELECTION.voting_site
    context = browser.new_context(locale="fr-FR", timezone_id=zone)
    space = MockedSpace(context.new_page(), site)
    space.open("index.html", now=NOW)
    expect_shown(space.page, CLOSE, HERE[zone], ELECTION.voting_site.name)
    space.open_tracking(tracked("delivered"))
    expect_shown(space.page, CLOSE, HERE[zone], ELECTION.voting_site.bare_address)
    context.close()


@pytest.mark.req("U8", "U9")
def test_who_needs_a_closed_helpdesk_is_told_to_write(page: Page, mocked: MockedSpace) -> None:
    mocked.track(tracked("disputed"))
    mocked.open("aide.html", now=datetime(2018, 11, 30, 22, 0, tzinfo=UTC))
    expect_shown(
        page,
        "Fermée maintenant",
        "Par écrit, même quand l’assistance est fermée",
        "assistance-vote@ac-dijon.fr",
        "Personnes sourdes ou malentendantes : appelez par Acceo",
        selector="aside.helpdesk",
    )
