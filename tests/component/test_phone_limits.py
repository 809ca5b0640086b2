"""One phone number serves few voters and few SMS a day: a harvester of NUMENs has one phone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from reassort.clock import epoch_seconds

from harness.elections import election_content, read_election
from harness.service.world import Enrolled, World

PHONE = "06 12 34 56 78"


def _voters(world: World, count: int) -> list[Enrolled]:
    return [world.enrol(f"agent{number}@ac-dijon.fr", f"09E990012{number}ABC") for number in range(count)]


@pytest.mark.req("S13")
def test_fourth_voter_of_a_number_is_refused(world: World) -> None:
    *three, fourth = _voters(world, 4)
    for voter in three:
        assert world.signed_in(voter).reissue(voter.numen, PHONE, "sms").status == 202
    refused = world.signed_in(fourth).reissue(fourth.numen, PHONE, "sms")
    assert (refused.status, refused.code) == (429, "phone-in-use")
    assert "errors" not in refused.json
    assert world.voter(fourth).generation == 1
    # Another day changes nothing for the fourth: the wait that is told is the one until reissues
    # end.
    told = world.clock() + timedelta(seconds=int(refused.headers["retry-after"]))
    assert told == world.election.windows.reissue.closes_at
    world.clock.move(days=1)
    assert world.signed_in(fourth).reissue(fourth.numen, PHONE, "sms").code == "phone-in-use"
    # The count is of voters: each of the three may come again, and the fourth may give another
    # number.
    assert world.signed_in(three[0]).reissue(three[0].numen, PHONE, "sms").status == 202
    assert world.signed_in(fourth).reissue(fourth.numen, "06 12 34 56 79", "sms").status == 202


@pytest.mark.req("S12", "S13")
def test_nobody_uses_up_the_number_of_another_by_requests_by_email(world: World) -> None:
    *others, owner = _voters(world, 8)
    for voter in others:
        assert world.signed_in(voter).reissue(voter.numen, PHONE, "email").status == 202
    assert world.signed_in(owner).reissue(owner.numen, PHONE, "sms").status == 202


@pytest.mark.req("S13")
def test_request_by_email_is_not_refused_for_the_number(world: World) -> None:
    *three, fourth = _voters(world, 4)
    for voter in three:
        assert world.signed_in(voter).reissue(voter.numen, PHONE, "sms").status == 202
    assert world.signed_in(fourth).reissue(fourth.numen, PHONE, "email").status == 202


@pytest.mark.req("S13")
def test_number_is_the_same_however_it_is_written(world: World) -> None:
    voters = _voters(world, 4)
    written = ["06 12 34 56 78", "+33612345678", "0033 6 12 34 56 78", "06.12.34.56.78"]
    statuses = [
        world.signed_in(voter).reissue(voter.numen, phone).status for voter, phone in zip(voters, written, strict=True)
    ]
    assert statuses == [202, 202, 202, 429]


@pytest.mark.req("S13", "S15")
def test_sixth_sms_of_a_day_is_refused_and_email_is_left(world: World) -> None:
    voters = _voters(world, 3)
    for voter in (*voters, *voters[:2]):
        assert world.signed_in(voter).reissue(voter.numen, PHONE, "sms").status == 202
    refused = world.signed_in(voters[2]).reissue(voters[2].numen, PHONE, "sms")
    assert (refused.status, refused.code) == (429, "phone-in-use")
    # 10:15 in Paris: the day's count ends at local midnight.
    assert refused.headers["retry-after"] == str((13 * 60 + 45) * 60)
    assert world.signed_in(voters[2]).reissue(voters[2].numen, PHONE, "email").status == 202
    world.clock.move(seconds=int(refused.headers["retry-after"]), milliseconds=-1)
    late = world.signed_in(voters[2]).reissue(voters[2].numen, PHONE, "sms")
    assert (late.code, late.headers["retry-after"]) == ("phone-in-use", "1")
    world.clock.move(milliseconds=1)
    assert world.signed_in(voters[2]).reissue(voters[2].numen, PHONE, "sms").status == 202


@pytest.mark.req("S13")
def test_redelivery_by_sms_counts_as_an_sms(world: World) -> None:
    voters = _voters(world, 3)
    browsers = [world.signed_in(voter) for voter in voters]
    for voter, browser in ((voters[0], browsers[0]), (voters[0], browsers[0]), (voters[1], browsers[1])):
        assert browser.reissue(voter.numen, PHONE, "sms").status == 202
    assert browsers[1].reissue(voters[1].numen, PHONE, "sms").status == 202
    world.run_outbox()
    reference = browsers[2].reissue(voters[2].numen, PHONE, "email").json["reference"]
    world.run_outbox()
    assert browsers[2].redeliver(reference, "sms").status == 202
    world.run_outbox()
    assert browsers[2].redeliver(reference, "email").status == 202
    world.run_outbox()
    assert browsers[2].status(reference).json["redelivery"]["channels"] == []
    refused = browsers[2].redeliver(reference, "sms")
    assert (refused.status, refused.code) == (429, "phone-in-use")


@pytest.mark.req("S23")
def test_number_is_kept_for_as_long_as_its_last_delivery(world: World, claire: Enrolled) -> None:
    for _ in range(2):
        world.signed_in(claire).reissue(claire.numen, PHONE)
        (limits,) = world.items("LimitsTable")
        kept = timedelta(days=world.election.retention.deliveries_days)
        assert limits["expires_at"] == epoch_seconds(world.clock() + kept)
        world.clock.move(hours=1)


@pytest.mark.req("S13", "U19")
def test_sms_is_offered_as_long_as_the_number_takes_one() -> None:
    limits: dict[str, Any] = election_content("dijon-2018")["limits"]
    election = read_election("dijon-2018", limits={**limits, "phone": {"voters": 1, "sms_per_day": 1}})
    with World(election) as world:
        voter, other = _voters(world, 2)
        browsers = {one.email: world.signed_in(one) for one in (voter, other)}
        asked = {one.email: browsers[one.email].reissue(one.numen, PHONE, "email") for one in (voter, other)}
        world.run_outbox()

        def offered(one: Enrolled) -> list[str]:
            shown = browsers[one.email].status(asked[one.email].json["reference"]).json
            channels: list[str] = shown["redelivery"]["channels"]
            return channels

        assert (offered(voter), offered(other)) == (["sms"], ["sms"])
        assert browsers[voter.email].redeliver(asked[voter.email].json["reference"], "sms").status == 202
        assert offered(other) == []
        # Another day brings the one voter of the number another SMS, and nobody else any.
        world.clock.move(days=1)
        for one in (voter, other):
            browsers[one.email] = world.signed_in(one)
            asked[one.email] = browsers[one.email].reissue(one.numen, PHONE, "email")
        world.run_outbox()
        assert (offered(voter), offered(other)) == (["sms"], [])


@pytest.mark.req("S9", "S23")
def test_number_is_kept_as_a_keyed_hash_only(world: World, claire: Enrolled) -> None:
    world.signed_in(claire).reissue(claire.numen, PHONE)
    (limits,) = world.items("LimitsTable")
    assert limits["key"].startswith("phone#")
    stored = repr([world.items(table) for table in world.tables])
    for form in ("612345678", "06 12 34 56 78"):
        assert form not in stored
