"""Whose account it is, and whether it may be asked at all."""

from __future__ import annotations

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import Probe, code_of, reason
from reassort_ops.account.reach import Reach
from reassort_ops.language import tr

CREDENTIALS = Subject(tr("Account"), tr("credentials"), "credentials")


def probe(reach: Reach, region: str) -> Probe:
    """Return the probe of the credentials in a region. A region that is not there, or not enabled,
    has no STS that answers.
    """

    def look() -> Iterator[Check]:
        expected = tr("valid in {region}", region=region)
        try:
            caller = reach.aws.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            why = code_of(error) if isinstance(error, ClientError) else reason(error)
            yield CREDENTIALS.judged(False, expected, why)
            return
        yield CREDENTIALS.judged(
            True,
            expected,
            tr("account {account}, {caller}", account=caller["Account"], caller=caller["Arn"].rpartition(":")[2]),
        )

    return Probe((CREDENTIALS,), look)
