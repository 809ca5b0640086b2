"""Steps 1 and 2: the address and the code."""

from collections.abc import Callable

from reassort.problems import Code, FieldFault

from harness.site.mocked_space import ASK_CODE, ELECTION, OVERVIEW, REDEEM_CODE, MockedSpace, Operation
from harness.site.states.state import PageState, wording
from harness.site.steps import EMAIL, ask_code, open_code, redeem

ADDRESS = "Votre adresse professionnelle"
CODE = "Le code reçu par courriel"
SLOW = 3_000
VERY_SLOW = 7_000
type Play = Callable[[MockedSpace], None]


def _send_address(address: str) -> Play:
    def play(space: MockedSpace) -> None:
        space.open("connexion.html")
        ask_code(space, address)

    return play


def _foreign_domain(address: str) -> Play:
    accepted = ", ".join(f"@{domain.domain}" for domain in ELECTION.domains)
    described = ", ".join(f"{domain.staff} : {domain.example}" for domain in ELECTION.domains)
    message = f"Utilisez votre adresse électronique professionnelle ({accepted})."

    def play(space: MockedSpace) -> None:
        space.refuse(
            ASK_CODE,
            Code.EMAIL_DOMAIN,
            (FieldFault("email", "email-domain", message),),
            {"domains": described},
        )
        _send_address(address)(space)

    return play


def _address_refused(code: Code, retry_after: int | None = None) -> Play:
    def play(space: MockedSpace) -> None:
        space.refuse(ASK_CODE, code, retry_after=retry_after)
        _send_address(EMAIL)(space)

    return play


def _address_invalid(space: MockedSpace) -> None:
    message = "Saisissez votre adresse électronique professionnelle, par exemple prenom.nom@ac-dijon.fr."
    space.refuse(ASK_CODE, Code.INVALID_FIELDS, (FieldFault("email", "invalid", message),))
    _send_address("camille.morvandel@ac dijon.fr".replace(" ", "-"))(space)


def _address_in_front(status: int) -> Play:
    def play(space: MockedSpace) -> None:
        space.refuse_in_front(ASK_CODE, status)
        _send_address(EMAIL)(space)

    return play


def _address_waits(milliseconds: int) -> Play:
    def play(space: MockedSpace) -> None:
        space.hold(ASK_CODE)
        _send_address(EMAIL)(space)
        space.page.clock.run_for(milliseconds)
        space.page.locator("#busy:not(:empty)").wait_for()

    return play


def _address_unanswered(*, offline: bool) -> Play:
    def play(space: MockedSpace) -> None:
        space.drop(ASK_CODE)
        space.open("connexion.html")
        space.page.context.set_offline(offline)
        ask_code(space)

    return play


def _not_signed_in(space: MockedSpace) -> None:
    space.refuse(OVERVIEW, Code.SIGNED_OUT)
    space.open("demande.html")
    space.page.locator("#notice:not(:empty)").wait_for()


def _send_code(code: str) -> Play:
    def play(space: MockedSpace) -> None:
        open_code(space)
        redeem(space, code)

    return play


def _code_refused(code: Code, attempts_left: int | None = None, retry_after: int | None = None) -> Play:
    def play(space: MockedSpace) -> None:
        space.refuse(REDEEM_CODE, code, attempts_left=attempts_left, retry_after=retry_after)
        _send_code("000000")(space)

    return play


def _code_invalid(space: MockedSpace) -> None:
    message = "Saisissez les 6 chiffres du code reçu par courriel."
    space.refuse(REDEEM_CODE, Code.INVALID_FIELDS, (FieldFault("code", "invalid", message),))
    _send_code("000000")(space)


def _code_waits(space: MockedSpace) -> None:
    space.hold(REDEEM_CODE)
    _send_code("482915")(space)
    space.page.clock.run_for(SLOW)
    space.page.locator("#busy:not(:empty)").wait_for()


def _code_unanswered(space: MockedSpace) -> None:
    space.drop(REDEEM_CODE)
    open_code(space)
    space.page.context.set_offline(True)
    redeem(space)


def _code_asked_again(space: MockedSpace) -> None:
    open_code(space)
    space.page.clock.fast_forward(61_000)
    space.page.get_by_role("button", name="Demander un nouveau code").click()


def _code_too_early(space: MockedSpace) -> None:
    open_code(space)
    space.page.clock.run_for(1_000)
    space.page.get_by_role("button", name="Demander un nouveau code").click()


def _refused(operation: Operation, code: Code) -> PageState:
    play, heading = (_address_refused(code), ADDRESS) if operation == ASK_CODE else (_code_refused(code), CODE)
    return PageState(play, heading, summary=(wording(code),))


