"""`reassort voter reissue`: who may have it, what is written, and what the operator sees."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from helpdesk.routes import answer as answer_at_desk
from reassort.caller_codes import current_code
from reassort.tables import to_wire
from reassort_ops.commands.voter import ON_ITS_WAY
from reassort_ops.voter.api import HelpdeskApi

from harness.engines.engine import ACCOUNT
from harness.service.events import proxy_event
from harness.service.world import GROUP_ROLES
from tests.register_chain import broken_links
from tests.unit.ops.helpdesk_api import OPERATOR
from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.ops.test_helpdesk import EMAIL, chain, lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helpdesk.deps import Deps

    from tests.unit.ops.conftest import OperatedStack

AGENT = "bb881877-6d98-54c5-b812-c6223d414e46"
DURING = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
AFTER = datetime(2018, 12, 6, 16, 0, tzinfo=UTC)


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> Iterator[OperatedStack]:
    with time_machine.travel(DURING, tick=False):
        assert deployed.run("roll", "import", write_roll(tmp_path, rows(2))).exit_code == 0
        yield deployed


def mark(deployed: OperatedStack, attribute: str) -> None:
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key={"voter_id": {"S": deployed.keyed_hash.voter_id(EMAIL)}},
        UpdateExpression=f"SET {attribute} = :at",
        ExpressionAttributeValues=to_wire({":at": 1}),
    )


@pytest.mark.req("S26", "I9")
def test_next_identifier_is_issued_and_the_register_names_operator_and_reason(enrolled: OperatedStack) -> None:
    lock(enrolled, 10)
    status, issued = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "identité vérifiée")
    assert status == 0
    assert set(issued) == {"act", "done", "caller", "reference", "generation", "destination", "sheet"}
    assert (issued["generation"], issued["destination"]) == (2, "p•••@ac-dijon.fr")
    voter = enrolled.voter(EMAIL)
    assert (voter["generation"], voter["numen_failures"]) == (2, 0)
    entries = chain(enrolled)
    assert broken_links(entries) == []
    assert (entries[-1]["change"], entries[-1]["actor"]) == ("reissued", OPERATOR)
    assert entries[-1]["reference"] == f"{issued['reference']} identité vérifiée"
    (delivery,) = enrolled.items(enrolled.stack.deliveries_table)
    assert delivery["delivery_id"] == issued["reference"]
    assert delivery["destinations"] == {"email": "p•••@ac-dijon.fr"}
    assert enrolled.run_json("register", "verify")[0] == 0


@pytest.mark.req("S26", "I9")
def test_register_says_that_the_caller_read_the_code_of_the_site(enrolled: OperatedStack) -> None:
    voter_id = enrolled.keyed_hash.voter_id(EMAIL)
    code = current_code(enrolled.keyed_hash, voter_id, DURING, 15).words
    with_code = ("--caller-code", code, "--reason", "pas de téléphone")
    status, issued = enrolled.run_json("voter", "reissue", EMAIL, *with_code)
    assert (status, issued["caller"]) == (0, "verified")
    last = chain(enrolled)[-1]
    assert (last["change"], last["actor"]) == ("reissued", OPERATOR)
    assert last["reference"] == f"{issued['reference']} pas de téléphone (appelant vérifié)"


@pytest.mark.req("S26", "I7")
def test_operator_sees_neither_identifier_nor_address(enrolled: OperatedStack) -> None:
    before = {item["identifier_hash"] for item in enrolled.items(enrolled.stack.identifiers_table)}
    result = enrolled.run("voter", "reissue", EMAIL, "--reason", "pas de téléphone")
    assert result.exit_code == 0
    (reference,) = [item["delivery_id"] for item in enrolled.items(enrolled.stack.deliveries_table)]
    said = "Un nouvel identifiant part à la messagerie professionnelle. Le précédent ne fonctionne plus."
    assert result.stdout == f"p•••@ac-dijon.fr : {said} Reference {reference}.\n"
    (new,) = {item["identifier_hash"] for item in enrolled.items(enrolled.stack.identifiers_table)} - before
    one = row(1)
    for secret in (one.email, one.numen, one.identifier, new):
        assert secret not in result.stdout + result.stderr
    # Nor does the delivery hold them in the clear: only the role of delivery opens what is sealed.
    kept = json.dumps(enrolled.items(enrolled.stack.deliveries_table), default=lambda value: f"{len(value)} bytes")
    assert one.email not in kept


@pytest.mark.req("S26")
def test_who_has_voted_has_none(enrolled: OperatedStack) -> None:
    mark(enrolled, "voted_at")
    before = enrolled.everything()
    result = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "(already-voted)" in result.stderr
    assert enrolled.everything() == before


@pytest.mark.req("S35")
def test_who_is_frozen_gets_the_next_one_and_is_no_longer_frozen(enrolled: OperatedStack) -> None:
    mark(enrolled, "frozen_at")
    _, done = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "boîte de nouveau sûre")
    assert done["generation"] == 2
    assert "frozen_at" not in enrolled.voter(EMAIL)


@pytest.mark.req("S26")
def test_nothing_is_issued_after_the_window(enrolled: OperatedStack) -> None:
    before = enrolled.everything()
    with time_machine.travel(AFTER, tick=False):
        result = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (result.exit_code, "(window-closed)" in result.stderr) == (1, True)
    assert enrolled.everything() == before


@pytest.mark.req("H8", "I1")
def test_none_is_given_while_one_is_on_its_way(enrolled: OperatedStack) -> None:
    _, first = enrolled.run_json("voter", "reissue", EMAIL, "--reason", "x")
    before = enrolled.everything()
    again = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (again.exit_code, again.stdout) == (1, "")
    assert f"on its way already, reference {first['reference']}" in again.stderr
    assert enrolled.everything() == before


@pytest.mark.req("H8", "I1")
@pytest.mark.parametrize("told", [{"situation": ON_ITS_WAY}, {"advice": [{"name": ON_ITS_WAY}]}])
def test_none_is_given_whatever_part_of_the_answer_says_so(
    enrolled: OperatedStack, monkeypatch: pytest.MonkeyPatch, told: dict[str, Any]
) -> None:
    looked = {"situation": "lost", "advice": [{"name": "wait"}], "reference": "7K3M9-QWX2T", **told}
    monkeypatch.setattr(HelpdeskApi, "look", lambda *_: looked)
    before = enrolled.everything()
    result = enrolled.run("voter", "reissue", EMAIL, "--reason", "x")
    assert (result.exit_code, "reference 7K3M9-QWX2T: nothing was changed" in result.stderr) == (1, True)
    assert enrolled.everything() == before


def propose_as_agent(deps: Deps) -> str:
    """Let an agent of the page ask for the first voter's next identifier."""
    body = {"act": "reissue", "who": EMAIL, "reason": "jamais arrivé"}
    headers = {"Content-Type": "application/json", "Idempotency-Key": "an-agents-request"}
    path = "/helpdesk/acts"
    event = proxy_event("POST", path, path, body=json.dumps(body), headers=headers, signed=True)
    event["requestContext"]["identity"] |= {
        "userArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{GROUP_ROLES['agent']}/CognitoIdentityCredentials",
        "cognitoAuthenticationProvider": f"pool,pool:CognitoSignIn:{AGENT}",
    }
    answer = answer_at_desk(event, deps)
    assert answer["statusCode"] == 202
    reference: str = json.loads(answer["body"])["proposal"]["id"]
    return reference


