"""Keyed hashes: the only form in which an address, a NUMEN, a further proof, a phone number, a
code, a token or an identifier is stored.

HMAC-SHA-256 under a key that KMS derives at cold start from a fixed label (`GenerateMac` on an HMAC
key). The derived key is stored nowhere. A plain hash would not do: a NUMEN has some 30 bits, which
one core tries in minutes.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class Purpose(StrEnum):
    """What a hash is for. Two purposes never give the same hash of the same value."""

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


class KeyedHash:
    """Hashes values under the derived key of one election; without one, `derive` comes first."""

    def __init__(self, key: bytes | None = None) -> None:
        # Copied for each hash: that spares preparing the key anew, a third of what a hash costs.
        self._key = None if key is None else hmac.new(key, digestmod=sha256)

    def derive(self, kms: KMSClient, key_id: str, election_id: str) -> None:
        """Derive the hash key of an election with one KMS call.

        Raises:
            botocore.exceptions.ClientError: KMS refuses or cannot be reached; the function must not
                start without its key.
        """
        message = f"reassort/v1/{election_id}".encode()
        mac = kms.generate_mac(KeyId=key_id, MacAlgorithm="HMAC_SHA_256", Message=message)["Mac"]
        self._key = hmac.new(mac, digestmod=sha256)

    def digest(self, purpose: Purpose, *values: str) -> bytes:
        """Return the 32-byte keyed hash of the values, which stay distinct whatever characters they
        hold.
        """
        if self._key is None:
            raise RuntimeError("the key of the keyed hashes has not been derived")
        message = "".join([f"{len(part)}:{part}" for part in (purpose, *values)])
        keyed = self._key.copy()
        keyed.update(message.encode("utf-8", "surrogatepass"))
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


def derive_keyed_hash(kms: KMSClient, key_id: str, election_id: str) -> KeyedHash:
    """Return the keyed hashes of an election. Raises what `KeyedHash.derive` does."""
    keyed_hash = KeyedHash()
    keyed_hash.derive(kms, key_id, election_id)
    return keyed_hash


def same(left: str, right: str) -> bool:
    """Compare two hashes in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())
