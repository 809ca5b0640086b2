"""« Ce n’était pas moi »: the link of the confirmation freezes the new identifier and alerts the
helpdesk, once.
"""

from __future__ import annotations

import pytest
from reassort.tables import to_wire

from harness.service.reading import dispute_token_in, identifier_in
from harness.service.wire import SentEmail
from harness.service.world import Browser, Enrolled, World
from tests.register_chain import broken_links


def _confirmation(world: World, reference: str) -> SentEmail:
    (email,) = [email for email in world.mail_about(reference) if email.tags["message"] == "confirmation"]
    return email


def _reissued(world: World, browser: Browser, enrolled: Enrolled) -> tuple[str, str]:
    """Reissue, deliver, and return reference and dispute token."""
    reference: str = browser.reissue(enrolled.numen).json["reference"]
    world.run_outbox()
    return reference, dispute_token_in(_confirmation(world, reference))


def test_dispute_freezes_the_new_identifier(world: World, claire: Enrolled, browser: Browser) -> None:
    reference, token = _reissued(world, browser, claire)
    last = browser.overview().json["last_reissue"]
    # Anyone who reads the mailbox need not be signed in.
    answer = world.browser().dispute(token)
    assert answer.status == 202
    assert answer.json == {name: last[name] for name in ("reference", "at", "channel", "destination")}
    identifier = identifier_in(world.sms[0].text)
    assert world.check(identifier)["status"] == "frozen"
    assert world.vote(identifier).code == "frozen"
    assert browser.reissue(claire.numen).code == "frozen"
    assert browser.overview().json["status"] == "frozen"
    assert browser.status(reference).json["status"] == "disputed"
    assert browser.status(reference).json["history"][-1]["status"] == "disputed"


@pytest.mark.req("S35", "I12")
def test_disputed_identifier_never_works_again(world: World, claire: Enrolled) -> None:
    """A thief reissues, the voter disputes: whatever the helpdesk does, the thief's identifier
    stays dead.
    """
    thief = world.signed_in(claire)
    _, token = _reissued(world, thief, claire)
    stolen = identifier_in(world.sms[0].text)
    world.clock.move(seconds=1)
    world.browser().dispute(token)
    assert world.agent().act("unfreeze", claire.email, "mailbox is safe again").code == "disputed"
    assert (world.check(stolen)["status"], world.vote(stolen).code) == ("frozen", "frozen")
    # Even if somebody took the freeze away in the table.
    world.change_voter(claire, frozen_at=None)
    assert (world.check(stolen)["status"], world.vote(stolen).code) == ("frozen", "frozen")


@pytest.mark.req("S35", "S16")
def test_dispute_ends_the_sessions_of_the_voter(world: World, claire: Enrolled) -> None:
    thief = world.signed_in(claire)
    reference, token = _reissued(world, thief, claire)
    world.clock.move(seconds=1)
    world.browser().dispute(token)
    assert thief.overview().code == "signed-out"
    assert thief.status(reference).code == "signed-out"
    assert thief.redeliver(reference, "email").code == "signed-out"
    assert thief.reissue(claire.numen).code == "signed-out"
    world.clock.move(seconds=1)
    assert world.signed_in(claire).overview().json["status"] == "frozen"


@pytest.mark.req("S35", "S16")
def test_freeze_by_the_helpdesk_ends_the_sessions_of_the_voter(world: World, claire: Enrolled) -> None:
    browser = world.signed_in(claire)
    world.clock.move(seconds=1)
    assert world.agent().act("freeze", claire.email, "lost telephone").status == 200
    assert browser.overview().code == "signed-out"
    assert world.agent().act("unfreeze", claire.email, "found again").status == 200
    assert browser.overview().code == "signed-out"
    assert world.check(claire.identifier)["status"] == "active"


@pytest.mark.req("S35", "I12")
@pytest.mark.parametrize("frozen_first", [True, False])
def test_dispute_of_what_the_helpdesk_had_frozen_holds_after_the_unfreeze(
    world: World, claire: Enrolled, frozen_first: bool
) -> None:
    _, token = _reissued(world, world.signed_in(claire), claire)
    world.clock.move(seconds=1)
    if frozen_first:
        assert world.agent().act("freeze", claire.email, "voter called").status == 200
    world.browser().dispute(token)
    assert world.agent().act("unfreeze", claire.email, "sounded right").code == "disputed"


