"""The template of the nested stack, as text."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from reassort.election_file import read_election_file

from alarms.dashboard import TABLES, dashboard
from alarms.table import COUNTS, EDGE, FULL_IAM, FUNCTIONS, ROOT, Json, alarms, filters, thresholds

TEMPLATE = ROOT / "observability.yaml"
ELECTIONS = ROOT / "elections"
_HEAD = """\
# Written by `make alarms` from tools/alarms and elections/*.yaml: change those, not this file.
AWSTemplateFormatVersion: "2010-09-09"
Metadata:
  # The rules of tools/cfn_rules read the two as one.
  PartOf: template.yaml
Description: Reissue of voting identifiers, what operators watch - counts of the logs, alarms, the dashboard
"""
_PARAMETERS = {
    "StackName": "Name of the root stack: the namespace of its metrics, the name of its API and of its dashboard",
    "Election": "Whose thresholds the alarms have",
    "DomainName": "Domain of the voter space; with it there is a firewall",
    "IamDetail": "full or local, as in the root",
    "AlarmTopic": "ARN of the topic that alarms tell",
    **dict.fromkeys((group for _, group, _ in COUNTS), "Name of a log group"),
    **dict.fromkeys(FUNCTIONS, "Name of a function"),
    **dict.fromkeys(TABLES, "Name of a table"),
    **dict.fromkeys(("RetryQueue", "DeadLetterQueue", "PlatformDeadLetters"), "Name of a queue"),
    "PlatformTopic": "Name of the topic of events",
}
# As they are in the root.
_CONDITIONS = {
    EDGE: {"Fn::Not": [{"Fn::Equals": [{"Ref": "DomainName"}, ""]}]},
    FULL_IAM: {"Fn::Equals": [{"Ref": "IamDetail"}, "full"]},
}
_LINE = 120
_PLAIN = re.compile(r"[A-Za-z][\w/.-]*(?:::[\w/.-]+)*")
# Words that YAML takes for something else.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def template(folder: Path) -> dict[str, Json]:
    """Return the template with the thresholds of each election file of a folder, its short forms in
    full.

    Raises:
        ElectionFileError: an election file cannot be used.
    """
    return {**yaml.safe_load(_HEAD), **_sections(folder)}


def written(folder: Path = ELECTIONS) -> str:
    """Return the template as text.

    Raises:
        ElectionFileError: as `template`.
    """
    sections = _sections(folder).items()
    return _HEAD + "".join(f"\n{name}:\n" + "\n".join(_block(content, 2)) + "\n" for name, content in sections)


def _sections(folder: Path) -> dict[str, Json]:
    elections = [read_election_file(path) for path in folder.glob("*.yaml")]
    shown = alarms()
    resources = {**dict(filters()), **shown, "Dashboard": dashboard(shown)}
    # CloudFormation takes nothing but texts there.
    mapping = {
        election.id: {key: str(value) for key, value in thresholds(election).items()}
        for election in sorted(elections, key=lambda one: one.id)
    }
    networks = {
        election.id: {"Helpdesk": " ".join(election.helpdesk.networks) or "anywhere"}
        for election in sorted(elections, key=lambda one: one.id)
    }
    return {
        "Parameters": {name: {"Type": "String", "Description": text} for name, text in _PARAMETERS.items()},
        "Conditions": _CONDITIONS,
        "Mappings": {"Watch": mapping, "Networks": networks},
        "Resources": resources,
        # The root hands it on: the edge, which needs it, is written by hand.
        "Outputs": {"HelpdeskNetworks": {"Value": {"Fn::FindInMap": ["Networks", {"Ref": "Election"}, "Helpdesk"]}}},
    }


def _block(content: Mapping[str, Any], indent: int) -> Iterator[str]:
    """Yield the lines of a mapping: one for each key, or one for each part of what does not fit."""
    margin = " " * indent
    for key, value in content.items():
        line = f"{margin}{key}: {_flow(value)}"
        if isinstance(value, dict) and isinstance(value.get("Fn::Sub"), list) and "\n" in value["Fn::Sub"][0]:
            yield from _long_text(key, value["Fn::Sub"], margin)
        elif isinstance(value, dict) and len(value) > 1 and len(line) > _LINE:
            yield f"{margin}{key}:"
            yield from _block(value, indent + 2)
        elif isinstance(value, list) and len(line) > _LINE:
            yield f"{margin}{key}:"
            yield from (f"{margin}  - {_flow(item)}" for item in value)
        else:
            yield line


def _long_text(key: str, argument: list[Any], indent: str) -> Iterator[str]:
    text, variables = argument
    yield f"{indent}{key}: !Sub"
    yield f"{indent}  - |-"
    yield from (f"{indent}    {line}" for line in text.split("\n"))
    lines = [f"{name}: {_flow(value)}" for name, value in variables.items()]
    yield from (f"{indent}  {'- ' if number == 0 else '  '}{line}" for number, line in enumerate(lines))


def _flow(value: Any) -> str:
    """Return a value on one line; functions of CloudFormation in their short form."""
    match value:
        case dict() if len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::")):
            ((function, argument),) = value.items()
            return f"!{function.removeprefix('Fn::')} {_flow(argument)}"
        case dict():
            return "{" + ", ".join(f"{key}: {_flow(part)}" for key, part in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        case _:
            return json.dumps(value, ensure_ascii=False)
