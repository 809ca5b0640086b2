"""Whom nothing reached is a list for the helpdesk, until each is settled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from reassort.reasons import Reason
from reassort_ops.roll.leaving import Leaving
from reassort_ops.unreached import Unreached, as_csv, by_establishment, read_unreached

from harness.service.events import ses_event, sms_log_event
from harness.service.operated import stack_of
from harness.service.world import PHONE
from tests.invariants import check_helpdesk_record

if TYPE_CHECKING:
    from reassort_ops.account.operator import Operator

    from harness.service.world import Browser, Enrolled, World

_LOST = ("FAILURE", "Invalid phone number")


def unreached(world: World) -> list[Unreached]:
    return read_unreached(world.wire.operator.dynamodb, stack_of(world), 1, lambda _: None)


def lose(world: World, voter: Enrolled, browser: Browser | None = None, phone: str = PHONE) -> str:
    """Ask for an identifier by SMS that neither the telephone nor the mailbox takes."""
    reference = ask(world, voter, browser, phone)
    world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *_LOST, at=world.clock()))
    world.run_outbox()
    full = ses_event(
        "bounce", reference, "identifier", 1, at=world.clock(), bounceType="Transient", bounceSubType="MailboxFull"
    )
    world.wake("notify", full)
    return reference


def ask(world: World, voter: Enrolled, browser: Browser | None = None, phone: str = PHONE) -> str:
    answer = (browser or world.signed_in(voter)).reissue(voter.numen, phone)
    assert answer.status == 202, answer.text
    world.run_outbox()
    reference: str = answer.json["reference"]
    return reference


@pytest.mark.req("O8", "S21")
def test_who_was_reached_by_neither_way_is_listed_by_school_and_unnamed(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    reference = lose(world, claire)
    # The other way brought this one.
    reached = ask(world, paul, phone="06 98 76 54 32")
    world.wake("notify", sms_log_event(world.delivery_item(reached)["sms_id"], *_LOST, at=world.clock()))
    world.run_outbox()
    world.wake("notify", ses_event("delivery", reached, "identifier", 1, at=world.clock()))
    found = unreached(world)
    (one,) = found
    assert (one.reference, one.establishment) == (reference, "Lycée Carnot, Dijon")
    assert [way.value for way in one.ways] == ["sms", "email"]
    assert by_establishment(found) == [("Lycée Carnot, Dijon", 1)]
    written = as_csv(found, world.election.zone).decode()
    assert written.splitlines()[1] == (
        f"{reference};Lycée Carnot, Dijon;Secrétariat du lycée Carnot;2018-11-30 10:15;SMS et courriel;boîte pleine"
    )
    for secret in (claire.email, claire.voter_id, claire.numen, claire.identifier, "c•••", "•• 56 78"):
        assert secret not in written


@pytest.mark.req("O8")
def test_a_later_identifier_that_arrives_settles_it_and_one_on_its_way_does_not(world: World, claire: Enrolled) -> None:
    browser = world.signed_in(claire)
    first = lose(world, claire, browser)
    world.clock.move(minutes=5)
    later = ask(world, claire, browser)
    assert [one.reference for one in unreached(world)] == [first]
    world.wake("notify", sms_log_event(world.delivery_item(later)["sms_id"], at=world.clock()))
    assert unreached(world) == []


@pytest.mark.req("O8")
def test_a_vote_settles_it(world: World, claire: Enrolled) -> None:
    lose(world, claire)
    identifier = world.agent().act("reissue", claire.email)
    assert identifier.status == 200
    assert len(unreached(world)) == 1
    world.change_voter(claire, voted_at=1)
    assert unreached(world) == []


@pytest.mark.req("O8", "H5")
def test_an_agent_settles_it_with_a_reason_that_is_on_record(world: World, claire: Enrolled) -> None:
    marie = world.agent("marie", "agent")
    assert "settle" not in [one["act"] for one in marie.look(claire.email).json["acts"]]
    assert marie.act("settle", claire.email).code == "nothing-to-do"
    reference = lose(world, claire)
    (offered,) = [one for one in marie.look(reference).json["acts"] if one["act"] == "settle"]
    assert (offered["allowed"], offered["needs"]) == (True, ["reason"])
    before = (world.register(claire), world.check(claire.identifier))
    world.clock.move(minutes=1)
    done = marie.act("settle", reference, "rappelé par le lycée", key="one-and-the-same-key")
    assert done.status == 200
    assert marie.act("settle", reference, "rappelé par le lycée", key="one-and-the-same-key").status == 200
    assert unreached(world) == []
    # What may vote is as it was.
    assert (world.register(claire), world.check(claire.identifier)) == before
    (entry,) = [item for item in world.items("HelpdeskRecordTable") if item.get("action") == "settled"]
    assert (entry["reason"], entry["reference"], entry["agent"]) == ("rappelé par le lycée", reference, marie.id)
    check_helpdesk_record(world)
    assert "settled" in [event["name"] for event in done.json["sheet"]["timeline"]]
    assert marie.act("settle", reference).code == "nothing-to-do"
    assert marie.act("settle", reference, "appel du 06 12 34 56 78").code == "invalid-fields"


@pytest.mark.req("O8")
def test_what_fails_later_is_on_the_list_again(world: World, claire: Enrolled) -> None:
    browser = world.signed_in(claire)
    lose(world, claire, browser)
    world.clock.move(minutes=5)
    assert world.agent().act("settle", claire.email).status == 200
    world.clock.move(minutes=5)
    again = lose(world, claire, browser)
    assert [one.reference for one in unreached(world)] == [again]


@pytest.mark.req("O8")
def test_an_auditor_settles_nothing(world: World, claire: Enrolled) -> None:
    lose(world, claire)
    assert world.agent("lou", "auditor").act("settle", claire.email).code == "not-allowed"
    assert len(unreached(world)) == 1


@pytest.mark.req("O8")
def test_no_cell_is_a_formula(world: World) -> None:
    voter = world.enrol("zoe.roux@ac-dijon.fr", "09E9900777ABC", establishment="=HYPERLINK(1)", secretariat=None)
    lose(world, voter)
    assert ";'=HYPERLINK(1);;" in as_csv(unreached(world), world.election.zone).decode()
    assert json.dumps(by_establishment(unreached(world))) == '[["=HYPERLINK(1)", 1]]'


@pytest.mark.req("O8", "O5")
def test_who_is_off_the_roll_waits_for_nothing_until_they_are_restored(
    world: World, claire: Enrolled, operator: Operator
) -> None:
    reference = lose(world, claire)
    leaving = Leaving(operator, world.election)
    assert leaving.remove(claire.voter_id, "radié le 12 novembre")
    assert unreached(world) == []
    assert leaving.restore(claire.voter_id, "radiation par erreur")
    assert [one.reference for one in unreached(world)] == [reference]


@pytest.mark.req("O8")
def test_a_school_has_its_voters_by_the_longest_wait_and_the_most_are_first(world: World) -> None:
    schools = {"B": 1, "A": 1, "C": 2}
    voters = [
        world.enrol(f"{school}.{number}@ac-dijon.fr".lower(), f"09E99{place}{number:04}ABC", establishment=school)
        for place, (school, count) in enumerate(schools.items())
        for number in range(count)
    ]
    references = []
    for number, voter in enumerate(reversed(voters)):
        references.append(lose(world, voter, phone=f"06 98 76 54 3{number}"))
        world.clock.move(minutes=1)
    told: list[int] = []
    found = read_unreached(world.wire.operator.dynamodb, stack_of(world), 2, told.append)
    assert [one.establishment for one in found] == ["A", "B", "C", "C"]
    assert [one.reference for one in found] == [references[place] for place in (2, 3, 0, 1)]
    assert found[2].asked_at < found[3].asked_at
    assert by_establishment(found[::-1]) == [("C", 2), ("A", 1), ("B", 1)]
    assert sum(told) == len(world.items("DeliveriesTable")) == len(voters)


@pytest.mark.req("O8", "S21")
def test_of_the_deliveries_nothing_is_read_but_whose_failed(world: World, claire: Enrolled) -> None:
    lose(world, claire)
    # Of another kind, without an identifier.
    world.engine.put("DeliveriesTable", {"delivery_id": "A", "voter_id": "A", "kind": "canary", "messages": {}})
    with world.recorded() as calls:
        read_unreached(world.wire.dynamodb, stack_of(world), 1, lambda _: None)
    (scan,) = (call.parameters for call in calls if call.operation == "Scan")
    assert set(scan["ExpressionAttributeNames"].values()) == {"kind", "voter_id", "messages", "identifier", "status"}


@pytest.mark.req("O8")
def test_a_list_opens_in_a_spreadsheet_with_a_header(world: World, claire: Enrolled) -> None:
    lose(world, claire)
    written = as_csv(unreached(world), world.election.zone)
    assert written.startswith(b"\xef\xbb\xbf")
    header, line = written.decode("utf-8-sig").splitlines()
    assert header.split(";") == ["référence", "établissement", "secrétariat", "demandé le", "échec par", "raison"]
    assert line.count(";") == header.count(";")


@pytest.mark.req("O8")
def test_whose_delivery_or_voter_is_erased_is_not_told(world: World, claire: Enrolled) -> None:
    """A former delivery that was erased hides no later one."""
    browser = world.signed_in(claire)
    first = lose(world, claire, browser)
    world.clock.move(minutes=5)
    later = lose(world, claire, browser)
    dynamodb = world.wire.operator.dynamodb
    dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key={"delivery_id": {"S": first}})
    assert [one.reference for one in unreached(world)] == [later]
    dynamodb.delete_item(TableName=world.tables["VotersTable"], Key={"voter_id": {"S": claire.voter_id}})
    assert unreached(world) == []


@pytest.mark.req("O8")
def test_an_operators_reissue_is_told_by_its_reference_without_the_reason(world: World, claire: Enrolled) -> None:
    reference = world.agent().act("reissue", claire.email).json["reference"]
    world.change_message(reference, "identifier", status="failed")
    (one,) = unreached(world)
    assert (one.reference, one.ways, one.reason) == (reference, (), Reason.UNKNOWN)
    entry = world.register(claire)[-1]
    assert entry["reference"].startswith(f"{reference} ")
