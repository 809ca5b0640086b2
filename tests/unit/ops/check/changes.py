"""What a test changes in an account before it is looked at, and what the look asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.ops.check.account import Account

type Change = Callable[[Account], None]


def answered(service: str, operation: str, to: dict[str, Any], **parameters: Any) -> Change:
    """Have AWS answer something else, to calls with these parameters or to all."""
    return lambda account: account.answers.change(service, operation, to, **parameters)


def refused(service: str, operation: str, code: str, message: str = "") -> Change:
    """Have AWS answer an error."""
    return lambda account: account.answers.refuse(service, operation, code, message)


def both(*changes: Change) -> Change:
    """Make several changes."""

    def change(account: Account) -> None:
        for one in changes:
            one(account)

    return change


def asked(account: Account, service: str, operation: str) -> list[dict[str, Any]]:
    """Record the parameters of an operation, answered as before."""
    calls: list[dict[str, Any]] = []
    stored = account.answers.stored(service, operation)

    def answer(parameters: dict[str, Any]) -> dict[str, Any]:
        calls.append(dict(parameters))
        return stored

    account.answers.compute(service, operation, answer)
    return calls
