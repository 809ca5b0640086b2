"""The stack itself: finished, and not to be deleted by mistake."""

from __future__ import annotations

from collections.abc import Iterator

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import Probe
from reassort_ops.language import tr

STATUS = Subject(tr("Stack"), tr("deployed whole"), "deploy")
TERMINATION = Subject(tr("Stack"), tr("termination protection"), "termination-protection")
_WHOLE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})


def probe(stack: DeployedStack) -> Probe:
    """Return the probe of the stack."""

    def look() -> Iterator[Check]:
        yield STATUS.judged(
            stack.status in _WHOLE,
            tr("{state} or {other}", state="CREATE_COMPLETE", other="UPDATE_COMPLETE"),
            stack.status,
        )
        yield termination(stack)

    return Probe((STATUS, TERMINATION), look)


def termination(stack: DeployedStack) -> Check:
    """Judge whether `sam delete` is refused. A stack whose tables may be deleted is meant to be: a
    trial, or a first deploy.
    """
    found = "on" if stack.termination_protection else "off"
    if not stack.termination_protection and stack.parameters.get("DeletionProtection") == "false":
        return TERMINATION.unseen(
            tr("off, as DeletionProtection=false: switch both on before a real election"), tr("on")
        )
    return TERMINATION.judged(stack.termination_protection, tr("on"), found)
