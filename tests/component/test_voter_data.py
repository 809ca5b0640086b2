"""What a voter asks to have of what is kept about them: all that can be read, and nothing to vote
with.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from reassort.agent_names import agent_name
from reassort_ops.voter.data_page import render_data

from harness.service.reading import dispute_token_in, identifier_in
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from harness.service.world import Enrolled, Response, SeatedAgent, World

WHY = "droit d’accès, demande 12"


def ask(agent: SeatedAgent, who: str, reason: str = WHY) -> Response:
    return agent.call("POST", "/helpdesk/data", {"who": who, "reason": reason})


def live(world: World, claire: Enrolled) -> list[str]:
    """Let things happen to Claire, and return all secrets of it."""
    browser = world.browser()
    browser.sign_in(claire.email)
    browser.reissue(claire.numen, "06 12 34 56 78", "sms")
    world.run_outbox()
    by_sms = identifier_in(world.sms[-1].text)
    token = dispute_token_in(world.emails[-1])
    marie = world.agent("marie", "agent")
    assert marie.act("freeze", claire.email, "boîte piratée").status == 200
    assert marie.act("reissue", claire.email, "boîte sûre").status == 200
    world.run_outbox()
    by_email = next(identifier_in(one.text) for one in world.emails if one.tags.get("message") == "identifier")
    numen_hash = world.voter(claire).numen_hash
    return [claire.email, claire.numen, claire.identifier, claire.voter_id, by_sms, by_email, token, numen_hash]


@pytest.mark.req("O10", "H4", "S21")
def test_all_that_can_be_read_is_given_and_no_secret(world: World, claire: Enrolled) -> None:
    secrets = live(world, claire)
    answer = ask(world.agent("anne"), claire.email)
    assert answer.status == 200
    told: dict[str, Any] = answer.json
    assert (told["address"], told["establishment"]) == ("c•••@ac-dijon.fr", "Lycée Carnot, Dijon")
    assert (told["identifiers"], told["has_voted"], told["is_frozen"], told["sign_ins"]) == (3, False, False, 1)
    assert [one["generation"] for one in told["deliveries"]] == [2, 3]
    assert told["deliveries"][0]["destinations"] == {"sms": "•• •• •• 56 78", "email": "c•••@ac-dijon.fr"}
    marie = world.agent("marie", "agent")
    assert {one["actor"] for one in told["history"] if "actor" in one} == {agent_name(marie.id)}
    page = render_data(told)
    for written in (answer.text, json.dumps(told, ensure_ascii=False), page):
        for secret in [*secrets, marie.id, "0612345678", "+33612345678"]:
            assert secret not in written
    for shown in ("c•••@ac-dijon.fr", "Lycée Carnot, Dijon", "boîte piratée", "ne peut pas être lu", "CNIL", "RGPD"):
        assert shown in page.replace("\u00a0", " ").replace("\u202f", " ")
    assert agent_name(marie.id) in page


@pytest.mark.req("O10")
def test_that_a_vote_is_recorded_is_told_and_nothing_more_of_it(world: World, claire: Enrolled) -> None:
    assert world.vote(claire.identifier).status == 200
    told = ask(world.agent("anne"), claire.email).json
    assert told["has_voted"] is True
    page = render_data(told)
    assert "vote enregistré" in page
    assert claire.identifier not in page


@pytest.mark.req("O10", "H5")
def test_it_is_on_record_with_its_reason_before_it_is_given(world: World, claire: Enrolled) -> None:
    anne = world.agent("anne")
    assert ask(anne, claire.email).status == 200
    (entry,) = [item for item in world.items("HelpdeskRecordTable") if item.get("voter_id")]
    assert (entry["action"], entry["reason"], entry["agent"]) == ("data-given", WHY, "anne")
    check_helpdesk_record(world)
    assert anne.call("GET", "/helpdesk/me").json["lookups_left"] == world.election.helpdesk.lookups_per_hour - 1
    world.fail("TransactWriteItems", "InternalServerError", times=-1)
    refused = ask(anne, claire.email)
    assert (refused.status, "c•••" in refused.text) == (503, False)


@pytest.mark.req("O10", "H6")
@pytest.mark.parametrize("role", ["agent", "supervisor", "auditor"])
def test_operators_alone_hand_it_over(world: World, claire: Enrolled, role: str) -> None:
    assert ask(world.agent("lou", role), claire.email).code == "not-allowed"


@pytest.mark.req("O10")
def test_a_reason_without_personal_data_is_asked_for_and_a_stranger_has_none(world: World, claire: Enrolled) -> None:
    anne = world.agent("anne")
    assert ask(anne, claire.email, "appel du 06 12 34 56 78").code == "invalid-fields"
    assert anne.call("POST", "/helpdesk/data", {"who": claire.email}).code == "invalid-fields"
    assert ask(anne, "personne@ac-dijon.fr").code == "no-such-voter"
    assert ask(anne, "7K3M9-QWX2T").code == "no-such-voter"
