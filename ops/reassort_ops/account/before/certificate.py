"""The site's certificate.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import NotSeenError, Probe, code_of
from reassort_ops.account.reach import Reach
from reassort_ops.language import joined, tr

ISSUED = Subject(tr("Certificate"), tr("issued"), "certificate")
COVERS = Subject(tr("Certificate"), tr("covers the site's domain"), "certificate")
LASTS = Subject(tr("Certificate"), tr("outlasts the ballot"), "certificate")
# CloudFront takes certificates of this region alone.
REGION = "us-east-1"


def probe(reach: Reach, plan: Plan) -> Probe:
    """Return the probe of the certificate that the settings name."""

    def look() -> Iterator[Check]:
        arn, domain = plan.settings.value("CertificateArn"), plan.settings.value("DomainName")
        if not domain:
            raise NotSeenError(tr("no DomainName: the stack has no site, and needs no certificate"))
        if not arn:
            raise NotSeenError(tr("no CertificateArn"))
        try:
            found = reach.aws.client("acm", REGION).describe_certificate(CertificateArn=arn)["Certificate"]
        except ClientError as error:
            if code_of(error) not in {"ResourceNotFoundException", "InvalidArnException", "ValidationException"}:
                raise
            yield ISSUED.judged(False, "ISSUED", tr("{code} in {region}", code=code_of(error), region=REGION))
            raise NotSeenError(tr("there is no such certificate")) from error
        yield issued(found)
        yield covers(found, domain)
        yield lasts(found, plan.known_election().windows.voting.closes_at)

    return Probe((ISSUED, COVERS, LASTS), look)


def issued(certificate: Mapping[str, Any]) -> Check:
    """Judge whether ACM has issued it."""
    status = certificate["Status"]
    records = [
        f"{option['ResourceRecord']['Name']} {option['ResourceRecord']['Type']} {option['ResourceRecord']['Value']}"
        for option in certificate.get("DomainValidationOptions", [])
        if option.get("ValidationStatus") == "PENDING_VALIDATION" and "ResourceRecord" in option
    ]
    missing = tr(": create {records}", records=joined("; ", records)) if records else ""
    return ISSUED.judged(status == "ISSUED", "ISSUED", f"{status}{missing}")


def covers(certificate: Mapping[str, Any], domain: str) -> Check:
    """Judge whether one of its names is the domain, or a wildcard for it. A wildcard stands for one
    label (RFC 6125 section 6.4.3).
    """
    names = sorted({certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])})
    wildcard = f"*.{domain.partition('.')[2]}"
    holds = any(name.lower() in {domain.lower(), wildcard.lower()} for name in names)
    return COVERS.judged(holds, domain, ", ".join(names))


def lasts(certificate: Mapping[str, Any], closes_at: datetime) -> Check:
    """Judge whether it is valid until the ballot has closed. ACM renews what it issued only while
    its record stays in the DNS.
    """
    ends = certificate.get("NotAfter")
    if ends is None:
        raise NotSeenError(tr("it has no end yet"))
    return LASTS.judged(
        ends > closes_at, tr("until {closes_at:%Y-%m-%d}", closes_at=closes_at), tr("until {ends:%Y-%m-%d}", ends=ends)
    )
