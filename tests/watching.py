"""What the service counts, by meters and from its logs, and what the template watches of it."""

from __future__ import annotations

import json
from typing import Any

from notify.meters import Meters
from reassort.outbox import Channel
from reassort.reasons import Reason

from harness.engines.template import read_template

OF_THIS_STACK = {"Ref": "AWS::StackName"}
ALARM_TYPES = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def resources_of(*types: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the template's resources of these types by logical id."""
    resources = read_template()["Resources"]
    return {name: part["Properties"] for name, part in resources.items() if part["Type"] in types}


def emitted() -> list[dict[str, Any]]:
    """Return every kind of line that the meters write."""
    lines: list[str] = []
    meters = Meters("reassort", ["ac-dijon.fr"], lines.append)
    meters.count_hand_over(Channel.EMAIL, 1200, "ac-dijon.fr")
    meters.count_failure(Channel.SMS, Reason.OPTED_OUT, None)
    meters.count_failure(Channel.EMAIL, Reason.MAILBOX_FULL, "ac-dijon.fr")
    meters.count_arrival(Channel.EMAIL, "ac-dijon.fr")
    meters.count_undelivered()
    meters.count_complaint("ac-dijon.fr")
    meters.count_parked()
    meters.count_unknown_receipt()
    meters.measure_waiting("sms", 3, 12.5)
    meters.measure_overdue(0)
    meters.measure_unusable_keys(0)
    meters.measure_sms(80)
    meters.measure_codes(80)
    meters.count_sms_cost(0.07)
    meters.measure_canary(Channel.EMAIL, "ac-dijon.fr", 4.2)
    meters.measure_missing_canaries({(Channel.SMS, "ac-dijon.fr"): True})
    return [json.loads(line) for line in lines]


def written_metrics() -> set[tuple[str, frozenset[str]]]:
    """Return each metric with each set of dimensions that it is written with, by the meters or from
    the logs.
    """
    metered = {
        (metric["Name"], frozenset(names))
        for line in emitted()
        for directive in line["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
        for names in directive["Dimensions"]
    }
    return metered | {(metric, frozenset()) for metric in counted_from_logs()}


def counted_from_logs() -> list[str]:
    """Return the metrics that filters count in the functions' logs."""
    filters = [
        part["Properties"]["MetricTransformations"]
        for part in read_template()["Resources"].values()
        if part["Type"] == "AWS::Logs::MetricFilter"
    ]
    assert all(made["MetricNamespace"] == OF_THIS_STACK for transformations in filters for made in transformations)
    return [made["MetricName"] for transformations in filters for made in transformations]
