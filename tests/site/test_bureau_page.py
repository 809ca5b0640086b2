"""The page by which an election bureau verifies a register: a file on a disk, in a browser without
network. It finds what `reassort register verify` finds.
"""

from __future__ import annotations

import re
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING

import pytest
from reassort.register import Change
from reassort_ops.register.file_check import check_register_file

from harness.site.bureau_page import BureauPage, Said, built_bureau
from local.processes import ROOT
from tests.site.axe import violations_in_both_schemes
from tests.unit.ops.damaged_registers import (
    CASES,
    ENTRIES,
    FILE,
    IMPOSSIBLE,
    IMPOSSIBLE_ON_THE_ROLL,
    rehashed,
    sound,
)
from tests.unit.ops.registers import HEADER, SIGNER, LocalSigner, chain, pseudonym, register_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.sync_api import Page

    from harness.site.checkers import Checkers

FINGERPRINT = sha256(SIGNER.public_key).hexdigest()


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_bureau(tmp_path_factory.mktemp("bureau"))


@pytest.fixture
def bureau(page: Page, page_file: Path) -> BureauPage:
    page.goto(page_file.as_uri())
    return BureauPage(page)


def verified(bureau: BureauPage, **contents: bytes) -> Said:
    """Check files with the key of the bureau."""
    return bureau.verify(key=SIGNER.pem, **contents)


def as_the_command(folder: Path, content: bytes) -> Said:
    """Return what `reassort register verify` says of a file."""
    path = folder / "register.jsonl"
    path.write_bytes(content)
    found = check_register_file(path, SIGNER.private_key.public_key())
    place = None if found.broken is None else (found.broken.line, found.broken.voter_id, found.broken.sequence)
    return Said(found.holds, place, len(found.counted.faults))


@pytest.mark.req("I9", "I10")
def test_every_sound_file_is_whole(bureau: BureauPage) -> None:
    contents = list(sound())
    assert bureau.verify_each(SIGNER.pem, contents) == [Said(whole=True, place=None, faults=0)] * len(contents)


@pytest.mark.req("I9")
@pytest.mark.parametrize("damage", CASES)
def test_it_finds_what_the_command_finds(bureau: BureauPage, tmp_path: Path, damage: str) -> None:
    contents = list(CASES[damage]())
    assert contents
    said = bureau.verify_each(SIGNER.pem, contents)
    assert said == [as_the_command(tmp_path, content) for content in contents]
    assert not any(one.whole for one in said)


@pytest.mark.req("I9")
def test_it_says_in_french_what_cannot_have_happened(bureau: BureauPage) -> None:
    for story, _ in (*IMPOSSIBLE, *IMPOSSIBLE_ON_THE_ROLL):
        verified(bureau, register=register_file(list(chain(pseudonym(1), story))))
        words = r"l’entrée \d+ \(([^)]+)\) (vient|porte|ne|n’a) .+\.$"
        told = re.search(words, bureau.faults[0])
        assert told, bureau.faults
        assert told[1] not in set(Change)


@pytest.mark.req("I9")
def test_what_is_wrong_is_said_in_words(bureau: BureauPage) -> None:
    verified(bureau, register=FILE.replace(b"\n", b"\r\n"))
    assert "CRLF" in bureau.faults[0]
    verified(bureau, register=FILE[:-20])
    assert any("coupé" in fault for fault in bureau.faults)
    verified(bureau, register=register_file(ENTRIES, LocalSigner.drawn()))
    assert any(fault.startswith("Le fichier a été signé avec une autre clé") for fault in bureau.faults)
    verified(bureau, register=FILE)
    text = bureau.page.locator("#result").inner_text()
    assert "9 émis = 2 valables + 4 remplacés + 2 utilisés + 1 gelés" in text
    for fact in (HEADER.election, HEADER.stack, FINGERPRINT):
        assert fact in text


