"""Every refusal: one table from code to HTTP status and French text (RFC 9457).

The texts are for voters. What depends on the election (helpdesk number, durations) is filled in
when the answer is made.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Stable code of a refusal; part of the API's contract."""

    ALREADY_DELIVERED = "already-delivered"
    ALREADY_VOTED = "already-voted"
    BODY_TOO_LARGE = "body-too-large"
    CODE_EXPIRED = "code-expired"
    CODE_USED = "code-used"
    CALLER_NOT_VERIFIED = "caller-not-verified"
    DELIVERY_IN_PROGRESS = "delivery-in-progress"
    DISPUTED = "disputed"
    EMAIL_DOMAIN = "email-domain"
    FOREIGN_ORIGIN = "foreign-origin"
    FROZEN = "frozen"
    IDEMPOTENCY_MISMATCH = "idempotency-mismatch"
    INVALID_FIELDS = "invalid-fields"
    INVALID_JSON = "invalid-json"
    INVALID_TOKEN = "invalid-token"  # noqa: S105
    LOCKED = "locked"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    NO_CHALLENGE = "no-challenge"
    NOT_ALLOWED = "not-allowed"
    NOT_FOUND = "not-found"
    NOTHING_TO_DO = "nothing-to-do"
    NO_SUCH_VOTER = "no-such-voter"
    NUMEN_MISMATCH = "numen-mismatch"
    OFF_ROLL = "off-roll"
    PHONE_IN_USE = "phone-in-use"
    PROPOSAL_CLOSED = "proposal-closed"
    REDELIVERY_EXPIRED = "redelivery-expired"
    REVOKED = "revoked"
    REISSUES_STOPPED = "reissues-stopped"
    SAME_PERSON = "same-person"
    SESSION_ENDED = "session-ended"
    SIGNED_OUT = "signed-out"
    SOURCE_LIMIT = "source-limit"
    STALE_PAGE = "stale-page"
    SUPERSEDED = "superseded"
    TOO_MANY_LOOKUPS = "too-many-lookups"
    TOO_MANY_REDELIVERIES = "too-many-redeliveries"
    TOO_MANY_REISSUES = "too-many-reissues"
    TOO_MANY_TRIES = "too-many-tries"
    UNAVAILABLE = "unavailable"
    UNKNOWN_IDENTIFIER = "unknown-identifier"
    UNSUPPORTED_MEDIA_TYPE = "unsupported-media-type"
    WINDOW_CLOSED = "window-closed"
    WRONG_CODE = "wrong-code"


@dataclass(frozen=True)
class Wording:
    """HTTP status and French text of a refusal. `{helpdesk}` in the detail becomes the helpdesk's
    number.
    """

    status: int
    title: str
    detail: str


