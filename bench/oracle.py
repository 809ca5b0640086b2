"""Does the time of an answer tell who is on the roll? Pairs of sign-ins on the deployed stack, and
the AUC of the best guess from it.

    make bench-oracle
    make bench-oracle FLAGS='--pairs 200'
    make bench-oracle FLAGS='--cookies'    the second part alone

Each pair asks for a code for a voter and for an address that nobody has, in random order, one
request at a time. A classifier by a threshold on the latency guesses right in AUC of all pairs of
answers (the Mann–Whitney statistic): 0.5 is chance. The same for a second request at once, which
the bucket holds back, and for voters whose NUMEN is locked against others. Everything else of the
answers is compared as well. Then every route that takes a cookie is asked with forged and with
expired ones, in one process, and its processor time compared. The run writes bench/oracle.md and
bench/oracle_cookies.md; the exit status is 1 when an answer differs or an AUC lies outside of 0.45
to 0.55.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from pathlib import Path

from reassort_ops.rehearsal.outcome import percentile

from harness.engines.quick import quick_engine
from harness.measuring.figures import machine, table
from harness.service.cookie_oracle import COOKIES, ROUTES, look
from harness.service.world import World
from harness.stack.deployed import deployed
from harness.stack.timing import Compared, auc, compare

REPORT = Path(__file__).parent / "oracle.md"
COOKIES_REPORT = Path(__file__).parent / "oracle_cookies.md"
LEAST, MOST = 0.45, 0.55


def report(seen: dict[str, Compared], arguments: str, seconds: float) -> str:
    """Return bench/oracle.md."""
    rows = [
        [
            name,
            f"{len(compared.first):,}",
            f"**{compared.auc:.3f}**",
            f"{0.5 - compared.half_width:.3f}-{0.5 + compared.half_width:.3f}",
            *(f"{percentile(sample, 50) * 1000:.1f}" for sample in (compared.first, compared.second)),
            "yes" if len(compared.shapes) == 1 else f"no: {len(compared.shapes)}",
        ]
        for name, compared in seen.items()
    ]
    return (
        "# What the time of an answer tells\n\n"
        "Pairs of requests for a code on the deployed stack with IAM enforced, in random order, one at a time. AUC: "
        "how often a guess by the latency is right, 0.5 is chance; limits 0.45 to 0.55. Delivery is held meanwhile: "
        "it does more for a voter than for a stranger, after the "
        "answer, and shares a process with sign-in on this machine and nowhere else. Alike: status, body, headers and "
        "the form of the cookie.\n\n"
        + table(["compared", "pairs", "AUC", "chance, 95 %", "median, ms", "median of the other, ms", "alike"], rows)
        + f"\n{machine()} {seconds:.0f} s. `make bench-oracle{arguments}`\n"
    )


def cookies(pairs: int, arguments: str) -> bool:
    """Measure the routes that take a cookie and write their report; tell whether all is alike."""
    started = time.monotonic()
    rows, alike = [], True
    with quick_engine(), World() as world:
        for route in ROUTES:
            for cookie in COOKIES:
                # Asking for a code is measured on the deployed stack as well, and costs more.
                told = look(world, route, cookie, pairs // 4 if route == "ask for a code" else pairs)
                found = auc(told.seconds[True], told.seconds[False])
                shapes = len(told.shapes[True] | told.shapes[False])
                alike = alike and LEAST <= found <= MOST and shapes == 1
                milliseconds = (f"{percentile(told.seconds[listed], 50) * 1000:.2f}" for listed in (True, False))
                made, same = f"{len(told.seconds[True]):,}", "yes" if shapes == 1 else "no"
                rows.append([route, cookie, made, f"**{found:.3f}**", *milliseconds, same])
    head = ["route", "cookie", "pairs", "AUC", "median, ms", "median of the other, ms", "alike"]
    text = (
        "# What a cookie tells\n\n"
        "Pairs of requests on the real handlers in one process, with a cookie for an address on the roll and one for "
        "another, in random order: forged (written under another key), or expired (the service's own, of a challenge "
        "or session that is no longer kept). Processor time; limits of the AUC 0.45 to 0.55. "
        "`tests/component/test_cookie_oracle.py` counts the instructions of forged ones: the same number for any "
        "voter whom they name.\n\n" + table(head, rows) + f"\n{machine()} {time.monotonic() - started:.0f} s. "
        f"`make bench-oracle{arguments}`\n"
    )
    COOKIES_REPORT.write_text(text, "utf-8")
    print(text)
    return alike


def main(arguments: list[str]) -> int:
    """Measure, write the report, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench.oracle", description="Does the time of an answer tell who is on the roll?"
    )
    parser.add_argument("--pairs", type=int, default=2000, help="pairs of requests (default: 2000)")
    parser.add_argument("--cookies", action="store_true", help="only the routes that take a cookie, in one process")
    options = parser.parse_args(arguments)
    flags = f" FLAGS='{shlex.join(arguments)}'" if arguments else ""
    alike = cookies(options.pairs, flags)
    if options.cookies:
        return 0 if alike else 1
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as deployment:
        seen = compare(deployment, options.pairs)
    text = report(seen, flags, time.monotonic() - started)
    REPORT.write_text(text, "utf-8")
    print(text)
    return 0 if alike and all(LEAST <= one.auc <= MOST and len(one.shapes) == 1 for one in seen.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
