"""The code for the helpdesk: shown to anyone who is signed in, of use to an operator alone, kept
nowhere.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from reassort.caller_codes import is_code_of, normalise_caller_code
from reassort.caller_words import WORDS

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World


def shown_to(browser: Browser) -> dict[str, str]:
    code: dict[str, str] = browser.overview().json["caller_code"]
    return code


def accepted(world: World, voter: Enrolled, code: str) -> bool:
    idle = world.election.limits.session.idle_minutes
    return is_code_of(world.keyed_hash, voter.voter_id, normalise_caller_code(code) or "", world.clock(), idle)


def test_signed_in_voter_is_shown_a_code_that_an_operator_accepts(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser
) -> None:
    code = shown_to(browser)
    assert set(code["words"].split()) <= set(WORDS)
    assert accepted(world, claire, code["words"])
    assert not accepted(world, paul, code["words"])
    assert shown_to(browser) == code


def test_code_lives_as_long_as_the_session_that_showed_it(world: World, claire: Enrolled, browser: Browser) -> None:
    code = shown_to(browser)
    end = datetime.fromisoformat(code["expires_at"])
    assert end >= world.clock() + timedelta(seconds=browser.overview().json["session"]["expires_in"])
    world.clock.set(end - timedelta(seconds=1))
    assert browser.overview().code == "signed-out"
    assert accepted(world, claire, code["words"])
    world.clock.set(end)
    assert not accepted(world, claire, code["words"])


def test_who_prolongs_the_session_is_shown_a_fresh_code(world: World, claire: Enrolled, browser: Browser) -> None:
    first = shown_to(browser)
    world.clock.move(minutes=10)
    second = shown_to(browser)
    assert second["words"] != first["words"]
    assert accepted(world, claire, first["words"])
    assert accepted(world, claire, second["words"])


def test_nobody_else_is_shown_a_code(world: World, claire: Enrolled, browser: Browser) -> None:
    assert "caller_code" not in world.browser().overview().text
    reference = browser.reissue(claire.numen).json["reference"]
    code = shown_to(browser)["words"]
    assert f'"{code}"' not in browser.status(reference).text


@pytest.mark.req("S6", "S11")
def test_code_opens_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    """It is no code of sign-in, neither in the voter's own browser nor in a thief's, and no part of
    any other call.
    """
    code = shown_to(browser)["words"]
    thief = world.browser()
    thief.ask_code(claire.email)
    assert thief.call("POST", "/api/login/code", {"code": code}).status in {401, 422}
    assert thief.overview().code == "signed-out"


@pytest.mark.req("S9", "S23", "I7")
def test_code_is_kept_and_logged_nowhere(world: World, claire: Enrolled, browser: Browser) -> None:
    code = shown_to(browser)["words"]
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    shown_to(browser)
    browser.redeliver(reference, "email")
    world.fail("GetItem", RuntimeError("a fault"))
    browser.overview()
    kept = [json.dumps(item, default=repr) for table in world.tables for item in world.items(table)]
    sent = world.sent_texts
    assert not [text for text in [*kept, *sent, *world.queued_bodies(), *world.log_text.splitlines()] if code in text]
