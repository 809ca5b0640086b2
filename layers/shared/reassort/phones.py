"""Mobile numbers of French territories, validated before anything is spent.

Overseas mobiles are dialled like mainland ones within France (0690…, 0692…) but belong to other
country codes. A library that reads them with the mainland's prefix calls them invalid, so the
prefix names the territory first (numbering plan of ARCEP, decision 2018-0881).
"""

import re
from collections.abc import Collection

import phonenumbers

# National prefix (without the 0) of overseas mobiles → the territory whose country code they belong
# to.
_OVERSEAS_PREFIXES = {
    "690": "GP",
    "691": "GP",
    "694": "GF",
    "696": "MQ",
    "697": "MQ",
    "692": "RE",
    "693": "RE",
    "639": "YT",
}
# Saint-Barthélemy and Saint-Martin share +590 with Guadeloupe, and nothing in the number tells
# which of the three.
_SHARED_PLAN = {"BL": "GP", "MF": "GP"}
_ALLOWED = re.compile(r"(?:\+|00)?[0-9][0-9 .()/\u00a0\u202f\u2010\u2011\u2013-]{5,30}")
_MOBILE = phonenumbers.PhoneNumberType.MOBILE


class PhoneError(ValueError):
    """The number cannot receive the SMS. The message never repeats it."""


def normalise_phone(typed: str, territories: Collection[str]) -> str:
    """Return the number in E.164, for example `+33612345678`.

    Raises:
        PhoneError: it is not a mobile number of one of the `territories` (ISO 3166-1 codes); that
            refuses landlines, foreign, premium, satellite and machine-to-machine numbers,
            extensions and digits that are not ASCII.
    """
    text = typed.strip()
    if _ALLOWED.fullmatch(text) is None:
        raise PhoneError("not a phone number")
    number = _parse(text)
    region = phonenumbers.region_code_for_number(number)
    accepted = {_SHARED_PLAN.get(code, code) for code in territories}
    if region is None or _SHARED_PLAN.get(region, region) not in accepted:
        raise PhoneError("not a number of an accepted territory")
    # What has a type is valid as well.
    if phonenumbers.number_type(number) != _MOBILE:
        raise PhoneError("not a mobile number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def mask_phone(number: str) -> str:
    """Return what may be shown of an E.164 number: its last four digits, `•• •• •• 12 34`."""
    return f"•• •• •• {number[-4:-2]} {number[-2:]}"


def _parse(text: str) -> phonenumbers.PhoneNumber:
    digits = re.sub(r"[^0-9]", "", text)
    # "+33 (0)6 …" is how many write it; the 0 in brackets is not dialled.
    international = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    if text.startswith("00"):
        international = "+" + international[2:]
    if text.startswith(("+33", "0033")):
        national = digits.removeprefix("00").removeprefix("33").removeprefix("0")
    elif text.startswith("0") and not text.startswith("00"):
        national = digits[1:].removeprefix("0")
    else:
        national = ""
    overseas = _OVERSEAS_PREFIXES.get(national[:3])
    return _parsed(international, "FR") if overseas is None else _parsed(national, overseas)


def _parsed(text: str, region: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise PhoneError("not a phone number") from error
