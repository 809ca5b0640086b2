"""A person is one voter: a NUMEN under a second address is refused, or moves the voter there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from pyrage import decrypt, x25519
from reassort.tables import Action, ContentionError, write_all
from reassort.voters import IdentifierStatus, Voter, voter_from_item
from reassort_ops.roll import moving

from harness.elections import DATE_OF_BIRTH, write_election
from tests.unit.ops.rolls import Cells, identifier, row, rows, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack

pytestmark = pytest.mark.usefixtures("before_the_close")
NEW = "prenom.nom1@u-bourgogne.fr"
OUTCOMES = ("imported", "unchanged", "updated", "moved", "changed", "rejected")


def counts(content: dict[str, Any]) -> list[int]:
    return [content[name] for name in OUTCOMES]


def voter(deployed: OperatedStack, address: str) -> Voter:
    return voter_from_item(deployed.voter(address))


def changes(deployed: OperatedStack, address: str) -> list[str]:
    voter_id = deployed.keyed_hash.voter_id(address)
    entries = [entry for entry in deployed.items(deployed.stack.register_table) if entry["voter_id"] == voter_id]
    return [entry["change"] for entry in sorted(entries, key=lambda entry: entry["sequence"])]


def moved_row() -> Cells:
    return row(1, email=NEW, identifier=identifier(50))


def assert_verifies(deployed: OperatedStack) -> None:
    result = deployed.run("register", "verify")
    assert result.exit_code == 0, result.output


@pytest.mark.req("O4")
def test_a_person_with_a_second_address_is_refused_by_line_and_nothing_is_written(
    enrolled: OperatedStack, tmp_path: Path
) -> None:
    before = enrolled.everything()
    file = write_roll(tmp_path, [moved_row(), row(2)], "september.csv")
    result = enrolled.run("roll", "import", file)
    assert result.exit_code == 1
    assert (
        f"{file}:2: p•••@u-bourgogne.fr: rejected: the NUMEN is that of a voter with another address: "
        "`reassort roll import --move` or `reassort roll move` changes the address" in result.stdout
    )
    assert row(1).numen not in result.output
    assert row(1).email not in result.output
    assert enrolled.everything() == before
    errors = tmp_path / "erreurs.csv"
    enrolled.run("roll", "import", file, "--errors", errors)
    assert "2;numen;ce NUMEN est déjà celui d’un électeur inscrit à une autre adresse" in errors.read_text("utf-8-sig")


@pytest.mark.req("O4")
def test_nobody_is_moved_unless_somebody_agrees(enrolled: OperatedStack, tmp_path: Path) -> None:
    before = enrolled.everything()
    _, content = enrolled.run_json("roll", "import", write_roll(tmp_path, [moved_row()]), "--move")
    assert (counts(content), enrolled.everything()) == ([0, 0, 0, 0, 0, 1], before)


@pytest.mark.req("O4")
def test_an_import_moves_on_request_and_one_identifier_is_valid(enrolled: OperatedStack, tmp_path: Path) -> None:
    file = write_roll(tmp_path, [moved_row(), row(2), row(4)], "september.csv")
    status, content = enrolled.run_json("roll", "import", file, "--move", "--yes")
    assert (status, counts(content)) == (0, [1, 1, 0, 1, 0, 0])
    former, present = voter(enrolled, row(1).email), voter(enrolled, NEW)
    assert former.moved_to == present.voter_id
    assert former.identifier_status(1) is IdentifierStatus.REVOKED
    assert present.identifier_status(1) is IdentifierStatus.ACTIVE
    assert (present.numen_hash, present.establishment) == (former.numen_hash, former.establishment)
    assert (changes(enrolled, row(1).email), changes(enrolled, NEW)) == (["issued", "departed"], ["arrived"])
    numens = {item["numen_hash"]: item["voter_id"] for item in enrolled.items(enrolled.stack.numens_table)}
    assert numens[present.numen_hash] == present.voter_id
    assert len(numens) == 4
    assert_verifies(enrolled)
    before = enrolled.everything()
    status, content = enrolled.run_json("roll", "import", file, "--move", "--yes")
    assert (status, counts(content), enrolled.everything()) == (0, [0, 3, 0, 0, 0, 0], before)


@pytest.mark.req("O4")
def test_an_office_that_changes_the_address_alone_leaves_a_drawn_identifier(
    enrolled: OperatedStack, tmp_path: Path
) -> None:
    file = write_roll(tmp_path, [row(1, email=NEW)], "september.csv")
    status, content = enrolled.run_json("roll", "import", file, "--move", "--yes")
    assert (status, counts(content)) == (0, [0, 0, 0, 1, 0, 0])
    owners = [item["voter_id"] for item in enrolled.items(enrolled.stack.identifiers_table)]
    assert owners.count(voter(enrolled, NEW).voter_id) == owners.count(voter(enrolled, row(1).email).voter_id) == 1
    assert enrolled.run_json("roll", "import", file)[1]["unchanged"] == 1
    assert_verifies(enrolled)


@pytest.mark.req("O4")
def test_an_import_that_issues_mails_the_identifier_of_the_new_address(enrolled: OperatedStack, tmp_path: Path) -> None:
    identity = x25519.Identity.generate()
    mailing = tmp_path / "mailing.csv.age"
    file = tmp_path / "september.csv"
    cells = row(1, email=NEW)
    file.write_text(f"email;numen;establishment\n{NEW};{cells.numen};Rectorat\n", encoding="utf-8")
    options = ("--issue", mailing, "--recipient", identity.to_public(), "--move", "--yes")
    status, content = enrolled.run_json("roll", "import", file, *options)
    assert (status, counts(content), content["issued"]) == (0, [0, 0, 0, 1, 0, 0], 1)
    _, letter = decrypt(mailing.read_bytes(), [identity]).decode("utf-8-sig").splitlines()
    assert letter.startswith(f"{NEW};Rectorat;")
    assert (voter(enrolled, NEW).establishment, voter(enrolled, NEW).secretariat) == ("Rectorat", None)


@pytest.mark.req("O4")
def test_a_command_moves_and_moves_back(enrolled: OperatedStack) -> None:
    there = enrolled.run("roll", "move", row(1).email, NEW, "--reason", "affectation de septembre")
    assert (there.exit_code, there.stdout.splitlines()) == (
        0,
        [
            "p•••@ac-dijon.fr → p•••@u-bourgogne.fr: moved. The former identifier has ended",
            "the next one: the voter asks for it on the site, with the new address; or `reassort voter reissue`",
        ],
    )
    assert row(1).email not in there.output
    former, present = (enrolled.keyed_hash.voter_id(address) for address in (row(1).email, NEW))
    again = enrolled.run_json("roll", "move", row(1).email, NEW, "--reason", "encore")
    assert again == (0, {"moved": True, "former": former, "voter": present})
    assert changes(enrolled, NEW) == ["arrived"]
    back = enrolled.run("roll", "move", NEW, row(1).email, "--reason", "faute de frappe")
    assert back.exit_code == 0, back.output
    first = voter(enrolled, row(1).email)
    assert (first.left_at, first.moved_to, first.generation) == (None, None, 2)
    statuses = [first.identifier_status(generation) for generation in (1, 2)]
    assert statuses == [IdentifierStatus.REVOKED, IdentifierStatus.ACTIVE]
    assert voter(enrolled, NEW).identifier_status(1) is IdentifierStatus.REVOKED
    assert changes(enrolled, row(1).email) == ["issued", "departed", "arrived"]
    assert_verifies(enrolled)


@pytest.mark.req("O4")
def test_a_freeze_goes_with_the_person(enrolled: OperatedStack) -> None:
    enrolled.run("voter", "freeze", row(1).email, "--reason", "boîte piratée")
    assert enrolled.run("roll", "move", row(1).email, NEW, "--reason", "nouvelle boîte").exit_code == 0
    assert voter(enrolled, NEW).identifier_status(1) is IdentifierStatus.FROZEN
    assert changes(enrolled, NEW) == ["arrived", "frozen"]
    assert_verifies(enrolled)
    assert enrolled.run("voter", "unfreeze", NEW, "--reason", "vérifié").exit_code == 0
    assert_verifies(enrolled)


@pytest.mark.req("O4")
@pytest.mark.parametrize(
    ("former", "present", "told"),
    [
        (row(9).email, NEW, "nobody with the former address is on the stack"),
        (row(1).email, row(2).email, "the new address is, or was, another voter's"),
        (row(1).email, row(1).email, "both addresses are the same"),
        (row(1).email, "a.b@gmail.com", "an address is not of a domain of the election"),
        ("x@", NEW, "an address is not of the form"),
    ],
)
def test_what_cannot_be_moved_is_told_in_one_line(
    enrolled: OperatedStack, former: str, present: str, told: str
) -> None:
    before = enrolled.everything()
    result = enrolled.run("roll", "move", former, present, "--reason", "test")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert told in result.stderr
    assert "nom" not in result.stderr.replace("prenom.nom@domaine.fr", "")
    assert enrolled.everything() == before


@pytest.mark.req("O4")
def test_nobody_is_moved_after_the_vote_or_the_ballot(enrolled: OperatedStack, tmp_path: Path) -> None:
    voter_id = enrolled.keyed_hash.voter_id(row(1).email)
    enrolled.dynamodb.update_item(
        TableName=enrolled.stack.voters_table,
        Key={"voter_id": {"S": voter_id}},
        UpdateExpression="SET voted_at = :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    result = enrolled.run("roll", "move", row(1).email, NEW, "--reason", "test")
    assert (result.exit_code, "the voter has voted" in result.stderr) == (1, True)
    file = write_roll(tmp_path, [moved_row()], "september.csv")
    _, content = enrolled.run_json("roll", "import", file, "--move", "--yes")
    assert counts(content) == [0, 0, 0, 0, 0, 1]
    assert content["differences"][0]["reason"] == "the voter has voted: nothing of them is changed any more"
    with time_machine.travel(datetime(2018, 12, 7, 9, tzinfo=UTC)):
        late = enrolled.run("roll", "move", row(2).email, NEW, "--reason", "test")
        assert (late.exit_code, "the ballot closed" in late.stderr) == (1, True)


@pytest.mark.req("O4")
def test_a_further_proof_is_bound_to_the_address_and_comes_from_a_file(deployed: OperatedStack, tmp_path: Path) -> None:
    deployed.elections = write_election(tmp_path, "dijon-2018", extra_proof=DATE_OF_BIRTH).parent
    file = tmp_path / "roll.csv"
    file.write_text(with_column(to_csv(rows(1)), "extra_proof", ["17/03/1968"]), encoding="utf-8")
    deployed.run("roll", "import", file)
    refused = deployed.run("roll", "move", row(1).email, NEW, "--reason", "test")
    assert (refused.exit_code, "`reassort roll import --move`" in refused.stderr) == (1, True)
    file.write_text(with_column(to_csv([moved_row()]), "extra_proof", ["17/03/1968"]), encoding="utf-8")
    status, content = deployed.run_json("roll", "import", file, "--move", "--yes")
    assert (status, content["moved"]) == (0, 1)
    present = voter(deployed, NEW)
    assert present.extra_proof_hash == deployed.keyed_hash.extra_proof(present.voter_id, "1968-03-17")
    assert_verifies(deployed)


@pytest.mark.req("O4")
@pytest.mark.parametrize("committed", [True, False])
def test_a_move_whose_answer_is_lost_is_made_once(
    enrolled: OperatedStack, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    tries: list[int] = []

    def lose_first(dynamodb: Any, actions: Sequence[Action], token: str | None = None) -> None:
        tries.append(len(actions))
        if len(tries) > 1 or committed:
            write_all(dynamodb, actions, token)
        if len(tries) == 1:
            raise ContentionError("TransactionInProgressException")

    monkeypatch.setattr(moving, "write_all", lose_first)
    assert enrolled.run("roll", "move", row(1).email, NEW, "--reason", "test").exit_code == 0
    assert (changes(enrolled, row(1).email), changes(enrolled, NEW)) == (["issued", "departed"], ["arrived"])


@pytest.mark.req("O4")
def test_a_former_address_is_nobody_elses(enrolled: OperatedStack, tmp_path: Path) -> None:
    enrolled.run("roll", "move", row(1).email, NEW, "--reason", "test")
    reused = row(7, email=row(1).email)
    _, content = enrolled.run_json("roll", "import", write_roll(tmp_path, [reused], "reused.csv"))
    assert content["differences"][0]["reason"] == "the address is the former one of a voter with another NUMEN"


@pytest.mark.req("O4")
class TestNumensCorrected:
    """`--update` keeps each NUMEN one voter's."""

    def test_one_that_another_voter_keeps_is_refused(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        before = enrolled.everything()
        file = write_roll(tmp_path, [row(1, numen=row(2).numen)], "wrong.csv")
        _, content = enrolled.run_json("roll", "import", file, "--update", "--yes")
        assert counts(content) == [0, 0, 0, 0, 0, 1]
        assert "the NUMEN is another voter's on the stack" in content["differences"][-1]["reason"]
        assert enrolled.everything() == before

    @pytest.mark.parametrize("order", [(2, 3, 1), (2, 1, 3), (2, 3, 9), (9, 1, 2)])
    def test_those_that_a_file_exchanges_or_shifts_are_written(
        self, enrolled: OperatedStack, tmp_path: Path, order: tuple[int, ...]
    ) -> None:
        shifted = [row(place, numen=row(number).numen) for place, number in enumerate(order, 1)]
        status, content = enrolled.run_json(
            "roll", "import", write_roll(tmp_path, shifted, "shifted.csv"), "--update", "--yes"
        )
        assert (status, content["updated"]) == (0, sum(place != number for place, number in enumerate(order, 1)))
        assert_verifies(enrolled)
        owned = {item["voter_id"] for item in enrolled.items(enrolled.stack.numens_table)}
        assert owned == {voter(enrolled, row(number).email).voter_id for number in (1, 2, 3)}
        assert len(enrolled.items(enrolled.stack.numens_table)) == 3
