"""What the helpdesk's routes answer and log around their rules, for everybody who may call them."""

from __future__ import annotations

import time

import pytest
from helpdesk.changes import ROUNDS
from reassort.agent_names import agent_name
from reassort.caller_codes import current_code

from harness.elections import with_second_person
from harness.service.world import Enrolled, SeatedAgent, World
from tests.component.log_lines import told

KEY = "the-same-key-again"
ACTS = ["look", "unlock", "let-in", "freeze", "unfreeze", "reissue", "settle"]


@pytest.fixture
def marie(world: World) -> SeatedAgent:
    """An agent."""
    return world.agent("marie", "agent")


def record(world: World) -> list[tuple[str, str]]:
    """Return what is on record, and of which caller."""
    return [(item["action"], item["caller"]) for item in world.items("HelpdeskRecordTable") if "action" in item]


@pytest.mark.req("H6", "H2")
@pytest.mark.parametrize(
    ("role", "looks", "acts", "views"),
    [
        ("agent", True, ACTS, ["call"]),
        ("supervisor", True, ACTS, ["call", "shift"]),
        ("auditor", False, [], ["record"]),
        ("operator", True, [*ACTS, "batch"], ["call", "shift", "record"]),
    ],
)
def test_everybody_is_told_who_they_are_and_what_they_may(
    world: World, role: str, looks: bool, acts: list[str], views: list[str]
) -> None:
    somebody = world.agent("lou", role)
    assert somebody.call("GET", "/helpdesk/me").json == {
        "name": agent_name(somebody.id),
        "role": role,
        "election": {"id": world.election.id, "name": world.election.name},
        "second_person": False,
        "lookups_left": world.election.helpdesk.lookups_per_hour if looks else 0,
        "acts": acts,
        "views": views,
    }


@pytest.mark.req("H6")
def test_whoever_decides_sees_what_waits_where_a_second_person_is_asked_for() -> None:
    with World(with_second_person()) as world:
        seen = {
            role: world.agent("lou", role).call("GET", "/helpdesk/me").json["views"]
            for role in ("agent", "supervisor", "auditor", "operator")
        }
    assert seen == {
        "agent": ["call"],
        "supervisor": ["call", "proposals", "shift"],
        "auditor": ["record"],
        "operator": ["call", "proposals", "shift", "record"],
    }


