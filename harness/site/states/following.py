"""The tracking page: each state of a delivery, and what may stand in the way of looking at it or of
a second sending.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reassort.problems import Code, FieldFault
from reassort.reasons import Reason

from harness.site.mocked_space import (
    ADDRESS,
    OVERVIEW,
    PHONE,
    REDELIVERY,
    REFERENCE,
    STATUS,
    MockedSpace,
    caller_code,
    last_reissue,
    overview,
    step,
    tracked,
    why,
)
from harness.site.states.state import PageState, helpdesk, merged, wording

if TYPE_CHECKING:
    from collections.abc import Callable

    type Play = Callable[[MockedSpace], None]

TITLE = "Suivi de votre demande"
CHANNEL_MESSAGE = "Choisissez l’autre moyen de réception."
PHONE_PLACE = "sur le mobile indiqué dans votre demande"


@dataclass(frozen=True)
class Tracked:
    """What the API says, and what the page must make of it."""

    body: dict[str, Any]
    label: str
    texts: tuple[str, ...]
    button: str | None = None
    new_request: bool = False


def after_failed_sms(status: str, sms_reason: Reason, **members: Any) -> dict[str, Any]:
    """Return the status of a reissue whose SMS failed and whose e-mail stands at `status`."""
    history = [
        step("queued", "sms", ago=9),
        step("sent", "sms", ago=7),
        step("failed", "sms", ago=4, because=why(sms_reason)),
        step("queued", "email", ago=4),
    ]
    if status != "queued":
        history.append(step(status, "email", ago=1, because=members.get("reason")))
    return tracked(status, "email", history=history, **members)


def after_failed_email(status: str, email_reason: Reason, **members: Any) -> dict[str, Any]:
    """Return the status of a reissue whose e-mail came back and whose SMS stands at `status`."""
    history = [
        step("queued", "email", ago=9),
        step("sent", "email", ago=7),
        step("failed", "email", ago=4, because=why(email_reason)),
        step("queued", "sms", ago=4),
    ]
    if status != "queued":
        history.append(step(status, "sms", ago=1, because=members.get("reason")))
    return tracked(status, "sms", history=history, **members)


NEITHER = {"channels": [], "numen": False}
TRACKED = {
    "queued": Tracked(
        tracked("queued"), "En attente d’envoi", ("Votre identifiant part par SMS dans quelques instants.",)
    ),
    "sending": Tracked(tracked("sending", "email"), "Envoi en cours", ("Votre identifiant part par courriel",)),
    "sent": Tracked(
        tracked("sent"), "Envoyé", ("Votre identifiant est parti par SMS. En général, il arrive en quelques minutes.",)
    ),
    "sent-email": Tracked(
        tracked("sent", "email"), "Envoyé", ("est parti par courriel", "regardez dans les courriers indésirables")
    ),
    "late": Tracked(
        tracked("sent", history=[step("queued", "sms", ago=180), step("sent", "sms", ago=178)]),
        "Envoyé",
        ("Rien reçu ?", f"le même identifiant par courriel, à l’adresse {ADDRESS}", "Il reste valable."),
        "Recevoir par courriel à la place",
    ),
    "late-email": Tracked(
        tracked("sent", "email", history=[step("queued", "email", ago=180)]),
        "Envoyé",
        ("Rien reçu ?", f"le même identifiant par SMS, {PHONE_PLACE}"),
        "Recevoir par SMS à la place",
    ),
    "delivered": Tracked(
        tracked("delivered"), "Arrivé", ("Votre identifiant est arrivé par SMS. Utilisez-le pour voter.",)
    ),
    "long-wait": Tracked(
        tracked("queued", expected_wait=230),
        "En attente d’envoi",
        ("Beaucoup de SMS attendent leur tour. Le vôtre partira dans environ 4 minutes.", "Pour ne pas attendre"),
        "Recevoir par courriel maintenant",
    ),
    "mailbox-full": Tracked(
        tracked("sent", "email", reason=why(Reason.MAILBOX_FULL)),
        "Retardé",
        ("Votre boîte est pleine. Videz-la : nous réessayons automatiquement.",),
        "Recevoir par SMS à la place",
    ),
    "mail-delayed": Tracked(
        tracked("sent", "email", reason=why(Reason.MAIL_DELAYED)),
        "Retardé",
        ("Votre messagerie ne répond pas pour l’instant. Nous réessayons automatiquement.",),
        "Recevoir par SMS à la place",
    ),
    "provider-silent": Tracked(
        tracked("queued", reason=why(Reason.NO_ANSWER)),
        "Retardé",
        ("L’envoi prend du retard (service d’envoi sans réponse). Nous réessayons automatiquement.",),
        "Recevoir par courriel à la place",
    ),
    "phone-unreachable": Tracked(
        tracked("sent", reason=why(Reason.PHONE_UNREACHABLE)),
        "Retardé",
        ("Votre téléphone est injoignable. Allumez-le",),
        "Recevoir par courriel à la place",
    ),
    "marked-as-spam": Tracked(
        tracked("delivered", "email", reason=why(Reason.MARKED_AS_SPAM)),
        "Classé indésirable",
        (
            "Votre messagerie a classé notre courriel comme indésirable.",
            "le dossier des courriers indésirables (« spam »)",
        ),
    ),
    "sms-failed": Tracked(
        tracked("failed", reason=why(Reason.UNKNOWN_NUMBER)),
        "Échec de l’envoi",
        (f"Le SMS n’a pas pu être remis au numéro {PHONE} (numéro inconnu). Vérifiez le numéro",),
        "Recevoir par courriel",
    ),
    "email-failed": Tracked(
        tracked("failed", "email", reason=why(Reason.MAILBOX_FULL)),
        "Échec de l’envoi",
        (f"Le courriel n’a pas pu être remis à l’adresse {ADDRESS} (boîte pleine). Videz votre boîte", PHONE_PLACE),
        "Recevoir par SMS",
    ),
    "fallback-queued": Tracked(
        after_failed_sms("queued", Reason.UNKNOWN_NUMBER),
        "En attente d’envoi",
        (
            "Le SMS n’a pas pu être remis (numéro inconnu).",
            f"Le même identifiant part par courriel, à l’adresse {ADDRESS}.",
        ),
    ),
    "fallback-sent": Tracked(
        after_failed_sms("sent", Reason.OPTED_OUT),
        "Envoyé",
        (
            "Le SMS n’a pas pu être remis (numéro qui refuse nos SMS).",
            f"Le même identifiant a été envoyé par courriel, à l’adresse {ADDRESS}.",
        ),
    ),
    "fallback-delivered": Tracked(
        after_failed_sms("delivered", Reason.SMS_CAP_REACHED),
        "Arrivé",
        (
            "Le SMS n’a pas pu être remis (nombre maximum de SMS du jour atteint).",
            f"Le même identifiant est arrivé par courriel, à l’adresse {ADDRESS}. Utilisez-le pour voter.",
        ),
    ),
    "fallback-failed": Tracked(
        after_failed_sms("failed", Reason.UNKNOWN_NUMBER, reason=why(Reason.MAILBOX_FULL), redelivery=NEITHER),
        "Échec de l’envoi",
        (
            "Le SMS n’a pas pu être remis (numéro inconnu).",
            f"Le courriel n’a pas pu être remis non plus à l’adresse {ADDRESS} (boîte pleine). Videz votre boîte",
            "Faites une nouvelle demande, avec un autre numéro de mobile",
        ),
        new_request=True,
    ),
    "bounced-queued": Tracked(
        after_failed_email("queued", Reason.MAILBOX_FULL),
        "En attente d’envoi",
        (
            "Le courriel n’a pas pu être remis (boîte pleine).",
            f"Le même identifiant part par SMS, au numéro {PHONE}.",
        ),
    ),
    "bounced-delivered": Tracked(
        after_failed_email("delivered", Reason.NO_SUCH_MAILBOX),
        "Arrivé",
        (
            "Le courriel n’a pas pu être remis (adresse inconnue de la messagerie).",
            f"Le même identifiant est arrivé par SMS, au numéro {PHONE}. Utilisez-le pour voter.",
        ),
    ),
    "bounced-failed": Tracked(
        after_failed_email("failed", Reason.NO_SUCH_MAILBOX, reason=why(Reason.OPTED_OUT), redelivery=NEITHER),
        "Échec de l’envoi",
        (
            "Le courriel n’a pas pu être remis (adresse inconnue de la messagerie).",
            f"Le SMS n’a pas pu être remis non plus au numéro {PHONE} (numéro qui refuse nos SMS).",
            "Faites une nouvelle demande, avec un autre numéro de mobile",
        ),
        new_request=True,
    ),
    "confirmation-failed": Tracked(
        tracked("delivered", confirmation={"status": "failed", "reason": why(Reason.NO_SUCH_MAILBOX)}),
        "Arrivé",
        (
            f"Le courriel de confirmation n’a pas pu être remis à l’adresse {ADDRESS} (adresse inconnue de la "
            "messagerie).",
            "Votre nouvel identifiant reste valable. Notez la référence ci-dessus.",
        ),
    ),
    "confirmation-delayed": Tracked(
        tracked("delivered", confirmation={"status": "sent", "reason": why(Reason.MAILBOX_FULL)}),
        "Arrivé",
        ("Le courriel de confirmation n’est pas encore arrivé", "Votre boîte est pleine. Videz-la"),
    ),
    "only-email-late": Tracked(
        tracked("sent", "email", history=[step("queued", "email", ago=180)], redelivery=NEITHER),
        "Envoyé",
        ("est parti par courriel", "regardez dans les courriers indésirables"),
    ),
    "superseded": Tracked(
        tracked("superseded"),
        "Remplacé",
        ("Vous avez un identifiant plus récent. Celui-ci ne fonctionne plus.",),
    ),
    "disputed": Tracked(
        tracked("disputed"), "Bloqué", ("Cet identifiant a été bloqué après un signalement. Appelez l’assistance au",)
    ),
}


@dataclass(frozen=True)
class Refusal:
    """Why a redelivery is refused, and what the voter is told to do."""

    texts: tuple[str, ...]
    offered_again: bool = False
    retry_after: int | None = None


REFUSALS = {
    Code.TOO_MANY_REDELIVERIES: Refusal(
        ("Cherchez-le dans vos SMS", "Faire une nouvelle demande", helpdesk()), retry_after=3600
    ),
    Code.REDELIVERY_EXPIRED: Refusal(("vous donne un autre identifiant", "Faire une nouvelle demande", helpdesk())),
    Code.WINDOW_CLOSED: Refusal(("Voir les dates des demandes",)),
    Code.ALREADY_VOTED: Refusal((helpdesk(),)),
    Code.FROZEN: Refusal((helpdesk(),)),
    Code.DELIVERY_IN_PROGRESS: Refusal(("Réessayer",), offered_again=True, retry_after=5),
    Code.PHONE_IN_USE: Refusal(("Vous pourrez recommencer",), offered_again=True, retry_after=3600),
    Code.SUPERSEDED: Refusal(("Vous avez un identifiant plus récent",), offered_again=True),
    Code.ALREADY_DELIVERED: Refusal((helpdesk(),), offered_again=True),
    Code.NOT_FOUND: Refusal(("Aucune demande ne porte cette référence", "Faire une demande"), offered_again=True),
    Code.UNAVAILABLE: Refusal(("Réessayer",), offered_again=True, retry_after=5),
    Code.INVALID_FIELDS: Refusal((CHANNEL_MESSAGE,), offered_again=True),
    Code.FOREIGN_ORIGIN: Refusal(("Aller à l’accueil",), offered_again=True),
}


def _tracked(state: Tracked) -> PageState:
    return PageState(lambda space: space.open_tracking(state.body), TITLE, (state.label, *state.texts, REFERENCE))


def _nothing_asked(space: MockedSpace) -> None:
    space.answer(OVERVIEW, 200, overview())
    space.open("suivi.html")
    space.page.locator("#none").wait_for()


def _loading(space: MockedSpace) -> None:
    space.hold(OVERVIEW)
    space.open("suivi.html")
    space.page.clock.run_for(3_000)
    space.page.locator("#busy:not(:empty)").wait_for()


def _unavailable(space: MockedSpace) -> None:
    space.refuse(OVERVIEW, Code.UNAVAILABLE)
    space.open("suivi.html")


def _offline(space: MockedSpace) -> None:
    space.drop(OVERVIEW)
    space.open("suivi.html")


def _first_status_refused(code: Code) -> Play:
    def play(space: MockedSpace) -> None:
        status = tracked("sent")
        space.answer(OVERVIEW, 200, overview(generation=2, last_reissue=last_reissue(status)))
        space.refuse(STATUS, code)
        space.open("suivi.html")

    return play


def _session_ended(space: MockedSpace) -> None:
    space.open_tracking(tracked("sent"))
    space.refuse(STATUS, Code.SIGNED_OUT)
    space.page.clock.fast_forward(31_000)
    space.page.locator("#notice:not(:empty)").wait_for()


def _session_about_to_end(space: MockedSpace) -> None:
    space.open_tracking(tracked("delivered"))
    space.page.clock.fast_forward((900 - 110) * 1000)


def _caller_code_expired(space: MockedSpace) -> None:
    """Another page has prolonged the session, so this one has not been told a new code."""
    space.open_tracking(tracked("delivered"))
    space.answer(OVERVIEW, 200, overview(caller_code=caller_code(lives=60)))
    space.page.reload()
    space.page.locator("#caller-code-words:not(:empty)").wait_for()
    space.page.clock.fast_forward(61_000)
    space.page.locator("#caller-code-renew").wait_for()


def _redelivered(space: MockedSpace) -> None:
    space.open_tracking(tracked("queued", expected_wait=600))
    sent = {"reference": REFERENCE, "generation": 2, "channel": "email", "destination": ADDRESS}
    space.answer(REDELIVERY, 202, sent)
    space.track(tracked("queued", "email", history=[step("queued", "sms", ago=5), step("queued", "email")]))
    space.page.locator("#redeliver").click()
    space.page.locator("#redelivered:not(:empty)").wait_for()


def open_redelivery(space: MockedSpace, code: Code, retry_after: int | None = None) -> None:
    """Ask for the other channel after a failure, and be refused."""
    space.open_tracking(tracked("failed", "email", reason=why(Reason.MAILBOX_FULL)))
    faults = (FieldFault("channel", "invalid", CHANNEL_MESSAGE),) if code is Code.INVALID_FIELDS else ()
    space.refuse(REDELIVERY, code, faults, retry_after=retry_after)
    space.page.locator("#redeliver").click()


def _redelivery_refused(code: Code, refusal: Refusal) -> PageState:
    return PageState(
        lambda space: open_redelivery(space, code, refusal.retry_after),
        TITLE,
        refusal.texts,
        summary=(wording(code),),
    )


def _with_numen(code: Code | None = None, **facts: Any) -> Callable[[MockedSpace], None]:
    """Ask for the e-mail in another session than the request's: without a NUMEN, or refused."""

    def play(space: MockedSpace) -> None:
        space.open_tracking(
            tracked("failed", reason=why(Reason.NO_ROUTE), redelivery={"channels": ["email"], "numen": True})
        )
        if code is not None:
            space.refuse(REDELIVERY, code, **facts)
            space.page.locator("#numen").fill("09 E 9900 123 abc")
        space.page.locator("#redeliver").click()

    return play


