"""`reassort roll import`: all or nothing for each voter, twice is once, and every row is accounted
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from reassort.keyed_hash import Purpose
from reassort.numen import normalise_numen
from reassort.register import GENESIS, Change, Entry
from reassort.tables import Action, ContentionError, to_wire
from reassort.voters import IdentifierStatus, voter_from_item
from reassort_ops.account.stack import Aws
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.file import open_roll
from reassort_ops.roll.importing import Balance, RollImport, RowOutcome, Settled
from reassort_ops.roll.writes import TransactionWriter

from harness.elections import DATE_OF_BIRTH, write_election
from harness.engines.engine import REGION
from tests.register_chain import broken_links
from tests.unit.ops.conftest import OperatedStack, make_stack
from tests.unit.ops.rolls import ELECTION, row, rows, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

AT = 1_543_480_000_000


def balance(content: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return what was imported, unchanged, changed, rejected, once it is sure that no row is
    missing.
    """
    parts = tuple(content[outcome] for outcome in ("imported", "unchanged", "changed", "rejected"))
    assert content["read"] == sum(parts) + content["not_reached"]
    return parts


class TestImport:
    """The command on a stack."""

    def test_a_voter_is_enrolled_with_identifier_and_register_entry(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        one = row(1)
        assert deployed.run("roll", "import", write_roll(tmp_path, [one])).exit_code == 0
        voter = voter_from_item(deployed.voter(one.email))
        assert voter.numen_hash == deployed.keyed_hash.hash(Purpose.NUMEN, normalise_numen(one.numen))
        assert (voter.establishment, voter.secretariat) == (one.establishment, one.secretariat)
        assert (voter.generation, voter.identifier_status(1)) == (1, IdentifierStatus.ACTIVE)
        assert deployed.items(deployed.stack.identifiers_table) == [
            {
                "identifier_hash": deployed.keyed_hash.hash(Purpose.IDENTIFIER, one.identifier.replace("-", "")),
                "voter_id": voter.voter_id,
                "generation": 1,
            }
        ]
        entries = deployed.items(deployed.stack.register_table)
        assert broken_links(entries) == []
        assert entries[-1]["hash"] == voter.chain_head
        assert (entries[0]["change"], entries[0]["generation"], entries[0]["at"]) == ("issued", 1, voter.issued_at[0])
        # The name that moto's own credentials have.
        assert entries[0]["actor"] == "import:moto"

    @pytest.mark.req("I9")
    def test_a_second_import_changes_nothing(self, deployed: OperatedStack, tmp_path: Path) -> None:
        file = write_roll(tmp_path, rows(80))
        status, first = deployed.run_json("roll", "import", file)
        assert (status, balance(first)) == (0, (80, 0, 0, 0))
        before = deployed.everything()
        assert [len(items) for items in before] == [80, 80, 80]
        status, second = deployed.run_json("roll", "import", file)
        assert (status, balance(second)) == (0, (0, 80, 0, 0))
        assert deployed.everything() == before

    def test_an_import_that_stopped_is_resumed_by_running_it_again(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        deployed.run("roll", "import", write_roll(tmp_path, rows(40), "part.csv"))
        status, content = deployed.run_json("roll", "import", write_roll(tmp_path, rows(100)))
        assert (status, balance(content)) == (0, (60, 40, 0, 0))

    def test_a_voter_who_differs_is_reported_and_left_alone(self, deployed: OperatedStack, tmp_path: Path) -> None:
        deployed.run("roll", "import", write_roll(tmp_path, rows(6)))
        before = deployed.everything()
        other = row(99)
        changed = [
            row(1, numen=other.numen),
            row(2, establishment="Lycée du Morvan"),
            row(3, secretariat=""),
            row(4, identifier=other.identifier),
            row(5, identifier=row(6).identifier),
            row(6, identifier=row(5).identifier),
        ]
        file = write_roll(tmp_path, changed, "changed.csv")
        status, content = deployed.run_json("roll", "import", file)
        assert (status, balance(content)) == (1, (0, 0, 6, 0))
        assert [(one["line"], one["differing"]) for one in content["differences"]] == [
            (2, ["numen"]),
            (3, ["establishment"]),
            (4, ["secretariat"]),
            (5, ["identifier"]),
            (6, ["identifier"]),
            (7, ["identifier"]),
        ]
        assert deployed.everything() == before
        assert deployed.run("roll", "import", file).stdout.splitlines()[:4] == [
            f"{file}:2: p•••@ac-dijon.fr: numen: differs",
            f"{file}:3: p•••@ac-dijon.fr: establishment: Collège Les Trois-Rivières, Auxonne → Lycée du Morvan",
            f"{file}:4: p•••@ac-dijon.fr: secretariat: Secrétariat de la principale → (none)",
            f"{file}:5: p•••@ac-dijon.fr: identifier: differs; an import never changes it: "
            "`reassort voter reissue` gives the voter the next one",
        ]

    @pytest.mark.req("S9")
    def test_a_further_proof_is_kept_as_a_hash_of_the_voters_own_and_compared(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        deployed.elections = write_election(tmp_path, "dijon-2018", extra_proof=DATE_OF_BIRTH).parent
        file = tmp_path / "roll.csv"
        file.write_text(with_column(to_csv(rows(2)), "extra_proof", ["17/03/1968"] * 2), encoding="utf-8")
        assert balance(deployed.run_json("roll", "import", file)[1]) == (2, 0, 0, 0)
        voters = [voter_from_item(deployed.voter(row(number).email)) for number in (1, 2)]
        assert [voter.extra_proof_hash for voter in voters] == [
            deployed.keyed_hash.extra_proof(voter.voter_id, "1968-03-17") for voter in voters
        ]
        assert voters[0].extra_proof_hash != voters[1].extra_proof_hash
        kept = str(deployed.everything())
        assert not [written for written in ("17/03/1968", "1968-03-17", "17031968", "19680317") if written in kept]
        file.write_text(with_column(to_csv(rows(2)), "extra_proof", ["1968-03-17", "18/03/1968"]), encoding="utf-8")
        status, content = deployed.run_json("roll", "import", file)
        assert (status, balance(content)) == (1, (0, 1, 1, 0))
        assert [(one["line"], one["differing"]) for one in content["differences"]] == [(3, ["extra_proof"])]

    def test_voters_who_were_imported_without_the_further_proof_differ(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        deployed.elections = write_election(tmp_path, "dijon-2018", extra_proof=DATE_OF_BIRTH).parent
        file = tmp_path / "roll.csv"
        file.write_text(with_column(to_csv(rows(1)), "extra_proof", ["17/03/1968"]), encoding="utf-8")
        _, content = deployed.run_json("roll", "import", file)
        assert [one["differing"] for one in content["differences"]] == [["extra_proof"]]

    def test_a_voter_who_was_reissued_since_is_unchanged(self, deployed: OperatedStack, tmp_path: Path) -> None:
        file = write_roll(tmp_path, rows(1))
        deployed.run("roll", "import", file)
        deployed.dynamodb.update_item(
            TableName=deployed.stack.voters_table,
            Key={"voter_id": {"S": deployed.keyed_hash.voter_id(row(1).email)}},
            UpdateExpression="SET generation = :two, issued_at = list_append(issued_at, :at)",
            ExpressionAttributeValues=to_wire({":two": 2, ":at": [AT]}),
        )
        assert balance(deployed.run_json("roll", "import", file)[1]) == (0, 1, 0, 0)

    def test_an_identifier_of_another_voter_is_rejected(self, deployed: OperatedStack, tmp_path: Path) -> None:
        deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        stolen = row(2, identifier=row(1).identifier)
        status, content = deployed.run_json("roll", "import", write_roll(tmp_path, [stolen, row(3)], "more.csv"))
        assert (status, balance(content)) == (1, (1, 0, 0, 1))
        assert content["differences"] == [
            {
                "line": 2,
                "address": "p•••@ac-dijon.fr",
                "outcome": "rejected",
                "differing": [],
                "changes": [],
                "reason": "the identifier is another voter's on the stack",
            }
        ]
        assert len(deployed.items(deployed.stack.voters_table)) == 2

    def test_a_voter_of_whom_only_the_register_knows_is_rejected(self, deployed: OperatedStack, tmp_path: Path) -> None:
        voter_id = deployed.keyed_hash.voter_id(row(2).email)
        entry = Entry(voter_id, 1, Change.ISSUED, 1, AT, "import:x", "", GENESIS)
        deployed.dynamodb.put_item(TableName=deployed.stack.register_table, Item=to_wire(entry.to_item()))
        status, content = deployed.run_json("roll", "import", write_roll(tmp_path, rows(3)))
        assert (status, balance(content)) == (1, (2, 0, 0, 1))
        assert content["differences"][0]["line"] == 3


class TestFaultyRoll:
    """A roll with faults."""

    def test_nothing_is_imported(self, deployed: OperatedStack, tmp_path: Path) -> None:
        file = write_roll(tmp_path, [row(1), row(2, numen="x"), row(3)])
        status, content = deployed.run_json("roll", "import", file)
        assert (status, balance(content), content["faulty"]) == (1, (0, 0, 0, 3), 1)
        assert deployed.everything() == [[], [], []]
        result = deployed.run("roll", "import", file)
        assert f"{file}:3: numen: is not of the form 09E9900123ABC" in result.stdout
        assert "nothing imported: 1 of 3 rows have faults" in result.stdout

    def test_the_other_rows_are_imported_on_request(self, deployed: OperatedStack, tmp_path: Path) -> None:
        file = write_roll(tmp_path, [row(1), row(2, numen="x"), row(3), row(4, email=row(5).email), row(5)])
        status, content = deployed.run_json("roll", "import", file, "--skip-invalid")
        assert (status, balance(content), content["faulty"]) == (1, (2, 0, 0, 3), 3)
        assert sorted(item["voter_id"] for item in deployed.items(deployed.stack.voters_table)) == sorted(
            deployed.keyed_hash.voter_id(row(number).email) for number in (1, 3)
        )


class TestStack:
    """The stack that `--stack` names."""

    @pytest.mark.parametrize("name", ["elsewhere"])
    def test_there_is_none(self, deployed: OperatedStack, tmp_path: Path, name: str) -> None:
        deployed.stack = type(deployed.stack)(**{**vars(deployed.stack), "name": name})
        result = deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        assert (result.exit_code, result.stderr) == (1, "reassort: no stack elsewhere in eu-west-3\n")

    def test_it_is_of_something_else(self, deployed: OperatedStack, tmp_path: Path) -> None:
        make_stack("other", {"ElectionId": "dijon-2018"})
        deployed.stack = type(deployed.stack)(**{**vars(deployed.stack), "name": "other"})
        result = deployed.run("roll", "import", write_roll(tmp_path, rows(1)))
        assert (result.exit_code, result.stderr) == (
            1,
            "reassort: stack other has no output VotersTable: is it a stack of this service?\n",
        )


class FaultyWriter(TransactionWriter):
    """A writer that runs `fault` after a write has committed; the fault may raise."""

    def __init__(self, fault: Callable[[int], None]) -> None:
        super().__init__(Aws(region=REGION).session, 1)
        self._fault = fault
        self._writes = 0

    def write(self, actions: Sequence[Action], token: str) -> None:
        super().write(actions, token)
        self._writes += 1
        self._fault(self._writes)


def run_import(
    deployed: OperatedStack,
    file: Path,
    fault: Callable[[int], None] = lambda _: None,
    settled: Callable[[Sequence[Settled]], None] = lambda _: None,
) -> Balance:
    """Import a roll with one thread; count what `settle` is told even when the import raises."""
    roll = open_roll(file)
    checked = check_roll(roll, ELECTION, print)
    result = Balance(checked.read)
    run = RollImport(
        reader=deployed.dynamodb,
        writer=FaultyWriter(fault),
        stack=deployed.stack,
        enroller=Enroller(deployed.keyed_hash, "import:test", AT),
    )

    def settle(batch: Sequence[Settled]) -> None:
        for one in batch:
            result.counts[one.outcome] += 1
        settled(batch)

    try:
        run.run(valid_rows(roll, ELECTION, checked), settle, 1)
    except (ClientError, KeyboardInterrupt, ContentionError) as error:
        error.add_note(str(result.counts[RowOutcome.IMPORTED]))
        raise
    return result


class TestFaultsOfTheNetwork:
    """An import under faults."""

    def test_a_lost_reply_counts_as_imported(self, deployed: OperatedStack, tmp_path: Path) -> None:
        def lose_reply(write: int) -> None:
            if write == 1:
                raise ReadTimeoutError(endpoint_url="https://dynamodb")

        result = run_import(deployed, write_roll(tmp_path, rows(40)), lose_reply)
        assert result.counts[RowOutcome.IMPORTED] == 40
        assert result.is_complete

    def test_contention_is_waited_out(self, deployed: OperatedStack, tmp_path: Path) -> None:
        class Contended(FaultyWriter):
            tries = 0

            def write(self, actions: Sequence[Action], token: str) -> None:
                self.tries += 1
                if self.tries % 2:
                    raise ContentionError("ThrottlingException")
                super().write(actions, token)

        roll = open_roll(write_roll(tmp_path, rows(70)))
        checked = check_roll(roll, ELECTION, print)
        outcomes: list[RowOutcome] = []
        run = RollImport(
            reader=deployed.dynamodb,
            writer=Contended(lambda _: None),
            stack=deployed.stack,
            enroller=Enroller(deployed.keyed_hash, "import:test", AT),
        )
        run.run(
            valid_rows(roll, ELECTION, checked), lambda batch: outcomes.extend(one.outcome for one in batch), threads=1
        )
        assert outcomes == [RowOutcome.IMPORTED] * 70

    def test_what_was_imported_before_a_failure_is_counted_and_resumed(
        self, deployed: OperatedStack, tmp_path: Path
    ) -> None:
        def refuse(write: int) -> None:
            if write >= 3:
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "TransactWriteItems")

        file = write_roll(tmp_path, rows(100))
        with pytest.raises(ClientError) as failure:
            run_import(deployed, file, refuse)
        # Which of the transactions (33, 33, 33 and 1 voters) come before the failure is up to the
        # threads.
        assert 0 < int(failure.value.__notes__[0]) < 100
        again = run_import(deployed, file)
        assert again.is_complete
        assert [len(items) for items in deployed.everything()] == [100, 100, 100]

    def test_ctrl_c_leaves_whole_voters(self, deployed: OperatedStack, tmp_path: Path) -> None:
        def interrupt(_: Sequence[Settled]) -> None:
            if not interrupted:
                interrupted.append(True)
                raise KeyboardInterrupt

        interrupted: list[bool] = []
        file = write_roll(tmp_path, rows(132))
        with pytest.raises(KeyboardInterrupt) as failure:
            run_import(deployed, file, settled=interrupt)
        counts = {len(items) for items in deployed.everything()}
        assert len(counts) == 1
        assert 0 < int(failure.value.__notes__[0]) <= counts.pop() < 132
        assert run_import(deployed, file).is_complete
