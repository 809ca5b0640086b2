"""The further proof of an election that asks for one: its field, its faults, its line in the
review, what is sent; elsewhere nothing of it.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import WORDINGS_WITH_EXTRA_PROOF, Code, FieldFault

from harness.elections import DATE_OF_BIRTH, IDS, STAFF_CARD, write_election
from harness.site.checkers import Checkers
from harness.site.mocked_space import REISSUE, MockedSpace, built_site, overview
from harness.site.steps import NUMEN, TYPED_PHONE, commit, confirm, fill_form, heading_is, open_form
from tests.site.axe import violations_in_both_schemes
from tests.site.reading import expect_shown
from tests.site.test_states import assert_structure, assert_summary

LABEL = DATE_OF_BIRTH["label"]
FAULT = DATE_OF_BIRTH["fault"]
FIELD = "#extra-proof"
REVIEWED = "#review-extra-proof"
PAGES = ("index.html", "demande.html", "confidentialite.html", "aide.html")


@pytest.fixture(scope="module")
def dated_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of an election that asks for the date of birth."""
    folder = tmp_path_factory.mktemp("dated")
    return built_site(folder / "site", source=write_election(folder, "dijon-2018", extra_proof=DATE_OF_BIRTH))


@pytest.fixture
def dated(page: Page, dated_site: Path) -> MockedSpace:
    return MockedSpace(page, dated_site)


def fill(space: MockedSpace, typed: str) -> None:
    fill_form(space)
    space.page.locator(FIELD).fill(typed)


def check(space: MockedSpace) -> None:
    space.page.get_by_role("button", name="Vérifier ma demande").click()


def open_review_with(space: MockedSpace, typed: str) -> None:
    open_form(space)
    fill(space, typed)
    check(space)
    heading_is(space.page, "Vérifiez votre demande")


def assert_accessible(page: Page, checkers: Checkers) -> None:
    assert_structure(page)
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls at 320 px"
    assert checkers.html(page.content(), rendered=True) == []
    assert checkers.pa11y(page) == []
    assert violations_in_both_schemes(page) == []


@pytest.mark.req("U3", "U4", "U10")
def test_request_is_played_from_the_form_to_what_is_sent(page: Page, dated: MockedSpace, checkers: Checkers) -> None:
    open_form(dated)
    for name, value in {"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"}.items():
        expect(page.locator(FIELD)).to_have_attribute(name, value)
    assert page.locator("label[for='extra-proof']").inner_text() == LABEL
    expect_shown(page, DATE_OF_BIRTH["hint"], selector="#extra-proof-hint")
    # It is asked for after the NUMEN, with which it is compared.
    named = [field.get_attribute("name") for field in page.locator("#request-form input").all()]
    assert named == ["numen", "extra_proof", "phone", "channel", "channel", "consent"]
    assert_accessible(page, checkers)
    fill(dated, "17 3 1968")
    check(dated)
    heading_is(page, "Vérifiez votre demande")
    expect(page.locator(REVIEWED)).to_have_text("17/03/1968")
    assert_accessible(page, checkers)
    page.get_by_role("link", name=f"Modifier le renseignement « {LABEL} »").click()
    expect(page.locator(FIELD)).to_be_focused()
    expect(page.locator(FIELD)).to_have_value("17 3 1968")
    page.locator(FIELD).fill("18031968")
    check(dated)
    expect(page.locator(REVIEWED)).to_have_text("18/03/1968")
    commit(dated)
    confirm(dated)
    page.wait_for_url("**/suivi.html")
    sent = {
        "revision": overview()["revision"],
        "numen": NUMEN,
        "extra_proof": "18/03/1968",
        "phone": TYPED_PHONE,
        "channel": "sms",
        "consent": True,
    }
    assert (*REISSUE, sent) in dated.asked
    page.go_back()
    heading_is(page, "Vos renseignements")
    expect(page.locator(FIELD)).to_have_value("")


@pytest.mark.req("U9", "U10")
@pytest.mark.parametrize("typed", ["", "17/03/68", "31/02/1968", "17/03/1868", "mars 1968"])
def test_empty_or_malformed_is_told_at_the_field(
    page: Page, dated: MockedSpace, checkers: Checkers, typed: str
) -> None:
    open_form(dated)
    fill(dated, typed)
    check(dated)
    expect(page.locator("#errors")).to_be_focused()
    assert_summary(page, (FAULT,))
    assert page.locator("#errors a").count() == 1
    assert dated.asked == [("GET", "/api/reissue", None)]
    if not typed:
        assert_accessible(page, checkers)
    page.locator("#errors a").click()
    expect(page.locator(FIELD)).to_be_focused()
    expect(page.locator(FIELD)).to_have_value(typed)


