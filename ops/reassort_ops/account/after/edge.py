"""The site and the API as a browser meets them. Each request is a GET that changes nothing.

Anyone who calls the API around CloudFront lacks the secret that CloudFront adds, and the firewall
stops them; through CloudFront the function answers. Both together show that the two sides hold the
same secret, which nobody has to read for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx

from reassort_ops.account.after.deployed import DeployedStack
from reassort_ops.account.checks import Check, Subject
from reassort_ops.account.probes import Probe
from reassort_ops.account.reach import Reach
from reassort_ops.language import joined, tr, trn

STRAIGHT = Subject(tr("Site"), tr("API called around CloudFront"), "firewall")
THROUGH = Subject(tr("Site"), tr("API called through CloudFront"), "firewall")
REFUSAL = Subject(tr("Site"), tr("refusals of the API are French JSON"), "api")
MISSING = Subject(tr("Site"), tr("missing page"), "site")
HEADERS = Subject(tr("Site"), tr("security headers"), "site")
UPLOADED = Subject(tr("Site"), tr("uploaded, of the stack's election"), "site")
POINTS_HERE = Subject(tr("Site"), tr("DNS of the domain"), "site-dns")
# Asks who is signed in: nobody, so it reads no table and writes none.
_WHO = "/api/reissue"
# No such route, and no such page.
_NO_ROUTE = "/api/there-is-no-such-route"
_NO_PAGE = "/there-is-no-such-page.html"
_META = re.compile(r"<meta\s+name=\"election\"\s+content=\"([^\"]*)\"")
_JSON = frozenset({"application/json", "application/problem+json"})
# UTF-8 read as Latin-1 and written again, or lost altogether.
_BROKEN = re.compile(r"Ã|â€|\ufffd|\?{2}")
_ACCENT = re.compile(r"[àâçéèêëîïôûùœ’]")
_YEAR_SECONDS = 31_536_000


def probes(reach: Reach, stack: DeployedStack) -> tuple[Probe, ...]:
    """Return the probes of the site, of its API and of its name."""
    site, api = stack.outputs.get("SiteUrl", "").rstrip("/"), stack.outputs.get("ApiUrl", "").rstrip("/")

    def get(url: str) -> httpx.Response:
        stack.raise_without_site()
        reach.raise_if_elsewhere()
        return reach.get(url)

    return (
        Probe((STRAIGHT,), lambda: [straight(get(api + _WHO))]),
        Probe((THROUGH,), lambda: [through(get(site + _WHO))]),
        Probe((REFUSAL,), lambda: [refusal(get(api + _WHO), get(site + _NO_ROUTE))]),
        Probe((MISSING,), lambda: [missing(get(site + _NO_PAGE))]),
        Probe((HEADERS, UPLOADED), lambda: _first_page(get(site + "/index.html"), stack)),
        Probe((POINTS_HERE,), lambda: [_points_here(reach, stack)]),
    )


def straight(answer: httpx.Response) -> Check:
    """Judge a request that comes around CloudFront: the firewall must stop it."""
    return STRAIGHT.judged(answer.status_code == 403, tr("403 of the firewall"), _told(answer))


def through(answer: httpx.Response) -> Check:
    """Judge the same request through CloudFront: the function must answer that nobody is signed
    in.
    """
    holds = answer.status_code == 401 and _code(answer) == "signed-out"
    return THROUGH.judged(holds, tr("401 signed-out of the function"), _told(answer))


def refusal(firewall: httpx.Response, no_route: httpx.Response) -> Check:
    """Judge what the gateway itself answers: a refusal of the firewall, and a route that is not
    there.
    """
    faults = [
        f"{name}: {fault}"
        for name, answer, statuses in ((tr("firewall"), firewall, {403}), (tr("no such route"), no_route, {403, 404}))
        if (fault := _fault(answer, statuses))
    ]
    return REFUSAL.judged(not faults, tr("403 and 404 as JSON with accents"), joined("; ", faults) or tr("both"))


def missing(answer: httpx.Response) -> Check:
    """Judge a page that is not there: 404, and a page in French."""
    text = answer.text
    french = '<html lang="fr"' in text and not _BROKEN.search(text)
    kind = (
        tr("the French page")
        if french
        else trn(
            "{count} byte of {type}",
            "{count} bytes of {type}",
            count=len(answer.content),
            type=_type(answer) or tr("no type"),
        )
    )
    return MISSING.judged(
        answer.status_code == 404 and french,
        tr("404 and the French page"),
        tr("{status}, {kind}", status=answer.status_code, kind=kind),
    )


def headers(answer: httpx.Response) -> Check:
    """Judge the headers that keep a page safe (OWASP ASVS 5.0, 3.4)."""
    policy = answer.headers.get("content-security-policy", "")
    age = re.search(r"max-age=(\d+)", answer.headers.get("strict-transport-security", ""))
    wanted = {
        "content-security-policy": "default-src 'none'" in policy
        and "frame-ancestors 'none'" in policy
        and "unsafe" not in policy,
        "strict-transport-security": age is not None and int(age[1]) >= _YEAR_SECONDS,
        "x-content-type-options": answer.headers.get("x-content-type-options") == "nosniff",
        "referrer-policy": answer.headers.get("referrer-policy") == "no-referrer",
        "x-frame-options": answer.headers.get("x-frame-options", "").upper() == "DENY",
    }
    absent = [name for name, holds in wanted.items() if not holds]
    found = tr("absent or weak: {absent}", absent=", ".join(absent)) if absent else tr("all {count}", count=len(wanted))
    return HEADERS.judged(not absent, ", ".join(wanted), found)


def uploaded(answer: httpx.Response, election_id: str) -> Check:
    """Judge whether the first page is there and says that it is of the stack's election."""
    named = _META.search(answer.text) if answer.status_code == 200 else None
    found = (
        tr("election {election}", election=named[1])
        if named
        else tr("{status}, no election named", status=answer.status_code)
    )
    return UPLOADED.judged(
        named is not None and named[1] == election_id, tr("election {election}", election=election_id), found
    )


