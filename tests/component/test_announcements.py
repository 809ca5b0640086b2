"""What the voting platform hears of by itself: one event for each committed change of an
identifier's status.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from announce.changed_status import ANNOUNCED, changed_status
from announce.triggers import NothingAnnouncedError
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from reassort.register import GENESIS, Change, Entry
from reassort.voters import IdentifierStatus
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress

from harness.engines.template import read_template
from harness.service.events import load_event
from harness.service.openapi import description
from harness.service.reading import dispute_token_in, identifier_in
from tests.component.operators import operator_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.service.world import Browser, Enrolled, Response, World

NEVER = "7K3M-9QWX-2TBD-HV5Z"


@pytest.fixture(autouse=True)
def _described(world: World) -> Iterator[None]:
    """Check every event against the description of the API when the test is over."""
    yield
    schema = description()["x-webhooks"]["changedStatus"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    for announcement in world.announcements:
        OAS30Validator(schema, format_checker=oas30_format_checker).validate(announcement.json)


def checked(world: World, identifier: str) -> Response:
    """Ask the registry about an identifier."""
    return world.call("POST", "/registry/check", {"identifier": identifier})


def handle_of(world: World, identifier: str) -> str:
    """Return the handle that the registry gives an identifier."""
    return checked(world, identifier).headers["reassort-handle"]


def events(world: World) -> list[Any]:
    """Let the function of the events take what is new; return every event so far."""
    world.announce()
    return [announcement.json for announcement in world.announcements]


def told(world: World) -> list[tuple[str, str, int]]:
    """Return handle, status and generation of every event so far."""
    return [(event["handle"], event["status"], event["generation"]) for event in events(world)]


@pytest.mark.req("I6")
def test_reissue_tells_of_the_identifier_that_it_revokes_and_of_no_other(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    first = handle_of(world, claire.identifier)
    assert events(world) == []
    browser.reissue(claire.numen)
    assert events(world) == [
        {
            "version": 1,
            "event_id": f"{first}.2",
            "election": world.election.id,
            "handle": first,
            "generation": 1,
            "status": "revoked",
            "sequence": 2,
            "at": "2018-11-30T09:15:00Z",
        }
    ]
    assert world.announcements[0].attributes == {"election": world.election.id, "status": "revoked"}


def test_vote_dispute_freeze_and_unfreeze_are_told(world: World, claire: Enrolled, paul: Enrolled) -> None:
    browser = world.signed_in(claire)
    browser.reissue(claire.numen)
    world.run_outbox()
    first, second = claire.identifier, identifier_in(world.sms[-1].text)
    for act in ("freeze", "unfreeze", "unlock"):
        world.agent().act(act, claire.email)
    browser.dispute(dispute_token_in(world.mail_to(claire.email)[-1]))
    world.vote(paul.identifier)
    one, two, other = (handle_of(world, identifier) for identifier in (first, second, paul.identifier))
    assert told(world) == [
        (one, "revoked", 1),
        (two, "frozen", 2),
        (two, "active", 2),
        (two, "frozen", 2),
        (other, "used", 1),
    ]


def test_each_event_says_what_a_check_says_at_that_moment(world: World, claire: Enrolled) -> None:
    """And its number is the one that the check gives, for as long as the status may change."""
    browser = world.signed_in(claire)
    browser.reissue(claire.numen)
    world.run_outbox()
    second = identifier_in(world.sms[-1].text)
    agent = world.agent()
    steps: list[tuple[str, Callable[[], object]]] = [
        (claire.identifier, lambda: None),
        (second, lambda: agent.act("freeze", claire.email)),
        (second, lambda: agent.act("unfreeze", claire.email)),
        (second, lambda: world.vote(second)),
    ]
    for identifier, step in steps:
        step()
        event, answer = events(world)[-1], checked(world, identifier)
        assert (event["handle"], event["status"]) == (answer.headers["reassort-handle"], answer.json["status"])
        final = IdentifierStatus(event["status"]).is_final
        assert answer.headers.get("reassort-sequence") == (None if final else str(event["sequence"]))


def test_dispute_of_an_identifier_that_is_no_longer_the_current_one_tells_nothing(
    world: World, claire: Enrolled, browser: Browser
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    token = dispute_token_in(world.mail_to(claire.email)[-1])
    browser.reissue(claire.numen)
    before = events(world)
    assert browser.dispute(token).status == 202
    assert world.register(claire)[-1]["change"] == "disputed"
    assert events(world) == before
    assert [event["status"] for event in before] == ["revoked", "revoked"]


def test_what_was_refused_is_not_told(world: World, claire: Enrolled, browser: Browser) -> None:
    world.vote(claire.identifier)
    assert len(events(world)) == 1
    assert world.vote(claire.identifier).code == "already-voted"
    assert browser.reissue(claire.numen).code == "already-voted"
    assert len(events(world)) == 1


@pytest.mark.req("I6", "R5")
def test_an_event_that_comes_again_is_the_same(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.announce()
    (event,) = world.announcements
    record = load_event("register-stream")
    (entry,) = (entry for entry in world.register(claire) if entry["change"] == "reissued")
    image = {name: {"N" if isinstance(value, int) else "S": str(value)} for name, value in entry.items()}
    record["Records"][0]["dynamodb"]["NewImage"] = image
    for _ in range(2):
        world.wake("announce", record)
    assert [again.text for again in world.announcements] == [event.text] * 3


@pytest.mark.req("I7", "S23")
def test_an_event_tells_neither_identifier_nor_voter(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    second = identifier_in(world.sms[-1].text)
    world.vote(second)
    handles = {event["handle"] for event in events(world)}
    assert len(handles) == 2
    texts = "".join(announcement.text for announcement in world.announcements)
    stored = [item["identifier_hash"] for item in world.items("IdentifiersTable")]
    for secret in (claire.identifier, second, claire.voter_id, claire.email, claire.numen, *stored):
        assert secret not in texts
        assert secret.replace("-", "") not in texts
    # Nothing that the service keeps holds a handle, so no copy of a table ties the platform's list
    # to a voter.
    kept = repr([world.items(table) for table in world.tables])
    assert not any(handle in kept for handle in handles)
    lines = [line for line in world.log_lines if line.get("message") == "announced"]
    assert len(lines) == 2
    assert not any(claire.voter_id in json.dumps(line) for line in lines)


def test_unknown_identifier_has_no_handle(world: World) -> None:
    answer = checked(world, NEVER)
    assert answer.json["status"] == "unknown"
    assert not {"reassort-handle", "reassort-sequence"} & set(answer.headers)


@pytest.mark.req("I1", "O4", "O5")
def test_each_change_of_standing_tells_which_identifiers_ended_and_no_other(world: World, claire: Enrolled) -> None:
    """The table of docs/voting-platform.md, on every identifier that was ever issued."""
    operator, browser = operator_of(world), world.signed_in(claire)
    leaving = Leaving(operator, world.election)
    elsewhere = world.keyed_hash.voter_id("claire.durand@u-bourgogne.fr")
    move = ChangeOfAddress(operator, world.election, world.keyed_hash)
    identifiers = [claire.identifier]

    def reissue() -> None:
        assert browser.reissue(claire.numen).status == 202
        world.run_outbox()
        identifiers.append(identifier_in(world.sms[-1].text))

    acts: list[tuple[Callable[[], object], list[tuple[int, str]]]] = [
        (reissue, [(1, "revoked")]),
        (lambda: world.agent().act("freeze", claire.email), [(2, "frozen")]),
        (lambda: world.agent().act("unfreeze", claire.email), [(2, "active")]),
        (lambda: leaving.remove(claire.voter_id, "radiation"), [(2, "frozen")]),
        (lambda: leaving.restore(claire.voter_id, "erreur"), [(2, "active")]),
        (lambda: move.move(claire.voter_id, Arrival(elsewhere), "mutation"), [(2, "revoked")]),
    ]
    for act, expected in acts:
        before = {one: world.check(one)["status"] for one in identifiers}
        count = len(told(world))
        act()
        found = told(world)[count:]
        assert [(generation, status) for _, status, generation in found] == expected
        changed = {one: status for one in before if (status := world.check(one)["status"]) != before[one]}
        assert {handle_of(world, one): status for one, status in changed.items()} == {
            handle: status for handle, status, _ in found
        }


@pytest.mark.req("R9", "R5")
@pytest.mark.parametrize("when", ["before", "after"])
def test_events_that_the_topic_does_not_take_stay_in_the_stream(world: World, claire: Enrolled, when: str) -> None:
    voters = [world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC") for number in range(4)]
    for voter in voters:
        world.vote(voter.identifier)
    handles = [handle_of(world, voter.identifier) for voter in voters]
    if when == "before":
        world.fail("Publish", "Throttled", skip=2, times=1)
    else:
        world.lose_reply("Publish", skip=2, times=1)
    world.announce()
    assert len(world.announcements) == (2 if when == "before" else 3)
    world.announce()
    received = [announcement.json["handle"] for announcement in world.announcements]
    assert list(dict.fromkeys(received)) == handles
    assert len(received) == (4 if when == "before" else 5)
    assert world.queued_bodies(world.platform_dead_letters) == []


@pytest.mark.req("R4", "I7")
def test_a_topic_that_takes_nothing_is_an_error_that_shows(world: World, claire: Enrolled) -> None:
    world.vote(claire.identifier)
    world.fail("Publish", "KMSAccessDenied", times=-1)
    for _ in range(3):
        with pytest.raises(NothingAnnouncedError) as raised:
            world.announce()
        assert raised.value.__cause__ is None
        assert str(raised.value) == ""
    assert [line["aws_code"] for line in world.log_lines if line.get("message") == "event kept in the stream"] == [
        "KMSAccessDenied"
    ] * 3
    world.repair()
    assert [event["status"] for event in events(world)] == ["used"]


@pytest.mark.req("R6")
def test_an_entry_that_makes_no_sense_is_set_aside_and_holds_nobody_up(world: World, claire: Enrolled) -> None:
    event = load_event("register-stream")
    (good,) = event["Records"]
    broken = json.loads(json.dumps(good))
    del broken["dynamodb"]["NewImage"]["generation"]
    event["Records"] = [broken, good]
    assert world.wake("announce", event) == {"batchItemFailures": []}
    assert len(world.announcements) == 1
    (letter,) = world.queued_bodies(world.platform_dead_letters)
    assert json.loads(letter) == {"entry": {"voter_id": "q0Zk3mTn8yVb5sWc1xLd7A", "sequence": 2}}
    assert [line["error_type"] for line in world.log_lines if line.get("message") == "entry not understood"] == [
        "KeyError"
    ]


@pytest.mark.parametrize("change", Change)
def test_every_change_is_announced_or_leaves_every_status_as_it_was(world: World, change: Change) -> None:
    """Anyone who adds a change decides here whether the platform must hear of it."""
    event = changed_status(Entry("v", 2, change, 2, 0, "a", "active reason", GENESIS), world.keyed_hash, "e")
    of_election = {Change.OPENED, Change.CLOSED, Change.PROLONGED}
    silent = {Change.ISSUED, Change.ARRIVED, Change.DISPUTED, Change.UNLOCKED, Change.CORRECTED, *of_election}
    assert (event is None) == (change in silent)
    assert (change in ANNOUNCED) == (event is not None)


@pytest.mark.parametrize("status", ["active", "frozen"])
def test_whoever_is_put_back_on_the_roll_is_as_they_were(world: World, claire: Enrolled, status: str) -> None:
    if status == "frozen":
        world.agent().act("freeze", claire.email)
    leaving = Leaving(operator_of(world), world.election)
    leaving.remove(claire.voter_id, "radiation")
    leaving.restore(claire.voter_id, "erreur")
    expected = ["frozen", "active"] if status == "active" else ["frozen"] * 3
    assert [event["status"] for event in events(world)] == expected
    assert world.check(claire.identifier)["status"] == status


def test_the_stream_is_filtered_by_what_is_announced() -> None:
    source = read_template()["Resources"]["AnnounceFunction"]["Properties"]["Events"]["Register"]["Properties"]
    pattern, changed = (json.loads(one["Pattern"]) for one in source["FilterCriteria"]["Filters"])
    assert changed == {"eventName": ["MODIFY", "REMOVE"]}
    assert pattern["eventName"] == ["INSERT"]
    assert set(pattern["dynamodb"]["NewImage"]["change"]["S"]) == {change.value for change in ANNOUNCED}
    assert source["StartingPosition"] == "TRIM_HORIZON"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # The stream keeps a day: what is given up must be written down before.
    assert source["MaximumRecordAgeInSeconds"] < 24 * 3600


def test_a_roll_wakes_nobody(world: World) -> None:
    for number in range(3):
        world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC")
    with world.recorded() as calls:
        world.announce()
    assert calls == []


def test_handles_are_what_the_description_says(world: World, claire: Enrolled) -> None:
    pattern = description()["components"]["schemas"]["Handle"]["pattern"]
    assert re.fullmatch(pattern, handle_of(world, claire.identifier))
    other = world.enrol("other@ac-dijon.fr", "09E9900199ABC")
    assert handle_of(world, other.identifier) != handle_of(world, claire.identifier)
