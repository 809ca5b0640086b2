"""What Lambda and API Gateway let the whole account do at once, against the busiest minute of the first morning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach

CONCURRENCY = Subject("Quotas", "Lambda: functions at once", "quotas")
RESERVED = Subject("Quotas", "Lambda: room for reserved concurrency", "quotas")
THROTTLE = Subject("Quotas", "API Gateway: requests a second", "quotas")
# Lambda keeps so many environments for functions that reserve none: PutFunctionConcurrency refuses to leave fewer.
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
UNRESERVED = 100


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return the probes of the account's quotas."""

    def at_once() -> Iterator[Check]:
        limits = reach.aws.client("lambda").get_account_settings()["AccountLimit"]
        yield reserved(limits, _number(plan, "RegistryConcurrency"))
        yield concurrency(limits, plan.known_demand().functions_at_once, _provisioned(plan))

    def a_second() -> Iterator[Check]:
        needed = plan.known_demand().requests_a_second
        yield throttle(reach.aws.client("apigateway").get_account(), needed)

    return Probe((CONCURRENCY, RESERVED), at_once), Probe((THROTTLE,), a_second)


def concurrency(limits: Mapping[str, Any], at_once: int, provisioned: int) -> Check:
    """Judge how many environments functions without a reservation may share. What is provisioned is taken out of them."""
    needed = max(UNRESERVED, at_once) + provisioned
    why = f"{UNRESERVED} always; {at_once} in the busiest minute" + (
        f"; {provisioned} kept ready" if provisioned else ""
    )
    free = limits["UnreservedConcurrentExecutions"]
    return CONCURRENCY.judged(free >= needed, f"at least {needed:,} ({why})", f"{free:,}")


def reserved(limits: Mapping[str, Any], registry: int) -> Check:
    """Judge whether the registry's reservation leaves the 100 that Lambda keeps."""
    if not registry:
        return RESERVED.judged(True, "RegistryConcurrency=0", "nothing to reserve")
    room = max(0, limits["UnreservedConcurrentExecutions"] - UNRESERVED)
    return RESERVED.judged(registry <= room, f"RegistryConcurrency={registry}", f"room for {room:,}")


def throttle(account: Mapping[str, Any], needed: int) -> Check:
    """Judge the account's throttle, which all APIs of the region share."""
    settings = account.get("throttleSettings")
    if not settings:
        raise NotSeenError("GetAccount says nothing of throttles")
    rate, burst = settings["rateLimit"], settings["burstLimit"]
    return THROTTLE.judged(rate >= needed, f"at least {needed:,}", f"{rate:,.0f}, {burst:,} in a burst")


def _provisioned(plan: Plan) -> int:
    """Return how many environments `ColdStarts=provisioned` keeps ready: of login, and of reissue."""
    return 2 * _number(plan, "ReadyEnvironments") if plan.settings.value("ColdStarts") == "provisioned" else 0


def _number(plan: Plan, name: str) -> int:
    value = plan.settings.value(name, "0")
    return int(value) if value.isdigit() else 0
