"""What operators watch: metrics in CloudWatch's embedded format, one line of the log for each fact.
No metric is about one voter.
"""

import json
from collections.abc import Callable, Collection, Mapping

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from reassort.outbox import Channel
from reassort.reasons import Reason


class Meters:
    """Counts what happens to messages. `write` gets each line; only the election's own mail domains
    are distinguished.
    """

    def __init__(self, namespace: str, domains: Collection[str], write: Callable[[str], object] = print) -> None:
        # `Metrics` shares what it holds with every other one; this is alone. An empty service adds
        # no dimension of that name.
        self._metrics = EphemeralMetrics(namespace=namespace, service="")
        self._domains = frozenset(domains)
        self._write = write

    def count_hand_over(self, channel: Channel, milliseconds: int, domain: str | None) -> None:
        """Count a message that a provider took, and how long it had been queued."""
        sets = self._by_domain({"channel": channel.value}, domain)
        self._emit({"HandedOverAfter": (MetricUnit.Milliseconds, milliseconds)}, sets)

    def count_failure(self, channel: Channel, reason: Reason, domain: str | None) -> None:
        """Count a message that will not arrive by this channel."""
        by_channel = {"channel": channel.value}
        sets = [*self._by_domain(by_channel, domain), {**by_channel, "reason": reason.value}]
        self._emit({"Failed": (MetricUnit.Count, 1), "FailurePercent": (MetricUnit.Percent, 100)}, sets)

    def count_undelivered(self) -> None:
        """Count an identifier or a confirmation that will not arrive at all: somebody must look."""
        self._emit({"Undelivered": (MetricUnit.Count, 1)})

    def count_arrival(self, channel: Channel, domain: str | None) -> None:
        """Count a message that arrived: the other side of the failure rate."""
        sets = self._by_domain({"channel": channel.value}, domain)
        self._emit({"Delivered": (MetricUnit.Count, 1), "FailurePercent": (MetricUnit.Percent, 0)}, sets)

    def count_complaint(self, domain: str | None) -> None:
        """Count a message that its recipient marked as spam."""
        self._emit({"Complaints": (MetricUnit.Count, 1)}, self._by_domain({"channel": "email"}, domain))

    def count_parked(self) -> None:
        """Count a delivery that cannot be processed."""
        self._emit({"Parked": (MetricUnit.Count, 1)})

    def count_unknown_receipt(self) -> None:
        """Count a receipt for a message that this service does not know, or no longer."""
        self._emit({"UnknownReceipts": (MetricUnit.Count, 1)})

    def measure_waiting(self, lane: str, count: int, oldest_seconds: float) -> None:
        """Measure what waits in a lane: how many messages, and for how long the oldest has."""
        values = {"Waiting": (MetricUnit.Count, float(count)), "OldestWaiting": (MetricUnit.Seconds, oldest_seconds)}
        self._emit(values, [{"lane": lane}, {}])

    def measure_overdue(self, oldest_seconds: float) -> None:
        """Measure for how long the most overdue delivery should have been handed over, or tried
        again.
        """
        self._emit({"OldestOverdue": (MetricUnit.Seconds, oldest_seconds)})

    def measure_unusable_keys(self, count: int) -> None:
        """Measure how many of the service's keys KMS does not let it use."""
        self._emit({"UnusableKeys": (MetricUnit.Count, float(count))})

    def measure_sms(self, cap_used_percent: float) -> None:
        """Measure how much of the day's SMS is used."""
        self._emit({"SmsCapUsed": (MetricUnit.Percent, cap_used_percent)})

    def measure_codes(self, used_percent: float) -> None:
        """Measure how much of the day's codes is used that everybody may have."""
        self._emit({"CodesUsed": (MetricUnit.Percent, used_percent)})

    def count_sms_cost(self, usd: float) -> None:
        """Add what an SMS cost, in US dollars, as its carrier's report says."""
        self._emit({"SmsSpend": (MetricUnit.NoUnit, usd)})

    def measure_canary(self, channel: Channel, domain: str, seconds: float) -> None:
        """Measure how long after it was due a canary arrived."""
        self._emit(
            {"CanarySeconds": (MetricUnit.Seconds, seconds)}, self._by_domain({"channel": channel.value}, domain)
        )

    def measure_missing_canaries(self, missing: Mapping[tuple[Channel, str], bool]) -> None:
        """Measure how many canaries have not arrived in time: for each channel and domain, and for
        each channel in all.
        """
        for channel in sorted({channel for channel, _ in missing}):
            of_channel = {domain: late for (by, domain), late in missing.items() if by is channel}
            self._emit_missing(sum(of_channel.values()), {"channel": channel.value})
            for domain, late in of_channel.items():
                self._emit_missing(late, {"channel": channel.value, "domain": domain})

    def _emit_missing(self, count: int, dimensions: dict[str, str]) -> None:
        self._emit({"CanariesMissing": (MetricUnit.Count, float(count))}, [dimensions])

    def _by_domain(self, dimensions: Mapping[str, str], domain: str | None) -> list[dict[str, str]]:
        sets = [dict(dimensions)]
        if domain in self._domains:
            sets.append({**dimensions, "domain": str(domain)})
        return sets

    def _emit(
        self, metrics: Mapping[str, tuple[MetricUnit, float]], dimensions: list[dict[str, str]] | None = None
    ) -> None:
        # Of the line before.
        self._metrics.clear_metrics()
        # Only the first set may be empty.
        first, *others = sorted(dimensions or [{}], key=len)
        for dimension, value in first.items():
            self._metrics.add_dimension(dimension, value)
        for other in others:
            self._metrics.add_dimensions(**other)
        for name, (unit, number) in metrics.items():
            self._metrics.add_metric(name, unit, number)
        self._write(json.dumps(self._metrics.serialize_metric_set(), separators=(",", ":")))
