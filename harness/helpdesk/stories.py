"""The sheets of whole stories, as `POST /helpdesk/look` gives them: made of the texts that
tests/golden/voter-sheets keeps, which a test of the service writes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harness.helpdesk.sheets import act, advice, sheet
from local.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = ROOT / "tests" / "golden" / "voter-sheets"
# The golden texts have the words of each advice, and not its name.
ADVICE = {
    "nothing-yet": "sign-in",
    "code-in-a-full-mailbox": "code-failed reissue-needs-mailbox",
    "code-not-typed-yet": "search-code",
    "signed-in-after-a-wrong-code": "ask-caller-code fill-in-the-form",
    "sms-just-sent": "ask-caller-code wait-for-delivery",
    "sms-in-the-queue": "ask-caller-code wait-for-delivery",
    "sms-waits-for-its-turn": "ask-caller-code wait-for-delivery",
    "telephone-switched-off": "ask-caller-code switch-phone-on redeliver",
    "sms-refused-and-sent-by-email": "ask-caller-code search",
    "sms-late-and-asked-for-by-email": "ask-caller-code search redeliver",
    "both-ways-failed": "ask-caller-code empty-mailbox reissue confirmation-failed",
    "email-to-an-address-that-does-not-exist": "wrong-address",
    "email-that-came-back-and-went-by-sms": "search",
    "operators-email-failed": "empty-mailbox reissue",
    "three-in-a-day-and-the-last-failed": "empty-mailbox reissue-over-the-limit",
    "two-wrong-numens": "ask-caller-code ask-secretariat",
    "delivery-past-its-retention": "fill-in-the-form",
    "requests-closed": "window-closed",
    "requests-stopped-by-an-operator": "ask-caller-code reissues-stopped redeliver",
    "email-marked-as-spam": "ask-caller-code search",
    "locked-for-a-quarter-of-an-hour": "ask-caller-code wait-or-unlock ask-secretariat",
    "locked-until-the-helpdesk": "ask-caller-code unlock ask-secretariat",
    "unlocked-by-an-operator": "ask-caller-code fill-in-the-form",
    "disputed": "reissue-after-dispute",
    "disputed-then-given-another": "search",
    "frozen-by-an-operator": "unfreeze",
    "removed-from-the-roll": "removed",
    "moved-to-another-address": "moved",
    "replaced-before-it-was-sent": "ask-caller-code wait-for-delivery",
    "voted": "voted",
    "somebody-asks-for-codes": "many-codes search-code",
}
_ADVISED_ACT = {
    "unlock": "unlock",
    "wait-or-unlock": "unlock",
    "unfreeze": "unfreeze",
    "reissue-after-dispute": "reissue",
    "reissue-over-the-limit": "reissue",
    "reissue": "reissue",
    "many-codes": "let-in",
}
_LINE = re.compile(r"(\S.*?) {2,}(\S.*)")


def story_sheet(path: Path) -> dict[str, Any]:
    """Return the sheet of a golden text."""
    status, advised, timeline = path.read_text("utf-8").split("\n\n", 2)
    words = [line.removeprefix("- ") for line in advised.splitlines() if line.startswith("- ")]
    names = ADVICE[path.stem].split()
    lines = [_LINE.fullmatch(line) for line in status.splitlines()]
    events = [_LINE.fullmatch(line) for line in timeline.splitlines()[1:]]
    happened = [
        {"at": "2018-11-29T08:10:00Z", "moment": event[1], "name": "event", "words": event[2]}
        for event in events
        if event
    ]
    return sheet(
        *(advice(name, told, _ADVISED_ACT.get(name)) for name, told in zip(names, words, strict=True)),
        status=[{"label": line[1], "words": line[2]} for line in lines if line],
        timeline=happened,
        acts=_acts(path.stem),
    )


_OFF_ROLL = "L’électeur n’est plus sur la liste électorale à cette adresse."


def _acts(story: str) -> list[dict[str, Any]]:
    if story in {"removed-from-the-roll", "moved-to-another-address"}:
        return [act(name, why=_OFF_ROLL) for name in ("unlock", "let-in", "freeze", "unfreeze", "reissue")]
    voted, frozen, locked = story == "voted", story in ("disputed", "frozen-by-an-operator"), "locked-" in story
    none_left = "Plus aucun identifiant n’est donné pour ce dossier." if voted else None
    stopped = {
        "requests-closed": "Les demandes sont fermées.",
        "requests-stopped-by-an-operator": "Les demandes sont suspendues.",
    }.get(story)
    unfreeze = {
        "disputed": "Un identifiant contesté ne sert plus jamais : donnez l’identifiant suivant.",
        "frozen-by-an-operator": None,
    }.get(story, "L’identifiant n’est pas gelé.")
    return [
        act("unlock", why=None if locked else "Rien n’est bloqué."),
        act("let-in", "number"),
        act("freeze", why=none_left or ("L’identifiant est déjà gelé." if frozen else None)),
        act("unfreeze", why=unfreeze),
        act("reissue", "address", why=none_left or stopped),
    ]
