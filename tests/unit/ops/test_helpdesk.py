"""`reassort voter` on a stack with a roll."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from helpdesk.situation import ACTS, Act
from reassort.caller_codes import current_code
from reassort.clock import utc_now
from reassort.outbox import Channel, Message, Status, history_step, reissue_delivery_item
from reassort.reasons import Reason
from reassort.tables import to_wire

from harness.elections import read_election
from tests.register_chain import broken_links
from tests.unit.ops.conftest import OperatedStack
from tests.unit.ops.helpdesk_api import OPERATOR
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = row(1).email


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> OperatedStack:
    """A stack with five voters."""
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(5))).exit_code == 0
    return deployed


def lock(deployed: OperatedStack, failures: int) -> None:
    """Count wrong NUMENs of the first voter."""
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key={"voter_id": {"S": deployed.keyed_hash.voter_id(EMAIL)}},
        UpdateExpression="SET numen_failures = :n, numen_locked_until = :u",
        ExpressionAttributeValues=to_wire({":n": failures, ":u": 4_000_000_000_000}),
    )


def deliver(deployed: OperatedStack, reference: str) -> None:
    """Give the first voter a reissue whose SMS and confirmation failed and whose identifier now
    goes by e-mail.
    """
    voter_id = deployed.keyed_hash.voter_id(EMAIL)
    now = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
    at = int(now.timestamp() * 1000)
    item = reissue_delivery_item(
        reference=reference,
        voter_id=voter_id,
        generation=2,
        channel=Channel.SMS,
        destinations={Channel.SMS: "•• •• •• 56 78", Channel.EMAIL: "p•••@ac-dijon.fr"},
        phone_hash="phone",
        address=b"sealed",
        payload=b"sealed",
        request_hash="request",
        now=now,
        retention=read_election("dijon-2018").retention,
    )
    item["channel"] = "email"
    item["messages"]["confirmation"] |= {"status": "failed", "reason": "mailbox-full"}
    item["history"] += [
        history_step(at, Message.IDENTIFIER, Status.FAILED, Channel.SMS, Reason.UNKNOWN_NUMBER),
        history_step(at, Message.CONFIRMATION, Status.FAILED, None, Reason.MAILBOX_FULL),
    ]
    deployed.dynamodb.put_item(TableName=deployed.stack.deliveries_table, Item=to_wire(item))
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key={"voter_id": {"S": voter_id}},
        UpdateExpression="SET last_reference = :reference",
        ExpressionAttributeValues=to_wire({":reference": reference}),
    )


def chain(deployed: OperatedStack) -> list[dict[str, object]]:
    """Return the first voter's entries."""
    voter_id = deployed.keyed_hash.voter_id(EMAIL)
    entries = [entry for entry in deployed.items(deployed.stack.register_table) if entry["voter_id"] == voter_id]
    return sorted(entries, key=lambda entry: entry["sequence"])


