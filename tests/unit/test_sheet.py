"""What an agent is shown of a voter, part by part. Whole sheets are in
`tests/component/test_voter_sheet.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from helpdesk.agents import Role
from helpdesk.finding import Found
from helpdesk.phrases import PHRASES
from helpdesk.proposals import Decision, Proposal
from helpdesk.sheet import sheet
from helpdesk.situation import ACTS, Act, Caller, advice, status_lines
from helpdesk.voter_record import VoterRecord
from reassort.agent_names import agent_name
from reassort.outbox import Channel, Status
from reassort.reasons import Reason
from reassort.register import Change

from harness.elections import with_second_person
from tests.unit.voter_records import AT, ELECTION, MASKED, MINUTE, NOW, REFERENCE, delivery, entry, record

pytestmark = pytest.mark.req("H2", "H3")

BY_ADDRESS = Found("v", MASKED, "claire.martin@ac-dijon.fr")
BY_REFERENCE = Found("v", MASKED, None)
MARIE, SACHA = "bb881877-6d98-54c5-b812-c6223d414e46", "cc881877-6d98-54c5-b812-c6223d414e46"
ASKED = Proposal(
    reference=REFERENCE,
    proposed_at=AT,
    expires_at=AT + 30 * MINUTE,
    agent=MARIE,
    role=Role.AGENT,
    voter_id="v",
    generation=1,
    destination=MASKED,
    reason="jamais arrivé",
    caller="verified",
    request="request",
    address=b"sealed",
    in_batch=False,
)
UNREACHED = delivery(
    Status.FAILED,
    Reason.NO_SUCH_MAILBOX,
    Channel.EMAIL,
    failed_by=((Channel.SMS, Reason.UNKNOWN_NUMBER), (Channel.EMAIL, Reason.NO_SUCH_MAILBOX)),
)


def shown(
    of: VoterRecord, found: Found = BY_ADDRESS, asked: Proposal | None = None, election: Any = ELECTION
) -> dict[str, Any]:
    return sheet(of, found, Caller.NOT_ASKED, election, NOW, asked)


def acts(body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["act"]: one for one in body["acts"]}


def test_who_the_voter_is_and_how_they_were_found_is_shown() -> None:
    of = record(secretariat="Dijon")
    body = shown(of)
    about = ("address", "voter_known_by", "establishment", "secretariat", "caller")
    assert [body[name] for name in about] == [MASKED, "address", "Lycée Carnot, Dijon", "Dijon", "not-asked"]
    assert shown(of, BY_REFERENCE)["voter_known_by"] == "reference"
    assert body.keys() == {*about, "situation", "status", "advice", "timeline", "acts"}
    lines = status_lines(of, MASKED, ELECTION, NOW, Caller.NOT_ASKED)
    assert body["status"] == [{"label": label, "words": words} for label, words in lines]


def test_a_session_and_the_latest_reissue_are_shown_where_there_is_one() -> None:
    body = shown(record(session_ends_at=AT + MINUTE, deliveries=(delivery(),)))
    assert (body["session_ends_at"], body["reference"]) == ("2018-11-30T09:16:00Z", REFERENCE)


def test_what_to_do_is_shown_with_what_to_say_the_first_of_it_as_the_situation() -> None:
    of = record(numen_failures=10, numen_locked_until=2**45)
    steps = advice(of, ELECTION, NOW, Caller.NOT_ASKED)
    body = shown(of)
    assert body["situation"] == steps[0].name
    assert len({step.name for step in steps}) == len(steps) > 1
    assert {step.act is None for step in steps} == {True, False}
    assert body["advice"] == [
        {
            "name": step.name,
            "words": step.words,
            "say": PHRASES[step.name].say,
            "never_say": PHRASES[step.name].never_say,
            **({} if step.act is None else {"act": step.act.value}),
        }
        for step in steps
    ]


def test_what_happened_is_shown_with_its_moment_and_what_it_names() -> None:
    of = record(chain=(entry(Change.ISSUED, "roll"), entry(Change.REISSUED, MARIE, f"{REFERENCE} perdu", 2)))
    told = shown(of)["timeline"]
    assert [set(one) - {"words", "name"} for one in told] == [
        {"at", "moment"},
        {"at", "moment", "reference", "actor"},
    ]
    assert all(one["words"] and one["name"] for one in told)
    assert told[1]["at"] == "2018-11-30T09:15:00Z"
    assert (told[1]["reference"], told[1]["actor"]) == (REFERENCE, agent_name(MARIE))


def test_each_act_is_shown_with_what_it_does_needs_and_why_it_is_refused() -> None:
    found = acts(shown(record()))
    assert list(found) == [act.value for act in ACTS if act is not Act.SETTLE]
    freeze, unfreeze = ACTS[Act.FREEZE], ACTS[Act.UNFREEZE]
    assert found["freeze"] == {
        "act": "freeze",
        "label": freeze.label,
        "does": freeze.does,
        "needs": list(freeze.needs),
        "allowed": True,
    }
    refused = found["unfreeze"]
    assert (refused["label"], refused["allowed"], refused.keys() - found["freeze"].keys()) == (
        unfreeze.label,
        False,
        {"why"},
    )
    assert refused["why"]


def test_an_identifier_is_not_given_by_a_reference() -> None:
    given = [acts(shown(record(), found))["reissue"]["allowed"] for found in (BY_ADDRESS, BY_REFERENCE)]
    assert given == [True, False]


def test_whoever_was_reached_by_no_way_can_be_settled_and_nobody_else() -> None:
    assert "settle" not in acts(shown(record(deliveries=(delivery(),))))
    assert acts(shown(record(deliveries=(UNREACHED,))))["settle"]["allowed"]


def test_a_second_person_is_needed_where_the_election_asks_for_one() -> None:
    plain, by_two = (acts(shown(record(), election=election)) for election in (ELECTION, with_second_person()))
    assert by_two["reissue"]["needs"] == [*plain["reissue"]["needs"], "second-person"]
    assert by_two["freeze"]["needs"] == plain["freeze"]["needs"]


WHO = f"demandé par {agent_name(MARIE)} à 10 h 15"


@pytest.mark.parametrize(
    ("changed", "words", "allowed"),
    [
        ({}, f"{WHO}, attend jusqu’à 10 h 45", False),
        ({"expires_at": AT - MINUTE}, f"{WHO}, sans réponse à 10 h 14 : rien n’a changé", True),
        (
            {"decision": Decision.CONFIRM, "decided_by": SACHA, "decided_reason": "vu"},
            f"{WHO}, confirmé par {agent_name(SACHA)}",
            True,
        ),
        (
            {"decision": Decision.REFUSE, "decided_by": SACHA, "decided_reason": "pas vu"},
            f"{WHO}, refusé par {agent_name(SACHA)} : « pas vu »",
            True,
        ),
    ],
    ids=["waits", "ran out", "confirmed", "refused"],
)
def test_what_became_of_a_proposal_is_shown_and_one_that_waits_is_the_only_one(
    changed: dict[str, Any], words: str, allowed: bool
) -> None:
    body = shown(record(), asked=replace(ASKED, **changed), election=with_second_person())
    assert body["status"][-1] == {"label": "Deuxième personne", "words": words}
    found = acts(body)
    assert found["reissue"]["allowed"] is allowed
    assert ("attend déjà une deuxième personne" in found["reissue"].get("why", "")) is not allowed
    assert found["freeze"]["allowed"]
