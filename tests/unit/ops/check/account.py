"""An account, a site and a DNS in which all is as it should be, until a test changes something."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx
from reassort_ops.account.after import all as after
from reassort_ops.account.after.deployed import DeployedStack, read_stack
from reassort_ops.account.before import all as before
from reassort_ops.account.before.plan import Plan
from reassort_ops.account.checks import Check, State, Subject
from reassort_ops.account.demand import demand
from reassort_ops.account.probes import Probe, run_all
from reassort_ops.account.reach import Reach
from reassort_ops.account.role_rights import ANY, ROLES, SENDER, rights
from reassort_ops.account.settings_file import Profile, read_settings

from harness.elections import FOLDER, read_election
from harness.engines.template import read_template
from tests.unit.ops.check.answers import REGION, AnsweringAws, Answers

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
SITE = "https://vote.example.fr"
API = f"https://a1b2c3d4e5.execute-api.{REGION}.amazonaws.com/v1"
DISTRIBUTION = "d111111abcdef8.cloudfront.net"
VOTERS = 30_000
GIVEN = {
    "Election": "normandie-2026",
    "DomainName": "vote.example.fr",
    "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/5d9c1f0e-2b3a-4c5d-8e7f-0a1b2c3d4e5f",
    "SenderDomain": "vote.example.fr",
    "AlarmAddress": "alarmes@example.fr",
    "DeletionProtection": "true",
    "RegistryConcurrency": "100",
    "VotingPlatformPrincipal": "arn:aws:iam::123456789012:role/plateforme-de-vote",
}
HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; script-src 'self'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
PAGE = '<!DOCTYPE html><html lang="fr"><meta name="election" content="normandie-2026"><h1>Identifiant de vote</h1>'
MISSING_PAGE = '<!DOCTYPE html><html lang="fr"><h1>Page introuvable</h1><p>Cette page n’existe pas.</p>'


def problem(status: int, code: str, title: str) -> httpx.Response:
    """Return an error of the API."""
    content = json.dumps({"type": "about:blank", "title": title, "code": code}, ensure_ascii=False).encode()
    return httpx.Response(status, headers={"content-type": "application/json"}, content=content)


def page(status: int, text: str, **headers: str) -> httpx.Response:
    """Return a page of the site, with its headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=HEADERS | named, content=text.encode())


@dataclass
class Names:
    """A DNS of a few names."""

    texts_of: dict[str, list[str]] = field(
        default_factory=lambda: {
            "vote.example.fr": ["v=spf1 include:amazonses.com ~all", "some=thing"],
            "_dmarc.example.fr": ["v=DMARC1; p=quarantine; rua=mailto:dmarc@example.fr"],
        }
    )
    aliases_of: dict[str, list[str]] = field(default_factory=lambda: {"vote.example.fr": [DISTRIBUTION]})
    addresses_of: dict[str, set[str]] = field(
        default_factory=lambda: {"vote.example.fr": {"192.0.2.1"}, DISTRIBUTION: {"192.0.2.1", "192.0.2.2"}}
    )

    def texts(self, name: str) -> list[str]:
        return self.texts_of.get(name, [])

    def aliases(self, name: str) -> list[str]:
        return self.aliases_of.get(name, [])

    def addresses(self, name: str) -> set[str]:
        return self.addresses_of.get(name, set())


