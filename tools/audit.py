"""Ask whether a locked package has a known vulnerability: `make audit`.

Only names and versions leave this machine: to OSV for what uv.lock holds, to the npm registry for
the checkers of pages.

A vulnerability in what voters' data passes through (the layer, the operators' command) fails,
whether there is a fix or not. In tools, which see the demo roll at most, it is told and fails
nothing. One that was looked at and does no harm goes into `[tool.uv.audit] ignore` of
pyproject.toml, under a comment that says why.

Exit status: 0 nothing that fails; 1 a vulnerability that does; 2 a service could not be asked, so
nobody knows.

Environment:
    UV: the uv program (default: the one on PATH).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NODE_PROJECT = ROOT / "tools" / "node"


class NotAskedError(Exception):
    """The service gave no answer. The message is what the client said of it."""


@dataclass(frozen=True)
class AuditedPackage:
    """Packages that are judged alike: groups of uv.lock, or none for those of package-lock.json."""

    name: str
    groups: tuple[str, ...]
    fails: bool


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of a package; `fixed_in` is empty when there is no fix."""

    package: str
    identifier: str
    summary: str
    fixed_in: str


# checkov has a group that conflicts with all others, so it is asked about by itself.
PARTS = (
    AuditedPackage("deployed, and the operators' command", ("layer", "ops"), fails=True),
    AuditedPackage("tools: local stack and tests", ("local", "test"), fails=False),
    AuditedPackage("tools: checkov", ("audit",), fails=False),
    AuditedPackage("tools: checkers of pages", (), fails=False),
)


def main(arguments: list[str]) -> int:
    """Ask about each part, print what was found, return the exit status."""
    parser = argparse.ArgumentParser(description="Look for known vulnerabilities of the locked packages.")
    parser.add_argument("--service-url", help="another service than OSV's, of the same interface")
    options = parser.parse_args(arguments)
    vulnerable = unanswered = False
    for part in PARTS:
        try:
            count, findings = ask_uv(part.groups, options.service_url) if part.groups else ask_npm()
        except NotAskedError as error:
            unanswered = True
            print(f"{part.name}: COULD NOT BE ASKED: {error}")
            continue
        vulnerable = vulnerable or (part.fails and bool(findings))
        print(f"{part.name}: {count} packages, {len(findings) or 'no'} known vulnerabilities")
        for finding in findings:
            remedy = f"fixed in {finding.fixed_in}" if finding.fixed_in else "no fix"
            print(f"  {finding.package}: {finding.identifier}: {finding.summary} ({remedy})")
    if vulnerable:
        print(
            "A package that voters' data passes through is vulnerable: lock a fixed version (uv lock "
            "--upgrade-package NAME)."
        )
        return 1
    if unanswered:
        print(
            "The services of vulnerabilities could not all be asked: nobody knows. "
            "Connect to the network and try again."
        )
        return 2
    return 0


def ask_uv(groups: tuple[str, ...], service_url: str | None) -> tuple[int, list[Finding]]:
    """Give how many packages the groups have, and their vulnerabilities.

    Raises:
        NotAskedError: OSV did not answer.
    """
    command = [os.environ.get("UV") or "uv", "audit", "--frozen", "--output-format", "json"]
    command += ["--preview-features", "audit-command", "--preview-features", "json-output"]
    for group in groups:
        command += ["--only-group", group]
    if service_url:
        command += ["--service-url", service_url]
    answer, said = _run(command)
    if "vulnerabilities" not in answer:
        raise NotAskedError(said)
    found = [
        Finding(
            f"{entry['dependency']['name']} {entry['dependency']['version']}",
            entry["display_id"],
            entry["summary"] or "no summary",
            ", ".join(entry["fix_versions"]),
        )
        for entry in answer["vulnerabilities"]
    ]
    return answer["summary"]["audited_packages"], found


def ask_npm() -> tuple[int, list[Finding]]:
    """Give how many packages the checkers of pages have, and their vulnerabilities.

    Raises:
        NotAskedError: the registry did not answer.
    """
    npm = Path(sys.executable).with_name("npm")
    answer, said = _run([str(npm), "audit", "--package-lock-only", "--json", "--prefix", str(NODE_PROJECT)])
    if "vulnerabilities" not in answer:
        raise NotAskedError(str(answer.get("message") or said))
    found = [
        Finding(name, cause["url"], cause["title"], "" if entry["fixAvailable"] is False else "a later version")
        for name, entry in answer["vulnerabilities"].items()
        for cause in entry["via"]
        # A name is that of another entry, which says the cause.
        if not isinstance(cause, str)
    ]
    return answer["metadata"]["dependencies"]["total"], found


def _run(command: list[str]) -> tuple[dict[str, Any], str]:
    """Give the JSON that a client printed, empty when it did not, and the first line of what it
    complains of.
    """
    # npm is a script of the Node.js beside it.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise NotAskedError(f"{error.filename} is missing") from error
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and "warn" not in line.split(":")[0]]
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {}
    causes = [line for line in lines if line.startswith(("error", "cause"))]
    return answer if isinstance(answer, dict) else {}, "; ".join(causes[:2] or lines[:1]) or "no answer"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
