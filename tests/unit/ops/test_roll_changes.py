"""The roll lives: removals, the way back, corrections, and who is not in the file any more."""

from __future__ import annotations

import csv
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from reassort.keyed_hash import HashKey, KeyedHash
from reassort.voters import IdentifierStatus, voter_from_item
from reassort_ops.commands import roll_changes
from reassort_ops.commands.target import Target

from harness.elections import DATE_OF_BIRTH, write_election
from tests.unit.ops.rolls import row, rows, to_csv, with_column, write_roll

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack, Screen

pytestmark = pytest.mark.usefixtures("before_the_close")
REASON = ("--reason", "liste de septembre")


def pseudonym(deployed: OperatedStack, number: int) -> str:
    return deployed.keyed_hash.voter_id(row(number).email)


def status(deployed: OperatedStack, number: int) -> IdentifierStatus:
    return voter_from_item(deployed.voter(row(number).email)).identifier_status(1)


def written(folder: Path, text: str) -> Path:
    path = folder / "changes.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.req("O5")
class TestLeaving:
    """`roll remove` and `roll restore`."""

    def test_by_address_and_by_pseudonym_and_back(self, enrolled: OperatedStack) -> None:
        two = pseudonym(enrolled, 2)
        result = enrolled.run("roll", "remove", row(1).email, two, *REASON)
        assert (result.exit_code, result.stdout) == (0, f"p•••@ac-dijon.fr: removed\n{two}: removed\n")
        assert [status(enrolled, number) for number in (1, 2, 3)] == ["frozen", "frozen", "active"]
        told = [
            {"voter": pseudonym(enrolled, 1), "outcome": "restored", "reason": ""},
            {"voter": pseudonym(enrolled, 3), "outcome": "unchanged", "reason": ""},
        ]
        assert enrolled.run_json("roll", "restore", row(1).email, row(3).email, *REASON) == (
            0,
            {"stack": "reassort", "voters": told, "restored": 1, "unchanged": 1, "refused": 0},
        )
        assert status(enrolled, 1) == "active"
        verified = enrolled.run("register", "verify")
        assert verified.exit_code == 0
        assert "3 voters, 1 of them removed from the roll, 6 entries, 0 faults" in verified.stdout

    def test_a_pseudonym_that_begins_with_a_dash_is_no_option(self, deployed: OperatedStack, tmp_path: Path) -> None:
        number = next(number for number in count(1) if pseudonym(deployed, number).startswith("-"))
        assert deployed.run("roll", "import", write_roll(tmp_path, [row(number)])).exit_code == 0
        for command, told, after in (("remove", "removed", "frozen"), ("restore", "restored", "active")):
            result = deployed.run("roll", command, pseudonym(deployed, number), *REASON)
            assert (result.exit_code, result.stdout) == (0, f"{pseudonym(deployed, number)}: {told}\n")
            assert status(deployed, number) == after

    def test_who_cannot_be_removed_holds_up_nobody_else(self, enrolled: OperatedStack, screen: Screen) -> None:
        result = enrolled.run("roll", "remove", row(9).email, row(1).email, *REASON)
        assert (result.exit_code, status(enrolled, 1)) == (1, "frozen")
        assert "refused: nobody with this address or pseudonym is on the stack" in result.stdout
        assert "nom9" not in result.output
        assert [screen.colour(part) for part in (": refused", ": removed")] == ["red", ""]

    @pytest.mark.parametrize("reason", ["Mme Martin", "0612345678", ""])
    def test_a_reason_names_nobody(self, enrolled: OperatedStack, reason: str) -> None:
        result = enrolled.run("roll", "remove", row(1).email, "--reason", reason)
        assert (result.exit_code, status(enrolled, 1)) == (1, "active")

    def test_a_name_of_nothing_is_refused_before_anything_is_done(self, enrolled: OperatedStack) -> None:
        result = enrolled.run("roll", "remove", row(1).email, "Dupont", *REASON)
        assert (result.exit_code, status(enrolled, 1)) == (1, "active")
        assert "Dupont" not in result.stderr

    def test_an_import_does_not_bring_them_back(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        enrolled.run("roll", "remove", row(1).email, *REASON)
        code, content = enrolled.run_json("roll", "import", write_roll(tmp_path, rows(3)), "--update", "--yes")
        assert (code, content["unchanged"], content["rejected"]) == (1, 2, 1)
        told = "the voter was removed from the roll: `reassort roll restore` puts them back"
        assert content["differences"][0]["reason"] == told
        second = row(1, email="a.b@ac-dijon.fr", identifier=row(50).identifier)
        moved = enrolled.run_json("roll", "import", write_roll(tmp_path, [second], "b.csv"), "--move", "--yes")[1]
        assert (moved["rejected"], moved["differences"][0]["reason"]) == (1, told)


@pytest.mark.req("O5")
class TestMissing:
    """`roll missing`: on the stack and not in the file."""

    def test_no_cell_of_the_list_is_a_formula(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        late = row(4, establishment="=1+2")
        assert enrolled.run("roll", "import", write_roll(tmp_path, [late], "late.csv")).exit_code == 0
        gone = tmp_path / "gone.csv"
        enrolled.run("roll", "missing", write_roll(tmp_path, rows(3), "three.csv"), "--output", gone)
        assert ";'=1+2;" in gone.read_text(encoding="utf-8-sig")

    def test_they_are_told_by_pseudonym(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        before = enrolled.everything()
        file = written(tmp_path, f"email\n{row(2).email}\nnew.one@ac-dijon.fr\n")
        result = enrolled.run("roll", "missing", file)
        gone = sorted(pseudonym(enrolled, number) for number in (1, 3))
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            *(f"{voter}  {row(1).establishment}: active" for voter in gone),
            f"reassort: 3 voters, 2 of them not in {file}",
        ]
        assert enrolled.everything() == before

    def test_whoever_is_in_it_with_another_address_is_told_by_line(
        self, enrolled: OperatedStack, tmp_path: Path
    ) -> None:
        file = written(tmp_path, f"NUMEN;Courriel\n{row(1).numen};x.y@ac-dijon.fr\n{row(2).numen};{row(2).email}\n")
        enrolled.run("roll", "remove", row(3).email, *REASON)
        code, content = enrolled.run_json("roll", "missing", file)
        assert (code, content["voters"], content["rows"]) == (1, 2, 2)
        assert [(one["voter_id"], one["line"]) for one in content["missing"]] == [(pseudonym(enrolled, 1), 2)]
        told = f"{pseudonym(enrolled, 1)}  {row(1).establishment}: active; line 2 has another address"
        assert enrolled.run("roll", "missing", file).stdout.splitlines()[0] == told

    def test_the_list_can_be_written_and_its_voters_removed(
        self, enrolled: OperatedStack, screen: Screen, tmp_path: Path
    ) -> None:
        gone = tmp_path / "gone.csv"
        file = written(tmp_path, f"email;numen\n{row(2).email};{row(2).numen}\nx.y@ac-dijon.fr;{row(1).numen}\n")
        result = enrolled.run("roll", "missing", file, "--output", gone)
        told = f"reassort: 3 voters, 2 of them not in {file}, written to {gone}"
        assert (result.exit_code, result.stdout, screen.colour(told)) == (1, f"{told}\n", "")
        listed = list(csv.DictReader(gone.read_text("utf-8-sig").splitlines(), delimiter=";"))
        standing = {"establishment": row(1).establishment, "status": "active"}
        wanted = [{"voter": pseudonym(enrolled, one), **standing, "line": line} for one, line in ((1, "3"), (3, ""))]
        assert sorted(listed, key=lambda one: one["line"], reverse=True) == wanted
        refused = enrolled.run("roll", "missing", file, "--output", gone)
        assert (refused.exit_code, "--force overwrites it" in refused.stderr) == (1, True)
        assert enrolled.run("roll", "remove", *(one["voter"] for one in listed), *REASON).exit_code == 0
        assert enrolled.run("roll", "missing", file, "--output", gone, "--force").exit_code == 0
        assert screen.colour("1 voters, 0 of them") == "green"

    @pytest.mark.parametrize(
        ("text", "told"), [("email\nx@\n", ["2: email: is not of the form prenom.nom@domaine.fr"]), ("email\n", [])]
    )
    def test_a_file_with_faults_is_not_compared(
        self, enrolled: OperatedStack, tmp_path: Path, text: str, told: list[str]
    ) -> None:
        file = written(tmp_path, text)
        result = enrolled.run("roll", "missing", file)
        assert (result.exit_code, "rows have faults" in result.stderr) == (1, True)
        assert result.stdout.splitlines() == [f"{file}:{one}" for one in told]
        assert enrolled.run("roll", "missing", file, "--json").stdout == ""


@pytest.mark.req("O5")
class TestCorrect:
    """`roll correct`: the columns of the file, and no others."""

    def test_one_establishment_needs_no_identifier_and_no_key(
        self, enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        derived: list[HashKey] = []

        def keyed_hash(target: Target, *keys: HashKey) -> KeyedHash:
            derived.extend(keys)
            return enrolled.keyed_hash

        monkeypatch.setattr(Target, "keyed_hash", keyed_hash)
        file = written(tmp_path, f"email;establishment\n{row(1).email};Lycée du Morvan\n{row(2).email};Rectorat\n")
        result = enrolled.run("roll", "correct", file, "--yes")
        assert (result.exit_code, derived) == (0, [HashKey.VOTER])
        assert result.stdout.splitlines() == [
            *(
                f"{file}:{line}: p•••@ac-dijon.fr: establishment: {row(1).establishment} → {new}"
                for line, new in ((2, "Lycée du Morvan"), (3, "Rectorat"))
            ),
            f"{file} → reassort: read 2 = unchanged 0 + updated 2 + changed 0 + rejected 0",
        ]
        voter = voter_from_item(enrolled.voter(row(1).email))
        assert (voter.establishment, voter.secretariat) == ("Lycée du Morvan", row(1).secretariat)
        assert enrolled.run("roll", "correct", file, "--yes").stdout.endswith(
            "read 2 = unchanged 2 + updated 0 + changed 0 + rejected 0\n"
        )
        assert enrolled.run("register", "verify").exit_code == 0

    def test_it_only_shows_unless_somebody_agrees(
        self, enrolled: OperatedStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = enrolled.everything()
        file = written(tmp_path, f"email;secretariat\n{row(1).email};\n{row(2).email};{row(2).secretariat}\n")
        assert enrolled.run("roll", "correct", file).exit_code == 1
        asked: list[str] = []
        monkeypatch.setattr(roll_changes, "may_ask", lambda: True)

        def refuse(question: str) -> bool:
            asked.append(question)
            return False

        monkeypatch.setattr(roll_changes, "confirmed", refuse)
        assert enrolled.run("roll", "correct", file).exit_code == 1
        assert (asked, enrolled.everything()) == (["Correct 1 voter?"], before)
        monkeypatch.setattr(roll_changes, "confirmed", lambda _: True)
        assert enrolled.run("roll", "correct", file).exit_code == 0
        assert voter_from_item(enrolled.voter(row(1).email)).secretariat is None

    def test_numens_are_exchanged_and_in_the_register(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        file = written(tmp_path, f"numen;email\n{row(2).numen};{row(1).email}\n{row(1).numen};{row(2).email}\n")
        code, content = enrolled.run_json("roll", "correct", file, "--yes")
        told: dict[str, Any] = {
            "address": "p•••@ac-dijon.fr",
            "outcome": "changed",
            "differing": ["numen"],
            "changes": [],
            "reason": "",
        }
        whole = {
            "file": str(file),
            "encoding": "UTF-8",
            "delimiter": ";",
            "election": "dijon-2018",
            "faults": [],
            "differences": [{"line": 2, **told}, {"line": 3, **told}],
            "stack": "reassort",
            "read": 2,
            "unchanged": 0,
            "updated": 2,
            "changed": 0,
            "rejected": 0,
        }
        assert (code, content) == (0, whole)
        again = whole | {"differences": [], "unchanged": 2, "updated": 0}
        assert enrolled.run_json("roll", "correct", file, "--yes") == (0, again)
        corrected = [one for one in enrolled.items(enrolled.stack.register_table) if one["change"] == "corrected"]
        # The name that moto's own credentials have.
        assert [one["actor"] for one in corrected] == ["import:moto"] * 2
        assert enrolled.run("register", "verify").exit_code == 0
        assert not any(row(number).numen in str(content) for number in (1, 2))

    def test_a_further_proof_alone_is_corrected(self, deployed: OperatedStack, tmp_path: Path) -> None:
        deployed.elections = write_election(tmp_path, "dijon-2018", extra_proof=DATE_OF_BIRTH).parent
        roll = written(tmp_path, with_column(to_csv(rows(1)), "extra_proof", ["17/03/1968"]))
        assert deployed.run("roll", "import", roll).exit_code == 0
        file = written(tmp_path, f"email;extra_proof\n{row(1).email};18/03/1968\n")
        assert deployed.run("roll", "correct", file, "--yes").exit_code == 0
        voter = voter_from_item(deployed.voter(row(1).email))
        assert voter.extra_proof_hash == deployed.keyed_hash.extra_proof(voter.voter_id, "1968-03-18")

    def test_who_is_not_on_the_roll_is_refused_by_line(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        enrolled.run("roll", "remove", row(1).email, *REASON)
        text = "email;establishment\n" + "".join(f"{row(number).email};Rectorat\n" for number in (1, 2, 9))
        errors = tmp_path / "errors.csv"
        file = written(tmp_path, text)
        result = enrolled.run("roll", "correct", file, "--yes", "--errors", errors)
        refused = "p•••@ac-dijon.fr: rejected: {}: `reassort roll {}`"
        assert (result.exit_code, result.stdout.splitlines()[1:]) == (
            1,
            [
                f"{file}:2: {refused.format('the voter was removed from the roll', 'restore')} puts them back",
                f"{file}:4: {refused.format('nobody with this address is on the stack', 'import')} adds voters",
                f"{file} → reassort: read 3 = unchanged 0 + updated 1 + changed 0 + rejected 2",
            ],
        )
        again = enrolled.run("roll", "correct", file, "--yes", "--errors", errors)
        assert (again.stdout, again.stderr) == ("", f"reassort: {errors}: is there already; --force overwrites it\n")
        reasons = dict[str, Any](
            (line["ligne"], line["motif"])
            for line in csv.DictReader(errors.read_text("utf-8-sig").splitlines(), delimiter=";")
        )
        assert reasons == {
            "2": "cet électeur a été radié de la liste électorale",
            "4": "aucun électeur n’est inscrit à cette adresse",
        }

    def test_nothing_is_corrected_of_a_file_with_a_fault(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        before = enrolled.everything()
        file = written(tmp_path, f"email;establishment\n{row(1).email};Rectorat\n{row(2).email};\n")
        code, content = enrolled.run_json("roll", "correct", file, "--yes")
        assert (code, content["rejected"], enrolled.everything()) == (1, 2, before)

    def test_a_file_without_rows_corrects_nothing(self, enrolled: OperatedStack, tmp_path: Path) -> None:
        file = written(tmp_path, "email;establishment\n")
        result = enrolled.run("roll", "correct", file, "--yes")
        said = f"{file} → reassort: read 0 = unchanged 0 + updated 0 + changed 0 + rejected 0\n"
        assert (result.exit_code, result.stdout) == (1, said)

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("email;identifier\na@ac-dijon.fr;X\n", "names no column that can be corrected"),
            ("establishment\nRectorat\n", "column email is missing"),
        ],
    )
    def test_a_file_without_what_is_needed(self, enrolled: OperatedStack, tmp_path: Path, text: str, told: str) -> None:
        result = enrolled.run("roll", "correct", written(tmp_path, text), "--yes")
        assert (result.exit_code, told in result.stderr) == (1, True)
