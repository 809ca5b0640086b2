"""What tells a code page: each letter that is no ASCII, in its place."""

from __future__ import annotations

import pytest
from reassort_ops.roll.code_pages import LetterCount, _worth


def told(*lines: str, page: str = "cp1252") -> str | None:
    """Return the code page that is found for lines of this one."""
    count = LetterCount()
    for line in lines:
        count.add(line.encode(page))
    return count.code_page()


@pytest.mark.req("O6")
@pytest.mark.parametrize(
    "place", ["née", "\nÉc", "EÉE", "Réu", "eéE", "l’A", "1·2", " – ", "e» ", " «E"], ids=lambda place: place.strip()
)
def test_a_letter_or_a_sign_in_its_place_speaks_for_a_code_page(place: str) -> None:
    assert _worth(*place) > 0


@pytest.mark.req("O6")
@pytest.mark.parametrize("place", ["eÉe", "EéE", "eáe", "a–b", "a€b", "a§b", "a\x81b", "a\ufffdb"], ids=ascii)
def test_one_where_no_name_has_it_speaks_against(place: str) -> None:
    assert _worth(*place) < 0


@pytest.mark.req("O6")
@pytest.mark.parametrize("none", ["\x81", "\ufffd"], ids=ascii)
def test_no_sign_at_all_is_worse_than_one_that_no_name_has(none: str) -> None:
    assert _worth("a", none, "b") < _worth("a", "§", "b")


@pytest.mark.req("O6")
def test_one_letter_is_enough_where_the_others_have_it_out_of_place() -> None:
    assert told("Chénove") == "cp1252"


@pytest.mark.req("O6")
def test_a_letter_outweighs_a_sign() -> None:
    """Windows-1252 has “ where CP850 has ô."""
    assert told("ôter", page="cp850") == "cp850"


@pytest.mark.req("O6")
def test_half_a_letter_for_each_that_is_read_differently_is_far_enough_ahead() -> None:
    """Mac Roman has È for é, which may begin a word too; and Ó for î, which no French name has."""
    ahead = ("école", "étang", "île")
    assert (told(*ahead), told(*ahead, "épi")) == ("cp1252", None)


@pytest.mark.req("O6")
@pytest.mark.parametrize("line", ["Dijon", "école"], ids=["no accent", "in its place in two code pages"])
def test_what_cannot_be_told_is_not_guessed(line: str) -> None:
    assert told(line) is None