@dataclass
class Account:
    """All that a check looks at. `web` has an answer, or an error, by URL."""

    answers: Answers = field(default_factory=Answers)
    names: Names = field(default_factory=Names)
    web: dict[str, httpx.Response | Exception] = field(
        default_factory=lambda: {
            f"{API}/api/reissue": problem(403, "refused", "Demande arrêtée"),
            f"{SITE}/api/reissue": problem(401, "signed-out", "Vous n’êtes pas connecté"),
            f"{SITE}/api/there-is-no-such-route": problem(404, "refused", "Demande refusée"),
            f"{SITE}/there-is-no-such-page.html": page(404, MISSING_PAGE),
            f"{SITE}/index.html": page(200, PAGE),
        }
    )
    given: dict[str, str] = field(default_factory=lambda: dict(GIVEN))
    stack_name: str = "reassort"
    voters: int | None = VOTERS
    election_is_there: bool = True
    elsewhere: str | None = None
    wrongly: Callable[[str, str, str], bool] = lambda *_: False
    missing_context: tuple[str, ...] = ()
    refused_arns: tuple[str, ...] = ()
    now: datetime = NOW

    def before(self, only: str = "") -> dict[str, Check]:
        """Look before a deploy; return each check by group and title, or those that come with
        `only`.
        """
        election = read_election("normandie-2026") if self.election_is_there else None
        plan = Plan(
            settings=self.settings(),
            region=REGION,
            election=election,
            election_fault="" if election else "elections/normandie-2026.yaml: no such election file",
            demand=demand(election, self.voters, 100) if election and self.voters else None,
        )
        return _run(before.probes(self.reach(), plan), only)

    def after(self, only: str = "") -> dict[str, Check]:
        """Look at the deployed stack; return each check by group and title, or those that come with
        `only`.
        """
        reach = self.reach()
        stack = read_stack(reach.aws, "reassort")
        self.answers.compute("iam", "SimulatePrincipalPolicy", lambda asked: self._simulated(stack, asked))
        election = read_election("normandie-2026") if self.election_is_there else None
        return _run(after.probes(reach, stack, election), only)

    def settings(self) -> Profile:
        """Return the settings of the repository's own file, filled in."""
        found = _production()
        return Profile(found.profile, self.stack_name, found.region, self.given, found.parameters, found.watched)

    def reach(self) -> Reach:
        """Return what a check may ask of this account."""
        return Reach(
            AnsweringAws(self.answers, self.elsewhere), self._get, self.names, lambda: self.now, self.elsewhere
        )

    def _get(self, url: str) -> httpx.Response:
        answer = self.web[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _simulated(self, stack: DeployedStack, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Answer as IAM does: one result an action, with the resources in it. Roles have the rights
        of the table except `wrongly`, and none on `refused_arns`.
        """
        role = next(name for name in ROLES if f"reassort-{name}-" in asked["PolicySourceArn"])
        context = {one["ContextKeyName"]: tuple(one["ContextKeyValues"]) for one in asked["ContextEntries"]}
        missing = [*(_condition_keys(role) - context.keys()), *self.missing_context]
        told = {name: values for name, values in context.items() if values != ("none",)}
        del told["aws:RequestedRegion"]
        allowed = set()
        for right in rights(role):
            of_right = {name: values for name, values in right.context.items() if values != ("none",)}
            if right.allowed is not self.wrongly(role, right.action, right.resource) and of_right == told:
                allowed |= {(right.action, arn) for arn in _arns(stack, right.resource)}
        results = []
        for action in asked["ActionNames"]:
            decisions = {
                arn: "allowed" if (action, arn) in allowed and arn not in self.refused_arns else "implicitDeny"
                for arn in asked["ResourceArns"]
            }
            results.append(
                {
                    "EvalActionName": action,
                    "EvalResourceName": "*",
                    "EvalDecision": "allowed" if set(decisions.values()) == {"allowed"} else "implicitDeny",
                    "MatchedStatements": [],
                    "MissingContextValues": [],
                    "ResourceSpecificResults": [
                        {
                            "EvalResourceName": arn,
                            "EvalResourceDecision": decision,
                            "MatchedStatements": [],
                            "MissingContextValues": missing,
                        }
                        for arn, decision in decisions.items()
                    ],
                }
            )
        return {"EvaluationResults": results, "IsTruncated": False}


@cache
def _condition_keys(role: str) -> frozenset[str]:
    """Return every condition key of a role's policies: IAM misses each that it was not given,
    whichever action is asked for.
    """
    policies = read_template()["Resources"][role]["Properties"]["Policies"]
    found = []
    for statement in (one for policy in policies for one in policy["PolicyDocument"]["Statement"]):
        condition = statement.get("Condition", {})
        found += [condition["Fn::If"][1]] if "Fn::If" in condition else [condition]
    return frozenset(key for condition in found for keys in condition.values() for key in keys)


@cache
def _production() -> Profile:
    return read_settings(FOLDER.parent / "samconfig.toml", "production")


def states(checks: Mapping[str, Check]) -> dict[str, State]:
    """Return how each check ended."""
    return {name: one.state for name, one in checks.items()}


def _run(probes: Sequence[Probe], only: str) -> dict[str, Check]:
    wanted = [probe for probe in probes if not only or only in map(_name, probe.subjects)]
    checks = run_all(wanted, _ignore)
    named = {_name(one.subject): one for one in checks}
    assert len(named) == len(checks)
    return named


def _name(subject: Subject) -> str:
    return f"{subject.group}: {subject.title}"


def _ignore(_amount: float, /) -> None:
    """Take no notice of the progress."""


def _arns(stack: DeployedStack, resource: str) -> list[str]:
    if resource == ANY:
        return [ANY]
    if resource == SENDER:
        return [stack.arn("SenderDomainIdentity"), stack.arn("ConfigurationSet")]
    return [] if resource == "phone" else [stack.arn(resource)]
