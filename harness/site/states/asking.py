"""Steps 3 and 4: the form, its review, and everything that may stand in the way."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from reassort.problems import REISSUED_MEANWHILE, Code, FieldFault

from harness.site.mocked_space import (
    ADDRESS,
    NOW,
    OVERVIEW,
    REISSUE,
    SECRETARIAT,
    SIGN_OUT,
    MockedSpace,
    overview,
    tracked,
)
from harness.site.states.pages import AFTER, BEFORE
from harness.site.states.state import PageState, helpdesk, wording
from harness.site.steps import (
    NUMEN,
    TYPED_PHONE,
    confirm,
    earlier_reissue,
    fill_form,
    heading_is,
    open_form,
    open_review,
    sign_in,
)

FORM = "Vos renseignements"
REVIEW = "Vérifiez votre demande"
ADDRESS_AGAIN = "Votre adresse professionnelle"
# The API's answer to a lock that only the helpdesk ends: longer than any lock that ends by itself.
HELPDESK_LOCK = 86_400
type Play = Callable[[MockedSpace], None]


def _form(**members: Any) -> Play:
    return lambda space: open_form(space, **members)


def _signed_in(space: MockedSpace) -> None:
    sign_in(space)
    heading_is(space.page, FORM)


def _numen_forgotten(space: MockedSpace) -> None:
    open_form(space)
    space.page.get_by_text("Je ne connais plus mon NUMEN").click()


def _checked(space: MockedSpace) -> None:
    space.page.get_by_role("button", name="Vérifier ma demande").click()


def _form_empty(space: MockedSpace) -> None:
    open_form(space)
    _checked(space)


def _form_filled(numen: str, phone: str) -> Play:
    def play(space: MockedSpace) -> None:
        open_form(space)
        fill_form(space, numen=numen, phone=phone)
        _checked(space)

    return play


def _loading(milliseconds: int) -> Play:
    def play(space: MockedSpace) -> None:
        space.hold(OVERVIEW)
        space.open("demande.html")
        space.page.clock.run_for(milliseconds)
        space.page.locator("#busy:not(:empty)").wait_for()

    return play


def _overview_refused(space: MockedSpace) -> None:
    space.refuse(OVERVIEW, Code.UNAVAILABLE)
    space.open("demande.html")


def _overview_unanswered(space: MockedSpace) -> None:
    space.drop(OVERVIEW)
    space.open("demande.html")


def _stands(now: datetime = NOW, **members: Any) -> Play:
    def play(space: MockedSpace) -> None:
        space.answer(OVERVIEW, 200, overview(**members))
        space.open("demande.html", now=now)

    return play


def _window(*, opens: bool, stopped: bool = False) -> dict[str, Any]:
    window = overview()["window"]
    return {"window": {**window, "open": opens, "stopped": stopped}}


def _confirmed(code: Code, errors: tuple[FieldFault, ...] = (), **facts: Any) -> Play:
    def play(space: MockedSpace) -> None:
        open_review(space)
        space.refuse(REISSUE, code, errors, **facts)
        confirm(space)

    return play


def _phone_refused(space: MockedSpace) -> None:
    fault = FieldFault("phone", "phone-not-mobile", "Ce numéro n’est pas celui d’un mobile accepté.")
    _confirmed(Code.INVALID_FIELDS, (fault,))(space)


def _confirmation_waits(space: MockedSpace) -> None:
    open_review(space)
    space.hold(REISSUE)
    confirm(space)
    space.page.clock.run_for(3_000)
    space.page.locator("#busy:not(:empty)").wait_for()


def _confirmation_unanswered(*, offline: bool) -> Play:
    def play(space: MockedSpace) -> None:
        open_review(space)
        space.drop(REISSUE)
        space.page.context.set_offline(offline)
        confirm(space)

    return play


def _sign_out_refused(code: Code) -> Play:
    def play(space: MockedSpace) -> None:
        open_form(space)
        space.refuse(SIGN_OUT, code)
        space.page.get_by_role("button", name="Me déconnecter").first.click()

    return play


def _session_about_to_end(space: MockedSpace) -> None:
    open_form(space)
    fill_form(space)
    space.page.clock.fast_forward((900 - 110) * 1000)


def _session_not_prolonged(space: MockedSpace) -> None:
    _session_about_to_end(space)
    space.answer(OVERVIEW, 200, overview(session={"expires_in": 108}))
    space.page.get_by_role("button", name="Continuer ma session").click()
    space.page.locator("#session-final").wait_for()


def _session_ended(space: MockedSpace) -> None:
    open_form(space)
    fill_form(space)
    space.page.clock.fast_forward(901_000)


def _session_ended_elsewhere(space: MockedSpace) -> None:
    _confirmed(Code.SIGNED_OUT)(space)


STATES = {
    "form": PageState(
        _signed_in, FORM, ("Votre session : " + ADDRESS, "Lycée Carnot, Dijon", "Par SMS, sur ce mobile")
    ),
    "form-again": PageState(
        _form(**earlier_reissue()),
        FORM,
        ("Vous avez déjà demandé un nouvel identifiant : c’est votre 2e.", "suivez l’envoi"),
    ),
    "form-numen-forgotten": PageState(
        _numen_forgotten, FORM, (f"Votre secrétariat : {SECRETARIAT}", "enveloppe cachetée")
    ),
    "form-loading": PageState(_loading(500), "Votre demande", ("Chargement de votre demande…",)),
    "form-slow": PageState(_loading(3_000), "Votre demande", ("Chargement de votre demande…",)),
    "form-unavailable": PageState(_overview_refused, "Votre demande", summary=(wording(Code.UNAVAILABLE), "Réessayer")),
    "form-no-answer": PageState(
        _overview_unanswered, "Votre demande", summary=("Le service ne répond pas", "Réessayer")
    ),
    "form-empty": PageState(
        _form_empty,
        FORM,
        summary=(
            "Saisissez votre NUMEN : 13 caractères",
            "Saisissez un numéro de mobile français",
            "Choisissez la réception par SMS ou par courriel.",
            "Confirmez que votre identifiant actuel cessera de fonctionner.",
        ),
    ),
    "form-numen-fault": PageState(
        _form_filled("0123", TYPED_PHONE), FORM, summary=("Un NUMEN a 13 caractères, le vôtre en a 4.",)
    ),
    "form-phone-fault": PageState(
        _form_filled(NUMEN, "06"),
        FORM,
        summary=("Ce numéro en a 2.",),
    ),
    "too-early": PageState(
        _stands(BEFORE, **_window(opens=False)),
        "Les demandes ne sont pas encore ouvertes",
        ("Revenez à partir du lundi 5 novembre à 8 h, heure de Paris.", "Voir les dates des demandes"),
    ),
    "closed": PageState(
        _stands(AFTER, **_window(opens=False)),
        "Les demandes sont fermées",
        ("Elles ont fermé le jeudi 6 décembre à 17 h, heure de Paris.", "Voir les dates des demandes"),
    ),
    "stopped": PageState(
        _stands(**_window(opens=False, stopped=True)),
        wording(Code.REISSUES_STOPPED),
        ("L’organisateur a suspendu les demandes", "Votre identifiant actuel reste valable.", helpdesk()),
    ),
    "voted": PageState(
        _stands(status="used"),
        wording(Code.ALREADY_VOTED),
        ("Votre vote est enregistré", "Si vous n’avez pas voté, appelez tout de suite l’assistance.", helpdesk()),
    ),
    "frozen": PageState(
        _stands(status="frozen", **earlier_reissue()),
        wording(Code.FROZEN),
        ("bloqué après un signalement", helpdesk(), "Voir le suivi de ma dernière demande"),
    ),
    "review": PageState(
        open_review,
        REVIEW,
        (
            NUMEN,
            TYPED_PHONE,
            "Par SMS, sur ce mobile",
            "En confirmant, vous annulez votre identifiant actuel (le 1er).",
        ),
    ),
    "review-email": PageState(lambda space: open_review(space, "email"), REVIEW, (f"Par courriel, à {ADDRESS}",)),
    "review-slow": PageState(_confirmation_waits, REVIEW, ("Envoi de la demande…",)),
    "review-offline": PageState(
        _confirmation_unanswered(offline=True),
        REVIEW,
        summary=("Pas de connexion à internet", "la demande ne sera pas faite deux fois", "Réessayer"),
    ),
    "review-no-answer": PageState(
        _confirmation_unanswered(offline=False),
        REVIEW,
        summary=("Le service ne répond pas", "la demande ne sera pas faite deux fois", "Réessayer"),
    ),
    "review-unavailable": PageState(
        _confirmed(Code.UNAVAILABLE, retry_after=5),
        REVIEW,
        summary=(wording(Code.UNAVAILABLE), "la demande ne sera pas faite deux fois", "Réessayer"),
    ),
    "review-foreign-origin": PageState(
        _confirmed(Code.FOREIGN_ORIGIN), REVIEW, summary=(wording(Code.FOREIGN_ORIGIN), "Aller à l’accueil")
    ),
    "numen-mismatch": PageState(
        _confirmed(Code.NUMEN_MISMATCH, attempts_left=4),
        FORM,
        summary=(wording(Code.NUMEN_MISMATCH), "Il vous reste 4 essais.", "NUMEN oublié : à qui le demander"),
    ),
    "numen-mismatch-last-try": PageState(
        _confirmed(Code.NUMEN_MISMATCH, attempts_left=1), FORM, summary=("Il vous reste 1 essai.",)
    ),
    "locked-before-the-form": PageState(
        _stands(lock={"ends_at": "2018-11-30T09:30:00Z"}),
        wording(Code.LOCKED),
        ("Vous pourrez faire votre demande vendredi 30 novembre à 10 h 30", helpdesk()),
    ),
    "locked-before-the-form-until-helpdesk": PageState(
        _stands(lock={"ends_at": None}),
        wording(Code.LOCKED),
        ("Seule l’assistance peut vous débloquer.", helpdesk()),
    ),
    "form-after-both-ways-failed": PageState(
        _stands(**earlier_reissue(tracked("failed", redelivery={"channels": [], "numen": False}))),
        FORM,
        ("L’envoi a échoué. Faites une nouvelle demande, avec un autre mobile.",),
    ),
    "form-after-one-way-failed": PageState(
        _stands(**earlier_reissue(tracked("failed"))),
        FORM,
        ("S’il n’arrive pas, ne refaites pas de demande : suivez l’envoi.",),
    ),
    "too-many-reissues-before-the-form": PageState(
        _stands(request={"refused": "too-many-reissues", "again_at": "2018-12-01T09:15:00Z"}, **earlier_reissue()),
        wording(Code.TOO_MANY_REISSUES),
        ("Vous pourrez faire votre demande samedi 1er décembre à 10 h 15", helpdesk(), "Voir le suivi"),
    ),
    "locked": PageState(
        _confirmed(Code.LOCKED, retry_after=900, attempts_left=0),
        REVIEW,
        summary=(wording(Code.LOCKED), "Vous pourrez recommencer dans", helpdesk()),
    ),
    "locked-until-helpdesk": PageState(
        _confirmed(Code.LOCKED, retry_after=HELPDESK_LOCK, attempts_left=0),
        REVIEW,
        summary=(wording(Code.LOCKED), "Seule l’assistance peut vous débloquer.", helpdesk()),
    ),
    "phone-refused": PageState(_phone_refused, FORM, summary=("Ce numéro n’est pas celui d’un mobile accepté.",)),
    "phone-in-use": PageState(
        _confirmed(Code.PHONE_IN_USE, retry_after=3_600), FORM, summary=(wording(Code.PHONE_IN_USE), helpdesk())
    ),
    "too-many-reissues": PageState(
        _confirmed(Code.TOO_MANY_REISSUES, retry_after=7_200),
        REVIEW,
        summary=(wording(Code.TOO_MANY_REISSUES), "Vous pourrez recommencer vendredi 30 novembre", helpdesk()),
    ),
    "reissued-meanwhile": PageState(
        _confirmed(Code.STALE_PAGE, same_voter=True, wording=REISSUED_MEANWHILE),
        FORM,
        summary=(REISSUED_MEANWHILE.title, "Voir le suivi de la demande"),
    ),
    "another-voter-meanwhile": PageState(
        _confirmed(Code.STALE_PAGE, same_voter=False), FORM, summary=(wording(Code.STALE_PAGE),)
    ),
    "request-used": PageState(
        _confirmed(Code.IDEMPOTENCY_MISMATCH), FORM, summary=(wording(Code.IDEMPOTENCY_MISMATCH),)
    ),
    "stopped-meanwhile": PageState(
        _confirmed(Code.REISSUES_STOPPED), wording(Code.REISSUES_STOPPED), ("a suspendu les demandes", helpdesk())
    ),
    "closed-meanwhile": PageState(
        _confirmed(Code.WINDOW_CLOSED), wording(Code.WINDOW_CLOSED), ("Voir les dates des demandes",)
    ),
    "voted-meanwhile": PageState(_confirmed(Code.ALREADY_VOTED), wording(Code.ALREADY_VOTED), (helpdesk(),)),
    "frozen-meanwhile": PageState(_confirmed(Code.FROZEN), wording(Code.FROZEN), (helpdesk(),)),
    "earlier-one-being-sent": PageState(
        _confirmed(Code.DELIVERY_IN_PROGRESS, retry_after=5),
        REVIEW,
        summary=(wording(Code.DELIVERY_IN_PROGRESS), "Vous pourrez recommencer dans", "Réessayer"),
    ),
    "sign-out-unavailable": PageState(
        _sign_out_refused(Code.UNAVAILABLE), FORM, summary=(wording(Code.UNAVAILABLE), "Réessayer")
    ),
    "sign-out-foreign-origin": PageState(
        _sign_out_refused(Code.FOREIGN_ORIGIN), FORM, summary=(wording(Code.FOREIGN_ORIGIN),)
    ),
    "session-about-to-end": PageState(
        _session_about_to_end,
        FORM,
        ("Êtes-vous toujours là ?", "Temps restant :"),
        dialog="session-warning",
    ),
    "session-not-prolonged": PageState(
        _session_not_prolonged,
        FORM,
        ("Elle ne peut plus être prolongée.", "Ce que vous avez saisi reste sur la page."),
        dialog="session-warning",
    ),
    "session-ended": PageState(
        _session_ended, ADDRESS_AGAIN, ("Votre session est terminée.", "Ce que vous avez saisi est conservé.")
    ),
    "session-ended-elsewhere": PageState(
        _session_ended_elsewhere, ADDRESS_AGAIN, ("Votre session est terminée.", "Ce que vous avez saisi est conservé.")
    ),
}
