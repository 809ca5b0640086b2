"""What the cookies of challenges and sessions hold: a token that names nobody and that only this
service can make.

The voter's pseudonym is the key under which tables and register know a voter, so it does not leave
the service in the clear. A cookie is the token's secret, the pseudonym hidden by a keystream of
that secret, and a code of both (encrypt, then authenticate; all of it HMAC-SHA-256 under the
election's key): 76 characters of base64url. A forged one is refused before any table is read.
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

_BYTES = 16
# In characters of base64url; a token's secret is made of them.
_SECRET = SECRET_BYTES * 4 // 3
_CODE = _HIDDEN = 22
_COOKIE = re.compile(rf"[A-Za-z0-9_-]{{{_SECRET + _HIDDEN + _CODE}}}")


def write_cookie(name: str, token: Token, keyed_hash: KeyedHash) -> str:
    """Return the value of the cookie `name`. It is worth nothing under another name."""
    content = token.secret + _hide(token.voter_id, token.secret, keyed_hash)
    return content + _code(name, content, keyed_hash)


def read_cookie(name: str, value: str | None, keyed_hash: KeyedHash) -> Token | None:
    """Return the token of the cookie `name`, or None when this service has not written it."""
    if value is None or _COOKIE.fullmatch(value) is None:
        return None
    content, code = value[:-_CODE], value[-_CODE:]
    if not hmac.compare_digest(code, _code(name, content, keyed_hash)):
        return None
    secret = content[:_SECRET]
    return Token(_hide(content[_SECRET:], secret, keyed_hash), secret)


def _hide(pseudonym: str, secret: str, keyed_hash: KeyedHash) -> str:
    """Combine with the secret's keystream; twice gives the pseudonym again. No secret of 192 bits
    is drawn twice.
    """
    keystream = keyed_hash.digest(Purpose.COOKIE, "keystream", secret)[:_BYTES]
    combined = int.from_bytes(urlsafe_b64decode(pseudonym + "==")) ^ int.from_bytes(keystream)
    return _text(combined.to_bytes(_BYTES))


def _code(name: str, content: str, keyed_hash: KeyedHash) -> str:
    return _text(keyed_hash.digest(Purpose.COOKIE, name, content)[:_BYTES])


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
