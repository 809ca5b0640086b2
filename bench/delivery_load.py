"""Thirty thousand reissues in ten minutes on the real functions, in virtual time: is any lost, and
how long do messages take?

    make bench-delivery                                     all, 3,000 a minute for two minutes
    make bench-delivery FLAGS='--scenario S2 --minutes 10'  one of them, 30,000 reissues
    make bench-delivery FLAGS=--json                        the figures instead of tables

Each run writes its section of bench/delivery.md, except with --json. The exit status is 1 when a
promise is broken.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from dataclasses import asdict

from harness.load.cloud import Assumptions
from harness.load.crowd import CrowdHabits
from harness.load.scenarios import BARS, SCENARIOS, LoadResult, play
from harness.measuring.figures import machine, table, write_section
from harness.measuring.results import Figure, Section, keep


def describe(result: LoadResult) -> str:
    """Write a result as Markdown."""
    verdict = "; ".join(result.broken) if result.broken else "all promises kept"
    parts = [
        f"### {result.scenario}: {result.title}\n",
        f"{result.reissues:,} reissues: **{result.lost} lost, {result.wrong_generation} of a wrong generation, "
        f"{result.duplicates} sent twice**; {result.superseded} identifiers "
        "superseded while they waited; SMS by parts: "
        f"{', '.join(f'{count:,} of {parts}' for parts, count in result.sms_parts.items()) or 'none'}. Verdict: "
        f"{verdict}.\n",
        "Handed over after the commit, all messages: "
        + ", ".join(f"{share:.2f} % within {name}" for name, share in result.within.items())
        + ".\n",
        table(
            ["message", "number", "50 %, s", "95 %, s", "99 %, s", "longest, s"],
            [[kind, f"{row[0]:,}", *(f"{wait:.2f}" for wait in row[1:])] for kind, row in result.by_kind.items()],
        ),
    ]
    if result.told["told"]:
        (said, real), errors = result.told["longest"] or (0, 0.0), result.told["real minus told"]
        parts.append(
            f"{result.told['told']:,} voters were told to wait, {result.told['switched']:,} of them switched to "
            f"e-mail. The longest wait told to one who stayed was {said:.0f} s and took {real:.1f} s"
            + (
                f"; real minus told: {errors[0]:+.1f} s at least, {errors[1]:+.1f} at 50 %, {errors[3]:+.1f} at 99 %, "
                f"{errors[4]:+.1f} at most.\n"
                if errors
                else ".\n"
            )
        )
    if result.scenario in {"S3", "S4"}:
        names = list(result.minutes[0]) if result.minutes else []
        rows = [[_number(line[name]) for name in names] for line in result.minutes]
        parts += [
            "By minute of arrival, voters who chose SMS; waits in seconds since the commit:\n",
            table(names, rows),
        ]
    parts += [
        table(
            ["per reissue", "POST", "delivery"],
            [
                [what, *(f"{result.per_reissue[f'{part}, {what}']:.2f}" for part in ("POST", "delivery"))]
                for what in ("ms of processor", "DynamoDB calls", "write units", "read units")
            ],
        ),
        f"Refused conditional writes: {result.per_reissue['delivery, refused writes']:.2f} per reissue in delivery, "
        "which are billed and not in the units above. Receipts: "
        f"{result.per_reissue['receipts, ms of processor']:.2f} ms of processor per reissue. At most {result.busiest} "
        f"deliveries of batches at once, {result.cold_starts} cold starts, {result.timed_out} timeouts. "
        f"Answers: {', '.join(f'{count:,} × {name}' for name, count in result.answers.items())}. Log: "
        f"{', '.join(f'{count:,} × {name}' for name, count in result.faults.items()) or 'nothing above INFO'}. "
        f"The run took {result.processor_seconds:.0f} s of processor time and {result.peak_mib:.0f} MiB for "
        f"{result.virtual_seconds / 60:.0f} "
        "minutes of virtual time.\n",
    ]
    return "\n".join(parts)


def _section(result: LoadResult, command: str) -> Section:
    late = {seconds: 100 - result.within[f"{seconds:g} s"] for _, seconds in BARS}
    return Section(
        "delivery",
        "Delivery under load",
        command,
        (
            Figure("P6", f"lost of {result.reissues:,} reissues at 3,000 a minute", result.lost, 0, digits=0),
            Figure("P6", "of a wrong generation", result.wrong_generation, 0, digits=0),
            *(
                Figure(
                    "P6",
                    f"messages handed over later than {seconds:g} s after the commit",
                    late[seconds],
                    100 - share,
                    unit=" %",
                )
                for share, seconds in BARS
            ),
            Figure(
                "P9",
                "SMS of an identifier with more than one part",
                sum(count for parts, count in result.sms_parts.items() if parts > 1),
                0,
                f"{sum(result.sms_parts.values()):,} SMS",
                digits=0,
            ),
        ),
        (
            f"In virtual time on the real functions. {result.title}; the other scenarios, and what is assumed: "
            "[delivery.md](delivery.md).",
        ),
    )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"


def _command() -> str:
    flags = shlex.join(sys.argv[1:])
    return f"make bench-delivery FLAGS={shlex.quote(flags)}" if flags else "make bench-delivery"


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="bench.delivery_load", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "--scenario", action="append", choices=sorted(SCENARIOS), help="may be repeated; all by default"
    )
    parser.add_argument("--minutes", type=float, default=2, help="how long voters come (default: %(default)s)")
    parser.add_argument("--per-minute", type=int, default=3000, help="reissues a minute (default: 3000)")
    parser.add_argument(
        "--shards", type=int, default=Assumptions.shards, help="shards of the stream (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=20181130)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON and write no file")
    arguments = parser.parse_args()
    assumptions = Assumptions(shards=arguments.shards)
    results = []
    for name in arguments.scenario or sorted(SCENARIOS):
        result = play(
            SCENARIOS[name],
            minutes=arguments.minutes,
            per_minute=arguments.per_minute,
            seed=arguments.seed,
            assumptions=assumptions,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        )
        results.append(result)
        if arguments.json:
            continue
        text = describe(result)
        print(text, flush=True)
        command = _command()
        lines = [*assumptions.lines(), CrowdHabits(sms=SCENARIOS[name].sms_share).line()]
        note = f"{machine()} `{command}`\n\n" + "\n".join(f"- {line}" for line in lines)
        write_section(name, f"{text}\n{note}\n")
        if name == "S2":
            keep(_section(result, command))
    if arguments.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    return 1 if any(result.broken for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
