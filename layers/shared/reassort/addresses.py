"""Professional e-mail addresses: form, accepted domain, mask."""

import re
from collections.abc import Collection

from reassort.pasted import FieldFormatError, has_accents, plain

# RFC 5321 limits a local part to 64 octets and a path to 254. Nobody here has a quoted or non-ASCII
# local part.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MAX_LOCAL_PART = 64
_MAX_ADDRESS = 254
_MAILTO = "mailto:"


class AddressFormatError(FieldFormatError):
    """The text is not an e-mail address: `accents`, `blank`, `comma`, `no-at`, `two-addresses` or
    `invalid`.
    """


class AddressDomainError(ValueError):
    """The address is not of a domain of the election."""


def normalise_address(typed: str, domains: Collection[str]) -> str:
    """Return the address in lower case.

    What is around it is forgiven: blanks, `mailto:`, the name in `Nom <adresse>`, the full stop of
    a sentence.

    Raises:
        AddressFormatError: it is not `local-part@domain` in ASCII.
        AddressDomainError: its domain is not one of `domains`.
    """
    address = read_address(typed)
    if address.rpartition("@")[2] not in domains:
        raise AddressDomainError("not a domain of the election")
    return address


def read_address(typed: str) -> str:
    """Return an address of any domain as `normalise_address` does.

    Raises:
        AddressFormatError: it is not `local-part@domain` in ASCII.
    """
    text = plain(typed)
    if text.endswith(">") and text.count("<") == 1:
        text = plain(text[text.index("<") + 1 : -1])
    elif text.startswith("<"):
        text = plain(text[1:])
    if text[: len(_MAILTO)].lower() == _MAILTO:
        text = plain(text[len(_MAILTO) :].partition("?")[0])
    if " " in text:
        # A keyboard puts one behind a full stop, and some write one around the sign.
        text = re.sub(" *([@.]) *", r"\1", text)
    # Folding case turns some letters from elsewhere into ASCII ones (U+212A into k), so this is
    # checked before.
    if not text.isascii():
        raise AddressFormatError("accents" if has_accents(text) else "invalid")
    address = text.lower()
    local_part, at, domain = address.rpartition("@")
    if _LOCAL_PART.fullmatch(local_part) is None or "." not in domain or " " in domain or "," in domain:
        raise AddressFormatError(_fault(address, at))
    if len(address) > _MAX_ADDRESS or len(local_part) > _MAX_LOCAL_PART:
        raise AddressFormatError("invalid")
    return address


def _fault(address: str, at: str) -> str:
    if not at:
        return "no-at" if address else "invalid"
    if address.count("@") > 1:
        return "two-addresses"
    if "," in address:
        return "comma"
    return "blank" if " " in address else "invalid"


def mask_address(address: str) -> str:
    """Return what may be shown of an address: first letter and domain, `c•••@ac-dijon.fr`."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part[:1]}•••@{domain}"
