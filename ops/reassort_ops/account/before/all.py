"""All checks before a deploy, in the order in which they are shown."""

from __future__ import annotations

from reassort_ops.account.before import certificate, credentials, email, parameters, quotas, sharing, sms
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.probes import Probe
from reassort_ops.account.reach import Reach


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return every probe of an account."""
    return (
        credentials.probe(reach, plan.region),
        *parameters.probes(reach, plan),
        certificate.probe(reach, plan),
        email.probe(reach, plan),
        *sms.probes(reach, plan),
        *quotas.probes(reach, plan),
        *sharing.probes(reach, plan),
    )
