"""A rehearsal on a stack of its own on this machine: `reassort rehearse` against `make run`'s
stack, without the demo roll.

    make rehearse
    make rehearse FLAGS='--voters 1000 --minutes 2'
    make rehearse ELECTION=elections/normandie-2026.yaml

API, functions, tables and providers share the machine's processors with the voters, so its
latencies are this machine's. What it shows is that nothing is lost or mixed up when thousands come
at once. The run writes rehearsal.md and rehearsal.json to .build/rehearsal, or with --keep to
bench/; the exit status is the command's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from harness.measuring.figures import machine, table
from local.deploy import ELECTION
from local.processes import ROOT, own_folder
from local.run import LocalStack, brought_up, listen

REPORT = Path(__file__).with_suffix(".md")
FIGURES = Path(__file__).with_suffix(".json")
# What somebody plays for their own election is no result of the repository.
_OWN = ROOT / ".build" / "rehearsal"
_PORT = "8089"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="bench.rehearsal", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--voters", type=int, default=10_000, help="on the fictional roll (default: %(default)s)")
    parser.add_argument(
        "--share", type=float, default=20, help="per cent who ask for an identifier (default: %(default)s)"
    )
    parser.add_argument("--minutes", type=float, default=10, help="how long they take to come (default: %(default)s)")
    parser.add_argument("--clients", type=int, default=6, help="calls at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="who they are and what they do (default: %(default)s)")
    parser.add_argument("--port", default=_PORT, help="of the voter space on 127.0.0.1 (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the report that the repository holds")
    arguments = parser.parse_args()
    election = Path(os.environ.get("ELECTION") or ELECTION)
    report, figures = (REPORT, FIGURES) if arguments.keep else (_OWN / REPORT.name, _OWN / FIGURES.name)
    with (
        listen(arguments.port) as listener,
        own_folder("rehearsal") as folder,
        brought_up(listener, folder, None, election) as local,
        local.served(listener),
    ):
        command = _command(arguments)
        began = time.monotonic()
        done = subprocess.run(
            [*command, "--elections", str(folder / "elections"), "--json"],
            env=local.aws.environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        outcome = json.loads(done.stdout) if done.returncode in (0, 1) and done.stdout.strip() else {}
        if "calls" in outcome:
            report.parent.mkdir(parents=True, exist_ok=True)
            figures.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
            report.write_text(_report(outcome, local, command, took), encoding="utf-8")
            print(report.read_text(encoding="utf-8"))
            print(f"{report}: written")
    return done.returncode


def _command(arguments: argparse.Namespace) -> list[str]:
    reassort = str(Path(sys.executable).with_name("reassort"))
    options = {name: getattr(arguments, name) for name in ("voters", "share", "minutes", "clients", "seed")}
    flags = [part for name, value in options.items() for part in (f"--{name}", f"{value:g}")]
    return [reassort, "rehearse", "--stack", "reassort", *flags]


def _report(outcome: dict[str, Any], local: LocalStack, command: list[str], took: float) -> str:
    reissues, register = outcome["reissues"], outcome["register"]
    calls = [
        [name, f"{call['number']:,}", f"{call['refused']:,}", f"{call['failed']:,}", *_spread(call)]
        for name, call in outcome["calls"].items()
    ]
    waits = [
        [f"the {name}, from asking to having it", f"{wait['number']:,}", *_spread(wait)]
        for name, wait in outcome["waits"].items()
    ]
    waits += [[name, f"{wait['number']:,}", *_spread(wait)] for name, wait in outcome["hand_over"].items()]
    refusals = [
        [one["call"], f"{one['status'] or 'no answer'} {one['code']}".strip(), f"{one['number']:,}"]
        for one in outcome["refusals"]
    ]
    states = " + ".join(f"{name} {register[name]:,}" for name in ("active", "revoked", "used", "frozen"))
    promise = "verified" if register["holds"] else "**does not hold**"
    gone = "; ".join(f"{count} went away: {why}" for why, count in outcome["gave_up"].items()) or "nobody went away"
    return "\n".join(
        [
            "# A rehearsal on one machine\n",
            "Written by `make rehearse`.\n",
            f"{outcome['voters']:,} voters on a fictional roll, {outcome['came']:,} of whom came within "
            f"{outcome['seconds'] / 60:g} minutes, 40 % of them in the busiest fifth of it: {reissues['reissues']:,} "
            f"reissues were committed, {outcome['votes']:,} votes counted. The last voter had gone after "
            f"{outcome['lasted'] / 60:.1f} minutes. **{outcome['lost']} lost, {outcome['wrong_generation']} of a "
            f"wrong generation, {outcome['sent_twice']} sent twice.** {reissues['handed_over']:,} identifiers were "
            f"handed over, {reissues['arrived']:,} of them reported as arrived, {reissues['failed']:,} failed as "
            f"their voters see, {reissues['superseded']:,} superseded before they left; {outcome['redeliveries']:,} "
            f"redelivered, {outcome['disputes']:,} disputed; {gone}; "
            f"{outcome['unanswered']:,} were never answered, {outcome['in_vain']:,} waited in vain.\n",
            f"Register {promise}: {register['entries']:,} entries, issued {register['issued']:,} = {states}.\n",
            "## Calls\n",
            table(["call", "answers", "refused", "failed", "50 %, s", "95 %, s", "99 %, s"], calls),
            "## Waiting\n",
            "As the voters saw it, and from a message's being queued to its hand-over:\n",
            table(["", "number", "50 %, s", "95 %, s", "99 %, s"], waits),
            "## What was refused, and limits reached\n",
            "Voters mistype, click twice and ask again; 429 is a limit.\n",
            table(["call", "answer", "number"], refusals),
            f"{machine()} `{' '.join(['reassort', *command[1:]])}` on `make run`'s stack ({local.stack.region}, "
            f"embedded AWS), {took / 60:.0f} minutes in all. Everything shares these processors, so the times are "
            "this machine's; MiniStack brings one batch of the stream after the other, where AWS "
            "brings ten a shard at once. SES's simulator addresses are reported on, SMS are not.\n",
        ]
    )


def _spread(figures: dict[str, float]) -> list[str]:
    return [f"{figures[name]:.2f}" for name in ("p50", "p95", "p99")]


if __name__ == "__main__":
    sys.exit(main())
