"""Which metrics are read from the source of a function's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from deployed.emitted_metrics import Emitted, emitted_by

if TYPE_CHECKING:
    from pathlib import Path

BEYOND = """
    def _flush(self):
        dict(self.a)
        self._emit([{"depth": 1}])

    def _emit(self, metrics, dimensions=()):
        pass
"""


def emitted(folder: Path, *sources: str) -> dict[str, tuple[set[str], bool]]:
    """Return the dimensions of the metrics of files, and whether each is written without any."""
    for number, source in enumerate(sources):
        (folder / f"{number}.py").write_text(source, "utf-8")
    return {one.name: (set(one.dimensions), one.bare) for one in emitted_by(folder)}


@pytest.mark.parametrize(
    ("body", "dimensions", "bare"),
    [
        ('self._emit({"M": (MetricUnit.Count, 1)})', set(), True),
        ('self._emit(metrics={"M": (MetricUnit.Count, 1)})', set(), True),
        ('self._emit({"M": (MetricUnit.Count, 1)}, {})', set(), True),
        ('self._emit({"M": (MetricUnit.Count, 1)}, {"lane": a})', {"lane"}, False),
        ('self._emit({"M": (MetricUnit.Count, 1)}, dimensions={"lane": a})', {"lane"}, False),
        ('self._emit({"M": (MetricUnit.Count, 1)}, [{"lane": a}, {}])', {"lane"}, True),
        ('self._emit({"M": (MetricUnit.Count, 1)}, [{}, {"lane": a}])', {"lane"}, True),
        ('self._emit({"M": (1, MetricUnit.Count)}, {a: 1, 2: a, "pair": (self.unit, 1)})', {"pair"}, False),
        ('self._emit(a, {"M": (MetricUnit.Count, 1), **a})', set(), False),
        ('self._flush(); self._emit({"M": (MetricUnit.Count, 1)}, a)', {"depth"}, False),
        ('other._flush({"M": (MetricUnit.Count, 1)})', set(), False),
        ('self.other._flush({"M": (MetricUnit.Count, 1)})', set(), False),
        ('self._emit({"lane": a}); a({"M": (MetricUnit.Count, 1)})', {"lane"}, False),
    ],
)
def test_a_metric_has_the_dimensions_that_it_is_handed_over_with(
    tmp_path: Path, body: str, dimensions: set[str], bare: bool
) -> None:
    source = f"class Meters:\n    unit = 1\n    def count(self, a):\n        {body}\n{BEYOND}"
    assert emitted(tmp_path, source) == {"M": (dimensions, bare)}


def test_a_metric_has_the_dimensions_of_what_its_method_calls_and_is_called_by(tmp_path: Path) -> None:
    source = """
class Meters:
    def one(self):
        self.two({"caller": 1})

    def two(self, a):
        self.three({"M": (MetricUnit.Count, 1)}, a)

    def three(self, metrics, a):
        self.four({"called": a})

    def four(self, a):
        a({"last": 1})

    def five(self):
        a({"apart": 1})
"""
    assert emitted(tmp_path, source) == {"M": ({"caller", "called", "last"}, False)}


def test_a_call_may_add_a_metric_by_its_name(tmp_path: Path) -> None:
    source = """
metrics.add_metric(name="M", unit="Count", value=1)
metrics.add_metric(name=NAME, unit="Count", value=1)
metrics.add_dimension(name="lane", value="a")
add_metric(name="Other")
"""
    assert emitted(tmp_path, source) == {"M": (set(), True)}


def test_a_metric_of_two_files_has_the_dimensions_of_both(tmp_path: Path) -> None:
    first = 'class A:\n    def count(self, a):\n        self.emit({"M": (MetricUnit.Count, 1)}, {"lane": a})\n'
    second = first.replace("lane", "channel")
    third = 'metrics.add_metric(name="M")\n'
    assert emitted(tmp_path, first, second) == {"M": ({"lane", "channel"}, False)}
    (tmp_path / "more").mkdir()
    assert emitted(tmp_path / "more", third, first) == {"M": ({"lane"}, True)}


@pytest.mark.parametrize(
    ("bare", "asked", "has"),
    [
        (False, "", False),
        (True, "", True),
        (False, "lane", True),
        (False, "lane channel", True),
        (True, "lane other", False),
    ],
)
def test_a_metric_is_there_under_dimensions_that_it_may_have(bare: bool, asked: str, has: bool) -> None:
    assert Emitted("M", frozenset({"lane", "channel"}), bare).has(frozenset(asked.split())) is has
