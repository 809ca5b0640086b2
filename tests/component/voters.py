"""What voters do in many tests, and what no refusal may change."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World

_KEPT = ("VotersTable", "IdentifiersTable", "RegisterTable", "DeliveriesTable", "LimitsTable", "ControlTable")


def state_of(world: World) -> dict[str, object]:
    """Return what no refusal may change. Sessions and the outbox's own doings are not part of
    it.
    """
    return {table: sorted(map(repr, world.items(table))) for table in _KEPT}


def ask_reissue(browser: Browser, enrolled: Enrolled, channel: str = "sms", phone: str = "06 12 34 56 78") -> str:
    """Ask for a new identifier and return the reference."""
    reference: str = browser.reissue(enrolled.numen, phone, channel).json["reference"]
    return reference


def reissued(world: World, browser: Browser, enrolled: Enrolled, channel: str = "sms") -> str:
    """Ask for a new identifier, let its messages leave, and return the reference."""
    reference = ask_reissue(browser, enrolled, channel)
    world.run_outbox()
    return reference


def code_asked_for(world: World, browser: Browser, email: str) -> str:
    """Ask for a code and read it in the mailbox."""
    assert browser.ask_code(email).status == 202
    world.run_outbox()
    return world.code_for(email)
