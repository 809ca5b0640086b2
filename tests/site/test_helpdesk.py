"""The helpdesk box, at each change of its words, against the hours of the election file and the
public holidays of `holidays`.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import holidays
import pytest
from playwright.sync_api import Page, expect
from reassort.election import Election

from harness.elections import read_election
from harness.site.mocked_space import NOW, ORIGIN, MockedSpace, built_site

MINUTE = timedelta(minutes=1)
DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
CLOSED_DAYS = holidays.country_holidays("FR")
# From before summer time ends until after New Year.
SPANS = {
    "dijon-2018": (datetime(2018, 10, 26, tzinfo=UTC), datetime(2019, 1, 4, tzinfo=UTC)),
    "normandie-2026": (datetime(2026, 10, 23, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)),
    "nouvelle-caledonie-2026": (datetime(2026, 10, 23, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)),
}
WORDS = """async (instants) => {
  const { helpdeskInWords } = await import(document.querySelector("link[href$='helpdesk.js']").href);
  return instants.map((at) => helpdeskInWords(new Date(at)).replace(/\\s/g, " "));
}"""
QUARTER = timedelta(minutes=15)


def closing(at: datetime, election: Election) -> str | None:
    """Return the local time at which the helpdesk closes if it is open at a minute, else None."""
    local = at.astimezone(election.zone)
    day = local.date()
    voting = (
        moment.astimezone(election.zone).date()
        for moment in (election.windows.voting.opens_at, election.windows.voting.closes_at)
    )
    first, last = voting
    hours = election.helpdesk.during_voting if first <= day <= last else election.helpdesk.outside_voting
    openings = hours.dates.get(day, () if local.weekday() >= 5 or day in CLOSED_DAYS else hours.weekdays)
    for opening in openings:
        if opening.start <= local.time().replace(tzinfo=None) < opening.end:
            return clock(opening.end.hour, opening.end.minute)
    return None


def clock(hour: int, minute: int) -> str:
    return f"{hour} h {minute:02d}" if minute else f"{hour} h"


def expected_changes(election: Election, start: datetime, end: datetime) -> Iterator[tuple[datetime, str]]:
    """Yield each minute at which the words change, with the new words: found backwards, from the
    next opening to the last.
    """
    # Far enough behind the end to know the next opening.
    minutes = [start + MINUTE * count for count in range(int((end - start) / MINUTE) + 7 * 24 * 60)]
    states = [closing(minute, election) for minute in minutes]
    words: list[str] = []
    opening: datetime | None = None
    for minute, until in zip(reversed(minutes), reversed(states), strict=True):
        if until is not None:
            opening = minute
            words.append(f"Ouverte maintenant, jusqu’à {until}.")
        elif opening is None:
            words.append("unknown")
        else:
            local, now = opening.astimezone(election.zone), minute.astimezone(election.zone)
            day = "aujourd’hui" if local.date() == now.date() else day_in_words(local)
            words.append(f"Fermée maintenant, rouvre {day} à {clock(local.hour, local.minute)}.")
    words.reverse()
    before = ""
    for minute, said in zip(minutes, words, strict=True):
        if minute >= end:
            return
        if said != before:
            yield minute, said
        before = said


def day_in_words(day: datetime) -> str:
    number = "1er" if day.day == 1 else str(day.day)
    return f"{DAYS[day.weekday()]} {number} {MONTHS[day.month - 1]}"


@pytest.mark.req("U8")
@pytest.mark.parametrize("election_id", SPANS)
def test_helpdesk_is_open_when_the_calendar_says_so(page: Page, tmp_path: Path, election_id: str) -> None:
    election = read_election(election_id)
    start, end = SPANS[election_id]
    MockedSpace(page, built_site(tmp_path, election_id)).open("index.html", now=start)
    changes = list(expected_changes(election, start, end))
    # Each minute around a change, and each quarter of an hour in between.
    near = [at + MINUTE * minutes for at, _ in changes for minutes in (-1, 0, 1)]
    quarters = [start + QUARTER * count for count in range((end - start) // QUARTER)]
    instants = sorted({at for at in [*near, *quarters] if start <= at < end})
    told = page.evaluate(WORDS, [at.timestamp() * 1000 for at in instants])
    times = [at for at, _ in changes]
    assert told == [changes[bisect_right(times, at) - 1][1] for at in instants]
    assert len(changes) > 200


@pytest.mark.req("U8")
@pytest.mark.parametrize(
    ("at", "words"),
    [
        # Outside of the vote: with a break at noon, and no weekend.
        ((2018, 11, 23, 11, 29), "Ouverte maintenant, jusqu’à 12 h 30."),
        ((2018, 11, 23, 11, 30), "Fermée maintenant, rouvre aujourd’hui à 13 h 30."),
        ((2018, 11, 23, 16, 30), "Fermée maintenant, rouvre lundi 26 novembre à 8 h."),
        # During the vote, and its Saturday.
        ((2018, 11, 29, 18, 59), "Ouverte maintenant, jusqu’à 20 h."),
        ((2018, 11, 30, 19, 0), "Fermée maintenant, rouvre samedi 1er décembre à 9 h."),
        ((2018, 12, 1, 7, 59), "Fermée maintenant, rouvre aujourd’hui à 9 h."),
        ((2018, 12, 1, 8, 0), "Ouverte maintenant, jusqu’à 17 h."),
        ((2018, 12, 1, 16, 0), "Fermée maintenant, rouvre lundi 3 décembre à 8 h."),
        ((2018, 12, 6, 19, 0), "Fermée maintenant, rouvre vendredi 7 décembre à 8 h."),
        # Summer time ends; All Saints’ Day and Christmas.
        ((2018, 10, 28, 5, 0), "Fermée maintenant, rouvre lundi 29 octobre à 8 h."),
        ((2018, 10, 31, 16, 30), "Fermée maintenant, rouvre vendredi 2 novembre à 8 h."),
        ((2018, 12, 25, 9, 0), "Fermée maintenant, rouvre mercredi 26 décembre à 8 h."),
    ],
)
def test_box_says_what_a_caller_must_know(
    page: Page, mocked: MockedSpace, at: tuple[int, int, int, int, int], words: str
) -> None:
    year, month, day, hour, minute = at
    mocked.open("index.html", now=datetime(year, month, day, hour, minute, tzinfo=UTC))
    expect(page.locator("#helpdesk-state")).to_have_text(words)
    expect(page.locator("aside.helpdesk a[href='tel:0380448996']")).to_be_visible()


@pytest.mark.req("U8")
def test_box_changes_while_the_page_stays_open(page: Page, mocked: MockedSpace) -> None:
    mocked.open("index.html", now=datetime(2018, 11, 30, 18, 59, 30, tzinfo=UTC))
    expect(page.locator("#helpdesk-state")).to_contain_text("Ouverte")
    page.clock.run_for(60_000)
    expect(page.locator("#helpdesk-state")).to_contain_text("Fermée")


@pytest.mark.req("U8")
def test_hours_are_those_of_the_election_not_of_the_phone(page: Page, site: Path) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(locale="fr-FR", timezone_id="Indian/Reunion")
    away = context.new_page()
    MockedSpace(away, site).open("index.html", now=NOW)
    expect(away.locator("#helpdesk-state")).to_have_text("Ouverte maintenant, jusqu’à 20 h.")
    assert away.url == f"{ORIGIN}/index.html"
    context.close()
