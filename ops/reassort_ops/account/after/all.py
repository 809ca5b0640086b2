"""All checks of a deployed stack, in the order in which they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort_ops.account.after import (
    alarms,
    api,
    canaries,
    edge,
    functions,
    messages,
    protection,
    roles,
)
from reassort_ops.account.after import stack as whole
from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.probes import Probe
from reassort_ops.account.reach import Reach

if TYPE_CHECKING:
    from reassort.election import Election


def probes(reach: Reach, stack: DeployedStack, election: Election | None) -> tuple[Probe, ...]:
    """Return every probe of a stack. `election` is None when it cannot be read."""
    return (
        whole.probe(stack),
        *api.probes(reach, stack),
        *edge.probes(reach, stack),
        *alarms.probes(reach, stack),
        *messages.probes(reach, stack),
        *protection.probes(reach, stack),
        *roles.probes(reach, stack),
        *functions.probes(reach, stack),
        *canaries.probes(reach, stack, election),
    )