WORDINGS: dict[Code, Wording] = {
    Code.ALREADY_DELIVERED: Wording(
        409,
        "Votre identifiant est déjà arrivé",
        "Cherchez-le dans vos SMS et dans vos courriels. Si vous ne le trouvez "
        "pas, appelez l’assistance au {helpdesk}.",
    ),
    Code.ALREADY_VOTED: Wording(
        409,
        "Vous avez déjà voté",
        "Votre vote est enregistré : aucun nouvel identifiant ne peut être envoyé. "
        "Si vous n’avez pas voté, appelez tout de suite l’assistance au {helpdesk}.",
    ),
    Code.BODY_TOO_LARGE: Wording(413, "Demande trop longue", "Rechargez la page et recommencez."),
    Code.CODE_EXPIRED: Wording(
        401, "Code trop ancien", "Ce code n’est plus valable. Demandez un nouveau code et utilisez le dernier reçu."
    ),
    Code.CODE_USED: Wording(
        401, "Code déjà utilisé", "Un code ne sert qu’une fois. Demandez un nouveau code pour vous identifier."
    ),
    Code.CALLER_NOT_VERIFIED: Wording(
        409,
        "Appelant non vérifié",
        "Ce que l’appelant a lu n’est pas affiché sur la page de cet électeur. Rien n’a été changé.",
    ),
    Code.DELIVERY_IN_PROGRESS: Wording(
        429, "Envoi en cours", "Un envoi est en cours. Attendez quelques secondes, puis recommencez."
    ),
    Code.DISPUTED: Wording(
        409,
        "Identifiant contesté",
        "Un identifiant contesté ne sert plus jamais. Donnez à l’électeur l’identifiant suivant.",
    ),
    Code.EMAIL_DOMAIN: Wording(
        422, "Adresse non reconnue", "Utilisez votre adresse électronique professionnelle : {domains}."
    ),
    Code.FOREIGN_ORIGIN: Wording(
        403,
        "Demande refusée",
        "Cette demande ne vient pas de ce site. Ouvrez l’accueil du site et recommencez.",
    ),
    Code.FROZEN: Wording(
        409,
        "Votre identifiant est bloqué",
        "Il a été bloqué après un signalement. Appelez l’assistance au {helpdesk}.",
    ),
    Code.IDEMPOTENCY_MISMATCH: Wording(
        422,
        "Demande déjà envoyée",
        "La première contenait d’autres renseignements. Vérifiez le formulaire, puis envoyez-le de nouveau.",
    ),
    Code.INVALID_FIELDS: Wording(422, "Des renseignements sont à corriger", "Corrigez les champs signalés."),
    Code.INVALID_JSON: Wording(400, "Demande illisible", "Rechargez la page et recommencez."),
    Code.INVALID_TOKEN: Wording(
        422,
        "Lien non reconnu",
        "Ce lien est incomplet ou n’est plus valable. Ouvrez de nouveau le lien reçu, ou appelez l’assistance au "
        "{helpdesk}.",
    ),
    Code.LOCKED: Wording(
        429,
        "Trop d’essais",
        "Les NUMEN saisis ne correspondent pas à la liste électorale. Vérifiez le vôtre "
        "auprès de votre secrétariat, ou appelez l’assistance au {helpdesk}.",
    ),
    Code.METHOD_NOT_ALLOWED: Wording(405, "Demande refusée", "Cette action n’existe pas. Revenez à l’accueil du site."),
    Code.NO_CHALLENGE: Wording(
        401,
        "Code demandé ailleurs",
        "Un code ne sert que dans le navigateur où il a été demandé, et ce navigateur doit accepter les cookies. "
        "Saisissez-le là où vous l’avez demandé, ou demandez un nouveau code ici.",
    ),
    Code.NOT_ALLOWED: Wording(403, "Action non autorisée", "Votre rôle ne permet pas cette action."),
    Code.NOT_FOUND: Wording(404, "Demande introuvable", "Aucune demande ne porte cette référence. Vérifiez-la."),
    Code.NOTHING_TO_DO: Wording(409, "Rien à faire", "C’est déjà le cas : rien n’a été changé."),
    Code.NO_SUCH_VOTER: Wording(
        404,
        "Électeur introuvable",
        "Personne n’a cette adresse sur la liste électorale, ou cette référence n’est plus gardée. "
        "Faites épeler l’adresse.",
    ),
    Code.NUMEN_MISMATCH: Wording(
        403,
        "NUMEN non reconnu",
        "Ce NUMEN n’est pas celui de la liste électorale pour votre adresse. Vérifiez-le. "
        "Le secrétariat de votre établissement peut vous le remettre dans une enveloppe cachetée.",
    ),
    Code.OFF_ROLL: Wording(
        409,
        "Plus sur la liste électorale",
        "Cette personne n’est plus sur la liste électorale à cette adresse : rien n’a été changé. "
        "L’organisateur du vote tient la liste.",
    ),
    Code.PHONE_IN_USE: Wording(
        429,
        "Numéro trop utilisé",
        "Ce numéro de téléphone a déjà servi à trop de demandes. Indiquez un autre numéro de mobile, ou appelez "
        "l’assistance au {helpdesk}.",
    ),
    Code.PROPOSAL_CLOSED: Wording(
        409,
        "Cette demande n’attend plus",
        "Elle a été décidée, ou le délai est passé. Cherchez l’électeur : sa fiche dit où il en est.",
    ),
    Code.REDELIVERY_EXPIRED: Wording(
        409,
        "Il est trop tard pour renvoyer cet identifiant",
        "Cet identifiant ne peut plus être envoyé de nouveau. Faites une nouvelle demande, ou appelez l’assistance au "
        "{helpdesk}.",
    ),
    Code.REVOKED: Wording(
        409, "Identifiant remplacé", "Un identifiant plus récent le remplace. Utilisez le dernier reçu."
    ),
    Code.REISSUES_STOPPED: Wording(
        409,
        "Les demandes sont suspendues",
        "L’organisateur a suspendu les demandes de nouvel identifiant. "
        "Votre identifiant actuel reste valable. Appelez l’assistance au {helpdesk}.",
    ),
    Code.SAME_PERSON: Wording(
        403,
        "Une autre personne doit confirmer",
        "Personne ne confirme sa propre demande, et deux exploitants ne font pas deux personnes. Rien n’a été changé.",
    ),
    Code.SESSION_ENDED: Wording(
        403,
        "Votre session a été fermée",
        "La personne qui encadre l’équipe l’a fermée. Adressez-vous à elle pour une nouvelle invitation.",
    ),
    Code.SIGNED_OUT: Wording(401, "Votre session est terminée", "Identifiez-vous de nouveau pour continuer."),
    Code.SOURCE_LIMIT: Wording(
        429,
        "Trop de demandes depuis votre réseau",
        "Beaucoup de codes ont été demandés depuis le réseau que vous utilisez. "
        "Attendez un peu, ou essayez depuis un autre réseau, par exemple celui de votre téléphone.",
    ),
    Code.STALE_PAGE: Wording(
        409,
        "Quelqu’un d’autre s’est identifié dans ce navigateur",
        "Rien n’a été demandé. Vérifiez l’adresse affichée en haut de la page. Si ce n’est pas la vôtre, "
        "déconnectez-vous.",
    ),
    Code.SUPERSEDED: Wording(
        409,
        "Demande remplacée",
        "Vous avez un identifiant plus récent. Celui de cette demande ne fonctionne plus.",
    ),
    Code.TOO_MANY_LOOKUPS: Wording(
        429,
        "Trop de recherches",
        "Vous avez fait le nombre de recherches permis. Prévenez la personne qui encadre l’équipe.",
    ),
    Code.TOO_MANY_REDELIVERIES: Wording(
        429,
        "Trop d’envois",
        "Cet identifiant vous a déjà été envoyé plusieurs fois. Appelez l’assistance au {helpdesk}.",
    ),
    Code.TOO_MANY_REISSUES: Wording(
        429,
        "Trop de demandes",
        "Le nombre de demandes possibles est atteint. Utilisez le dernier identifiant reçu, "
        "ou appelez l’assistance au {helpdesk}.",
    ),
    Code.TOO_MANY_TRIES: Wording(
        429, "Trop d’essais", "Ce code ne sert plus. Demandez un nouveau code et utilisez le dernier reçu."
    ),
    Code.UNAVAILABLE: Wording(
        503,
        "Service momentanément indisponible",
        "Le service n’a pas pu répondre. Recommencez dans quelques secondes : une même demande n’est pas faite "
        "deux fois.",
    ),
    Code.UNKNOWN_IDENTIFIER: Wording(
        409, "Identifiant inconnu", "Cet identifiant n’existe pas. Vérifiez chaque caractère."
    ),
    Code.UNSUPPORTED_MEDIA_TYPE: Wording(415, "Demande refusée", "Le contenu doit être de type application/json."),
    Code.WINDOW_CLOSED: Wording(
        409,
        "Les demandes sont fermées",
        "Les demandes de nouvel identifiant ne sont pas ouvertes en ce moment. "
        "Consultez les dates sur la page d’accueil.",
    ),
    Code.WRONG_CODE: Wording(
        401,
        "Code non reconnu",
        "Ce n’est pas le code que nous vous avons envoyé. Vérifiez les 6 chiffres dans le dernier courriel reçu.",
    ),
}

