"""Whether the parameters of a deploy are filled in and fit together. Nothing is asked of AWS but
whether the stack is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from botocore.exceptions import ClientError
from reassort.clock import iso

from reassort_ops.account.before.certificate import REGION
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, Subject, listed
from reassort_ops.account.probes import Probe, code_of
from reassort_ops.account.reach import Reach
from reassort_ops.account.settings_file import Profile, is_placeholder
from reassort_ops.language import tr, trn

FILLED_IN = Subject(tr("Parameters"), tr("filled in"), "parameters")
TAKEN = Subject(tr("Parameters"), tr("the template takes them"), "parameters")
ELECTION = Subject(tr("Parameters"), tr("election file"), "election-file")
WATCHED = Subject(tr("Parameters"), tr("alarm thresholds of the election"), "election-file")
SITE = Subject(tr("Parameters"), tr("where the site is"), "parameters")
NAME = Subject(tr("Parameters"), tr("name of the stack"), "parameters")
PLATFORM = Subject(tr("Parameters"), tr("account of the voting platform's role"), "parameters")
CERTIFICATE_REGION = Subject(tr("Parameters"), tr("region of the certificate"), "certificate")
PROTECTION = Subject(tr("Parameters"), tr("the first deploy can be rolled back"), "deletion-protection")
# What the template makes of it must keep within CloudFront's 64 characters for the name of a
# function.
_NAME = re.compile("[A-Za-z][A-Za-z0-9-]{0,39}")
# CloudFormation: a stack of which only the name is taken; nothing has been created.
_NOT_CREATED = "REVIEW_IN_PROGRESS"


def probes(reach: Reach, plan: Plan) -> tuple[Probe, ...]:
    """Return the probes of the parameters."""
    settings = plan.settings

    def by_themselves() -> Iterator[Check]:
        yield filled_in(settings)
        yield taken(settings)
        yield election_file(plan, reach.now())
        yield watched(settings)
        yield site(settings)
        yield certificate_region(settings)
        yield stack_name(settings.stack_name)

    def first_deploy() -> Iterator[Check]:
        yield rollback(settings, there=deployed_parameters(reach, settings.stack_name) is not None)

    def voting_platform() -> Iterator[Check]:
        yield platform(settings, reach.aws.client("sts").get_caller_identity()["Account"])

    return (
        Probe((FILLED_IN, TAKEN, ELECTION, WATCHED, SITE, CERTIFICATE_REGION, NAME), by_themselves),
        Probe((PROTECTION,), first_deploy),
        Probe((PLATFORM,), voting_platform),
    )


def election_file(plan: Plan, now: datetime) -> Check:
    """Judge the election file: there, valid, and of a ballot that is still to come to its end."""
    expected = tr("elections/<id>.yaml of the parameter Election, valid, of a ballot that has not closed")
    if plan.election is None:
        return ELECTION.judged(False, expected, plan.election_fault)
    closes_at = plan.election.windows.voting.closes_at
    past = "" if now < closes_at else tr(": its ballot closed {closes_at}", closes_at=iso(closes_at))
    return ELECTION.judged(not past, expected, f"{plan.settings.value('Election')}{past}")


def filled_in(settings: Profile) -> Check:
    """Judge whether a placeholder of the file still stands."""
    values = {"stack_name": settings.stack_name, "region": settings.region or "", **settings.given}
    left = [name for name, value in values.items() if is_placeholder(value)]
    found = (
        tr("to be filled in: {left}", left=", ".join(left))
        if left
        else trn("{count} parameter", "{count} parameters", count=len(settings.given))
    )
    return FILLED_IN.judged(not left, tr("no <…> in profile {profile}", profile=settings.profile), found)


def taken(settings: Profile) -> Check:
    """Judge whether CloudFormation would accept each value, and whether all are given that have no
    default.
    """
    unknown = [tr("{name} is no parameter", name=name) for name in settings.given if name not in settings.parameters]
    absent = [
        tr("{name} is missing", name=name)
        for name, parameter in settings.parameters.items()
        if parameter.default is None and name not in settings.given
    ]
    refused = [
        tr("{name}={value} is refused", name=name, value=value)
        for name, value in settings.given.items()
        if name in settings.parameters and not is_placeholder(value) and not settings.parameters[name].takes(value)
    ]
    faults = [*unknown, *absent, *refused]
    return TAKEN.judged(
        not faults, tr("every value allowed, none missing"), listed(faults) if faults else tr("all of them")
    )


def watched(settings: Profile) -> Check:
    """Judge whether observability.yaml has the thresholds of the election's alarms."""
    election = settings.value("Election")
    there = election in settings.watched
    found = tr("there") if there else tr("none for {election}: run make alarms", election=election or tr("no election"))
    return WATCHED.judged(there, tr("in the mapping Watch of observability.yaml"), found)


