"""Every text that is sent, as it stands in `tests/golden/<election>`: anyone who changes a word
sees all that it changes.

`pytest tests/unit/test_golden_texts.py --rewrite-golden` takes the present texts; read them in the
diff before they are committed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.elections import IDS, read_election
from harness.service.messages import alert, canary_sms, emails, sms

if TYPE_CHECKING:
    from reassort.election import Election

GOLDEN = Path(__file__).parent.parent / "golden"


def texts_by_file(election: Election) -> dict[str, str]:
    """Return all texts of an election by the name of their file."""
    texts = {
        "identifier.sms.txt": sms(election) + "\n",
        "canary.sms.txt": canary_sms(election) + "\n",
        "alert.txt": alert(election) + "\n",
    }
    for name, email in emails(election):
        texts[f"{name}.txt"] = f"Objet : {email.subject}\n\n{email.text}\n"
        texts[f"{name}.html"] = email.html + "\n"
    return texts


@pytest.mark.req("U12", "U7")
@pytest.mark.parametrize("election_id", IDS)
def test_texts_are_those_that_were_read_and_approved(election_id: str, request: pytest.FixtureRequest) -> None:
    folder = GOLDEN / election_id
    texts = texts_by_file(read_election(election_id))
    if request.config.getoption("--rewrite-golden"):
        folder.mkdir(parents=True, exist_ok=True)
        for stale in set(folder.iterdir()) - {folder / name for name in texts}:
            stale.unlink()
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == texts
