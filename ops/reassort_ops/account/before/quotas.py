"""What Lambda and API Gateway let the whole account do at once, against the busiest minute of the
first morning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reassort_ops.account.before.parameters import deployed_parameters
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import joined, number, tr

CONCURRENCY = Subject(tr("Quotas"), tr("Lambda: functions at once"), "quotas")
RESERVED = Subject(tr("Quotas"), tr("Lambda: room for reserved concurrency"), "quotas")
THROTTLE = Subject(tr("Quotas"), tr("API Gateway: requests a second"), "quotas")
# Lambda keeps so many environments for functions that reserve none: PutFunctionConcurrency refuses
# to leave fewer. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100
# The parameters that take environments out of the account's.
_SHARES = ("RegistryConcurrency", "ColdStarts", "ReadyEnvironments")


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return the probes of the account's quotas."""

    def at_once() -> Iterator[Check]:
        limits = reach.aws.client("lambda").get_account_settings()["AccountLimit"]
        # Of what is left to others, a stack that is there has taken its own share; a deploy takes
        # it once.
        held = deployed_parameters(reach, plan.settings.stack_name) or {}
        free = limits["UnreservedConcurrentExecutions"] + _count(held, "RegistryConcurrency") + _kept_ready(held)
        wanted = {name: plan.settings.value(name, "0") for name in _SHARES}
        yield reserved(free, _count(wanted, "RegistryConcurrency"))
        yield concurrency(free, plan.known_demand().functions_at_once, _kept_ready(wanted))

    def a_second() -> Iterator[Check]:
        needed = plan.known_demand().requests_a_second
        yield throttle(reach.aws.client("apigateway").get_account(), needed)

    return Probe((CONCURRENCY, RESERVED), at_once), Probe((THROTTLE,), a_second)


def concurrency(free: int, at_once: int, provisioned: int) -> Check:
    """Judge how many environments functions without a reservation may share. What is provisioned is
    taken out of them.
    """
    needed = max(UNRESERVED, at_once) + provisioned
    why = tr("{always} always; {at_once} in the busiest minute", always=UNRESERVED, at_once=at_once)
    if provisioned:
        why = joined("; ", (why, tr("{provisioned} kept ready", provisioned=provisioned)))
    return CONCURRENCY.judged(free >= needed, tr("at least {needed:,} ({why})", needed=needed, why=why), number(free))


def reserved(free: int, registry: int) -> Check:
    """Judge whether the registry's reservation leaves the 100 that Lambda keeps."""
    if not registry:
        return RESERVED.judged(True, "RegistryConcurrency=0", tr("nothing to reserve"))
    room = max(0, free - UNRESERVED)
    return RESERVED.judged(registry <= room, f"RegistryConcurrency={registry}", tr("room for {room:,}", room=room))


def throttle(account: Mapping[str, Any], needed: int) -> Check:
    """Judge the account's throttle, which all APIs of the region share."""
    settings = account.get("throttleSettings")
    if not settings:
        raise NotSeenError(tr("GetAccount says nothing of throttles"))
    rate, burst = settings["rateLimit"], settings["burstLimit"]
    return THROTTLE.judged(
        rate >= needed,
        tr("at least {needed:,}", needed=needed),
        tr("{rate:,.0f}, {burst:,} in a burst", rate=rate, burst=burst),
    )


def _kept_ready(parameters: Mapping[str, str]) -> int:
    """Return how many environments `ColdStarts=provisioned` keeps ready: of login, and of
    reissue.
    """
    return 2 * _count(parameters, "ReadyEnvironments") if parameters.get("ColdStarts") == "provisioned" else 0


def _count(parameters: Mapping[str, str], name: str) -> int:
    value = parameters.get(name, "0")
    return int(value) if value.isdigit() else 0
