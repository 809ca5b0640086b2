"""Reissue: the next identifier works, the former one does not, and each refusal leaves everything
as it was.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from harness.elections import read_election
from harness.service.reading import identifier_in
from harness.service.world import PHONE, Browser, Enrolled, World
from tests.component.voters import state_of
from tests.register_chain import broken_links

KEY = "4f9d2c7a-1b3e-4d5f-8a60"


def _form(browser: Browser) -> dict[str, object]:
    return {
        "revision": browser.revision,
        "numen": "09E9900123ABC",
        "phone": PHONE,
        "channel": "sms",
        "consent": True,
    }


# ---------------------------------------------------------------- what a reissue does


@pytest.mark.req("I1", "U7")
def test_reissue_replaces_the_identifier(world: World, claire: Enrolled, browser: Browser) -> None:
    reissued = browser.reissue(claire.numen, "06 12 34 56 78", "sms")
    assert reissued.status == 202
    assert {**reissued.json, "reference": "…"} == {
        "reference": "…",
        "generation": 2,
        "replaces": 1,
        "channel": "sms",
        "destination": "•• •• •• 56 78",
    }
    world.run_outbox()
    identifier = identifier_in(world.sms[0].text)
    assert world.check(claire.identifier) == {
        "status": "revoked",
        "generation": 1,
        "superseded_at": "2018-11-30T09:15:00Z",
    }
    assert world.check(identifier) == {"status": "active", "generation": 2, "superseded_at": None}


@pytest.mark.req("I4", "I2")
def test_by_sms_the_identifier_goes_by_sms_and_the_confirmation_by_email(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    reference = browser.reissue(claire.numen, "06 12 34 56 78", "sms").json["reference"]
    world.run_outbox()
    (sms,), (confirmation,) = world.sms, world.emails
    assert sms.to == "+33612345678"
    assert confirmation.to == claire.email
    assert identifier_in(sms.text) not in confirmation.text + confirmation.html
    assert confirmation.tags == {"delivery": reference, "message": "confirmation", "round": "0"}
    assert "•• •• •• 56 78" in confirmation.text


@pytest.mark.req("I4", "I2")
def test_by_email_identifier_and_confirmation_are_two_emails(world: World, claire: Enrolled, browser: Browser) -> None:
    reissued = browser.reissue(claire.numen, "06 12 34 56 78", "email")
    assert reissued.json["destination"] == "c•••@ac-dijon.fr"
    world.run_outbox()
    assert not world.sms
    by_message = {email.tags["message"]: email for email in world.emails}
    assert set(by_message) == {"identifier", "confirmation"}
    assert {email.to for email in world.emails} == {claire.email}
    identifier = identifier_in(by_message["identifier"].text)
    assert identifier not in by_message["confirmation"].text + by_message["confirmation"].html
    assert world.check(identifier)["status"] == "active"


@pytest.mark.req("S15")
def test_sms_is_transactional_from_the_election_and_not_at_any_price(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    assert world.sms[0].attributes == {
        "AWS.SNS.SMS.SenderID": "ELECTIONS",
        "AWS.SNS.SMS.SMSType": "Transactional",
        "AWS.SNS.SMS.MaxPrice": "0.10",
    }


@pytest.mark.req("I1", "I9")
def test_generations_are_contiguous_and_each_is_registered_once(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    identifiers = [claire.identifier]
    for _ in range(3):
        assert browser.reissue(claire.numen).status == 202
        world.run_outbox()
        identifiers.append(identifier_in(world.sms[-1].text))
        world.clock.move(minutes=1)
    assert [world.check(identifier)["status"] for identifier in identifiers] == ["revoked"] * 3 + ["active"]
    assert [world.check(identifier)["generation"] for identifier in identifiers] == [1, 2, 3, 4]
    entries = world.register(claire)
    assert [(entry["change"], entry["generation"]) for entry in entries] == [
        ("issued", 1),
        ("reissued", 2),
        ("reissued", 3),
        ("reissued", 4),
    ]
    assert broken_links(entries) == []
    assert len(set(identifiers)) == 4


@pytest.mark.req("S14")
@pytest.mark.parametrize(
    ("typed", "dialled"),
    [("0692 12 34 56", "+262692123456"), ("0690 12 34 56", "+590690123456"), ("+687 75 12 34", "+687751234")],
)
def test_overseas_phone_is_dialled_under_its_own_code(
    world: World, claire: Enrolled, browser: Browser, typed: str, dialled: str
) -> None:
    browser.reissue(claire.numen, typed)
    world.run_outbox()
    assert world.sms[0].to == dialled


def test_other_election_has_its_own_identifiers_senders_and_words() -> None:
    with World("normandie-2026", at=read_election("normandie-2026").windows.voting.opens_at) as world:
        voter = world.enrol("jeanne.duval@unicaen.fr", "11A2200456XYZ")
        browser = world.browser()
        assert browser.ask_code("claire.martin@ac-dijon.fr").code == "email-domain"
        browser.sign_in(voter.email)
        assert browser.reissue(voter.numen, "+687 75 12 34").code == "invalid-fields"
        assert browser.reissue(voter.numen).status == 202
        world.run_outbox()
        identifier = identifier_in(world.sms[0].text)
        assert [len(group) for group in identifier.split("-")] == [5, 5, 4]
        assert world.sms[0].attributes["AWS.SNS.SMS.SenderID"] == "VOTE2026"
        assert "Normandie" in world.sms[0].text
        assert "02.31.00.00.00" in world.emails[-1].text
        assert world.check(identifier)["status"] == "active"


@pytest.mark.req("S13")
def test_voters_behind_one_address_are_not_limited_together(world: World) -> None:
    for number in range(8):
        voter = world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC")
        assert world.signed_in(voter).reissue(voter.numen, f"06 12 34 56 {number:02d}").status == 202


# ---------------------------------------------------------------- fields

FIELD_FAULTS: dict[str, tuple[dict[str, object], set[str]]] = {
    "NUMEN too short": ({"numen": "09E9900123AB"}, {"numen"}),
    "landline": ({"phone": "03 80 44 89 96"}, {"phone"}),
    "foreign": ({"phone": "+41 79 123 45 67"}, {"phone"}),
    "satellite": ({"phone": "+8816 1234 5678"}, {"phone"}),
    "premium": ({"phone": "08 99 12 34 56"}, {"phone"}),
    "extension": ({"phone": "06 12 34 56 78;ext=9"}, {"phone"}),
    "NUMEN and phone": ({"numen": "x", "phone": "x"}, {"numen", "phone"}),
    "channel": ({"channel": "pigeon"}, {"channel"}),
    "consent": ({"consent": False}, {"consent"}),
    "consent as a word": ({"consent": "true"}, {"consent"}),
    "consent as a number": ({"consent": 1}, {"consent"}),
    "null": ({"numen": None, "phone": None}, {"numen", "phone"}),
}


@pytest.mark.req("S14", "S29")
@pytest.mark.parametrize(("changed", "fields"), FIELD_FAULTS.values(), ids=FIELD_FAULTS.keys())
def test_each_wrong_field_is_named_and_nothing_is_spent(
    world: World, browser: Browser, changed: dict[str, object], fields: set[str]
) -> None:
    before = state_of(world)
    with world.recorded() as calls:
        refused = browser.call("POST", "/api/reissue", {**_form(browser), **changed}, {"Idempotency-Key": KEY})
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert {fault["field"] for fault in refused.json["errors"]} == fields
    assert not calls
    assert state_of(world) == before


@pytest.mark.parametrize("key", [None, "short"])
def test_idempotency_key_is_required_and_checked(world: World, browser: Browser, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    with world.recorded() as calls:
        refused = browser.call("POST", "/api/reissue", _form(browser), headers)
    assert (refused.status, refused.code) == (422, "invalid-fields")
    assert [fault["field"] for fault in refused.json["errors"]] == ["Idempotency-Key"]
    assert not calls


# ---------------------------------------------------------------- refusals that change nothing


@pytest.mark.req("U9")
@pytest.mark.parametrize("edge", ["before it opens", "once it has closed"])
def test_window_closed(world: World, claire: Enrolled, edge: str) -> None:
    window = world.election.windows.reissue
    world.clock.set(window.opens_at - timedelta(seconds=1) if edge == "before it opens" else window.closes_at)
    browser = world.signed_in(claire)
    before = state_of(world)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "window-closed")
    assert state_of(world) == before


@pytest.mark.parametrize("edge", ["as it opens", "before it closes"])
def test_window_open(world: World, claire: Enrolled, edge: str) -> None:
    window = world.election.windows.reissue
    world.clock.set(window.opens_at if edge == "as it opens" else window.closes_at - timedelta(seconds=1))
    assert world.signed_in(claire).reissue(claire.numen).status == 202


@pytest.mark.req("I5", "U9")
def test_already_voted(world: World, claire: Enrolled, browser: Browser) -> None:
    world.vote(claire.identifier)
    before = state_of(world)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "already-voted")
    assert state_of(world) == before


@pytest.mark.req("I5")
def test_vote_that_slips_in_before_the_commit_wins(world: World, claire: Enrolled, browser: Browser) -> None:
    world.interleave("TransactWriteItems", lambda: world.vote(claire.identifier))
    assert browser.reissue(claire.numen).code == "already-voted"
    assert world.check(claire.identifier)["status"] == "used"
    world.run_outbox()
    assert not world.sms + world.emails


@pytest.mark.req("S22")
def test_frozen(world: World, claire: Enrolled, browser: Browser) -> None:
    world.change_voter(claire, frozen_at=1)
    before = state_of(world)
    refused = browser.reissue(claire.numen)
    assert (refused.status, refused.code) == (409, "frozen")
    assert state_of(world) == before


@pytest.mark.req("S13", "U9")
def test_three_reissues_in_24_hours(world: World, claire: Enrolled) -> None:
    for _ in range(3):
        assert world.signed_in(claire).reissue(claire.numen).status == 202
        world.clock.move(hours=2)
    refused = world.signed_in(claire).reissue(claire.numen)
    assert (refused.status, refused.code) == (429, "too-many-reissues")
    wait = int(refused.headers["retry-after"])
    assert wait == 18 * 3600
    world.clock.move(seconds=wait - 1)
    assert world.signed_in(claire).reissue(claire.numen).code == "too-many-reissues"
    world.clock.move(seconds=1)
    assert world.signed_in(claire).reissue(claire.numen).status == 202
    # The second of the three is still of the last 24 hours.
    assert world.signed_in(claire).reissue(claire.numen).code == "too-many-reissues"


@pytest.mark.req("S13")
def test_ten_reissues_in_all() -> None:
    election = read_election("dijon-2018")
    with World(at=election.windows.reissue.opens_at) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        for number in range(10):
            assert world.signed_in(claire).reissue(claire.numen, f"06 12 34 56 {number:02d}").status == 202
            world.clock.move(hours=9)
        world.clock.move(days=3)
        refused = world.signed_in(claire).reissue(claire.numen)
        assert (refused.status, refused.code) == (429, "too-many-reissues")
        left = election.windows.reissue.closes_at - world.clock()
        assert int(refused.headers["retry-after"]) == int(left.total_seconds())
        # A client is never told to come back at once.
        world.clock.set(election.windows.reissue.closes_at - timedelta(milliseconds=1))
        assert world.signed_in(claire).reissue(claire.numen).headers["retry-after"] == "1"


@pytest.mark.req("S18")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
    ],
)
def test_form_of_another_site_changes_nothing(
    world: World, browser: Browser, headers: dict[str, str], status: int
) -> None:
    before = state_of(world)
    refused = browser.call("POST", "/api/reissue", _form(browser), {"Idempotency-Key": KEY, **headers})
    assert refused.status == status
    assert state_of(world) == before


@pytest.mark.req("S18", "I6")
def test_no_get_changes_anything_but_the_sessions_age(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.clock.move(minutes=1)
    before = state_of(world)
    browser.overview()
    browser.status(reference)
    assert state_of(world) == before


# ---------------------------------------------------------------- the status


def test_status_tells_the_history(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    assert browser.status(reference).json["status"] == "queued"
    world.clock.move(seconds=3)
    world.run_outbox()
    assert browser.status(reference).json == {
        "reference": reference,
        "generation": 2,
        "channel": "sms",
        "destination": "•• •• •• 56 78",
        "status": "sent",
        "redelivery": {"channels": ["email"], "numen": False},
        "history": [
            {"at": "2018-11-30T09:15:00Z", "status": "queued", "channel": "sms"},
            {"at": "2018-11-30T09:15:03Z", "status": "sending", "channel": "sms"},
            {"at": "2018-11-30T09:15:03Z", "status": "sent", "channel": "sms"},
        ],
        "confirmation": {"status": "sent"},
    }


def test_status_of_a_replaced_reissue_is_superseded(world: World, claire: Enrolled, browser: Browser) -> None:
    first = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    world.clock.move(minutes=1)
    browser.reissue(claire.numen)
    shown = browser.status(first).json
    assert shown["status"] == "superseded"
    assert shown["history"][-1] == {"at": "2018-11-30T09:16:00Z", "status": "superseded"}
    # Also where it was not marked; and a dispute says more.
    world.change_delivery(first, superseded_at=None)
    assert browser.status(first).json["status"] == "superseded"
    world.change_delivery(first, disputed_at=1)
    assert browser.status(first).json["status"] == "disputed"


@pytest.mark.parametrize("reference", ["7K3M9-QWX2T", "x", "%00", "…", "A" * 300])
def test_unknown_reference_is_not_found(browser: Browser, reference: str) -> None:
    answer = browser.status(reference)
    assert (answer.status, answer.code) == (404, "not-found")


def test_reference_may_be_typed_in_small_letters(claire: Enrolled, browser: Browser) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    assert browser.status(reference.lower().replace("-", "")).status == 200


@pytest.mark.req("S22")
def test_nobody_elses_reissue_can_be_seen_or_sent_again(world: World, claire: Enrolled, paul: Enrolled) -> None:
    reference = world.signed_in(claire).reissue(claire.numen).json["reference"]
    other = world.signed_in(paul)
    assert other.status(reference).code == "not-found"
    assert other.redeliver(reference, "email").code == "not-found"
