"""The pages that are handed over: the minutes that the bureau signs, and a voter's own data. Read
on a screen, on a phone and on paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort_ops.minutes.page import render_minutes
from reassort_ops.voter.data_page import render_data

from harness.service.world import World
from tests.component.test_voter_data import ask, live
from tests.minutes_picture import minutes_of_election
from tests.site.axe import violations_in_both_schemes

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from harness.site.checkers import Checkers

NAMES = ("minutes", "data")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    written = {"minutes": render_minutes(minutes_of_election())}
    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        live(world, claire)
        written["data"] = render_data(ask(world.agent(), claire.email).json)
    return written


@pytest.mark.req("O9", "O10")
@pytest.mark.parametrize("name", NAMES)
def test_no_checker_finds_a_fault_in_it(page: Page, checkers: Checkers, pages: dict[str, str], name: str) -> None:
    assert checkers.html(pages[name]) == []
    page.set_content(pages[name])
    assert violations_in_both_schemes(page) == []
    page.emulate_media(color_scheme="light")
    assert checkers.pa11y(page) == []


@pytest.mark.req("O9", "O10")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [320, 794])
def test_it_is_no_wider_than_its_window(page: Page, pages: dict[str, str], name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.set_content(pages[name])
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.req("O9")
def test_on_paper_nothing_is_cut_off(page: Page, pages: dict[str, str]) -> None:
    page.emulate_media(media="print")
    # A4 without its margins, at 96 dots an inch.
    page.set_viewport_size({"width": 680, "height": 990})
    page.set_content(pages["minutes"])
    cut = page.evaluate(
        "[...document.querySelectorAll('th, td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1)"
        ".map(cell => cell.textContent)"
    )
    assert cut == []
