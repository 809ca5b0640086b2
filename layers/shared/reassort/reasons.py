"""Why a message was not delivered, or not yet: a closed set of stable codes, each with words that a
helpdesk agent can say.

What SES, SNS and the carriers answer is mapped to this set by `notify.provider_reasons`; their own
wording is never stored, because it may quote an address or a number.
"""

from enum import StrEnum


class Reason(StrEnum):
    """A stable code. `words` is what voter and helpdesk read: French, lower case, without a full
    stop.
    """

    MAILBOX_FULL = "mailbox-full"
    NO_SUCH_MAILBOX = "no-such-mailbox"
    MAIL_REFUSED = "mail-refused"
    MAIL_BLOCKED = "mail-blocked"
    MAIL_DELAYED = "mail-delayed"
    MARKED_AS_SPAM = "marked-as-spam"
    UNKNOWN_NUMBER = "unknown-number"
    OPTED_OUT = "opted-out"
    CARRIER_REFUSED = "carrier-refused"
    PHONE_UNREACHABLE = "phone-unreachable"
    NO_ROUTE = "no-route"
    TOO_EXPENSIVE = "too-expensive"
    SMS_CAP_REACHED = "sms-cap-reached"
    NO_ANSWER = "no-answer"
    CODE_EXPIRED = "code-expired"
    CODES_USED_UP = "codes-used-up"
    INTERNAL = "internal"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """Return the reason in French."""
        return _WORDS[self]

    @property
    def is_lasting(self) -> bool:
        """Tell whether a second message to the same number or address would fail like the first."""
        return self in _LASTING


_WORDS = {
    Reason.MAILBOX_FULL: "boîte pleine",
    Reason.NO_SUCH_MAILBOX: "adresse inconnue de la messagerie",
    Reason.MAIL_REFUSED: "message refusé par la messagerie",
    Reason.MAIL_BLOCKED: "adresse bloquée après un échec précédent",
    Reason.MAIL_DELAYED: "messagerie qui ne répond pas pour l’instant",
    Reason.MARKED_AS_SPAM: "message classé comme indésirable",
    Reason.UNKNOWN_NUMBER: "numéro inconnu",
    Reason.OPTED_OUT: "numéro qui refuse nos SMS",
    Reason.CARRIER_REFUSED: "refusé par l’opérateur",
    Reason.PHONE_UNREACHABLE: "téléphone injoignable",
    Reason.NO_ROUTE: "réseau mobile que nous ne pouvons pas joindre",
    Reason.TOO_EXPENSIVE: "SMS trop cher pour ce numéro",
    Reason.SMS_CAP_REACHED: "nombre maximum de SMS du jour atteint",
    Reason.NO_ANSWER: "service d’envoi sans réponse",
    Reason.CODE_EXPIRED: "code expiré avant l’envoi",
    Reason.CODES_USED_UP: "nombre maximum de codes du jour atteint",
    Reason.INTERNAL: "erreur technique",
    Reason.UNKNOWN: "raison inconnue",
}

_LASTING = frozenset(
    {
        Reason.CARRIER_REFUSED,
        Reason.MAIL_BLOCKED,
        Reason.NO_ROUTE,
        Reason.NO_SUCH_MAILBOX,
        Reason.OPTED_OUT,
        Reason.TOO_EXPENSIVE,
        Reason.UNKNOWN_NUMBER,
    }
)