@pytest.mark.req("I9")
def test_the_key_is_compared_with_the_fingerprint_of_the_minutes(bureau: BureauPage) -> None:
    assert verified(bureau, register=FILE).whole
    unsure = "L’empreinte de la clé n’a pas été comparée"
    assert unsure in bureau.page.locator("#lines").inner_text()
    bureau.page.fill("#fingerprint", " ".join(re.findall("..", FINGERPRINT.upper())))
    assert verified(bureau, register=FILE).whole
    assert unsure not in bureau.page.locator("#lines").inner_text()
    bureau.page.fill("#fingerprint", "0" * 64)
    assert verified(bureau, register=FILE) == Said(whole=False, place=None, faults=1)
    bureau.page.fill("#fingerprint", "abc")
    bureau.page.get_by_role("button", name="Vérifier").click()
    bureau.page.locator("#fingerprint-error").wait_for()
    assert "celle-ci en a 3" in bureau.page.locator("#fingerprint-error").inner_text()
    assert bureau.page.locator("#result").is_hidden()


@pytest.mark.req("I9")
@pytest.mark.parametrize("key", [b"", SIGNER.pem[:60], SIGNER.pem.replace(b"PUBLIC", b"PRIVATE"), FILE])
def test_what_is_no_key_is_told_at_its_field(bureau: BureauPage, key: bytes) -> None:
    bureau.give(register=FILE, key=key)
    bureau.page.get_by_role("button", name="Vérifier").click()
    bureau.page.locator("#key-error").wait_for()
    assert bureau.page.locator("#key").get_attribute("aria-invalid") == "true"
    assert bureau.page.locator("#result").is_hidden()


@pytest.mark.req("I9")
def test_an_earlier_export_must_be_in_the_later_one(bureau: BureauPage) -> None:
    opening = register_file([entry for entry in ENTRIES if entry.sequence == 1])
    assert verified(bureau, register=FILE, earlier=opening).whole
    assert not verified(bureau, register=opening, earlier=FILE).whole
    assert "a été retirée depuis" in bureau.faults[0]
    replaced = register_file(rehashed(ENTRIES, 2, actor="somebody"))
    assert not verified(bureau, register=FILE, earlier=replaced).whole
    assert bureau.faults == [
        f"Export antérieur : ligne 4, électeur {ENTRIES[2].voter_id}, entrée {ENTRIES[2].sequence} : "
        "a été remplacée depuis."
    ]
    assert not verified(bureau, register=FILE, earlier=FILE.replace(b"voter", b"vater", 1)).whole


@pytest.mark.req("I9")
def test_an_earlier_export_of_another_service_or_key_is_none(bureau: BureauPage) -> None:
    opening = [entry for entry in ENTRIES if entry.sequence == 1]
    assert not verified(
        bureau, register=FILE, earlier=register_file(opening, header=HEADER.model_copy(update={"stack": "another"}))
    ).whole
    assert bureau.faults == ["L’export antérieur est celui d’un autre service."]
    assert not verified(bureau, register=FILE, earlier=register_file(opening, LocalSigner.drawn())).whole
    assert bureau.faults == ["L’export antérieur n’est pas entier : vérifiez-le d’abord seul."]


@pytest.mark.req("I9")
def test_a_browser_that_cannot_check_a_signature_says_so(page: Page, page_file: Path) -> None:
    with page.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })"):
        page.goto(page_file.as_uri())
    assert page.locator("#unable").is_visible()
    assert page.locator("#work").is_hidden()


@pytest.mark.req("I9")
def test_the_ends_of_the_helpdesks_record_are_compared(bureau: BureauPage) -> None:
    assert verified(bureau, register=FILE, helpdesk=b"").whole
    assert not verified(bureau, register=FILE, helpdesk=b"{}\n").whole
    assert bureau.faults == ["Les fins de chaînes de l’assistance ne sont pas celles qui ont été signées."]