class TestShow:
    """What is shown of a voter."""

    @pytest.mark.req("I7")
    def test_nothing_that_identifies_is_shown(self, enrolled: OperatedStack) -> None:
        one = row(1)
        for flags in ([], ["--json"]):
            result = enrolled.run("voter", "show", EMAIL.upper(), *flags)
            assert result.exit_code == 0
            assert "p•••@ac-dijon.fr" in result.stdout
            assert one.establishment in result.stdout
            for secret in (one.email, one.numen, one.identifier, one.identifier.replace("-", "")):
                assert secret not in result.stdout + result.stderr

    @pytest.mark.req("R10", "R11", "I2")
    def test_what_became_of_the_last_delivery_is_shown_with_its_reason(self, enrolled: OperatedStack) -> None:
        assert "reference" not in enrolled.run_json("voter", "show", EMAIL)[1]
        deliver(enrolled, "7K3M9-QWX2T")
        shown = enrolled.run_json("voter", "show", EMAIL)[1]
        assert shown["reference"] == "7K3M9-QWX2T"
        assert [step["name"] for step in shown["advice"]] == [
            "window-closed",
            "wait-for-delivery",
            "confirmation-failed",
        ]
        printed = enrolled.run("voter", "show", EMAIL).stdout
        assert "par courriel à p•••@ac-dijon.fr : en cours ; référence 7K3M9-QWX2T" in printed
        assert "SMS au •• •• •• 56 78 non remis : numéro inconnu." in printed
        assert "Courriel de confirmation non remis : boîte pleine." in printed

    def test_a_lock_is_shown(self, enrolled: OperatedStack) -> None:
        assert "Saisies" not in enrolled.run("voter", "show", EMAIL).stdout
        lock(enrolled, 5)
        assert "5 NUMEN faux, demandes bloquées jusqu’à" in enrolled.run("voter", "show", EMAIL).stdout
        lock(enrolled, 10)
        assert "jusqu’à ce que l’assistance les débloque" in enrolled.run("voter", "show", EMAIL).stdout

    @pytest.mark.parametrize(
        ("email", "reason"),
        [
            ("prenom.nom77@ac-dijon.fr", "no-such-voter"),
            ("prenom.nom1@gmail.com", "n’est pas d’un domaine"),
            ("prenom.nom1", "Saisissez une adresse professionnelle"),
        ],
    )
    def test_an_address_that_is_not_on_the_roll(self, enrolled: OperatedStack, email: str, reason: str) -> None:
        result = enrolled.run("voter", "show", email)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("reassort: ")
        assert reason in result.stderr
        assert result.stderr.count("\n") == 1
        assert email not in result.stderr


class TestLetIn:
    """A caller whom somebody keeps without a code."""

    @pytest.mark.req("S38")
    def test_lets_the_browser_of_that_number_in(self, enrolled: OperatedStack) -> None:
        voter_id = enrolled.keyed_hash.voter_id(EMAIL)
        bucket = {"voter_id": voter_id, "key": "codes", "full_at": 1, "last_at": 1}
        enrolled.dynamodb.put_item(TableName=enrolled.stack.sign_in_table, Item=to_wire(bucket))
        told = enrolled.run("voter", "let-in", EMAIL, "--number", "482 913")
        assert (told.exit_code, told.stdout.startswith("p•••@ac-dijon.fr : ")) == (0, True)
        code, done = enrolled.run_json("voter", "let-in", EMAIL, "--number", "482 913")
        assert (code, done["sheet"]["address"]) == (0, "p•••@ac-dijon.fr")
        assert "dix minutes" in done["done"]
        (kept,) = enrolled.items(enrolled.stack.sign_in_table)
        assert kept["let_in"] == "482913"

    @pytest.mark.parametrize(
        ("email", "number", "reason"),
        [(EMAIL, "48291", "6 chiffres"), ("a.b@ac-dijon.fr", "482913", "no-such-voter")],
    )
    def test_refuses_what_would_let_nobody_in(
        self, enrolled: OperatedStack, email: str, number: str, reason: str
    ) -> None:
        refused = enrolled.run("voter", "let-in", email, "--number", number)
        assert (refused.exit_code, reason in refused.stderr) == (1, True)
        assert not enrolled.items(enrolled.stack.sign_in_table)


class TestReference:
    """A voter who quotes the reference of a reissue."""

    def test_finds_the_voter_as_the_address_does(self, enrolled: OperatedStack) -> None:
        deliver(enrolled, "7K3M9-QWX2T")
        code, by_address = enrolled.run_json("voter", "show", EMAIL)
        assert code == 0
        for typed in ("7K3M9-QWX2T", "7k3m9qwx2t", "7k3m9 qwx2t"):
            shown = enrolled.run_json("voter", "show", typed)[1]
            assert shown["voter_known_by"] == "reference"
            assert (shown["timeline"], shown["status"]) == (by_address["timeline"], by_address["status"])

    def test_is_enough_for_what_sends_no_mail(self, enrolled: OperatedStack) -> None:
        deliver(enrolled, "7K3M9-QWX2T")
        lock(enrolled, 10)
        for command in ("unlock", "freeze", "unfreeze"):
            result = enrolled.run("voter", command, "7K3M9-QWX2T", "--reason", "vu")
            assert (result.exit_code, result.stdout) == (0, f"p•••@ac-dijon.fr : {ACTS[Act(command)].done}\n")
        assert [entry["change"] for entry in chain(enrolled)] == ["issued", "unlocked", "frozen", "unfrozen"]

    def test_identifier_is_never_sent_for_it(self, enrolled: OperatedStack) -> None:
        deliver(enrolled, "7K3M9-QWX2T")
        before = enrolled.everything()
        result = enrolled.run("voter", "reissue", "7K3M9-QWX2T", "--reason", "vu")
        assert result.exit_code == 1
        assert enrolled.everything() == before

    @pytest.mark.parametrize("command", ["show", "unlock", "freeze", "unfreeze"])
    def test_of_nothing_is_refused(self, enrolled: OperatedStack, command: str) -> None:
        reason = () if command == "show" else ("--reason", "vu")
        result = enrolled.run("voter", command, "7K3M9-QWX2T", *reason)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
        assert "(no-such-voter)" in result.stderr


