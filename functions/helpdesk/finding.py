"""Finds the voter whom an agent means, by address or by the reference of a reissue."""

from __future__ import annotations

from dataclasses import dataclass

from reassort.addresses import AddressDomainError, AddressFormatError, mask_address, normalise_address
from reassort.caller_codes import is_code_of, normalise_caller_code
from reassort.outbox import Channel, delivery_from_item
from reassort.problems import Code, FieldFault, Problem
from reassort.references import normalise_reference
from reassort.tables import read_one

from helpdesk.deps import Deps
from helpdesk.situation import Caller

# What is shown of the address of a voter who is known by a reference that names none.
_UNKNOWN_ADDRESS = "•••"


@dataclass(frozen=True)
class Found:
    """A voter that an agent named. `masked_address` may be shown; `address` is None when they were
    named by a reference, and `voter_id` is empty when that reference is nobody's.
    """

    voter_id: str
    masked_address: str
    address: str | None


def find(typed: str, deps: Deps) -> Found:
    """Find whom an address or a reference means. An address need not be on the roll.

    Raises:
        Problem: `invalid-fields`: it can be neither.
        ContentionError: DynamoDB throttles.
    """
    reference = None if "@" in typed else normalise_reference(typed)
    if reference is not None:
        item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": reference})
        if item is None:
            return Found("", _UNKNOWN_ADDRESS, None)
        delivery = delivery_from_item(item)
        return Found(delivery.voter_id, delivery.destinations.get(Channel.EMAIL, _UNKNOWN_ADDRESS), None)
    domains = deps.election.domain_names
    try:
        address = normalise_address(typed, domains)
    except AddressDomainError as error:
        known = ", ".join(f"@{domain}" for domain in domains)
        raise _refused("domain", f"Cette adresse n’est pas d’un domaine de l’élection ({known}).") from error
    except AddressFormatError as error:
        words = "Saisissez une adresse professionnelle, ou une référence telle que 7K3M9-QWX2T."
        raise _refused("invalid", words) from error
    return Found(deps.keyed_hash.voter_id(address), mask_address(address), address)


def caller_of(found: Found, typed: str | None, deps: Deps) -> Caller:
    """Tell what a caller's words show of who is calling.

    Raises:
        Problem: `invalid-fields`: they can be nobody's.
    """
    if typed is None:
        return Caller.NOT_ASKED
    code = normalise_caller_code(typed)
    if code is None:
        words = "Tapez les deux mots que l’appelant lit sous « Deux mots à lire à l’assistance »."
        fault = FieldFault("caller_code", "invalid", words)
        raise Problem(Code.INVALID_FIELDS, errors=(fault,))
    idle_minutes = deps.election.limits.session.idle_minutes
    right = is_code_of(deps.keyed_hash, found.voter_id, code, deps.clock(), idle_minutes)
    return Caller.VERIFIED if right else Caller.WRONG_CODE


def _refused(code: str, message: str) -> Problem:
    return Problem(Code.INVALID_FIELDS, errors=(FieldFault("who", code, message),))
