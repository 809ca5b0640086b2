"""The French sentence for each reason why a field refuses a text.

The page says the same before the review: `site/build.py` hands it these sentences.
"""

from __future__ import annotations

from reassort.pasted import FieldFormatError
from reassort.problems import FieldFault

# `{example}` is an address of the election, `{count}` what was counted in the text, `{place}` the
# place of the first wrong character, `{codes}` country codes with their territories, `{accepted}`
# the territories whose mobiles the election takes.
FIELD_MESSAGES: dict[str, dict[str, str]] = {
    "email": {
        "invalid": "Saisissez votre adresse électronique professionnelle, par exemple {example}.",
        "accents": "Écrivez l’adresse sans accent, par exemple {example}.",
        "blank": "Écrivez l’adresse sans espace, par exemple {example}.",
        "comma": "L’adresse contient une virgule : mettez un point à la place.",
        "no-at": "Il manque le signe @ dans l’adresse, par exemple {example}.",
        "two-addresses": "Saisissez une seule adresse, par exemple {example}.",
    },
    "numen": {
        "invalid": "Saisissez votre NUMEN : 13 caractères, par exemple 09E9900123ABC.",
        "accents": "Écrivez le NUMEN sans accent, par exemple 09E9900123ABC.",
        "length": "Un NUMEN a 13 caractères, le vôtre en a {count}. Par exemple 09E9900123ABC.",
        "digit-expected": "Vérifiez le caractère n° {place} du NUMEN : c’est un chiffre. Par exemple 09E9900123ABC.",
        "letter-expected": "Vérifiez le caractère n° {place} du NUMEN : c’est une lettre. Par exemple 09E9900123ABC.",
    },
    "phone": {
        "invalid": "Saisissez un numéro de mobile français, par exemple 06 12 34 56 78.",
        "foreign": "Ce numéro est étranger. Saisissez un mobile français, par exemple 06 12 34 56 78.",
        "landline": "Ce numéro est celui d’un téléphone fixe, qui ne reçoit pas de SMS. Saisissez un numéro de mobile.",
        "local": "Il manque l’indicatif devant ce numéro. Ajoutez celui de votre territoire : {codes}.",
        "not-mobile": "Ce numéro n’est pas celui d’un mobile. Saisissez un mobile, par exemple 06 12 34 56 78.",
        "territory": "Les mobiles de ce territoire ne sont pas acceptés. Sont acceptés ceux d’ici : {accepted}.",
        "too-long": "Un mobile a 10 chiffres, par exemple 06 12 34 56 78. Ce numéro en a {count}.",
        "too-short": "Un mobile a 10 chiffres, par exemple 06 12 34 56 78. Ce numéro en a {count}.",
    },
    "code": {
        "invalid": "Saisissez les 6 chiffres du code reçu par courriel.",
        "length": "Le code a 6 chiffres, vous en avez saisi {count}. Vérifiez le courriel reçu.",
    },
}


def field_fault(field: str, error: FieldFormatError, **values: str) -> FieldFault:
    """Return the fault of a field; `values` are those of its sentence that the election gives."""
    message = FIELD_MESSAGES[field][error.code].format(**error.values, **values)
    return FieldFault(field, error.code, message)
