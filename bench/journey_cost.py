"""What one voter's journey asks of AWS, step by step, measured on the real functions: calls,
request units by table and key, processor time.

Units follow from the sizes of the items that were really written (`harness.measuring.units`); an
emulator's answers are constants. What an index costs is counted where a write names its key.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reassort.tables import to_wire

from harness.measuring.units import item_size, read_units, write_units
from harness.service.world import World

if TYPE_CHECKING:
    from harness.service.wire import Call

# Attributes that are keys of an index of the deliveries table; a write that names one writes the
# index, too.
_INDEX_KEYS = ("due_at", "sms_id")
# Tables whose keys many voters share; all others have a voter's, an identifier's or a delivery's
# own.
_SHARED = ("LimitsTable", "ControlTable", "PaceTable", "SignInTable")
_NUMEN = "09E{:07d}ABC"


@dataclass
class JourneyStep:
    """One step, as the sum over `times` voters. `keys` are the units written to keys that voters
    share, by table and key.
    """

    name: str
    function: str
    times: int = 0
    seconds: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    writes: Counter[str] = field(default_factory=Counter)
    reads: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    keys: Counter[str] = field(default_factory=Counter)

    @property
    def processor_ms(self) -> float:
        """Return the processor time of the function in one step, in milliseconds."""
        return self.seconds * 1000 / self.times

    def per_voter(self, counted: Mapping[str, float]) -> dict[str, float]:
        """Return a count for one voter."""
        return {name: count / self.times for name, count in sorted(counted.items())}


def measure(voters: int) -> dict[str, JourneyStep]:
    """Let so many voters go through their journey one after the other, half of them by SMS, and
    return its steps by name.
    """
    steps: dict[str, JourneyStep] = {}
    with World() as world:

        @contextmanager
        def step(name: str, function: str) -> Iterator[None]:
            with world.recorded() as calls:
                started = time.thread_time()
                yield
                seconds = time.thread_time() - started
            one = steps.setdefault(name, JourneyStep(name, function))
            one.times += 1
            one.seconds += seconds
            for call in calls:
                _count(world, call, one)

        for number in range(voters):
            email = f"voter{number}@ac-dijon.fr"
            voter = world.enrol(email, _NUMEN.format(number))
            browser = world.browser()
            with step("POST login", "login"):
                browser.ask_code(email)
            with step("deliver code", "notify"):
                world.run_outbox()
            code = world.code_for(email)
            with step("POST code", "login"):
                browser.redeem(code)
            with step("GET reissue", "reissue"):
                browser.overview()
            with step("POST reissue", "reissue"):
                answer = browser.reissue(voter.numen, phone=f"06{number:08d}", channel="sms" if number % 2 else "email")
            with step("deliver reissue by SMS" if number % 2 else "deliver reissue by e-mail", "notify"):
                world.run_outbox()
            with step("GET status", "reissue"):
                browser.status(answer.json["reference"])
            world.clock.set(world.clock() + timedelta(seconds=2))
    return steps


def _count(world: World, call: Call, step: JourneyStep) -> None:
    step.calls[f"{call.service}.{call.operation}"] += 1
    if call.service != "dynamodb":
        return
    parameters = call.parameters
    match call.operation:
        case "BatchGetItem":
            for table, wanted in parameters["RequestItems"].items():
                for key in wanted["Keys"]:
                    step.reads[table] += _read(world, table, key, consistent=wanted.get("ConsistentRead", False))
        case "GetItem":
            table = parameters["TableName"]
            step.reads[table] += _read(
                world, table, parameters["Key"], consistent=parameters.get("ConsistentRead", False)
            )
        case "TransactWriteItems":
            for action in parameters["TransactItems"]:
                ((kind, request),) = action.items()
                _count_write(world, kind, request, step, transactional=True)
        case "PutItem" | "UpdateItem" | "DeleteItem":
            _count_write(world, call.operation.removesuffix("Item"), parameters, step, transactional=False)
        case _:
            raise ValueError(f"{call.operation} is not counted")


def _count_write(world: World, kind: str, request: dict[str, Any], step: JourneyStep, *, transactional: bool) -> None:
    table = request["TableName"]
    if kind == "Put":
        item = request["Item"]
    else:
        stored = world.engine.get(table, {name: next(iter(value.values())) for name, value in request["Key"].items()})
        item = to_wire(stored) if stored else request["Key"]
    units = write_units(item_size(item), transactional=transactional)
    written = {**item, **dict.fromkeys(request.get("UpdateExpression", "").replace(",", " ").split())}
    # Both indices hold keys and little else: one unit, and in no transaction.
    units += sum(
        name in written and (kind == "Put" or name in request.get("UpdateExpression", "")) for name in _INDEX_KEYS
    )
    step.writes[table] += units
    if table in _SHARED:
        key = next(iter((request.get("Key") or item).values()))["S"]
        name = key.split("#")[0] + ("#" + key.split("#")[1] if key.startswith("pace#") else "")
        if "#" in key:
            step.keys[f"{table} {name}"] += units


def _read(world: World, table: str, key: dict[str, Any], *, consistent: bool) -> float:
    stored = world.engine.get(table, {name: next(iter(value.values())) for name, value in key.items()})
    return read_units(item_size(to_wire(stored)) if stored else 0, consistent=consistent)
