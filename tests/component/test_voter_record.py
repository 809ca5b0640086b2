"""What is read together of a voter, and what of it is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from reassort.table_keys import CHALLENGE_PREFIX
from reassort.tables import to_wire

if TYPE_CHECKING:
    from harness.service.world import Browser, Enrolled, World

pytestmark = pytest.mark.req("H2")


def look(world: World, voter: Enrolled) -> Any:
    answer = world.agent().look(voter.email)
    assert answer.status == 200
    return answer.json


def events(world: World, voter: Enrolled, name: str) -> list[Any]:
    return [event for event in look(world, voter)["timeline"] if event["name"] == name]


def line(world: World, voter: Enrolled, label: str) -> str | None:
    return next((one["words"] for one in look(world, voter)["status"] if one["label"] == label), None)


def test_all_codes_of_one_sign_in_are_told_at_their_times_with_the_wrong_ones(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    for _ in range(3):
        browser.ask_code(claire.email)
        world.run_outbox()
        world.clock.move(minutes=2)
    browser.redeem("000000")
    asked = events(world, claire, "code-asked")
    assert [event["at"] for event in asked] == [f"2018-11-30T09:{minute}:00Z" for minute in (15, 17, 19)]
    assert [event["words"] for event in asked] == [
        *["Code de connexion demandé."] * 2,
        "Code de connexion demandé (1 code faux saisi ensuite).",
    ]
    assert len(events(world, claire, "code-sent")) == 3
    assert browser.redeem(world.code_for(claire.email)).status == 200
    assert events(world, claire, "code-asked")[-1]["words"] == asked[-1]["words"]


def test_a_code_whose_delivery_is_gone_is_told_without_it(world: World, claire: Enrolled) -> None:
    world.browser().ask_code(claire.email)
    (code,) = world.items("CodeDeliveriesTable")
    key = to_wire({"delivery_id": code["delivery_id"]})
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["CodeDeliveriesTable"], Key=key)
    assert len(events(world, claire, "code-asked")) == 1


def test_the_last_twenty_sign_ins_are_told(world: World, claire: Enrolled) -> None:
    world.browser().ask_code(claire.email)
    (challenge,) = (item for item in world.items("SignInTable") if item["key"].startswith(CHALLENGE_PREFIX))
    # The later ones first, as their keys go.
    for number in range(25):
        ends = {"valid_until": challenge["valid_until"] + (30 - number) * 1000}
        code = {**challenge["codes_1"], **ends}
        world.engine.put("SignInTable", challenge | ends | {"key": f"{CHALLENGE_PREFIX}{number:02}", "codes_1": code})
    asked = events(world, claire, "code-asked")
    assert len(asked) == 20
    assert asked[0]["at"] == "2018-11-30T09:15:11Z"
    assert asked[-1]["at"] == "2018-11-30T09:15:30Z"


def test_codes_are_counted_on_the_day_they_were_asked_for(world: World, claire: Enrolled) -> None:
    for _ in range(2):
        world.browser().ask_code(claire.email)
        world.clock.move(minutes=2)
    assert line(world, claire, "Codes") == "2 demandés aujourd’hui"
    world.clock.move(days=1)
    assert line(world, claire, "Codes") is None


@pytest.mark.req("R10")
def test_every_reissue_whose_delivery_is_kept_is_told(world: World, claire: Enrolled, browser: Browser) -> None:
    references = []
    for _ in range(2):
        references.append(browser.reissue(claire.numen, channel="email").json["reference"])
        world.run_outbox()
        world.clock.move(minutes=1)
    references.append(world.agent().act("reissue", claire.email).json["reference"])
    world.run_outbox()
    assert [event["reference"] for event in events(world, claire, "identifier-sent")] == references


@pytest.mark.req("U9")
def test_a_session_is_told_until_when_it_lasts_at_least_and_not_once_it_has_ended(
    world: World, claire: Enrolled
) -> None:
    world.signed_in(claire)
    world.clock.move(minutes=5)
    later = world.signed_in(claire)
    assert look(world, claire)["session_ends_at"] == "2018-11-30T09:35:00Z"
    assert len(events(world, claire, "signed-in")) == 2
    later.sign_out()
    assert look(world, claire)["session_ends_at"] == "2018-11-30T09:30:00Z"
    world.clock.move(minutes=15)
    assert "session_ends_at" not in look(world, claire)
