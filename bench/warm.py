"""The warm path: what a reissue costs beside its own AWS calls, and beside a usual handler (P2, P2b, P2c).

    make bench-warm

AWS is a server of this machine, in a process of its own, which answers at once: what is left is the function's own work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.measuring import RUNS, Program, Spread, by_turns, counted, instructions
from bench.results import Figure, Section, finish
from bench.surroundings import Surroundings, surroundings
from bench.trees import product, reference_packages

COMMAND = "make bench-warm"
_FEW, _MANY = 20, 120

# `invoke` is one request; the rest is alike for all three.
_PREPARE = """
import json, os, resource, sys, time
event = json.loads(open(os.environ["EVENT"], encoding="utf-8").read())
class Context:
    function_name = "measured"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-west-3:000000000000:function:measured"
    aws_request_id = "request"
    def get_remaining_time_in_millis(self):
        return 10000
"""
_REISSUE = """
from reissue.handler import lambda_handler
def invoke():
    answer = lambda_handler(event, Context())
    assert answer["statusCode"] == 202, answer
"""
# An idempotency layer answers a second request of the same content from its table: each has a phone number of its own.
_NAIVE = """
from naive import lambda_handler
number = 10000000
def invoke():
    global number
    number += 1
    form = json.loads(event["body"])
    form["phone"] = f"06{number}"
    answer = lambda_handler({**event, "body": json.dumps(form)}, Context())
    assert answer["statusCode"] == 200, answer
"""
# The calls that the reissue made once, made again by bare clients.
_BARE = """
import ast
import boto3
from botocore.config import Config
calls = ast.literal_eval(open(os.environ["CALLS"], encoding="utf-8").read())
session = boto3.session.Session()
clients = {name: session.client(name, config=Config(**{configuration})) for name in ("dynamodb", "kms")}
steps = [(getattr(clients[service], method), parameters) for service, method, parameters in calls]
def invoke():
    for call, parameters in steps:
        call(**parameters)
"""
# As the function's own clients are configured (`reassort.aws`), so that neither side is spared what the other does.
_LEAN = {"parameter_validation": False, "user_agent": "reassort", "disable_request_compression": True}
_RECORD = """
import reissue.handler as handler
from botocore import xform_name
def plain(value):
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return str(value) if isinstance(value, str) else value
def note(params, model, **_):
    noted.append((model.service_model.service_name, xform_name(model.name), plain(params)))
noted = []
for client in (handler._deps.dynamodb, handler._deps.sealer._kms):
    client.meta.events.register_first("provide-client-params.*", note)
answer = handler.lambda_handler(event, Context())
assert answer["statusCode"] == 202, answer
with open(os.environ["CALLS"], "w", encoding="utf-8") as file:
    file.write(repr(noted))
"""
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


def _bare(configuration: dict[str, object]) -> str:
    return _BARE.replace("{configuration}", repr(configuration))


def programs(around: Surroundings, measure: str) -> dict[str, Program]:
    """Return the reissue, its bare calls by clients like its own and by the SDK's default ones, and NAIVE, each with `measure` behind."""
    reissue = product().path("reissue")
    reference = (reference_packages(compiled=True),)
    environment = {
        **around.environment,
        "EVENT": str(around.event),
        "CALLS": str(around.event.with_name("calls.txt")),
    }
    record = Program(_PREPARE + _RECORD, reissue, environment)
    record.run()
    return {
        "reissue": Program(_PREPARE + _REISSUE + measure, reissue, environment),
        "bare calls": Program(_PREPARE + _bare(_LEAN) + measure, reference, environment),
        "bare calls by default": Program(_PREPARE + _bare({}) + measure, reference, environment),
        "NAIVE": Program(_PREPARE + _NAIVE + measure, reference, environment),
    }


def instructions_of_one(around: Surroundings) -> dict[str, float]:
    """Count the instructions of one warm request of each."""
    few, many = (counted(programs(around, "invoke()\n" + _COUNTED.format(times=times))) for times in (_FEW, _MANY))
    return {name: (many[name] - few[name]) / (_MANY - _FEW) for name in few}


# What is opened once a function has started; `invoke` comes after.
_CONNECTIONS = """
opened = []
sys.addaudithook(lambda event, _: opened.append(event) if event == "socket.connect" else None)
for _ in range({times}):
    invoke()
print(json.dumps({{"measured": {{"opened": len(opened)}}}}))
"""


def connections_opened(around: Surroundings, times: int = 20) -> dict[str, float]:
    """Return how many connections so many requests open after the start."""
    measured = programs(around, _CONNECTIONS.format(times=times))
    return {name: measured[name].run()["opened"] for name in ("reissue", "NAIVE")}


def first_beside_warm(around: Surroundings, count: Callable[[Program], int] = instructions) -> float:
    """Return the instructions, or whatever is counted, of the first request ÷ those of a warm one."""
    started, once, often = (count(programs(around, "invoke()\n" * times)["reissue"]) for times in (0, 1, 11))
    return (once - started) / ((often - once) / 10)


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
                note=f"{encrypted['reissue']['first']} ÷ {encrypted['reissue']['warm']}; NAIVE {encrypted['NAIVE']['first']} ÷ {encrypted['NAIVE']['warm']}",
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
            f"Instructions of one request: {cost['reissue']:,.0f} the reissue, {cost['bare calls']:,.0f} its bare calls, {cost['NAIVE']:,.0f} NAIVE.",
            "The bare calls are boto3's, with the very parameters that the reissue sent; unless said otherwise, its clients check no parameters and have a fixed user agent, like the reissue's.",
        ),
    )


if __name__ == "__main__":
    sys.exit(finish(measure()))
