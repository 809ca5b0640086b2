"""Requests after the start, as programs to count or time: the reissue, its bare AWS calls, and a
usual handler.

AWS is a server of this machine, in a process of its own, which answers at once: what is left is the
function's own work.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.measuring.programs import Program, instructions
from harness.runtime.surroundings import Surroundings
from harness.runtime.trees import product, reference_packages

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
# An idempotency layer answers a second request of the same content from its table: each has a phone
# number of its own.
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
# As the function's own clients are configured (`reassort.aws`), so that neither side is spared what
# the other does.
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


def _bare(configuration: dict[str, object]) -> str:
    return _BARE.replace("{configuration}", repr(configuration))


def programs(around: Surroundings, measure: str) -> dict[str, Program]:
    """Return the reissue, its bare calls by clients like its own and by the SDK's default ones, and
    NAIVE, each with `measure` behind.
    """
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
    """Return the instructions, or whatever is counted, of the first request ÷ those of a warm
    one.
    """
    started, once, often = (count(programs(around, "invoke()\n" * times)["reissue"]) for times in (0, 1, 11))
    return (once - started) / ((often - once) / 10)
