"""Any election runs on this machine: its windows are moved to now, in a copy."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from reassort.election import ElectionFileError
from reassort.election_file import read_election_file
from reassort_ops.roll.check import check_roll
from reassort_ops.roll.faults import RowFault
from reassort_ops.roll.file import open_roll

from harness.elections import DATE_OF_BIRTH, FOLDER, IDS, STAFF_CARD, election_content, write_election
from local.elections import NoFitError, write_current_election
from local.processes import ROOT
from local.run import ROLL, StartError, chosen

pytestmark = pytest.mark.req("O12")
# A Saturday, in no election's own windows.
NOW = datetime(2031, 3, 15, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize("election_id", IDS)
@pytest.mark.parametrize("hours", range(0, 24 * 7, 5))
def test_both_windows_are_open_at_any_time(tmp_path: Path, election_id: str, hours: int) -> None:
    source = FOLDER / f"{election_id}.yaml"
    now = NOW + timedelta(hours=hours)
    write_current_election(source, tmp_path, now)
    moved, original = read_election_file(tmp_path / source.name), read_election_file(source)
    assert moved.windows.voting.contains(now)
    assert moved.windows.reissue.contains(now)
    by = moved.windows.voting.opens_at.date() - original.windows.voting.opens_at.date()
    assert by % timedelta(weeks=1) == timedelta(0), "helpdesk hours keep their weekdays"
    assert moved.windows.voting.opens_at.time() == original.windows.voting.opens_at.time()


def _with_windows(folder: Path, voting: tuple[str, str], reissue: tuple[str, str]) -> Path:
    helpdesk = {**election_content("dijon-2018")["helpdesk"], "during_voting": {"weekdays": ["08:00-18:00"]}}
    windows = {
        name: {"opens_at": opens_at, "closes_at": closes_at}
        for name, (opens_at, closes_at) in (("voting", voting), ("reissue", reissue))
    }
    (folder / "own").mkdir()
    return write_election(folder / "own", "dijon-2018", windows=windows, helpdesk=helpdesk)


def test_a_ballot_of_one_day_is_moved_to_this_day(tmp_path: Path) -> None:
    source = _with_windows(tmp_path, ("2018-12-03T08:00", "2018-12-03T18:00"), ("2018-11-05T08:00", "2018-12-03T18:00"))
    moved = write_current_election(source, tmp_path, NOW)
    assert moved.windows.voting.opens_at.astimezone(ZoneInfo("Europe/Paris")).date() == NOW.date()


def test_at_night_the_reissues_of_a_ballot_of_one_day_are_open(tmp_path: Path) -> None:
    source = _with_windows(tmp_path, ("2018-12-03T08:00", "2018-12-03T18:00"), ("2018-11-05T08:00", "2018-12-03T18:00"))
    night = NOW.replace(hour=23)
    moved = write_current_election(source, tmp_path, night)
    assert moved.windows.reissue.contains(night)
    assert not moved.windows.voting.contains(night)


def test_what_fits_nowhere_is_told(tmp_path: Path) -> None:
    source = _with_windows(tmp_path, ("2018-12-03T08:00", "2018-12-03T18:00"), ("2018-12-03T08:00", "2018-12-03T18:00"))
    with pytest.raises(NoFitError, match="do not contain 2031-03-15 23:30"):
        write_current_election(source, tmp_path, NOW.replace(hour=23))


def test_the_file_itself_is_left_alone(tmp_path: Path) -> None:
    source = FOLDER / f"{IDS[0]}.yaml"
    before = source.read_bytes()
    write_current_election(source, tmp_path, NOW)
    assert source.read_bytes() == before


def test_a_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("id: other\n", encoding="utf-8")
    with pytest.raises(ElectionFileError, match=r"mine\.yaml"):
        write_current_election(source, tmp_path / "moved", NOW)


def test_the_demo_is_what_runs_when_nothing_is_named(tmp_path: Path) -> None:
    assert chosen({}, tmp_path) == (FOLDER / "dijon-2018.yaml", ROLL)
    assert chosen({"ELECTION": "", "ROLL": ""}, tmp_path) == (FOLDER / "dijon-2018.yaml", ROLL)


@pytest.mark.parametrize("environment", [{"ELECTION": "elections/no.yaml"}, {"ROLL": "no.csv"}])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(StartError, match="fichier introuvable"):
        chosen(environment, tmp_path)


@pytest.mark.parametrize("proof", [None, DATE_OF_BIRTH, STAFF_CARD])
@pytest.mark.parametrize("election_id", [one for one in IDS if one != "dijon-2018"])
def test_another_election_gets_a_roll_that_its_import_takes(
    tmp_path: Path, election_id: str, proof: dict[str, str] | None
) -> None:
    (tmp_path / "own").mkdir()
    source = write_election(tmp_path / "own", election_id, extra_proof=proof)
    election, roll = chosen({"ELECTION": str(source)}, tmp_path)
    assert election == source
    faults: list[RowFault] = []
    checked = check_roll(open_roll(roll), read_election_file(election), faults.append)
    assert faults == []
    assert checked.read == 77


def test_ones_own_roll_is_taken(tmp_path: Path) -> None:
    roll = tmp_path / "roll.csv"
    roll.touch()
    assert chosen({"ROLL": str(roll)}, tmp_path) == (FOLDER / "dijon-2018.yaml", roll)


def test_a_roll_for_a_file_that_cannot_be_used_is_refused_in_a_line(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("id: other\n", encoding="utf-8")
    command = [sys.executable, "data/make_demo_roll.py", "--election", str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
