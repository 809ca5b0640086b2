"""The ballot as a file for calendars, by the letter of RFC 5545."""

from __future__ import annotations

import importlib.util
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from harness.elections import IDS, read_election
from local.processes import ROOT

if TYPE_CHECKING:
    from types import ModuleType

    from reassort.election_file import ElectionFile


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("calendar_file", ROOT / "site" / "calendar_file.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def members(election: ElectionFile) -> dict[str, str]:
    """Return the members of the file, its lines put together again; of two the first one."""
    content = _load().ballot_calendar(election)
    assert content.endswith("END:VCALENDAR\r\n")
    assert "\n" not in content.replace("\r\n", "")
    assert max(len(line.encode()) for line in content.split("\r\n")) <= 75
    lines = content.replace("\r\n ", "").split("\r\n")[:-1]
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        found.setdefault(name, value)
    opened = [line.removeprefix("BEGIN:") for line in lines if line.startswith("BEGIN:")]
    assert sorted(opened) == sorted(line.removeprefix("END:") for line in lines if line.startswith("END:"))
    return found


@pytest.mark.req("U9")
@pytest.mark.parametrize("election_id", IDS)
def test_calendar_has_the_span_and_the_place_of_the_vote(election_id: str) -> None:
    election = read_election(election_id)
    event, voting = members(election), election.windows.voting
    for name, instant in (("DTSTART", voting.opens_at), ("DTEND", voting.closes_at)):
        assert datetime.strptime(event[name], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) == instant
    assert {"VERSION", "PRODID", "UID", "DTSTAMP", "SUMMARY"} <= event.keys()
    assert election.voting_site
    assert event["URL"] == election.voting_site.address
    hour = "16 h 30\\, heure de Nouvelle-Calédonie" if "noumea" in event["URL"] else "17 h\\, heure de Paris"
    assert re.search(rf"Fin du vote : \w+ \d+ décembre \d{{4}} à {re.escape(hour)}", event["DESCRIPTION"])


def test_signs_of_the_format_are_escaped_and_long_lines_are_broken_between_letters() -> None:
    name = "Vote ; « été », 1\\2 " + "é" * 150
    event = members(read_election("dijon-2018", name=name, voting_site=None))
    assert event["SUMMARY"] == "Vote : " + name.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    assert "URL" not in event
