"""Secrets that go through every path, refusals and faults included, and must then be found
nowhere.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.identifiers import normalise_identifier

from harness.elections import DATE_OF_BIRTH, STAFF_CARD, read_election
from harness.service.reading import dispute_token_in, identifier_in
from harness.service.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.service.world import Enrolled

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
    world.repair()
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
    session = (browser.session_cookie or "")[:32]
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


@pytest.mark.req("S9", "S23", "I7")
@pytest.mark.parametrize(
    ("wanted", "on_the_roll", "typed", "wrong"),
    [
        (DATE_OF_BIRTH, "1964-09-26", "26/09/1964", "23/11/1957"),
        (STAFF_CARD, "QX48ZK", "qx48-zk", "wj93yy"),
    ],
    ids=["date", "text"],
)
def test_further_proof_is_kept_nowhere_in_the_clear(
    wanted: dict[str, Any], on_the_roll: str, typed: str, wrong: str
) -> None:
    with World(read_election("dijon-2018", extra_proof=wanted)) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof=on_the_roll)
        browser = world.signed_in(claire)
        browser.reissue(claire.numen, extra_proof=wrong)
        browser.reissue(WRONG_NUMEN, extra_proof=typed)
        browser.reissue("not a numen", extra_proof=typed)
        browser.reissue(claire.numen, extra_proof=typed + "?!")
        world.fail("BatchGetItem", RuntimeError("a fault"))
        assert browser.reissue(claire.numen, extra_proof=typed).status == 503
        world.repair()
        assert browser.reissue(claire.numen, extra_proof=typed).status == 202
        kept = list(_everything_kept(world))
        world.run_outbox()
        secrets = {on_the_roll, typed, wrong, "23111957", "1957-11-23", "26091964"}
        sent = [("message", text) for text in world.sent_texts]
        answered = [("answer", response.text) for response in world.responses]
        places = [*kept, *_everything_kept(world), *sent, *answered]
        assert [place for place, text in places for secret in secrets if secret.lower() in text.lower()] == []


@pytest.mark.req("S23")
def test_the_search_for_secrets_can_find_one(world: World, claire: Enrolled) -> None:
    world.change_voter(claire, leak=claire.numen)
    assert [place for place, text in _everything_kept(world) if claire.numen in text] == ["VotersTable"]
