"""Make the slips of the sample, and tell which no test has seen: a minute, in every `make test`.

    python -m mutants.sample

The exit status is 1 when one survived, or stands no more where the sample says.
"""

from __future__ import annotations

import sys

from mutants.mutations import Mutant
from mutants.running import ROOT, trials
from mutants.table import SampledSlip, sample

# What the tests of one slip take at most, in seconds of processor time.
_LONGEST_SECONDS = 20


def mutant_of(slip: SampledSlip) -> Mutant:
    """Return the module with the slip.

    Raises:
        LookupError: what it changes does not stand there once.
    """
    source = (ROOT / slip.module).read_text(encoding="utf-8")
    if source.count(slip.said) != 1:
        raise LookupError(f"{slip.module} has {source.count(slip.said)} times: {slip.said}")
    return Mutant(slip.module, slip.rule, source.replace(slip.said, slip.slips), ())


def main() -> int:
    """Try the slips."""
    survived = 0
    with trials(1, name="sample") as running:
        for slip in sample():
            outcome = running.run(mutant_of(slip), list(slip.tests), _LONGEST_SECONDS)
            survived += outcome.killed_by is None
            print(f"{'SURVIVED' if outcome.killed_by is None else 'killed'} {outcome.seconds:.1f} s: {slip.rule}: "
                  f"{outcome.killed_by or ', '.join(slip.tests)}", flush=True)  # fmt: skip
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
