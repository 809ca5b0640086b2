"""The NUMEN: 13 characters in the forms people type, and no other text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.numen import NumenFormatError, normalise_numen

from harness.fuzz.strategies import any_text, numens


@given(numens, st.data())
def test_case_blanks_and_hyphens_do_not_matter(numen: str, data: st.DataObject) -> None:
    blanks = st.sampled_from(["", "", " ", "-", "\u00a0", "\u202f", "\t"])
    typed = "".join(data.draw(blanks) + symbol for symbol in numen) + data.draw(blanks)
    assert normalise_numen(typed.lower() if data.draw(st.booleans()) else typed) == numen


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "07E9900123AB",
        "09E9900123ABCD",
        "9E99001230ABC",
        "0\u0669E9900123ABC",
        "09E9900123ABÇ",
        "09E9900123AB\u0131",
        "09E9900123A\ufb03",
        "09E9900123ABC\x00",
        "09E9900123ABC\n09E9900123ABC",
    ],
)
def test_other_text_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(NumenFormatError) as refusal:
        normalise_numen(typed)
    assert not typed or typed not in str(refusal.value)


@pytest.mark.req("S29")
@given(any_text)
def test_arbitrary_text_is_a_numen_or_refused(typed: str) -> None:
    try:
        numen = normalise_numen(typed)
    except NumenFormatError:
        return
    assert re.fullmatch(r"[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}", numen)


@pytest.mark.parametrize("place", range(13))
def test_the_first_wrong_place_is_named_and_what_belongs_there(place: int) -> None:
    right = "09E9900123ABC"
    is_digit = right[place].isdigit()
    wrong = right[:place] + ("Z" if is_digit else "7") + right[place + 1 :]
    with pytest.raises(NumenFormatError) as refusal:
        normalise_numen(wrong)
    assert refusal.value.code == ("digit-expected" if is_digit else "letter-expected")
    assert refusal.value.values == {"place": str(place + 1)}


@pytest.mark.parametrize("length", [12, 14])
def test_another_length_is_told(length: int) -> None:
    with pytest.raises(NumenFormatError) as refusal:
        normalise_numen("09E9900123ABCD"[:length])
    assert (refusal.value.code, refusal.value.values) == ("length", {"count": str(length)})
