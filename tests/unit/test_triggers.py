"""Each event that wakes the sending function goes to the one rule that is for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from notify.triggers import answer

from harness.service.events import load_event

if TYPE_CHECKING:
    from notify.deps import Deps

# The rule of each, and whether what it says is the answer.
RULES = {
    "sms-log": ("on_sms_log", False),
    "ses-delivery": ("on_email_events", False),
    "outbox-stream": ("on_stream", True),
    "retry-queue": ("on_queue", True),
    "sweeper": ("on_schedule", True),
}
DEPS = cast("Deps", object())


@pytest.mark.parametrize(("name", "expected"), RULES.items())
def test_an_event_goes_to_its_rule(monkeypatch: pytest.MonkeyPatch, name: str, expected: tuple[str, bool]) -> None:
    called: list[tuple[str, tuple[Any, ...]]] = []

    def stand_in(rule: str) -> Any:
        def ruled(*given: Any) -> dict[str, str]:
            called.append((rule, given))
            return {"by": rule}

        return ruled

    for rule, _ in RULES.values():
        monkeypatch.setattr(f"notify.triggers.{rule}", stand_in(rule))
    rule, answers = expected
    event = load_event(name)
    assert answer(event, DEPS) == ({"by": rule} if answers else None)
    assert called == [(rule, (DEPS,) if rule == "on_schedule" else (event, DEPS))]
