"""`reassort purge`: what has ended goes, a second before its end it stays, and an interrupted purge
is resumed.

More than 400 lines, because all of it purges the same items.
"""

from __future__ import annotations

import gettext
import signal
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer
from botocore.exceptions import ClientError, ReadTimeoutError
from reassort.clock import epoch_milliseconds, epoch_seconds, iso
from reassort.outbox import Channel, code_delivery_item, reissue_delivery_item
from reassort.tables import to_wire
from reassort_ops import language
from reassort_ops.account.stack import Aws
from reassort_ops.commands import purge as command
from reassort_ops.commands import roll
from reassort_ops.commands import target as target
from reassort_ops.purge import Purge

from harness.elections import read_election
from tests.unit.ops.conftest import OperatedStack, Screen
from tests.unit.ops.rolls import rows, write_roll

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ELECTION = read_election("dijon-2018")
RETENTION = ELECTION.retention
VOTERS = 5
CROWD = 130
IMPORTED_AT = datetime(2018, 11, 2, 9, 0, tzinfo=UTC)
LAST_REISSUE = ELECTION.windows.reissue.closes_at - timedelta(seconds=1)
SECOND = timedelta(seconds=1)
ROLL = ("identifiers", "NUMENs", "voters")
WITH_OWN_END = ("sign-in", "limits", "pace", "codes", "deliveries")


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock of the command."""

    def set_clock(instant: datetime) -> None:
        for module in (command, roll):
            monkeypatch.setattr(module, "utc_now", lambda: instant.astimezone(UTC))

    return set_clock


@pytest.fixture
def held(deployed: OperatedStack, tmp_path: Path, at: Callable[[datetime], None]) -> OperatedStack:
    """A stack with a roll, and with what one voter leaves in the last second of the reissue
    window.
    """
    at(IMPORTED_AT)
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(VOTERS))).exit_code == 0
    sealed: dict[str, Any] = {"address": b"sealed", "payload": b"sealed", "now": LAST_REISSUE}
    reissued = reissue_delivery_item(
        reference="7K3M9-QWX2T",
        voter_id="voter",
        generation=2,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• •• •• 56 78", Channel.EMAIL: "p•••@ac-dijon.fr"},
        phone_hash="phone",
        request_hash="request",
        retention=RETENTION,
        **sealed,
    )
    code = code_delivery_item(
        delivery_id="code", voter_id="voter", source="source", lifetime=timedelta(minutes=10), **sealed
    )
    stack = deployed.stack
    for table, item in (
        (stack.deliveries_table, reissued),
        (stack.code_deliveries_table, code),
        (stack.sign_in_table, ending("codes", timedelta(days=2))),
        (stack.sign_in_table, ending("challenge#x", timedelta(minutes=10))),
        (stack.sign_in_table, ending("session#x", timedelta(minutes=60))),
        (stack.limits_table, ending("phone#x", timedelta(days=RETENTION.deliveries_days))),
        (stack.pace_table, ending("pace#sms", timedelta(days=3))),
    ):
        deployed.dynamodb.put_item(TableName=table, Item=to_wire(item))
    return deployed


def ending(key: str, after: timedelta) -> dict[str, Any]:
    """Return an item that ends some time after the last reissue."""
    return {"voter_id": "voter", "key": key, "expires_at": epoch_seconds(LAST_REISSUE + after)}


def left(deployed: OperatedStack) -> dict[str, int]:
    """Return how many items each table holds."""
    stack = deployed.stack
    tables = {
        "sign-in": stack.sign_in_table,
        "limits": stack.limits_table,
        "pace": stack.pace_table,
        "codes": stack.code_deliveries_table,
        "deliveries": stack.deliveries_table,
        "identifiers": stack.identifiers_table,
        "NUMENs": stack.numens_table,
        "voters": stack.voters_table,
        "register": stack.register_table,
    }
    return {name: len(deployed.items(table)) for name, table in tables.items()}


ALL = {
    "sign-in": 3,
    "limits": 1,
    "pace": 1,
    "codes": 1,
    "deliveries": 1,
    "identifiers": VOTERS,
    "NUMENs": VOTERS,
    "voters": VOTERS,
    "register": VOTERS,
}


class TestEnds:
    """Nothing goes a second too early, and everything goes at its end."""

    def test_the_roll_ends_its_days_after_the_ballot_and_leaves_the_register(
        self, held: OperatedStack, at: Callable[[datetime], None]
    ) -> None:
        at(ELECTION.roll_ends_at - SECOND)
        assert held.run("purge", "--yes").exit_code == 0
        kept = ALL | dict.fromkeys(WITH_OWN_END, 0)
        assert left(held) == kept
        at(ELECTION.roll_ends_at)
        status, content = held.run_json("purge", "--yes")
        assert (status, content["due"], content["removed"], content["complete"]) == (0, 3 * VOTERS, 3 * VOTERS, True)
        assert left(held) == kept | dict.fromkeys(ROLL, 0)

    def test_the_register_ends_later(self, held: OperatedStack, at: Callable[[datetime], None]) -> None:
        at(ELECTION.register_ends_at - SECOND)
        assert held.run("purge", "--yes").exit_code == 0
        assert left(held) == dict.fromkeys(ALL, 0) | {"register": VOTERS}
        at(ELECTION.register_ends_at)
        assert held.run("purge", "--yes").exit_code == 0
        assert left(held) == dict.fromkeys(ALL, 0)

    def test_an_item_with_an_end_of_its_own_goes_by_that(self, held: OperatedStack) -> None:
        ends = {
            ("sign-in", "challenge"): timedelta(minutes=10),
            ("sign-in", "session"): timedelta(minutes=60),
            ("sign-in", "codes"): timedelta(days=2),
            ("codes", "code"): timedelta(days=1, minutes=10),
            ("deliveries", "reissue"): timedelta(days=RETENTION.deliveries_days),
            ("pace", "pace"): timedelta(days=3),
            ("limits", "phone"): timedelta(days=RETENTION.deliveries_days),
        }
        for (table, kind), after in ends.items():
            for instant, due in ((LAST_REISSUE + after - SECOND, 0), (LAST_REISSUE + after, 1)):
                tally = start(held, held.dynamodb, instant).tallies[table][kind]
                assert (tally.due, tally.kept) == (due, 1 - due), kind

    def test_an_item_without_any_end_goes_with_the_roll(
        self, held: OperatedStack, at: Callable[[datetime], None]
    ) -> None:
        held.dynamodb.put_item(TableName=held.stack.limits_table, Item=to_wire({"key": "odd"}))
        at(ELECTION.roll_ends_at - SECOND)
        held.run("purge", "--yes")
        assert [item["key"] for item in held.items(held.stack.limits_table)] == ["odd"]
        at(ELECTION.roll_ends_at)
        held.run("purge", "--yes")
        assert left(held)["limits"] == 0

    def test_twice_is_once(self, held: OperatedStack, at: Callable[[datetime], None]) -> None:
        at(ELECTION.roll_ends_at)
        held.run("purge", "--yes")
        before = left(held)
        status, content = held.run_json("purge")
        assert (status, content["due"], content["removed"], content["complete"]) == (0, 0, 0, True)
        assert left(held) == before


class TestRefusal:
    """While voters are served nothing is purged."""

    @pytest.mark.parametrize(
        "instant",
        [
            ELECTION.windows.reissue.opens_at,
            ELECTION.windows.voting.opens_at,
            ELECTION.windows.voting.closes_at - SECOND,
        ],
    )
    def test_the_election_is_under_way(
        self, held: OperatedStack, at: Callable[[datetime], None], instant: datetime
    ) -> None:
        at(instant)
        result = held.run("purge", "--yes")
        assert (result.exit_code, result.stdout) == (1, "")
        closes_at = iso(ELECTION.windows.voting.closes_at)
        assert result.stderr == f"reassort: the election is under way until {closes_at}: nothing is purged before\n"
        assert left(held) == ALL

    def test_at_the_close_of_the_ballot_it_may_be_looked_at(
        self, held: OperatedStack, at: Callable[[datetime], None]
    ) -> None:
        at(ELECTION.windows.voting.closes_at)
        assert held.run("purge").exit_code == 0
        assert left(held) == ALL

    def test_the_election_file_is_of_an_earlier_ballot(
        self, held: OperatedStack, at: Callable[[datetime], None]
    ) -> None:
        voter = held.items(held.stack.voters_table)[0]
        voter["issued_at"].append(epoch_milliseconds(ELECTION.windows.voting.closes_at))
        held.dynamodb.put_item(TableName=held.stack.voters_table, Item=to_wire(voter))
        at(ELECTION.roll_ends_at)
        result = held.run("purge", "--yes")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "deploy the one with the dates of this ballot" in result.stderr
        assert left(held) == ALL


class TestAgreement:
    """Nothing is removed unless somebody says so."""

    @pytest.fixture(autouse=True)
    def ended(self, held: OperatedStack, at: Callable[[datetime], None]) -> None:
        assert left(held) == ALL
        at(ELECTION.roll_ends_at)

    @pytest.mark.parametrize("flags", [[], ["--dry-run"], ["--dry-run", "--yes"], ["--json"]])
    def test_away_from_a_terminal_it_only_shows(self, held: OperatedStack, flags: list[str]) -> None:
        result = held.run("purge", *flags)
        assert (result.exit_code, result.stderr) == (3, "")
        assert left(held) == ALL

    def test_what_is_shown(self, held: OperatedStack) -> None:
        ends, later = iso(ELECTION.roll_ends_at), iso(ELECTION.register_ends_at)
        assert held.run("purge").stdout.splitlines() == [
            f"reassort (dijon-2018) at {ends}",
            "table        kind          to remove      kept  until",
            "sign-in      challenge             1         0  the end of each item",
            "sign-in      codes                 1         0  the end of each item",
            "sign-in      session               1         0  the end of each item",
            "limits       phone                 1         0  the end of each item",
            "pace         pace                  1         0  the end of each item",
            "codes        code                  1         0  the end of each item",
            "deliveries   reissue               1         0  the end of each item",
            f"identifiers  identifier            5         0  {ends}",
            f"NUMENs       NUMEN                 5         0  {ends}",
            f"voters       voter                 5         0  {ends}",
            f"register     issued                0         5  {later}",
            "22 to remove",
            "the register can be verified and signed only as long as the voters are there: reassort register export",
            "nothing removed",
        ]

    def test_columns_are_as_wide_as_what_stands_in_them(
        self, held: OperatedStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(command, "state_word", lambda word: f"{word} of a voter")
        french = gettext.translation(language.DOMAIN, language.FOLDER, languages=["fr"])
        monkeypatch.setattr(language, "LANGUAGE", "fr")
        monkeypatch.setattr(language, "_CATALOGUE", french)
        assert held.run("purge").stdout.splitlines()[1:3] == [
            "table                  nature                 à supprimer    gardés  jusqu’à",
            "sign-in of a voter     challenge of a voter             1         0  la fin de chaque élément",
        ]

    @pytest.mark.parametrize(("answer", "status", "removed"), [(True, 0, True), (False, 3, False)])
    def test_on_a_terminal_it_asks(
        self,
        held: OperatedStack,
        monkeypatch: pytest.MonkeyPatch,
        screen: Screen,
        answer: bool,
        status: int,
        removed: bool,
    ) -> None:
        monkeypatch.setattr(command, "may_ask", lambda: True)
        monkeypatch.setattr(command, "confirmed", lambda _: answer)
        result = held.run("purge")
        assert result.exit_code == status
        forgotten = "the tables' continuous backups forget them within 35 days"
        said = ["removed 22 of 22", forgotten] if removed else ["nothing removed"]
        assert result.stdout.splitlines()[15:] == said
        assert screen.colour(said[0]) == ("green" if removed else "")
        assert (left(held) == ALL) == (not removed)

    def test_what_a_program_reads_is_whole(self, held: OperatedStack) -> None:
        ends = iso(ELECTION.roll_ends_at)
        held_by_table = {
            "sign-in": ["challenge", "codes", "session"],
            "limits": ["phone"],
            "pace": ["pace"],
            "codes": ["code"],
            "deliveries": ["reissue"],
        }
        items = [(table, kind, 1, 0) for table, kinds in held_by_table.items() for kind in kinds]
        items += [("identifiers", "identifier", 5, 0), ("NUMENs", "NUMEN", 5, 0), ("voters", "voter", 5, 0)]
        assert held.run_json("purge") == (
            3,
            {
                "stack": "reassort",
                "election": "dijon-2018",
                "at": ends,
                "roll_ends_at": ends,
                "register_ends_at": iso(ELECTION.register_ends_at),
                "due": 22,
                "removed": 0,
                "renewed": 0,
                "complete": False,
                "items": [
                    {"table": table, "kind": kind, "due": due, "kept": kept, "removed": 0, "renewed": 0}
                    for table, kind, due, kept in [*items, ("register", "issued", 0, 5)]
                ],
            },
        )

    def test_ctrl_c_at_the_question(self, held: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(_: str) -> bool:
            raise typer.Abort

        monkeypatch.setattr(command, "may_ask", lambda: True)
        monkeypatch.setattr(command, "confirmed", interrupt)
        result = held.run("purge")
        assert (result.exit_code, result.stderr) == (130, "reassort: interrupted\n")
        assert left(held) == ALL


class Faulty:
    """A client of DynamoDB, before and after some of whose calls something happens."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.before: Callable[[int], None] = lambda _: None
        self.after: Callable[[int], None] = lambda _: None
        self.cancels: Callable[[int], bool] = lambda _: False
        self.calls = 0
        self.throttled_scans = 0

    def scan(self, **request: Any) -> Any:
        if self.throttled_scans:
            self.throttled_scans -= 1
            raise throttled()
        return self._client.scan(**request)

    def delete_item(self, **request: Any) -> Any:
        return self._faulty(lambda: self._client.delete_item(**request))

    def transact_write_items(self, TransactItems: list[Any]) -> Any:  # noqa: N803 - the API's own name
        assert len(TransactItems) <= 100
        assert {kind for action in TransactItems for kind in action} == {"Delete"}
        if self.cancels(self.calls + 1):
            self.calls += 1
            raise cancelled(len(TransactItems))
        return self._faulty(lambda: self._client.transact_write_items(TransactItems=TransactItems))

    def _faulty(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        number = self.calls
        self.before(number)
        answer = call()
        self.after(number)
        return answer


@pytest.fixture
def crowd(deployed: OperatedStack, tmp_path: Path, at: Callable[[datetime], None]) -> tuple[OperatedStack, Faulty]:
    """A stack whose roll has ended, of two transactions a table, and a faulty way to it."""
    at(IMPORTED_AT)
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(CROWD))).exit_code == 0
    at(ELECTION.roll_ends_at)
    return deployed, Faulty(deployed.dynamodb)


