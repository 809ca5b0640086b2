"""« Ce n’était pas moi »."""

from collections.abc import Callable

from reassort.problems import Code

from harness.site.mocked_space import (
    DISPUTE,
    DISPUTE_LOOK,
    PHONE,
    REFERENCE,
    MockedSpace,
    disputed_request,
)
from harness.site.states.state import PageState, wording

TITLE = "Cette demande ne vient pas de vous ?"
TOKEN = f"{REFERENCE}.mJ4nQ2vX8tLz6sKc1wPb9yRd5hGf3aTe7uVi0oZxNkM"
ABOUT = f"Demande faite vendredi 30 novembre à 10 h 15, heure de Paris, envoyée au numéro {PHONE}."
type Play = Callable[[MockedSpace], None]


def open_dispute(space: MockedSpace) -> None:
    """Open the link of a confirmation e-mail."""
    space.open(f"contestation.html#{TOKEN}")


def press(space: MockedSpace) -> None:
    """Press the button that freezes the identifier."""
    space.page.get_by_role("button", name="Ce n’était pas moi").click()


def _refused(code: Code) -> Play:
    def play(space: MockedSpace) -> None:
        space.refuse(DISPUTE, code)
        open_dispute(space)
        press(space)

    return play


def _not_looked_up(space: MockedSpace) -> None:
    space.drop(DISPUTE_LOOK)
    open_dispute(space)


def _offline(space: MockedSpace) -> None:
    space.drop(DISPUTE)
    open_dispute(space)
    space.page.context.set_offline(True)
    press(space)


def _slow(space: MockedSpace) -> None:
    space.hold(DISPUTE)
    open_dispute(space)
    press(space)
    space.page.clock.run_for(3_000)
    space.page.locator("#busy:not(:empty)").wait_for()


def _done(space: MockedSpace) -> None:
    space.answer(DISPUTE, 202, disputed_request())
    open_dispute(space)
    press(space)


STATES = {
    "dispute": PageState(
        open_dispute,
        TITLE,
        (
            f"Référence : {REFERENCE}.",
            ABOUT,
            "personne ne peut plus voter avec",
            "l’assistance est prévenue",
            "Avant cet appel, vous ne pouvez pas voter.",
        ),
    ),
    "dispute-not-looked-up": PageState(
        _not_looked_up, TITLE, (f"Référence : {REFERENCE}.", "l’assistance est prévenue")
    ),
    "dispute-cut-link": PageState(
        lambda space: space.open("contestation.html"),
        TITLE,
        ("Ouvrez cette page avec le lien du courriel de confirmation.",),
    ),
    "dispute-slow": PageState(_slow, TITLE, ("Blocage de l’identifiant…",)),
    "dispute-offline": PageState(_offline, TITLE, summary=("Pas de connexion à internet", "Réessayer")),
    "dispute-invalid-token": PageState(
        _refused(Code.INVALID_TOKEN), TITLE, summary=(wording(Code.INVALID_TOKEN), "Ouvrez de nouveau le lien reçu")
    ),
    "dispute-invalid-fields": PageState(_refused(Code.INVALID_FIELDS), TITLE, summary=(wording(Code.INVALID_FIELDS),)),
    "dispute-unavailable": PageState(
        _refused(Code.UNAVAILABLE), TITLE, summary=(wording(Code.UNAVAILABLE), "Réessayer")
    ),
    "dispute-foreign-origin": PageState(_refused(Code.FOREIGN_ORIGIN), TITLE, summary=(wording(Code.FOREIGN_ORIGIN),)),
    "disputed": PageState(
        _done,
        "Votre signalement est enregistré",
        (
            "Dictez-lui cette référence",
            REFERENCE,
            ABOUT,
            "Ouverte maintenant, jusqu’à 20 h.",
        ),
    ),
}
