"""What a person reads out of a message: the code, the identifier, the link of a confirmation."""

from __future__ import annotations

import re
from typing import Protocol

from reassort.identifiers import ALPHABET

_CODE = re.compile(r"^ {4}(\d{6})$", re.MULTILINE)
_IDENTIFIER = re.compile(rf"\b([{ALPHABET}]{{3,8}}(?:-[{ALPHABET}]{{1,8}}){{2,10}})\b")
_DISPUTE_LINK = re.compile(r"/contestation\.html#(\S+)")


class ReadMail(Protocol):
    """An e-mail, wherever it was taken from."""

    @property
    def text(self) -> str:
        """Its plain text."""


def find_code(mail: ReadMail) -> str | None:
    """Return the one-time code of an e-mail, if it holds one."""
    found = _CODE.search(mail.text)
    return found[1] if found else None


def code_in(mail: ReadMail) -> str:
    """Return the one-time code of an e-mail. Raises LookupError when there is none."""
    return _found(_CODE.search(mail.text))


def find_identifier(text: str) -> str | None:
    """Return the identifier that a message holds, if any; references, of two groups, are passed
    over.
    """
    found = _IDENTIFIER.search(text)
    return found[0] if found else None


def identifier_in(text: str) -> str:
    """Return the identifier that a message holds. Raises LookupError when there is none."""
    return _found(_IDENTIFIER.search(text))


def dispute_token_in(mail: ReadMail) -> str:
    """Return the token of the « ce n’était pas moi » link of a confirmation. Raises LookupError
    when there is none.
    """
    return _found(_DISPUTE_LINK.search(mail.text))


def _found(match: re.Match[str] | None) -> str:
    if match is None:
        raise LookupError("not in the message")
    return match[1]