@pytest.mark.req("I2")
def test_helpdesk_is_alerted_without_personal_data(world: World, claire: Enrolled, browser: Browser) -> None:
    reference, token = _reissued(world, browser, claire)
    world.clock.move(hours=1)
    world.browser().dispute(token)
    world.run_outbox()
    # Its own history, and its own waiting, which an alarm watches.
    history = world.delivery_item(reference)["history"]
    assert [step["status"] for step in history if step["message"] == "alert"] == ["queued", "sending", "sent"]
    assert world.metrics("HandedOverAfter")[-1] == 0
    (alert,) = world.alerts
    assert alert.topic == world.helpdesk_topic
    assert reference in alert.text
    for secret in (claire.email, "claire", claire.numen, "56 78", identifier_in(world.sms[0].text)):
        assert secret not in alert.subject + alert.text


@pytest.mark.req("I6", "I9")
def test_disputing_twice_changes_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    answers = []
    for _ in range(3):
        answers.append(world.browser().dispute(token))
        world.run_outbox()
    assert len({(answer.status, answer.text) for answer in answers}) == 1
    entries = world.register(claire)
    assert [entry["change"] for entry in entries] == ["issued", "reissued", "frozen"]
    assert broken_links(entries) == []
    assert len(world.alerts) == 1


@pytest.mark.req("I1")
def test_dispute_of_a_replaced_reissue_leaves_the_current_identifier_alone(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    _, token = _reissued(world, browser, claire)
    _reissued(world, browser, claire)
    assert world.browser().dispute(token).status == 202
    world.run_outbox()
    assert world.check(identifier_in(world.sms[1].text))["status"] == "active"
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "reissued", "reissued", "disputed"]
    assert len(world.alerts) == 1