def site(settings: Profile) -> Check:
    """Judge whether the site has a place: a domain with its certificate, or an origin elsewhere."""
    domain, certificate, origin = map(settings.value, ("DomainName", "CertificateArn", "SiteOrigin"))
    expected = tr("DomainName with CertificateArn, or SiteOrigin")
    if domain:
        found = (
            tr("{domain} with a certificate", domain=domain)
            if certificate
            else tr("{domain} without CertificateArn", domain=domain)
        )
        return SITE.judged(bool(certificate), expected, found)
    if certificate:
        return SITE.judged(False, expected, tr("CertificateArn without DomainName"))
    return SITE.judged(bool(origin), expected, origin or tr("neither DomainName nor SiteOrigin"))


def certificate_region(settings: Profile) -> Check:
    """Judge whether the certificate lives where CloudFront looks for it."""
    arn = settings.value("CertificateArn")
    if not arn:
        return CERTIFICATE_REGION.unseen(tr("no CertificateArn"))
    region = arn.split(":")[3] if arn.count(":") >= 5 else tr("not an ARN")
    return CERTIFICATE_REGION.judged(region == REGION, REGION, region)


def stack_name(name: str) -> Check:
    """Judge whether all that is named after the stack fits within AWS's limits."""
    expected = tr("at most 40 letters, digits and hyphens, the first a letter")
    return NAME.judged(
        bool(_NAME.fullmatch(name)), expected, tr("{name}, {count} characters", name=name, count=len(name))
    )


def platform(settings: Profile, own_account: str) -> Check:
    """Judge whether the role that may call the registry is of the account that the stack trusts.
    `own_account` is the deployer's.
    """
    principal = settings.value("VotingPlatformPrincipal")
    if not principal:
        return PLATFORM.unseen(tr("no VotingPlatformPrincipal: nobody can call the registry by this stack's role"))
    trusted = settings.value("VotingPlatformAccount") or own_account
    account = principal.split(":")[4] if principal.count(":") >= 5 else tr("not an ARN")
    return PLATFORM.judged(
        account == trusted, tr("{trusted}, by VotingPlatformAccount or the account itself", trusted=trusted), account
    )


def rollback(settings: Profile, *, there: bool) -> Check:
    """Judge whether a first create that fails can take its tables away again: one that is protected
    stays, and so does its failed stack.
    """
    protection = settings.value("DeletionProtection")
    expected = tr("DeletionProtection=false until the stack is there, then true")
    found = tr(
        "DeletionProtection={protection}, the stack is {state}",
        protection=protection,
        state=tr("there") if there else tr("not there yet"),
    )
    return PROTECTION.judged(there or protection == "false", expected, found)


def deployed_parameters(reach: Reach, name: str) -> dict[str, str] | None:
    """Return the parameters of a stack; None if it has not been created."""
    try:
        stacks = reach.aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError":
            return None
        raise
    created = [stack for stack in stacks if stack["StackStatus"] != _NOT_CREATED]
    return (
        {
            parameter["ParameterKey"]: parameter["ParameterValue"]
            for stack in created
            for parameter in stack.get("Parameters", [])
        }
        if created
        else None
    )
