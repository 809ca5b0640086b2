"""Elections for tests: the files that are really deployed, with parts replaced where a test needs
another rule.
"""

import io
import zipfile
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from reassort.election_file import ElectionFile, parse_election

from local.processes import ROOT

FOLDER = ROOT / "elections"
IDS = tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))

# A further proof of each kind, which no deployed file asks for.
DATE_OF_BIRTH = {
    "kind": "date",
    "label": "Date de naissance",
    "hint": "Jour, mois, année : JJ/MM/AAAA, par exemple 17/03/1968.",
    "fault": "Saisissez votre date de naissance : JJ/MM/AAAA, par exemple 17/03/1968.",
}
STAFF_CARD = {
    "kind": "text",
    "label": "Fin du numéro de carte professionnelle",
    "hint": "Les 6 derniers signes, par exemple 4821 AB.",
    "fault": "Saisissez les 6 derniers signes du numéro de votre carte professionnelle, par exemple 4821 AB.",
    "min_length": 6,
    "max_length": 6,
}


@cache
def _content(election_id: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.load((FOLDER / f"{election_id}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    return content


def election_content(election_id: str) -> dict[str, Any]:
    """Return what a file of `elections/` holds, not validated; the caller may change it."""
    return deepcopy(_content(election_id))


def read_election(election_id: str, **replaced: Any) -> ElectionFile:
    """Read a file of `elections/`; `replaced` members of its top level are put in before it is
    validated.
    """
    return parse_election({**election_content(election_id), **replaced}, f"{election_id}.yaml")


def with_rates(**rates: int) -> ElectionFile:
    """Read dijon-2018 as if it sent 20 codes, 20 other e-mails and 2 SMS a second; `rates` replace
    some.
    """
    slow = {
        "codes_per_second": 20,
        "codes_per_day": 30_000,
        "emails_per_second": 20,
        "sms_per_second": 2,
        "sms_per_day": 1000,
        "long_wait_seconds": 10,
    }
    return read_election("dijon-2018", sending={**slow, **rates})


def with_second_person(election_id: str = "dijon-2018") -> ElectionFile:
    """Read a file of `elections/` as if it wanted a second person for what the helpdesk gives."""
    helpdesk = {**election_content(election_id)["helpdesk"], "second_person": "reissue"}
    return read_election(election_id, helpdesk=helpdesk)


def write_election(folder: Path, election_id: str, **replaced: Any) -> Path:
    """Write a file of `elections/` into `folder` under its own name, with `replaced` members of its
    top level, and return its path.
    """
    path = folder / f"{election_id}.yaml"
    content = {**election_content(election_id), **replaced}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def election_layer(election: ElectionFile) -> bytes:
    """Return the archive of a layer that holds this election, as the build packs it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as layer:
        layer.writestr(f"python/reassort/elections/{election.id}.json", election.for_functions())
    return content.getvalue()