@pytest.mark.req("S35", "I12")
def test_dispute_of_a_replaced_reissue_does_not_undo_that_of_the_current_one(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    _, former = _reissued(world, browser, claire)
    _, current = _reissued(world, browser, claire)
    for token in (current, former):
        assert world.browser().dispute(token).status == 202
    assert world.voter(claire).disputed == 3
    assert world.agent().act("unfreeze", claire.email, "sounded right").code == "disputed"


@pytest.mark.req("I5")
def test_dispute_after_the_vote_is_recorded_and_the_vote_stands(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    _, token = _reissued(world, browser, claire)
    identifier = identifier_in(world.sms[0].text)
    world.vote(identifier)
    assert world.browser().dispute(token).status == 202
    world.run_outbox()
    assert world.check(identifier)["status"] == "used"
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "reissued", "voted", "disputed"]
    assert len(world.alerts) == 1


@pytest.mark.req("I5")
def test_vote_that_slips_into_a_dispute_is_seen(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    identifier = identifier_in(world.sms[0].text)
    world.interleave("TransactWriteItems", lambda: world.vote(identifier))
    assert world.browser().dispute(token).status == 202
    assert world.check(identifier)["status"] == "used"
    assert broken_links(world.register(claire)) == []


@pytest.mark.req("I3")
def test_disputed_identifier_that_still_waits_is_never_sent(world: World, claire: Enrolled, browser: Browser) -> None:
    world.fail("Publish", "ThrottledException")
    _, token = _reissued(world, browser, claire)
    world.browser().dispute(token)
    world.run_for(minutes=5)
    assert not world.sms
    assert len(world.alerts) == 1


@pytest.mark.req("R2", "I6")
def test_lost_reply_of_a_dispute(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    world.lose_reply("TransactWriteItems")
    assert world.browser().dispute(token).status == 503
    assert world.browser().dispute(token).status == 202
    world.run_outbox()
    assert len(world.alerts) == 1
    assert [entry["change"] for entry in world.register(claire)] == ["issued", "reissued", "frozen"]


@pytest.mark.req("R15", "I12")
def test_contention_ends_in_503_and_nothing_is_disputed(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    world.fail("TransactWriteItems", "TransactionInProgressException", times=-1)
    refused = world.browser().dispute(token)
    assert (refused.status, refused.code) == (503, "unavailable")
    assert int(refused.headers["retry-after"]) > 0
    assert "request failed" not in world.log_text
    assert world.voter(claire).frozen_at is None
    world.repair()
    assert world.browser().dispute(token).status == 202


@pytest.mark.req("R4", "I2")
def test_alert_whose_event_is_lost_is_swept(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    world.run_for(hours=3)
    world.browser().dispute(token)
    world.lose_stream()
    world.run_for(minutes=2)
    assert len(world.alerts) == 1


@pytest.mark.req("R9")
def test_alert_is_tried_again(world: World, claire: Enrolled, browser: Browser) -> None:
    _, token = _reissued(world, browser, claire)
    world.browser().dispute(token)
    world.fail("Publish", "InternalError", times=2)
    world.run_for(minutes=4)
    assert len(world.alerts) == 1


@pytest.mark.req("S29")
def test_only_the_token_of_that_reissue_is_taken(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser
) -> None:
    reference, token = _reissued(world, browser, claire)
    other_reference, other_token = _reissued(world, world.signed_in(paul), paul)
    secret, other_secret = token.split(".")[1], other_token.split(".")[1]
    forged = [
        reference,
        f"{reference}.",
        f"{reference}.{other_secret}",
        f"{other_reference}.{secret}",
        f"{reference}.{secret[:-1]}",
        f"{reference}.{secret}x",
        f"{reference}.{secret.swapcase()}",
        f"22222-22222.{secret}",
        "é" * 50,
        "\x00",
        ".",
    ]
    assert {world.browser().dispute(text).code for text in forged} == {"invalid-token"}
    assert world.check(identifier_in(world.sms[0].text))["status"] == "active"


@pytest.mark.parametrize("body", [{}, {"token": None}, {"token": ""}, {"token": 1}, {"token": "x" * 101}])
def test_missing_token_is_a_field_fault(world: World, body: object) -> None:
    refused = world.browser().call("POST", "/api/dispute", body)
    assert (refused.status, refused.code) == (422, "invalid-fields")


@pytest.mark.req("S18")
def test_opening_the_link_alone_freezes_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    # Mail scanners open links: the token is in the fragment, which they do not send, and only a
    # POST freezes.
    _, token = _reissued(world, browser, claire)
    (link,) = {word for word in world.emails[-1].text.split() if token in word}
    assert link == f"https://reassort.example.fr/contestation.html#{token}"
    refused = world.call("POST", "/api/dispute", {"token": token}, headers={"Origin": "https://evil.example"})
    assert refused.code == "foreign-origin"
    assert world.check(identifier_in(world.sms[0].text))["status"] == "active"


@pytest.mark.req("I2")
def test_dispute_of_a_reissue_whose_messages_are_erased_alerts_the_helpdesk_too(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference, token = _reissued(world, browser, claire)
    _reissued(world, browser, claire)
    world.run_for(hours=3)
    assert "payload" not in world.delivery_item(reference)
    assert world.browser().dispute(token).status == 202
    world.run_outbox()
    (alert,) = world.alerts
    assert reference in alert.text
    assert world.delivery(reference).all_settled


# ------------------------------------------------------------ which request it is about


@pytest.mark.req("I6", "S18", "S22")
def test_look_tells_what_the_confirmation_tells_and_changes_nothing(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    token = dispute_token_in(world.mail_about(reference)[0])
    before = {table: world.items(table) for table in world.tables}
    looks = [world.browser().call("POST", "/api/dispute/look", {"token": token}) for _ in range(2)]
    for look in looks:
        assert (look.status, look.json) == (
            200,
            {"reference": reference, "at": "2018-11-30T09:15:00Z", "channel": "sms", "destination": "•• •• •• 56 78"},
        )
    assert {table: world.items(table) for table in world.tables} == before
    assert world.browser().dispute(token).json == looks[0].json
    assert world.browser().call("POST", "/api/dispute/look", {"token": token}).json == looks[0].json


@pytest.mark.req("S25", "S32")
@pytest.mark.parametrize("gone", ["DeliveriesTable", "VotersTable"])
def test_link_of_what_is_kept_no_longer_leads_nowhere(
    world: World, claire: Enrolled, browser: Browser, gone: str
) -> None:
    reference, token = _reissued(world, browser, claire)
    key = {"delivery_id": reference} if gone == "DeliveriesTable" else {"voter_id": claire.voter_id}
    world.wire.operator.dynamodb.delete_item(TableName=world.tables[gone], Key=to_wire(key))
    assert world.browser().dispute(token).code == "invalid-token"
    looked = world.browser().call("POST", "/api/dispute/look", {"token": token})
    assert looked.code == ("invalid-token" if gone == "DeliveriesTable" else None)


@pytest.mark.req("S25", "S32")
def test_look_without_the_whole_token_tells_nothing(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    token = dispute_token_in(world.mail_about(reference)[0])
    unknown = f"22222-22222.{token.partition('.')[2]}"
    for wrong in (reference, token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), unknown):
        refused = world.browser().call("POST", "/api/dispute/look", {"token": wrong})
        assert (refused.status, refused.code) == (422, "invalid-token")