@pytest.mark.req("I9")
def test_files_are_dropped_anywhere_and_go_where_they_belong(bureau: BureauPage) -> None:
    opening = register_file(ENTRIES[:1]).replace(b"2018-12-06T16:00:00Z", b"2018-11-29T08:00:00Z")
    dropped: Mapping[str, bytes] = {
        "opening.jsonl": opening,
        "register.jsonl.helpdesk.jsonl": b"",
        "register.pub.pem": SIGNER.pem,
        "register.jsonl": FILE,
    }
    bureau.page.evaluate(
        """files => {
          const data = new DataTransfer();
          for (const [name, text] of Object.entries(files)) data.items.add(new File([text], name));
          document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        {name: content.decode() for name, content in dropped.items()},
    )
    # The page's policy lets nothing poll it from outside.
    bureau.page.evaluate(
        "async () => { while (!document.getElementById('earlier').files.length)"
        " await new Promise(done => setTimeout(done, 20)); }"
    )
    names = {
        field: bureau.page.evaluate(f"document.getElementById('{field}').files[0].name")
        for field in ("register", "key", "earlier", "helpdesk")
    }
    assert names == {
        "register": "register.jsonl",
        "key": "register.pub.pem",
        "earlier": "opening.jsonl",
        "helpdesk": "register.jsonl.helpdesk.jsonl",
    }


def test_a_former_result_goes_when_something_else_is_chosen(bureau: BureauPage) -> None:
    assert verified(bureau, register=FILE).whole
    bureau.give(register=FILE[:-1])
    assert bureau.page.locator("#result").is_hidden()
    assert verified(bureau, register=FILE).whole
    bureau.page.fill("#fingerprint", "0" * 64)
    assert bureau.page.locator("#result").is_hidden()


def test_a_check_of_what_was_chosen_before_shows_nothing(bureau: BureauPage) -> None:
    bureau.give(key=SIGNER.pem, register=FILE)
    bureau.page.evaluate(
        """() => {
          document.getElementById("form").requestSubmit();
          document.getElementById("register").dispatchEvent(new Event("change"));
        }"""
    )
    bureau.page.wait_for_timeout(1000)
    assert bureau.page.locator("#result").is_hidden()
    assert bureau.page.locator("#busy").is_hidden()


@pytest.mark.req("S20")
def test_it_asks_no_network_and_may_not(page: Page, page_file: Path) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    assert verified(BureauPage(page), register=FILE).whole
    assert asked == [page_file.as_uri()]
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "unsafe" not in policy
    # A style in an attribute would be refused: the page would look otherwise than meant.
    assert page.locator("[style], [onclick]").count() == 0


@pytest.mark.req("U10")
def test_no_checker_finds_a_fault_in_it(bureau: BureauPage, checkers: Checkers, page_file: Path) -> None:
    # It has no title before: the script is not the checker's.
    assert checkers.html(page_file.read_text("utf-8")) == []
    for content in (FILE, FILE[:-1]):
        verified(bureau, register=content)
        assert bureau.page.evaluate("document.activeElement.id") == "verdict"
        assert violations_in_both_schemes(bureau.page) == []
        bureau.page.emulate_media(color_scheme="light")
        assert checkers.pa11y(bureau.page) == []


@pytest.mark.req("U1")
def test_it_is_no_wider_than_a_small_window(bureau: BureauPage) -> None:
    bureau.page.set_viewport_size({"width": 320, "height": 900})
    verified(bureau, register=FILE)
    assert bureau.page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_same_sources_make_the_same_file(page_file: Path, tmp_path: Path) -> None:
    assert page_file.read_bytes() == built_bureau(tmp_path).read_bytes()


@pytest.mark.parametrize("text", ['import x from "./other.js";\n', "export default 1;\n", "const a = '</script>';\n"])
def test_a_module_in_another_form_is_refused(text: str) -> None:
    spec = spec_from_file_location("build_bureau", ROOT / "site" / "build_bureau.py")
    assert spec is not None
    assert spec.loader is not None
    builder = module_from_spec(spec)
    spec.loader.exec_module(builder)
    files = {"main.js": 'import { a } from "./other.js";\na;\n', "other.js": "export const a = 1;\n"}
    lines = [line for line in builder.one_script("main.js", files).splitlines() if line]
    assert lines == ["// other.js", "const a = 1;", "// main.js", "a;"]
    with pytest.raises(ValueError, match="form"):
        builder.one_script("main.js", {"main.js": text, "other.js": ""})
