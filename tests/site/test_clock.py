"""The clock of the voter's computer is wrong, or is set right meanwhile: what the page says of
hours and ends follows the server's.
"""

from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.intercepted import answer_requests
from harness.site.mocked_space import NOW, OVERVIEW, REISSUE, MockedSpace, overview, tracked
from harness.site.pages import PAGES
from harness.site.states.pages import AFTER, BEFORE
from harness.site.steps import confirm, fill_form, heading_is, open_review
from tests.site.reading import expect_shown

WRONG = [timedelta(days=-1), timedelta(days=1), timedelta(hours=-12)]
TWO_YEARS = timedelta(days=730)


def dated(now: datetime, age: int | None = None) -> dict[str, str]:
    """Return the date of an answer, as a cache gives it that has kept it for `age` seconds."""
    kept = now - timedelta(seconds=age or 0)
    return {"Date": format_datetime(kept, usegmt=True)} | ({} if age is None else {"Age": str(age)})


def set_clock(page: Page, now: datetime) -> None:
    """Set the computer's clock while a page is open, and let the page find out."""
    page.clock.set_system_time(now)
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        page.clock.run_for(1_100)
    page.clock.run_for(2_000)


@pytest.mark.req("U20", "U8")
@pytest.mark.parametrize(
    ("name", "wrong"), [*((name, WRONG[0]) for name in PAGES), *(("index.html", wrong) for wrong in WRONG[1:])]
)
def test_helpdesk_is_open_by_the_clock_of_the_server(
    page: Page, mocked: MockedSpace, name: str, wrong: timedelta
) -> None:
    mocked.dated = dated(NOW, age=86_000)
    mocked.track(tracked("delivered"))
    mocked.open(name, wrong_by=wrong)
    expect(page.locator("#helpdesk-state")).to_have_text("Ouverte maintenant, jusqu’à 20\u00a0h.")


@pytest.mark.req("U20")
def test_helpdesk_of_a_page_without_the_server_follows_its_own_clock(page: Page, mocked: MockedSpace) -> None:
    answer_requests(page, "*/api.js", lambda asked: asked.lose() if asked.method == "HEAD" else asked.pass_on())
    mocked.open("aide.html")
    expect(page.locator("#helpdesk-state")).to_contain_text("Ouverte maintenant")


@pytest.mark.req("U20")
@pytest.mark.parametrize(
    ("now", "clock", "said"),
    [
        (NOW, AFTER, None),
        (NOW, BEFORE, None),
        (AFTER, NOW, "fermées depuis le jeudi 6 décembre à 17 h"),
        (BEFORE, NOW, "pas encore ouvertes. Revenez à partir du lundi 5 novembre à 8 h"),
        # The year is that of the server, too.
        (AFTER, AFTER + TWO_YEARS, "fermées depuis le jeudi 6 décembre à 17 h"),
    ],
)
def test_window_of_requests_follows_the_clock_of_the_server(
    page: Page, mocked: MockedSpace, now: datetime, clock: datetime, said: str | None
) -> None:
    mocked.dated = dated(now)
    mocked.open("index.html", now=now, wrong_by=clock - now)
    expect(page.locator("#helpdesk-state")).to_be_visible()
    if said is None:
        expect(page.locator("#window-notice")).to_be_hidden()
    else:
        expect_shown(page, said, selector="#window-notice")


@pytest.mark.req("U20")
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_form_that_is_not_open_says_since_when_by_the_clock_of_the_server(
    page: Page, mocked: MockedSpace, wrong: timedelta
) -> None:
    mocked.answer(OVERVIEW, 200, overview(window={**overview()["window"], "open": False}))
    now = datetime.fromisoformat(overview()["window"]["closes_at"]) + timedelta(minutes=1)
    mocked.open("demande.html", now=now, wrong_by=wrong)
    heading_is(page, "Les demandes sont fermées")


@pytest.mark.req("U20", "U5")
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_session_lives_on_when_the_clock_is_set_right(page: Page, mocked: MockedSpace, wrong: timedelta) -> None:
    mocked.dated = dated(NOW)
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open("demande.html", wrong_by=wrong)
    heading_is(page, "Vos renseignements")
    fill_form(mocked)
    set_clock(page, NOW)
    heading_is(page, "Vos renseignements")
    expect(page.locator("dialog[open]")).to_have_count(0)
    # It still ends when it ends.
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    page.clock.fast_forward(900_000)
    heading_is(page, "Votre adresse professionnelle")


@pytest.mark.req("U20", "U5")
def test_session_ends_after_a_sleep_also_without_a_connection(page: Page, mocked: MockedSpace) -> None:
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open("demande.html")
    heading_is(page, "Vos renseignements")
    page.context.set_offline(True)
    page.clock.set_system_time(NOW + timedelta(hours=1))
    page.clock.run_for(10_000)
    heading_is(page, "Votre adresse professionnelle")


@pytest.mark.req("U20", "S12")
@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_lock_is_counted_down_whatever_the_clock_says(page: Page, mocked: MockedSpace, wrong: timedelta) -> None:
    mocked.dated = dated(NOW)
    open_review(mocked)
    mocked.refuse(REISSUE, Code.LOCKED, retry_after=900, attempts_left=0)
    confirm(mocked)
    expect(page.locator("#countdown")).to_contain_text("14\u00a0min")
    set_clock(page, NOW + wrong)
    expect(page.locator("#countdown")).to_contain_text("14\u00a0min")