class TestCaller:
    """A code that the caller reads from the site says that they read the mailbox."""

    def code(self, deployed: OperatedStack, email: str = EMAIL, ago: timedelta = timedelta(0)) -> str:
        """Return the code that the site showed so long ago."""
        voter_id = deployed.keyed_hash.voter_id(email)
        idle = read_election("dijon-2018").limits.session.idle_minutes
        return current_code(deployed.keyed_hash, voter_id, utc_now() - ago, idle).words

    def test_who_reads_the_code_is_verified(self, enrolled: OperatedStack) -> None:
        code = self.code(enrolled)
        for typed in (code, code.upper().replace(" ", "-")):
            status, shown = enrolled.run_json("voter", "show", EMAIL, "--caller-code", typed)
            assert (status, shown["caller"]) == (0, "verified")
        printed = enrolled.run("voter", "show", EMAIL, "--caller-code", code).stdout
        assert printed.startswith("Appelant       vérifié")
        assert code not in printed

    def test_who_does_not_ask_for_one_is_told_so(self, enrolled: OperatedStack) -> None:
        status, shown = enrolled.run_json("voter", "show", EMAIL)
        assert (status, shown["caller"]) == (0, "not-asked")

    @pytest.mark.parametrize("whose", ["somebody else's", "expired"])
    def test_another_code_is_said_to_be_wrong_and_the_right_one_is_not_told(
        self, enrolled: OperatedStack, whose: str
    ) -> None:
        right = self.code(enrolled)
        wrong = (
            self.code(enrolled, row(2).email)
            if whose == "somebody else's"
            else self.code(enrolled, ago=timedelta(minutes=21))
        )
        assert wrong != right
        result = enrolled.run("voter", "show", EMAIL, "--caller-code", wrong)
        assert result.exit_code == 1
        assert result.stdout.startswith("Appelant       NON VÉRIFIÉ : les deux mots ne correspondent pas")
        assert "Ne changez rien et n’en dites pas plus." in result.stdout
        assert right not in result.stdout + result.stderr
        status, shown = enrolled.run_json("voter", "show", EMAIL, "--caller-code", wrong)
        assert (status, shown["caller"]) == (1, "wrong-code")

    @pytest.mark.parametrize("typed", ["", "girafe", "482913", "abcdef"])
    def test_what_is_no_code_is_refused(self, enrolled: OperatedStack, typed: str) -> None:
        result = enrolled.run("voter", "show", EMAIL, "--caller-code", typed)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "(invalid-fields)" in result.stderr

    @pytest.mark.req("I9", "S26")
    def test_register_says_that_the_caller_was_verified(self, enrolled: OperatedStack) -> None:
        code = self.code(enrolled)
        lock(enrolled, 10)
        with_code = ("--caller-code", code, "--reason", "a appelé")
        told = [
            enrolled.run_json("voter", command, EMAIL, *with_code)[1] for command in ("unlock", "freeze", "unfreeze")
        ]
        assert [done["caller"] for done in told] == ["verified"] * 3
        entries = chain(enrolled)[1:]
        assert broken_links(chain(enrolled)) == []
        assert [(entry["change"], entry["actor"], entry["reference"]) for entry in entries] == [
            (change, OPERATOR, "a appelé (appelant vérifié)") for change in ("unlocked", "frozen", "unfrozen")
        ]

    @pytest.mark.parametrize("command", ["unlock", "freeze", "unfreeze", "reissue"])
    def test_wrong_code_changes_nothing(self, enrolled: OperatedStack, command: str) -> None:
        lock(enrolled, 10)
        before = enrolled.everything()
        wrong = self.code(enrolled, row(2).email)
        result = enrolled.run("voter", command, EMAIL, "--caller-code", wrong, "--reason", "a appelé")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "(caller-not-verified)" in result.stderr
        assert enrolled.everything() == before

    @pytest.mark.parametrize("reason", ["appelant vérifié", "Appelant Verifie, NUMEN", "appelant  verifié"])
    def test_nobody_but_a_check_says_that_the_caller_was_verified(self, enrolled: OperatedStack, reason: str) -> None:
        before = enrolled.everything()
        result = enrolled.run("voter", "freeze", EMAIL, "--reason", reason)
        assert (result.exit_code, "appelant vérifié" in result.stderr) == (1, True)
        assert enrolled.everything() == before


