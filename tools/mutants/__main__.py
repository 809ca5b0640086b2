"""Does a test fail when a rule is broken? Breaks every rule of the table, one slip at a time, and
runs the tests that belong to it.

    make mutants                                                every module, some hours
    make mutants FLAGS='functions/notify/claims.py'             one
    make mutants FLAGS='--again functions/notify/claims.py'     those of it that survived before
    make mutants FLAGS=--keep                                   also write bench/mutants.md

What was tried stays in .build/mutants, and is not tried again while neither the module nor its
tests have changed: a run can be stopped and taken up. The exit status is 1 when a mutant survived
that tools/mutants/survivors.toml does not list, or when one that it lists did not.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from mutants.mutations import mutants_of
from mutants.report import Kept, keep, report
from mutants.running import BUILD, BrokenTestsError, Trials, trials
from mutants.table import modules, survivors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mutants.mutations import Mutant

_RESULTS = BUILD / "results"


def main(arguments: list[str]) -> int:
    """Try the modules that are named, or all; return the exit status."""
    table = modules()
    parser = argparse.ArgumentParser(
        prog="python -m mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="of tools/mutants/table.toml (default: all)")
    parser.add_argument("--again", action="store_true", help="try those that survived before, and no others")
    parser.add_argument("--keep", action="store_true", help="write what came of it to bench/mutants.md")
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (default: 2)")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.modules) - set(table)):
        parser.error(f"not in the table: {', '.join(unknown)}")
    chosen = options.modules or list(table)
    start = time.monotonic()
    found: dict[str, dict[str, Any]] = {}
    with trials(options.workers) as running:
        for module in chosen:
            try:
                found[module] = _try_module(module, table[module], running, again=options.again)
            except BrokenTestsError as error:
                print(f"{module}: a test fails without any slip: {error}", file=sys.stderr)
                return 2
            _say(module, found[module])
    kept = {module: _counted(module, tried) for module, tried in found.items()}
    first = _first(kept)
    (BUILD / "report.md").write_text(report(kept, first), "utf-8")
    if options.keep:
        keep(kept, first)
    print(f"{time.monotonic() - start:.0f} s", file=sys.stderr)
    faults = _faults(found)
    print("\n".join(faults) or "Every mutant was killed, or is listed.", file=sys.stderr)
    return 1 if faults else 0


def _try_module(module: str, tests: list[str], running: Trials, *, again: bool) -> dict[str, Any]:
    """Return what became of each mutant, by name."""
    path = _RESULTS / f"{module.replace('/', '.')}.json"
    former: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    digests = {name: running.digest(name) for name in (module, *tests)}
    known: dict[str, Any] = former.get("mutants", {})
    if again and former.get("digests", {}).get(module) == digests[module]:
        known = {name: outcome for name, outcome in known.items() if outcome["killed_by"]}
    elif former.get("digests") != digests:
        known = {}
    mutants = mutants_of(module, (running.root / module).read_text(encoding="utf-8"))
    missing = [mutant for mutant in mutants if mutant.name not in known]

    def tried(mutant: Mutant) -> tuple[Mutant, dict[str, Any]]:
        outcome = running.try_out(mutant, tests)
        return mutant, {"killed_by": outcome.killed_by, "reached": outcome.reached, "seconds": outcome.seconds}

    if missing:
        # Each file of tests once, before many want to know of it at a time.
        list(running.all_of(lambda file: running.look(file, [module]), tests))
    results = {mutant.name: known[mutant.name] for mutant in mutants if mutant.name in known}
    path.parent.mkdir(parents=True, exist_ok=True)
    for number, (mutant, outcome) in enumerate(running.all_of(tried, missing), 1):
        results[mutant.name] = outcome
        if number % 10 == 0 or number == len(missing):
            path.write_text(json.dumps({"digests": digests, "mutants": results}, ensure_ascii=False, indent=1), "utf-8")
    return results


def _counted(module: str, tried: Mapping[str, Any]) -> Kept:
    listed = survivors()
    survived = [name for name, outcome in tried.items() if not outcome["killed_by"]]
    known = sum((module, name) in listed for name in survived)
    return Kept(len(tried), len(tried) - len(survived), known, len(survived) - known)


def _first(kept: Mapping[str, Kept]) -> dict[str, int]:
    """Return how many survived when each module was first tried here."""
    path = BUILD / "first.json"
    first: dict[str, int] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for module, counted in kept.items():
        first.setdefault(module, counted.survived + counted.listed)
    path.write_text(json.dumps(first, indent=1), "utf-8")
    return first


def _say(module: str, tried: Mapping[str, Any]) -> None:
    counted = _counted(module, tried)
    print(
        f"{module}: {counted.mutants} mutants, {counted.killed} killed, {counted.listed} listed, "
        f"{counted.survived} survived",
        flush=True,
    )


def _faults(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what the list of survivors and the run do not agree on."""
    listed = survivors()
    faults = []
    for module, tried in found.items():
        for name, outcome in tried.items():
            if not outcome["killed_by"] and (module, name) not in listed:
                unseen = "" if outcome["reached"] else " (no test runs that line)"
                faults.append(f"survived{unseen}: {module}: {name}")
    for module, name in listed:
        if module in found:
            if name not in found[module]:
                faults.append(f"listed, but no such mutant: {module}: {name}")
            elif found[module][name]["killed_by"]:
                faults.append(f"listed, but killed by {found[module][name]['killed_by']}: {module}: {name}")
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
