"""The fields: what browsers fill in, what a phone's keyboard shows, what is accepted as typed."""

import re

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code

from harness.site.mocked_space import ASK_CODE, OVERVIEW, REDEEM_CODE, SIGN_OUT, MockedSpace, overview, tracked
from harness.site.states import STATES
from harness.site.steps import (
    CODE,
    EMAIL,
    TYPED_PHONE,
    ask_code,
    confirm,
    fill_form,
    heading_is,
    open_code,
    open_form,
    redeem,
)
from tests.site.reading import expect_shown

SUGGESTED = [
    ("camille.morvandel@ac-dijon.com", EMAIL),
    ("camille.morvandel@ac-djion.fr", EMAIL),
    ("camille.morvandel@acdijon.fr", EMAIL),
    ("camille.morvandel@AC-DIJON.FR ", None),
    ("c.morvandel@u-bourgogne.com", "c.morvandel@u-bourgogne.fr"),
    ("c.morvandel@crous-dijon.f", "c.morvandel@crous-dijon.fr"),
    ("camille.morvandel@gmail.com", None),
    ("camille.morvandel@ac-lyon.fr", None),
]


@pytest.mark.req("U3")
def test_fields_tell_browsers_and_phones_what_they_hold(page: Page, mocked: MockedSpace) -> None:
    mocked.open("connexion.html")
    expected = {
        "#email": {"type": "email", "inputmode": "email", "autocomplete": "email"},
        "#code": {"inputmode": "numeric", "autocomplete": "one-time-code"},
        "#numen": {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
        "#phone": {"type": "tel", "inputmode": "tel", "autocomplete": "tel"},
    }
    for selector, attributes in expected.items():
        for name, value in attributes.items():
            expect(page.locator(selector)).to_have_attribute(name, value)
    # No length that would cut what is pasted, no pattern that would refuse it in the browser's own
    # words.
    for name in ("maxlength", "pattern", "readonly"):
        assert page.locator(f"input[{name}]").count() == 0
    # Every field has a visible label of its own.
    for field in page.locator("input").all():
        assert page.locator(f"label[for='{field.get_attribute('id')}']").count() == 1


@pytest.mark.req("U3")
def test_pasting_is_allowed_in_every_field(page: Page, mocked: MockedSpace) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    pasted = {"#email": EMAIL, "#code": " 482 915 ", "#numen": "09e9900123abc", "#phone": "+33 6.12.34.56.78"}

    def paste(selector: str) -> None:
        page.evaluate("text => navigator.clipboard.writeText(text)", pasted[selector])
        page.locator(selector).focus()
        page.keyboard.press("Control+V")
        expect(page.locator(selector)).to_have_value(pasted[selector])

    mocked.answer(ASK_CODE, 202, {"sent": True, "expires_in": 600, "resend_in": 60})
    mocked.answer(REDEEM_CODE, 200, {"expires_in": 900})
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open("connexion.html")
    paste("#email")
    page.keyboard.press("Enter")
    heading_is(page, "Le code reçu par courriel")
    paste("#code")
    page.keyboard.press("Enter")
    heading_is(page, "Vos renseignements")
    assert ("POST", "/api/login/code", {"code": CODE}) in mocked.asked
    paste("#numen")
    paste("#phone")


@pytest.mark.req("U3")
def test_nothing_is_asked_twice_and_no_puzzle_is_set(page: Page, mocked: MockedSpace) -> None:
    """One field for each fact in the whole journey, and nothing that a person must solve or
    recognise.
    """
    open_code(mocked)
    names = [field.get_attribute("name") for field in page.locator("input:not([type=radio])").all()]
    assert sorted(filter(None, names)) == ["code", "consent", "email", "numen", "phone"]
    assert page.locator("main canvas, main img, main iframe").count() == 0
    # A new code needs no second typing of the address.
    page.clock.fast_forward(61_000)
    page.get_by_role("button", name="Demander un nouveau code").click()
    expect(page.locator("#code-sent")).to_contain_text("Un nouveau code est parti")
    first, second = (body for method, path, body in mocked.asked if path == "/api/login")
    assert first == second == {"email": EMAIL, "number": first["number"]}
    assert re.fullmatch(r"[0-9]{6}", first["number"])


@pytest.mark.req("U9")
@pytest.mark.parametrize(("typed", "suggested"), SUGGESTED)
def test_slip_in_the_domain_is_corrected_with_one_press(
    page: Page, mocked: MockedSpace, typed: str, suggested: str | None
) -> None:
    STATES["address-slip"].play(mocked)
    page.locator("#email").fill(typed)
    page.get_by_role("button", name="Recevoir le code").click()
    if suggested is None:
        # Those of the address before are still there while the answer is on its way.
        expect(page.locator("#errors")).not_to_contain_text("Vouliez-vous")
        expect(page.locator("#errors")).to_be_focused()
        return
    expect_shown(page, f"Vouliez-vous écrire {suggested} ?", selector="#errors")
    page.get_by_role("button", name="Utiliser cette adresse").click()
    expect(page.locator("#email")).to_have_value(suggested)
    expect(page.locator("#email")).to_be_focused()
    expect(page.locator("#errors")).to_be_hidden()
    assert not page.title().startswith("Erreur")


@pytest.mark.req("U9", "S8")
@pytest.mark.parametrize(
    ("code", "left"),
    [
        (Code.TOO_MANY_TRIES, 0),
        (Code.WRONG_CODE, 0),
        (Code.CODE_EXPIRED, 0),
        (Code.CODE_EXPIRED, 3),
        (Code.CODE_EXPIRED, None),
    ],
)
def test_after_the_last_try_a_new_code_is_one_press_away(
    page: Page, mocked: MockedSpace, code: Code, left: int | None
) -> None:
    open_code(mocked)
    mocked.refuse(REDEEM_CODE, code, attempts_left=left, retry_after=540 if code is Code.TOO_MANY_TRIES else None)
    redeem(mocked)
    again = page.locator("#errors").get_by_role("button", name="Demander un nouveau code")
    expect(again).to_be_visible()
    expect(page.locator("#countdown")).to_have_count(0)
    page.clock.fast_forward(61_000)
    mocked.answer(SIGN_OUT, 204)
    mocked.asked.clear()
    again.click()
    expect(page.locator("#code-sent")).to_contain_text("Un nouveau code est parti")
    expect(page.locator("#code")).to_be_focused()
    # A challenge without tries is given up, so that the new code can be redeemed.
    ended = [("DELETE", "/api/login", None)] if left == 0 else []
    *before, (method, path, body) = mocked.asked
    assert (before, method, path, body["email"]) == (ended, "POST", "/api/login", EMAIL)
    mocked.answer(REDEEM_CODE, 200, {"expires_in": 900})
    mocked.answer(OVERVIEW, 200, overview())
    redeem(mocked)
    heading_is(page, "Vos renseignements")


@pytest.mark.req("U9")
def test_wrong_mailbox_is_changed_without_losing_the_way(page: Page, mocked: MockedSpace) -> None:
    open_code(mocked)
    page.get_by_role("link", name="changer d’adresse").click()
    heading_is(page, "Votre adresse professionnelle")
    expect(page.locator("#email")).to_have_value(EMAIL)
    ask_code(mocked, "camille.morvandel@u-bourgogne.fr")
    heading_is(page, "Le code reçu par courriel")
    expect(page.locator("#code-sent")).to_contain_text("camille.morvandel@u-bourgogne.fr")


@pytest.mark.req("U3")
def test_request_is_sent_as_the_api_wants_it(page: Page, mocked: MockedSpace) -> None:
    open_form(mocked)
    fill_form(mocked, numen="09 e99 00123-abc", phone=f" {TYPED_PHONE} ")
    page.get_by_role("button", name="Vérifier ma demande").click()
    heading_is(page, "Vérifiez votre demande")
    expect(page.locator("#review-numen")).to_have_text("09E9900123ABC")
    mocked.drop(("POST", "/api/reissue"))
    confirm(mocked)
    expect(page.locator("#errors")).to_be_focused()
    sent = {
        "revision": overview()["revision"],
        "numen": "09E9900123ABC",
        "phone": TYPED_PHONE,
        "channel": "sms",
        "consent": True,
    }
    assert mocked.asked[-1] == ("POST", "/api/reissue", sent)


@pytest.mark.req("S38")
def test_page_without_a_code_shows_the_number_that_its_requests_carry(page: Page, mocked: MockedSpace) -> None:
    open_code(mocked, sent=False)
    _, _, body = next(asked for asked in mocked.asked if asked[1] == "/api/login")
    shown = f"{body['number'][:3]}\u00a0{body['number'][3:]}"
    expect(page.locator("#code-sent")).to_contain_text(f"donnez le numéro de votre demande : {shown}")


@pytest.mark.req("U1", "U2")
def test_each_form_says_in_words_that_its_fields_are_required(page: Page, mocked: MockedSpace) -> None:
    """RGAA 11.10, whether there are several fields or one."""
    before_the_field = """form => {
      const field = form.querySelector("[required]");
      const range = document.createRange();
      range.setStart(form, 0);
      range.setEndBefore(field);
      return range.toString();
    }"""
    said = []
    mocked.open("connexion.html")
    said += [form.evaluate(before_the_field) for form in page.locator("form:has([required])").all()]
    mocked.open_tracking(tracked("failed"))
    said += [form.evaluate(before_the_field) for form in page.locator("form:has([required])").all()]
    assert all(re.search("(?i)obligatoires?[.]", text) for text in said)
    # Address, code, request; NUMEN of a redelivery.
    assert len(said) == 4
