"""What the auditor reads of the helpdesk: all of a day, page by page, and nobody else does."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest
from reassort.agent_names import agent_name
from reassort.caller_codes import current_code

from harness.service.world import World
from helpdesk import reading_record

if TYPE_CHECKING:
    from harness.service.world import Enrolled

DAY = "/helpdesk/record?day=2018-11-30"


def pages(world: World, path: str = DAY) -> list[dict[str, Any]]:
    """Return the entries of a day, as the page reads them."""
    auditor = world.agent("odile", "auditor")
    body = auditor.call("GET", path).json
    entries: list[dict[str, Any]] = body["entries"]
    for _ in range(9):
        if not body["next"]:
            return entries
        body = auditor.call("GET", f"{path}&from={body['next']}").json
        entries += body["entries"]
    raise AssertionError(f"{len(entries)} entries, and no end")


@pytest.mark.req("H5", "H6")
def test_every_look_and_act_of_a_day_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_record, "_PAGE", 2)
    # moto never says that it has come to the end of a table.
    with World() as world:
        _read_page_by_page(world, world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC"))


def _read_page_by_page(world: World, claire: Enrolled) -> None:
    marie, paul = world.agent("marie", "agent"), world.agent("paul", "supervisor")
    marie.look(claire.email)
    paul.look(claire.email)
    marie.act("freeze", claire.email, "boîte piratée")
    world.clock.move(days=1)
    marie.look(claire.email)

    read = pages(world)
    assert sorted((entry["agent"], entry["sequence"], entry["action"], entry["reason"]) for entry in read) == sorted(
        [(marie.id, 1, "looked", ""), (paul.id, 1, "looked", ""), (marie.id, 2, "frozen", "boîte piratée")]
    )
    assert {entry["voter"] for entry in read} == {claire.voter_id}
    assert all(entry["hash"] and not entry["caller_verified"] for entry in read)
    assert [entry["sequence"] for entry in pages(world, "/helpdesk/record?day=2018-12-01")] == [3]


@pytest.mark.req("H5")
def test_a_page_goes_on_where_the_one_before_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_record, "_PAGE", 2)
    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        agents = sorted((world.agent(name, "agent") for name in "abcde"), key=lambda one: one.id)
        for agent, looks in zip(agents, (1, 1, 3, 1, 1), strict=True):
            for _ in range(looks):
                agent.look(claire.email)
        a, b, c, d, e = (agent.id for agent in agents)
        read, path = [], DAY
        while path:
            page = world.agent("odile", "auditor").call("GET", path).json
            read.append([(entry["agent"], entry["sequence"]) for entry in page["entries"]])
            path = f"{DAY}&from={page['next']}" if page["next"] else ""
        assert read == [[(a, 1), (b, 1)], [(c, 1), (c, 2)], [(c, 3), (d, 1)], [(e, 1)]]


@pytest.mark.req("H5")
def test_entries_are_read_in_the_order_in_which_they_were_made(world: World, claire: Enrolled) -> None:
    first, last = sorted((world.agent(name, "agent") for name in "ab"), key=lambda one: one.id)
    for agent in (last, first):
        agent.look(claire.email)
        world.clock.move(minutes=1)
    for agent in (last, first, last):
        agent.look(claire.email)
    assert [(entry["agent"], entry["sequence"]) for entry in pages(world)] == [
        (last.id, 1),
        (first.id, 1),
        (first.id, 2),
        (last.id, 2),
        (last.id, 3),
    ]


@pytest.mark.req("H5")
def test_an_entry_is_read_as_it_is_kept(world: World, claire: Enrolled) -> None:
    idle = world.election.limits.session.idle_minutes
    words = current_code(world.keyed_hash, claire.voter_id, world.clock(), idle).words
    marie = world.agent("marie", "agent")
    reference = marie.act("reissue", claire.email, "jamais arrivé", caller_code=words).json["reference"]
    (kept,) = [item for item in world.items("HelpdeskRecordTable") if "action" in item]
    (read,) = pages(world)
    assert read == {
        **{name: kept[name] for name in ("agent", "sequence", "correlation_id", "previous", "hash")},
        "name": agent_name(marie.id),
        "at": "2018-11-30T09:15:00Z",
        "action": "reissued",
        "voter": claire.voter_id,
        "reason": "jamais arrivé (appelant vérifié)",
        "reference": reference,
        "caller": "verified",
        "caller_verified": True,
    }


@pytest.mark.req("H5")
def test_a_chain_that_an_earlier_version_began_goes_on(world: World, claire: Enrolled) -> None:
    marie = world.agent("marie", "agent")
    marie.look(claire.email)
    (head,) = [item for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    world.engine.put(
        "HelpdeskRecordTable",
        {name: head[name] for name in head.keys() - {"verified_in_day", "acts_in_day", "last_at"}},
    )
    assert marie.act("reissue", claire.email).status == 200
    (begun,) = [item for item in world.items("HelpdeskRecordTable") if "chain_length" in item]
    assert (begun["verified_in_day"], begun["acts_in_day"]) == (head["verified_in_day"], {"reissued": 1})
    assert world.agent("sacha", "supervisor").call("GET", "/helpdesk/shift").status == 200
    assert [entry["action"] for entry in pages(world)] == ["looked", "reissued"]


@pytest.mark.req("H5", "R13")
def test_what_was_just_written_is_read(world: World, claire: Enrolled) -> None:
    """Whatever the helpdesk reads of a table is read strongly consistent; an index cannot be."""
    world.signed_in(claire).reissue(claire.numen)
    marie = world.agent("marie", "agent")
    with world.recorded() as calls:
        marie.look(claire.email)
        world.agent("sacha", "supervisor").call("GET", "/helpdesk/shift")
        pages(world)
    several = [call.parameters["RequestItems"].values() for call in calls if call.operation == "BatchGetItem"]
    reads = [call.parameters for call in calls if call.operation in {"GetItem", "Query"}] + [*chain(*several)]
    assert len(reads) > 10
    assert all(read.get("ConsistentRead") for read in reads if "IndexName" not in read)


@pytest.mark.req("H5")
def test_day_is_the_elections_own(world: World, claire: Enrolled) -> None:
    # A quarter of an hour after midnight in Paris, and still the day before in UTC.
    world.clock.set(datetime(2018, 11, 30, 23, 15, tzinfo=UTC))
    world.agent("marie", "agent").look(claire.email)
    assert pages(world) == []
    assert len(pages(world, "/helpdesk/record?day=2018-12-01")) == 1


@pytest.mark.req("H5", "H6")
@pytest.mark.parametrize(("role", "status"), [("agent", 403), ("supervisor", 403), ("auditor", 200), ("operator", 200)])
def test_only_auditor_and_operator_read_the_record(world: World, role: str, status: int) -> None:
    assert world.agent("marie", role).call("GET", DAY).status == status


@pytest.mark.req("H6", "S34")
@pytest.mark.parametrize("path", ["look", "acts"])
def test_auditor_acts_on_nothing(world: World, claire: Enrolled, path: str) -> None:
    body = {"who": claire.email, "act": "freeze", "reason": "x"}
    answer = world.agent("odile", "auditor").call("POST", f"/helpdesk/{path}", body, {"Idempotency-Key": "k" * 16})
    assert (answer.status, answer.json["code"]) == (403, "not-allowed")
    assert [item for item in world.items("HelpdeskRecordTable") if "action" in item] == []


def _key(place: object) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


@pytest.mark.req("H5", "S29")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?day=",
        "?day=hier",
        "?day=0001-01-01",
        "?day=9999-12-31",
        "?day=2018-13-01",
        "?day=2018-11-30&from=x",
        *(
            f"?day=2018-11-30&from={_key(place)}"
            for place in ([1, 2], 5, None, "ab", ["a"], ["", 1], ["a", -1], ["a", True], ["a", 10**38], {"a": 1})
        ),
        f"?day=2018-11-30&from={urlsafe_b64encode(b'[' * 100_000).decode()}",
    ],
    ids=lambda query: query[:60],
)
def test_what_is_no_day_and_no_page_is_refused(world: World, query: str) -> None:
    answer = world.agent("odile", "auditor").call("GET", f"/helpdesk/record{query}")
    assert (answer.status, answer.json["code"]) == (422, "invalid-fields")
    assert [fault["field"] for fault in answer.json["errors"]] == ["from" if "from" in query else "day"]


@pytest.mark.req("H5")
@pytest.mark.parametrize("sequence", [0, 10**38 - 1])
def test_a_page_may_begin_anywhere_in_a_chain(world: World, sequence: int) -> None:
    answer = world.agent("odile", "auditor").call("GET", f"{DAY}&from={_key(['a', sequence])}")
    assert answer.json == {"entries": [], "next": None}
