"""What operators watch, as `template.yaml` has it: thresholds from the election files, and the dashboard. `make watch` writes both.

CloudFormation reads no election file, so the numbers of each one stand in the template's section `Mappings`, and alarms and dashboard
find theirs there by the parameter `Election`. Two regions of the template, between comments, are made here and nowhere else.

    python packaging/watch.py           tells whether the template is up to date (exit status 1 if not)
    python packaging/watch.py --write   brings it up to date
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from reassort.election import ElectionFileError
from reassort.election_file import ElectionFile, read_election_file

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"
ELECTIONS = ROOT / "elections"
# The name of the section's mapping.
MAPPING = "Watch"


class TemplateError(ValueError):
    """The template lacks the comments between which a region is written."""


def thresholds(election: ElectionFile) -> dict[str, int]:
    """Return the numbers of an election's alarms by their key in the mapping, in the units of the metrics."""
    watch = election.watch
    return {
        "WaitingSeconds": watch.waiting_minutes * 60,
        "OverdueSeconds": watch.overdue_minutes * 60,
        "StreamMilliseconds": watch.stream_seconds * 1000,
        "Undelivered": watch.undelivered,
        "DomainFailurePercent": watch.domain_failure_percent,
        "SmsFailurePercent": watch.sms_failure_percent,
        "SmsCapPercent": watch.sms_cap_percent,
        "SmsMonthUsd": watch.sms_month_usd,
        "ComplaintsPerHour": watch.complaints_per_hour,
        "WrongNumensPercent": watch.wrong_numens.percent,
        "WrongNumensFloor": watch.wrong_numens.floor,
        "NumenLocks": watch.numen_locks,
        "WrongCodesPercent": watch.wrong_codes.percent,
        "WrongCodesFloor": watch.wrong_codes.floor,
        "UsedCodesPercent": watch.used_codes.percent,
        "UsedCodesFloor": watch.used_codes.floor,
        "DisputesPerHour": watch.disputes_per_hour,
        "FunctionErrors": watch.function_errors,
        "ApiFaultsPerMinute": watch.api_faults_per_minute,
        "BlockedRequests": watch.blocked_requests,
    }


def mappings(elections: list[ElectionFile]) -> str:
    """Return the region of the thresholds, as YAML. CloudFormation takes nothing but texts there."""
    lines = ["Mappings:", f"  {MAPPING}:"]
    for election in sorted(elections, key=lambda one: one.id):
        lines.append(f"    {election.id}:")
        lines += [f'      {key}: "{value}"' for key, value in thresholds(election).items()]
    return "\n".join(lines)


def replace_region(template: str, name: str, content: str) -> str:
    """Return the template with another content between the comments of a region.

    Raises:
        TemplateError: it has no such region.
    """
    lines = template.split("\n")
    marks = [position for position, line in enumerate(lines) if line.strip().startswith(f"# {name}: ")]
    if len(marks) != 2:
        raise TemplateError(f"needs two comments that begin with '# {name}: '")
    begin, end = marks
    return "\n".join([*lines[: begin + 1], content, *lines[end:]])


def updated(template: str, folder: Path = ELECTIONS) -> str:
    """Return the template with the thresholds of each file of `folder`.

    Raises:
        TemplateError: it has no place for them.
        ElectionFileError: an election file cannot be used.
    """
    elections = [read_election_file(path) for path in sorted(folder.glob("*.yaml"))]
    return replace_region(template, "thresholds", mappings(elections))


def main(arguments: list[str] | None = None) -> int:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description="Thresholds and dashboard of template.yaml, from elections/*.yaml.")
    parser.add_argument("--write", action="store_true", help="bring template.yaml up to date")
    write = parser.parse_args(arguments).write
    template = TEMPLATE.read_text(encoding="utf-8")
    try:
        wanted = updated(template)
    except (ElectionFileError, TemplateError) as error:
        print(error, file=sys.stderr)
        return 2
    if wanted == template:
        return 0
    if not write:
        print("template.yaml is not what the election files say: make watch", file=sys.stderr)
        return 1
    TEMPLATE.write_text(wanted, encoding="utf-8")
    print("template.yaml: thresholds and dashboard brought up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
