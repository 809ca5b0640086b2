"""Add up pytest's JUnit reports: `total.py SECONDS FOLDER` prints the tests by rung, then one line
for all of them.

Exits with 1 when a test failed, or when there was none.
"""

import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Print the counts; return the exit status."""
    seconds, folder = arguments
    rungs: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for report in sorted(Path(folder).glob("*.xml")):
        # S314: our own pytest wrote the file a moment ago.
        for case in ET.parse(report).iter("testcase"):  # noqa: S314
            outcome = next((child.tag for child in case if child.tag in {"failure", "error", "skipped"}), "passed")
            # `tests.unit.test_phones` and so on; a module that cannot be collected has no rung.
            path = [*(case.get("classname") or "").split("."), "collection"]
            rungs[path[1]][outcome] += 1
    whole = sum(rungs.values(), Counter())
    lines = [f"{rung:>12}: {line(counts)}" for rung, counts in rungs.items()]
    sys.stdout.write("\n".join([*lines, f"{line(whole)} in {seconds} s", ""]))
    return 1 if whole["failure"] + whole["error"] or not whole["passed"] else 0


def line(counts: Counter[str]) -> str:
    """Give `12 passed, 0 failed`, with the skipped ones if there are any."""
    text = f"{counts['passed']} passed, {counts['failure'] + counts['error']} failed"
    return f"{text}, {counts['skipped']} skipped" if counts["skipped"] else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
