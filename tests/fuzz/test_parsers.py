"""What is read from outside is a value in its one normal form, or refused as documented; whatever
is nearly right, and whatever is not.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from reassort.addresses import AddressDomainError, AddressFormatError, normalise_address
from reassort.cookies import read_cookie, write_cookie
from reassort.http import parse_request
from reassort.identifiers import ALPHABET, is_well_formed, normalise_identifier
from reassort.keyed_hash import KeyedHash
from reassort.numen import NumenFormatError, normalise_numen
from reassort.phones import PhoneError, normalise_phone
from reassort.references import normalise_reference
from reassort.sessions import SESSION_COOKIE, draw_token
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.faults import RowFault
from reassort_ops.roll.file import RollFileError, open_roll
from reassort_ops.roll.rows import RollRow

from harness.fuzz.requests import ODD, odd
from harness.fuzz.strategies import any_text
from harness.service.events import proxy_event
from tests.unit.ops.rolls import ELECTION, Cells, row, rows, to_csv

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
_SYMBOL = f"[{ALPHABET}]"
_KEYED_HASH = KeyedHash(b"k" * 32)
_COOKIE = write_cookie(SESSION_COOKIE, draw_token(_KEYED_HASH.voter_id("claire.martin@ac-dijon.fr")), _KEYED_HASH)


@dataclass(frozen=True)
class Parser:
    """A reader of one text: a refusal is one of `errors`, or None; what is not refused matches
    `form`.
    """

    read: Callable[[str], str | None]
    errors: tuple[type[Exception], ...]
    form: str
    valid: tuple[str, ...]


def _identifier(typed: str) -> str | None:
    identifier = normalise_identifier(typed)
    return identifier if is_well_formed(identifier, ELECTION.identifier) else None


PARSERS = {
    "address": Parser(
        lambda typed: normalise_address(typed, ELECTION.domain_names),
        (AddressFormatError, AddressDomainError),
        rf"[!-?A-~]{{1,64}}@({'|'.join(map(re.escape, ELECTION.domain_names))})",
        ("claire.martin@ac-dijon.fr", "paul-henri.petit2@u-bourgogne.fr"),
    ),
    "phone": Parser(
        lambda typed: normalise_phone(typed, ELECTION.phones.territories),
        (PhoneError,),
        r"\+(33|590|594|596|262|508|687|689|681)[0-9]{6,9}",
        ("06 12 34 56 78", "+33 (0)7 56 12 34 56", "0690 12 34 56", "00262 692 12 34 56", "+687 75 12 34"),
    ),
    "NUMEN": Parser(
        normalise_numen, (NumenFormatError,), r"[0-9]{2}[A-Z][0-9]{7}[A-Z]{3}", ("21G0100456XYZ", "00e 0000001-abd")
    ),
    "identifier": Parser(
        _identifier, (), f"{_SYMBOL}{{{ELECTION.identifier.symbols + 1}}}", (row(1).identifier, row(77).identifier)
    ),
    "reference": Parser(normalise_reference, (), f"{_SYMBOL}{{5}}-{_SYMBOL}{{5}}", ("7K3M9-QWX2T", "7k3m9 qwx2t")),
}


MOST_REASONS = 10


def nearly(*valid: str) -> st.SearchStrategy[str]:
    """Return texts that are some of these, with up to three slips."""
    return st.sampled_from(valid).flatmap(odd).flatmap(lambda text: st.just(text) | odd(text).flatmap(odd))


@pytest.mark.req("S25", "S29")
@pytest.mark.parametrize("name", PARSERS)
def test_a_text_is_read_into_its_normal_form_or_refused(name: str) -> None:
    parser = PARSERS[name]
    outcomes = {True: 0, False: 0}
    reasons = set()

    @seed(SEED)
    @settings(max_examples=EXAMPLES, database=None)
    @given(nearly(*parser.valid) | any_text)
    def read(typed: str) -> None:
        try:
            value = parser.read(typed)
        except parser.errors as error:
            value = None
            reasons.add(str(error))
        outcomes[value is not None] += 1
        if value is not None:
            assert re.fullmatch(parser.form, value)
            assert parser.read(value) == value

    read()
    assert min(outcomes.values()) > EXAMPLES // 50
    # A few fixed texts for hundreds of refusals: none of them quotes what was typed.
    assert len(reasons) <= MOST_REASONS


@pytest.mark.req("S25", "S29")
@seed(SEED)
@settings(max_examples=EXAMPLES, database=None)
@given(
    nearly(f"{SESSION_COOKIE}={_COOKIE}; a=b")
    | any_text
    | st.lists(st.sampled_from([SESSION_COOKIE, "=", ";", " ", _COOKIE])).map("".join)
)
def test_any_cookie_header_is_read_as_one_value_for_a_name(header: str) -> None:
    event = proxy_event("GET", "/api/reissue", "/api/reissue", body=None, headers={"Cookie": header})
    cookies = parse_request(event).cookies
    for name, value in cookies.items():
        assert ";" not in name + value
        assert "=" not in name
        assert f"{name}={value}" in header
    token = read_cookie(SESSION_COOKIE, cookies.get(SESSION_COOKIE), _KEYED_HASH)
    assert token is None or _COOKIE in header


# ---------------------------------------------------------------- the roll

_SOURCES = tuple(
    to_csv([*rows(3), row(4, establishment="Collège L’Œuvre, Auxonne")], delimiter=delimiter, end=end).encode(encoding)
    for encoding in ("utf-8", "utf-8-sig", "cp1252")
    for delimiter, end in ((";", "\n"), (",", "\r\n"), (";", "\r"))
)
_SLIPS = st.one_of(
    st.binary(min_size=1, max_size=3),
    st.sampled_from(
        [
            b'"',
            b";",
            b",",
            b"\n",
            b"\r",
            b"\r\n",
            b"\0",
            b"\xef\xbb\xbf",
            b"\xc3",
            b"\xe9",
            b"\x81",
            b";;;;;",
            b'""',
            b'";"',
        ]
    ),
    st.sampled_from(ODD).map(lambda slip: slip.encode("utf-8", "surrogatepass")),
)


@st.composite
def damaged_rolls(draw: st.DrawFn) -> bytes:
    """Draw a roll whose bytes have up to four slips."""
    content = draw(st.sampled_from(_SOURCES))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(content))), draw(st.sampled_from([0, 0, 1, 2, 40]))
        content = content[:at] + draw(_SLIPS) + content[at + length :]
    return content


def _read(content: bytes) -> tuple[list[RollRow], list[RowFault], int]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "roll.csv"
        path.write_bytes(content)
        roll = open_roll(path)
        faults: list[RowFault] = []
        checked = check_roll(roll, ELECTION, faults.append)
        valid = list(valid_rows(roll, ELECTION, checked))
        assert checked.read == len(valid) + checked.faulty
        assert checked.faults == len(faults)
        return valid, faults, checked.read


def _cells(valid: list[RollRow]) -> list[Cells]:
    return [Cells(one.address, one.numen, one.establishment, one.secretariat or "", one.identifier) for one in valid]


@pytest.mark.req("S25", "S29")
@seed(SEED)
@settings(max_examples=EXAMPLES, database=None)
@given(
    damaged_rolls()
    | st.binary(max_size=200)
    | st.binary(max_size=200).map(lambda tail: to_csv(rows(1)).encode() + tail)
)
def test_a_damaged_roll_is_refused_or_every_row_of_it_is_accounted_for(content: bytes) -> None:
    try:
        valid, faults, _ = _read(content)
    except RollFileError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017 - either outcome is right
        return
    assert all("\n" not in fault.reason and fault.line > 1 for fault in faults)
    for one in valid:
        assert (one.faults, one.establishment.isprintable()) == ([], True)
        assert {
            name: PARSERS[name].read(value) for name, value in (("address", one.address), ("NUMEN", one.numen))
        } == {
            "address": one.address,
            "NUMEN": one.numen,
        }
        assert is_well_formed(one.identifier, ELECTION.identifier)
    for column in ("address", "numen", "identifier"):
        assert len({getattr(one, column) for one in valid}) == len(valid)
    # What was read, written as it was read, is read as the same.
    again, faults, read = _read(to_csv(_cells(valid)).encode())
    assert (_cells(again), faults, read) == (_cells(valid), [], len(valid))


@pytest.mark.req("S25", "S29")
@seed(SEED)
@settings(max_examples=EXAMPLES // 4, database=None)
@given(st.lists(st.tuples(*(nearly(cell) for cell in vars(row(1)).values())), max_size=3))
def test_cells_that_are_nearly_right_are_normalised_or_named(cells: list[tuple[str, str, str, str, str]]) -> None:
    written = to_csv([Cells(*one) for one in cells]).encode("utf-8", "surrogatepass")
    try:
        valid, faults, _ = _read(written)
    except RollFileError:
        return
    again, more, _ = _read(to_csv(_cells(valid)).encode())
    assert (_cells(again), more) == (_cells(valid), [])
    assert not [one for one in valid if one.line in {fault.line for fault in faults}]
