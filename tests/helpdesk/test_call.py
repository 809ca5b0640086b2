"""A call, played by keyboard alone: look, check, unlock, next identifier, second person."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Page, expect
from reassort.clock import iso

from harness.helpdesk.mocked_desk import ACT, DECIDE, LOOK, NOW, PROPOSALS, MockedDesk, proposal
from harness.helpdesk.sheets import ASK_CODE, LOCKED, SMS_FAILED, advice, sheet, usual_acts
from harness.helpdesk.steps import ADDRESS, CALLER_CODE, look, sign_in
from harness.site.watched import watched_page

if TYPE_CHECKING:
    from pathlib import Path

# Somebody who types slowly while they listen: 200 characters a minute, with thought before a key
# that does something.
SECONDS_A_CHARACTER = 0.3
SECONDS_A_DECISION = 1.5
WHOLE_CALL = 60


class Keyboard:
    """The agent's hands. Nothing else touches the page: no mouse, no `fill`."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.keystrokes = 0
        self.work = 0.0

    def type(self, text: str) -> None:
        self._page.keyboard.type(text)
        self.keystrokes += len(text)
        self.work += len(text) * SECONDS_A_CHARACTER

    def press(self, *keys: str) -> None:
        for key in keys:
            self._page.keyboard.press(key)
            self.keystrokes += 1
            self.work += SECONDS_A_DECISION

    def tab_to(self, name: str) -> None:
        """Press Tab until the button of that name has the focus."""
        target = self._page.get_by_role("button", name=re.compile(name))
        for _ in range(12):
            if target.evaluate("element => element === document.activeElement"):
                return
            self._page.keyboard.press("Tab")
            self.keystrokes += 1
            self.work += SECONDS_A_CHARACTER
        raise AssertionError(f"12 times Tab, and {name} has not the focus")


@pytest.mark.req("H5")
def test_an_answer_says_how_many_looks_are_left(page: Page, desk: MockedDesk) -> None:
    sign_in(desk, lookups_left=0)
    look(desk, sheet(lookups_left=6))
    expect(page.locator("#lookups-left")).to_have_text("Encore 6 recherches possibles pour l’instant.")


