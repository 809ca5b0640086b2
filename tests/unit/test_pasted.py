"""What people paste is understood: one cleaner under every field, and a reason for what it cannot
read.
"""

import unicodedata
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort.addresses import AddressDomainError
from reassort.field_faults import FIELD_MESSAGES
from reassort.identifiers import generate_identifier, is_well_formed, normalise_identifier
from reassort.keyed_hash import KeyedHash
from reassort.letting_in import normalise_request_number
from reassort.numen import normalise_numen
from reassort.pasted import FieldFormatError, compact, has_accents, plain
from reassort.phones import normalise_phone
from reassort.references import derive_reference, normalise_reference

from harness.fuzz.strategies import any_text, numens
from tests.pasted_cases import BLANKS, CASES, ELECTION, READERS, UNSEEN, PastedCase, message_of


@cache
def dashes() -> list[str]:
    """Return every dash of Unicode."""
    return [chr(point) for point in range(0x110000) if unicodedata.category(chr(point)) == "Pd"]


@pytest.mark.req("U14")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_pasted_is_read_or_its_fault_is_named(case: PastedCase) -> None:
    said = None
    try:
        value, code = READERS[case.field](case.typed), None
    except FieldFormatError as error:
        value, code = None, error.code
        said = error
    assert (value, code) == (case.value, case.code)
    if said is not None:
        assert "{" not in message_of(case.field, said)
        # Counts, places and country codes: nothing of what was typed.
        assert all(given.isdigit() or given.startswith("+") for given in said.values.values())


@pytest.mark.req("U14")
def test_every_fault_has_a_sentence_and_every_sentence_a_case() -> None:
    sentences = {(field, code) for field, codes in FIELD_MESSAGES.items() for code in codes}
    cases = {(case.field, case.code) for case in CASES if case.code}
    # In Dijon's election every territory is accepted.
    assert sentences - cases == {("phone", "territory")}
    assert cases <= sentences


@pytest.mark.parametrize("typed", ["0692 12 34 56", "+262 692 12 34 56", "+33 692 12 34 56"])
def test_mobile_of_a_territory_that_the_election_does_not_take_is_named(typed: str) -> None:
    with pytest.raises(FieldFormatError) as refusal:
        normalise_phone(typed, ["FR", "GP"])
    assert refusal.value.code == "territory"
    message = message_of("phone", refusal.value)
    assert message.endswith("Sont acceptés ceux d’ici : France métropolitaine, Guadeloupe.")


def test_local_number_is_told_its_country_code() -> None:
    with pytest.raises(FieldFormatError) as refusal:
        normalise_phone("87 12 34 56", ELECTION.phones.territories)
    assert "+689 (Polynésie française)" in message_of("phone", refusal.value)


@pytest.mark.req("U14")
@pytest.mark.parametrize(
    ("before", "first", "last", "behind"),
    [("¿", "À", "\u017f", "\u0180"), ("\u02ff", "\u0300", "\u036f", "\u0370")],
    ids=["composed", "combining"],
)
def test_an_accent_is_one_of_latin_letters(before: str, first: str, last: str, behind: str) -> None:
    assert [has_accents(f"a{symbol}b") for symbol in (before, first, last, behind)] == [False, True, True, False]
    assert not has_accents(f"a{first}{behind}b")
    assert not has_accents("ab")


def sprinkled(text: str) -> st.SearchStrategy[str]:
    """Return the text with what is not seen anywhere in it, and blanks around it."""
    unseen, around = st.text(UNSEEN, max_size=2), st.text(BLANKS + UNSEEN, max_size=3)
    return st.tuples(around, st.lists(unseen, min_size=len(text), max_size=len(text)), around).map(
        lambda drawn: drawn[0] + "".join(mark + symbol for mark, symbol in zip(drawn[1], text, strict=True)) + drawn[2]
    )


@pytest.mark.req("U14")
@given(
    st.sampled_from([case for case in CASES if case.value is not None]).flatmap(
        lambda case: st.tuples(st.just(case), sprinkled(case.typed))
    )
)
def test_what_is_not_seen_changes_nothing(drawn: tuple[PastedCase, str]) -> None:
    case, typed = drawn
    assert READERS[case.field](typed) == case.value


@pytest.mark.req("U14")
@given(numens, st.data())
def test_every_blank_and_every_dash_may_part_a_number(numen: str, data: st.DataObject) -> None:
    joints = st.sampled_from(["", *BLANKS, *UNSEEN, *dashes()])
    typed = "".join(data.draw(joints) + symbol for symbol in numen)
    assert normalise_numen(typed) == numen
    shown = generate_identifier(ELECTION.identifier)
    spread = "".join(data.draw(joints) + symbol for symbol in shown)
    assert is_well_formed(normalise_identifier(spread), ELECTION.identifier)
    reference = derive_reference(KeyedHash(b"k" * 32), numen, "0123456789abcdef")
    assert normalise_reference("".join(data.draw(joints) + symbol for symbol in reference)) == reference
    assert normalise_request_number("".join(data.draw(joints) + symbol for symbol in "482913")) == "482913"


@pytest.mark.req("U14")
def test_every_dash_blank_and_unseen_mark_of_unicode_is_known() -> None:
    symbols = [chr(point) for point in range(0x110000)]
    blanks = [symbol for symbol in symbols if unicodedata.category(symbol) == "Zs"]
    # All but the marks inside Arabic, Egyptian, musical and like scripts, and tags of flags.
    unseen = [
        symbol for symbol in symbols[:0x10000] if unicodedata.bidirectional(symbol) in {"LRE", "RLE", "PDF", "LRI"}
    ]
    unseen += [symbol for symbol in symbols[0x2000:0x2070] if unicodedata.category(symbol) == "Cf"]
    parting = dashes() + blanks + unseen
    assert [compact(f"a{symbol}b") for symbol in parting] == ["ab"] * len(parting)
    assert {plain(f"a{symbol}b") for symbol in dashes()} == {"a-b"}
    assert {plain(f"a{symbol}b") for symbol in blanks} == {"a b"}


@pytest.mark.req("U14", "S29")
@given(st.sampled_from(sorted(READERS)), any_text)
def test_what_is_read_reads_as_itself(field: str, typed: str) -> None:
    try:
        value = READERS[field](typed)
    except (FieldFormatError, AddressDomainError):
        return
    assert READERS[field](value) == value
