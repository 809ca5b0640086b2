"""A later export has every line of an earlier one, in its place; and how a line is named that is
not as it should be.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from reassort.register import ELECTION_CHAIN, Change, Entry
from reassort_ops.failures import OperatorError
from reassort_ops.register import file_check
from reassort_ops.register.export import write_register
from reassort_ops.register.file_check import Broken, FileCheck, check_register_file, first_departure, read_public_key

from tests.unit.ops.damaged_registers import ENTRIES, FILE, FIRST, linked
from tests.unit.ops.registers import HEADER, NOW, SIGNER, chain, counted, made_up_hash, pseudonym, register_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def departure(folder: Path, earlier: Sequence[Entry] | bytes, later: Sequence[Entry] | bytes) -> str | None:
    """Return what is said of two exports."""
    paths = folder / "earlier", folder / "later"
    for path, content in zip(paths, (earlier, later), strict=True):
        path.write_bytes(content if isinstance(content, bytes) else register_file(content))
    found = first_departure(*paths)
    return None if found is None else str(found)


@pytest.mark.req("I9")
@pytest.mark.parametrize("place", range(len(ENTRIES)))
def test_an_earlier_line_that_is_gone_or_another_is_named(tmp_path: Path, place: int) -> None:
    entry = ENTRIES[place]
    where = f"line {FIRST + place}, voter {entry.voter_id}, entry {entry.sequence}"
    removed = [*ENTRIES[:place], *ENTRIES[place + 1 :]]
    assert departure(tmp_path, ENTRIES, removed) == f"{where}: was removed since"
    replaced = [*ENTRIES[:place], replace(entry, actor="somebody"), *ENTRIES[place + 1 :]]
    assert departure(tmp_path, ENTRIES, replaced) == f"{where}: was replaced since"


@pytest.mark.req("I9")
def test_chains_may_grow_and_voters_may_come_between(tmp_path: Path) -> None:
    whole = [entry for number in range(8) for entry in chain(pseudonym(number), [Change.ISSUED, Change.VOTED])]
    first = [entry for entry in whole if entry.voter_id in {pseudonym(2), pseudonym(5)} and entry.sequence == 1]
    assert departure(tmp_path, first, whole) is None
    assert departure(tmp_path, [], whole) is None
    assert departure(tmp_path, whole, whole) is None


@pytest.mark.req("I9")
def test_exports_are_of_one_stack_and_of_any_two_times(tmp_path: Path) -> None:
    assert departure(tmp_path, FILE, FILE.replace(b"2018-12-06T16:00:00Z", b"2018-12-07T16:00:00Z", 1)) is None
    for name, other in ((b"dijon-2018", b"dijon-2019"), (b'"reassort"', b'"another"')):
        with pytest.raises(OperatorError, match="are not of the same stack"):
            departure(tmp_path, FILE, FILE.replace(name, other, 1))


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (Broken(3, None, None, "why"), "line 3: why"),
        (Broken(3, "A", 2, "why"), "line 3, voter A, entry 2: why"),
        (Broken(3, "A", None, "why"), "line 3, voter A: why"),
        (Broken(3, ELECTION_CHAIN, 2, "why"), "line 3, election, entry 2: why"),
    ],
)
def test_a_line_is_named_by_all_that_it_tells(broken: Broken, told: str) -> None:
    assert str(broken) == told


def test_a_check_tells_how_many_bytes_it_has_read(tmp_path: Path) -> None:
    path, told = tmp_path / "register.jsonl", list[int]()
    path.write_bytes(FILE)
    assert check_register_file(path, SIGNER.private_key.public_key(), told.append).holds
    *_, statement, signature = FILE.splitlines(keepends=True)
    assert sum(told) == len(FILE) - len(statement) - len(signature)
    assert len(told) == len(FILE.splitlines()) - 2


@pytest.mark.req("I9")
def test_a_key_on_a_curve_that_nobody_knows_is_none(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    lines = SIGNER.pem.splitlines()
    # The name of the curve lies in the first line.
    path.write_bytes(b"\n".join([lines[0], lines[1].replace(b"KoZIzj0DAQ", b"KoZIzj0DAg"), *lines[2:]]))
    with pytest.raises(OperatorError, match=r"key\.pem is not a public key in PEM form"):
        read_public_key(path)


def checked(folder: Path, content: bytes) -> FileCheck:
    """Check a file."""
    path = folder / "register.jsonl"
    path.write_bytes(content)
    return check_register_file(path, SIGNER.private_key.public_key())


def said_of(folder: Path, content: bytes) -> str:
    """Return the first line that is not as it should be, and why."""
    found = checked(folder, content)
    assert not found.holds
    return str(found.broken)


@pytest.mark.req("I9", "I11")
def test_the_second_line_that_issues_an_identifier_is_named(tmp_path: Path) -> None:
    """Not the vote by it. Also where nothing but entries stands before the statement."""
    same = {"identifier_hash": made_up_hash("identifier")}
    first = linked(chain(pseudonym(1), [Change.ISSUED, Change.VOTED]), _1=same, _2=same)
    between = list(chain(pseudonym(2), [Change.ISSUED, Change.FROZEN]))
    content = register_file([*first, *between, *linked(chain(pseudonym(3), [Change.ISSUED]), _1=same)])
    told = f"line 6, voter {pseudonym(3)}, entry 1: its identifier was issued before"
    assert said_of(tmp_path, content) == told
    *body, _, statement, signature = content.splitlines(keepends=True)
    assert said_of(tmp_path, b"".join([*body, statement, signature])) == told


@pytest.mark.req("I9")
def test_of_two_lines_the_first_is_named_and_of_one_what_it_tells(tmp_path: Path) -> None:
    """A story that cannot be was signed, and the line behind it was changed since."""
    entries = linked(chain(pseudonym(1), [Change.ISSUED, Change.UNFROZEN, Change.UNLOCKED, Change.UNFROZEN]))
    content = register_file(entries)
    told = f"line 3, voter {pseudonym(1)}, entry 2: entry 2 (unfrozen) comes while the identifier is not frozen"
    assert said_of(tmp_path, content) == told
    lines = content.splitlines(keepends=True)
    for place in (3, 4):
        changed = lines[place].replace(b'"at":1', b'"at":2')
        assert said_of(tmp_path, b"".join([*lines[:place], changed, *lines[place + 1 :]])) == told
    changed = lines[2].replace(b'"at":1', b'"at":2')
    told = f"line 3, voter {pseudonym(1)}, entry 2: is not the line that was signed"
    assert said_of(tmp_path, b"".join([*lines[:2], changed, *lines[3:]])) == told


@pytest.mark.req("I9")
def test_a_header_that_is_missing_is_named_by_the_entry_in_its_place(tmp_path: Path) -> None:
    told = f"line 1, voter {ENTRIES[0].voter_id}, entry 1: 1 line is missing here"
    assert said_of(tmp_path, b"".join(FILE.splitlines(keepends=True)[1:])) == told


@pytest.mark.req("I9")
def test_a_line_that_was_signed_and_is_no_entry_is_of_nobody(tmp_path: Path) -> None:
    file = io.BytesIO()
    lines = [entry.content for entry in ENTRIES]
    write_register(file, HEADER, iter([*lines, b'{"a":1}']), counted(ENTRIES), SIGNER, lambda: NOW)
    assert said_of(tmp_path, file.getvalue()) == f"line {FIRST + len(lines)}: is not an entry of the register"


@pytest.mark.req("I9")
@pytest.mark.parametrize(
    ("of_later", "missing"),
    [
        ([b"AAAA", b"BBBB", b"CCCC", b"DDDD", b"EEEE"], 1),
        ([b"AAAA", b"BBBB", b"CCCC", b"DDDD", b"EEE-"], 0),
        ([b"AAAA", b"B---", b"C---", b"D---", b"E---"], 0),
    ],
    ids=["four agree", "three agree", "first bytes agree"],
)
def test_lines_are_missing_where_as_many_agree_again(of_later: list[bytes], missing: int) -> None:
    found = bytearray(b"HHHH" + b"BBBB" + b"CCCC" + b"DDDD" + b"EEEE")
    signed = bytearray(b"HHHH" + b"".join(of_later))
    assert file_check._missing_at(found, signed, 1) == missing


@pytest.mark.req("I9")
def test_a_line_of_fingerprints_in_another_form_is_named(tmp_path: Path) -> None:
    *body, fingerprints, statement, signature = FILE.splitlines(keepends=True)
    other = fingerprints.replace(b'"}', b'0"}')
    told = f"line {len(body) + 1}: is not a line of fingerprints"
    assert said_of(tmp_path, b"".join([*body, other, statement, signature])) == told


@pytest.mark.req("I10", "O5")
def test_who_is_off_the_roll_is_counted_among_the_voters(tmp_path: Path) -> None:
    stories = [[Change.ISSUED], [Change.ISSUED, Change.REMOVED], [Change.ISSUED, Change.REMOVED]]
    entries = [entry for number, story in enumerate(stories) for entry in chain(pseudonym(number), story)]
    found = checked(tmp_path, register_file(entries))
    assert (found.holds, found.counted.voters, found.counted.removed) == (True, 3, 2)


@pytest.mark.req("I10")
def test_a_register_that_does_not_balance_is_told_so(tmp_path: Path) -> None:
    twice = linked(chain(pseudonym(1), [Change.ISSUED, Change.ISSUED]), _2={"generation": 1})
    told = "the reconciliation does not balance"
    assert told in checked(tmp_path, register_file(twice)).counted.faults
    assert told not in checked(tmp_path, FILE).counted.faults


@pytest.mark.req("I9")
@pytest.mark.parametrize("place", [-2, -1], ids=["statement", "signature"])
def test_an_end_in_another_form_is_told(tmp_path: Path, place: int) -> None:
    lines = FILE.splitlines(keepends=True)
    lines[place] = lines[place].replace(b":", b": ", 1)
    found = checked(tmp_path, b"".join(lines))
    assert (found.holds, found.statement) == (False, None)
    (told,) = found.counted.faults
    assert told.endswith("a statement and its signature: cut off, or altered")
