"""The page of `reassort report`, as the bureau reads it: on a screen, a phone, in dark colours and
on paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from reassort_ops.commands.report import draw

from tests.report_picture import figures_of_week
from tests.site.axe import violations_in_both_schemes

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page
    from reassort_ops.report.figures import Figures

    from harness.site.checkers import Checkers


@pytest.fixture(scope="module")
def figures() -> Figures:
    # The page has the same parts with fewer voters.
    return figures_of_week(0.1)


@pytest.fixture(scope="module")
def file(figures: Figures, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("report") / "report.html"
    draw(figures, written, None)
    return written


def test_no_checker_finds_a_fault(page: Page, checkers: Checkers, file: Path) -> None:
    markup = file.read_text("utf-8")
    assert checkers.html(markup) == []
    page.goto(file.as_uri())
    # All that can be unfolded is looked at too.
    page.evaluate("document.querySelectorAll('details').forEach(one => one.setAttribute('open', ''))")
    assert violations_in_both_schemes(page) == []
    page.emulate_media(color_scheme="light")
    assert checkers.pa11y(page) == []


@pytest.mark.parametrize("width", [320, 768, 1360])
def test_no_page_is_wider_than_its_window(page: Page, file: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Letters of the plots stay legible: where they would shrink, the plot scrolls.
    sizes = page.evaluate("[...document.querySelectorAll('svg text')].map(text => text.getBoundingClientRect().height)")
    assert len(sizes) > 50
    assert min(sizes) >= 8


def test_no_word_of_a_plot_is_cut_off(page: Page, file: Path) -> None:
    page.set_viewport_size({"width": 1000, "height": 800})
    page.goto(file.as_uri())
    cut = page.evaluate(
        """[...document.querySelectorAll('svg')].flatMap(svg => {
            const frame = svg.getBoundingClientRect()
            return [...svg.querySelectorAll('text')].filter(text => {
                const box = text.getBoundingClientRect()
                return box.left < frame.left - 1 || box.right > frame.right + 1
                    || box.top < frame.top - 1 || box.bottom > frame.bottom + 1
            }).map(text => text.textContent)
        })"""
    )
    assert cut == []


def test_plots_are_coloured_by_the_readers_scheme(page: Page, file: Path) -> None:
    page.goto(file.as_uri())
    colours = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colours.append(
            page.evaluate(
                "[getComputedStyle(document.body).backgroundColor, "
                "...[...document.querySelectorAll('svg text')].slice(0, 3).map(text => getComputedStyle(text).fill)]"
            )
        )
    light, dark = colours
    assert light[0] == "rgb(255, 255, 255)"
    assert all(one != other for one, other in zip(light, dark, strict=True))
