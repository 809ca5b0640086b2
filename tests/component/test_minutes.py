"""The minutes tell of an election what its register and its stack know, and no person's data."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from reassort.agent_names import both
from reassort.register import Change
from reassort_ops.minutes.evidence import evidence_of_stack
from reassort_ops.minutes.figures import (
    AlarmRung,
    DisputesSettled,
    FreezesSettled,
    IdentifiersSent,
    MinutesBasis,
    PlatformReconciled,
    ReissuesByHand,
    ReissuesByWay,
)
from reassort_ops.minutes.page import render_minutes
from reassort_ops.minutes.story import Hand, hand_of
from reassort_ops.report.figures import as_json

from harness.elections import with_second_person
from harness.service.operated import stack_of
from harness.service.world import World
from tests.component.operators import issue
from tests.minutes_history import AlarmsOfCloudWatch, enrol_voters, live, minutes_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.service.world import Enrolled

RANG = datetime(2018, 11, 29, 8, 12, tzinfo=UTC)
ALARMS = AlarmsOfCloudWatch(
    (
        ("reassort-UndeliveredAlarm", "ALARM", RANG),
        ("reassort-UndeliveredAlarm", "OK", RANG + timedelta(minutes=5)),
        ("reassort-UndeliveredAlarm", "ALARM", RANG + timedelta(hours=1)),
        ("another-UndeliveredAlarm", "ALARM", RANG),
    )
)


class AlarmsRefused(AlarmsOfCloudWatch):
    """A CloudWatch that the operator may not ask."""

    def get_paginator(self, operation: str) -> AlarmsOfCloudWatch:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, operation)


@pytest.mark.req("O9")
def test_every_figure_of_an_election_that_was_lived(world: World, tmp_path: Path) -> None:
    voters = enrol_voters(world, 14)
    live(world, voters)
    told = minutes_of(world, tmp_path, ALARMS, PlatformReconciled(votes=3, compared=20, used=3, differences=0))
    assert told.holds
    assert (told.checked, told.voters, told.reissues, told.votes) == (MinutesBasis.SIGNED_FILE, 14, 11, 3)
    assert told.by_hand == ReissuesByHand(voter=8, agent=2, operator=1, two_people=0)
    assert told.by_way == ReissuesByWay(sms=7, email=4, unknown=0, fell_back=2, redelivered=1)
    assert told.sent == IdentifiersSent(delivered=6, sent=4, waiting=0, failed=1, superseded=0)
    assert told.disputes == DisputesSettled(total=3, replaced=1, frozen=1, voted=1, former=0)
    assert told.freezes == FreezesSettled(total=2, unfrozen=1, replaced=0, frozen=1)
    assert (told.identifiers.issued, told.identifiers.used, told.identifiers.frozen) == (25, 3, 2)
    assert told.identifiers.balances
    acts = [(act.change, act.actor, act.reason) for act in told.acts]
    assert acts == [
        (Change.CLOSED, "paul", "fuite signalée"),
        (Change.OPENED, "paul", "fuite démentie"),
        (Change.CLOSED, "paul", "décision du bureau"),
        (Change.PROLONGED, "paul", "panne de réseau"),
    ]
    assert [act.until is not None for act in told.acts] == [False, False, True, True]
    assert told.acts[3].until == datetime(2018, 12, 7, 11, 0, tzinfo=UTC)
    assert (told.incidents.undelivered, told.incidents.dead_letters) == (1, 0)
    assert told.incidents.alarms == (AlarmRung("UndeliveredAlarm", 2, RANG, RANG + timedelta(hours=1)),)


@pytest.mark.req("O9", "S21")
def test_no_persons_data_is_in_page_or_json(world: World, tmp_path: Path) -> None:
    voters = enrol_voters(world, 12)
    live(world, voters)
    told = minutes_of(world, tmp_path, ALARMS, PlatformReconciled())
    marie = world.agent("marie", "agent").id
    for written in (render_minutes(told), json.dumps(as_json(told), ensure_ascii=False)):
        for voter in voters:
            for secret in (voter.email, voter.numen, voter.identifier, voter.voter_id):
                assert secret not in written
        for item in world.items("DeliveriesTable"):
            assert item["delivery_id"] not in written
        assert marie not in written
        assert "•" not in written
        assert "Lycée" not in written


@pytest.mark.req("O9")
def test_what_is_not_known_is_never_a_zero(world: World, claire: Enrolled, tmp_path: Path) -> None:
    issue(world, claire)
    for item in world.items("DeliveriesTable"):
        # Kept no longer.
        world.wire.operator.dynamodb.delete_item(
            TableName=world.tables["DeliveriesTable"], Key={"delivery_id": {"S": item["delivery_id"]}}
        )
    # Older than the deliveries that must be there.
    world.clock.move(days=61)
    told = minutes_of(world, tmp_path, AlarmsRefused(), PlatformReconciled())
    assert told.reissues == 1
    assert told.by_way == ReissuesByWay(None, None, None, None, None)
    assert told.sent == IdentifiersSent(None, None, None, None, None)
    assert (told.incidents.undelivered, told.incidents.alarms) == (None, None)
    page = render_minutes(told)
    for unknown in ("Par SMS", "Arrivés", "Alarmes qui ont sonné", "Différences"):
        assert f'<th scope="row">{unknown}</th><td>inconnu</td>' in page


@pytest.mark.req("O9")
def test_two_people_who_gave_an_identifier_together_count_as_such(tmp_path: Path) -> None:
    with World(with_second_person()) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        proposal = world.agent("marie", "agent").act("reissue", claire.email).json["proposal"]["id"]
        assert world.agent("sacha", "supervisor").decide(proposal).status == 200
        told = minutes_of(world, tmp_path, AlarmsOfCloudWatch(), PlatformReconciled())
        assert told.by_hand == ReissuesByHand(voter=0, agent=0, operator=0, two_people=1)
    assert hand_of(both("anne", "paul")) is Hand.TWO_PEOPLE


@pytest.mark.req("O9", "S33")
def test_a_register_that_was_altered_is_told_by_the_tables_minutes(world: World, claire: Enrolled) -> None:
    world.change_voter(claire, numen_hash="another")
    stack = stack_of(world)
    since = world.clock() - timedelta(days=60)
    evidence = evidence_of_stack(world.wire.operator.dynamodb, stack, lambda _: None, reissued_since=since)
    assert evidence.checked is MinutesBasis.TABLES
    assert (evidence.seal, len(evidence.counted.faults)) == (None, 1)


@pytest.mark.req("O9")
def test_a_former_identifier_that_is_disputed_was_replaced_already(
    world: World, claire: Enrolled, tmp_path: Path
) -> None:
    from harness.service.reading import dispute_token_in

    browser = world.signed_in(claire)
    browser.reissue(claire.numen)
    world.run_outbox()
    token = dispute_token_in(world.emails[-1])
    world.clock.move(minutes=5)
    browser.reissue(claire.numen)
    world.run_outbox()
    assert world.browser().dispute(token).status == 202
    told = minutes_of(world, tmp_path, AlarmsOfCloudWatch(), PlatformReconciled())
    assert told.disputes == DisputesSettled(total=1, replaced=0, frozen=0, voted=0, former=1)
