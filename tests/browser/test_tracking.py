"""The tracking page: what a voter reads in each state of a delivery, and what they can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import Code
from reassort.reasons import Reason

from tests.browser.axe import violations, violations_in_both_schemes
from tests.browser.mocked_space import ADDRESS, PHONE, REDELIVERY, REFERENCE, MockedSpace, step, tracked, why

PHONE_PLACE = "sur le mobile indiqué dans votre demande"


@dataclass(frozen=True)
class State:
    """What the API says, and what the page must make of it."""

    body: dict[str, Any]
    label: str
    texts: tuple[str, ...]
    button: str | None = None
    new_request: bool = False


def _after_failed_sms(status: str, sms_reason: Reason, **members: Any) -> dict[str, Any]:
    history = [
        step("queued", "sms", ago=9),
        step("sent", "sms", ago=7),
        step("failed", "sms", ago=4, because=why(sms_reason)),
        step("queued", "email", ago=4),
    ]
    if status != "queued":
        history.append(step(status, "email", ago=1, because=members.get("reason")))
    return tracked(status, "email", history=history, **members)


STATES = {
    "queued": State(
        tracked("queued"), "En attente d’envoi", ("Votre identifiant part par SMS dans quelques instants.",)
    ),
    "sending": State(tracked("sending", "email"), "Envoi en cours", ("Votre identifiant part par courriel",)),
    "sent": State(
        tracked("sent"), "Envoyé", ("Votre identifiant est parti par SMS. Il devrait arriver dans quelques minutes.",)
    ),
    "sent-email": State(
        tracked("sent", "email"), "Envoyé", ("est parti par courriel", "regardez dans les courriers indésirables")
    ),
    "slow": State(
        tracked("sent", history=[step("queued", "sms", ago=180), step("sent", "sms", ago=178)]),
        "Envoyé",
        ("Rien reçu ?", f"le même identifiant par courriel, à l’adresse {ADDRESS}", "Il reste valable."),
        "Recevoir par courriel à la place",
    ),
    "slow-email": State(
        tracked("sent", "email", history=[step("queued", "email", ago=180)]),
        "Envoyé",
        ("Rien reçu ?", f"le même identifiant par SMS, {PHONE_PLACE}"),
        "Recevoir par SMS à la place",
    ),
    "delivered": State(
        tracked("delivered"), "Arrivé", ("Votre identifiant est arrivé par SMS. Utilisez-le pour voter.",)
    ),
    "long-wait": State(
        tracked("queued", expected_wait=230),
        "En attente d’envoi",
        ("Beaucoup de SMS attendent leur tour. Le vôtre partira dans environ 4 minutes.", "Pour ne pas attendre"),
        "Recevoir par courriel maintenant",
    ),
    "mailbox-full": State(
        tracked("sent", "email", reason=why(Reason.MAILBOX_FULL)),
        "Retardé",
        ("Votre boîte est pleine. Videz-la : nous réessayons automatiquement.",),
        "Recevoir par SMS à la place",
    ),
    "mail-delayed": State(
        tracked("sent", "email", reason=why(Reason.MAIL_DELAYED)),
        "Retardé",
        ("Votre messagerie ne répond pas pour l’instant. Nous réessayons automatiquement.",),
        "Recevoir par SMS à la place",
    ),
    "no-answer": State(
        tracked("queued", reason=why(Reason.NO_ANSWER)),
        "Retardé",
        ("L’envoi prend du retard (service d’envoi sans réponse). Nous réessayons automatiquement.",),
        "Recevoir par courriel à la place",
    ),
    "phone-unreachable": State(
        tracked("sent", reason=why(Reason.PHONE_UNREACHABLE)),
        "Retardé",
        ("Votre téléphone est injoignable. Allumez-le",),
        "Recevoir par courriel à la place",
    ),
    "marked-as-spam": State(
        tracked("delivered", "email", reason=why(Reason.MARKED_AS_SPAM)),
        "Classé indésirable",
        (
            "Votre messagerie a classé notre courriel comme indésirable.",
            "le dossier des courriers indésirables (« spam »)",
        ),
    ),
    "sms-failed": State(
        tracked("failed", reason=why(Reason.UNKNOWN_NUMBER)),
        "Échec de l’envoi",
        (f"Le SMS n’a pas pu être remis au numéro {PHONE} (numéro inconnu). Vérifiez le numéro",),
        "Recevoir par courriel",
    ),
    "email-failed": State(
        tracked("failed", "email", reason=why(Reason.MAILBOX_FULL)),
        "Échec de l’envoi",
        (f"Le courriel n’a pas pu être remis à l’adresse {ADDRESS} (boîte pleine). Videz votre boîte", PHONE_PLACE),
        "Recevoir par SMS",
    ),
    "fallback-queued": State(
        _after_failed_sms("queued", Reason.UNKNOWN_NUMBER),
        "En attente d’envoi",
        (
            "Le SMS n’a pas pu être remis (numéro inconnu).",
            f"Le même identifiant part par courriel, à l’adresse {ADDRESS}.",
        ),
    ),
    "fallback-sent": State(
        _after_failed_sms("sent", Reason.OPTED_OUT),
        "Envoyé",
        (
            "Le SMS n’a pas pu être remis (numéro qui refuse nos SMS).",
            f"Le même identifiant a été envoyé par courriel, à l’adresse {ADDRESS}.",
        ),
    ),
    "fallback-delivered": State(
        _after_failed_sms("delivered", Reason.SMS_CAP_REACHED),
        "Arrivé",
        (
            "Le SMS n’a pas pu être remis (plafond de SMS du jour atteint).",
            f"Le même identifiant est arrivé par courriel, à l’adresse {ADDRESS}. Utilisez-le pour voter.",
        ),
    ),
    "fallback-failed": State(
        _after_failed_sms("failed", Reason.UNKNOWN_NUMBER, reason=why(Reason.MAILBOX_FULL)),
        "Échec de l’envoi",
        (
            "Le SMS n’a pas pu être remis (numéro inconnu).",
            f"Le courriel n’a pas pu être remis non plus à l’adresse {ADDRESS} (boîte pleine). Videz votre boîte",
            "Faites une nouvelle demande, avec un autre numéro de mobile",
        ),
        new_request=True,
    ),
    "confirmation-failed": State(
        tracked("delivered", confirmation={"status": "failed", "reason": why(Reason.NO_SUCH_MAILBOX)}),
        "Arrivé",
        (
            f"Le courriel de confirmation n’a pas pu être remis à l’adresse {ADDRESS} (adresse inconnue de la messagerie).",
            "Votre nouvel identifiant reste valable. Notez la référence ci-dessus.",
        ),
    ),
    "confirmation-delayed": State(
        tracked("delivered", confirmation={"status": "sent", "reason": why(Reason.MAILBOX_FULL)}),
        "Arrivé",
        ("Le courriel de confirmation n’est pas encore arrivé", "Votre boîte est pleine. Videz-la"),
    ),
    "superseded": State(
        tracked("superseded"),
        "Remplacé",
        ("Un identifiant plus récent vous a été attribué. Celui-ci ne fonctionne plus.",),
    ),
    "disputed": State(
        tracked("disputed"), "Bloqué", ("Cet identifiant a été bloqué après un signalement. Appelez l’assistance au",)
    ),
}


def plain(text: str) -> str:
    """Undo the no-break spaces of French typography."""
    return re.sub(r"\s+", " ", text)


def shown(page: Page) -> str:
    return plain(page.locator("main").inner_text())


def announced(page: Page) -> str:
    announcer = page.locator("#status-announcer")
    expect(announcer).to_have_role("status")
    return plain(announcer.text_content() or "")


@pytest.mark.req("U6", "U10", "R10", "R11")
@pytest.mark.parametrize("name", STATES)
def test_state_is_told_in_french_with_its_reason_and_what_to_do(page: Page, mocked: MockedSpace, name: str) -> None:
    state = STATES[name]
    page.set_viewport_size({"width": 320, "height": 640})
    mocked.open_tracking(state.body)
    expect(page.locator("#status")).to_have_text(state.label)
    for text in state.texts:
        assert text in shown(page)
    expect(page.locator("#redelivery")).to_be_visible(visible=state.button is not None)
    if state.button:
        expect(page.locator("#redeliver")).to_have_text(state.button)
    expect(page.locator("#new-request")).to_be_visible(visible=state.new_request)
    # Whoever does not see the page hears it all once it is there.
    assert announced(page).startswith(f"État de l’envoi : {state.label}.")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert violations_in_both_schemes(page) == []


@pytest.mark.req("R10", "R11")
def test_every_reason_of_a_failure_or_delay_has_words(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued"))
    cases = [
        tracked(status, channel, reason=why(reason))
        for status in ("sent", "failed")
        for channel in ("sms", "email")
        for reason in Reason
    ]
    words = page.evaluate(
        """async cases => {
          const { explain, stateWords } = await import(document.querySelector("link[href$='delivery.js']").href);
          return cases.map(reissue => [stateWords(reissue), explain(reissue).join(" ")]);
        }""",
        cases,
    )
    for case, (state, text) in zip(cases, words, strict=True):
        if case["status"] == "failed":
            assert state == "Échec de l’envoi"
            assert f"({case['reason']['words']})" in text
        else:
            assert state in {"Retardé", "Classé indésirable"}
            assert re.search(r"réessayons|Cherchez-le|Allumez-le", text)
        assert not re.search(r"undefined|null|NaN|\(\)", text)


@pytest.mark.req("U6", "R10")
def test_history_names_channel_and_reason(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(_after_failed_sms("sent", Reason.UNKNOWN_NUMBER))
    steps = [plain(text).partition(" : ")[2] for text in page.locator("#history li").all_inner_texts()]
    assert steps == [
        "En attente d’envoi (SMS)",
        "Envoyé (SMS)",
        "Échec de l’envoi (SMS, numéro inconnu)",
        "En attente d’envoi (courriel)",
        "Envoyé (courriel)",
    ]


@pytest.mark.req("U6")
def test_long_wait_is_announced_once_while_the_minutes_go_down(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued", expected_wait=230))
    said = announced(page)
    assert "environ 4 minutes" in said
    assert "Pour ne pas attendre" in said
    mocked.next_status(tracked("queued", expected_wait=60))
    expect(page.locator("#status-text")).to_contain_text("environ 1")
    assert "environ 1 minute." in shown(page)
    assert announced(page) == said


@pytest.mark.req("U6", "R10")
def test_automatic_email_after_a_failed_sms_is_announced(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent"))
    mocked.next_status(_after_failed_sms("queued", Reason.UNKNOWN_NUMBER))
    expect(page.locator("#destination")).to_contain_text("l’adresse")
    assert "Le SMS n’a pas pu être remis (numéro inconnu). Le même identifiant part par courriel" in announced(page)
    mocked.next_status(_after_failed_sms("delivered", Reason.UNKNOWN_NUMBER))
    expect(page.locator("#status")).to_have_text("Arrivé")


@pytest.mark.req("U6")
def test_page_goes_on_asking_after_the_identifier_has_arrived_until_the_confirmation_has(
    page: Page, mocked: MockedSpace
) -> None:
    mocked.open_tracking(tracked("delivered", confirmation={"status": "sent"}))
    expect(page.locator("#confirmation")).not_to_contain_text("remis")
    mocked.next_status(tracked("delivered", confirmation={"status": "failed", "reason": why(Reason.MAILBOX_FULL)}))
    expect(page.locator("#confirmation")).to_contain_text("boîte pleine")
    assert announced(page).startswith("Le courriel de confirmation n’a pas pu être remis")
    asked = len(mocked.asked)
    page.clock.fast_forward(120_000)
    assert len(mocked.asked) == asked


@pytest.mark.req("U6")
def test_voter_takes_the_email_instead_of_waiting(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("queued", expected_wait=600))
    sent = {"reference": REFERENCE, "generation": 2, "channel": "email", "destination": ADDRESS}
    mocked.answer(REDELIVERY, 202, sent)
    by_email = [step("queued", "sms", ago=5), step("queued", "email")]
    mocked.track(tracked("queued", "email", history=by_email))
    page.get_by_role("button", name="Recevoir par courriel maintenant").click()
    notice = page.locator("#redelivered")
    expect(notice).to_be_focused()
    assert plain(notice.inner_text()) == f"Le même identifiant part maintenant par courriel, à l’adresse {ADDRESS}."
    assert ("POST", f"/api/reissue/{REFERENCE}/redelivery", {"channel": "email"}) in mocked.asked
    expect(page.locator("#destination")).to_contain_text(ADDRESS)
    expect(page.locator("#redelivery")).to_be_hidden()
    assert violations_in_both_schemes(page) == []
    # Once it has arrived, or failed, « part maintenant » is no longer so.
    mocked.next_status(tracked("delivered", "email", history=[*by_email, step("delivered", "email")]))
    expect(notice).to_be_hidden()


@dataclass(frozen=True)
class Refusal:
    """Why a redelivery is refused, and what the voter is told to do."""

    title: str
    texts: tuple[str, ...]
    offered_again: bool = False
    retry_after: int | None = None


REFUSALS = {
    Code.TOO_MANY_REDELIVERIES: Refusal(
        "Trop d’envois", ("Cherchez-le dans vos SMS", "Faire une nouvelle demande", "Assistance :"), retry_after=3600
    ),
    Code.REDELIVERY_EXPIRED: Refusal(
        "Il est trop tard pour renvoyer cet identifiant",
        ("vous donne un autre identifiant", "Faire une nouvelle demande", "Assistance :"),
    ),
    Code.WINDOW_CLOSED: Refusal("Les demandes sont fermées", ("Voir les dates",)),
    Code.ALREADY_VOTED: Refusal("Vous avez déjà voté", ("Assistance :",)),
    Code.FROZEN: Refusal("Votre identifiant est bloqué", ("Assistance :",)),
    Code.DELIVERY_IN_PROGRESS: Refusal("Envoi en cours", ("Réessayer",), offered_again=True, retry_after=5),
    Code.PHONE_IN_USE: Refusal(
        "Numéro trop utilisé", ("Vous pourrez recommencer",), offered_again=True, retry_after=3600
    ),
}


@pytest.mark.req("U6", "U9", "U10")
@pytest.mark.parametrize("code", REFUSALS)
def test_refused_redelivery_says_what_to_do_next(page: Page, mocked: MockedSpace, code: Code) -> None:
    refusal = REFUSALS[code]
    mocked.open_tracking(tracked("failed", "email", reason=why(Reason.MAILBOX_FULL)))
    mocked.refuse(REDELIVERY, code, retry_after=refusal.retry_after)
    page.locator("#redeliver").click()
    expect(page.locator("#errors")).to_be_focused()
    assert refusal.title in shown(page)
    for text in refusal.texts:
        assert text in shown(page)
    expect(page.locator("#redelivery")).to_be_visible(visible=refusal.offered_again)
    expect(page.locator("#new-request")).to_be_hidden()
    assert "Seule l’assistance peut vous débloquer" not in shown(page)
    assert page.locator("#errors a[href='/suivi.html']").count() == 0
    assert violations(page) == []


@pytest.mark.req("U6")
def test_identifier_that_has_arrived_meanwhile_is_shown_so(page: Page, mocked: MockedSpace) -> None:
    mocked.open_tracking(tracked("sent", history=[step("queued", "sms", ago=180)]))
    mocked.refuse(REDELIVERY, Code.ALREADY_DELIVERED)
    mocked.track(tracked("delivered"))
    page.locator("#redeliver").click()
    expect(page.locator("#errors")).to_contain_text("Votre identifiant est déjà arrivé")
    expect(page.locator("#status")).to_have_text("Arrivé")
    expect(page.locator("#redelivery")).to_be_hidden()
