"""Phones: mobiles of French territories, however they are written, and nothing that would cost or
go elsewhere.
"""

import phone_prefixes
import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from reassort.field_faults import FIELD_MESSAGES
from reassort.phones import TERRITORIES, PhoneError, mask_phone, normalise_phone, plan_of

from harness.elections import read_election
from harness.fuzz.strategies import any_text

DIJON = read_election("dijon-2018").phones.territories
NORMANDIE = read_election("normandie-2026").phones.territories

MAINLAND = [
    "06 12 34 56 78",
    "0612345678",
    "06.12.34.56.78",
    "06-12-34-56-78",
    "06/12/34/56/78",
    " 06\u00a012\u202f34 56 78 ",
    "+33612345678",
    "+33 6 12 34 56 78",
    "+33 (0)6 12 34 56 78",
    "0033 6 12 34 56 78",
]

# National form, international form, E.164.
OVERSEAS = [
    pytest.param("0690 12 34 56", "+590 690 12 34 56", "+590690123456", id="Guadeloupe 0690"),
    pytest.param("0691 22 34 56", "+590 691 22 34 56", "+590691223456", id="Guadeloupe 0691"),
    pytest.param("0694 20 12 34", "+594 694 20 12 34", "+594694201234", id="Guyane 0694"),
    pytest.param("0696 20 12 34", "+596 696 20 12 34", "+596696201234", id="Martinique 0696"),
    pytest.param("0697 12 34 56", "+596 697 12 34 56", "+596697123456", id="Martinique 0697"),
    pytest.param("0692 12 34 56", "+262 692 12 34 56", "+262692123456", id="Réunion 0692"),
    pytest.param("0693 01 23 45", "+262 693 01 23 45", "+262693012345", id="Réunion 0693"),
    pytest.param("0639 01 23 45", "+262 639 01 23 45", "+262639012345", id="Mayotte 0639"),
]

REFUSED = {
    "landline": "03 80 44 89 96",
    "landline overseas": "+590 590 82 12 34",
    "voice over IP": "09 70 12 34 56",
    "premium": "08 99 12 34 56",
    "toll-free": "0800 12 34 56",
    "short premium number": "3020",
    "machine to machine": "07 00 12 34 56 78 90",
    "Switzerland": "+41 79 123 45 67",
    "Belgium": "+32 470 12 34 56",
    "Monaco": "+377 6 12 34 56 78",
    "United Kingdom": "+44 7400 123456",
    "Jersey": "+44 7797 123456",
    "United States": "+1 202 555 0100",
    "satellite, Globalstar": "+8818 1234 5678",
    "satellite, Iridium": "+8816 1234 5678",
    "satellite, Inmarsat": "+870 773 123 456",
    "international network": "+882 16 12345678",
    "international premium": "+979 1 2345 6789",
    "extension, RFC 3966": "06 12 34 56 78;ext=9",
    "extension, written": "06 12 34 56 78 ext 9",
    "extension, x": "06 12 34 56 78x9",
    "context": "612345678;phone-context=+33",
    "letters": "06 12 34 56 7O",
    "Arabic digits": "٠٦١٢٣٤٥٦٧٨",
    "full-width digits": "０６１２３４５６７８",
    "superscript digit": "06 12 34 56 7⁸",
    "too short": "06 12 34 56",
    "too long": "06 12 34 56 78 9",
    "country code twice": "0033 33 690 12 34 56",
    "two numbers": "0612345678 0612345679",
    "empty": "",
    "blank": "   ",
    "plus alone": "+",
    "NUL": "0612345678\x00",
    "line feed": "06 12 34\n56 78",
    "very long": "0" * 4096,
}


@pytest.mark.req("S14")
@pytest.mark.parametrize("typed", MAINLAND)
def test_mainland_mobile_is_read_however_it_is_written(typed: str) -> None:
    assert normalise_phone(typed, DIJON) == "+33612345678"


@pytest.mark.req("S14")
@pytest.mark.parametrize("typed", ["06 44 60 12 34", "07 44 12 34 56", "07 56 78 90 12"])
def test_recent_mobile_ranges_are_read(typed: str) -> None:
    assert normalise_phone(typed, DIJON) == "+33" + typed.replace(" ", "")[1:]


@pytest.mark.req("S14")
@pytest.mark.parametrize(("national", "international", "expected"), OVERSEAS)
def test_overseas_mobile_resolves_to_its_own_country_code(national: str, international: str, expected: str) -> None:
    bare = national.replace(" ", "")
    written = [
        national,
        bare,
        international,
        "00" + expected[1:],
        f"+33 {bare[1:]}",
        f"+33 (0){bare[1:]}",
        f"0033{bare[1:]}",
    ]
    assert {typed: normalise_phone(typed, DIJON) for typed in written} == dict.fromkeys(written, expected)


@pytest.mark.req("S14")
@pytest.mark.parametrize("typed", ["+687 75 12 34", "+689 87 12 34 56", "+681 82 12 34", "+508 55 12 34"])
def test_pacific_and_saint_pierre_mobiles_are_read_in_international_form(typed: str) -> None:
    assert normalise_phone(typed, DIJON) == typed.replace(" ", "")