@pytest.mark.req("S24", "H5")
def test_each_look_and_act_is_logged_by_pseudonym(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    left = world.election.helpdesk.lookups_per_hour - 1
    marie.look(claire.email)
    marie.act("freeze", claire.email)
    assert told(world, "voter looked up") == [{"agent": marie.id, "voter": claire.voter_id, "left": left}]
    assert told(world, "helpdesk acted") == [{"agent": marie.id, "voter": claire.voter_id, "act": "freeze"}]


@pytest.mark.req("S24", "O10")
def test_whose_data_is_given_is_logged(world: World, claire: Enrolled) -> None:
    world.agent("anne").call("POST", "/helpdesk/data", {"who": claire.email, "reason": "asked"})
    assert told(world, "voter data given") == [{"agent": "anne", "voter": claire.voter_id}]


@pytest.mark.req("S24", "H6")
def test_what_leaders_and_auditors_do_is_logged(world: World, marie: SeatedAgent) -> None:
    sacha, lea = world.agent("sacha", "supervisor"), world.agent("lea", "auditor")
    sacha.end("marie")
    lea.call("GET", "/helpdesk/record?day=2018-11-30")
    assert told(world, "sessions ended") == [{"agent": sacha.id, "ended": marie.id}]
    assert told(world, "record read") == [{"agent": lea.id, "entries": 1}]


@pytest.mark.req("S24", "H6")
@pytest.mark.parametrize("decision", ["confirm", "refuse"])
def test_what_two_people_decide_is_logged_and_said(decision: str) -> None:
    with World(with_second_person()) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        marie, sacha = world.agent("marie", "agent"), world.agent("sacha", "supervisor")
        proposed = marie.act("reissue", claire.email).json
        reference = proposed["proposal"]["id"]
        decided = sacha.decide(reference, decision).json
        assert told(world, "helpdesk proposed") == [{"agent": marie.id, "voter": claire.voter_id, "act": "reissue"}]
        assert told(world, "helpdesk decided") == [{"agent": sacha.id, "reference": reference, "decision": decision}]
        assert (decided.keys(), "rien n’a changé" in decided["done"]) == ({"done"}, decision == "refuse")


@pytest.mark.req("H2", "H5")
def test_a_wrong_code_of_the_caller_is_on_record_and_logged(
    world: World, claire: Enrolled, paul: Enrolled, marie: SeatedAgent
) -> None:
    idle = world.election.limits.session.idle_minutes
    wrong = current_code(world.keyed_hash, paul.voter_id, world.clock(), idle).words
    assert marie.act("freeze", claire.email, caller_code=wrong).code == "caller-not-verified"
    assert record(world) == [("looked", "wrong-code")]
    assert told(world, "act refused, caller not verified") == [{"agent": marie.id, "voter": claire.voter_id}]


@pytest.mark.req("H2")
def test_a_wrong_code_for_nobody_is_nobodys(world: World, marie: SeatedAgent, paul: Enrolled) -> None:
    idle = world.election.limits.session.idle_minutes
    words = current_code(world.keyed_hash, paul.voter_id, world.clock(), idle).words
    assert marie.act("freeze", "personne@ac-dijon.fr", caller_code=words).code == "no-such-voter"


@pytest.mark.req("H5")
def test_what_did_not_come_about_is_no_look(
    world: World, claire: Enrolled, marie: SeatedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with world.recorded() as calls:
        world.fail("TransactWriteItems", "TransactionInProgressException", times=-1)
        assert marie.act("freeze", claire.email).code == "unavailable"
    writes = [str(call) for call in calls if call.operation == "TransactWriteItems"]
    assert len(writes) >= ROUNDS
    # That of a look alone names no voter's table.
    assert [write for write in writes if "VotersTable" not in write] == []


@pytest.mark.req("H3", "O5")
@pytest.mark.parametrize("act", ["let-in", "settle", "unlock"])
def test_nothing_is_done_for_whoever_is_off_the_roll(
    world: World, claire: Enrolled, marie: SeatedAgent, act: str
) -> None:
    world.browser().ask_code(claire.email)
    world.change_voter(claire, left_at=1)
    assert marie.act(act, claire.email, number="482913").code == "off-roll"
    assert record(world) == [("looked", "not-asked")]


@pytest.mark.req("I6", "H3")
def test_a_reissue_is_told_with_its_reference_and_is_its_agents_own(
    world: World, claire: Enrolled, marie: SeatedAgent
) -> None:
    answers = [agent.act("reissue", claire.email, key=KEY) for agent in (marie, world.agent("paul", "agent"))]
    assert [
        {name: answer.json[name] for name in ("act", "caller", "generation", "destination")} for answer in answers
    ] == [
        {"act": "reissue", "caller": "not-asked", "generation": generation, "destination": "c•••@ac-dijon.fr"}
        for generation in (2, 3)
    ]
    assert len({answer.json["reference"] for answer in answers}) == 2


@pytest.mark.req("O7")
def test_what_a_batch_is_refused_uses_up_no_looks(world: World, claire: Enrolled) -> None:
    anne = world.agent("anne")
    anne.look(claire.email)
    (head,) = [item for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    looks = world.election.helpdesk.lookups_per_hour
    world.engine.put("HelpdeskRecordTable", head | {"looks_in_hour": looks})
    world.vote(claire.identifier)
    assert anne.act("reissue", claire.email, batch=True).code == "already-voted"
    assert anne.act("reissue", claire.email).code == "too-many-lookups"


WRONG = [
    ("look", {"caller_code": ""}, ["who", "caller_code"]),
    ("data", {}, ["who", "reason"]),
    ("acts", {"number": "", "batch": False}, ["who", "act", "reason", "number", "batch"]),
    ("proposals/7K3M9-QWX2T", {}, ["decision", "reason"]),
    ("sessions/bb881877-6d98-54c5-b812-c6223d414e46/end", {}, ["reason"]),
]


@pytest.mark.req("H2")
@pytest.mark.parametrize(("path", "body", "fields"), WRONG)
def test_what_is_wrong_with_each_field_is_said_in_words_of_its_own(
    world: World, path: str, body: object, fields: list[str]
) -> None:
    refused = world.agent("anne").call("POST", f"/helpdesk/{path}", body, {"Idempotency-Key": KEY})
    words = {fault["field"]: fault["message"] for fault in refused.json["errors"]}
    assert sorted(words) == sorted(fields)
    assert not [field for field, message in words.items() if "Cette valeur n’est pas acceptée" in message]
