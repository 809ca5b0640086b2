"""What comes twice is found in files longer than what is kept in memory."""

from collections import defaultdict
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reassort_ops.roll.duplicates import DuplicateSearch, SortedRuns


@given(st.lists(st.text(max_size=3), max_size=60))
def test_every_group_is_found_and_nothing_else(values: list[str]) -> None:
    expected: dict[str, list[int]] = defaultdict(list)
    with DuplicateSearch() as search:
        for line, value in enumerate(values, 2):
            search.add(value, line)
            expected[value].append(line)
        assert sorted(search.groups()) == sorted(lines for lines in expected.values() if len(lines) > 1)


def test_values_that_were_spilled_to_disk_are_found() -> None:
    with DuplicateSearch() as search:
        for line in range(60_000):
            search.add(str(line % 59_990), line)
        assert sorted(search.groups()) == [[number, 59_990 + number] for number in range(10)]


def test_lines_of_one_value_are_told_in_order_though_they_came_in_another() -> None:
    with DuplicateSearch() as search:
        for line in (300, 2, 70_000):
            search.add("\ud800", line)
        search.add("another", 5)
        portions = [list(part) for part in search.parts()]
    assert [group for part in portions for group in part] == [[2, 300, 70_000]]
    assert len(portions) > 1


def test_nothing_of_a_value_lies_in_a_file_and_every_file_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two searches write the same value in two ways."""
    files: list[IO[bytes]] = []

    def named_file(buffering: int = -1) -> IO[bytes]:
        files.append((tmp_path / str(len(files))).open("w+b", buffering))
        return files[-1]

    monkeypatch.setattr("reassort_ops.roll.duplicates.tempfile.TemporaryFile", named_file)
    for _ in range(2):
        with DuplicateSearch() as search:
            for line in range(400):
                search.add("09E9900123ABC", line)
            assert [len(group) for group in search.groups()] == [400]
    with SortedRuns() as runs:
        runs.add([b"one", b"two"])
    one, other = (path.read_bytes() for path in sorted(tmp_path.iterdir())[:2])
    assert one != other
    assert b"09E9900123ABC" not in one + other
    assert [file.closed for file in files] == [True] * 3


def test_digests_are_under_a_key_that_nobody_guesses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def draw(size: int) -> bytes:
        asked.append(size)
        return bytes(size)

    monkeypatch.setattr("reassort_ops.roll.duplicates.secrets.token_bytes", draw)
    with DuplicateSearch() as search:
        search.add("09E9900123ABC", 2)
    # As long as a digest, at least.
    assert min(asked) >= 16


@given(st.lists(st.lists(st.binary(min_size=4, max_size=4), max_size=600), max_size=4))
def test_records_are_merged_in_order_from_portions_of_any_length(portions: list[list[bytes]]) -> None:
    with SortedRuns() as runs:
        for portion in portions:
            runs.add(portion)
        assert list(runs.merged()) == sorted(record for portion in portions for record in portion)


def test_a_portion_of_many_records_is_read_again_whole() -> None:
    records = [number.to_bytes(3, "big") for number in range(2000)]
    with SortedRuns() as runs:
        runs.add(records[::-1])
        runs.add([])
        runs.add(iter(records[5:7]))
        assert list(runs.merged()) == sorted(records + records[5:7])
