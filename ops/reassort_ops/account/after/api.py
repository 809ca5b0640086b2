"""The API as the gateway has it.
https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr, trn

KEYS = Subject(tr("API"), tr("no method asks for an API key"), "api")
ONE_STAGE = Subject(tr("API"), tr("one stage"), "api")
ACCESS_LOG = Subject(tr("API"), tr("access log"), "api")
THROTTLE = Subject(tr("API"), tr("throttle"), "api")
FIREWALL = Subject(tr("API"), tr("firewall on the stage"), "firewall")


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of the API's own settings."""
    gateway = reach.aws.client("apigateway")

    def methods() -> Iterator[Check]:
        pages = gateway.get_paginator("get_resources").paginate(restApiId=stack.physical_id("Api"), embed=["methods"])
        yield api_keys([resource for page in pages for resource in page.get("items", [])])

    def stages() -> Iterator[Check]:
        found = gateway.get_stages(restApiId=stack.physical_id("Api")).get("item", [])
        names = [one.physical_id for one in stack.of_type("AWS::ApiGateway::Stage")]
        yield one_stage(found, names)
        ours = next((one for one in found if one["stageName"] in names), None)
        if ours is None:
            raise NotSeenError(tr("the stack's stage is not there"))
        yield throttle(ours)
        # The local AWS keeps no access log.
        reach.raise_if_elsewhere()
        yield access_log(ours)
        stack.raise_without_site()
        yield firewall(ours, stack.physical_id("ApiFirewall"))

    return Probe((KEYS,), methods), Probe((ONE_STAGE, ACCESS_LOG, THROTTLE, FIREWALL), stages)


def api_keys(resources: Sequence[Mapping[str, Any]]) -> Check:
    """Judge whether any method would refuse a voter because an API key is missing, which nobody
    has.
    """
    methods = [
        (f"{name} {resource['path']}", method.get("apiKeyRequired", False))
        for resource in resources
        for name, method in resource.get("resourceMethods", {}).items()
    ]
    asking = [name for name, required in methods if required]
    found = (
        tr("asked by {asking}", asking=listed(asking))
        if asking
        else trn("{count} method, none asks", "{count} methods, none asks", count=len(methods))
    )
    return KEYS.judged(bool(methods) and not asking, tr("none of them"), found)


def one_stage(stages: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Check:
    """Judge whether there is the stack's stage and no other: another one has no firewall, no
    throttle and no log.
    """
    found = sorted(stage["stageName"] for stage in stages)
    return ONE_STAGE.judged(
        found == sorted(names) and len(found) == 1, ", ".join(names), ", ".join(found) or tr("none")
    )


def access_log(stage: Mapping[str, Any]) -> Check:
    """Judge whether the stage writes an access log."""
    group = stage.get("accessLogSettings", {}).get("destinationArn", "")
    return ACCESS_LOG.judged(bool(group), tr("a log group"), group.rpartition(":log-group:")[2] or tr("none"))


def throttle(stage: Mapping[str, Any]) -> Check:
    """Judge whether every method of the stage has a throttle. API Gateway writes -1 for none."""
    settings = stage.get("methodSettings", {}).get("*/*", {})
    rate, burst = settings.get("throttlingRateLimit", -1), settings.get("throttlingBurstLimit", -1)
    found = tr("{rate:,.0f} a second, {burst:,} in a burst", rate=rate, burst=burst) if rate > 0 else tr("none")
    return THROTTLE.judged(rate > 0 and burst > 0, tr("a rate and a burst for */*"), found)


def firewall(stage: Mapping[str, Any], ours: str) -> Check:
    """Judge whether the stage has the stack's web ACL. Its physical id is `name|id|scope`; only the
    id is compared, no rule is read.
    """
    arn = stage.get("webAclArn", "")
    name, _, rest = ours.partition("|")
    identifier = rest.partition("|")[0]
    holds = bool(identifier) and arn.endswith(f"/{name}/{identifier}")
    return FIREWALL.judged(holds, name, "/".join(arn.split("/")[2:3]) or tr("none"))
