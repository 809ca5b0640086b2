"""What comes twice is found in files longer than what is kept in memory."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st
from reassort_ops.roll.duplicates import DuplicateSearch


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
