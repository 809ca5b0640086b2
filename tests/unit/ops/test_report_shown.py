"""`reassort report`: what it asks for, what it prints, and what stands above the picture."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from reassort_ops.cli import app
from reassort_ops.commands import report as command
from reassort_ops.report.figures import Source, SourceName
from typer.testing import CliRunner

if TYPE_CHECKING:
    from tests.unit.ops.conftest import Screen

PARIS = ZoneInfo("Europe/Paris")
FIGURES: Any = SimpleNamespace(
    stack="reassort",
    name="Comité",
    organiser="Académie",
    zone="Europe/Paris",
    at=datetime(2018, 12, 3, 13, 5, tzinfo=PARIS),
    start=datetime(2018, 11, 29, 8, 0, tzinfo=PARIS),
    end=datetime(2018, 12, 2, 9, 30, tzinfo=PARIS),
    reissues=SimpleNamespace(total=1234),
    failures=SimpleNamespace(undelivered=2),
    disputes=SimpleNamespace(total=3),
    sources=tuple(
        Source(name, available=name is not SourceName.METRICS, looked_at=1)
        for name in (SourceName.REGISTER, SourceName.METRICS)
    ),
)


@dataclass
class ReportOfFigures:
    """The command with `FIGURES`, and what came of it."""

    folder: Path
    gathered: list[Any] = field(default_factory=list)
    headings: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, *options: str) -> list[str]:
        """Run the command; return what it prints."""
        result = CliRunner().invoke(app, ["report", "--stack", "reassort", *options])
        assert result.exit_code == 0, result.stderr
        return result.stdout.splitlines()

    @property
    def files(self) -> set[str]:
        return {file.name for file in self.folder.iterdir()}


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReportOfFigures:
    """The command where nothing is read or drawn."""
    made = ReportOfFigures(tmp_path)

    def gathering(**sources: Any) -> Any:
        made.gathered.append(sources["segments"])
        return SimpleNamespace(figures=lambda _: FIGURES)

    def write_png(path: Path, heading: str, lines: tuple[str, ...], plots: list[Any]) -> None:
        assert (heading, plots) == ("Rapport des réassorts d’identifiants", [])
        path.write_bytes(b"\x89PNG")
        made.headings.append(tuple(line.replace("\u202f", " ").replace("\u00a0", " ") for line in lines))

    monkeypatch.chdir(tmp_path)
    nothing: Any = SimpleNamespace(dynamodb=lambda _: None, cloudwatch=lambda: None)
    target = SimpleNamespace(aws=nothing, stack=None, election=None)
    monkeypatch.setattr(command, "Target", lambda *_: target)
    monkeypatch.setattr(command, "Gathering", gathering)
    monkeypatch.setattr(command, "period_of", lambda *_: None)
    monkeypatch.setattr(command, "as_json", lambda _: {"stack": "reassort"})
    monkeypatch.setattr("reassort_ops.report.plots.plots_of", lambda _: [])
    monkeypatch.setattr("reassort_ops.report.page.render_page", lambda *_: "the page")
    monkeypatch.setattr("reassort_ops.report.drawing.write_png", write_png)
    return made


SUMMED_UP = [
    "1234 reissues from 2018-11-29 08:00 to 2018-12-02 09:30 (Europe/Paris), 2 undelivered, 3 disputed",
    "not available: metrics",
]


def test_the_page_goes_to_report_html_unless_json_is_all_that_is_asked_for(report: ReportOfFigures) -> None:
    assert (json.loads("".join(report.run("--json"))), report.files) == ({"stack": "reassort"}, set())
    report.run("--json", "--png", "one.png")
    assert report.files == {"one.png"}
    assert report.run() == [*SUMMED_UP, "report.html written"]
    assert report.run("--output", "two.html", "--png", "two.png") == [*SUMMED_UP, "two.html written", "two.png written"]
    assert report.files == {"one.png", "report.html", "two.html", "two.png"}
    assert Path("two.html").read_text("utf-8") == "the page"


def test_a_table_is_read_in_eight_parts_unless_asked(report: ReportOfFigures) -> None:
    report.run("--json")
    report.run("--json", "--segments", "3")
    assert report.gathered == [8, 3]


def test_the_picture_says_of_which_election_and_when_it_is(report: ReportOfFigures) -> None:
    report.run("--png", "one.png")
    assert report.headings == [
        (
            "Comité, Académie",
            "Du jeu. 29 nov. 2018 à 8 h au dim. 2 déc. 2018 à 9 h 30 (Europe/Paris)",
            "1 234 réassorts. Pile reassort, lun. 3 déc. 2018 à 13 h 05.",
        )
    ]


def test_what_could_not_be_read_stands_out(report: ReportOfFigures, screen: Screen) -> None:
    report.run()
    assert [screen.colour(part) for part in ("undelivered", "metrics", "written")] == ["", "yellow", "green"]
