"""Structured logs without personal data: fixed messages, pseudonyms, codes; never an event or an
exception's text.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping


class EventLog:
    """Writes one JSON line per fact, with the request's correlation id."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service, log_record_order=["timestamp", "level", "message"])

    def begin(self, correlation_id: str) -> None:
        """Attach the id that ties all lines of one request together."""
        self._logger.append_keys(correlation_id=correlation_id)

    def record(self, message: str, **facts: str | int | float | None) -> None:
        """Record a fact."""
        self._logger.info(message, extra=_named(facts))

    def warn(self, message: str, **facts: str | int | float | None) -> None:
        """Record a refusal or a fault that was handled."""
        self._logger.warning(message, extra=_named(facts))

    def fault(self, message: str, error: BaseException, **facts: str | int | float | None) -> None:
        """Record a fault: the error's type, AWS code and place, but not its text, which may quote a
        value.
        """
        response: dict[str, Any] = getattr(error, "response", None) or {}
        frames = [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
        self._logger.error(
            message,
            extra=_named(
                {
                    **facts,
                    "error_type": type(error).__name__,
                    "aws_code": response.get("Error", {}).get("Code"),
                    "frames": " > ".join(frames[-6:]),
                }
            ),
        )


def _named(facts: Mapping[str, str | int | float | None]) -> dict[str, str | int | float]:
    return {name: value for name, value in facts.items() if value is not None}
