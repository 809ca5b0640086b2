"""The helpdesk's function: who may do what, what each act leaves on record, and what it refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.caller_codes import current_code

from harness.elections import election_content, read_election
from harness.service.reading import dispute_token_in
from harness.service.world import Browser, Enrolled, SeatedAgent, World
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from collections.abc import Callable

ACTS = ("unlock", "let-in", "freeze", "unfreeze", "reissue")
NOBODYS = "7K3M9-QWX2T"


@pytest.fixture
def marie(world: World) -> SeatedAgent:
    """An agent."""
    return world.agent("marie", "agent")


def record(world: World) -> list[dict[str, Any]]:
    """Return what is on record, in order."""
    return sorted(
        (item for item in world.items("HelpdeskRecordTable") if "action" in item),
        key=lambda item: (item["agent"], item["sequence"]),
    )


@pytest.mark.req("H2", "H4", "I7")
def test_look_shows_where_a_voter_stands_and_no_secret(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    answer = marie.look(claire.email.upper())
    assert answer.status == 200
    shown = answer.json
    assert (shown["address"], shown["caller"], shown["voter_known_by"]) == ("c•••@ac-dijon.fr", "not-asked", "address")
    assert shown["advice"][0]["say"]
    assert {one["act"]: one["allowed"] for one in shown["acts"]}["freeze"]
    for secret in (claire.email, claire.numen, claire.identifier, claire.voter_id):
        assert secret not in answer.text


@pytest.mark.req("H5", "S34")
def test_each_look_and_act_is_on_record_in_a_chain(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    marie.look(claire.email)
    marie.act("freeze", claire.email, "boîte piratée")
    reference = marie.act("reissue", claire.email, "boîte sûre").json["reference"]
    marie.look(NOBODYS)
    kept = [
        (entry["action"], entry["voter_id"], entry["reason"], entry["reference"], entry["caller"])
        for entry in record(world)
    ]
    assert kept == [
        ("looked", claire.voter_id, "", "", "not-asked"),
        ("frozen", claire.voter_id, "boîte piratée", "", "not-asked"),
        ("reissued", claire.voter_id, "boîte sûre", reference, "not-asked"),
        ("looked", "", "", "", "not-asked"),
    ]
    assert {entry["agent"] for entry in record(world)} == {marie.id}
    assert all(entry["correlation_id"] for entry in record(world))
    check_helpdesk_record(world)


@pytest.mark.req("H5")
def test_nothing_is_shown_that_is_not_on_record(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    world.fail("TransactWriteItems", "InternalServerError", times=-1)
    answer = marie.look(claire.email)
    assert answer.status == 503
    assert "c•••" not in answer.text


@pytest.mark.req("I6", "H5")
@pytest.mark.parametrize("act", ["freeze", "reissue"])
def test_repeated_request_is_one_act_and_one_entry(
    world: World, claire: Enrolled, marie: SeatedAgent, act: str
) -> None:
    first, second = (marie.act(act, claire.email, key="the-same-key-again") for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert len(record(world)) == 1
    assert len(world.register(claire)) == 2
    check_helpdesk_record(world)


@pytest.mark.req("I6", "I7")
def test_what_is_kept_of_a_requests_key_is_its_agents_own(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    marie.act("freeze", claire.email, key="the-same-key-again")
    assert world.agent("paul", "agent").act("unfreeze", claire.email, key="the-same-key-again").status == 200
    kept = [item["last_request"] for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    assert len({*kept, "the-same-key-again"}) == 3


@pytest.mark.req("I6", "H5")
def test_repeated_letting_in_is_one_act_and_one_entry(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    world.browser().ask_code(claire.email)
    answers = [marie.act("let-in", claire.email, key="the-same-key-again", number="482913") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert [entry["action"] for entry in record(world)] == ["let-in"]


@pytest.mark.req("H3")
@pytest.mark.parametrize(
    "locked", [{"numen_failures": 3}, {"numen_failures": 10, "numen_locked_until": 2**45}, {"numen_locked_until": 1}]
)
def test_unlocking_forgets_the_wrong_numens_and_the_lock(
    world: World, claire: Enrolled, marie: SeatedAgent, locked: dict[str, int]
) -> None:
    world.change_voter(claire, **locked)
    assert marie.act("unlock", claire.email).status == 200
    voter = world.voter(claire)
    assert (voter.numen_failures, voter.numen_locked_until) == (0, 0)
    assert world.signed_in(claire).reissue(claire.numen).status == 202


@pytest.mark.req("H3", "I11")
def test_a_freeze_stops_the_identifier_and_ends_sessions_until_it_is_lifted(
    world: World, claire: Enrolled, marie: SeatedAgent
) -> None:
    browser = world.signed_in(claire)
    world.clock.move(minutes=1)
    assert marie.act("freeze", claire.email).status == 200
    assert world.check(claire.identifier)["status"] == "frozen"
    assert browser.overview().code == "signed-out"
    assert marie.act("freeze", claire.email).code == "nothing-to-do"
    assert marie.act("unfreeze", claire.email).status == 200
    assert world.check(claire.identifier)["status"] == "active"
    assert browser.overview().code == "signed-out"


@pytest.mark.req("H3", "I12")
def test_a_freeze_after_a_dispute_is_lifted_by_the_next_identifier_alone(
    world: World, claire: Enrolled, browser: Browser, marie: SeatedAgent
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    world.run_outbox()
    world.browser().dispute(dispute_token_in(world.mail_about(reference)[-1]))
    assert marie.act("unfreeze", claire.email).code == "disputed"
    assert world.voter(claire).frozen_at is not None
    assert marie.act("reissue", claire.email).status == 200
    assert world.voter(claire).frozen_at is None


@pytest.mark.req("H5", "S34")
def test_looks_are_bounded_by_the_hour_and_too_many_ring(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    bound = world.election.helpdesk.lookups_per_hour
    assert marie.call("GET", "/helpdesk/me").json["lookups_left"] == bound
    for _ in range(bound):
        assert marie.look(claire.email).status == 200
    refused = marie.look(claire.email)
    assert (refused.status, refused.code) == (429, "too-many-lookups")
    assert any(line["message"] == "too many look-ups" for line in world.log_lines)
    assert marie.call("GET", "/helpdesk/me").json["lookups_left"] == 0
    # Another agent has their own.
    assert world.agent("paul", "agent").look(claire.email).status == 200
    world.clock.move(hours=1)
    assert marie.look(claire.email).status == 200


@pytest.mark.req("H5", "S34")
def test_looks_are_bounded_by_the_day_too_and_a_refusal_says_when_to_come_again() -> None:
    helpdesk = {**election_content("dijon-2018")["helpdesk"], "lookups_per_hour": 5, "lookups_per_day": 6}
    with World(read_election("dijon-2018", helpdesk=helpdesk)) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        marie = world.agent("marie", "agent")
        world.clock.move(seconds=20)
        assert [marie.look(claire.email).json["lookups_left"] for _ in range(5)] == [4, 3, 2, 1, 0]
        in_this_hour = marie.look(claire.email)
        assert (in_this_hour.code, in_this_hour.headers["retry-after"]) == ("too-many-lookups", str(44 * 60 + 40))
        world.clock.move(minutes=44, seconds=40)
        assert marie.call("GET", "/helpdesk/me").json["lookups_left"] == 1
        assert marie.look(claire.email).json["lookups_left"] == 0
        today = marie.look(claire.email)
        assert (today.code, today.headers["retry-after"]) == ("too-many-lookups", "3600")
        world.clock.move(hours=1)
        assert marie.look(claire.email).code == "too-many-lookups"
        world.clock.move(days=1)
        assert marie.call("GET", "/helpdesk/me").json["lookups_left"] == 5
        assert marie.look(claire.email).json["lookups_left"] == 4


@pytest.mark.req("H5")
def test_who_looked_more_often_than_a_new_bound_allows_has_none_left(
    world: World, claire: Enrolled, marie: SeatedAgent
) -> None:
    marie.look(claire.email)
    (head,) = [item for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    world.engine.put("HelpdeskRecordTable", head | {"looks_in_hour": 2 * world.election.helpdesk.lookups_per_hour})
    assert marie.call("GET", "/helpdesk/me").json["lookups_left"] == 0


@pytest.mark.req("H5", "S34")
@pytest.mark.parametrize("before", [0, 1], ids=["the first entry", "a later one"])
def test_an_entry_follows_the_one_that_was_written_meanwhile(
    world: World, claire: Enrolled, marie: SeatedAgent, before: int
) -> None:
    for _ in range(before):
        marie.look(claire.email)
    world.agent("paul", "agent").look(claire.email)
    (item,) = [
        item
        for item in world.items("HelpdeskRecordTable")
        if "chain_length" in item and item["agent"] == world.agent("paul", "agent").id
    ]
    ahead = item | {"agent": marie.id, "chain_length": 7, "chain_head": "f" * 64}
    world.interleave("TransactWriteItems", lambda: world.engine.put("HelpdeskRecordTable", ahead))
    assert marie.look(claire.email).status == 200
    last = max((entry for entry in record(world) if entry["agent"] == marie.id), key=lambda entry: entry["sequence"])
    assert (last["sequence"], last["previous"]) == (8, "f" * 64)


@pytest.mark.req("H5", "S34")
def test_no_entry_takes_the_place_of_another(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    marie.look(claire.email)
    (entry,) = record(world)
    further = entry | {"sequence": 2}
    world.engine.put("HelpdeskRecordTable", further)
    assert marie.look(claire.email).code == "unavailable"
    assert record(world) == [entry, further]


@pytest.mark.req("H6", "S34")
def test_auditor_looks_at_nobody_and_does_nothing(world: World, claire: Enrolled) -> None:
    auditor = world.agent("lea", "auditor")
    assert auditor.call("GET", "/helpdesk/me").json["acts"] == []
    assert auditor.look(claire.email).code == "not-allowed"
    assert {auditor.act(act, claire.email).code for act in ACTS} == {"not-allowed"}
    assert not record(world)


@pytest.mark.req("H6", "S34")
@pytest.mark.parametrize(
    "identity",
    [
        {"userArn": ""},
        {"userArn": "arn:aws:sts::123456789012:assumed-role/AgentRole/CognitoIdentityCredentials"},
        {
            "userArn": "arn:aws:sts::123456789012:assumed-role/AgentRole/CognitoIdentityCredentials",
            "cognitoAuthenticationProvider": "pool:CognitoSignIn:x",
        },
        {
            "userArn": "arn:aws:sts::123456789012:assumed-role/Other/CognitoIdentityCredentials",
            "cognitoAuthenticationProvider": "pool:CognitoSignIn:bb881877-6d98-54c5-b812-c6223d414e46",
        },
        # An operator chooses the name of their session.
        *(
            {"userArn": f"arn:aws:sts::123456789012:assumed-role/Operators/{name}"}
            for name in ("voter", "dispute", "bb881877-6d98-54c5-b812-c6223d414e46", "@ac-dijon.fr")
        ),
    ],
    ids=["nobody", "no user", "no user's number", "a user without a group", "voter", "dispute", "agent", "no name"],
)
def test_whoever_is_not_known_is_refused(world: World, claire: Enrolled, identity: dict[str, str]) -> None:
    answer = world.call("POST", "/helpdesk/look", {"who": claire.email}, identity=identity)
    assert answer.code == "not-allowed"
    assert not record(world)


@pytest.mark.req("S34")
def test_actor_is_who_signed_and_not_what_is_sent(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    headers = {"Idempotency-Key": "somebody-says-so-1", "X-Agent": "boss"}
    body = {"act": "freeze", "who": claire.email, "reason": "x", "agent": "boss", "actor": "boss"}
    assert marie.call("POST", "/helpdesk/acts", body, headers).status == 200
    assert [entry["agent"] for entry in record(world)] == [marie.id]
    assert world.register(claire)[-1]["actor"] == marie.id


@pytest.mark.parametrize("key", [None, "short"])
def test_idempotency_key_is_required_and_checked(
    world: World, claire: Enrolled, marie: SeatedAgent, key: str | None
) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"act": "freeze", "who": claire.email, "reason": "x"}
    refused = marie.call("POST", "/helpdesk/acts", body, headers)
    assert (refused.status, [fault["field"] for fault in refused.json["errors"]]) == (422, ["Idempotency-Key"])
    assert not record(world)


@pytest.mark.req("H3")
def test_reason_is_kept_and_one_with_personal_data_refused(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    for reason in ("a.b@ac-dijon.fr a appelé", "appel du 06 12 34 56 78", "Appelant Vérifié", " "):
        assert marie.act("freeze", claire.email, reason).code == "invalid-fields"
    assert not record(world)
    marie.act("freeze", claire.email, "  boîte   piratée ")
    assert world.register(claire)[-1]["reference"] == "boîte piratée"


@pytest.mark.req("H2", "S26")
def test_wrong_code_of_the_caller_changes_nothing_and_the_right_one_is_in_the_register(
    world: World, claire: Enrolled, paul: Enrolled, marie: SeatedAgent
) -> None:
    idle = world.election.limits.session.idle_minutes
    right, wrong = (
        current_code(world.keyed_hash, voter.voter_id, world.clock(), idle).words for voter in (claire, paul)
    )
    assert marie.act("freeze", claire.email, caller_code=wrong).code == "caller-not-verified"
    assert world.check(claire.identifier)["status"] == "active"
    assert marie.act("freeze", claire.email, "lost", caller_code=right).status == 200
    assert world.register(claire)[-1]["reference"] == "lost (appelant vérifié)"


@pytest.mark.req("H3")
@pytest.mark.parametrize(
    ("set_up", "act", "code"),
    [
        (lambda _world, _voter: None, "unlock", "nothing-to-do"),
        (lambda _world, _voter: None, "unfreeze", "nothing-to-do"),
        (lambda world, voter: world.vote(voter.identifier), "freeze", "already-voted"),
        (lambda world, voter: world.vote(voter.identifier), "reissue", "already-voted"),
        (lambda world, _voter: world.clock.move(days=10), "reissue", "window-closed"),
    ],
)
def test_refusal_says_why_changes_nothing_and_is_on_record_as_a_look(
    world: World, claire: Enrolled, marie: SeatedAgent, set_up: Callable[[World, Enrolled], object], act: str, code: str
) -> None:
    set_up(world, claire)
    before = world.register(claire)
    assert marie.act(act, claire.email).code == code
    assert world.register(claire) == before
    (entry,) = record(world)
    assert (entry["action"], entry["voter_id"]) == ("looked", claire.voter_id)


@pytest.mark.req("H5", "S34")
def test_refusals_use_up_the_looks_of_an_agent(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    """An agent who tries acts would learn of any address whether it has voted."""
    for _ in range(world.election.helpdesk.lookups_per_hour):
        assert marie.act("let-in", claire.email, number="no number").code == "invalid-fields"
    assert marie.act("unlock", claire.email).code == "too-many-lookups"
    assert marie.look(claire.email).code == "too-many-lookups"


@pytest.mark.req("H2")
def test_nobody_of_that_address_or_reference(world: World, marie: SeatedAgent) -> None:
    for who in ("camille.inconnu@ac-dijon.fr", NOBODYS):
        assert marie.look(who).code == "no-such-voter"
        assert marie.act("freeze", who).code == "no-such-voter"


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    ("body", "field", "code", "words"),
    [
        ({"who": "nobody"}, "who", "invalid", "professionnelle"),
        ({"who": "x@gmail.com"}, "who", "domain", "(@ac-dijon.fr, @u-bourgogne.fr"),
        ({"who": "a b@ac-dijon.fr"}, "who", "invalid", "professionnelle"),
        ({"caller_code": "un deux"}, "caller_code", "invalid", "deux mots"),
    ],
)
def test_what_can_be_nobodys_is_refused_where_it_was_typed(
    claire: Enrolled, marie: SeatedAgent, body: dict[str, str], field: str, code: str, words: str
) -> None:
    answer = marie.call("POST", "/helpdesk/look", {"who": claire.email, **body})
    (fault,) = answer.json["errors"]
    assert (answer.code, fault["field"], fault["code"]) == ("invalid-fields", field, code)
    assert words in fault["message"]


@pytest.mark.req("H2")
def test_a_voter_is_found_by_the_reference_of_any_of_their_reissues(
    world: World, claire: Enrolled, marie: SeatedAgent, browser: Browser
) -> None:
    first, last = (browser.reissue(claire.numen, channel="email").json["reference"] for _ in range(2))
    for reference in (first, last.lower()):
        shown = marie.look(reference).json
        assert (shown["address"], shown["voter_known_by"]) == ("c•••@ac-dijon.fr", "reference")
        assert shown["reference"] == last
    world.change_delivery(first, destinations=None)
    assert marie.look(first).json["address"] == "•••"


@pytest.mark.req("H3", "S26")
def test_identifier_goes_to_an_address_that_was_typed_and_to_no_reference(
    world: World, claire: Enrolled, marie: SeatedAgent
) -> None:
    reference = marie.act("reissue", claire.email).json["reference"]
    world.run_outbox()
    assert marie.act("reissue", reference).code == "invalid-fields"
    assert world.voter(claire).generation == 2


@pytest.mark.req("H4", "I7")
def test_no_secret_is_logged_or_kept(world: World, claire: Enrolled, marie: SeatedAgent) -> None:
    marie.look(claire.email)
    for act in ("freeze", "unfreeze", "reissue"):
        marie.act(act, claire.email)
    places = world.log_text + json.dumps(record(world)) + "".join(answer.text for answer in world.responses)
    for secret in (claire.email, claire.numen, claire.identifier):
        assert secret not in places
