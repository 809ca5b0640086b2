"""The page reads what is pasted as the API does: the same value, or the same fault in the same
words.
"""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect
from reassort.phones import TERRITORIES, plan_of

from harness.fuzz.strategies import any_text
from harness.site.checkers import NODE_PROGRAM
from harness.site.mocked_space import REDEEM_CODE, MockedSpace
from harness.site.steps import ask_code, fill_form, heading_is, open_code, open_form, redeem
from tests.pasted_cases import BLANKS, CASES, UNSEEN, PastedCase, told
from tests.site.reading import expect_shown

PROGRAM = """
import { readFileSync } from "node:fs";
import { readAddress, readCode, readNumen, readPhone } from "./pasted.js";
const readers = { email: readAddress, numen: readNumen, phone: readPhone, code: readCode };
const cases = JSON.parse(readFileSync(process.argv[2], "utf-8"));
console.log(JSON.stringify(cases.map(([field, typed]) => readers[field](typed))));
"""
FIELDS = ("email", "numen", "phone", "code")
type Text = tuple[str, str]


@pytest.fixture(scope="module")
def folder(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the program and what it needs of the built site."""
    folder = tmp_path_factory.mktemp("pasted")
    (folder / "package.json").write_text('{"type": "module"}', "utf-8")
    (folder / "main.js").write_text(PROGRAM, "utf-8")
    for name in ("election.js", "pasted.js"):
        (folder / name).write_text(next(site.glob(f"assets/*/{name}")).read_text("utf-8"), "utf-8")
    return folder


def told_by_page(folder: Path, texts: list[Text]) -> list[tuple[str, str]]:
    """Return what the page reads in these texts, and what it says of them."""
    (folder / "texts.json").write_text(json.dumps(texts), "utf-8")
    command = [NODE_PROGRAM, folder / "main.js", folder / "texts.json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(one["value"], one["fault"]) for one in json.loads(done.stdout)]


def assert_same(folder: Path, texts: list[Text]) -> None:
    for (field, typed), by_page in zip(texts, told_by_page(folder, texts), strict=True):
        by_api = told(field, typed)
        # The page leaves the domain to the API, which names the accepted ones.
        if by_api is None:
            assert by_page[1] == ""
        else:
            assert (field, typed, *by_page) == (field, typed, *by_api)


@pytest.mark.req("U14")
def test_page_reads_every_case_as_the_api_does(folder: Path) -> None:
    assert_same(folder, [(case.field, case.typed) for case in CASES])


def _slips(case: PastedCase) -> st.SearchStrategy[Text]:
    text = st.lists(st.sampled_from([*BLANKS, *UNSEEN, *case.typed, *"@.,-<>0OIl+é’"]), max_size=4)
    place = st.integers(0, len(case.typed))
    return st.tuples(place, text).map(
        lambda drawn: (case.field, case.typed[: drawn[0]] + "".join(drawn[1]) + case.typed[drawn[0] :])
    )


@pytest.mark.req("U14")
@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.sampled_from(CASES).flatmap(_slips)
        | st.tuples(st.sampled_from(FIELDS), any_text)
        | st.tuples(st.just("phone"), st.text("0123456789+ ()", max_size=16)),
        min_size=100,
        max_size=200,
    )
)
def test_page_reads_whatever_is_typed_as_the_api_does(folder: Path, texts: list[Text]) -> None:
    # A lone surrogate cannot be typed.
    assert_same(folder, [(field, typed) for field, typed in texts if typed == typed.encode(errors="ignore").decode()])


@pytest.mark.req("U14", "S14")
def test_page_knows_every_prefix_that_the_api_knows(folder: Path) -> None:
    """One number of each ten thousand that begin with a digit other than 0, dialled within
    France.
    """
    numbers = [("phone", f"0{head}1234") for head in range(10_000, 100_000)]
    read = sum(value != "" for value, _ in told_by_page(folder, numbers))
    plans = [plan for plan in map(plan_of, TERRITORIES) if plan.trunk]
    assert read == sum(any(plan.is_mobile(typed[1:]) for plan in plans) for _, typed in numbers)


@pytest.mark.req("U14", "U9")
@pytest.mark.parametrize(
    ("field", "typed", "fault"),
    [
        ("numen", "09E9900123AB", "Un NUMEN a 13 caractères, le vôtre en a 12. Par exemple 09E9900123ABC."),
        ("phone", "03 80 44 89 96", "Ce numéro est celui d’un téléphone fixe"),
        ("phone", "+41 79 123 45 67", "Ce numéro est étranger."),
        ("phone", "75 12 34", "+687 (Nouvelle-Calédonie)"),
    ],
)
def test_fault_of_the_form_is_named_before_the_review(
    page: Page, mocked: MockedSpace, field: str, typed: str, fault: str
) -> None:
    open_form(mocked)
    fill_form(mocked, **{field: typed})
    page.get_by_role("button", name="Vérifier ma demande").click()
    expect(page.locator("#errors")).to_be_focused()
    expect_shown(page, fault, selector="#errors")
    expect_shown(page, fault, selector=f"#{field}-error")
    heading_is(page, "Vos renseignements")


@pytest.mark.req("U14", "U9")
def test_fault_of_an_address_is_named_without_asking_the_api(page: Page, mocked: MockedSpace) -> None:
    mocked.open("connexion.html")
    ask_code(mocked, "prénom.nom@ac-dijon.fr")
    expect_shown(page, "Écrivez l’adresse sans accent", selector="#errors")
    assert [path for _, path, _ in mocked.asked if path == "/api/login"] == []


@pytest.mark.req("U14")
def test_code_is_sent_without_the_sentence_that_was_pasted(page: Page, mocked: MockedSpace) -> None:
    open_code(mocked)
    mocked.drop(REDEEM_CODE)
    redeem(mocked, "Votre code est : 440 762.")
    expect(page.locator("#errors")).to_be_focused()
    assert mocked.asked[-1] == ("POST", "/api/login/code", {"code": "440762"})