# In place of the one above when the page shows this voter, before the last reissue.
REISSUED_MEANWHILE = Wording(
    WORDINGS[Code.STALE_PAGE].status,
    "Une autre demande vient d’aboutir",
    "Elle vous a donné un nouvel identifiant. Consultez son suivi avant d’en demander un autre.",
)

# In place of the one above for anyone who helps the voter.
GIVEN_MEANWHILE = Wording(
    WORDINGS[Code.STALE_PAGE].status,
    "Un autre identifiant vient d’être donné",
    "Rien n’a été donné cette fois. Cherchez de nouveau l’électeur : sa fiche dit où il en est.",
)

# In place of the one above for an operator, whose batch lifts no freeze.
FROZEN_IN_BATCH = Wording(
    WORDINGS[Code.FROZEN].status,
    "Identifiant gelé",
    "Un lot ne lève aucun gel. Vérifiez l’électeur, puis donnez-lui l’identifiant suivant à part.",
)

# To an agent, who has no helpdesk to call.
GIVEN_TOO_OFTEN = Wording(
    WORDINGS[Code.TOO_MANY_REISSUES].status,
    "Trop d’identifiants",
    "Cet électeur a reçu trop d’identifiants. Faites chercher le dernier dans sa messagerie, indésirables compris, "
    "et prévenez l’encadrement.",
)

