"""The sheet that an agent reads on the phone: where the voter stands, what to do, what happened.
All of it may be shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reassort.french import french_moment

from reassort_ops.voter.situation import Caller, advice, status_lines
from reassort_ops.voter.timeline import timeline

if TYPE_CHECKING:
    from datetime import datetime

    from reassort.election import Election

    from reassort_ops.voter.record import VoterRecord


@dataclass(frozen=True)
class SheetLine:
    """A line, and how a terminal shows it."""

    text: str
    style: str | None = None


def sheet(
    record: VoterRecord, masked_address: str, election: Election, now: datetime, caller: Caller, stack: str
) -> Iterator[SheetLine]:
    """Give the sheet line by line; `stack` is the name that its commands are given."""
    lines = status_lines(record, masked_address, election, now, caller)
    width = max(len(label) for label, _ in lines)
    for label, words in lines:
        yield SheetLine(
            f"{label:{width}}  {words}", _ALARMING if caller is Caller.WRONG_CODE and label == lines[0][0] else None
        )
    yield SheetLine("")
    yield SheetLine("Que faire", "bold")
    for step in advice(record, election, now, caller):
        yield SheetLine(f"- {step.words}")
        if step.command is not None:
            yield SheetLine(f"  {_command(step.command, record, caller, stack)}", "cyan")
    yield SheetLine("")
    yield SheetLine("Historique", "bold")
    events = timeline(record, election)
    moments = [french_moment(event.at, election) for event in events]
    width = max(map(len, moments))
    for moment, event in zip(moments, events, strict=True):
        yield SheetLine(f"{moment:{width}}  {event.words}")


_ALARMING = "bold red"


def _command(command: str, record: VoterRecord, caller: Caller, stack: str) -> str:
    """Return what to type. An address is shown to nobody, so a reference names the voter; what
    sends mail needs the address.
    """
    verb, _, options = command.partition(" ")
    who = "EMAIL" if verb == "reissue" else record.voter.last_reference or "EMAIL"
    checked = " --caller-code CODE" if caller is Caller.VERIFIED else ""
    return f"reassort voter {verb} {who} --stack {stack} {options}{checked}"
