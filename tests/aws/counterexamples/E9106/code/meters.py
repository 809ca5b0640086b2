"""Metrics of an example, in the form of the embedded metric format."""

from aws_lambda_powertools.metrics import MetricUnit


class Meters:
    """Counts complaints by channel, and measures what waits, in each lane and in all."""

    def count_complaint(self, domain: str) -> None:
        """Count a complaint."""
        self._emit({"Complaints": (MetricUnit.Count, 1)}, [{"channel": "email", "domain": domain}])

    def measure_waiting(self, lane: str, count: float) -> None:
        """Measure what waits."""
        self._emit({"Waiting": (MetricUnit.Count, count)}, [{"lane": lane}, {}])

    def _emit(self, metrics: dict[str, tuple[MetricUnit, float]], dimensions: list[dict[str, str]]) -> None:
        """Write the line."""
