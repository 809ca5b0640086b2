"""What people type and paste, field by field, and what is read: one table for the API's cleaner and
the page's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from login.routes import read_code
from reassort.addresses import AddressDomainError, normalise_address
from reassort.field_faults import field_fault
from reassort.numen import normalise_numen
from reassort.pasted import FieldFormatError
from reassort.phones import normalise_phone

from harness.elections import read_election

if TYPE_CHECKING:
    from collections.abc import Callable


class PastedCase(NamedTuple):
    """A text of a field, and its normal form or the code of its fault."""

    field: str
    typed: str
    value: str | None
    code: str | None = None


_ADDRESS = "claire.martin@ac-dijon.fr"
_NUMEN = "09E9900123ABC"
_MOBILE = "+33612345678"

_READ: dict[tuple[str, str], tuple[str, ...]] = {
    ("email", _ADDRESS): (
        "claire.martin@ac-dijon.fr",
        " Claire.Martin@AC-Dijon.fr\t",
        "\u200bclaire.martin@ac-dijon.fr\ufeff",
        "\u200eclaire.martin@ac-dijon.fr\u202c",
        "claire.mar\u00adtin@ac-dijon.fr",
        "claire.martin@ac\u2011dijon.fr",
        "claire.martin@ac–dijon.fr",
        "claire.martin@ac−dijon.fr",
        "\u3000claire.martin@ac-dijon.fr\u2003",
        "claire.martin @ ac-dijon.fr",
        "claire. martin@ac-dijon .fr",
        "mailto:claire.martin@ac-dijon.fr",
        "MAILTO:claire.martin@ac-dijon.fr?subject=Vote",
        "Claire Martin <claire.martin@ac-dijon.fr>",
        "« Martin, Claire » <claire.martin@ac-dijon.fr>",
        "Claire MARTIN <mailto:claire.martin@ac-dijon.fr>",
        "<claire.martin@ac-dijon.fr>",
        "<claire.martin@ac-dijon.fr",
        "claire.martin@ac-dijon.fr.",
        "claire.martin@ac-dijon.fr,",
        "claire.martin@ac-dijon.fr ;",
        "« claire.martin@ac-dijon.fr »",
        "“claire.martin@ac-dijon.fr”",
        '"claire.martin@ac-dijon.fr"',
        "claire.martin@ac-dijon.fr\r\n",
    ),
    ("email", "anne.d'orsay@u-bourgogne.fr"): (
        "anne.d'orsay@u-bourgogne.fr",
        "anne.d’orsay@u-bourgogne.fr",
        "anne.dʼorsay@u-bourgogne.fr",
        "anne.d´orsay@u-bourgogne.fr",
    ),
    ("numen", _NUMEN): (
        "09E9900123ABC",
        "09e9900123abc",
        "09 E 9900123 ABC",
        "09E-9900123-ABC",
        "09E–9900123—ABC",
        "09E\u20119900123−ABC",
        "\u200b09E\u202f9900123\u2009ABC\u200f",
        "09E\u30009900123\u2007ABC",
        "09E9900123ABC.",
        "« 09E9900123ABC »",
        "O9E99O0123ABC",
        "o9e99oO123abc",
        "09E9900I23ABC",
        "09E9900l23ABC",
    ),
    ("numen", "21G0100456XYZ"): ("2IG0I00456XYZ", "2lGO1OO456XYZ"),
    ("numen", "00O0000001OIL"): ("00O0000001OIL", "OOOOOOOOOIOIL"),
    ("phone", _MOBILE): (
        "06 12 34 56 78",
        "0612345678",
        "06.12.34.56.78",
        "06–12–34–56–78",
        "06\u201112\u201134\u201156\u201178",
        "06\u2009 12\u202f34\u00a056\u300078",
        "\u202a+33 6 12 34 56 78\u202c",
        "\u200e06 12 34 56 78",
        "+33 (0)6 12 34 56 78",
        "+33 (0)06 12 34 56 78",
        "0033 6 12 34 56 78",
        "0033 (0) 06 12 34 56 78",
        "33612345678",
        "612345678",
        "tel:+33612345678",
        "TEL:0612345678",
        "tel:0033612345678",
        "06 12 34 56 78.",
        "06 12 34 56 78,",
    ),
    ("phone", "+262709201234"): ("0709 20 12 34", "+262 709 20 12 34", "+33 709 20 12 34", "262709201234"),
    ("phone", "+590709001234"): ("0709 00 12 34", "+590 (0)709 00 12 34", "00590709001234"),
    ("phone", "+594709301234"): ("0709 30 12 34",),
    ("phone", "+596709101234"): ("0709 10 12 34",),
    ("phone", "+262709351234"): ("0709 35 12 34",),
    ("phone", "+508708401234"): ("0708 40 12 34",),
    ("phone", "+687751234"): ("+687 75 12 34", "00687751234"),
    ("phone", "+68987123456"): ("+689 87 12 34 56", "68987123456"),
    ("code", "440762"): (
        "440762",
        "440 762",
        "440\u202f762",
        "440-762",
        "440–762",
        "\u200b440762",
        "440762.",
        "« 440762 »",
        "Votre code est : 440762",
        "Votre code est\u00a0: 440 762.",
        "440762 est votre code. Il est valable 10 minutes. Assistance : 03.80.44.89.96",
        "Code 440762 (440762)",
        " 4 4 0 7 6 2 ",
    ),
}

_REFUSED: dict[tuple[str, str], tuple[str, ...]] = {
    ("email", "accents"): (
        "clàire.martin@ac-dijon.fr",
        "prénom.nom@ac-dijon.fr",
        "pre\u0301nom.nom@ac-dijon.fr",
        "cœur.noël@ac-dijon.fr",
    ),
    ("email", "two-addresses"): (
        "claire.martin@ac-dijon.fr claire@u-bourgogne.fr",
        "claire.martin@ac-dijon.fr, paul@ac-dijon.fr",
        "claire.martin@ac-dijon.fr;paul@ac-dijon.fr",
        "claire@martin@ac-dijon.fr",
    ),
    ("email", "comma"): ("claire,martin@ac-dijon.fr", "claire.martin@ac-dijon,fr"),
    ("email", "blank"): (
        "claire martin@ac-dijon.fr",
        "claire.martin@ac dijon.fr",
        "mon adresse : claire.martin@ac-dijon.fr",
        "Claire Martin <claire.martin@ac-dijon.fr",
    ),
    ("email", "no-at"): ("claire.martin", "claire.martin.ac-dijon.fr", "Claire Martin"),
    ("email", "invalid"): (
        "",
        " ",
        "claire@",
        "@ac-dijon.fr",
        "claire..martin@ac-dijon.fr",
        "claire@ac-dijon\u3002fr",
        "cl\u0430ire@ac-dijon.fr",
        "c" * 65 + "@ac-dijon.fr",
        "claire@ac-dijon",
        "cla\nire@ac-dijon.fr",
    ),
    ("numen", "length"): ("09E9900123AB", "09E9900123ABCD", "9E9900123", "09E9900123ABC 09E9900123ABC"),
    ("numen", "invalid"): ("", " - "),
    ("numen", "accents"): ("09E9900123ABÇ", "09É9900123ABC"),
    ("numen", "digit-expected"): ("09E99B0123ABC", "9XE9900123ABC", "0\u0669E9900123ABC"),
    ("numen", "letter-expected"): ("0909900123ABC", "09E9900123AB0", "09E9900123A\u212aC"),
    ("phone", "landline"): ("03 80 44 89 96", "+33 3 80 44 89 96", "0590 82 12 34", "+590 590 82 12 34", "380448996"),
    ("phone", "foreign"): ("+41 79 123 45 67", "0032 470 12 34 56", "+377 6 12 34 56 78", "+8818 1234 5678"),
    ("phone", "too-short"): ("06 12 34 56", "3020", "+33 6 12 34 56"),
    ("phone", "too-long"): ("06 12 34 56 78 9", "0612345678 0612345679", "612345678901", "0033 33 690 12 34 56"),
    ("phone", "local"): ("75 12 34", "87 12 34 56", "55.12.34"),
    ("phone", "not-mobile"): ("08 99 12 34 56", "09 70 12 34 56", "0700 12 34 56", "+689 12 34"),
    ("phone", "invalid"): (
        "",
        "06 12 34 56 7O",
        "٠٦١٢٣٤٥٦٧٨",
        "０６１２３４５６７８",
        "06 12 34 56 78 poste 9",
        "06 12 34\n56 78",
        "+",
    ),
    ("code", "length"): ("44076", "4407622", "440 7622"),
    ("code", "invalid"): ("", "code", "44076a", "Votre code est : 440762, l’ancien 440763", "４４０７６２"),
}

CASES = [PastedCase(field, typed, value) for (field, value), texts in _READ.items() for typed in texts] + [
    PastedCase(field, typed, None, code) for (field, code), texts in _REFUSED.items() for typed in texts
]
# What a mail program, a text processor or a telephone puts into a text that it shows or copies.
UNSEEN = "\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u2060\u2066\u2069\ufeff\ufe0f"
BLANKS = " \t\u00a0\u2000\u2002\u2003\u2007\u2009\u200a\u202f\u205f\u3000"


ELECTION = read_election("dijon-2018")
EXAMPLE = ELECTION.domains[0].example
READERS: dict[str, Callable[[str], str]] = {
    "email": lambda typed: normalise_address(typed, ELECTION.domain_names),
    "numen": normalise_numen,
    "phone": lambda typed: normalise_phone(typed, ELECTION.phones.territories),
    "code": read_code,
}


def message_of(field: str, error: FieldFormatError) -> str:
    """Return what a voter of that election is told of a fault."""
    return field_fault(field, error, **({"example": EXAMPLE} if field == "email" else {})).message


def told(field: str, typed: str) -> tuple[str, str] | None:
    """Return the normal form of a text or "", and its fault or ""; None when only its domain is
    refused.
    """
    try:
        return READERS[field](typed), ""
    except AddressDomainError:
        return None
    except FieldFormatError as error:
        return "", message_of(field, error)
