"""Ten thousand generated requests to every operation of `openapi.yaml`: does one break a promise,
and what do they come upon?

    make fuzz                                       the same requests at each run, on all processors
    make fuzz FLAGS='--seed 7 --examples 50000'     others, and more
    make fuzz FLAGS='--operation reissue'           one operation, and no report

Writes bench/fuzz.md. What is promised: harness/fuzz/verdict.py. The exit status is 1 when a promise
is broken; the least request that shows it is printed.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from harness.fuzz.running import OPERATIONS, fuzz
from harness.fuzz.verdict import COUNTED
from harness.measuring.figures import machine, table
from harness.service.openapi import operations

REPORT = Path(__file__).with_name("fuzz.md")
_TITLE = (
    "# Generated requests\n\nWritten by `make fuzz`, which exits with 1 and writes nothing when a request breaks "
    "a promise.\n"
)


def main() -> int:
    """Send the requests and write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.fuzz", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--examples", type=int, default=10_000, help="for each operation (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    parser.add_argument("--operation", action="append", choices=OPERATIONS, help="may be repeated; all by default")
    arguments = parser.parse_args()
    start = time.monotonic()
    answers, broken = _send(arguments.operation or OPERATIONS, arguments.examples, arguments.seed)
    seconds = round(time.monotonic() - start)
    print(_answers(answers))
    if not broken and not arguments.operation:
        REPORT.write_text(_report(answers, seconds), encoding="utf-8")
    return 1 if broken else 0


def _send(chosen: list[str] | tuple[str, ...], examples: int, seed: int) -> tuple[dict[str, Counter[str]], bool]:
    """Return the answers by operation, and whether a promise was broken."""
    answers: dict[str, Counter[str]] = {}
    # Each process has an AWS of its own. Nothing is inherited: a clock that was set, a world that
    # was opened.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        running = {pool.submit(fuzz, operation, examples, seed): operation for operation in chosen}
        for done in as_completed(running):
            operation = running[done]
            if (error := done.exception()) is not None:
                print(f"{operation}: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr, flush=True)
                continue
            answers[operation] = done.result()
            print(f"{operation}: {answers[operation].total():,}", file=sys.stderr, flush=True)
    return {operation: answers[operation] for operation in chosen if operation in answers}, len(answers) < len(chosen)


def _answers(answers: dict[str, Counter[str]]) -> str:
    routes = {operation["operationId"]: f"{method} {path}" for (method, path), operation in operations().items()}
    rows = [
        (f"`{routes[operation]}`" if position == 0 else "", name, f"{count:,}")
        for operation, counted in answers.items()
        for position, (name, count) in enumerate(sorted(counted.items()))
    ]
    return table(("made for", "answer", "number"), rows)


def _report(answers: dict[str, Counter[str]], seconds: int) -> str:
    sent = sum(counted.total() for counted in answers.values())
    counts = "".join(
        f"- {operation}, {code}: {', '.join(sorted(counted.attributes))} — {counted.reason}.\n"
        for (operation, code), counted in COUNTED.items()
    )
    return (
        f"{_TITLE}\n"
        f"{sent:,} requests in {seconds} s: **0 faults, 0 answers that openapi.yaml does not describe, 0 refusals "
        "that changed a table** "
        "beyond what they count:\n\n"
        f"{counts}\n"
        "A request starts as `openapi.yaml` wants it, from a voter in one of nine situations, and has up to three "
        "things wrong: values, types, names, bytes, length, headers, cookies, path, method, the way in which API "
        "Gateway hands it over. The method and path can be among them, so an "
        "operation's requests come upon answers of others, and upon routes that API "
        "Gateway would never pass on (404, 405).\n\n"
        f"{_answers(answers)}\n"
        f"{machine().removesuffix('.')}, hypothesis {version('hypothesis')}. `{_command()}`\n"
    )


def _command() -> str:
    flags = shlex.join(sys.argv[1:])
    return f"make fuzz FLAGS={shlex.quote(flags)}" if flags else "make fuzz"


if __name__ == "__main__":
    sys.exit(main())
