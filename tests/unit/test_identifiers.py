"""Identifiers: enough entropy, drawn evenly, easy to dictate, and a slip of the finger is
noticed.
"""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.election import IdentifierFormat
from reassort.identifiers import (
    ALPHABET,
    check_symbol,
    generate_identifier,
    is_well_formed,
    normalise_identifier,
    show_identifier,
)

from harness.elections import read_election
from harness.fuzz.strategies import FOLDING, any_text, symbols

SHAPES = [
    pytest.param(IdentifierFormat(symbols=13, group=5), id="shortest allowed"),
    pytest.param(read_election("dijon-2018").identifier, id="dijon-2018"),
    pytest.param(read_election("normandie-2026").identifier, id="normandie-2026"),
    pytest.param(IdentifierFormat(symbols=31, group=3), id="longest allowed"),
]
shapes = st.builds(IdentifierFormat, symbols=st.integers(13, 31), group=st.integers(3, 8))
payloads = st.text(symbols, min_size=1, max_size=31)


def test_alphabet_has_nothing_to_confuse() -> None:
    assert len(set(ALPHABET)) == len(ALPHABET) == 30
    assert not set(ALPHABET) & set("0O1ILU")
    assert ALPHABET.upper() == ALPHABET
    assert ALPHABET.isascii()


@pytest.mark.req("S4")
@pytest.mark.parametrize("shape", SHAPES)
def test_random_part_has_at_least_60_bits(shape: IdentifierFormat) -> None:
    assert shape.symbols * math.log2(len(ALPHABET)) >= 60


@pytest.mark.parametrize("shape", SHAPES)
def test_generated_identifier_is_well_formed_and_grouped(shape: IdentifierFormat) -> None:
    shown = generate_identifier(shape)
    identifier = normalise_identifier(shown)
    assert is_well_formed(identifier, shape)
    assert len(identifier) == shape.symbols + 1
    *full, last = shown.split("-")
    assert all(len(group) == shape.group for group in full)
    assert 1 <= len(last) <= shape.group


@pytest.mark.req("S4")
def test_each_symbol_is_drawn_evenly_at_each_place() -> None:
    # 29 degrees of freedom a place: chi-square stays under 90 but once in 40 million draws of a
    # fair source. A modulo of a byte, the usual mistake (256 = 8 * 30 + 16), gives about 300 here.
    shape = IdentifierFormat(symbols=13, group=5)
    drawn = [normalise_identifier(generate_identifier(shape)) for _ in range(20_000)]
    expected = len(drawn) / len(ALPHABET)
    for place in range(shape.symbols):
        counts = Counter(identifier[place] for identifier in drawn)
        chi_square = sum((counts[symbol] - expected) ** 2 / expected for symbol in ALPHABET)
        assert chi_square < 90, f"place {place}"
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("printed", ["7K3M-9QWX-2TBD-HV5S", "2222-2222-2222-2222", "ZZZZ-ZZZZ-ZZZZ-ZZZH"])
def test_an_identifier_that_was_printed_stays_well_formed(printed: str) -> None:
    assert is_well_formed(normalise_identifier(printed), IdentifierFormat(symbols=15, group=4))


@given(payloads, st.data())
def test_check_symbol_finds_every_wrong_symbol(payload: str, data: st.DataObject) -> None:
    right = payload + check_symbol(payload)
    place = data.draw(st.integers(0, len(right) - 1))
    other = data.draw(symbols.filter(lambda symbol: symbol != right[place]))
    wrong = right[:place] + other + right[place + 1 :]
    assert check_symbol(wrong[:-1]) != wrong[-1]


def test_check_symbol_finds_every_swap_of_neighbours_but_one_pair() -> None:
    # 30 being even, doubling maps the first and the last symbol of the alphabet alike; every other
    # pair is distinguished.
    unseen = {ALPHABET[0] + ALPHABET[-1], ALPHABET[-1] + ALPHABET[0]}
    for place in range(4):
        for left in ALPHABET:
            for right in ALPHABET:
                head, tail = "7K3M9Q"[:place], "QWX2T"[: 4 - place]
                given_check = check_symbol(head + left + right + tail)
                found = check_symbol(head + right + left + tail) != given_check
                assert found == (left != right and left + right not in unseen)


@given(payloads)
def test_swap_with_the_check_symbol_itself_is_found(payload: str) -> None:
    check = check_symbol(payload)
    last = payload[-1]
    pair = {ALPHABET[0], ALPHABET[-1]}
    if last != check and {last, check} != pair:
        assert check_symbol(payload[:-1] + check) != last


@given(shapes, st.data())
def test_however_it_is_typed_an_identifier_is_recognised(shape: IdentifierFormat, data: st.DataObject) -> None:
    shown = generate_identifier(shape)
    blanks = st.sampled_from(["", " ", "-", "\u00a0", "\u202f", "\u2011", "–", "\t"])
    typed = "".join(symbol + data.draw(blanks) for symbol in shown)
    if data.draw(st.booleans()):
        typed = typed.lower()
    assert is_well_formed(normalise_identifier(typed), shape)


@given(shapes)
def test_grouping_can_be_undone(shape: IdentifierFormat) -> None:
    identifier = normalise_identifier(generate_identifier(shape))
    assert normalise_identifier(show_identifier(identifier, shape)) == identifier


@pytest.mark.req("S29")
@given(any_text, shapes)
def test_arbitrary_text_is_no_identifier_and_no_error(text: str, shape: IdentifierFormat) -> None:
    identifier = normalise_identifier(text)
    if is_well_formed(identifier, shape):
        assert set(identifier) <= set(ALPHABET)


@pytest.mark.req("S29")
@pytest.mark.parametrize("letter", FOLDING)
def test_no_letter_from_elsewhere_stands_for_one_of_the_alphabet(letter: str) -> None:
    assert not set(normalise_identifier(letter)) & set(ALPHABET)
