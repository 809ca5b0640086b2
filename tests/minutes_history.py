"""A small election from its roll to its close, lived by the service itself, and the minutes of it:
for the test of their figures and for their picture.

Everybody in it is fictional.
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from reassort_ops.account.operator import Operator
from reassort_ops.election_control import close_reissues, open_reissues, prolong_ballot
from reassort_ops.minutes.evidence import evidence_of_file
from reassort_ops.minutes.figures import PlatformReconciled, VersionsRun
from reassort_ops.minutes.gathering import KnownBeside, StackSources, gather
from reassort_ops.register.export import export_register, public_key_path

from harness.elections import election_content, read_election
from harness.service.events import ses_event, sms_log_event
from harness.service.operated import stack_of
from harness.service.reading import dispute_token_in, identifier_in
from tests.unit.ops.registers import SIGNER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reassort_ops.account.stack import Stack
    from reassort_ops.minutes.figures import Minutes

    from harness.service.world import Browser, Enrolled, World

_LOST = ("FAILURE", "Invalid phone number")


def enrol_voters(world: World, number: int) -> list[Enrolled]:
    """Put so many voters on the roll."""
    return [
        world.enrol(f"electrice{one}@ac-dijon.fr", f"09E99{one:05}ABC", establishment="Lycée Carnot, Dijon")
        for one in range(number)
    ]


def live(world: World, voters: list[Enrolled]) -> None:
    """Let all that minutes tell of happen to the first twelve voters; see the figures that
    `tests/component/test_minutes.py` expects.
    """
    by_sms, by_email, fallen_back, lost, redelivered, disputed, frozen, besieged = voters[:8]
    voted_then_disputed, given, given_by_operator, stopped = voters[8:12]
    marie = world.agent("marie", "agent")
    _arrived_by_sms(world, by_sms)
    assert world.vote(identifier_in(world.sms[-1].text)).status == 200
    reference = _asked(world, by_email, "email")
    world.wake("notify", ses_event("delivery", reference, "identifier", at=world.clock()))
    assert world.vote(identifier_in(_mail_with_identifier(world))).status == 200
    # A number that does not exist: the same identifier goes by e-mail, by itself.
    reference = _asked(world, fallen_back, "sms")
    _sms_lost(world, reference)
    world.wake("notify", ses_event("delivery", reference, "identifier", 1, at=world.clock()))
    # Neither way reaches this one.
    reference = _asked(world, lost, "sms")
    _sms_lost(world, reference)
    world.wake("notify", ses_event("bounce", reference, "identifier", 1))
    browser = world.signed_in(redelivered)
    reference = _asked(world, redelivered, "sms", browser)
    world.clock.move(minutes=3)
    assert browser.redeliver(reference, "email").status == 202
    world.run_outbox()
    # « Ce n’était pas moi »: another identifier for one, none yet for the other.
    _dispute(world, disputed)
    assert marie.act("reissue", disputed.email, "mot de passe changé").status == 200
    _dispute(world, frozen)
    assert marie.act("freeze", besieged.email, "boîte piratée").status == 200
    assert marie.act("unfreeze", besieged.email, "boîte reprise").status == 200
    # The vote came first; what is disputed then changes nothing.
    _arrived_by_sms(world, voted_then_disputed)
    token = dispute_token_in(next(one for one in reversed(world.emails) if one.to == voted_then_disputed.email))
    assert world.vote(identifier_in(world.sms[-1].text)).status == 200
    assert world.browser().dispute(token).status == 202
    assert marie.act("reissue", given.email, "sans téléphone").status == 200
    assert world.agent("anne").act("reissue", given_by_operator.email, "appel du ministère").status == 200
    assert marie.act("freeze", stopped.email, "demande du bureau").status == 200
    world.run_outbox()
    _control(world)


def minutes_of(world: World, folder: Path, cloudwatch: Any, platform: PlatformReconciled) -> Minutes:
    """Have the register signed, and gather the minutes of it."""
    file = folder / "register.jsonl"
    stack = stack_of(world)
    export = export_register(
        file,
        dynamodb=world.wire.operator.dynamodb,
        stack=stack,
        signer=SIGNER,
        clock=world.clock,
        advance=lambda _: None,
        reissued_since=world.clock() - timedelta(days=60),
    )
    assert export.statement is not None, export.counted.faults
    key = folder / "bureau.pem"
    key.write_bytes(public_key_path(file).read_bytes())
    evidence = evidence_of_file(file, key, lambda _: None)
    versions = VersionsRun(
        "0.1.0",
        "arn:aws:lambda:eu-west-3:123456789012:layer:reassort:7",
        b64encode(sha256(b"the layer").digest()).decode(),
        sha256(world.election.for_functions().encode()).hexdigest(),
    )
    return gather(
        evidence,
        KnownBeside(world.election, platform, versions),
        sources_of(world, stack, cloudwatch),
        stack_name=stack.name,
        election_id=stack.election_id,
        zone=world.election.zone,
        now=world.clock(),
        advance=lambda _: None,
    )


def sources_of(world: World, stack: Stack, cloudwatch: Any) -> StackSources:
    """Return where the figures of the stack come from that a world would be."""
    queue = replace(stack, dead_letter_queue=world.dead_letter_queue)
    return StackSources(world.wire.operator.dynamodb, cloudwatch, world.wire.operator.sqs, queue, segments=1)


@dataclass(frozen=True)
class AlarmsOfCloudWatch:
    """What CloudWatch says of alarms, which moto does not keep: name, new state, when."""

    rung: tuple[tuple[str, str, datetime], ...] = ()

    def get_paginator(self, operation: str) -> AlarmsOfCloudWatch:
        """Return a paginator."""
        assert operation == "describe_alarm_history"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """Give a page of what happened since the time that is asked for."""
        assert asked["HistoryItemType"] == "StateUpdate"
        yield {
            "AlarmHistoryItems": [
                {
                    "AlarmName": name,
                    "Timestamp": at,
                    "HistoryData": json.dumps({"newState": {"stateValue": state}}),
                }
                for name, state, at in self.rung
                if at >= asked["StartDate"]
            ]
        }


def _asked(world: World, voter: Enrolled, channel: str, browser: Browser | None = None) -> str:
    answer = (browser or world.signed_in(voter)).reissue(
        voter.numen, f"06 12 34 {voter.numen[5:7]} {voter.numen[8:10]}", channel
    )
    assert answer.status == 202, answer.text
    world.run_outbox()
    reference: str = answer.json["reference"]
    return reference


def _arrived_by_sms(world: World, voter: Enrolled) -> None:
    reference = _asked(world, voter, "sms")
    world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], at=world.clock()))


def _sms_lost(world: World, reference: str) -> None:
    world.wake("notify", sms_log_event(world.delivery_item(reference)["sms_id"], *_LOST, at=world.clock()))
    world.run_outbox()


def _mail_with_identifier(world: World) -> str:
    return next(one.text for one in reversed(world.emails) if one.tags.get("message") == "identifier")


def _dispute(world: World, voter: Enrolled) -> None:
    _arrived_by_sms(world, voter)
    assert world.browser().dispute(dispute_token_in(world.emails[-1])).status == 202


def _control(world: World) -> None:
    """Stop reissues, open them again, announce their close, and prolong the ballot."""
    operator = Operator(world.wire.operator.dynamodb, stack_of(world), world.clock, "paul")
    world.clock.move(minutes=10)
    close_reissues(world.election, "fuite signalée", operator)
    world.clock.move(hours=1)
    open_reissues(world.election, "fuite démentie", operator)
    close_reissues(world.election, "décision du bureau", operator, world.clock() + timedelta(days=2))
    windows = election_content("dijon-2018")["windows"]
    windows["reissue"]["closes_at"] = windows["voting"]["closes_at"] = datetime(2018, 12, 7, 12, 0)  # noqa: DTZ001
    prolong_ballot(world.election, read_election("dijon-2018", windows=windows), "panne de réseau", operator)
