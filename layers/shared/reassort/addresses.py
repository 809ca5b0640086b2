"""Professional e-mail addresses: form, accepted domain, mask."""

import re
from collections.abc import Collection

# RFC 5321 limits a local part to 64 octets and a path to 254. Nobody here has a quoted or non-ASCII
# local part.
_LOCAL_PART = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_MAX_LOCAL_PART = 64
_MAX_ADDRESS = 254


class AddressFormatError(ValueError):
    """The text is not an e-mail address. The message never repeats it."""


class AddressDomainError(ValueError):
    """The address is not of a domain of the election."""


def normalise_address(typed: str, domains: Collection[str]) -> str:
    """Return the address in lower case, without blanks around it.

    Raises:
        AddressFormatError: it is not `local-part@domain` in ASCII.
        AddressDomainError: its domain is not one of `domains`.
    """
    typed = typed.strip()
    # Folding case turns some letters from elsewhere into ASCII ones (U+212A into k), so this is
    # checked before.
    if not typed.isascii():
        raise AddressFormatError("not of the form prenom.nom@domaine.fr")
    address = typed.lower()
    local_part, at, domain = address.rpartition("@")
    if not at or len(address) > _MAX_ADDRESS or len(local_part) > _MAX_LOCAL_PART:
        raise AddressFormatError("not of the form prenom.nom@domaine.fr")
    if _LOCAL_PART.fullmatch(local_part) is None or "." not in domain or " " in domain:
        raise AddressFormatError("not of the form prenom.nom@domaine.fr")
    if domain not in domains:
        raise AddressDomainError("not a domain of the election")
    return address


def mask_address(address: str) -> str:
    """Return what may be shown of an address: first letter and domain, `c•••@ac-dijon.fr`."""
    local_part, _, domain = address.rpartition("@")
    return f"{local_part[:1]}•••@{domain}"