def _redelivery_signed_out(space: MockedSpace) -> None:
    open_redelivery(space, Code.SIGNED_OUT)
    space.page.locator("#notice:not(:empty)").wait_for()


_OTHERS = {
    "tracking-nothing-asked": PageState(
        _nothing_asked, TITLE, ("Vous n’avez pas fait de demande de nouvel identifiant.", "Faire une demande")
    ),
    "tracking-slow": PageState(_loading, TITLE, ("Chargement de votre demande…",)),
    "tracking-unavailable": PageState(_unavailable, TITLE, summary=(wording(Code.UNAVAILABLE), "Réessayer")),
    "tracking-no-answer": PageState(_offline, TITLE, summary=("Le service ne répond pas", "Réessayer")),
    "tracking-not-found": PageState(_first_status_refused(Code.NOT_FOUND), TITLE, summary=(wording(Code.NOT_FOUND),)),
    "tracking-status-unavailable": PageState(
        _first_status_refused(Code.UNAVAILABLE), TITLE, summary=(wording(Code.UNAVAILABLE), "Réessayer")
    ),
    "tracking-session-ended": PageState(
        _session_ended, TITLE, ("Votre session est terminée : le suivi n’est plus mis à jour.", REFERENCE)
    ),
    "tracking-session-about-to-end": PageState(
        _session_about_to_end, TITLE, ("Êtes-vous toujours là ?",), dialog="session-warning"
    ),
    "tracking-caller-code-expired": PageState(_caller_code_expired, TITLE),
    "redelivered": PageState(
        _redelivered, TITLE, (f"Le même identifiant part maintenant par courriel, à l’adresse {ADDRESS}.",)
    ),
    "redelivery-numen-missing": PageState(_with_numen(), TITLE, summary=("Saisissez votre NUMEN",)),
    "redelivery-numen-mismatch": PageState(
        _with_numen(Code.NUMEN_MISMATCH, attempts_left=2), TITLE, summary=(wording(Code.NUMEN_MISMATCH), "2 essais")
    ),
    "redelivery-locked": PageState(
        _with_numen(Code.LOCKED, retry_after=900, attempts_left=0), TITLE, summary=(wording(Code.LOCKED),)
    ),
    "redelivery-signed-out": PageState(_redelivery_signed_out, TITLE, ("Votre session est terminée", REFERENCE)),
}
STATES = merged(
    {f"tracking-{name}": _tracked(state) for name, state in TRACKED.items()},
    {f"redelivery-{code}": _redelivery_refused(code, refusal) for code, refusal in REFUSALS.items()},
    _OTHERS,
)
