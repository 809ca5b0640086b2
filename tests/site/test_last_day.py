"""The last day: what is left until the close, what is offered at once, and what no more."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.mocked_space import ELECTION, NOW, OVERVIEW, REISSUE, MockedSpace, overview, step, tracked
from harness.site.states import STATES
from harness.site.states.pages import AFTER, BEFORE, LAST_DAY
from harness.site.steps import fill_form, heading_is, sign_in
from tests.site.axe import violations
from tests.site.reading import expect_shown, shown

CLOSE = ELECTION.windows.voting.closes_at.astimezone(UTC)
START = "#start a"
LEFT = {
    timedelta(hours=24): "Le vote et les demandes ferment dans 24 h : jeudi 6 décembre à 17 h, heure de Paris.",
    timedelta(hours=5, minutes=15): "Le vote et les demandes ferment dans 5 h 15 min :",
    timedelta(minutes=25): "Le vote et les demandes ferment dans 25 min :",
    timedelta(seconds=305): "Le vote et les demandes ferment dans 5 min 05 s :",
    timedelta(0): "Le vote est terminé depuis le jeudi 6 décembre à 17 h, heure de Paris.",
}


@pytest.mark.req("U9", "U8")
@pytest.mark.parametrize("left", LEFT)
def test_every_page_says_on_the_last_day_how_much_is_left(page: Page, mocked: MockedSpace, left: timedelta) -> None:
    mocked.open("aide.html", now=CLOSE - left)
    expect_shown(page, LEFT[left], selector="#time-left")


@pytest.mark.req("U9")
def test_what_is_left_is_not_said_before_the_last_day(page: Page, mocked: MockedSpace) -> None:
    mocked.open("index.html", now=CLOSE - timedelta(hours=25))
    expect(page.locator("#time-left")).to_be_hidden()
    expect(page.locator(START)).to_be_visible()


@pytest.mark.req("U9", "U10")
def test_the_way_in_goes_as_the_window_closes_while_the_page_is_open(page: Page, mocked: MockedSpace) -> None:
    mocked.open("index.html", now=CLOSE - timedelta(seconds=20))
    expect_shown(page, "ferment dans 20 s", selector="#time-left")
    expect(page.locator(START)).to_be_visible()
    page.clock.run_for(21_000)
    expect_shown(page, "Le vote est terminé", selector="#time-left")
    expect_shown(page, "Les demandes sont fermées depuis le jeudi 6 décembre à 17 h, heure de Paris.")
    expect(page.locator(START)).to_be_hidden()
    assert violations(page) == []


@pytest.mark.req("U9")
@pytest.mark.parametrize("name", ["home-stopped", "home-closed", "home-too-early"])
def test_nobody_is_led_into_a_request_that_would_be_refused(page: Page, mocked: MockedSpace, name: str) -> None:
    STATES[name].play(mocked)
    expect(page.locator(START)).to_be_hidden()


@pytest.mark.req("U9")
def test_a_stop_is_seen_and_its_end_too(page: Page, mocked: MockedSpace) -> None:
    mocked.open("index.html")
    expect(page.locator(START)).to_be_visible()
    mocked.answer_service(NOW, stopped=True)
    page.clock.run_for(61_000)
    expect_shown(page, "L’organisateur a suspendu les demandes")
    expect(page.locator(START)).to_be_hidden()
    mocked.answer_service(NOW)
    page.clock.run_for(61_000)
    expect(page.locator(START)).to_be_visible()
    expect(page.locator("#window-notice")).to_be_hidden()


@pytest.mark.req("U9")
@pytest.mark.parametrize("now", [BEFORE, AFTER])
def test_without_the_server_a_wrong_clock_keeps_nobody_out(page: Page, mocked: MockedSpace, now: datetime) -> None:
    mocked.drop(("GET", "/api/status"))
    mocked.open("index.html", now=now)
    expect_shown(page, "Les demandes")
    expect(page.locator(START)).to_be_visible()


@pytest.mark.req("U9", "U6")
def test_in_the_last_hours_the_other_way_is_offered_after_half_a_minute(page: Page, mocked: MockedSpace) -> None:
    late = tracked("sent", history=[step("queued", "sms", ago=40), step("sent", "sms", ago=38)])
    mocked.open_tracking(late)
    expect(page.locator("#redelivery")).to_be_hidden()
    told = page.evaluate(
        """async ([reissue, now]) => {
          const { offerOf } = await import(document.querySelector("link[href$='delivery.js']").href);
          return [7200, 7199].map((left) => offerOf(reissue, "", now, left)?.kind ?? null);
        }""",
        [late, NOW.timestamp() * 1000],
    )
    assert told == [None, "slow"]


@pytest.mark.req("U9")
@pytest.mark.parametrize("minutes", [14, 16])
def test_a_lock_that_ends_after_the_close_says_so(page: Page, mocked: MockedSpace, minutes: int) -> None:
    closes_at = (NOW + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    window = {**overview()["window"], "closes_at": closes_at}
    sign_in(mocked, window=window)
    heading_is(page, "Vos renseignements")
    fill_form(mocked)
    page.get_by_role("button", name="Vérifier ma demande").click()
    mocked.refuse(REISSUE, Code.LOCKED, retry_after=900, attempts_left=0)
    page.get_by_role("button", name="Confirmer ma demande").click()
    page.locator("#errors:visible").wait_for()
    told = shown(page, "#errors")
    late = minutes < 15
    assert ("N’attendez pas : l’attente finirait vendredi 30 novembre à 10 h 30" in told) == late
    assert ("les demandes ferment vendredi 30 novembre à 10 h 29, heure de Paris" in told) == late
    assert ("Vous pourrez recommencer dans" in told) != late


@pytest.mark.req("U9", "U6")
def test_after_the_close_the_tracking_page_offers_no_request(page: Page, mocked: MockedSpace) -> None:
    closed = {**overview()["window"], "open": False}
    mocked.answer(OVERVIEW, 200, overview(window=closed))
    mocked.open("suivi.html", now=LAST_DAY)
    expect_shown(page, "Vous n’avez pas fait de demande de nouvel identifiant.")
    expect(page.get_by_role("link", name="Faire une demande")).to_be_hidden()