@pytest.mark.req("U9", "S11")
def test_refusal_leads_to_both_proofs_and_keeps_them(page: Page, dated: MockedSpace, checkers: Checkers) -> None:
    open_review_with(dated, "17/03/1968")
    dated.refuse(REISSUE, Code.NUMEN_MISMATCH, attempts_left=4, extra_proof=LABEL)
    confirm(dated)
    expect(page.locator("#errors")).to_be_focused()
    title = WORDINGS_WITH_EXTRA_PROOF[Code.NUMEN_MISMATCH].title
    told = (title, f"Le NUMEN ou le renseignement « {LABEL} » n’est pas celui", "Il vous reste 4 essais.")
    assert_summary(page, (*told, f"Vérifiez aussi le renseignement « {LABEL} »."))
    links = [link.get_attribute("href") for link in page.locator("#errors li a").all()]
    assert links == ["#numen", FIELD]
    for field, value in (("#numen", NUMEN), (FIELD, "17/03/1968")):
        expect(page.locator(field)).to_have_attribute("aria-invalid", "true")
        expect(page.locator(field)).to_have_value(value)
    assert_accessible(page, checkers)


@pytest.mark.req("U9")
def test_fault_that_only_the_api_finds_is_told_at_the_field(page: Page, dated: MockedSpace) -> None:
    open_review_with(dated, "17/03/1968")
    dated.refuse(REISSUE, Code.INVALID_FIELDS, (FieldFault("extra_proof", "invalid", FAULT),))
    confirm(dated)
    expect(page.locator("#errors")).to_be_focused()
    heading_is(page, "Vos renseignements")
    assert_summary(page, (FAULT,))
    assert [link.get_attribute("href") for link in page.locator("#errors a").all()] == [FIELD]


@pytest.mark.req("U4", "U9")
def test_text_is_asked_for_shown_and_sent(page: Page, tmp_path: Path, checkers: Checkers) -> None:
    wanted = {**STAFF_CARD, "label": "Fin du numéro de carte <agent>", "max_length": 8}
    space = MockedSpace(page, built_site(tmp_path, source=write_election(tmp_path, "dijon-2018", extra_proof=wanted)))
    open_form(space)
    assert page.locator("label[for='extra-proof']").inner_text() == wanted["label"]
    expect(page.locator(FIELD)).to_have_attribute("autocapitalize", "characters")
    for typed in ("4821A", "4821ABCDE", "4821AÉ", "- - -"):
        fill(space, typed)
        check(space)
        expect(page.locator("#errors")).to_be_focused()
        assert_summary(page, (str(STAFF_CARD["fault"]),))
    page.locator(FIELD).fill("48 21-ab")
    check(space)
    heading_is(page, "Vérifiez votre demande")
    expect(page.locator(REVIEWED)).to_have_text("4821AB")
    assert_accessible(page, checkers)
    space.drop(REISSUE)
    confirm(space)
    expect(page.locator("#errors")).to_be_focused()
    assert space.asked[-1][2]["extra_proof"] == "4821AB"


@pytest.mark.req("U9", "U13")
def test_pages_say_that_it_is_needed_and_what_becomes_of_it(page: Page, dated: MockedSpace, checkers: Checkers) -> None:
    for name in PAGES:
        assert checkers.html((dated.site / name).read_text("utf-8")) == []
    dated.open("index.html")
    expect_shown(page, f"le renseignement « {LABEL} » ;")
    dated.open("confidentialite.html")
    expect_shown(page, f"{LABEL} vérifier que c’est bien vous sous forme illisible")
    dated.open("aide.html")
    expect_shown(page, f"Le renseignement « {LABEL} » est vérifié en même temps que le NUMEN.")


@pytest.mark.req("U3")
@pytest.mark.parametrize("election_id", IDS)
def test_election_that_does_not_ask_for_it_has_no_trace_of_it(election_id: str, tmp_path: Path) -> None:
    site = built_site(tmp_path, election_id)
    for file in site.glob("*.html"):
        html = file.read_text("utf-8")
        assert "extra-proof" not in html, file.name
        assert "extra_proof" not in html, file.name
        assert "le renseignement «" not in html, file.name


@pytest.mark.req("U9", "R2")
def test_site_that_was_built_without_it_tells_what_the_api_asks_for(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked)
    check(mocked)
    heading_is(page, "Vérifiez votre demande")
    mocked.refuse(REISSUE, Code.INVALID_FIELDS, (FieldFault("extra_proof", "missing", FAULT),))
    confirm(mocked)
    expect(page.locator("#errors")).to_be_focused()
    expect_shown(page, FAULT, selector="#errors")
