"""The first morning of 1.2 million voters, as a model: arrivals, functions, tables, keys, quotas,
what waits to be sent, and what it costs.

    make bench-first-morning
    make bench-first-morning FLAGS='--voters 1200000 --share 0.2 --sms 0.7'

What a journey asks of AWS is measured on the real functions in this run (`bench.journey_cost`); how
often a voter looks at the tracking page comes from bench/rehearsal.json. Latencies, arrivals,
quotas and prices are assumptions, and all of them are printed with where they come from. The part
that can run on one machine, 30,000 reissues at 3,000 a minute, is `make bench-delivery`. Writes
first_morning.md and first-morning.png to .build/first-morning; with --keep, bench/first_morning.md,
docs/screenshots/first-morning.png and the results in the repository.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections import defaultdict
from dataclasses import dataclass
from math import ceil, pi, sin
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from reassort.table_keys import CONTROL_SHARDS

from bench.journey_cost import JourneyStep, measure
from harness.elections import read_election
from harness.load.cloud import Assumptions
from harness.load.crowd import CrowdHabits
from harness.measuring.figures import machine, table
from harness.measuring.results import Figure, Section, keep
from local.processes import ROOT

mpl.use("Agg")

type Series = NDArray[np.float64]
type Units = defaultdict[str, float]

REPORT = Path(__file__).with_suffix(".md")
PICTURE = ROOT / "docs" / "screenshots" / "first-morning.png"
# What somebody asks for their own election is no result of the repository.
_OWN = ROOT / ".build" / "first-morning"
REHEARSAL = Path(__file__).with_name("rehearsal.json")
SECONDS = 12 * 3600
_OPENS_AT = 8
_PARTITION_WRITES = 1000
_PARTITION_READS = 3000
# One part in so many of a processor that a function of 1,024 MB has: a whole one comes with 1,769
# MB (Lambda developer guide).
_PROCESSOR_SHARE = 1024 / 1769
_MEASURED_VOTERS = 60


@dataclass(frozen=True)
class FirstMorning:
    """Who comes when. `busy_share` of those who ask come in the two hours from `busy_from` (hour of
    the day) on.

    Within these two hours arrivals swell and ebb by `swell` around their mean, and Poisson's chance
    comes on top.
    """

    voters: int = 1_200_000
    share: float = 0.2
    busy_share: float = CrowdHabits.busy_share
    busy_from: float = 9
    swell: float = 0.5
    sms: float = CrowdHabits.sms
    switches: float = CrowdHabits.switches
    asks_code_again: float = 0.05

    def arrivals(self) -> Series:
        """Return how many voters come to ask in each second from 8:00 to 20:00."""
        rate = np.zeros(SECONDS)
        start = int((self.busy_from - _OPENS_AT) * 3600)
        asking = self.voters * self.share
        busy = np.array([1 + self.swell * sin(pi * (2 * second / 7200 - 0.5)) for second in range(7200)])
        rate[start : start + 7200] = busy / busy.sum() * asking * self.busy_share
        quiet = np.ones(SECONDS)
        quiet[start : start + 7200] = 0
        rate += quiet / quiet.sum() * asking * (1 - self.busy_share)
        return np.random.default_rng(2026).poisson(rate).astype(np.float64)


@dataclass(frozen=True)
class LaneBacklog:
    """What waits in one lane, second by second; `waits` is how long a message that comes then will
    wait, in seconds.
    """

    backlog: Series
    waits: Series
    sent: Series

    def drained_at(self) -> int:
        """Return the second after which nothing waits any more, or the last one."""
        waiting = np.nonzero(self.backlog >= 1)[0]
        return int(waiting[-1]) + 1 if len(waiting) else 0


def queue(arriving: Series, per_second: float) -> LaneBacklog:
    """Let what arrives leave at `per_second`, in its order."""
    backlog = np.zeros(len(arriving))
    sent = np.zeros(len(arriving))
    waiting = 0.0
    for second, count in enumerate(arriving):
        waiting += count
        sent[second] = min(waiting, per_second)
        waiting -= sent[second]
        backlog[second] = waiting
    return LaneBacklog(backlog, backlog / per_second, sent)


def sms_lane(
    arriving: Series, per_second: float, morning: FirstMorning, *, offers_after: float, cap: float
) -> tuple[LaneBacklog, Series]:
    """Let SMS leave; return their lane, and what goes by e-mail in their place.

    From a wait of `offers_after` on, the tracking page offers e-mail and `switches` of those who
    are told take it; over the day's `cap` all go by e-mail. Infinite values leave either out.
    """
    kept = np.zeros(len(arriving))
    moved = np.zeros(len(arriving))
    waiting = taken = 0.0
    for second, count in enumerate(arriving):
        by_sms = min(count, max(0.0, cap - taken))
        if waiting / per_second > offers_after:
            by_sms *= 1 - morning.switches
        kept[second] = by_sms
        moved[second] = count - by_sms
        taken += by_sms
        waiting = max(0.0, waiting + by_sms - per_second)
    return queue(kept, per_second), moved


# Default quotas of an account and what they bound; as the pages named say it, read in
# November 2026.
# Each must be looked up in Service Quotas.
_QUOTAS = {
    "Lambda concurrency": (1000, "Lambda quotas; a new account may have as few as 10"),
    "API Gateway requests a second": (10_000, "API Gateway quotas; the template's stage throttles at 2,000"),
    "KMS symmetric operations a second": (10_000, "KMS request quotas, eu-west-3; read the region's own value"),
    "SES messages a second": (14, "a usual first grant out of the sandbox, where it is 1"),
    "SES messages a day": (50_000, "a usual first grant out of the sandbox, where it is 200"),
    "SNS SMS a second": (10, "what carriers take of one sender; SNS's own default is 20"),
    "SNS SMS spend a month, USD": (1, "SNS quotas: every new account"),
    "DynamoDB units a table": (
        40_000,
        "DynamoDB quotas, on demand; a table that is new takes 4,000 writes, 12,000 reads",
    ),
}

# List prices in USD without tax, typed by hand in November 2026 for eu-west-3; SMS: SNS to France.
# Not what an agreement gives.
_PRICES = {
    "DynamoDB, million write units": 0.7423,
    "DynamoDB, million read units": 0.1485,
    "Lambda arm64, GB-second": 0.0000133334,
    "Lambda, million requests": 0.20,
    "API Gateway REST, million requests": 3.50,
    "WAF, million requests": 0.60,
    "KMS, 10,000 requests": 0.03,
    "SES, 1,000 e-mails": 0.10,
    "SNS, SMS to France": 0.07368,
    "CloudWatch Logs, GB taken in": 0.5985,
    "CloudFront, 10,000 requests": 0.012,
}
_EURO = 0.90
_LOG_BYTES_A_REQUEST = 700
_SITE_REQUESTS = 9


def durations(step: JourneyStep, assumed: Assumptions) -> float:
    """Return how long one run of a step takes on AWS, in seconds: its own processor time, and the
    assumed middle of each call's latency.
    """

    def middle(span: tuple[float, float]) -> float:
        return sum(span) / 2

    by_service = {
        "kms": assumed.kms_ms,
        "sqs": assumed.sqs_ms,
        "sesv2": assumed.provider_ms,
        "sns": assumed.provider_ms,
    }
    waiting = 0.0
    for call, count in step.per_voter(step.calls).items():
        service, _, operation = call.partition(".")
        span = by_service.get(
            service, assumed.transaction_ms if operation.startswith("Transact") else assumed.dynamodb_ms
        )
        waiting += count * middle(span)
    return (step.processor_ms / _PROCESSOR_SHARE + waiting) / 1000


def looks_per_reissue() -> tuple[float, str]:
    """Return how often a voter looks at the tracking page, and where that comes from."""
    if REHEARSAL.exists():
        outcome = json.loads(REHEARSAL.read_text(encoding="utf-8"))
        looks, reissues = outcome["calls"].get("GET status", {}).get("number", 0), outcome["reissues"]["reissues"]
        if looks and reissues:
            return looks / reissues, f"bench/rehearsal.json: {looks:,} looks at {reissues:,} reissues"
    return 8.0, "the page asks after 1, 2, 2, 3, 5, 8, 13 and 20 s"


def main() -> int:
    """Run the command; return its exit status."""
    defaults = FirstMorning()
    parser = argparse.ArgumentParser(prog="bench.first_morning", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--voters", type=int, default=defaults.voters, help="on the roll (default: %(default)s)")
    parser.add_argument(
        "--share", type=float, default=defaults.share, help="of them ask for an identifier (default: %(default)s)"
    )
    parser.add_argument("--sms", type=float, default=defaults.sms, help="of these choose SMS (default: %(default)s)")
    parser.add_argument("--election", default="normandie-2026", help="whose rates are meant (default: %(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the report that the repository holds")
    arguments = parser.parse_args()
    report, picture = (REPORT, PICTURE) if arguments.keep else (_OWN / REPORT.name, _OWN / PICTURE.name)
    report.parent.mkdir(parents=True, exist_ok=True)
    morning = FirstMorning(voters=arguments.voters, share=arguments.share, sms=arguments.sms)
    steps = measure(_MEASURED_VOTERS)
    text, figures = _report(morning, steps, arguments.election, picture)
    flags = shlex.join(sys.argv[1:])
    command = f"make bench-first-morning FLAGS={shlex.quote(flags)}" if flags else "make bench-first-morning"
    report.write_text(f"{text}\n{machine()} `{command}`\n", encoding="utf-8")
    print(report.read_text(encoding="utf-8"))
    if not arguments.keep:
        print(f"{report}: written, with its picture beside it")
        return 0
    more = (
        "A model, with a picture, quotas to raise, what waits and every assumption: "
        "[first_morning.md](first_morning.md)."
    )
    keep(Section("first morning", "First morning", command, figures, (more,)))
    return 0


def _report(
    morning: FirstMorning, steps: dict[str, JourneyStep], election_id: str, picture: Path
) -> tuple[str, tuple[Figure, ...]]:
    election = read_election(election_id)
    sending = election.sending
    assumed = Assumptions()
    looks, looks_source = looks_per_reissue()
    arrivals = morning.arrivals()
    smooth = np.convolve(arrivals, np.ones(60) / 60, "same")
    start = int((morning.busy_from - _OPENS_AT) * 3600)
    busy = slice(start, start + 7200)
    peak = float(smooth.max())
    by_sms = arrivals * morning.sms
    plain, _ = sms_lane(by_sms, sending.sms_per_second, morning, offers_after=np.inf, cap=np.inf)
    offered, moved = sms_lane(
        by_sms, sending.sms_per_second, morning, offers_after=sending.long_wait_seconds, cap=np.inf
    )
    capped, over = sms_lane(
        by_sms, sending.sms_per_second, morning, offers_after=sending.long_wait_seconds, cap=sending.sms_per_day
    )
    codes = arrivals * (1 + morning.asks_code_again)
    code_lane = queue(codes, sending.codes_per_second)
    emails = arrivals * (2 - morning.sms) + moved
    email_lane = queue(emails, sending.emails_per_second)
    everybody, _ = sms_lane(arrivals, sending.sms_per_second, morning, offers_after=np.inf, cap=np.inf)
    _draw(picture, morning, smooth, everybody, plain, offered, email_lane, start)

    weights = {
        "POST login": 1 + morning.asks_code_again,
        "deliver code": 1 + morning.asks_code_again,
        "POST code": 1 + morning.asks_code_again,
        "GET reissue": 1.0,
        "POST reissue": 1.0,
        "deliver reissue by SMS": morning.sms,
        "deliver reissue by e-mail": 1 - morning.sms,
        "GET status": looks,
    }
    writes: Units = defaultdict(float)
    reads: Units = defaultdict(float)
    keys: Units = defaultdict(float)
    kms = 0.0
    concurrency: Units = defaultdict(float)
    gb_seconds = 0.0
    for name, weight in weights.items():
        step = steps[name]
        for total, counted in ((writes, step.writes), (reads, step.reads), (keys, step.keys)):
            for key, count in step.per_voter(counted).items():
                total[key] += count * weight
        kms += weight * sum(count for call, count in step.per_voter(step.calls).items() if call.startswith("kms."))
        took = durations(step, assumed) * weight
        concurrency[step.function] += took * peak
        gb_seconds += took
    requests = sum(weight for name, weight in weights.items() if steps[name].function != "notify")
    invocations = sum(weights.values())
    cost, euro = _cost(
        morning,
        writes,
        reads,
        kms,
        gb_seconds,
        requests,
        invocations,
        float(arrivals.sum()),
        float(emails.sum() + codes.sum()),
    )

    sections = [
        "# The first morning, modelled\n",
        "Written by `make bench-first-morning`. A model: what is measured and what "
        "is assumed is said beside each figure.\n",
        "![Arrivals, and what waits](../docs/screenshots/first-morning.png)\n",
        "## Who comes\n",
        f"{morning.voters:,} voters, {morning.share:.0%} of whom ask for an identifier, "
        f"{morning.busy_share:.0%} of these from {morning.busy_from:g}:00 to {morning.busy_from + 2:g}:00: "
        f"{arrivals[busy].sum():,.0f} in two hours, {arrivals[busy].mean():.1f} a second in the mean, {peak:.1f} in "
        f"the busiest minute, {arrivals.max():.0f} in the busiest second; {arrivals.sum():,.0f} on the day. API "
        f"requests: {requests:.1f} "
        f"a voter, {requests * peak:,.0f} a second in the busiest minute.\n",
        "## Functions\n",
        table(
            ["function", "a step takes, ms", "at once in the busiest minute", "of the default quota"],
            [
                [
                    function,
                    ", ".join(
                        f"{name} {durations(steps[name], assumed) * 1000:.0f}"
                        for name in weights
                        if steps[name].function == function
                    ),
                    f"{count:.1f}",
                    f"{count / 1000:.2%}",
                ]
                for function, count in sorted(concurrency.items())
            ],
        ),
        "Little's law: arrivals × duration. `notify` gets up to 10 deliveries in one invocation, and at most 10 "
        "invocations for each shard of the "
        f"stream: {assumed.shards * assumed.parallelization} with {assumed.shards} shards.\n",
        "## Tables\n",
        "Units a second in the busiest minute; a table on demand that is new takes 4,000 writes and 12,000 reads, a "
        "partition 1,000 and 3,000.\n",
        table(
            ["table", "write units a voter", "a second", "read units a voter", "a second", "partitions needed"],
            [
                [
                    name,
                    f"{writes[name]:.1f}",
                    f"{writes[name] * peak:,.0f}",
                    f"{reads[name]:.1f}",
                    f"{reads[name] * peak:,.0f}",
                    str(
                        max(
                            1,
                            ceil(writes[name] * peak / _PARTITION_WRITES),
                            ceil(reads[name] * peak / _PARTITION_READS),
                        )
                    ),
                ]
                for name in sorted({*writes, *reads})
            ],
        ),
        "Keys that voters share, which no number of partitions divides:\n",
        table(
            ["key", "write units a second", "of what a partition takes", "why"],
            [
                [name, f"{per_second:,.1f}", f"{per_second / _PARTITION_WRITES:.1%}", why]
                for name, per_second, why in _hot_keys(
                    keys,
                    morning,
                    peak,
                    sending.codes_per_second,
                    sending.emails_per_second,
                    sending.sms_per_second,
                    election.limits.source.codes / election.limits.source.window_minutes / 60,
                )
            ],
        ),
        "All other keys are a voter's, an identifier's, a delivery's or a telephone's own, as keyed hashes (`make "
        "bench-growth` shows how they spread).\n",
        "## What waits\n",
        table(
            ["lane", "leaves a second", "most that waits", "longest wait", "empty again at"],
            [
                _lane_row(f"codes, {codes.sum():,.0f} on the day", code_lane, sending.codes_per_second),
                _lane_row(f"e-mails, {emails.sum():,.0f}", email_lane, sending.emails_per_second),
                _lane_row(f"SMS, {by_sms.sum():,.0f}, nobody switches", plain, sending.sms_per_second),
                _lane_row(f"SMS, e-mail offered after {sending.long_wait_seconds} s", offered, sending.sms_per_second),
                _lane_row(f"SMS, and {sending.sms_per_day:,} a day at most", capped, sending.sms_per_second),
            ],
        ),
        f"Carriers are the bottleneck: {sending.sms_per_second} parts a second are {sending.sms_per_second * 7200:,} "
        "in two hours. How many would wait after these two hours if nobody switched, by how many choose SMS "
        "(all of them, evenly: "
        f"{morning.voters * morning.share * morning.busy_share - sending.sms_per_second * 7200:,.0f}; they swell, and "
        "what is not used early on is lost):\n",
        table(
            ["choose SMS", "SMS in two hours", "wait after two hours", "longest wait", "empty again at"],
            [
                _share_row(share, arrivals, sending.sms_per_second, start, morning)
                for share in (0.3, 0.5, 0.7, 0.9, 1.0)
            ],
        ),
        f"With the offer, {moved.sum():,.0f} of them go by e-mail, and nobody who stays waits longer than "
        f"{offered.waits.max():.0f} s. With `sms_per_day` as it stands ({sending.sms_per_day:,}), {over.sum():,.0f} "
        "go by e-mail, most because the day's SMS are used up"
        f"{_cap_time(capped, sending.sms_per_day)}: raise it to {ceil(by_sms.sum() / 10_000) * 10_000:,} for a roll "
        "of this size, with the spend below.\n",
        "## Quotas to raise beforehand\n",
        table(
            ["quota", "default", "needed", "raise?", "source"],
            _quota_rows(
                concurrency=sum(concurrency.values()),
                requests=requests * peak,
                kms=kms * peak,
                mails_a_second=min(
                    float((codes + emails).reshape(-1, 60).mean(1).max()),
                    sending.codes_per_second + sending.emails_per_second,
                ),
                mails_a_day=float((codes + emails).sum()),
                sms_a_second=sending.sms_per_second,
                spend=float(by_sms.sum()) * _PRICES["SNS, SMS to France"],
                units=max(writes.values()) * peak,
            ),
        ),
        "## What it costs\n",
        cost,
        "## Assumptions\n",
        *(
            f"- {line}"
            for line in (
                "Voters, the share that asks and the share of the two busiest hours: the requirement that this "
                f"answers (P6). Which hours, and that arrivals swell by {morning.swell:.0%} around their mean: "
                "assumed; beyond that, chance (Poisson, seeded).",
                f"{morning.sms:.0%} choose SMS; {morning.switches:.0%} of those who are told to wait switch; "
                f"{morning.asks_code_again:.0%} ask for a second code: assumed.",
                f"Looks at the tracking page, {looks:.1f} a reissue: {looks_source}.",
                "Calls, request units (by the size of each item, a second transactional write counting double) and "
                f"processor time: measured in this run, {_MEASURED_VOTERS} voters on the real functions; processor "
                f"time as on this machine, times {1 / _PROCESSOR_SHARE:.2f} for a function of 1,024 MB.",
                f"Rates of sending, SMS a day, bounds: elections/{election_id}.yaml.",
                *assumed.lines()[:2],
                "Receipts, retries, refused writes and cold starts are left out here; `make bench-delivery` has them: "
                "30,000 reissues at 3,000 a minute on the real functions, "
                f"{3000 / 60 / float(arrivals[busy].mean()):.1f} times the mean of these two hours.",
                f"A request to the site's pages and assets is CloudFront's: {_SITE_REQUESTS} a voter, from the cache. "
                f"{_LOG_BYTES_A_REQUEST} bytes of log a request: assumed.",
                "Prices: AWS list prices for eu-west-3 in USD without tax, typed by hand in November 2026; 1 USD = "
                f"{_EURO} €. KMS keys, WAF rules, alarms and backups cost by the month and are left out.",
            )
        ),
        "",
    ]
    waits = f"{sending.sms_per_second} SMS a second, {morning.sms:.0%} of voters choose them"
    return "\n".join(sections), (
        Figure("P6", "voters in the busiest minute, a second", peak, digits=1),
        Figure("P6", "Lambda environments at once", sum(concurrency.values()), digits=0),
        Figure("P6", "write units a second of the busiest table", max(writes.values()) * peak, digits=0),
        Figure(
            "P6", "longest wait for an SMS, nobody switches", plain.waits.max() / 60, note=waits, digits=0, unit=" min"
        ),
        Figure(
            "P6", "longest wait for an SMS, e-mail offered", float(offered.waits.max()), note=waits, digits=0, unit=" s"
        ),
        Figure("P6", "cost of 1,000 reissues", euro, note="list prices, without tax", unit=" €"),
    )


def _clock(second: int) -> str:
    return f"{_OPENS_AT + second // 3600}:{second % 3600 // 60:02d}"


def _lane_row(name: str, lane: LaneBacklog, per_second: float) -> list[str]:
    most = float(lane.backlog.max())
    return [
        name,
        f"{per_second:g}",
        f"{most:,.0f}",
        f"{lane.waits.max():,.0f} s",
        _clock(lane.drained_at()) if most >= 1 else "–",
    ]


def _share_row(share: float, arrivals: Series, per_second: float, start: int, morning: FirstMorning) -> list[str]:
    lane, _ = sms_lane(arrivals * share, per_second, morning, offers_after=np.inf, cap=np.inf)
    return [
        f"{share:.0%}",
        f"{arrivals[start : start + 7200].sum() * share:,.0f}",
        f"{lane.backlog[start + 7199]:,.0f}",
        f"{lane.waits.max() / 60:,.0f} min",
        _clock(lane.drained_at()) if lane.backlog.max() >= 1 else "–",
    ]


def _cap_time(lane: LaneBacklog, cap: int) -> str:
    used = np.nonzero(np.cumsum(lane.sent) >= cap - 1)[0]
    return f" by {_clock(int(used[0]))}" if len(used) else ""


def _hot_keys(
    keys: Units, morning: FirstMorning, peak: float, codes: float, emails: float, sms: float, source: float
) -> list[tuple[str, float, str]]:
    # Two transactions in one item conflict while both are under way.
    collisions = peak / CONTROL_SHARDS * 2 * max(Assumptions().transaction_ms) / 1000
    return [
        (
            "pace `pace#code`",
            min(keys["PaceTable pace#code"] * peak, codes),
            f"one turn a code, {codes:g} a second at most",
        ),
        (
            "pace `pace#email`",
            min(keys["PaceTable pace#email"] * peak, emails),
            f"one turn an e-mail, {emails:g} a second at most",
        ),
        (
            "pace `pace#sms`",
            min(keys["PaceTable pace#sms"] * peak, sms),
            f"one turn an SMS, {sms:g} a second at most",
        ),
        (
            "sign-in `source#…`, one academy behind one address",
            2 * min(source, peak * (1 + morning.asks_code_again)),
            f"2 units a code in 8 items, {source:.0f} codes a second at most by the bound",
        ),
        (
            f"control `control#…`, one of {CONTROL_SHARDS} items",
            keys["ControlTable control"] * peak / CONTROL_SHARDS,
            f"2 units a reissue, which is conditioned on it; {collisions:.1%} meet "
            "another one there and are tried again",
        ),
        ("deliveries, index `due`, one of 8 shards", 6 * peak / 8, "some 6 units a voter, spread by the reference"),
    ]


def _quota_rows(
    *,
    concurrency: float,
    requests: float,
    kms: float,
    mails_a_second: float,
    mails_a_day: float,
    sms_a_second: float,
    spend: float,
    units: float,
) -> list[list[str]]:
    needed = {
        "Lambda concurrency": concurrency,
        "API Gateway requests a second": requests,
        "KMS symmetric operations a second": kms,
        "SES messages a second": mails_a_second,
        "SES messages a day": mails_a_day,
        "SNS SMS a second": sms_a_second,
        "SNS SMS spend a month, USD": spend,
        "DynamoDB units a table": units,
    }
    return [
        [name, f"{default:,}", f"{needed[name]:,.0f}", "**yes**" if needed[name] > default else "no", source]
        for name, (default, source) in _QUOTAS.items()
    ]


def _cost(
    morning: FirstMorning,
    writes: Units,
    reads: Units,
    kms: float,
    gb_seconds: float,
    requests: float,
    invocations: float,
    reissues: float,
    emails: float,
) -> tuple[str, float]:
    """Return the table, and the euros of 1,000 reissues."""
    a_thousand = {
        "SMS": 1000 * morning.sms * _PRICES["SNS, SMS to France"],
        "e-mails": emails / reissues * _PRICES["SES, 1,000 e-mails"],
        "DynamoDB": 1000
        * (
            sum(writes.values()) * _PRICES["DynamoDB, million write units"]
            + sum(reads.values()) * _PRICES["DynamoDB, million read units"]
        )
        / 1e6,
        "API Gateway and WAF": 1000
        * requests
        * (_PRICES["API Gateway REST, million requests"] + _PRICES["WAF, million requests"])
        / 1e6,
        "KMS": 1000 * kms / 10_000 * _PRICES["KMS, 10,000 requests"],
        "Lambda": 1000
        * (gb_seconds * _PRICES["Lambda arm64, GB-second"] + invocations * _PRICES["Lambda, million requests"] / 1e6),
        "logs": 1000 * invocations * _LOG_BYTES_A_REQUEST / 1e9 * _PRICES["CloudWatch Logs, GB taken in"],
        "site": 1000 * _SITE_REQUESTS / 10_000 * _PRICES["CloudFront, 10,000 requests"],
    }
    total = sum(a_thousand.values()) * _EURO
    without = (sum(a_thousand.values()) - a_thousand["SMS"]) * _EURO
    rows = [[name, f"{usd * _EURO:.2f}", f"{usd * _EURO * reissues / 1000:,.0f}"] for name, usd in a_thousand.items()]
    rows.append(["**all**", f"**{total:.2f}**", f"**{total * reissues / 1000:,.0f}**"])
    text = (
        table(["", "€ for 1,000 reissues", f"€ for {reissues:,.0f}"], rows)
        + f"\nWithout SMS, 1,000 reissues cost {without:.2f} €: an SMS costs some "
        f"{a_thousand['SMS'] * _EURO / morning.sms / without:.0f} times as much as all the rest of its journey.\n"
    )
    return text, total


def _draw(
    picture: Path,
    morning: FirstMorning,
    smooth: Series,
    everybody: LaneBacklog,
    plain: LaneBacklog,
    offered: LaneBacklog,
    emails: LaneBacklog,
    start: int,
) -> None:
    import matplotlib.pyplot as plt

    hours = _OPENS_AT + np.arange(SECONDS) / 3600
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
    above.plot(hours, smooth, color="#1f4e79")
    above.axvspan(hours[start], hours[start] + 2, color="#f2c14e", alpha=0.25, label="two busiest hours")
    above.set_ylabel("voters a second")
    above.set_title(
        f"{morning.voters:,} voters, {morning.share:.0%} ask for an identifier, {morning.sms:.0%} of them by SMS"
    )
    above.legend(loc="upper right")
    below.plot(hours, everybody.backlog, color="#8a8a8a", label="SMS, if all chose them and nobody switched")
    below.plot(hours, plain.backlog, color="#b5442e", label="SMS, nobody switches")
    below.plot(hours, offered.backlog, color="#b5442e", linestyle="--", label="SMS, e-mail offered to who waits")
    below.plot(hours, emails.backlog, color="#2f6f4f", label="e-mails")
    below.set_ylabel("messages that wait")
    below.set_xlabel("hour of the day")
    below.legend(loc="upper right")
    for axes in (above, below):
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=120, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    sys.exit(main())