@pytest.mark.req("S34", "H8")
def test_operator_who_proposes_does_not_confirm(enrolled: OperatedStack, second_person: Deps) -> None:
    assert second_person.election.helpdesk.second_person == "reissue"
    told = enrolled.run("voter", "reissue", EMAIL, "--reason", "jamais arrivé")
    assert (told.exit_code, "a second person must confirm it" in told.stdout) == (0, True)
    status, waiting = enrolled.run_json("voter", "proposals")
    (proposal,) = waiting["proposals"]
    assert (status, proposal["agent"]) == (0, OPERATOR)
    before = enrolled.everything()
    refused = enrolled.run("voter", "confirm", proposal["id"], "--reason", "x")
    assert (refused.exit_code, "(same-person)" in refused.stderr) == (1, True)
    assert enrolled.everything() == before


@pytest.mark.req("S34", "H8")
def test_what_is_refused_is_said_to_people_and_to_programs(enrolled: OperatedStack, second_person: Deps) -> None:
    refused = enrolled.run("voter", "refuse", propose_as_agent(second_person), "--reason", "x")
    assert (refused.exit_code, refused.stderr, refused.stdout.count("\n")) == (0, "", 1)
    with pytest.raises(json.JSONDecodeError):
        json.loads(refused.stdout)


@pytest.mark.req("S34", "H8")
def test_operator_confirms_or_refuses_what_an_agent_proposed(enrolled: OperatedStack, second_person: Deps) -> None:
    reference = propose_as_agent(second_person)
    listed = enrolled.run("voter", "proposals")
    assert f"{reference}  p•••@ac-dijon.fr, caller NOT CHECKED, by agent BB8-818" in listed.stdout
    done = enrolled.run("voter", "confirm", reference, "--reason", "vu avec l’agent")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Un nouvel identifiant part ")
    assert chain(enrolled)[-1]["actor"] == f"{AGENT} + {OPERATOR}"
    assert "Nothing waits" in enrolled.run("voter", "proposals").stdout
    late = enrolled.run("voter", "refuse", reference, "--reason", "x")
    assert (late.exit_code, "(proposal-closed)" in late.stderr) == (1, True)
    assert enrolled.run_json("register", "verify")[0] == 0
