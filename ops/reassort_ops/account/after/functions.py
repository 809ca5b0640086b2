"""The functions as Lambda runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr, trc, trn

ACTIVE = Subject(tr("Functions"), trc("functions", "active"), "functions")
ARCHITECTURE = Subject(tr("Functions"), tr("one architecture, layer included"), "functions")
TRIGGERS = Subject(tr("Functions"), tr("triggers enabled"), "functions")
LOOP = Subject(tr("Functions"), tr("delivery may call itself"), "functions")
RESERVED = Subject(tr("Functions"), tr("reserved concurrency of the registry"), "functions")


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of the functions."""
    functions = stack.of_type("AWS::Lambda::Function")

    def configurations() -> Iterator[Check]:
        client = reach.aws.client("lambda")
        found = {one.logical_id: client.get_function_configuration(FunctionName=one.physical_id) for one in functions}
        yield active(found)
        layers = {
            one.logical_id: client.get_layer_version_by_arn(Arn=one.physical_id).get("CompatibleArchitectures", [])
            for one in stack.of_type("AWS::Lambda::LayerVersion")
        }
        yield architecture(found, layers, stack.parameters.get("Architecture", ""))

    def triggers() -> Iterator[Check]:
        client, pages = reach.aws.client("lambda"), []
        for one in functions:
            paginator = client.get_paginator("list_event_source_mappings")
            pages += list(paginator.paginate(FunctionName=one.physical_id))
        yield enabled([mapping for page in pages for mapping in page["EventSourceMappings"]])

    def recursion() -> Iterator[Check]:
        # The local AWS does not look for loops.
        reach.raise_if_elsewhere()
        name = stack.physical_id("NotifyFunction")
        yield loop(reach.aws.client("lambda").get_function_recursion_config(FunctionName=name))

    def reservation() -> Iterator[Check]:
        name = stack.physical_id("RegistryFunction")
        answer = reach.aws.client("lambda").get_function_concurrency(FunctionName=name)
        yield reserved(answer, int(stack.parameters.get("RegistryConcurrency") or "0"))

    return (
        Probe((ACTIVE, ARCHITECTURE), configurations),
        Probe((TRIGGERS,), triggers),
        Probe((LOOP,), recursion),
        Probe((RESERVED,), reservation),
    )


def active(found: Mapping[str, Mapping[str, Any]]) -> Check:
    """Judge whether each function can be called, and its last update took. The first call of one
    that is Inactive would fail.
    """
    faults = [
        tr("{name} is {state}/{update}", name=name, state=answer.get("State"), update=answer.get("LastUpdateStatus"))
        for name, answer in found.items()
        if answer.get("State", "Active") != "Active" or answer.get("LastUpdateStatus", "Successful") != "Successful"
    ]
    return ACTIVE.judged(
        bool(found) and not faults,
        tr("Active, last update Successful"),
        listed(faults) or trn("{count} function", "{count} functions", count=len(found)),
    )


def architecture(found: Mapping[str, Mapping[str, Any]], layers: Mapping[str, Sequence[str]], expected: str) -> Check:
    """Judge whether functions and layer are built for the same instruction set: compiled wheels of
    another one do not load.
    """
    others = [
        f"{name} {'/'.join(kinds)}"
        for name, kinds in (
            *((name, answer.get("Architectures", [])) for name, answer in found.items()),
            *layers.items(),
        )
        # A layer that declares none is taken to be of any.
        if kinds and list(kinds) != [expected]
    ]
    return ARCHITECTURE.judged(
        not others,
        expected,
        listed(others)
        if others
        else tr("{functions} functions, {layers} layer", functions=len(found), layers=len(layers)),
    )


def enabled(mappings: Sequence[Mapping[str, Any]]) -> Check:
    """Judge whether each stream and queue still wakes its function."""
    off = [
        tr(
            "{trigger} is {state}",
            trigger=mapping["EventSourceArn"].split(":")[5].partition("/stream/")[0],
            state=mapping["State"],
        )
        for mapping in mappings
        if mapping["State"] != "Enabled"
    ]
    return TRIGGERS.judged(
        bool(mappings) and not off,
        "Enabled",
        listed(off) or trn("{count} trigger", "{count} triggers", count=len(mappings)),
    )


def loop(answer: Mapping[str, Any]) -> Check:
    """Judge whether Lambda lets delivery go on after sixteen turns through its queue: a message
    that is tried again is no loop.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
    """
    found = answer.get("RecursiveLoop", "Terminate")
    return LOOP.judged(found == "Allow", "RecursiveLoop=Allow", found)


def reserved(answer: Mapping[str, Any], asked: int) -> Check:
    """Judge whether the registry has the environments that the parameter RegistryConcurrency keeps
    for it, 0 for none.
    """
    found = answer.get("ReservedConcurrentExecutions", 0)
    if asked < 0:
        raise NotSeenError(f"RegistryConcurrency={asked}")
    return RESERVED.judged(found == asked, f"RegistryConcurrency={asked}", str(found))
