"""What a voter is offered is accepted, and what is not offered is refused: in every state that the
tables can be in.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reassort.clock import epoch_milliseconds, iso
from reassort.reasons import Reason
from reassort.table_keys import sms_day_attribute
from reassort.tables import to_wire

from harness.service.openapi import raise_if_undescribed
from harness.service.reading import identifier_in
from harness.service.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.service.world import Browser, Enrolled

NUMEN = "09E9900123ABC"
_TABLES = ("VotersTable", "DeliveriesTable", "LimitsTable", "SignInTable", "RegisterTable", "IdentifiersTable")


@dataclass
class OfferStage:
    """A voter with a reissue by each channel on file, as the tables stood then."""

    world: World
    voter: Enrolled
    browser: Browser
    references: dict[str, str]
    items: dict[str, list[dict[str, Any]]]

    def restore(self) -> None:
        """Put every item back as it was, and take away what the register gained."""
        for table, items in self.items.items():
            for item in deepcopy(items):
                self.world.engine.put(table, item)
        for entry in self.world.items("RegisterTable"):
            if entry not in self.items["RegisterTable"]:
                self.world.wire.operator.dynamodb.delete_item(
                    TableName=self.world.tables["RegisterTable"],
                    Key=to_wire({name: entry[name] for name in ("voter_id", "sequence")}),
                )


@pytest.mark.req("U19")
def test_request_is_told_to_be_refused_outside_the_window(world: World, claire: Enrolled) -> None:
    world.clock.set(world.election.windows.reissue.closes_at)
    late = world.signed_in(claire)
    assert late.overview().json["request"] == {"refused": "window-closed", "again_at": None}
    assert late.reissue(claire.numen).code == "window-closed"


@pytest.mark.req("U19")
@pytest.mark.parametrize(
    ("reissued", "refused", "again_in"),
    [
        ([timedelta(hours=1)] * 3, "too-many-reissues", timedelta(hours=23)),
        # Not before the reissues end.
        ([timedelta(days=9)] * 10, "too-many-reissues", None),
        ([], "already-voted", None),
    ],
    ids=["three today", "ten in all", "voted"],
)
def test_request_that_is_refused_is_told_when_it_will_be_taken(
    world: World, claire: Enrolled, reissued: list[timedelta], refused: str, again_in: timedelta | None
) -> None:
    issued_at = [1, *(epoch_milliseconds(world.clock() - ago) for ago in reissued)]
    voted_at = 1 if refused == "already-voted" else None
    world.change_voter(claire, generation=len(issued_at), issued_at=issued_at, voted_at=voted_at)
    again_at = None if again_in is None else iso(world.clock() + again_in)
    assert world.signed_in(claire).overview().json["request"] == {"refused": refused, "again_at": again_at}


@pytest.fixture(scope="module")
def place() -> Iterator[OfferStage]:
    """A world that each example puts back."""
    with World() as world:
        voter = world.enrol("claire.martin@ac-dijon.fr", NUMEN)
        references: dict[str, str] = {}
        browser = world.signed_in(voter)
        for channel in ("sms", "email"):
            references[channel] = browser.reissue(NUMEN, channel=channel).json["reference"]
            world.run_outbox()
        # The number's count is there, whatever an example writes into it.
        assert world.items("LimitsTable")
        items = {table: world.items(table) for table in _TABLES}
        yield OfferStage(world, voter, browser, references, items)
        for response in world.responses:
            raise_if_undescribed(response)


def _failed(channel: str) -> Any:
    reasons = st.sampled_from([Reason.MAILBOX_FULL, Reason.NO_ANSWER, Reason.OPTED_OUT, Reason.NO_SUCH_MAILBOX])
    return st.builds(
        lambda reason: {
            "at": 1,
            "message": "identifier",
            "status": "failed",
            "channel": channel,
            "reason": reason.value,
        },
        reasons,
    )


@st.composite
def states(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what the tables say of a voter and of their last reissue: each thing may be amiss, and
    mostly is not.
    """

    def mostly(usual: object, *others: object) -> Any:
        return draw(st.sampled_from([usual] * 4 + list(others)))

    return {
        "channel": draw(st.sampled_from(["sms", "email"])),
        "status": draw(st.sampled_from(["queued", "sending", "sent", "failed", "delivered"])),
        "leased": draw(st.booleans()),
        "erased": mostly(False, True),
        "redeliveries": mostly(0, 2, 3),
        "operators": mostly(False, True),
        "failures": draw(st.lists(st.one_of(_failed("sms"), _failed("email")), max_size=2)),
        "superseded": mostly(False, True),
        "disputed": mostly(False, True),
        "frozen": mostly(False, True),
        "voted": mostly(False, True),
        "numen_failures": mostly(0, 4, 10),
        "numen_locked": mostly(False, True),
        "sms_today": mostly(0, 4, 5),
        "number_of_others": mostly(False, True),
        "same_session": draw(st.booleans()),
        "reissues": mostly(2, 3, 10),
        "today": draw(st.booleans()),
    }


