"""What became of the canaries: messages that the service sends to itself, by every way that voters'
take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr

if TYPE_CHECKING:
    from reassort.election import Election

CHANNELS = {"email": tr("email"), "sms": tr("sms")}
SUBJECTS = {channel: Subject(tr("Canaries"), CHANNELS[channel], "canaries") for channel in CHANNELS}
_WITHIN = timedelta(hours=1)
_PERIOD_SECONDS = 300
# They begin a day before reissues open.
_AHEAD = timedelta(days=1)


def probes(reach: Reach, stack: DeployedStack, election: Election | None) -> tuple[Probe, ...]:
    """Return a probe for each channel. `election` is None when it cannot be read."""
    return tuple(_probe(reach, stack, election, channel) for channel in SUBJECTS)


def arrived(channel: str, missing: Sequence[Mapping[str, Any]], seconds: Sequence[Mapping[str, Any]]) -> Check:
    """Judge the latest measure of canaries missing, and tell how long the slowest took within the
    hour.
    """
    if not missing:
        raise NotSeenError(tr("nothing measured within the hour"))
    latest = max(missing, key=lambda point: point["Timestamp"])
    slowest = max((point["Maximum"] for point in seconds), default=None)
    took = "" if slowest is None else tr(", the slowest took {slowest:.0f} s", slowest=slowest)
    return SUBJECTS[channel].judged(
        latest["Maximum"] == 0,
        tr("none missing"),
        tr("{maximum:.0f} missing{took}", maximum=latest["Maximum"], took=took),
    )


def _probe(reach: Reach, stack: DeployedStack, election: Election | None, channel: str) -> Probe:
    def look() -> Iterator[Check]:
        if election is None:
            raise NotSeenError(tr("the stack's election cannot be read from its layer"))
        targets = election.canaries.targets if election.canaries else ()
        places = [target.mailbox if channel == "email" else target.handset for target in targets]
        if not any(places):
            raise NotSeenError(
                tr("the election has no canary by e-mail")
                if channel == "email"
                else tr("the election has no canary by SMS")
            )
        window, now = election.windows.reissue, reach.now()
        if not window.opens_at - _AHEAD <= now < window.closes_at:
            raise NotSeenError(
                tr(
                    "they fly from {opens_at:%Y-%m-%d} to {closes_at:%Y-%m-%d}",
                    opens_at=window.opens_at - _AHEAD,
                    closes_at=window.closes_at,
                )
            )
        yield arrived(
            channel,
            _points(reach, stack, "CanariesMissing", channel, now),
            _points(reach, stack, "CanarySeconds", channel, now),
        )

    return Probe((SUBJECTS[channel],), look)


def _points(reach: Reach, stack: DeployedStack, metric: str, channel: str, now: datetime) -> list[Mapping[str, Any]]:
    answer = reach.aws.client("cloudwatch").get_metric_statistics(
        Namespace=stack.name,
        MetricName=metric,
        Dimensions=[{"Name": "channel", "Value": channel}],
        StartTime=now - _WITHIN,
        EndTime=now,
        Period=_PERIOD_SECONDS,
        Statistics=["Maximum"],
    )
    points: list[Mapping[str, Any]] = answer["Datapoints"]
    return points
