"""The whole journey by keyboard alone, at 320 px and with text twice as large: every step, every
error, every dialog.
"""

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code
from reassort.reasons import Reason

from harness.site.mocked_space import (
    ADDRESS,
    ASK_CODE,
    OVERVIEW,
    REDEEM_CODE,
    REDELIVERY,
    REFERENCE,
    REISSUE,
    MockedSpace,
    overview,
    step,
    tracked,
    why,
)
from harness.site.steps import CODE, EMAIL, NUMEN, TYPED_PHONE, commit, heading_is

STOPS = 60
# What a person who enlarges text sees: every length in rem grows with it.
TWICE = "document.documentElement.style.fontSize = '200%'"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on an element, seeing it at each stop."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """selector => {
          const element = document.activeElement;
          const { top, bottom, width, height } = element.getBoundingClientRect();
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          return {
            there: element.matches(selector),
            page: element === document.body,
            seen: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
            marked: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
            what: element.outerHTML.slice(0, 100),
          };
        }""",
            selector,
        )
        if focused["page"]:
            continue
        assert focused["seen"], f"the focus is out of sight on {focused['what']}"
        assert focused["marked"], f"the focus does not show on {focused['what']}"
        if focused["there"]:
            return
    raise AssertionError(f"{selector} cannot be reached with Tab")


def no_sideways_scrolling(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.req("U1")
@pytest.mark.parametrize(("width", "twice"), [(320, False), (640, True), (1280, False)])
def test_journey_with_errors_by_keyboard_alone(page: Page, mocked: MockedSpace, width: int, twice: bool) -> None:
    page.set_viewport_size({"width": width, "height": 640})

    def on(heading: str) -> None:
        heading_is(page, heading)
        if twice:
            page.evaluate(TWICE)
        no_sideways_scrolling(page)

    mocked.answer(ASK_CODE, 202, {"sent": True, "expires_in": 600, "resend_in": 60})
    mocked.open("index.html")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    mocked.refuse(OVERVIEW, Code.SIGNED_OUT)
    tab_to(page, "a[href='/demande.html#commencer']")
    page.keyboard.press("Enter")
    on("Votre adresse professionnelle")
    tab_to(page, "#email")
    page.keyboard.press("Enter")
    # The summary takes the focus, and its entry leads to the field.
    expect(page.locator("#errors")).to_be_focused()
    tab_to(page, "#errors a")
    page.keyboard.press("Enter")
    expect(page.locator("#email")).to_be_focused()
    page.keyboard.type(EMAIL)
    page.keyboard.press("Enter")

    on("Le code reçu par courriel")
    mocked.refuse(REDEEM_CODE, Code.WRONG_CODE, attempts_left=4)
    tab_to(page, "#code")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.locator("#errors")).to_be_focused()
    no_sideways_scrolling(page)
    mocked.answer(REDEEM_CODE, 200, {"expires_in": 900})
    mocked.answer(OVERVIEW, 200, overview())
    tab_to(page, "#errors a")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")

    on("Vos renseignements")
    tab_to(page, "#numen")
    page.keyboard.type(NUMEN)
    tab_to(page, "#request-form summary")
    page.keyboard.press("Enter")
    expect(page.get_by_text("dans une enveloppe cachetée")).to_be_visible()
    no_sideways_scrolling(page)
    tab_to(page, "#phone")
    page.keyboard.type(TYPED_PHONE)
    tab_to(page, "[name=channel]")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#channel-email")).to_be_checked()
    page.keyboard.press("ArrowUp")
    tab_to(page, "#consent")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")

    on("Vérifiez votre demande")
    tab_to(page, "[data-edit='phone']")
    page.keyboard.press("Enter")
    expect(page.locator("#phone")).to_be_focused()
    expect(page.locator("#phone")).to_have_value(TYPED_PHONE)
    page.keyboard.press("Enter")
    on("Vérifiez votre demande")
    commit(mocked)
    tab_to(page, "#review-form button[type=submit]")
    page.keyboard.press("Enter")

    page.wait_for_url("**/suivi.html")
    on("Suivi de votre demande")
    expect(page.locator("#reference")).to_have_text(REFERENCE)
    mocked.next_status(tracked("failed", reason=why(Reason.NO_ROUTE)))
    expect(page.locator("#redelivery")).to_be_visible()
    sent = {"reference": REFERENCE, "generation": 2, "channel": "email", "destination": ADDRESS}
    mocked.answer(REDELIVERY, 202, sent)
    mocked.track(tracked("sent", "email", history=[step("queued", "email")]))
    tab_to(page, "#redeliver")
    page.keyboard.press("Enter")
    expect(page.locator("#redelivered")).to_be_focused()
    no_sideways_scrolling(page)


@pytest.mark.req("U1", "U5")
def test_session_dialog_keeps_the_focus_and_gives_it_back(page: Page, mocked: MockedSpace) -> None:
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open("demande.html")
    heading_is(page, "Vos renseignements")
    page.locator("#phone").focus()
    page.clock.fast_forward((900 - 100) * 1000)
    expect(page.locator("#session-extend")).to_be_focused()
    for _ in range(6):
        page.keyboard.press("Tab")
        inside = page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        assert inside, "the focus leaves the dialog"
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#phone")).to_be_focused()
    assert [path for _, path, _ in mocked.asked].count("/api/reissue") == 2, "Escape prolongs the session"


@pytest.mark.req("U1", "U10")
def test_motion_colours_and_targets_suit_everybody(page: Page, mocked: MockedSpace) -> None:
    """WCAG 2.2: 2.5.8 targets of 24 px at least, 1.4.1 links are told by more than colour, no
    motion for who wants none.
    """
    page.set_viewport_size({"width": 320, "height": 640})
    mocked.open("connexion.html")
    small = page.evaluate("""() => [...document.querySelectorAll("button, input, summary, nav a, a.button")]
      .filter(element => element.checkVisibility() && !element.classList.contains("skip"))
      .map(element => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()])
      .filter(([, { width, height }]) => width < 24 || height < 24)
      .map(([html]) => html)""")
    assert small == []
    plain_links = page.evaluate("""() => [...document.querySelectorAll("main a:not(.button)")]
      .filter(link => !getComputedStyle(link).textDecorationLine.includes("underline")).map(link => link.outerHTML)""")
    assert plain_links == []
    page.emulate_media(reduced_motion="reduce")
    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(element => {
      const { transitionDuration, animationName } = getComputedStyle(element);
      return parseFloat(transitionDuration) > 0 || animationName !== "none";
    }).map(element => element.outerHTML.slice(0, 80))""")
    assert moving == []


@pytest.mark.req("U1")
def test_no_reissue_is_asked_for_by_accident(page: Page, mocked: MockedSpace) -> None:
    """Enter in a field of the form leads to the review, never past it."""
    mocked.answer(OVERVIEW, 200, overview())
    mocked.open("demande.html")
    heading_is(page, "Vos renseignements")
    page.locator("#channel-sms").check()
    page.locator("#consent").check()
    page.locator("#numen").fill(NUMEN)
    page.locator("#phone").fill(TYPED_PHONE)
    for _ in range(3):
        page.keyboard.press("Enter")
    heading_is(page, "Vérifiez votre demande")
    assert [call for call in mocked.asked if call[:2] == REISSUE] == []
