"""Whom the figures of a report are about: voters apart from those who help, establishments so that
nobody can be recognised, and the day before.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from reassort.outbox import Channel
from reassort_ops.report.establishments import FLOOR

from tests.report_history import History, delivered, sent
from tests.unit.ops.test_report import DIJON, ELECTION, FROM_MORNING, MORNING, NOW, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

AGENT = "3f9a2c00-6d98-54c5-b812-c6223d414e46"
SECRET_SCHOOL = "École de trois personnes"
HOUR = timedelta(hours=1)


@pytest.fixture
def history(deployed: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> History:
    monkeypatch.setattr("reassort_ops.commands.report.utc_now", lambda: NOW)
    return History(deployed.dynamodb, deployed.stack, ELECTION)


def school(history: History, name: str, voters: int, *times: datetime) -> None:
    """Let so many voters of an establishment be given identifiers at these times."""
    for _ in range(voters):
        history.voter(establishment=name, reissued_at=times or [MORNING])


def establishments(deployed: OperatedStack) -> dict[str, Any]:
    found: dict[str, Any] = told(deployed, *FROM_MORNING)["establishments"]
    return found


@pytest.mark.parametrize(
    ("actor", "counts"),
    [
        ("voter", (1, 0, 0)),
        (AGENT, (0, 1, 0)),
        (f"{AGENT} + {AGENT[::-1]}", (0, 1, 0)),
        (f"anne + {AGENT}", (0, 1, 0)),
        ("anne", (0, 0, 1)),
        ("anne + paul", (0, 0, 1)),
    ],
)
def test_who_gave_an_identifier_is_counted_apart_and_is_not_in_the_voters_funnel(
    deployed: OperatedStack, history: History, actor: str, counts: tuple[int, int, int]
) -> None:
    history.voter()
    history.reissue(MORNING, Channel.EMAIL, DIJON, sent(400, Channel.EMAIL), delivered(900, Channel.EMAIL), actor=actor)
    history.flush()
    found = told(deployed, *FROM_MORNING)
    reissues = found["reissues"]
    assert (reissues["by_voters"], reissues["by_helpdesk"], reissues["by_operators"]) == counts
    assert (reissues["total"], found["outcomes"]["delivered"]) == (1, 1)
    assert [step["count"] for step in found["funnel"][2:]] == [counts[0]] * 3


@pytest.mark.req("I7")
def test_an_establishment_is_named_from_the_floor_on(deployed: OperatedStack, history: History, tmp_path: Path) -> None:
    school(history, "Lycée Carnot", FLOOR)
    school(history, "Lycée Pasteur", FLOOR + 2, MORNING, MORNING + HOUR)
    school(history, SECRET_SCHOOL, FLOOR - 1)
    school(history, "Collège Rameau", 3)
    # Not in the period: before it, and after.
    school(history, "Collège Rude", FLOOR, MORNING - HOUR, NOW + HOUR)
    school(history, "Collège Rude", 5, MORNING - HOUR)
    history.voter(establishment="Lycée Montchapet")
    history.flush()
    assert establishments(deployed) == {
        "floor": FLOOR,
        "named": [
            {"name": "Lycée Pasteur", "voters": FLOOR + 2, "reissues": 2 * FLOOR + 4},
            {"name": "Lycée Carnot", "voters": FLOOR, "reissues": FLOOR},
        ],
        "others": 2,
        "others_voters": FLOOR + 2,
        "others_reissues": FLOOR + 2,
    }
    page = tmp_path / "report.html"
    assert deployed.run("report", *FROM_MORNING, "--output", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert "Lycée Pasteur" in text
    assert "Autres établissements, réunis" in text
    for unnamed in (SECRET_SCHOOL, "Collège Rameau", "Collège Rude"):
        assert unnamed not in text


@pytest.mark.req("I7")
def test_others_who_are_few_together_have_no_number(deployed: OperatedStack, history: History, tmp_path: Path) -> None:
    school(history, SECRET_SCHOOL, FLOOR - 1)
    history.flush()
    found = establishments(deployed)
    assert (found["named"], found["others"]) == ([], 1)
    assert (found["others_voters"], found["others_reissues"]) == (None, None)
    page = tmp_path / "report.html"
    assert deployed.run("report", *FROM_MORNING, "--output", page).exit_code == 0
    text = page.read_text(encoding="utf-8")
    assert f"moins de {FLOOR}" in text.replace("\u00a0", " ")
    assert SECRET_SCHOOL not in text


@pytest.mark.req("I7")
def test_no_number_below_the_floor_is_left_when_the_named_are_taken_from_the_total(
    deployed: OperatedStack, history: History
) -> None:
    school(history, SECRET_SCHOOL, 1)
    school(history, "Lycée Carnot", FLOOR)
    school(history, "Lycée Pasteur", FLOOR + 1)
    history.flush()
    assert establishments(deployed) == {
        "floor": FLOOR,
        "named": [{"name": "Lycée Pasteur", "voters": FLOOR + 1, "reissues": FLOOR + 1}],
        "others": 2,
        "others_voters": FLOOR + 1,
        "others_reissues": FLOOR + 1,
    }


def test_without_a_roll_establishments_are_unknown(deployed: OperatedStack, history: History) -> None:
    history.reissue(MORNING, Channel.EMAIL, DIJON)
    history.flush()
    assert told(deployed, *FROM_MORNING)["establishments"] is None


@pytest.mark.parametrize("word", ["yesterday", "hier", "Hier"])
def test_since_yesterday_is_from_its_midnight_on(deployed: OperatedStack, history: History, word: str) -> None:
    found = told(deployed, "--since", word)
    assert (found["start"], found["end"]) == ("2018-12-02T00:00:00+01:00", "2018-12-03T13:00:00+01:00")
    whole = told(deployed, "--since", word, "--to", word)
    assert (whole["start"], whole["end"]) == ("2018-12-02T00:00:00+01:00", "2018-12-03T00:00:00+01:00")


def test_yesterday_is_the_elections_and_not_that_of_utc(
    deployed: OperatedStack, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2018, 12, 2, 23, 30, tzinfo=UTC)
    monkeypatch.setattr("reassort_ops.commands.report.utc_now", lambda: late)
    assert told(deployed, "--since", "yesterday")["start"] == "2018-12-02T00:00:00+01:00"
