"""The ballot as a file for calendars (RFC 5545): when it is open, where to vote, and a reminder."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reassort.french import ballot_close

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

# A day before the close, for anyone who has not voted by then.
_REMINDER = "-P1D"
# In octets, the line break not counted (RFC 5545, 3.1).
_LONGEST_LINE = 75


def ballot_calendar(election: "ElectionFile") -> str:
    """Return the calendar, in lines that end as the standard has it (CRLF)."""
    voting, site = election.windows.voting, election.voting_site
    notes = [f"Fin du vote : {ballot_close(election)}."]
    if site:
        notes = [f"Où voter : {site.name}, {site.address}", *([site.note] if site.note else []), *notes]
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//reassort//{election.id}//FR",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        # One event in every calendar, however often the file is taken.
        f"UID:vote@{election.id}.reassort",
        # The file is the same as long as the election is.
        f"DTSTAMP:{_utc(voting.opens_at)}",
        f"DTSTART:{_utc(voting.opens_at)}",
        f"DTEND:{_utc(voting.closes_at)}",
        f"SUMMARY:{_text(f'Vote : {election.name}')}",
        f"DESCRIPTION:{_text(chr(10).join(notes))}",
        *([f"URL:{site.address}"] if site else []),
        # Anyone who is asked whether they are free is free.
        "TRANSP:TRANSPARENT",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"TRIGGER;RELATED=END:{_REMINDER}",
        f"DESCRIPTION:{_text('Le vote ferme demain.')}",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for sign in "\\;,":
        value = value.replace(sign, f"\\{sign}")
    return value.replace("\n", "\\n")


def _folded(line: str) -> str:
    """Break a line that is too long; a letter of several octets is not broken."""
    parts: list[str] = []
    part = ""
    for letter in line:
        if len((part + letter).encode()) > _LONGEST_LINE - bool(parts):
            parts.append(part)
            part = ""
        part += letter
    return "\r\n ".join([*parts, part])
