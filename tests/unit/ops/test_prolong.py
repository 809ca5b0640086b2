"""`make prolong`: the record first, then all that voters see, then a look whether they agree."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from local.processes import ROOT

_SAID = '#!/bin/sh\necho "$(basename "$0") $*" >> \'{log}\'\n'
_GIVEN = {"ELECTION": "elections/x.yaml", "STACK": "reassort", "CONFIG_ENV": "production", "REASON": "bureau, outage"}


def played(folder: Path, *, failing: str = "", **changed: str) -> tuple[int, list[str]]:
    """Run the script with programs that only say how they were called."""
    log = folder / "log"
    log.touch()
    for name in ("reassort", "sam", "aws", "python"):
        program = folder / name
        fails = f'case "$*" in *"{failing}"*) exit 1;; esac\n' if failing else ""
        told = 'case "$*" in *OutputKey*) echo bucket;; esac\n' if name == "aws" else ""
        program.write_text(_SAID.format(log=log) + told + fails, encoding="utf-8")
        program.chmod(0o755)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", **_GIVEN, **changed}
    done = subprocess.run(
        [ROOT / "tools" / "prolong.sh"], env=environment, cwd=folder, capture_output=True, check=False, timeout=60
    )
    return done.returncode, log.read_text("utf-8").splitlines()


@pytest.mark.req("O3")
def test_everything_is_prolonged_by_one_act(tmp_path: Path) -> None:
    status, calls = played(tmp_path)
    assert status == 0
    assert calls[0] == "reassort election prolong elections/x.yaml --stack reassort --reason bureau, outage"
    assert calls[1:3] == ["sam build --parallel", "sam deploy --config-env production --no-fail-on-empty-changeset"]
    assert "python site/build.py elections/x.yaml .build/site" in calls
    assert [call for call in calls if "vote.ics s3://bucket/vote.ics" in call]
    assert "python site/build_helpdesk.py elections/x.yaml .build/helpdesk" in calls
    assert calls[-1] == "reassort election status --stack reassort"


@pytest.mark.req("O3")
def test_nothing_is_deployed_without_a_record(tmp_path: Path) -> None:
    status, calls = played(tmp_path, failing="election prolong")
    assert (status, len(calls)) == (1, 1)


@pytest.mark.req("O3")
@pytest.mark.parametrize("name", _GIVEN)
def test_what_is_not_said_is_asked_for(tmp_path: Path, name: str) -> None:
    status, calls = played(tmp_path, **{name: ""})
    assert (status != 0, calls) == (True, [])
