"""The further proof: a day or a text in the forms that people type, and nothing else."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from reassort.election import ExtraProof
from reassort.extra_proof import ExtraProofFormatError, normalise_extra_proof

from harness.elections import DATE_OF_BIRTH, STAFF_CARD
from harness.fuzz.strategies import any_text

DAY = TypeAdapter(ExtraProof).validate_python(DATE_OF_BIRTH)
CARD = TypeAdapter(ExtraProof).validate_python(STAFF_CARD)
FORMS = [
    "%d/%m/%Y",
    "%d-%m-%Y",
    "%d.%m.%Y",
    "%d %m %Y",
    "%d / %m / %Y",
    "%d%m%Y",
    "%Y-%m-%d",
    " %d/%m/%Y\u00a0",
    "%-d/%-m/%Y",
]


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(FORMS))
def test_a_day_is_the_same_in_every_form(day: date, form: str) -> None:
    assert normalise_extra_proof(day.strftime(form), DAY) == day.isoformat()


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "17/03/68",
        "17/03",
        "31/02/1968",
        "29/02/1900",
        "00/03/1968",
        "17/13/1968",
        "17/03/1868",
        "17/03/2100",
        "17 mars 1968",
        "170368",
        "17/03/1968 ou 1969",
        "1\u0667/03/1968",
    ],
)
def test_no_day_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(ExtraProofFormatError) as refusal:
        normalise_extra_proof(typed, DAY)
    assert not typed or typed not in str(refusal.value)


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_eight_digits_that_begin_with_the_year_are_never_another_day(day: date) -> None:
    with pytest.raises(ExtraProofFormatError):
        normalise_extra_proof(day.strftime("%Y%m%d"), DAY)


@given(st.from_regex(r"[0-9A-Z]{6}", fullmatch=True), st.booleans(), st.data())
def test_case_blanks_and_hyphens_of_a_text_do_not_matter(text: str, lower: bool, data: st.DataObject) -> None:
    blanks = st.sampled_from(["", "", " ", "-", "\u00a0", "\u202f", "\t"])
    typed = "".join(data.draw(blanks) + symbol for symbol in text) + data.draw(blanks)
    assert normalise_extra_proof(typed.lower() if lower else typed, CARD) == text


@pytest.mark.parametrize(
    "typed", ["", "-- --", "4821A", "4821ABC", "4821AÉ", "4821A\u0131", "4821\u0661B", "4821A.", "4821A\x00"]
)
def test_other_text_is_refused_without_being_repeated(typed: str) -> None:
    with pytest.raises(ExtraProofFormatError) as refusal:
        normalise_extra_proof(typed, CARD)
    assert not typed or typed not in str(refusal.value)


@pytest.mark.req("S29")
@given(any_text, st.sampled_from([(DAY, r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}"), (CARD, r"[0-9A-Z]{6}")]))
def test_arbitrary_text_is_a_proof_or_refused(typed: str, kind: tuple[ExtraProof, str]) -> None:
    try:
        proof = normalise_extra_proof(typed, kind[0])
    except ExtraProofFormatError:
        return
    assert re.fullmatch(kind[1], proof)
