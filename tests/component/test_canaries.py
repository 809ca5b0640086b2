"""Secrets that go through every path, refusals and faults included, and must then be found nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from reassort.identifiers import normalise_identifier

from tests.world import dispute_token_in, identifier_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.world import Enrolled, World

PHONE = "+33698765432"
TYPED_PHONE = "06 98 76 54 32"
WRONG_NUMEN = "09E9911111ZZZ"


def _everything_kept(world: World) -> Iterator[tuple[str, str]]:
    """Give each place where something is kept, with all it holds as text."""
    for table in world.tables:
        for item in world.items(table):
            yield (
                table,
                json.dumps(
                    item, default=lambda value: value.decode("latin-1") if isinstance(value, bytes) else str(value)
                ),
            )
    for body in world.queued_bodies() + world.queued_bodies(world.dead_letter_queue):
        yield "queue", body
    yield "logs", world.log_text


@pytest.mark.req("S9", "S23", "I7")
def test_no_secret_is_kept_anywhere_in_the_clear(world: World, claire: Enrolled, paul: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code("stranger.unknown@ac-dijon.fr")
    browser.sign_in(claire.email)
    code = world.code_for(claire.email)
    browser.reissue(WRONG_NUMEN, TYPED_PHONE)
    browser.reissue("not a numen", "not a phone")
    world.fail("SendEmail", "InternalFailure")
    world.fail("Publish", "InternalError")
    reference = browser.reissue(claire.numen, TYPED_PHONE, "sms").json["reference"]
    world.run_outbox()
    kept_in_flight = list(_everything_kept(world))
    world.mend()
    world.run_for(minutes=2)
    browser.redeliver(reference, "email")
    world.run_outbox()
    confirmation = next(email for email in world.mail_to(claire.email) if "Confirmation" in email.subject)
    token = dispute_token_in(confirmation)
    world.call("POST", "/api/dispute", {"token": token}, headers={"Origin": "https://reassort.example.fr"})
    world.run_outbox()
    world.check(claire.identifier)
    world.vote(paul.identifier)
    new_identifier = identifier_in(world.sms[-1].text)
    session = (browser.session_cookie or "").partition(".")[2]
    secrets = {
        claire.email,
        "stranger.unknown",
        "claire.martin",
        claire.numen,
        WRONG_NUMEN,
        PHONE,
        PHONE.removeprefix("+33"),
        TYPED_PHONE,
        claire.identifier,
        normalise_identifier(claire.identifier),
        new_identifier,
        normalise_identifier(new_identifier),
        session,
        token.partition(".")[2],
    }
    assert all(secrets)
    hits = [
        (place, secret)
        for place, text in [*kept_in_flight, *_everything_kept(world)]
        for secret in secrets
        if secret.lower() in text.lower()
    ]
    assert hits == []
    # Six digits are found in any long number, so the code is looked for as a value of its own.
    assert not [place for place, text in kept_in_flight if f'"{code}"' in text or f" {code} " in text]


@pytest.mark.req("S23")
def test_the_search_for_secrets_can_find_one(world: World, claire: Enrolled) -> None:
    world.change_voter(claire, leak=claire.numen)
    assert [place for place, text in _everything_kept(world) if claire.numen in text] == ["VotersTable"]
