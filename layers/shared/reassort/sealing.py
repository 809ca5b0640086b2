"""What must be sent is sealed by KMS under an encryption context, so that a sealed value cannot be
moved elsewhere.

Two kinds of sealed values exist: the address a voter signed in with, bound to the voter, and the
payload of one delivery, bound to the delivery. Only `notify` may open either.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def address_context(voter_id: str) -> dict[str, str]:
    """Return the encryption context of a voter's address."""
    return {"kind": "address", "voter": voter_id}


def payload_context(delivery_id: str) -> dict[str, str]:
    """Return the encryption context of a delivery's payload."""
    return {"kind": "payload", "delivery": delivery_id}


class Sealer:
    """Seals; cannot open."""

    def __init__(self, kms: KMSClient, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def seal_address(self, voter_id: str, address: str) -> bytes:
        """Encrypt an address for its voter. Raises botocore's ClientError when KMS refuses."""
        return self._seal(address, address_context(voter_id))

    def seal_payload(self, delivery_id: str, payload: dict[str, str]) -> bytes:
        """Encrypt what one delivery says. Raises botocore's ClientError when KMS refuses."""
        return self._seal(json.dumps(payload, separators=(",", ":")), payload_context(delivery_id))

    def _seal(self, plaintext: str, context: dict[str, str]) -> bytes:
        answer = self._kms.encrypt(KeyId=self._key_id, Plaintext=plaintext.encode(), EncryptionContext=context)
        return answer["CiphertextBlob"]


class Opener:
    """Opens what a `Sealer` sealed."""

    def __init__(self, kms: KMSClient, key_id: str) -> None:
        self._kms = kms
        self._key_id = key_id

    def open_address(self, voter_id: str, sealed: bytes) -> str:
        """Decrypt an address. Raises botocore's ClientError when KMS refuses or the context
        differs.
        """
        return self._open(sealed, address_context(voter_id))

    def open_payload(self, delivery_id: str, sealed: bytes) -> dict[str, str]:
        """Decrypt a payload. Raises botocore's ClientError when KMS refuses or the context
        differs.
        """
        payload: dict[str, str] = json.loads(self._open(sealed, payload_context(delivery_id)))
        return payload

    def _open(self, sealed: bytes, context: dict[str, str]) -> str:
        answer = self._kms.decrypt(KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=context)
        return answer["Plaintext"].decode()
