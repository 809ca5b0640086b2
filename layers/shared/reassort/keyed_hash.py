"""Keyed hashes: the only form in which an address, a NUMEN, a further proof, a phone number, a
code, a token or an identifier is stored.

HMAC-SHA-256 under keys that KMS derives at cold start from a fixed label (`GenerateMac` on HMAC
keys). The derived keys are stored nowhere. A plain hash would not do: a NUMEN has some 30 bits,
which one core tries in minutes.

There is one key of KMS for each set of purposes that the same roles need, so that a role derives no
key of what it has no business with: sign-in cannot compute the token of a dispute.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_kms import KMSClient


class Purpose(StrEnum):
    """What a hash is for. Two purposes never give the same hash of the same value."""

    # An enumeration's own is a function of Python, which costs more than the look-up.
    __hash__ = str.__hash__

    VOTER = "voter"
    NUMEN = "numen"
    PHONE = "phone"
    IDENTIFIER = "identifier"
    CODE = "code"
    CHALLENGE = "challenge"
    SESSION = "session"
    REFERENCE = "reference"
    REQUEST = "request"
    DISPUTE = "dispute"
    SOURCE = "source"
    EXTRA_PROOF = "extra-proof"
    HANDLE = "handle"
    CALLER = "caller"
    COOKIE = "cookie"
    REVISION = "revision"


class HashKey(StrEnum):
    """A key of KMS that hashes are computed under, as settings and outputs call it."""

    VOTER = "voter_hash_key"
    SIGN_IN = "sign_in_hash_key"
    PROOF = "proof_hash_key"
    REISSUE = "reissue_hash_key"
    IDENTIFIER = "identifier_hash_key"
    HANDLE = "handle_hash_key"

    @property
    def logical_id(self) -> str:
        """Return what the template calls it, for example `SignInHashKey`."""
        return "".join(word.capitalize() for word in self.split("_"))


PURPOSES = {
    HashKey.VOTER: (Purpose.VOTER,),
    HashKey.SIGN_IN: (Purpose.CODE, Purpose.CHALLENGE, Purpose.SESSION, Purpose.SOURCE, Purpose.COOKIE),
    HashKey.PROOF: (Purpose.NUMEN, Purpose.EXTRA_PROOF),
    HashKey.REISSUE: (
        Purpose.PHONE,
        Purpose.REFERENCE,
        Purpose.REQUEST,
        Purpose.DISPUTE,
        Purpose.CALLER,
        Purpose.REVISION,
    ),
    HashKey.IDENTIFIER: (Purpose.IDENTIFIER,),
    HashKey.HANDLE: (Purpose.HANDLE,),
}


class KeyedHash:
    """Hashes values under the derived keys of one election; without `key`, which does for all
    purposes, `derive` comes first.
    """

    def __init__(self, key: bytes | None = None) -> None:
        # Copied for each hash: that spares preparing the key again, a third of what a hash costs.
        self._keyed = {} if key is None else _prepared(key, Purpose)

    def derive(self, kms: KMSClient, key_ids: Mapping[HashKey, str], election_id: str) -> None:
        """Derive keys of an election, with one KMS call for each.

        Raises:
            botocore.exceptions.ClientError: KMS refuses or cannot be reached; the function must not
                start without its keys.
        """
        message = f"reassort/v2/{election_id}".encode()
        for key, key_id in key_ids.items():
            mac = kms.generate_mac(KeyId=key_id, MacAlgorithm="HMAC_SHA_256", Message=message)["Mac"]
            self._keyed.update(_prepared(mac, PURPOSES[key]))

    def digest(self, purpose: Purpose, *values: str) -> bytes:
        """Return the 32-byte keyed hash of the values, which stay distinct whatever characters they
        hold.
        """
        keyed = self._keyed.get(purpose)
        if keyed is None:
            raise RuntimeError(f"the key of {purpose} hashes has not been derived")
        keyed = keyed.copy()
        keyed.update("".join([f"{len(value)}:{value}" for value in values]).encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def hash(self, purpose: Purpose, *values: str) -> str:
        """Return the keyed hash as 43 characters of base64url."""
        return urlsafe_b64encode(self.digest(purpose, *values)).rstrip(b"=").decode()

    def voter_id(self, address: str) -> str:
        """Return the pseudonym of the voter with this normalised address: 128 bits, 22 characters
        of base64url.
        """
        return urlsafe_b64encode(self.digest(Purpose.VOTER, address)[:16]).rstrip(b"=").decode()

    def handle(self, voter_id: str, generation: int) -> str:
        """Return the name under which the voting platform hears of an identifier: 128 bits, 22
        characters of base64url.

        It is stored nowhere and says neither the identifier nor the voter; two identifiers of one
        voter have two that nobody can tie.
        """
        return urlsafe_b64encode(self.digest(Purpose.HANDLE, voter_id, str(generation))[:16]).rstrip(b"=").decode()

    def revision(self, voter_id: str, generation: int) -> str:
        """Return what a page shows: this voter at this generation, in 22 characters of base64url.
        It is stored nowhere.
        """
        return urlsafe_b64encode(self.digest(Purpose.REVISION, voter_id, str(generation))[:16]).rstrip(b"=").decode()

    def extra_proof(self, voter_id: str, value: str) -> str:
        """Return the hash of a voter's further proof, bound to the voter: two who were born on one
        day have two hashes.
        """
        return self.hash(Purpose.EXTRA_PROOF, voter_id, value)


def _prepared(key: bytes, purposes: Iterable[Purpose]) -> dict[Purpose, hmac.HMAC]:
    """Return the hash of each purpose's name, to which values are added."""
    return {purpose: hmac.new(key, f"{len(purpose)}:{purpose}".encode(), sha256) for purpose in purposes}


def hash_keys(settings: object) -> dict[HashKey, str]:
    """Return those keys that a function's settings name."""
    return {key: getattr(settings, key) for key in HashKey if hasattr(settings, key)}


def derive_keyed_hash(kms: KMSClient, key_ids: Mapping[HashKey, str], election_id: str) -> KeyedHash:
    """Return the keyed hashes of an election. Raises what `KeyedHash.derive` does."""
    keyed_hash = KeyedHash()
    keyed_hash.derive(kms, key_ids, election_id)
    return keyed_hash


def same(left: str, right: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