class TestChange:
    """What the helpdesk changes."""

    @pytest.mark.req("I9")
    def test_unlock_forgets_wrong_numens(self, enrolled: OperatedStack) -> None:
        lock(enrolled, 10)
        result = enrolled.run("voter", "unlock", EMAIL, "--reason", "identité vérifiée")
        assert result.exit_code == 0
        item = enrolled.voter(EMAIL)
        assert (item["numen_failures"], item["numen_locked_until"]) == (0, 0)
        assert [entry["change"] for entry in chain(enrolled)] == ["issued", "unlocked"]

    @pytest.mark.req("I9")
    def test_freeze_and_unfreeze_are_in_the_register_with_operator_and_reason(self, enrolled: OperatedStack) -> None:
        assert enrolled.run("voter", "freeze", EMAIL, "--reason", "boîte piratée").exit_code == 0
        assert "gelé : il ne permet pas de voter" in enrolled.run("voter", "show", EMAIL).stdout
        enrolled.run("voter", "unfreeze", EMAIL, "--reason", "rappel")
        assert "n° 1, valable" in enrolled.run("voter", "show", EMAIL).stdout
        entries = chain(enrolled)
        assert broken_links(entries) == []
        assert [(entry["change"], entry["actor"], entry["reference"]) for entry in entries[1:]] == [
            ("frozen", OPERATOR, "boîte piratée"),
            ("unfrozen", OPERATOR, "rappel"),
        ]

    @pytest.mark.parametrize(("command", "setting_up"), [("unlock", None), ("unfreeze", None), ("freeze", "freeze")])
    def test_what_is_so_already_changes_nothing(
        self, enrolled: OperatedStack, command: str, setting_up: str | None
    ) -> None:
        if setting_up:
            enrolled.run("voter", setting_up, EMAIL, "--reason", "x")
        before = enrolled.everything()
        result = enrolled.run("voter", command, EMAIL, "--reason", "x")
        assert (result.exit_code, "rien n’a été changé" in result.stdout) == (0, True)
        assert enrolled.everything() == before

    def test_a_voter_who_has_voted_is_not_frozen(self, enrolled: OperatedStack) -> None:
        enrolled.dynamodb.update_item(
            TableName=enrolled.stack.voters_table,
            Key={"voter_id": {"S": enrolled.keyed_hash.voter_id(EMAIL)}},
            UpdateExpression="SET voted_at = :at",
            ExpressionAttributeValues=to_wire({":at": 1}),
        )
        before = enrolled.everything()
        result = enrolled.run("voter", "freeze", EMAIL, "--reason", "x")
        assert (result.exit_code, "(already-voted)" in result.stderr) == (1, True)
        assert enrolled.everything() == before

    @pytest.mark.parametrize(
        "reason",
        ["", "  ", "x" * 81, "a.b@ac-dijon.fr a appelé", "appel du 06 12 34 56 78", "09E9900123ABC", "a\u0007b"],
    )
    def test_personal_data_stays_out_of_the_register(self, enrolled: OperatedStack, reason: str) -> None:
        before = enrolled.everything()
        result = enrolled.run("voter", "freeze", EMAIL, "--reason", reason)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert enrolled.everything() == before
