"""What the cookies of challenges and sessions hold: a token that names nobody and that only this
service can make.

The voter's pseudonym is the key under which tables and register know a voter, so it does not leave
the service in the clear. A cookie is the token's secret, the pseudonym hidden by a keystream of
that secret, and a code of both (encrypt, then authenticate; all of it HMAC-SHA-256 under the
election's key): 56 bytes, 75 characters of base64url. A forged one is refused before any table is
read.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from reassort.keyed_hash import Purpose
from reassort.sessions import SECRET_BYTES, Token

if TYPE_CHECKING:
    from reassort.keyed_hash import KeyedHash

_PSEUDONYM_BYTES = _CODE_BYTES = 16
_COOKIE = re.compile(r"[A-Za-z0-9_-]{75}")


def write_cookie(name: str, token: Token, keyed_hash: KeyedHash) -> str:
    """Return the value of the cookie `name`. It is worth nothing under another name."""
    hidden = _hide(_bytes(token.voter_id), token.secret, keyed_hash)
    content = _bytes(token.secret) + hidden
    return _text(content + _code(name, content, keyed_hash))


def read_cookie(name: str, value: str | None, keyed_hash: KeyedHash) -> Token | None:
    """Return the token of the cookie `name`, or None when this service has not written it."""
    if value is None or _COOKIE.fullmatch(value) is None:
        return None
    read = _bytes(value)
    content, code = read[:-_CODE_BYTES], read[-_CODE_BYTES:]
    # The last character carries two bits that no byte has: one spelling of a cookie counts.
    if _text(read) != value or not hmac.compare_digest(code, _code(name, content, keyed_hash)):
        return None
    secret = _text(content[:SECRET_BYTES])
    return Token(_text(_hide(content[SECRET_BYTES:], secret, keyed_hash)), secret)


def _hide(pseudonym: bytes, secret: str, keyed_hash: KeyedHash) -> bytes:
    """Combine with the secret's keystream; twice gives the pseudonym again. A secret of 192 bits is
    never drawn twice.
    """
    keystream = keyed_hash.digest(Purpose.COOKIE, "keystream", secret)
    return bytes(one ^ other for one, other in zip(pseudonym, keystream[:_PSEUDONYM_BYTES], strict=True))


def _code(name: str, content: bytes, keyed_hash: KeyedHash) -> bytes:
    return keyed_hash.digest(Purpose.COOKIE, name, _text(content))[:_CODE_BYTES]


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
