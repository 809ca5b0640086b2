"""Scenarios of delivery under load: each is played on the real functions in virtual time, and
judged.
"""

from __future__ import annotations

import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from reassort_ops.rehearsal.outcome import percentile

from harness.elections import read_election
from harness.engines.quick import quick_engine
from harness.load.cloud import Assumptions, Bill, Cloud, Outage
from harness.load.crowd import CommittedReissue, Crowd, CrowdHabits, HandOver
from harness.load.virtual_time import Simulation
from harness.service.wire import aws_error, no_reply
from harness.service.world import START, World

# P6: this share of messages is handed over within so many seconds.
BARS = ((95.0, 10.0), (99.0, 60.0))
# After the last arrival, what is not handed over within this time counts as lost.
PATIENCE_SECONDS = 2 * 3600
# SES takes two e-mails of most reissues: 3,000 a minute are 100 a second.
_RATES = {
    "codes_per_second": 40,
    "codes_per_day": 400_000,
    "emails_per_second": 150,
    "sms_per_second": 10,
    "sms_per_day": 20_000,
    "long_wait_seconds": 60,
}


@dataclass(frozen=True)
class LoadScenario:
    """A run: what voters choose, what goes wrong, and whether the bars of P6 hold in it."""

    name: str
    title: str
    sms_share: float
    barred: bool = False
    bad_day: bool = False

    def outages(self, minutes: float) -> tuple[Outage, ...]:
        """Return what goes wrong in a run of so many minutes: SES for its tenth, SNS for its half,
        in the middle.
        """
        if not self.bad_day:
            return ()
        whole = minutes * 60
        throttled = partial(aws_error, "TooManyRequestsException")
        return (
            Outage("SendEmail", 0.3 * whole, 0.4 * whole, throttled, per_second=10),
            Outage("Publish", 0.3 * whole, 0.8 * whole, no_reply, takes=10),
        )


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        LoadScenario("S1", "all by e-mail, rates above demand", 0.0, barred=True),
        LoadScenario("S2", "10 % by SMS, below the carriers' 10 a second", 0.1, barred=True),
        LoadScenario("S3", "50 % by SMS: two and a half times what carriers take", 0.5),
        LoadScenario(
            "S4",
            "10 % by SMS; SES takes 10 e-mails a second for a minute, SNS does not answer for five",
            0.1,
            bad_day=True,
        ),
    )
}


@dataclass
class LoadResult:
    """What came of a run. Waits are in seconds; `by_kind` has count, 50 %, 95 %, 99 % and the
    longest.
    """

    scenario: str
    title: str
    reissues: int
    lost: int
    wrong_generation: int
    wrong_recipient: int
    leaked: int
    duplicates: int
    superseded: int
    sms_parts: dict[int, int]
    within: dict[str, float]
    by_kind: dict[str, list[float]]
    told: dict[str, Any]
    minutes: list[dict[str, Any]]
    answers: dict[str, int]
    faults: dict[str, int]
    costs: dict[str, dict[str, float]]
    per_reissue: dict[str, float]
    busiest: int
    cold_starts: int
    timed_out: int
    batches: dict[str, int]
    virtual_seconds: float
    processor_seconds: float
    peak_mib: float
    broken: list[str] = field(default_factory=list)


