"""What requests to the helpdesk hold: their bodies, and what is said of a field that is wrong."""

from __future__ import annotations

from reassort.act_reasons import ReasonError, ReasonFault, checked_reason
from reassort.http import Body, is_true, one_of, optional, text
from reassort.problems import Code, FieldFault, Problem

from helpdesk.proposals import Decision
from helpdesk.situation import Act

MESSAGES = {
    "who": "Saisissez une adresse professionnelle, ou une référence telle que 7K3M9-QWX2T.",
    "caller_code": "Tapez les deux mots que l’appelant lit sous « Deux mots à lire à l’assistance ».",
    "act": "Cette action n’existe pas.",
    "reason": "Écrivez pourquoi, en 80 caractères au plus.",
    "number": "Saisissez les 6 chiffres que la page de l’appelant affiche.",
    "decision": "Confirmez ou refusez.",
    "batch": "Un lot ne donne que des identifiants.",
}
_REASON_FAULTS = {
    ReasonFault.LENGTH: MESSAGES["reason"],
    ReasonFault.PERSONAL: "Le registre ne garde ni adresse ni numéro d’une personne : écrivez le motif sans eux.",
    ReasonFault.RESERVED: "Le registre ajoute lui-même « appelant vérifié » : écrivez le motif seul.",
}


class LookBody(Body):
    """`POST /helpdesk/look`."""

    who = text(254)
    caller_code = optional(text(60))


class ActBody(LookBody):
    """`POST /helpdesk/acts`."""

    act = one_of(*Act)
    reason = text(200)
    number = optional(text(20))
    batch = optional(is_true())


class DataBody(Body):
    """`POST /helpdesk/data`."""

    who = text(254)
    reason = text(200)


class EndBody(Body):
    """`POST /helpdesk/sessions/{agent}/end`."""

    reason = text(200)


class DecisionBody(Body):
    """`POST /helpdesk/proposals/{reference}`."""

    decision = one_of(*Decision)
    reason = text(200)


def given_reason(typed: str) -> str:
    """Return a reason that the register takes.

    Raises:
        Problem: `invalid-fields`.
    """
    try:
        return checked_reason(typed)
    except ReasonError as error:
        raise refused("reason", error.fault.value, _REASON_FAULTS[error.fault]) from error


def refused(name: str, code: str, message: str) -> Problem:
    """Return the refusal of one field."""
    return Problem(Code.INVALID_FIELDS, errors=(FieldFault(name, code, message),))