def start(deployed: OperatedStack, client: Any, now: datetime = ELECTION.roll_ends_at) -> Purge:
    """Return a purge that has counted."""
    purge = Purge(dynamodb=client, stack=deployed.stack, election=ELECTION, now=now.astimezone(UTC), threads=1)
    purge.count(lambda _: None)
    return purge


def throttled(code: str = "ProvisionedThroughputExceededException") -> ClientError:
    """Return a refusal."""
    return ClientError({"Error": {"Code": code, "Message": "slower"}}, "TransactWriteItems")


def cancelled(actions: int) -> ClientError:
    """Return how a transaction is refused of whose items one is busy."""
    reasons: Any = [{"Code": "None"}] * (actions - 1) + [{"Code": "TransactionConflict"}]
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "busy"},
        "CancellationReasons": reasons,
    }
    return ClientError(answer, "TransactWriteItems")


class TestPurgeFaults:
    """What AWS, the network and Ctrl-C do to a purge."""

    def test_a_cancelled_transaction_is_tried_again(self, crowd: tuple[OperatedStack, Faulty]) -> None:
        deployed, client = crowd
        client.cancels = lambda call: bool(call % 2)
        purge = start(deployed, client)
        progress: list[float] = []
        purge.remove(progress.append)
        assert (purge.due, purge.removed, sum(progress)) == (3 * CROWD,) * 3
        assert left(deployed) == dict.fromkeys(ALL, 0) | {"register": CROWD}

    def test_throttling_is_waited_out(self, crowd: tuple[OperatedStack, Faulty]) -> None:
        deployed, client = crowd

        def throttle(call: int) -> None:
            if call % 2:
                raise throttled()

        client.before = throttle
        client.throttled_scans = 1
        purge = start(deployed, client)
        client.throttled_scans = 1
        purge.remove(lambda _: None)
        assert (purge.due, purge.removed, client.throttled_scans) == (3 * CROWD, 3 * CROWD, 0)

    def test_throttling_without_end_is_one_line(
        self, crowd: tuple[OperatedStack, Faulty], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deployed, client = crowd
        client.cancels = lambda _: True
        monkeypatch.setattr(Aws, "dynamodb", lambda *_: client)
        result = deployed.run("purge", "--yes")
        assert result.exit_code == 1
        assert (
            result.stderr
            == "reassort: the tables are busy (TransactionCanceledException): run the same command again\n"
        )
        assert f"removed 0 of {3 * CROWD}" in result.stdout

    def test_a_lost_reply_is_no_renewal(self, held: OperatedStack) -> None:
        client = Faulty(held.dynamodb)

        def lose_reply(call: int) -> None:
            if call == 1:
                raise ReadTimeoutError(endpoint_url="https://dynamodb")

        client.after = lose_reply
        purge = start(held, client)
        purge.remove(lambda _: None)
        assert (purge.removed, purge.renewed) == (22, 0)

    def test_what_is_in_use_again_stays(self, held: OperatedStack) -> None:
        later = epoch_seconds(ELECTION.roll_ends_at) + 1

        def renew(call: int) -> None:
            if call == 1:
                for key in ("codes", "challenge#x", "session#x"):
                    item = {"voter_id": "voter", "key": key, "expires_at": later}
                    held.dynamodb.put_item(TableName=held.stack.sign_in_table, Item=to_wire(item))

        client = Faulty(held.dynamodb)
        client.before = renew
        purge = start(held, client)
        purge.remove(lambda _: None)
        assert (purge.removed, purge.renewed) == (19, 3)
        assert left(held)["sign-in"] == 3

    def test_a_refusal_of_aws_ends_it(self, crowd: tuple[OperatedStack, Faulty]) -> None:
        deployed, client = crowd

        def refuse(_: int) -> None:
            raise throttled("AccessDeniedException")

        client.before = refuse
        purge = start(deployed, client)
        with pytest.raises(ClientError):
            purge.remove(lambda _: None)
        assert (purge.removed, left(deployed)["identifiers"]) == (0, CROWD)

    def test_ctrl_c_lets_the_calls_under_way_finish(self, crowd: tuple[OperatedStack, Faulty]) -> None:
        deployed, client = crowd

        purge = start(deployed, client)

        def interrupt(call: int) -> None:
            if call == 3:
                # To the main thread, which waits for the others, as a terminal does; the call goes
                # on for as long as that takes to hear.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                assert purge._stopping.wait(60)

        client.after = interrupt
        with pytest.raises(KeyboardInterrupt):
            purge.remove(lambda _: None)
        gone = 3 * CROWD - sum(left(deployed)[table] for table in ROLL)
        assert purge.removed == gone == CROWD + 100
        again = start(deployed, deployed.dynamodb)
        again.remove(lambda _: None)
        assert again.removed == 3 * CROWD - gone

    def test_an_interrupted_purge_counts_what_it_removed_and_is_resumed(
        self, crowd: tuple[OperatedStack, Faulty], monkeypatch: pytest.MonkeyPatch, screen: Screen
    ) -> None:
        deployed, client = crowd

        def interrupt(call: int) -> None:
            # Both transactions of identifiers, and one of the two of NUMENs, have committed.
            if call == 4:
                raise KeyboardInterrupt

        client.before = interrupt
        monkeypatch.setattr(Aws, "dynamodb", lambda *_: client)
        result = deployed.run("purge", "--yes")
        assert (result.exit_code, result.stderr) == (130, "reassort: interrupted\n")
        gone, rest = CROWD + 100, 3 * CROWD - (CROWD + 100)
        assert f"removed {gone} of {3 * CROWD}\nrun the same command again to remove the rest\n" in result.stdout
        assert screen.colour("removed ") == ""
        kept = {"NUMENs": CROWD - 100, "voters": CROWD, "register": CROWD}
        assert left(deployed) == dict.fromkeys(ALL, 0) | kept
        status, content = deployed.run_json("purge", "--yes")
        assert (status, content["due"], content["removed"]) == (0, rest, rest)
        assert left(deployed) == dict.fromkeys(ALL, 0) | {"register": CROWD}
