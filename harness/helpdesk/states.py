"""The page of the helpdesk in every state: how an agent comes to it, and what it must say then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from reassort.clock import iso

from harness.helpdesk.mocked_desk import (
    ACT,
    DECIDE,
    END,
    LOOK,
    ME,
    NOW,
    PROPOSALS,
    RECORD,
    SHIFT,
    MockedDesk,
    entry,
    proposal,
    shift,
)
from harness.helpdesk.sheets import ASK_CODE, LOCKED, SMS_FAILED, advice, sheet, usual_acts
from harness.helpdesk.steps import ADDRESS, CALLER_CODE, give_password, heading_is, look, sign_in


@dataclass(frozen=True)
class DeskState:
    """A state of the page.

    Attributes:
        play: brings it about.
        heading: the text of its h1.
        texts: what must be readable, with plain spaces.
        focus: what has the focus, as a selector; None for the title.
        error: whether the error summary is shown.
    """

    play: Callable[[MockedDesk], None]
    heading: str
    texts: tuple[str, ...] = ()
    focus: str | None = None
    error: bool = False


def _unavailable(desk: MockedDesk) -> None:
    desk.config = None
    desk.open()
    heading_is(desk, "La page ne peut pas s’ouvrir")


def _sign_in(desk: MockedDesk) -> None:
    desk.open()
    heading_is(desk, "S’identifier")


def _sign_in_empty(desk: MockedDesk) -> None:
    _sign_in(desk)
    desk.page.get_by_role("button", name="Continuer").click()


def _password_refused(desk: MockedDesk) -> None:
    desk.cognito_refuses("InitiateAuth", "NotAuthorizedException")
    give_password(desk)
    desk.page.locator("#errors").wait_for()


def _first_password(desk: MockedDesk) -> None:
    desk.cognito_says("InitiateAuth", {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "session-1"})
    give_password(desk)
    heading_is(desk, "Choisir un mot de passe")


def _password_too_simple(desk: MockedDesk) -> None:
    _first_password(desk)
    desk.cognito_refuses("RespondToAuthChallenge", "InvalidPasswordException")
    desk.page.locator("#new-password").fill("motdepassemotdepasse")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _authenticator(desk: MockedDesk) -> None:
    desk.cognito_says("InitiateAuth", {"ChallengeName": "MFA_SETUP", "Session": "session-1"})
    give_password(desk)
    heading_is(desk, "Ajouter le second facteur")


def _second_factor(desk: MockedDesk) -> None:
    give_password(desk)
    heading_is(desk, "Code du second facteur")


def _code_refused(desk: MockedDesk) -> None:
    _second_factor(desk)
    desk.cognito_refuses("RespondToAuthChallenge", "CodeMismatchException")
    desk.page.locator("#totp").fill("000000")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _no_role(desk: MockedDesk) -> None:
    _second_factor(desk)
    desk.answer(ME, 403, {"message": "User is not authorized to access this resource"})
    desk.page.locator("#totp").fill("314159")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _looked_up(found: dict[str, Any], code: str = "", who: str = ADDRESS) -> Callable[[MockedDesk], None]:
    def play(desk: MockedDesk) -> None:
        sign_in(desk)
        look(desk, found, who, code)

    return play


def _look_empty(desk: MockedDesk) -> None:
    sign_in(desk)
    desk.page.keyboard.press("Enter")


def _nobody(desk: MockedDesk) -> None:
    sign_in(desk)
    desk.refuse(LOOK, 404, "no-such-voter", "Personne sous cette adresse", "Faites épeler l’adresse professionnelle.")
    desk.page.locator("#who").fill("inconnue@ac-dijon.fr")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _too_many(desk: MockedDesk) -> None:
    sign_in(desk, lookups_left=0)
    detail = "Vous avez consulté beaucoup de fiches. Appelez l’encadrement."
    desk.refuse(LOOK, 429, "too-many-lookups", "Trop de recherches", detail, retry_after=1200)
    desk.page.locator("#who").fill(ADDRESS)
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _no_answer(desk: MockedDesk) -> None:
    sign_in(desk)
    desk.drop(LOOK)
    desk.page.locator("#who").fill(ADDRESS)
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _form(label: str, who: str = ADDRESS, second_person: bool = False) -> Callable[[MockedDesk], None]:
    def play(desk: MockedDesk) -> None:
        sign_in(desk)
        acts = usual_acts(second_person={"reissue"} if second_person else ())
        look(desk, sheet(*LOCKED, caller="verified", acts=acts), who, CALLER_CODE)
        desk.page.get_by_role("button", name=label).click()

    return play


def _form_empty(desk: MockedDesk) -> None:
    _form("Laisser passer un code")(desk)
    desk.page.keyboard.press("Enter")


def _unlocked(desk: MockedDesk) -> None:
    _form("Débloquer les demandes")(desk)
    after = sheet(advice("fill-in-the-form", "L’électeur peut remplir la demande."), caller="verified")
    desk.answer(ACT, 200, {"done": "Les demandes sont débloquées.", "sheet": after})
    desk.page.keyboard.type("appelant vérifié")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#notice").wait_for()


def _proposed(desk: MockedDesk) -> None:
    _form("Donner l’identifiant suivant", second_person=True)(desk)
    waiting = {"id": "p-1", "expires_at": iso(NOW.replace(hour=9, minute=30))}
    desk.answer(ACT, 202, {"proposal": waiting, "sheet": sheet(SMS_FAILED, caller="verified")})
    desk.page.keyboard.type("appelant vérifié")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#notice").wait_for()


def _act_refused(desk: MockedDesk) -> None:
    _form("Donner l’identifiant suivant")(desk)
    desk.refuse(ACT, 409, "already-voted", "Le vote est enregistré", "Plus aucun identifiant n’est donné.")
    desk.page.keyboard.type("appelant vérifié")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _tab(label: str, role: str = "supervisor") -> Callable[[MockedDesk], None]:
    def play(desk: MockedDesk) -> None:
        desk.answer(PROPOSALS, 200, {"proposals": [proposal(), proposal(id="p-2", caller_verified=False)]})
        desk.answer(SHIFT, 200, shift())
        sign_in(desk, role)
        desk.page.get_by_role("button", name=label, exact=True).click()

    return play


def _proposals(desk: MockedDesk) -> None:
    _tab("À confirmer")(desk)
    desk.page.locator(".card").first.wait_for()


def _no_proposals(desk: MockedDesk) -> None:
    desk.answer(PROPOSALS, 200, {"proposals": []})
    sign_in(desk, "supervisor")
    desk.page.get_by_role("button", name="À confirmer", exact=True).click()
    desk.page.locator("#proposals-none").wait_for()


def _confirming(desk: MockedDesk) -> None:
    _proposals(desk)
    desk.page.get_by_role("button", name="Confirmer…").first.click()


def _confirmed(desk: MockedDesk) -> None:
    _confirming(desk)
    desk.answer(PROPOSALS, 200, {"proposals": []})
    desk.answer(DECIDE, 200, {"done": "Un nouvel identifiant part par courriel."})
    desk.page.keyboard.type("vu avec l’agent")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#notice").wait_for()


def _same_person(desk: MockedDesk) -> None:
    _confirming(desk)
    title = "Une autre personne doit confirmer"
    desk.refuse(DECIDE, 403, "same-person", title, "Vous avez vous-même demandé cet acte.")
    desk.page.keyboard.type("vu avec l’agent")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#errors").wait_for()


def _shift(desk: MockedDesk) -> None:
    _tab("L’équipe")(desk)
    desk.page.locator("table").wait_for()


def _ending(desk: MockedDesk) -> None:
    _shift(desk)
    desk.page.get_by_role("button", name="Fermer la session : agent 0C6-C1F").click()


def _ended(desk: MockedDesk) -> None:
    _ending(desk)
    desk.answer(END, 204)
    desk.page.keyboard.type("compte prêté")
    desk.page.keyboard.press("Enter")
    desk.page.locator("#notice").wait_for()


def _record(desk: MockedDesk) -> None:
    entries = [entry(1), entry(2, action="unlock", reason="appelant vérifié"), entry(3, caller_verified=False)]
    desk.answer(RECORD, 200, {"entries": entries, "next": None})
    sign_in(desk, "auditor")
    desk.page.get_by_role("button", name="Afficher le jour").click()
    desk.page.locator("table").wait_for()


def _no_record(desk: MockedDesk) -> None:
    desk.answer(RECORD, 200, {"entries": [], "next": None})
    sign_in(desk, "auditor")
    desk.page.get_by_role("button", name="Afficher le jour").click()
    desk.page.locator("#record h2").wait_for()


def _session_ended(desk: MockedDesk) -> None:
    sign_in(desk)
    desk.refuse(
        LOOK, 403, "session-ended", "Votre session a été fermée", "La personne qui encadre l’équipe l’a fermée."
    )
    desk.page.locator("#who").fill(ADDRESS)
    desk.page.keyboard.press("Enter")
    heading_is(desk, "S’identifier")


def _idle(desk: MockedDesk) -> None:
    _looked_up(sheet(ASK_CODE))(desk)
    desk.page.clock.fast_forward("28:30")
    desk.page.locator("dialog[open]").wait_for()


def _signed_out_by_idleness(desk: MockedDesk) -> None:
    _looked_up(sheet(ASK_CODE))(desk)
    desk.page.clock.fast_forward("31:00")
    heading_is(desk, "S’identifier")


_ON_CALL = "Appel : c•••@ac-dijon.fr"

STATES: dict[str, DeskState] = {
    "unavailable": DeskState(_unavailable, "La page ne peut pas s’ouvrir", ("Rechargez-la dans un instant.",)),
    "sign-in": DeskState(_sign_in, "S’identifier", ("Rien n’est gardé dans ce navigateur.",), "#username"),
    "sign-in-empty": DeskState(_sign_in_empty, "S’identifier", ("Tapez votre mot de passe.",), "#errors", error=True),
    "password-refused": DeskState(
        _password_refused, "S’identifier", ("Nom d’utilisateur ou mot de passe refusé",), "#errors", error=True
    ),
    "first-password": DeskState(_first_password, "Choisir un mot de passe", ("14 caractères",), "#new-password"),
    "password-too-simple": DeskState(
        _password_too_simple, "Choisir un mot de passe", ("Mot de passe refusé", "une majuscule"), "#errors", error=True
    ),
    "authenticator": DeskState(
        _authenticator, "Ajouter le second facteur", ("JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",)
    ),
    "second-factor": DeskState(_second_factor, "Code du second facteur", (), "#totp"),
    "code-refused": DeskState(
        _code_refused, "Code du second facteur", ("Attendez que l’application affiche",), "#errors", error=True
    ),
    "no-role": DeskState(_no_role, "Code du second facteur", ("Votre compte n’a pas ce droit",), "#errors", error=True),
    "call": DeskState(lambda desk: sign_in(desk), "Nouvel appel", ("Alt + N", "Nadia Benali", "agent"), "#who"),
    "call-few-lookups": DeskState(
        lambda desk: sign_in(desk, lookups_left=6), "Nouvel appel", ("Encore 6 recherches possibles",), "#who"
    ),
    "look-empty": DeskState(_look_empty, "Nouvel appel", ("Tapez l’adresse ou la référence",), "#errors", error=True),
    "nobody": DeskState(_nobody, "Nouvel appel", ("Personne sous cette adresse",), "#errors", error=True),
    "too-many-lookups": DeskState(
        _too_many, "Nouvel appel", ("Trop de recherches", "dans 20 min"), "#errors", error=True
    ),
    "no-answer": DeskState(_no_answer, "Nouvel appel", ("Aucune réponse",), "#errors", error=True),
    "ask-caller-code": DeskState(
        _looked_up(sheet(ASK_CODE, *LOCKED)),
        _ON_CALL,
        ("Appelant non vérifié", "Lisez-moi les deux mots"),
        "#caller-code",
    ),
    "caller-verified": DeskState(
        _looked_up(sheet(*LOCKED, caller="verified"), CALLER_CODE),
        _ON_CALL,
        ("Appelant vérifié", "Débloquer les demandes…"),
        "#advice-title",
    ),
    "caller-wrong-code": DeskState(
        _looked_up(
            sheet(advice("caller-wrong-code", "Ne changez rien et n’en dites pas plus."), caller="wrong-code"),
            CALLER_CODE,
        ),
        _ON_CALL,
        ("APPELANT NON VÉRIFIÉ",),
        "#caller-code",
    ),
    "acts-refused": DeskState(
        _looked_up(sheet(*LOCKED, acts=usual_acts("let-in", "freeze"))),
        _ON_CALL,
        ("Laisser passer un code : rien à faire",),
        "#advice-title",
    ),
    "form-unlock": DeskState(_form("Débloquer les demandes"), _ON_CALL, ("Motif",), "#reason"),
    "form-let-in": DeskState(
        _form("Laisser passer un code"), _ON_CALL, ("Numéro affiché sur la page de l’appelant",), "#number"
    ),
    "form-freeze": DeskState(_form("Geler l’identifiant"), _ON_CALL, ("ne permet plus de voter",), "#reason"),
    "form-reissue": DeskState(
        _form("Donner l’identifiant suivant", second_person=True),
        _ON_CALL,
        ("Une deuxième personne devra confirmer",),
        "#reason",
    ),
    "form-reissue-by-reference": DeskState(
        _form("Donner l’identifiant suivant", "7K3M9-QWX2T"),
        _ON_CALL,
        ("Adresse professionnelle, dite par l’appelant",),
        "#address",
    ),
    "form-empty": DeskState(
        _form_empty, _ON_CALL, ("Tapez les 6 chiffres affichés", "Écrivez le motif"), "#errors", error=True
    ),
    "unlocked": DeskState(_unlocked, _ON_CALL, ("Les demandes sont débloquées.",), "#notice"),
    "proposed": DeskState(_proposed, _ON_CALL, ("qui doit confirmer avant 10 h 30",), "#notice"),
    "act-refused": DeskState(_act_refused, _ON_CALL, ("Le vote est enregistré",), "#errors", error=True),
    "proposals": DeskState(_proposals, "À confirmer", ("NON VÉRIFIÉ", "vérifié par ses deux mots")),
    "proposals-none": DeskState(_no_proposals, "À confirmer", ("Rien n’attend une deuxième personne.",)),
    "confirming": DeskState(_confirming, "À confirmer", ("à vos deux noms",), "#reason"),
    "confirmed": DeskState(_confirmed, "À confirmer", ("Un nouvel identifiant part par courriel.",), "#notice"),
    "same-person": DeskState(
        _same_person, "À confirmer", ("Une autre personne doit confirmer",), "#errors", error=True
    ),
    "shift": DeskState(_shift, "L’équipe", ("214 envois en attente", "Les messages partent avec retard", "57")),
    "ending-sessions": DeskState(_ending, "L’équipe", ("est refusé aussitôt",), "#reason"),
    "sessions-ended": DeskState(_ended, "L’équipe", ("Session fermée : agent 0C6-C1F.",), "#notice"),
    "record": DeskState(_record, "Journal de l’assistance", ("3 lignes", "Fiche consultée"), "#record h2"),
    "record-empty": DeskState(_no_record, "Journal de l’assistance", ("Personne n’a consulté de fiche",), "#record h2"),
    "session-ended": DeskState(
        _session_ended, "S’identifier", ("Votre session a été fermée. La personne qui encadre l’équipe",), "#notice"
    ),
    "session-idle": DeskState(_idle, _ON_CALL, ("Êtes-vous toujours là ?",), "#session-extend"),
    "signed-out-idle": DeskState(
        _signed_out_by_idleness, "S’identifier", ("la page n’a pas servi pendant une demi-heure",), "#notice"
    ),
}