@pytest.mark.req("H1", "H2", "H3", "H7")
def test_a_call_is_closed_in_under_a_minute_of_work(
    chromium: Browser, page: Page, desk: MockedDesk, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    sign_in(desk)
    hands = Keyboard(page)

    # Look: the focus is there already.
    desk.answer(LOOK, 200, sheet(ASK_CODE, *LOCKED))
    hands.type(ADDRESS)
    hands.press("Enter")
    expect(page.locator("#caller-code")).to_be_focused()
    expect(page.locator("#advice > li").first).to_contain_text("Lisez-moi les deux mots")

    # Check: the voter reads the two words out.
    desk.answer(LOOK, 200, sheet(*LOCKED, caller="verified"))
    hands.type(CALLER_CODE)
    hands.press("Enter")
    expect(page.locator("#caller")).to_contain_text("Appelant vérifié")
    expect(page.locator("#advice-title")).to_be_focused()

    # Unlock: what is advised comes first.
    after = sheet(SMS_FAILED, caller="verified", acts=usual_acts("unlock", second_person={"reissue"}))
    desk.answer(ACT, 200, {"done": "Les demandes sont débloquées.", "sheet": after})
    hands.tab_to("Débloquer")
    hands.press("Enter")
    expect(page.locator("#reason")).to_be_focused()
    hands.type("NUMEN mal saisi")
    hands.press("Enter")
    expect(page.locator("#notice")).to_have_text("Les demandes sont débloquées.")
    assert desk.asked[-1][2] == {
        "act": "unlock",
        "who": ADDRESS,
        "reason": "NUMEN mal saisi",
        "caller_code": CALLER_CODE,
    }

    # Next identifier: a second person is asked for.
    waiting = {"proposal": {"id": "p-1", "expires_at": iso(NOW.replace(hour=9, minute=30))}, "sheet": after}
    desk.answer(ACT, 202, waiting)
    hands.tab_to("Donner l’identifiant suivant")
    hands.press("Enter")
    hands.type("jamais arrivé")
    hands.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Rien n’a changé pour l’instant")
    assert desk.asked[-1][2]["act"] == "reissue"

    # The next call: one key, and nothing of this one is left.
    hands.press("Alt+n")
    expect(page.locator("#who")).to_be_focused()
    expect(page.locator("#who")).to_have_value("")
    assert "c•••@ac-dijon.fr" not in page.locator("body").inner_text()

    # The second person, on another computer.
    with watched_page(chromium) as other_page:
        other = MockedDesk(other_page, built)
        other.answer(PROPOSALS, 200, {"proposals": [proposal()]})
        sign_in(other, "supervisor")
        second = Keyboard(other_page)
        other_page.get_by_role("button", name="À confirmer").focus()
        second.press("Enter")
        expect(other_page.locator("h1")).to_have_text("À confirmer")
        expect(other_page.locator("article")).to_contain_text("vérifié par ses deux mots")
        other.answer(DECIDE, 200, {"done": "Un nouvel identifiant part par courriel."})
        second.tab_to("Confirmer")
        second.press("Enter")
        second.type("vu avec Nadia")
        second.press("Enter")
        expect(other_page.locator("#notice")).to_have_text("Un nouvel identifiant part par courriel.")
        decided = ("POST", "/helpdesk/proposals/p-1", {"decision": "confirm", "reason": "vu avec Nadia"})
        assert decided in other.asked

    assert hands.work + second.work < WHOLE_CALL
    with capsys.disabled():
        print(  # noqa: T201 what a call costs is asked for
            f"\nA call: {hands.keystrokes} keystrokes, {hands.work:.0f} s of work; second person: "
            f"{second.keystrokes} keystrokes, {second.work:.0f} s; played in {time.monotonic() - started:.1f} s"
        )


@pytest.mark.req("H3")
@pytest.mark.parametrize(
    ("label", "typed", "sent"),
    [
        ("Débloquer les demandes", [], {"act": "unlock"}),
        ("Laisser passer un code", ["482 913"], {"act": "let-in", "number": "482913"}),
        ("Geler l’identifiant", [], {"act": "freeze"}),
        ("Donner l’identifiant suivant", [], {"act": "reissue"}),
    ],
)
def test_each_act_says_what_it_does_and_asks_for_a_reason(
    page: Page, desk: MockedDesk, label: str, typed: list[str], sent: dict[str, str]
) -> None:
    sign_in(desk)
    shown = sheet(*LOCKED)
    look(desk, shown)
    page.get_by_role("button", name=label).click()
    (act,) = [act for act in shown["acts"] if act["act"] == sent["act"]]
    expect(page.locator(".in-place")).to_contain_text(act["does"])
    expect(page.locator(".in-place")).to_contain_text("L’appelant n’est pas vérifié")
    for text in typed:
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_contain_text("Écrivez le motif")
    assert not any(path == "/helpdesk/acts" for _, path, _ in desk.asked)

    desk.answer(ACT, 200, {"done": "C’est fait.", "sheet": shown})
    page.locator("#reason").fill("appelant vérifié")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text("C’est fait.")
    assert desk.asked[-1][2] == {**sent, "who": ADDRESS, "reason": "appelant vérifié"}


@pytest.mark.req("H3")
def test_unfreezing_is_offered_when_the_sheet_offers_it(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    unfreeze = {
        "act": "unfreeze",
        "label": "Dégeler l’identifiant",
        "does": "L’identifiant actuel permet de nouveau de voter.",
        "needs": ["reason"],
        "allowed": True,
    }
    look(desk, sheet(advice("unfreeze", "Un opérateur a gelé l’identifiant.", "unfreeze"), acts=[unfreeze]))
    expect(page.locator("#acts button")).to_have_text(["Dégeler l’identifiant…"])


@pytest.mark.req("H3")
def test_an_identifier_goes_to_the_address_that_the_caller_says(page: Page, desk: MockedDesk) -> None:
    """Looked up by reference: the API gives no whole address, so the agent asks for it."""
    sign_in(desk)
    shown = sheet(SMS_FAILED, caller="verified", voter_known_by="reference")
    look(desk, shown, "7K3M9-QWX2T")
    page.get_by_role("button", name="Donner l’identifiant suivant").click()
    desk.answer(ACT, 200, {"done": "C’est fait.", "sheet": shown})
    page.locator("#address").fill(ADDRESS)
    page.locator("#reason").fill("jamais arrivé")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text("C’est fait.")
    assert desk.asked[-1][2]["who"] == ADDRESS


@pytest.mark.req("H3")
def test_a_form_that_is_sent_again_has_the_same_key(page: Page, desk: MockedDesk) -> None:
    """A lost reply does nothing twice; another act has another key."""
    sign_in(desk)
    look(desk, sheet(*LOCKED))
    page.get_by_role("button", name="Débloquer").click()
    page.keyboard.type("appelant vérifié")
    desk.drop(ACT)
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_contain_text("Aucune réponse")
    desk.answer(ACT, 200, {"done": "C’est fait.", "sheet": sheet(*LOCKED)})
    page.locator("#reason").press("Enter")
    expect(page.locator("#notice")).to_have_text("C’est fait.")
    page.get_by_role("button", name="Geler").click()
    page.keyboard.type("messagerie piratée")
    page.keyboard.press("Enter")
    expect(page.locator(".in-place")).to_have_count(0)
    first, again, other = [
        request.headers["idempotency-key"] for request in desk.requests if request.url.endswith("/helpdesk/acts")
    ]
    assert first == again != other


@pytest.mark.req("H7")
def test_escape_closes_the_form_and_goes_back(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, sheet(*LOCKED))
    opener = page.get_by_role("button", name="Débloquer les demandes…", exact=True)
    opener.press("Enter")
    expect(opener).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(page.locator(".in-place")).to_have_count(0)
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")


@pytest.mark.req("H2", "H4")
def test_a_sheet_never_stands_beside_another_voters_refusal(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, sheet(*LOCKED))
    desk.refuse(LOOK, 404, "no-such-voter", "Personne sous cette adresse", "Faites épeler l’adresse.")
    page.locator("#who").fill("autre@ac-dijon.fr")
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_contain_text("Faites épeler l’adresse.")
    expect(page.locator("#sheet")).to_be_hidden()
    expect(page.locator("h1")).to_have_text("Nouvel appel")
    assert page.locator("#advice > li").count() == 0
    expect(page.locator("#who")).to_have_value("autre@ac-dijon.fr")


@pytest.mark.req("H7")
@pytest.mark.parametrize("key", ["Alt+n", "Alt+N"])
def test_the_next_call_is_one_key_from_every_tab(page: Page, desk: MockedDesk, key: str) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": []})
    sign_in(desk, "supervisor")
    page.get_by_role("button", name="À confirmer").click()
    expect(page.locator("#proposals-none")).to_be_visible()
    page.keyboard.press(key)
    expect(page.locator("#who")).to_be_focused()


@pytest.mark.req("H7")
def test_an_auditor_has_no_calls(page: Page, desk: MockedDesk) -> None:
    sign_in(desk, "auditor")
    expect(page.locator("h1")).to_have_text("Journal de l’assistance")
    page.keyboard.press("Alt+n")
    expect(page.locator("#who")).to_be_hidden()
    expect(page.locator("#tabs")).to_be_hidden()


def shown_tabs(page: Page) -> list[str]:
    return page.locator("#tabs button:visible").all_inner_texts()


@pytest.mark.req("H1")
@pytest.mark.parametrize(
    ("role", "tabs"),
    [
        ("agent", []),
        ("supervisor", ["Appels", "À confirmer", "L’équipe"]),
        ("auditor", []),
        ("operator", ["Appels", "L’équipe", "Journal"]),
    ],
)
def test_the_role_decides_what_is_shown(page: Page, desk: MockedDesk, role: str, tabs: list[Any]) -> None:
    sign_in(desk, role)
    expect(page.locator("h1")).not_to_have_text("Code du second facteur")
    assert shown_tabs(page) == tabs


@pytest.mark.req("H2", "H4")
def test_an_act_is_on_the_voter_whose_sheet_is_shown(page: Page, desk: MockedDesk) -> None:
    """The agent has begun to type the next caller's address."""
    sign_in(desk)
    look(desk, sheet(*LOCKED))
    page.locator("#who").fill("autre@ac-dijon.fr")
    desk.answer(ACT, 200, {"done": "C’est fait.", "sheet": sheet(*LOCKED)})
    # The sheet that an act leaves behind is the same voter's.
    for _ in range(2):
        page.get_by_role("button", name="Geler").click()
        page.locator("#reason").fill("messagerie piratée")
        page.keyboard.press("Enter")
        expect(page.locator("#reason")).to_have_count(0)
    assert [body["who"] for method, path, body in desk.asked if (method, path) == ACT] == [ADDRESS, ADDRESS]


@pytest.mark.req("H2")
def test_a_caller_whose_words_are_wrong_is_offered_no_act(page: Page, desk: MockedDesk) -> None:
    sign_in(desk)
    look(desk, {**sheet(*LOCKED), "caller": "wrong-code"}, code=CALLER_CODE)
    expect(page.locator("#acts-section")).to_be_hidden()


@pytest.mark.req("H6")
@pytest.mark.parametrize(("button", "decision"), [("Confirmer…", "confirm"), ("Refuser…", "refuse")])
def test_a_second_person_decides_what_the_button_says(page: Page, desk: MockedDesk, button: str, decision: str) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": [proposal()]})
    sign_in(desk, "supervisor")
    page.get_by_role("button", name="À confirmer").click()
    page.get_by_role("button", name=button).click()
    desk.answer(DECIDE, 200, {"done": "C’est fait."})
    page.locator("#reason").fill("vu avec l’agent")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text("C’est fait.")
    assert [body["decision"] for _, _, body in desk.asked if body and "decision" in body] == [decision]


@pytest.mark.req("H6")
def test_a_decision_that_is_pressed_twice_is_made_once(page: Page, desk: MockedDesk) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": [proposal()]})
    sign_in(desk, "supervisor")
    page.get_by_role("button", name="À confirmer").click()
    page.get_by_role("button", name="Confirmer…").click()
    desk.answer(DECIDE, 200, {"done": "C’est fait."})
    page.locator("#reason").fill("vu avec l’agent")
    page.locator("#reason").evaluate("field => { field.form.requestSubmit(); field.form.requestSubmit(); }")
    expect(page.locator("#notice")).to_have_text("C’est fait.")
    assert len([body for _, _, body in desk.asked if body and "decision" in body]) == 1