def _arrange(place: OfferStage, state: dict[str, Any]) -> str:
    """Bring the tables into a state and return the reference of the last reissue."""
    place.restore()
    world, reference = place.world, place.references["email"]
    now = epoch_milliseconds(world.clock())
    item = world.delivery_item(reference)
    message = {**item["messages"]["identifier"], "status": state["status"]}
    if state["status"] == "sending":
        message["lease_until"] = now + (20_000 if state["leased"] else -1)
    destinations = {"email": item["destinations"]["email"]} if state["operators"] else item["destinations"]
    own = place.items["SignInTable"]
    assert own
    proven = item["session"] if state["same_session"] else "another session"
    world.change_delivery(
        reference,
        channel="email" if state["operators"] else state["channel"],
        messages={**item["messages"], "identifier": message},
        history=[*item["history"][:1], *state["failures"]],
        redeliveries=state["redeliveries"],
        destinations=destinations,
        session=proven,
        payload=None if state["erased"] else item["payload"],
        superseded_at=now if state["superseded"] else None,
        disputed_at=now if state["disputed"] else None,
    )
    generation = state["reissues"] + 1
    then = now - (1_000 if state["today"] else 2 * 86_400_000)
    world.change_delivery(reference, generation=generation)
    world.change_voter(
        place.voter,
        frozen_at=now if state["frozen"] else None,
        voted_at=now if state["voted"] else None,
        numen_failures=state["numen_failures"],
        numen_locked_until=now + 60_000 if state["numen_locked"] else 0,
        generation=generation,
        issued_at=[then - 1_000] + [then] * state["reissues"],
    )
    (limits,) = place.items["LimitsTable"]
    others = {"other-1", "other-2", "other-3"}
    day = sms_day_attribute(world.clock().astimezone(world.election.zone))
    world.engine.put(
        "LimitsTable",
        {**limits, "voters": others if state["number_of_others"] else limits["voters"], day: state["sms_today"]},
    )
    return reference


@pytest.mark.req("U19", "S13", "S39")
@settings(max_examples=50, deadline=None)
@given(state=states())
def test_redelivery_is_accepted_by_the_channels_that_are_offered_and_by_no_other(
    place: OfferStage, state: dict[str, Any]
) -> None:
    reference = _arrange(place, state)
    offered = place.browser.status(reference).json["redelivery"]
    assert place.browser.overview().json["last_reissue"]["redeliverable"] == bool(offered["channels"])
    for channel in ("sms", "email"):
        _arrange(place, state)
        before = place.world.delivery_item(reference)
        given_numen = {"numen": NUMEN} if offered["numen"] else {}
        answer = place.browser.redeliver(reference, channel, **given_numen)
        taken = place.world.delivery_item(reference) != before
        if channel in offered["channels"]:
            assert (answer.status, taken) == (202, True), (state, answer.text)
        else:
            # What was asked for before may be asked for again: nothing is queued.
            assert not taken, (state, answer.text)
            assert answer.status != 202 or (channel == before["channel"] and before["redeliveries"])


@pytest.mark.req("U19")
@settings(max_examples=30, deadline=None)
@given(state=states())
def test_request_is_refused_as_it_was_told(place: OfferStage, state: dict[str, Any]) -> None:
    _arrange(place, {**state, "status": "sent", "sms_today": 0, "number_of_others": False})
    shown = place.browser.overview().json
    answer = place.browser.reissue(NUMEN, revision=shown["revision"])
    assert answer.code == shown["request"]["refused"]
    assert (answer.status == 202) == (shown["request"]["refused"] is None)


@pytest.mark.req("U19")
def test_what_is_offered_while_the_service_runs_is_what_the_voter_gets(place: OfferStage) -> None:
    """The journey: by e-mail, late, and then by SMS as the page offers."""
    place.restore()
    reference = place.references["email"]
    assert place.browser.status(reference).json["redelivery"] == {"channels": ["sms"], "numen": False}
    assert place.browser.redeliver(reference, "sms").status == 202
    place.world.run_outbox()
    assert identifier_in(place.world.sms[-1].text)
