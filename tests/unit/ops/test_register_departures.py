"""A later export has every line of an earlier one, in its place; and how a line is named that is
not as it should be.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from reassort.register import ELECTION_CHAIN, Change, Entry
from reassort_ops.failures import OperatorError
from reassort_ops.register.file_check import Broken, check_register_file, first_departure, read_public_key

from tests.unit.ops.damaged_registers import ENTRIES, FILE, FIRST
from tests.unit.ops.registers import SIGNER, chain, pseudonym, register_file

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
