"""Somebody who asks for codes from a network, and an agent who lets a caller in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def ask(browser: Browser, email: str, source: str, number: str = "000000") -> dict[str, Any]:
    """Ask for a code from a network, and return the answer."""
    answer = browser.call("POST", "/api/login", {"email": email, "number": number}, {"X-Viewer-Address": source})
    assert answer.status == 202
    told: dict[str, Any] = answer.json
    return told


def call_in(world: World, voter: Enrolled, number: str) -> bool:
    """Let the voter's browser in, as the helpdesk does."""
    answer = world.agent("marie", "agent").act("let-in", voter.email, number=number)
    assert answer.status == 200 or answer.code == "nothing-to-do"
    return answer.status == 200