STATES = {
    "address": PageState(
        lambda space: space.open("connexion.html"), ADDRESS, tuple(domain.example for domain in ELECTION.domains)
    ),
    "address-after-tracking": PageState(
        lambda space: space.open("connexion.html#suivi"), ADDRESS, ("Identifiez-vous pour continuer.",)
    ),
    "address-not-signed-in": PageState(
        _not_signed_in, ADDRESS, ("Si vous l’avez déjà fait, votre session est terminée.",)
    ),
    "address-empty": PageState(_send_address(""), ADDRESS, summary=("Saisissez votre adresse électronique",)),
    "address-malformed": PageState(_send_address("camille"), ADDRESS, summary=("Il manque le signe @ dans l’adresse",)),
    "address-invalid": PageState(_address_invalid, ADDRESS, summary=(wording(Code.INVALID_FIELDS),)),
    "address-foreign-domain": PageState(
        _foreign_domain("camille.morvandel@example.org"),
        ADDRESS,
        summary=(
            wording(Code.EMAIL_DOMAIN),
            *(f"{domain.staff} : {domain.example}" for domain in ELECTION.domains),
        ),
    ),
    "address-slip": PageState(
        _foreign_domain("camille.morvandel@ac-dijon.com"),
        ADDRESS,
        summary=(
            wording(Code.EMAIL_DOMAIN),
            "Vouliez-vous écrire camille.morvandel@ac-dijon.fr ?",
            "Utiliser cette adresse",
        ),
    ),
    "code-not-sent": PageState(
        lambda space: open_code(space, sent=False),
        CODE,
        ("Aucun nouveau code n’est parti", "recommencez dans quelques minutes"),
    ),
    "address-slow": PageState(_address_waits(SLOW), ADDRESS, ("Envoi du code…",)),
    "address-very-slow": PageState(
        _address_waits(VERY_SLOW), ADDRESS, ("C’est plus long que d’habitude. Ne fermez pas la page.",)
    ),
    "address-offline": PageState(
        _address_unanswered(offline=True), ADDRESS, summary=("Pas de connexion à internet", "Réessayer")
    ),
    "address-no-answer": PageState(
        _address_unanswered(offline=False), ADDRESS, summary=("Le service ne répond pas", "Réessayer")
    ),
    "address-busy": PageState(_address_in_front(429), ADDRESS, summary=("Trop de demandes en même temps", "Réessayer")),
    "address-error-page": PageState(
        _address_in_front(502), ADDRESS, summary=("Service momentanément indisponible", "Réessayer")
    ),
    "address-unavailable": PageState(
        _address_refused(Code.UNAVAILABLE), ADDRESS, summary=(wording(Code.UNAVAILABLE), "Réessayer")
    ),
    "address-source-limit": PageState(
        _address_refused(Code.SOURCE_LIMIT, retry_after=480),
        ADDRESS,
        summary=(wording(Code.SOURCE_LIMIT), "un autre réseau", "Vous pourrez recommencer dans"),
    ),
    "address-foreign-origin": _refused(ASK_CODE, Code.FOREIGN_ORIGIN),
    "code": PageState(
        open_code, CODE, (EMAIL, "Le code est valable 10 minutes.", "Regardez dans les courriers indésirables.")
    ),
    "code-without-address": PageState(lambda space: space.open("code.html"), CODE),
    "code-empty": PageState(_send_code(""), CODE, summary=("Saisissez les 6 chiffres du code reçu par courriel.",)),
    "code-letters": PageState(
        _send_code("48291O"), CODE, summary=("Saisissez les 6 chiffres du code reçu par courriel.",)
    ),
    "code-wrong": PageState(
        _code_refused(Code.WRONG_CODE, attempts_left=4),
        CODE,
        summary=(wording(Code.WRONG_CODE), "essayez le dernier reçu", "Il vous reste 4 essais."),
    ),
    "code-wrong-last-try": PageState(
        _code_refused(Code.WRONG_CODE, attempts_left=1), CODE, summary=("Il vous reste 1 essai.",)
    ),
    "code-expired": PageState(
        _code_refused(Code.CODE_EXPIRED), CODE, summary=(wording(Code.CODE_EXPIRED), "Demander un nouveau code")
    ),
    "code-used": PageState(
        _code_refused(Code.CODE_USED), CODE, summary=(wording(Code.CODE_USED), "Demander un nouveau code")
    ),
    "code-of-another-browser": PageState(
        _code_refused(Code.NO_CHALLENGE), CODE, summary=(wording(Code.NO_CHALLENGE), "Demander un nouveau code")
    ),
    "code-too-many-tries": PageState(
        _code_refused(Code.TOO_MANY_TRIES, attempts_left=0, retry_after=540),
        CODE,
        summary=(wording(Code.TOO_MANY_TRIES), "Demandez un nouveau code"),
    ),
    "code-invalid": PageState(_code_invalid, CODE, summary=(wording(Code.INVALID_FIELDS), "Saisissez les 6 chiffres")),
    "code-slow": PageState(_code_waits, CODE, ("Vérification du code…",)),
    "code-offline": PageState(_code_unanswered, CODE, summary=("Pas de connexion à internet", "Réessayer")),
    "code-unavailable": PageState(
        _code_refused(Code.UNAVAILABLE), CODE, summary=(wording(Code.UNAVAILABLE), "Réessayer")
    ),
    "code-foreign-origin": _refused(REDEEM_CODE, Code.FOREIGN_ORIGIN),
    "code-asked-again": PageState(_code_asked_again, CODE, ("Un nouveau code est parti", "Utilisez le dernier reçu.")),
    "code-asked-too-early": PageState(_code_too_early, CODE, ("Nouveau code possible dans",)),
}
