"""The sheet that an agent reads on the phone, for a terminal: where the voter stands, what to do,
what happened. All of it may be shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reassort_ops.language import tr

_ALARMING = "bold red"


@dataclass(frozen=True)
class SheetLine:
    """A line, and how a terminal shows it."""

    text: str
    style: str | None = None


def sheet(answer: Mapping[str, Any], stack: str) -> Iterator[SheetLine]:
    """Give the sheet of a helpdesk's answer line by line; `stack` is the name that its commands are
    given.
    """
    lines = answer["status"]
    width = max(len(line["label"]) for line in lines)
    for number, line in enumerate(lines):
        alarming = number == 0 and answer["caller"] == "wrong-code"
        yield SheetLine(f"{line['label']:{width}}  {line['words']}", _ALARMING if alarming else None)
    yield SheetLine("")
    yield SheetLine("Que faire", "bold")
    for step in answer["advice"]:
        yield SheetLine(f"- {step['words']}")
        if "act" in step:
            yield SheetLine(f"  {_command(step['act'], answer, stack)}", "cyan")
    yield SheetLine("")
    yield SheetLine("Historique", "bold")
    width = max((len(event["moment"]) for event in answer["timeline"]), default=0)
    for event in answer["timeline"]:
        yield SheetLine(f"{event['moment']:{width}}  {event['words']}")


def _command(act: str, answer: Mapping[str, Any], stack: str) -> str:
    """Return what to type. An address is shown to nobody, so a reference names the voter; what
    sends mail needs the address.
    """
    who = tr("EMAIL") if act == "reissue" else answer.get("reference", tr("EMAIL"))
    checked = f" --caller-code {tr('WORDS')}" if answer["caller"] == "verified" else ""
    number = f" --number {tr('NUMBER')}" if act == "let-in" else ""
    return f'reassort voter {act} {who} --stack {stack}{number} --reason "…"{checked}'