def play(
    scenario: LoadScenario,
    *,
    minutes: float = 10,
    per_minute: int = 3000,
    seed: int = 20181130,
    assumptions: Assumptions | None = None,
    habits: CrowdHabits | None = None,
    sms_per_second: int = _RATES["sms_per_second"],
    tell: Callable[[str], object] = lambda _: None,
) -> LoadResult:
    """Play a scenario and judge it. `tell` is given a line each minute of virtual time."""
    assumptions = assumptions or Assumptions()
    habits = habits or CrowdHabits(sms=scenario.sms_share)
    chance = Random(seed)  # noqa: S311 - a simulation that can be repeated
    # The functions draw their jitter from the process's own generator.
    random.seed(seed)
    started = time.process_time()
    election = read_election("dijon-2018", sending={**_RATES, "sms_per_second": sms_per_second})
    with quick_engine() as aside, World(election=election) as world:
        simulation = Simulation(lambda now: world.clock.set(START + timedelta(seconds=now)))
        crowd: Crowd | None = None

        def take_email(email: Any) -> None:
            assert crowd is not None
            crowd.take_email(email)

        def take_sms(sms: Any) -> None:
            assert crowd is not None
            crowd.take_sms(sms)

        cloud = Cloud(
            world,
            simulation,
            chance,
            assumptions,
            aside,
            scenario.outages(minutes),
            on_email=take_email,
            on_sms=take_sms,
        )
        crowd = Crowd(world, cloud, chance, habits)
        at, number, last = 0.0, 0, minutes * 60
        while (at := at + chance.expovariate(per_minute / 60)) < last:
            crowd.arrive(number, at)
            number += 1

        def end_when_done() -> None:
            assert crowd is not None
            done = simulation.now > last + 120 and crowd.incomplete == 0
            if done or simulation.now > last + PATIENCE_SECONDS:
                cloud.busy_until = simulation.now
            else:
                simulation.at(simulation.now + 10, end_when_done)
            if simulation.now % 60 == 0:
                tell(
                    f"{scenario.name} minute {simulation.now / 60:.0f}: {len(crowd.reissues):,} reissues, "
                    f"{crowd.incomplete:,} not handed over yet, {time.process_time() - started:.0f} s of processor"
                )

        simulation.at(0, end_when_done)
        with cloud.running():
            simulation.run()
        return _judge(scenario, crowd, cloud, minutes, time.process_time() - started)


