"""Mobile numbers of French territories, validated before an SMS costs anything.

Within France overseas mobiles are dialled like mainland ones (0690…, 0692…) but belong to other
country codes. Which prefix is whose comes from the numbering data of phonenumberslite alone
(docs/phone-prefixes.md), so that a range is dialled as at home as soon as the data know it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import phonenumbers

from reassort.pasted import FieldFormatError, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

# How voters call the French territories that have a numbering plan, by their ISO 3166-1 code.
TERRITORIES = {
    "FR": "France métropolitaine",
    "GP": "Guadeloupe",
    "MQ": "Martinique",
    "GF": "Guyane",
    "RE": "La Réunion",
    "YT": "Mayotte",
    "PM": "Saint-Pierre-et-Miquelon",
    "BL": "Saint-Barthélemy",
    "MF": "Saint-Martin",
    "NC": "Nouvelle-Calédonie",
    "PF": "Polynésie française",
    "WF": "Wallis-et-Futuna",
}
# Digits after the 0 that are dialled for every territory that shares France's plan (ARCEP, decision
# 2018-0881).
_NATIONAL = 9
_MAINLAND = 33
_NUMBER = re.compile(r"(?:\+|00)?[0-9][0-9 .()/-]{1,30}")


class PhoneError(FieldFormatError):
    """The number cannot receive the SMS: `foreign`, `landline`, `local`, `not-mobile`, `territory`,
    `too-long`, `too-short` or `invalid`.
    """


@dataclass(frozen=True)
class NumberingPlan:
    """The numbers of one territory: its country code, whether a 0 is dialled before them, and the
    patterns of their digits after it.
    """

    region: str
    country_code: int
    trunk: bool
    mobile: str
    landline: str

    def is_mobile(self, national: str) -> bool:
        """Tell whether a number is a mobile and can be no landline: some ranges hold both."""
        return re.fullmatch(self.mobile, national) is not None and not self.is_landline(national)

    def is_landline(self, national: str) -> bool:
        """Tell whether a number may be a landline."""
        return re.fullmatch(self.landline, national) is not None


@cache
def plan_of(region: str) -> NumberingPlan:
    """Return the numbering plan of a French territory (ISO 3166-1)."""
    data: Any = phonenumbers.PhoneMetadata.metadata_for_region(region)
    return NumberingPlan(
        region,
        data.country_code,
        data.national_prefix is not None,
        data.mobile.national_number_pattern,
        data.fixed_line.national_number_pattern,
    )


def normalise_phone(typed: str, territories: Collection[str]) -> str:
    """Return the number in E.164, for example `+33612345678`.

    Raises:
        PhoneError: it is not a mobile number of one of the `territories` (ISO 3166-1 codes); that
            refuses landlines, foreign, premium, satellite and machine-to-machine numbers,
            extensions and digits that are not ASCII.
    """
    text = plain(typed)
    if text[:4].lower() == "tel:":
        text = text[4:]
    if _NUMBER.fullmatch(text) is None:
        raise PhoneError("invalid")
    # "+33 (0)6 …" is how many write it; the 0 in brackets is not dialled.
    digits = re.sub("[^0-9]", "", text.replace("(0)", "") if text.startswith(("+", "00")) else text)
    if text.startswith("+"):
        return _international(digits, territories)
    if digits.startswith("00"):
        return _international(digits[2:], territories)
    if digits.startswith("0"):
        return _dialled(digits[1:], territories)
    return _bare(digits, territories)


def mask_phone(number: str) -> str:
    """Return what may be shown of an E.164 number: its last four digits, `•• •• •• 12 34`."""
    return f"•• •• •• {number[-4:-2]} {number[-2:]}"


def _international(digits: str, territories: Collection[str]) -> str:
    """Read what follows the + or the 00."""
    if digits.startswith(str(_MAINLAND)):
        return _dialled(digits[2:].removeprefix("0"), territories)
    code = digits[:3]
    plans = [plan for plan in map(plan_of, TERRITORIES) if str(plan.country_code) == code]
    if not plans:
        raise PhoneError("foreign")
    national = digits[3:].removeprefix("0")
    number = _mobile(national, [plan.region for plan in plans if plan.region in territories])
    if number is not None:
        return number
    if any(plan.is_mobile(national) for plan in plans):
        raise _of_another_territory(territories)
    if any(plan.is_landline(national) for plan in plans):
        raise PhoneError("landline")
    raise PhoneError("not-mobile")


def _dialled(national: str, territories: Collection[str]) -> str:
    """Read what is dialled behind the 0, wherever in France that is done."""
    # One by one: each plan that is read costs the first request of a new environment.
    number = _mobile(national, (region for region in territories if plan_of(region).trunk))
    if number is not None:
        return number
    plans = [plan for plan in map(plan_of, TERRITORIES) if plan.trunk]
    if len(national) != _NATIONAL:
        raise PhoneError("too-short" if len(national) < _NATIONAL else "too-long", count=str(len(national) + 1))
    if any(plan.is_mobile(national) for plan in plans):
        raise _of_another_territory(territories)
    raise PhoneError("landline" if any(plan.is_landline(national) for plan in plans) else "not-mobile")


def _bare(digits: str, territories: Collection[str]) -> str:
    """Read what begins neither with a 0 nor with a country code that is marked as one."""
    if len(digits) == _NATIONAL:
        return _dialled(digits, territories)
    for region in territories:
        code = str(plan_of(region).country_code)
        if digits.startswith(code) and (number := _mobile(digits.removeprefix(code), [region])):
            return number
    if len(digits) > _NATIONAL:
        raise PhoneError("too-long", count=str(len(digits)))
    local = [plan for plan in map(plan_of, territories) if plan.is_mobile(digits)]
    if local:
        codes = ", ".join(f"+{plan.country_code} ({TERRITORIES[plan.region]})" for plan in local)
        raise PhoneError("local", codes=codes)
    raise PhoneError("too-short", count=str(len(digits)))


def _mobile(national: str, regions: Iterable[str]) -> str | None:
    """Return the number in E.164 when it is a mobile of one of these territories."""
    for region in regions:
        plan = plan_of(region)
        if plan.is_mobile(national):
            return f"+{plan.country_code}{national}"
    return None


def _of_another_territory(territories: Collection[str]) -> PhoneError:
    return PhoneError("territory", accepted=", ".join(TERRITORIES[region] for region in territories))