# In place of the one above for a vote: the platform may show it to a voter.
VOTING_CLOSED = Wording(
    WORDINGS[Code.WINDOW_CLOSED].status,
    "Le vote n’est pas ouvert",
    "Ce vote n’a pas été compté. Consultez les dates du vote sur la page d’accueil.",
)

# In place of those above where the election asks for a further proof; `{extra_proof}` becomes its
# label. Which of the two is wrong is not said.
WORDINGS_WITH_EXTRA_PROOF: dict[Code, Wording] = {
    Code.LOCKED: Wording(
        WORDINGS[Code.LOCKED].status,
        WORDINGS[Code.LOCKED].title,
        "Le NUMEN ou le renseignement « {extra_proof} » ne correspond pas à la liste électorale. "
        "Vérifiez les deux, ou appelez l’assistance au {helpdesk}.",
    ),
    Code.NUMEN_MISMATCH: Wording(
        WORDINGS[Code.NUMEN_MISMATCH].status,
        "Renseignements non reconnus",
        "Le NUMEN ou le renseignement « {extra_proof} » n’est pas celui de la liste électorale pour votre adresse. "
        "Vérifiez les deux. Le secrétariat de votre établissement peut vous remettre "
        "votre NUMEN dans une enveloppe cachetée.",
    ),
}


@dataclass(frozen=True)
class FieldFault:
    """Why one field of a request is refused: stable English `code`, French `message`."""

    field: str
    code: str
    message: str


@dataclass
class Problem(Exception):  # noqa: N818 - the term of RFC 9457
    """A request that is refused. `retry_after` is in seconds; `attempts_left` counts further tries.

    `extra_proof` is the label of the election's further proof, for a refusal that may be about it.
    `wording` takes the place of the code's own. `same_voter` tells whether a stale page shows the
    voter who is signed in.
    """

    code: Code
    errors: tuple[FieldFault, ...] = ()
    retry_after: int | None = None
    attempts_left: int | None = None
    values: dict[str, str] = field(default_factory=dict)
    extra_proof: str | None = None
    wording: Wording | None = None
    same_voter: bool | None = None

    def __str__(self) -> str:
        """Return the code alone: a log line may hold it."""
        return self.code.value

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return WORDINGS[self.code].status

    def body(self, helpdesk: str) -> dict[str, Any]:
        """Return the `application/problem+json` body."""
        wording, values = self.wording or WORDINGS[self.code], self.values
        if self.extra_proof is not None:
            wording, values = WORDINGS_WITH_EXTRA_PROOF[self.code], {"extra_proof": self.extra_proof}
        body: dict[str, Any] = {
            "type": f"urn:reassort:problem:{self.code}",
            "title": wording.title,
            "status": wording.status,
            "detail": wording.detail.format(helpdesk=helpdesk, **values),
            "code": self.code.value,
        }
        if self.errors:
            body["errors"] = [
                {"field": fault.field, "code": fault.code, "message": fault.message} for fault in self.errors
            ]
        if self.same_voter is not None:
            body["same_voter"] = self.same_voter
        if self.attempts_left is not None:
            body["attempts_left"] = self.attempts_left
        if self.retry_after is not None:
            body["retry_after"] = self.retry_after
        return body