def _judge(scenario: LoadScenario, crowd: Crowd, cloud: Cloud, minutes: float, processor_seconds: float) -> LoadResult:
    reissues = crowd.reissues
    waits = _waits(reissues)
    first_waits = [wait for kind in waits if not kind.endswith("again") for wait in waits[kind]]
    number = len(reissues)
    delivery = [cloud.accounts[kind] for kind in ("stream", "queue", "sweeper")]
    result = LoadResult(
        scenario=scenario.name,
        title=scenario.title,
        reissues=number,
        lost=sum(not reissue.complete for reissue in reissues),
        wrong_generation=crowd.wrong_generation,
        wrong_recipient=crowd.wrong_recipient,
        leaked=crowd.leaked,
        duplicates=crowd.duplicates,
        superseded=sum(reissue.superseded_at is not None for reissue in reissues),
        sms_parts=dict(sorted(crowd.sms_parts.items())),
        within={f"{seconds:g} s": _share(first_waits, seconds) for seconds in (1, 2, 5, 10, 60, 300)},
        by_kind={
            kind: [len(of_kind), *(percentile(of_kind, share) for share in (50, 95, 99)), max(of_kind)]
            for kind, of_kind in sorted(waits.items())
        },
        told=_told(reissues),
        minutes=_by_minute(reissues, minutes),
        answers=dict(sorted(crowd.answers.items())),
        faults=dict(cloud.faults.most_common()),
        costs={kind: _cost(account) for kind, account in sorted(cloud.accounts.items()) if account.invocations},
        per_reissue={
            "POST, ms of processor": 1000 * cloud.accounts["reissue"].function_seconds / number,
            "delivery, ms of processor": 1000 * sum(account.function_seconds for account in delivery) / number,
            "receipts, ms of processor": 1000 * cloud.accounts["receipt"].function_seconds / number,
            "POST, DynamoDB calls": _dynamodb_calls(cloud.accounts["reissue"]) / number,
            "delivery, DynamoDB calls": sum(_dynamodb_calls(account) for account in delivery) / number,
            "POST, write units": cloud.accounts["reissue"].write_units / number,
            "delivery, write units": sum(account.write_units for account in delivery) / number,
            "POST, read units": cloud.accounts["reissue"].read_units / number,
            "delivery, read units": sum(account.read_units for account in delivery) / number,
            "delivery, refused writes": sum(account.refused_writes for account in delivery) / number,
        },
        busiest=cloud.busiest,
        cold_starts=cloud.cold_starts,
        timed_out=cloud.timed_out,
        batches=dict(sorted(cloud.batches.items())),
        virtual_seconds=cloud.simulation.now,
        processor_seconds=processor_seconds,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    zeroes = {
        "lost": result.lost,
        "of a wrong generation": result.wrong_generation,
        "to a wrong recipient": result.wrong_recipient,
        "confirmations with an identifier": result.leaked,
        "sent twice": result.duplicates,
        "SMS of several parts": sum(count for parts, count in result.sms_parts.items() if parts > 1),
    }
    result.broken += [f"{count} {what}" for what, count in zeroes.items() if count]
    if scenario.barred:
        for share, seconds in BARS:
            took = percentile(first_waits, share)
            if took > seconds:
                result.broken.append(f"{share:g} % within {took:.1f} s, more than {seconds:g}")
    return result


def _waits(reissues: list[CommittedReissue]) -> dict[str, list[float]]:
    """Return seconds from the commit to each first hand-over, and from a later queueing to the
    hand-over that followed.
    """
    waits: dict[str, list[float]] = {}
    for reissue in reissues:
        for message in reissue.handed_over:
            again = message.round > 0
            since = message.queued_at if again else reissue.committed_at
            kind = f"{message.kind} by {message.channel}{', again' if again else ''}"
            waits.setdefault(kind, []).append(message.at - since)
    return waits


def _share(waits: list[float], seconds: float) -> float:
    return 100 * sum(wait <= seconds for wait in waits) / max(1, len(waits))


def _first_sms(reissue: CommittedReissue) -> HandOver | None:
    return next((message for message in reissue.handed_over if message.channel == "sms"), None)


def _told(reissues: list[CommittedReissue]) -> dict[str, Any]:
    """Return what voters were told to wait for, and what those who stayed with the SMS really
    waited, from that moment on.
    """
    told = [reissue for reissue in reissues if reissue.told_at is not None]
    pairs = [
        (reissue.told_wait or 0, sms.at - (reissue.told_at or 0))
        for reissue in told
        if (sms := _first_sms(reissue)) is not None
    ]
    longest = max(pairs, default=None)
    errors = [real - said for said, real in pairs]
    return {
        "told": len(told),
        "switched": sum(reissue.switched_at is not None for reissue in told),
        "longest": longest,
        "real minus told": [percentile(errors, share) for share in (0, 50, 95, 99, 100)] if errors else [],
    }


def _by_minute(reissues: list[CommittedReissue], minutes: float) -> list[dict[str, Any]]:
    """Return for each minute of arrival how long those who chose SMS waited, and how many SMS
    waited at its end.
    """
    lines = []
    by_sms = [reissue for reissue in reissues if reissue.channel == "sms"]
    for minute in range(int(minutes)):
        those = [reissue for reissue in by_sms if minute * 60 <= reissue.committed_at < (minute + 1) * 60]
        if not those:
            continue
        end = (minute + 1) * 60
        stayed = [sms.at - reissue.committed_at for reissue in those if (sms := _first_sms(reissue)) is not None]
        switched = [reissue for reissue in those if reissue.switched_at is not None]
        gone = [message.at - reissue.committed_at for reissue in switched if (message := reissue.first("identifier"))]
        lines.append(
            {
                "minute": minute + 1,
                "by SMS": len(those),
                "told": sum(reissue.told_at is not None for reissue in those),
                "longest told": max((reissue.told_wait or 0 for reissue in those), default=0),
                "switched": len(switched),
                "SMS, 50 %": percentile(stayed, 50),
                "SMS, longest": max(stayed, default=0.0),
                "switched, 50 %": percentile(gone, 50),
                "switched, longest": max(gone, default=0.0),
                "waiting at the end": sum(
                    reissue.committed_at < end and ((first := reissue.first("identifier")) is None or first.at > end)
                    for reissue in by_sms
                ),
                "handed over": sum(
                    end - 60 <= sms.at < end for reissue in by_sms if (sms := _first_sms(reissue)) is not None
                ),
            }
        )
    return lines


def _dynamodb_calls(account: Bill) -> int:
    return sum(count for name, count in account.calls.items() if name.startswith("dynamodb."))


def _cost(account: Bill) -> dict[str, float]:
    services: Counter[str] = Counter()
    for name, count in account.calls.items():
        services[name.partition(".")[0]] += count
    return {
        "invocations": account.invocations,
        **{f"{service} calls": count for service, count in sorted(services.items())},
        "read units": account.read_units,
        "write units": account.write_units,
        "refused writes": account.refused_writes,
        "processor seconds": account.function_seconds,
    }
