"""The journey in WebKit, the engine of Safari and of every browser of an iPhone."""

import re
from collections.abc import Iterator

import pytest
from selenium.webdriver import WebKitGTK
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.expected_conditions import url_contains
from selenium.webdriver.support.wait import WebDriverWait

from harness.site.voter_space import DemoVoter, VoterSpace
from harness.site.watched import PATIENCE_SECONDS
from harness.site.webkit import running_webkit


class Tab:
    """What a voter sees and types in the browser's one tab."""

    def __init__(self, webkit: WebKitGTK) -> None:
        self._webkit = webkit
        self._wait = WebDriverWait(webkit, PATIENCE_SECONDS, poll_frequency=0.1)

    def open(self, url: str) -> None:
        """Load a page."""
        self._webkit.get(url)

    def url_contains(self, part: str) -> None:
        """Wait for the address of a page."""
        self._wait.until(url_contains(part))

    def text(self, selector: str, pattern: str = r"\S") -> str:
        """Wait for an element to show a text; return the whole, with plain spaces."""

        def look(webkit: WebKitGTK) -> str:
            # By a script: WebDriver's own reading of a text follows rules of visibility of its own.
            shown = webkit.execute_script(
                "const found = document.querySelector(arguments[0]);"
                "return found && found.getClientRects().length ? found.innerText : ''",
                selector,
            )
            text = " ".join(str(shown).split())
            return text if re.search(pattern, text) else ""

        return self._wait.until(look, f"{selector} does not show {pattern}")

    def type(self, selector: str, text: str) -> None:
        """Type into a field."""
        self._webkit.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def press(self, selector: str) -> None:
        """Put the focus on a button, link or box, and press it with the keyboard: all that WebKit
        needs of it must work without a mouse.
        """
        element = self._webkit.find_element(By.CSS_SELECTOR, selector)
        self._webkit.execute_script("arguments[0].focus()", element)
        element.send_keys(Keys.SPACE if element.get_attribute("type") in {"radio", "checkbox"} else Keys.ENTER)

    def user_agent(self) -> str:
        """Return what the browser says it is."""
        return str(self._webkit.execute_script("return navigator.userAgent"))


@pytest.fixture
def tab() -> Iterator[Tab]:
    with running_webkit() as webkit:
        yield Tab(webkit)


def ask_code(tab: Tab, origin: str, voter: DemoVoter) -> None:
    tab.open(f"{origin}/connexion.html")
    tab.text("h1", "^Votre adresse professionnelle$")
    tab.text("#helpdesk-state", "^(Ouverte|Fermée) maintenant")
    tab.type("#email", voter.email + Keys.ENTER)
    tab.text("h1", "^Le code reçu par courriel$")


@pytest.mark.req("U1", "U11", "U18")
def test_voter_receives_a_new_identifier_by_sms_in_webkit(tab: Tab, space: VoterSpace, voter: DemoVoter) -> None:
    assert "AppleWebKit/" in tab.user_agent()
    ask_code(tab, space.secure_origin, voter)
    tab.type("#code", space.code_for(voter.email) + Keys.ENTER)

    tab.text("h1", "^Vos renseignements$")
    tab.press("#request-form [type=submit]")
    tab.text("#errors", "NUMEN.*mobile.*SMS.*identifiant")
    tab.type("#numen", voter.numen)
    tab.type("#phone", "06 12 34 56 07")
    tab.press("#channel-sms")
    tab.press("#consent")
    tab.press("#request-form [type=submit]")
    tab.text("h1", "^Vérifiez votre demande$")
    tab.text("#review-channel", "^Par SMS")
    tab.press("#review-form [type=submit]")

    tab.url_contains("/suivi.html")
    assert tab.text("#receipt-title") == "Votre 2e identifiant (il remplace le 1er)"
    reference = tab.text("#reference")
    tab.text("#status", "^Envoyé$")
    assert reference in space.wait_for_message("+33612345607", channel="sms")["text"]
    assert reference in space.wait_for_message(voter.email, "Confirmation")["text"]

    tab.press("#sign-out")
    tab.text("#notice", "^Vous avez quitté votre session")
    tab.open(f"{space.secure_origin}/suivi.html")
    tab.text("#notice", "Identifiez-vous pour continuer")


@pytest.mark.req("U18")
def test_webkit_keeps_no_cookie_of_plain_http_and_the_page_says_so(
    tab: Tab, space: VoterSpace, voter: DemoVoter
) -> None:
    ask_code(tab, space.origin, voter)
    tab.type("#code", space.code_for(voter.email) + Keys.ENTER)
    tab.text("#errors, #notice", "cookies")