def points_here(aliases: list[str], addresses: set[str], distribution: str, its_addresses: set[str]) -> Check:
    """Judge whether a name leads to the distribution: by a CNAME, or by an alias that gives the
    distribution's own addresses.
    """
    found = aliases[-1] if aliases else ", ".join(sorted(addresses)[:2]) or tr("no record")
    holds = distribution.lower() in aliases or bool(addresses & its_addresses)
    return POINTS_HERE.judged(holds, tr("leads to {distribution}", distribution=distribution), found)


def _first_page(answer: httpx.Response, stack: DeployedStack) -> Iterator[Check]:
    yield headers(answer)
    yield uploaded(answer, stack.outputs["ElectionId"])


def _points_here(reach: Reach, stack: DeployedStack) -> Check:
    stack.raise_without_site()
    reach.raise_if_elsewhere()
    domain, distribution = stack.parameters["DomainName"], stack.outputs["DistributionDomain"]
    records = reach.records
    return points_here(
        records.aliases(domain), records.addresses(domain), distribution, records.addresses(distribution)
    )


def _fault(answer: httpx.Response, statuses: set[int]) -> str | None:
    if answer.status_code not in statuses:
        return _told(answer)
    if _type(answer) not in _JSON:
        return tr("{status} of type {type}", status=answer.status_code, type=_type(answer) or tr("none"))
    content = _json(answer)
    text = f"{content.get('title', '')} {content.get('detail', '')}" if content else ""
    if _BROKEN.search(text) or not _ACCENT.search(text):
        return tr(
            "{status} without accents: {text}", status=answer.status_code, text=text.strip()[:60] or tr("no text")
        )
    return None


def _told(answer: httpx.Response) -> str:
    return f"{answer.status_code} {_code(answer)}".rstrip()


def _code(answer: httpx.Response) -> str:
    content = _json(answer)
    return str(content.get("code", "")) if content else ""


def _json(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        content = json.loads(answer.content.decode("utf-8"))
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _type(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()
