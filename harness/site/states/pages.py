"""The pages that ask the API for nothing, or for little."""

from collections.abc import Callable
from datetime import UTC, datetime

from reassort.problems import Code

from harness.site.mocked_space import ELECTION, NOW, OVERVIEW, SECRETARIAT, MockedSpace, overview
from harness.site.states.state import PageState

BEFORE = datetime(2018, 11, 1, 12, tzinfo=UTC)
# 5 h 15 min before the close.
LAST_DAY = datetime(2018, 12, 6, 10, 45, tzinfo=UTC)
AFTER = datetime(2018, 12, 8, 12, tzinfo=UTC)


def page(path: str, heading: str, *texts: str, now: datetime = NOW) -> PageState:
    """Return a page that only has to be opened."""
    return PageState(lambda space: space.open(path, now=now), heading, texts)


def _stopped(space: MockedSpace) -> None:
    space.answer_service(NOW, stopped=True)
    space.open("index.html")
    space.page.get_by_text("suspendu les demandes").wait_for()


def _secretariat(space: MockedSpace) -> None:
    space.answer(OVERVIEW, 200, overview())
    space.open("numen.html#secretariat")
    space.page.get_by_text(SECRETARIAT).wait_for()


def _ask_for_caller_code(space: MockedSpace) -> None:
    space.open("aide.html")
    space.page.get_by_role("button", name="Afficher mes deux mots").click()
    space.page.locator("#caller-code-answer:not(:empty), #caller-code-words:not(:empty)").first.wait_for()


def _caller_code(space: MockedSpace) -> None:
    space.answer(OVERVIEW, 200, overview())
    _ask_for_caller_code(space)


def _caller_code_refused(code: Code) -> Callable[[MockedSpace], None]:
    def play(space: MockedSpace) -> None:
        space.refuse(OVERVIEW, code)
        _ask_for_caller_code(space)
        space.page.locator("#caller-code-answer a").wait_for()

    return play


HOME = "Recevoir un nouvel identifiant de vote"
STATES = {
    "home": page(
        "index.html",
        HOME,
        "Identifiez-vous",
        "Remplissez la demande",
        "Recevez votre identifiant",
        "votre NUMEN, 13 caractères",
        "du lundi 5 novembre 2018 à 8 h au jeudi 6 décembre 2018 à 17 h",
        *(domain.example for domain in ELECTION.domains),
        "Le vote a lieu sur un autre site : Élections professionnelles 2018, ministère de l’éducation nationale "
        "(www.education.gouv.fr/electionspro2018).",
        "Fin du vote : jeudi 6 décembre 2018 à 17 h, heure de Paris.",
    ),
    "home-too-early": page(
        "index.html",
        HOME,
        "Les demandes ne sont pas encore ouvertes. Revenez à partir du lundi 5 novembre à 8 h, heure de Paris.",
        now=BEFORE,
    ),
    "home-closed": page(
        "index.html", HOME, "Les demandes sont fermées depuis le jeudi 6 décembre à 17 h, heure de Paris.", now=AFTER
    ),
    "home-stopped": PageState(
        _stopped,
        HOME,
        (
            "L’organisateur a suspendu les demandes de nouvel identifiant.",
            "Votre identifiant actuel reste valable.",
        ),
    ),
    "home-last-day": page("index.html", HOME, "Commencer ma demande", now=LAST_DAY),
    "home-signed-out": page("index.html#deconnexion", HOME, "Vous avez quitté votre session."),
    "numen": page(
        "numen.html",
        "Vous ne connaissez plus votre NUMEN",
        "sous pli cacheté",
        "deux chiffres, une lettre",
        "enveloppe",
    ),
    "numen-secretariat": PageState(
        _secretariat, "Vous ne connaissez plus votre NUMEN", ("Votre secrétariat :", SECRETARIAT)
    ),
    "help": page("aide.html", "Aide", "Afficher mes deux mots"),
    "help-caller-code": PageState(
        _caller_code, "Aide", ("Deux mots à lire à l’assistance", "girafe tambour", "Ne les donnez à personne")
    ),
    "help-caller-code-signed-out": PageState(
        _caller_code_refused(Code.SIGNED_OUT),
        "Aide",
        (
            "Votre session n’est pas ouverte. Identifiez-vous : les deux mots s’affichent ensuite sur la page.",
            "Afficher mes deux mots",
        ),
    ),
    "help-caller-code-unavailable": PageState(
        _caller_code_refused(Code.UNAVAILABLE),
        "Aide",
        ("Les deux mots ne peuvent pas être affichés pour l’instant. Réessayez, ou appelez l’assistance au",),
    ),
    "accessibility": page("accessibilite.html", "Accessibilité"),
    "legal-notice": page("mentions-legales.html", "Mentions légales"),
    "privacy": page("confidentialite.html", "Données personnelles"),
    "messages": page(
        "messages.html",
        "Comment reconnaître nos messages",
        ELECTION.senders.email_name,
        ELECTION.senders.sms_sender_id,
        ELECTION.senders.sms_name,
        "Ce que nous ne demandons jamais",
    ),
    "easy-to-read": page("facile.html", "Le site en facile à lire", "Il est secret. Il est à vous.", "heure de Paris"),
    "site-map": page("plan.html", "Plan du site", "Comment reconnaître nos messages", "Le site en facile à lire"),
    "not-found": page("nulle-part.html", "Page introuvable", "Aller à l’accueil"),
    "unavailable": page("indisponible.html", "Service momentanément indisponible", "Ouvrez d’abord le suivi"),
}
