"""The reference of a reissue: what a voter quotes on the phone, and the key under which the request
is idempotent.

It is derived from the voter and the request's idempotency key, so a repeated request finds what the
first one left.
"""

from reassort.identifiers import ALPHABET, spell, upper_ascii
from reassort.keyed_hash import KeyedHash, Purpose
from reassort.pasted import compact

# 10 symbols carry 49 bits: among a million reissues of an election two share a reference once in
# 1,000 elections, and then the transaction refuses the second.
_SYMBOLS = 10


def derive_reference(keyed_hash: KeyedHash, voter_id: str, idempotency_key: str) -> str:
    """Return the reference, for example `7K3M9-QWX2T`."""
    number = int.from_bytes(keyed_hash.digest(Purpose.REFERENCE, voter_id, idempotency_key))
    symbols = spell(number, _SYMBOLS)
    return f"{symbols[:5]}-{symbols[5:]}"


def dispute_token(reference: str, keyed_hash: KeyedHash) -> str:
    """Return the token of a reissue's confirmation: its reference, and 256 bits that only this
    service can compute.
    """
    return f"{reference}.{keyed_hash.hash(Purpose.DISPUTE, reference)}"


def normalise_reference(typed: str) -> str | None:
    """Return a reference as it is stored, or None when the text cannot be one."""
    typed = compact(typed)
    symbols = "".join(symbol for symbol in upper_ascii(typed) if symbol in ALPHABET)
    if len(symbols) != _SYMBOLS or len(typed) > 2 * _SYMBOLS:
        return None
    return f"{symbols[:5]}-{symbols[5:]}"
