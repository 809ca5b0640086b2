"""The warm path: what a reissue costs beside its own AWS calls, and beside a usual handler (P2,
P2b, P2c).

    make bench-warm

AWS is a server of this machine, in a process of its own, which answers at once: what is left is the
function's own work.
"""

from __future__ import annotations

import sys

from harness.measuring.programs import RUNS, Spread, by_turns, counted
from harness.measuring.results import Figure, Section, finish
from harness.runtime.surroundings import Surroundings, surroundings
from harness.runtime.warm import connections_opened, first_beside_warm, programs

COMMAND = "make bench-warm"
_FEW, _MANY = 20, 120

_COUNTED = "for _ in range({times}):\n    invoke()\n"
_TIMED = """
start = time.perf_counter()
invoke()
first = time.perf_counter() - start
taken, used = [], time.process_time()
for _ in range({times}):
    start = time.perf_counter()
    invoke()
    taken.append(time.perf_counter() - start)
used = time.process_time() - used
taken.sort()
print(json.dumps({{"measured": {{"first": first * 1000, "warm": taken[len(taken) // 2] * 1000,
    "request": used / {times} * 1000, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}}}}))
"""


def instructions_of_one(around: Surroundings) -> dict[str, float]:
    """Count the instructions of one warm request of each."""
    few, many = (counted(programs(around, "invoke()\n" + _COUNTED.format(times=times))) for times in (_FEW, _MANY))
    return {name: (many[name] - few[name]) / (_MANY - _FEW) for name in few}


def measure(runs: int = RUNS) -> Section:
    """Measure all of it."""
    with surroundings() as around:
        cost = instructions_of_one(around)
        plain = by_turns(programs(around, _TIMED.format(times=100)), runs)
        opened = connections_opened(around)
    with surroundings(tls=True) as around:
        first_by_instructions = first_beside_warm(around)
        timed = programs(around, _TIMED.format(times=30))
        encrypted = by_turns({name: timed[name] for name in ("reissue", "NAIVE")}, runs)
    first = Spread(
        tuple(
            one / other
            for one, other in zip(
                encrypted["reissue"]["first"].values, encrypted["reissue"]["warm"].values, strict=True
            )
        )
    )
    return Section(
        "warm",
        "Warm path",
        COMMAND,
        (
            Figure(
                "P2",
                "warm reissue ÷ its bare SDK calls, instructions",
                cost["reissue"] / cost["bare calls"],
                1.15,
                digits=3,
            ),
            Figure(
                "P2",
                "the same, ms of processor",
                plain["reissue"]["request"].median / plain["bare calls"]["request"].median,
                note=f"{plain['reissue']['request']} ÷ {plain['bare calls']['request']}",
            ),
            Figure(
                "P2",
                "warm reissue ÷ the same calls by the SDK's default clients, instructions",
                cost["reissue"] / cost["bare calls by default"],
            ),
            Figure("P2", "warm reissue ÷ NAIVE, instructions", cost["reissue"] / cost["NAIVE"], 0.40, digits=3),
            Figure(
                "P2",
                "the same, ms of processor",
                plain["reissue"]["request"].median / plain["NAIVE"]["request"].median,
                note=f"{plain['reissue']['request']} ÷ {plain['NAIVE']['request']}",
            ),
            Figure(
                "P2",
                "connections opened by 20 reissues, once started",
                opened["reissue"],
                0,
                f"NAIVE {opened['NAIVE']:g}",
                digits=0,
            ),
            Figure("P2b", "first request ÷ warm request over TLS, instructions", first_by_instructions, 3.0),
            Figure(
                "P2b",
                "the same, ms by the clock",
                first.median,
                note=f"{encrypted['reissue']['first']} ÷ {encrypted['reissue']['warm']}; NAIVE "
                f"{encrypted['NAIVE']['first']} ÷ {encrypted['NAIVE']['warm']}",
            ),
            Figure(
                "P2c",
                "peak memory ÷ NAIVE, after 100 requests",
                plain["reissue"]["peak"].median / plain["NAIVE"]["peak"].median,
                0.65,
                note=f"{plain['reissue']['peak']} ÷ {plain['NAIVE']['peak']} MiB",
            ),
        ),
        (
            f"Instructions of one request: {cost['reissue']:,.0f} the reissue, {cost['bare calls']:,.0f} its bare "
            f"calls, {cost['NAIVE']:,.0f} NAIVE.",
            "The bare calls are boto3's, with the very parameters that the reissue sent; unless said otherwise, its "
            "clients check no parameters and have a fixed user agent, like the reissue's.",
        ),
    )


if __name__ == "__main__":
    sys.exit(finish(measure()))
