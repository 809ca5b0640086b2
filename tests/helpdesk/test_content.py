"""What the page holds, and what it does not: no secret, nothing of the voter space, no stranger."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from harness.elections import FOLDER, IDS
from harness.helpdesk.mocked_desk import API, ORIGIN, RECORD, MockedDesk, entry
from harness.helpdesk.sheets import LOCKED, sheet
from harness.helpdesk.steps import ADDRESS, CALLER_CODE, look, sign_in
from harness.site.mocked_space import built_site
from local.helpdesk_headers import security_headers
from local.processes import ROOT

# It is the look that both have in common.
SHARED = {"theme.css", "icon.svg"}


@pytest.mark.req("H4")
def test_words_of_a_voter_or_an_agent_are_never_markup(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    evil = '<img src=x onerror="document.title=1"> <b>gras</b>'
    shown = sheet(*LOCKED, address=evil, establishment=evil)
    shown["timeline"][0]["words"] = evil
    shown["status"][1]["words"] = evil
    shown["acts"][0]["does"] = evil
    look(desk, shown)
    page.get_by_role("button", name="Débloquer").click()
    expect(page.locator(".in-place")).to_contain_text("<b>gras</b>")
    assert page.locator("main img, main b").count() == 0


@pytest.mark.req("H1", "S20")
def test_the_page_connects_to_its_api_and_to_cognito_alone(page: Page, desk: MockedDesk) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(desk)
    look(desk, sheet(*LOCKED), ADDRESS, CALLER_CODE)
    places = {re.sub(r"(://[^/]+).*", r"\1", url) for url in asked}
    cognito = {f"https://cognito-{kind}.eu-west-3.amazonaws.com" for kind in ("idp", "identity")}
    assert places == {ORIGIN, API.removesuffix("/live"), *cognito}


@pytest.mark.req("H1")
def test_headers_let_the_page_do_no_more() -> None:
    config = {
        "region": "eu-west-3",
        "api_url": "http://127.0.0.1:4566/live",
        "cognito_idp_url": "http://127.0.0.1:4566",
    }
    policy = security_headers(config)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    connect = re.search(r"connect-src ([^;]*);", policy)
    assert connect is not None
    assert connect[1].split() == [
        "'self'",
        "http://127.0.0.1:4566",
        "https://cognito-identity.eu-west-3.amazonaws.com",
    ]


@pytest.mark.req("U11")
def test_voters_and_agents_download_nothing_of_each_other(built: Path, tmp_path: Path) -> None:
    site = built_site(tmp_path / "site")
    of_voters = {path.name: path.read_bytes() for path in (site / "assets").rglob("*") if path.is_file()}
    of_agents = {path.name: path.read_bytes() for path in (built / "assets").rglob("*") if path.is_file()}
    assert len(of_agents) > 20
    same_content = {name for name, content in of_agents.items() if content in of_voters.values()}
    assert same_content == SHARED
    voters_text = b"".join(of_voters.values())
    for word in (b"/helpdesk/", b"aws4fetch", b"cognito"):
        assert word not in voters_text
    assert b"/api/" not in b"".join(of_agents.values())


@pytest.mark.parametrize("election", IDS)
def test_every_election_has_its_page(election: str, tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, "site/build_helpdesk.py", FOLDER / f"{election}.yaml", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True)
    html = (tmp_path / "index.html").read_text("utf-8")
    assert f'<meta name="election" content="{election}">' in html
    for link in re.findall(r'(?:href|src)="([^"#]+)"', html):
        assert (tmp_path / link).is_file(), link


def test_a_wrong_election_file_is_named(tmp_path: Path) -> None:
    source = tmp_path / "wrong.yaml"
    source.write_text("id: wrong\n", "utf-8")
    command: list[str | Path] = [sys.executable, "site/build_helpdesk.py", source, tmp_path / "out"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "wrong.yaml" in answer.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("copy", "original"),
    [("aws4fetch.js", "aws4fetch/dist/aws4fetch.esm.mjs"), ("lean-qr.js", "lean-qr/index.mjs")],
)
def test_what_others_wrote_is_as_the_lock_has_it(copy: str, original: str) -> None:
    """The page is built without Node.js, so what it takes from npm lies beside its sources."""
    theirs = ROOT / "tools" / "node" / "node_modules" / original
    assert (ROOT / "helpdesk" / "vendor" / copy).read_bytes() == theirs.read_bytes()


@pytest.mark.req("H6")
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t"])
def test_a_day_of_the_record_is_exported_whole(page: Page, desk: MockedDesk, sign: str) -> None:
    """Every page of it, and nothing in it is a formula to a spreadsheet."""
    formula = f'{sign}2+2;"x"'
    pages = {
        "": {"entries": [entry(number) for number in range(1, 202)], "next": "p 2"},
        "p 2": {"entries": [entry(202, action="unlock", reason=formula)], "next": None},
    }

    def answer(route: Route) -> None:
        wanted = "p 2" if "from=p%202" in route.request.url else ""
        route.fulfill(json=pages[wanted], headers={"Access-Control-Allow-Origin": "*"})

    page.route(f"{API}{RECORD[1]}?*", answer)
    sign_in(desk, "auditor")
    page.get_by_role("button", name="Afficher le jour").click()
    expect(page.locator("#record h2")).to_have_text(re.compile(r"202\s+lignes"))
    expect(page.locator("#record tbody tr")).to_have_count(200)
    with page.expect_download() as table:
        page.get_by_role("button", name="CSV").click()
    assert table.value.suggested_filename == "journal-2018-11-30.csv"
    lines = Path(table.value.path()).read_text("utf-8-sig").splitlines()
    assert len(lines) == 203
    assert lines[0].startswith("agent;name;sequence;at;action;voter;reason;")
    last = next(csv.reader(lines[-1:], delimiter=";"))
    assert last[lines[0].split(";").index("reason")] == f"'{formula}"
    with page.expect_download() as json:
        page.get_by_role("button", name="JSON").click()
    assert Path(json.value.path()).read_text("utf-8").count('"sequence"') == 202
