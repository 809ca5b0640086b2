"""`reassort rehearse`: which stacks it refuses, who comes when, how what happened is counted, and
what is removed afterwards.

More than 400 lines, because a rehearsal is one story: refused, played, counted, removed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml
from reassort.clock import epoch_milliseconds
from reassort.election import Election
from reassort.election_file import parse_election
from reassort.outbox import Channel, Message, Status, history_step, reissue_delivery_item
from reassort.register import ELECTION_CHAIN
from reassort.tables import to_wire
from reassort_ops.account.stack import Aws
from reassort_ops.commands import rehearse
from reassort_ops.failures import OperatorError
from reassort_ops.output import say_table
from reassort_ops.rehearsal.morning import (
    CallTally,
    Committed,
    Habits,
    Morning,
    MorningTally,
    Reply,
    VoterPlan,
    plan_morning,
)
from reassort_ops.rehearsal.outcome import RehearsalOutcome, judge, percentile
from reassort_ops.rehearsal.post import Post, Reading
from reassort_ops.rehearsal.roll import SIMULATOR, SOURCE, FictionalRoll, raise_if_real, raise_if_unfit
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.file import RollLine
from reassort_ops.roll.importing import RollImport
from reassort_ops.roll.rows import RowRules
from reassort_ops.roll.writes import TransactionWriter

from harness.elections import FOLDER, read_election
from harness.engines.engine import REGION
from tests.unit.ops.conftest import OperatedStack
from tests.unit.ops.rolls import rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

ELECTION = read_election("dijon-2018")
OPEN = ELECTION.windows.voting.opens_at + timedelta(hours=1)
NOW = datetime(2018, 11, 29, 9, tzinfo=UTC)


def run[T](main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread of its own: Playwright keeps a loop running in the one that plays
    the site's tests.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, main).result()


def with_simulator() -> Election:
    """Return the election as a file for rehearsals has it: one more domain."""
    content = yaml.safe_load((FOLDER / "dijon-2018.yaml").read_text(encoding="utf-8"))
    content["domains"].append({"domain": SIMULATOR, "staff": "répétition", "example": f"success@{SIMULATOR}"})
    return parse_election(content, "dijon-2018.yaml")


def put(deployed: OperatedStack, roll: FictionalRoll) -> None:
    """Put a fictional roll on the stack."""
    run = RollImport(
        reader=deployed.dynamodb,
        writer=TransactionWriter(Aws(region=REGION).session, 1),
        stack=deployed.stack,
        enroller=Enroller(deployed.keyed_hash, f"{SOURCE}:claire", epoch_milliseconds(NOW)),
    )
    run.run(roll.rows(), lambda _: None, 1)


def raise_if_real_on(deployed: OperatedStack) -> None:
    raise_if_real(deployed.dynamodb, deployed.stack, lambda _: None)


class TestRefusals:
    """What it refuses, before anything is written."""

    def test_a_stack_without_voters_is_taken_and_one_with_fictional_ones_too(self, deployed: OperatedStack) -> None:
        raise_if_real_on(deployed)
        put(deployed, FictionalRoll(ELECTION, seed=1, voters=40, here=True))
        raise_if_real_on(deployed)

    def test_that_operators_stopped_reissues_before_makes_nobody_real(self, deployed: OperatedStack) -> None:
        stop = {"voter_id": ELECTION_CHAIN, "sequence": 1, "actor": "operator:claire"}
        deployed.dynamodb.put_item(TableName=deployed.stack.register_table, Item=to_wire(stop))
        raise_if_real_on(deployed)
        deployed.run("rehearse", "--clean", "--yes")
        assert len(deployed.items(deployed.stack.register_table)) == 1

    def test_a_stack_with_one_real_voter_is_refused(self, deployed: OperatedStack, tmp_path: Path) -> None:
        put(deployed, FictionalRoll(ELECTION, seed=1, voters=40, here=True))
        deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        with pytest.raises(OperatorError, match="no rehearsal made; nothing was written"):
            raise_if_real_on(deployed)

    def test_a_voter_without_any_entry_is_nobody_that_a_rehearsal_made(self, deployed: OperatedStack) -> None:
        put(deployed, FictionalRoll(ELECTION, seed=1, voters=3, here=True))
        deployed.dynamodb.put_item(TableName=deployed.stack.voters_table, Item=to_wire({"voter_id": "somebody"}))
        with pytest.raises(OperatorError, match="the roll of stack reassort has a voter whom no rehearsal made"):
            raise_if_real_on(deployed)

    def test_a_stack_whose_election_is_over_and_purged_is_refused_for_its_register(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        (voter,) = deployed.items(deployed.stack.voters_table)
        deployed.dynamodb.delete_item(
            TableName=deployed.stack.voters_table, Key=to_wire({"voter_id": voter["voter_id"]})
        )
        with pytest.raises(OperatorError, match="the register of stack reassort has a voter"):
            raise_if_real_on(deployed)

    def test_a_stack_that_is_protected_from_deletion_is_refused_even_while_it_is_empty(
        self, deployed: OperatedStack
    ) -> None:
        deployed.dynamodb.update_table(TableName=deployed.stack.voters_table, DeletionProtectionEnabled=True)
        with pytest.raises(OperatorError, match="protected from deletion"):
            raise_if_real_on(deployed)

    def test_an_election_that_is_closed_or_whose_messages_reach_people_is_refused(self) -> None:
        with pytest.raises(OperatorError, match="an election file for rehearsals"):
            raise_if_unfit(ELECTION, OPEN, here=False)
        with pytest.raises(OperatorError, match="whose election is open"):
            raise_if_unfit(with_simulator(), ELECTION.windows.reissue.closes_at, here=False)
        raise_if_unfit(with_simulator(), OPEN, here=False)
        raise_if_unfit(ELECTION, OPEN, here=True)

    def test_the_command_writes_nothing_where_it_refuses_or_nobody_agreed(
        self, deployed: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rehearse, "utc_now", lambda: OPEN)
        monkeypatch.setattr(rehearse, "is_here", lambda _: True)
        monkeypatch.setattr(rehearse, "_site", lambda *_, **__: "http://127.0.0.1:1")
        deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        before = deployed.everything()
        refused = deployed.run("rehearse", "--voters", 5, "--yes")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.startswith("reassort: the register of stack reassort has a voter whom no rehearsal made")
        assert deployed.everything() == before
        protected = deployed.run("rehearse", "--clean")
        assert (protected.exit_code, deployed.everything()) == (3, before)

    def test_nothing_is_written_when_nobody_answers_at_the_url(
        self, deployed: OperatedStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(rehearse, "utc_now", lambda: OPEN)
        monkeypatch.setattr(rehearse, "is_here", lambda _: True)

        def refuse(*_: object, **__: object) -> None:
            raise httpx.ConnectError("refused")

        monkeypatch.setattr(httpx, "get", refuse)
        monkeypatch.setattr(Aws, "find_stack", lambda *_: _with_site(deployed))
        result = deployed.run("rehearse", "--voters", 5)
        assert (result.exit_code, result.stderr) == (1, "reassort: http://127.0.0.1:1 does not answer: ConnectError\n")
        assert deployed.everything() == [[], [], []]

    def test_on_aws_voters_come_to_the_stack_s_own_site(self, deployed: OperatedStack) -> None:
        target: Any = _TargetOf(_with_site(deployed))
        with pytest.raises(OperatorError, match="--url is for a local stack"):
            rehearse._site(target, "https://elsewhere.example", here=False)


class _TargetOf:
    def __init__(self, stack: Any) -> None:
        self.stack = stack
        self.name = stack.name


def _with_site(deployed: OperatedStack) -> Any:
    return replace(deployed.stack, site_url="http://127.0.0.1:1")


class TestRoll:
    """Who is on a fictional roll."""

    def test_every_voter_is_a_valid_row_and_no_two_are_alike(self) -> None:
        roll = FictionalRoll(ELECTION, seed=7, voters=2000, here=True)
        voters = [roll.voter(number) for number in range(1, 2001)]
        rules = RowRules(ELECTION)
        for voter in voters[:200]:
            cells = (voter.email, voter.numen, voter.establishment, "", voter.identifier, "")
            assert rules.read(RollLine(1, cells, len(cells))) == replace(voter.row(), line=1)
        for name in ("email", "numen", "phone", "identifier"):
            assert len({getattr(voter, name) for voter in voters}) == 2000
        assert {voter.numen[:3] for voter in voters} == {"00E"}
        assert Counter(voter.email.partition("+")[0] for voter in voters) == {"success": 1990, "bounce": 10}

    def test_on_aws_every_address_is_the_mailbox_simulator_s(self) -> None:
        roll = FictionalRoll(with_simulator(), seed=7, voters=500, here=False)
        assert {roll.voter(number).email.partition("@")[2] for number in range(1, 501)} == {SIMULATOR}

    def test_a_seed_gives_the_same_voters_again_and_another_seed_others(self) -> None:
        def first(seed: int) -> str:
            return FictionalRoll(ELECTION, seed=seed, voters=9, here=True).voter(5).identifier

        assert first(1) == first(1) != first(2)


class TestMorning:
    """Who comes when, and does what."""

    def test_arrivals_follow_from_the_seed_and_crowd_in_the_busiest_fifth(self) -> None:
        def plans(seed: int) -> list[Any]:
            roll = FictionalRoll(ELECTION, seed=seed, voters=10_000, here=True)
            return plan_morning(roll, Habits(), share=0.2, seconds=600, by_sms=True)

        first = plans(1)
        assert first == plans(1) != plans(2)
        asking = [plan for plan in first if not plan.votes_only]
        assert len(asking) == 2000
        assert [plan.at for plan in first] == sorted(plan.at for plan in first)
        assert 0 <= first[0].at <= first[-1].at < 600
        busy = sum(90 <= plan.at < 210 for plan in asking) / len(asking)
        assert 0.36 < busy < 0.44
        assert 0.66 < sum(plan.channel == "sms" for plan in asking) / len(asking) < 0.74
        assert len({plan.key for plan in asking}) == 2000

    def test_nobody_asks_for_an_sms_where_nobody_may_get_one(self) -> None:
        roll = FictionalRoll(ELECTION, seed=1, voters=500, here=True)
        plans = plan_morning(roll, Habits(), share=1, seconds=60, by_sms=False)
        assert {plan.channel for plan in plans} == {"email"}

    def test_messages_that_can_no_longer_be_read_end_the_rehearsal(self) -> None:
        async def play(failure: Exception | None) -> MorningTally:
            post: Any = SimpleNamespace(failure=failure)
            service: Any = SimpleNamespace(tally=MorningTally(), plays_votes=False)
            roll = FictionalRoll(ELECTION, seed=1, voters=200, here=True)
            plans = plan_morning(roll, Habits(), share=0, seconds=0.05, by_sms=False)
            await Morning(service, post, Habits(), {}).play(plans)
            tally: MorningTally = service.tally
            return tally

        tally = run(play(None))
        assert tally.expected == tally.came == tally.done > 0
        with pytest.raises(OSError, match="the stream is gone"):
            run(play(OSError("the stream is gone")))

    def test_what_goes_wrong_in_one_voter_is_not_passed_over(self) -> None:
        async def play() -> None:
            post: Any = SimpleNamespace(failure=None)
            # A service that cannot even be called: a fault of the rehearsal, not of the stack.
            service: Any = SimpleNamespace(tally=MorningTally(), plays_votes=True)
            roll = FictionalRoll(ELECTION, seed=1, voters=200, here=True)
            await Morning(service, post, Habits(), {}).play(
                plan_morning(roll, Habits(), share=0, seconds=0.05, by_sms=False)
            )

        with pytest.raises(AttributeError):
            run(play())

    @pytest.mark.parametrize("said", ["failed", "delivered"])
    def test_whoever_reads_that_the_message_failed_goes_and_nobody_waits_in_vain(self, said: str) -> None:
        tally = MorningTally()
        service: Any = ScriptedService(tally, said)
        reading = Reading()

        async def play() -> None:
            post: Any = SimpleNamespace(failure=None, reading=lambda _: reading)
            reading.codes.put_nowait("123456")
            if said == "delivered":
                reading.reissue("REF").set_result({"identifier": "7K3M", "dispute": "token"})
            voter = FictionalRoll(ELECTION, seed=1, voters=1, here=True).voter(1)
            await Morning(service, post, Habits(), {1: "voter"}).play([VoterPlan(voter, at=0, key="key")])

        run(play())
        assert [committed.reference for committed in tally.committed] == ["REF"]
        assert (tally.signed_in, tally.done, tally.in_vain, tally.unanswered) == (1, 1, 0, 0)
        assert dict(tally.gave_up) == ({"the page said: failed": 1} if said == "failed" else {})
        assert len(tally.waited_for_identifier) == (said == "delivered")


class ScriptedService:
    """A service that grants everything and says one status of every reissue."""

    plays_votes = False
    origin = "https://reassort.example.fr"

    def __init__(self, tally: MorningTally, said: str) -> None:
        self.tally = tally
        self._said = said

    async def call(self, method: str, path: str, *_: Any) -> tuple[Reply, httpx.Headers]:
        """Answer as the API does."""
        reissued = {
            "reference": "REF",
            "generation": 2,
            "channel": "email",
            "status": self._said,
            "revision": "shown",
        }
        status = 202 if path in ("/api/login", "/api/reissue") and method == "POST" else 200
        return Reply(status, reissued), httpx.Headers()


class TestOutcome:
    """How what happened is counted."""

    def test_a_percentile_is_a_value_that_occurred(self) -> None:
        assert [percentile([4, 1, 3, 2], share) for share in (50, 75, 99)] == [2, 3, 4]
        assert percentile([], 50) == 0

    def test_lost_wrong_and_double_are_told_apart(self, deployed: OperatedStack) -> None:
        tally = MorningTally()
        at = epoch_milliseconds(NOW)
        cases = {
            "FINE": [(Message.IDENTIFIER, Status.SENT, 1000), (Message.CONFIRMATION, Status.SENT, 3000)],
            "TWICE": [(Message.IDENTIFIER, Status.SENT, 1000), (Message.IDENTIFIER, Status.SENT, 2000)],
            "LATE": [(Message.IDENTIFIER, Status.SENT, 9000)],
            "WAITING": [],
        }
        for name, steps in cases.items():
            item = _delivery(name)
            for message, status, after in steps:
                item["history"].append(history_step(at + after, message, status, Channel.SMS))
            if steps:
                item["messages"] = {"identifier": {"status": "sent"}, "confirmation": {"status": "sent"}}
            if name == "LATE":
                item["superseded_at"] = at + 5000
            deployed.dynamodb.put_item(TableName=deployed.stack.deliveries_table, Item=to_wire(item))
            identifier = {"identifier_hash": f"hash-{name}", "voter_id": f"voter-{name}", "generation": 2}
            deployed.dynamodb.put_item(TableName=deployed.stack.identifiers_table, Item=to_wire(identifier))
            tally.committed.append(Committed(f"voter-{name}", name, 2, "sms"))
        # A reissue that was answered and is nowhere, and an identifier that is another voter's.
        tally.committed.append(Committed("voter-GONE", "GONE", 2, "sms"))
        voters = frozenset(committed.voter_id for committed in tally.committed)
        hashes = {"FINE": "hash-TWICE", "TWICE": "hash-TWICE"}
        found = judge(deployed.dynamodb, deployed.stack, tally, voters, at - 1000, hashes, frozenset({"LATE"}))
        assert (found.reissues, found.handed_over, found.lost, found.lost_references) == (5, 3, 2, ["GONE", "WAITING"])
        # FINE brought the identifier of another; LATE was seen to be sent after its successor had
        # been issued.
        assert (found.wrong, found.wrong_references, found.twice) == (2, ["FINE", "LATE"], 1)
        assert found.waits["identifier by sms"] == [1.0, 9.0, 1.0]
        assert found.waits["confirmation by email"] == [3.0]
        outcome = _outcome(tally, found)
        assert outcome.broken == ["2 reissues lost", "2 identifiers of a wrong generation", "1 messages sent twice"]
        assert outcome.as_json()["lost_references"] == ["GONE", "WAITING"]

    def test_the_table_has_calls_limits_and_waits(self, deployed: OperatedStack) -> None:
        tally = MorningTally(came=3, signed_in=2)
        tally.calls["POST login"] = CallTally(took=[0.1, 0.2, 0.4], refused=1)
        tally.refusals["POST login", 429, "source-limit"] = 1
        tally.waited_for_code = [2.0]
        found = judge(deployed.dynamodb, deployed.stack, tally, frozenset(), 0, {}, frozenset())
        outcome = _outcome(tally, found)
        assert next(outcome.rows()) == ("POST login", "3", "1", "0", "0.20", "0.40", "0.40")
        assert dict(outcome.sums())["limit reached: POST login, 429 source-limit"] == "1"
        assert outcome.broken == []
        tally.unanswered = 1
        assert outcome.broken == ["1 voters were never answered"]


def test_a_table_that_is_no_terminal_s_has_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        ("hand-over of the confirmation by e-mail, which is a long name for a row", "1,000", "2.50"),
        ("x", "9", ""),
    ]
    say_table(("", "number", "50 %, s"), rows)
    header, first, second = capsys.readouterr().out.splitlines()
    assert first.split("  ")[0] == rows[0][0]
    assert first.endswith(" 1,000     2.50")
    assert header.index("number") + len("number") == first.index("1,000") + len("1,000") == second.index("9") + 1


@pytest.mark.req("I3")
@pytest.mark.parametrize(("supersede_at", "too_late"), [(1, True), (2, False)])
def test_the_order_of_the_stream_tells_what_was_sent_too_late(supersede_at: int, *, too_late: bool) -> None:
    nothing: Any = None
    post = Post(dynamodb=nothing, streams=nothing, opener=nothing, stack=nothing, here=True)
    post.reading("voter-REF")
    at = epoch_milliseconds(NOW)
    sent = history_step(at + 500, Message.IDENTIFIER, Status.SENT, Channel.SMS)
    image = {key: value for key, value in _delivery("REF").items() if key != "payload"}
    # Dated before the message left, whichever came first.
    changes: list[dict[str, Any]] = [{"history": [*image["history"], sent]}]
    changes.insert(supersede_at - 1, {"superseded_at": at})
    for change in ({}, *changes):
        image = {**image, **change}
        post._take(image)
    assert post.sent_too_late == ({"REF"} if too_late else set())


def test_cleaning_takes_the_fictional_roll_away_and_nothing_else(deployed: OperatedStack, tmp_path: Path) -> None:
    deployed.run("roll", "import", write_roll(tmp_path, rows(30)))
    before = deployed.everything()
    put(deployed, FictionalRoll(ELECTION, seed=1, voters=60, here=True))
    fictional = deployed.keyed_hash.voter_id(FictionalRoll(ELECTION, seed=1, voters=1, here=True).voter(1).email)
    others = (
        (deployed.stack.deliveries_table, _delivery("MINE") | {"voter_id": fictional}),
        (deployed.stack.code_deliveries_table, {"delivery_id": "code-1", "voter_id": fictional}),
        (deployed.stack.sign_in_table, {"voter_id": fictional, "key": "codes"}),
        (deployed.stack.limits_table, {"key": "phone#p"}),
        (deployed.stack.register_table, {"voter_id": fictional, "sequence": 2, "actor": "voter"}),
    )
    for table, item in others:
        deployed.dynamodb.put_item(TableName=table, Item=to_wire(item))
    deployed.dynamodb.put_item(TableName=deployed.stack.deliveries_table, Item=to_wire(_delivery("REAL")))

    status, said = deployed.run_json("rehearse", "--clean", "--yes")

    assert (status, said["voters"], said["complete"]) == (0, 60, True)
    assert said["removed_items"] == 4 * 60 + len(others)
    assert deployed.everything() == before
    assert [item["delivery_id"] for item in deployed.items(deployed.stack.deliveries_table)] == ["REAL"]
    assert deployed.items(deployed.stack.sign_in_table) == deployed.items(deployed.stack.limits_table) == []


def _delivery(reference: str) -> dict[str, Any]:
    return reissue_delivery_item(
        reference=reference,
        voter_id=f"voter-{reference}",
        generation=2,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• 01"},
        phone_hash="p" if reference == "MINE" else "q",
        address=b"a",
        payload=b"p",
        request_hash="r",
        now=NOW,
        retention=ELECTION.retention,
    )


def _outcome(tally: MorningTally, delivered: Any) -> RehearsalOutcome:
    return RehearsalOutcome("reassort", "dijon-2018", 1, 5, 20, 60, 8, 61.0, tally, delivered, None)
