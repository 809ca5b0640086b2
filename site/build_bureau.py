"""Build the page by which an election bureau verifies a register: `python site/build_bureau.py
OUT_FILE`.

One file, for a machine without network and without this software: scripts and styles are in it, and
its policy allows nothing else. It is of no election. The same sources make the same bytes, so that
a bureau can compare its copy with another's by its hash, which is printed.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from reassort.french import typeset_html
from reassort.register import COMMITMENTS, DISPUTE_ACTOR, ELECTION_CHAIN, GENESIS, ISSUES, VOTER_ACTOR, Change
from reassort_ops.register import file, file_check, replay

_SITE = Path(__file__).resolve().parent
_SOURCE = _SITE.parent / "bureau"
_ENTRY = "main.js"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async function|function|const|class)", re.MULTILINE)


def rules() -> dict[str, Any]:
    """Return what the page takes from the rules of `reassort register verify`."""
    return {
        "format": file.FORMAT,
        "algorithm": file.ALGORITHM,
        "genesis": GENESIS,
        "electionChain": ELECTION_CHAIN,
        "voterActor": VOTER_ACTOR,
        "disputeActor": DISPUTE_ACTOR,
        "fingerprintBytes": file.FINGERPRINT_BYTES,
        "fingerprintsALine": file.FINGERPRINTS_A_LINE,
        "longestLine": file.LONGEST_LINE,
        "agreeingLines": file_check.AGREEING_LINES,
        "changes": list(Change),
        "issues": sorted(ISSUES),
        "commitments": list(COMMITMENTS),
        "proofs": sorted(replay.PROOFS),
        "ofElection": sorted(replay.OF_ELECTION),
        "namesProofs": sorted(replay.NAMES_PROOFS),
        "commits": {change: sorted(names) for change, names in replay.COMMITS.items()},
        "notAfterVote": sorted(replay.NOT_AFTER_A_VOTE),
        "whileRemoved": sorted(replay.WHILE_REMOVED),
        "afterDeparture": sorted(replay.AFTER_DEPARTURE),
    }


def render_bureau_page() -> str:
    """Return the page."""
    files = {path.name: path.read_text("utf-8") for path in sorted((_SOURCE / "scripts").glob("*.js"))}
    files["rules.js"] = f"export const rules = {json.dumps(rules(), indent=1)};\n"
    script = one_script(_ENTRY, files)
    styles = (_SITE / "styles" / "theme.css", _SOURCE / "styles" / "bureau.css")
    style = "\n" + "".join(path.read_text("utf-8") for path in styles)
    templates = Environment(
        loader=FileSystemLoader(_SOURCE),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    # The words get their spaces before the script comes in, which has its own.
    html = typeset_html((_SOURCE / "index.html").read_text("utf-8"))
    return templates.from_string(html).render(
        script=Markup(script),  # noqa: S704 - the project's own
        style=Markup(style),  # noqa: S704
        script_hash=_policy_hash(script),
        style_hash=_policy_hash(style),
    )


def one_script(entry: str, files: dict[str, str]) -> str:
    """Return a script and all it imports as one: each module once, after those that it imports.

    Raises:
        ValueError: something is imported or exported in another form than the project's modules
            have.
    """
    done: dict[str, str] = {}

    def take(name: str) -> None:
        if name in done:
            return
        text = files[name]
        done[name] = ""
        for imported in _IMPORT.findall(text):
            take(imported)
        # In the order in which they are complete.
        del done[name]
        done[name] = _EXPORT.sub("", _IMPORT.sub("", text))

    take(entry)
    script = "\n" + "\n".join(f"// {name}\n{text}" for name, text in done.items())
    if re.search(r"^(?:import|export)\b|</script", script, re.MULTILINE | re.IGNORECASE):
        raise ValueError("a module imports or exports in a form that cannot be put together")
    return script


def main(arguments: list[str]) -> int:
    """Write the page to the file that is named. Return the exit status."""
    match arguments:
        case [out]:
            pass
        case _:
            print("usage: python site/build_bureau.py OUT_FILE", file=sys.stderr)
            return 2
    content = render_bureau_page().encode()
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    Path(out).write_bytes(content)
    print(f"{out}: SHA-256 {hashlib.sha256(content).hexdigest()}")
    return 0


def _policy_hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256-{digest}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