@pytest.mark.req("S14")
@pytest.mark.parametrize("typed", REFUSED.values(), ids=REFUSED.keys())
def test_number_that_is_no_french_mobile_is_refused(typed: str) -> None:
    with pytest.raises(PhoneError):
        normalise_phone(typed, DIJON)


@pytest.mark.req("U14")
@pytest.mark.parametrize(
    ("typed", "code", "count"),
    [
        ("06 12 34 56", "too-short", 8),
        ("+33 6 12 34 56", "too-short", 8),
        ("06 12 34 56 78 9", "too-long", 11),
        ("3020", "too-short", 4),
        ("612345678901", "too-long", 12),
    ],
)
def test_digits_of_a_wrong_number_are_counted_with_the_0_that_is_dialled(typed: str, code: str, count: int) -> None:
    with pytest.raises(PhoneError) as refusal:
        normalise_phone(typed, DIJON)
    assert (refusal.value.code, refusal.value.values) == (code, {"count": str(count)})


@pytest.mark.req("S14")
def test_territories_are_the_elections() -> None:
    assert normalise_phone("+687 75 12 34", DIJON)
    with pytest.raises(PhoneError):
        normalise_phone("+687 75 12 34", NORMANDIE)


@pytest.mark.req("S14")
@pytest.mark.parametrize("territory", ["GP", "BL", "MF"])
def test_islands_that_share_a_plan_are_accepted_together(territory: str) -> None:
    # Nothing in the number tells Saint-Barthélemy and Saint-Martin from Guadeloupe.
    assert normalise_phone("0690 12 34 56", [territory]) == "+590690123456"
    with pytest.raises(PhoneError):
        normalise_phone("0692 12 34 56", [territory])


@pytest.mark.req("S14", "S29")
@given(any_text)
@example("+\u0660\u0661")
@example("\ud800")
def test_arbitrary_text_is_read_or_refused_and_nothing_else(typed: str) -> None:
    reason = "invalid"
    try:
        number = normalise_phone(typed, DIJON)
        assert normalise_phone(number, DIJON) == number
    except PhoneError as refusal:
        reason = str(refusal)
    # The reason never repeats what was typed.
    assert reason in FIELD_MESSAGES["phone"]


@pytest.mark.req("S14", "S29")
@given(st.text("0123456789+ .-()/", max_size=32))
def test_what_looks_like_a_number_becomes_a_french_one_or_is_refused(typed: str) -> None:
    try:
        number = normalise_phone(typed, DIJON)
    except PhoneError:
        return
    assert number.startswith(("+33", "+590", "+594", "+596", "+262", "+508", "+687", "+689", "+681"))
    assert normalise_phone(number, DIJON) == number


@pytest.mark.req("S14", "U14")
def test_every_mobile_prefix_of_the_numbering_data_is_dialled_as_at_home() -> None:
    """Each prefix is one territory's, and a number of it is read with that territory's code."""
    found = phone_prefixes.prefixes()
    assert {found[head] for head in ("70900", "70910", "70920", "70930", "70935", "70840")} == {
        *("GP", "MQ", "RE", "GF", "YT", "PM")
    }
    assert {head: normalise_phone(f"0{head}1234", DIJON) for head in found} == {
        head: f"+{plan_of(region).country_code}{head}1234" for head, region in found.items()
    }
    codes = {plan_of(region).country_code for region in TERRITORIES if plan_of(region).trunk}
    assert codes == {33, 590, 594, 596, 262, 508}


@pytest.mark.req("S14")
def test_no_prefix_is_that_of_two_country_codes() -> None:
    plans = [plan for plan in map(plan_of, TERRITORIES) if plan.trunk]
    for head in phone_prefixes.prefixes():
        assert len({plan.country_code for plan in plans if plan.is_mobile(f"{head}1234")}) == 1, head


def test_table_of_the_prefixes_is_what_the_data_say() -> None:
    assert phone_prefixes.DOCUMENT.read_text("utf-8") == phone_prefixes.document()


@pytest.mark.req("S14")
@given(st.sampled_from(sorted(TERRITORIES)), st.text("0123456789", min_size=6, max_size=9))
def test_what_is_accepted_is_a_mobile_to_the_library_as_well(region: str, national: str) -> None:
    code = plan_of(region).country_code
    number = phonenumbers.parse(f"+{code}{national}")
    mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    try:
        read = normalise_phone(f"+{code}{national}", list(TERRITORIES))
    except PhoneError:
        read = ""
    # The library knows neither a 0 behind a country code nor an overseas mobile behind +33.
    if not national.startswith("0") and (not read or read.startswith(f"+{code}")):
        assert bool(read) == mobile


@given(st.integers(0, 99_999_999), st.sampled_from(["06", "07"]))
def test_national_and_international_forms_agree(rest: int, prefix: str) -> None:
    national = f"{prefix}{rest:08d}"

    def read(typed: str) -> str:
        try:
            return normalise_phone(typed, DIJON)
        except PhoneError:
            return "refused"

    forms = [national, f"+33{national[1:]}", f"0033{national[1:]}", f"+33(0){national[1:]}"]
    assert len({read(form) for form in forms}) == 1


def test_mask_shows_the_last_four_digits_only() -> None:
    assert mask_phone("+33612345678") == "•• •• •• 56 78"
