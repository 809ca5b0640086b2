"""`reassort voter` and `reassort register verify` on a stack with a roll."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from reassort.outbox import Channel, Message, Status, history_step, reissue_delivery_item
from reassort.reasons import Reason
from reassort.tables import to_wire

from tests.elections import read_election
from tests.register_chain import broken_links
from tests.unit.ops.conftest import Deployed
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from pathlib import Path

EMAIL = row(1).email


@pytest.fixture
def enrolled(deployed: Deployed, tmp_path: Path) -> Deployed:
    """A stack with five voters."""
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(5))).exit_code == 0
    return deployed


def lock(deployed: Deployed, failures: int) -> None:
    """Count wrong NUMENs of the first voter."""
    deployed.dynamodb.update_item(
        TableName=deployed.stack.voters_table,
        Key={"voter_id": {"S": deployed.keyed_hash.voter_id(EMAIL)}},
        UpdateExpression="SET numen_failures = :n, numen_locked_until = :u",
        ExpressionAttributeValues=to_wire({":n": failures, ":u": 4_000_000_000_000}),
    )


def deliver(deployed: Deployed, reference: str) -> None:
    """Give the first voter a reissue whose SMS and confirmation failed and whose identifier now goes by e-mail."""
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


def chain(deployed: Deployed) -> list[dict[str, object]]:
    """Return the first voter's entries."""
    voter_id = deployed.keyed_hash.voter_id(EMAIL)
    entries = [entry for entry in deployed.items(deployed.stack.register_table) if entry["voter_id"] == voter_id]
    return sorted(entries, key=lambda entry: entry["sequence"])


class TestShow:
    """What is shown of a voter."""

    @pytest.mark.req("I7")
    def test_nothing_that_identifies_is_shown(self, enrolled: Deployed) -> None:
        one = row(1)
        for flags in ([], ["--json"]):
            result = enrolled.run("voter", "show", EMAIL.upper(), *flags)
            assert result.exit_code == 0
            assert "p•••@ac-dijon.fr" in result.stdout
            assert one.establishment in result.stdout
            for secret in (one.email, one.numen, one.identifier, one.identifier.replace("-", "")):
                assert secret not in result.stdout + result.stderr

    @pytest.mark.req("R10", "R11", "I2")
    def test_what_became_of_the_last_delivery_is_shown_with_its_reason(self, enrolled: Deployed) -> None:
        assert enrolled.run_json("voter", "show", EMAIL)[1]["delivery"] is None
        deliver(enrolled, "7K3M9-QWX2T")
        delivery = enrolled.run_json("voter", "show", EMAIL)[1]["delivery"]
        assert (delivery["status"], delivery["channel"], delivery["confirmation"]) == ("queued", "email", "failed")
        printed = enrolled.run("voter", "show", EMAIL).stdout
        assert "delivery of 7K3M9-QWX2T by email to p•••@ac-dijon.fr" in printed
        assert "identifier   failed     sms: numéro inconnu" in printed
        assert "confirmation failed     : boîte pleine" in printed

    def test_a_lock_is_shown(self, enrolled: Deployed) -> None:
        assert enrolled.run_json("voter", "show", EMAIL)[1]["lock"] is None
        lock(enrolled, 5)
        assert "5 wrong NUMENs: until 20" in enrolled.run_json("voter", "show", EMAIL)[1]["lock"]
        lock(enrolled, 10)
        assert enrolled.run_json("voter", "show", EMAIL)[1]["lock"] == "10 wrong NUMENs: until the helpdesk unlocks"

    @pytest.mark.parametrize(
        ("email", "reason"),
        [
            ("prenom.nom77@ac-dijon.fr", "no voter of that address"),
            ("prenom.nom1@gmail.com", "not of a domain of the election"),
            ("prenom.nom1", "the address is not of the form"),
        ],
    )
    def test_an_address_that_is_not_on_the_roll(self, enrolled: Deployed, email: str, reason: str) -> None:
        result = enrolled.run("voter", "show", email)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("reassort: ")
        assert reason in result.stderr
        assert result.stderr.count("\n") == 1
        assert email not in result.stderr


class TestChange:
    """What the helpdesk changes."""

    @pytest.mark.req("I9")
    def test_unlock_forgets_wrong_numens(self, enrolled: Deployed) -> None:
        lock(enrolled, 10)
        result = enrolled.run("voter", "unlock", EMAIL, "--reason", "identité vérifiée")
        assert (result.exit_code, result.stdout) == (0, "p•••@ac-dijon.fr: unlocked\n")
        item = enrolled.voter(EMAIL)
        assert (item["numen_failures"], item["numen_locked_until"]) == (0, 0)
        assert [entry["change"] for entry in chain(enrolled)] == ["issued", "unlocked"]

    @pytest.mark.req("I9")
    def test_freeze_and_unfreeze_are_in_the_register_with_operator_and_reason(self, enrolled: Deployed) -> None:
        assert enrolled.run("voter", "freeze", EMAIL, "--reason", "boîte piratée").exit_code == 0
        assert enrolled.run_json("voter", "show", EMAIL)[1]["status"] == "frozen"
        _, done = enrolled.run_json("voter", "unfreeze", EMAIL, "--reason", "rappel")
        assert enrolled.run_json("voter", "show", EMAIL)[1]["status"] == "active"
        entries = chain(enrolled)
        assert broken_links(entries) == []
        assert [(entry["change"], entry["actor"], entry["reference"]) for entry in entries[1:]] == [
            ("frozen", done["operator"], "boîte piratée"),
            ("unfrozen", done["operator"], "rappel"),
        ]

    @pytest.mark.parametrize(("command", "setting_up"), [("unlock", None), ("unfreeze", None), ("freeze", "freeze")])
    def test_what_is_so_already_changes_nothing(self, enrolled: Deployed, command: str, setting_up: str | None) -> None:
        if setting_up:
            enrolled.run("voter", setting_up, EMAIL, "--reason", "x")
        before = enrolled.everything()
        result = enrolled.run("voter", command, EMAIL, "--reason", "x")
        assert (result.exit_code, "nothing changed" in result.stdout) == (0, True)
        assert enrolled.everything() == before

    def test_a_voter_who_has_voted_is_not_frozen(self, enrolled: Deployed) -> None:
        enrolled.dynamodb.update_item(
            TableName=enrolled.stack.voters_table,
            Key={"voter_id": {"S": enrolled.keyed_hash.voter_id(EMAIL)}},
            UpdateExpression="SET voted_at = :at",
            ExpressionAttributeValues=to_wire({":at": 1}),
        )
        before = enrolled.everything()
        result = enrolled.run("voter", "freeze", EMAIL, "--reason", "x")
        assert (result.exit_code, "has voted" in result.stderr) == (1, True)
        assert enrolled.everything() == before

    @pytest.mark.parametrize(
        "reason",
        ["", "  ", "x" * 81, "a.b@ac-dijon.fr a appelé", "appel du 06 12 34 56 78", "09E9900123ABC", "a\u0007b"],
    )
    def test_personal_data_stays_out_of_the_register(self, enrolled: Deployed, reason: str) -> None:
        before = enrolled.everything()
        result = enrolled.run("voter", "freeze", EMAIL, "--reason", reason)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert enrolled.everything() == before


class TestVerify:
    """The register is verified, and whatever was done to it is found."""

    @pytest.mark.req("I9", "I10")
    def test_a_register_that_holds(self, enrolled: Deployed) -> None:
        enrolled.run("voter", "freeze", EMAIL, "--reason", "x")
        status, content = enrolled.run_json("register", "verify")
        assert status == 0
        assert {name: content[name] for name in ("voters", "entries", "issued", "active", "frozen", "faults")} == {
            "voters": 5,
            "entries": 6,
            "issued": 5,
            "active": 4,
            "frozen": 1,
            "faults": [],
        }
        assert "issued 5 = active 4 + revoked 0 + used 0 + frozen 1" in enrolled.run("register", "verify").stdout

    @pytest.mark.parametrize(
        ("tampering", "fault"),
        [
            ({":actor": "somebody"}, "entry 1 was altered"),
            (None, "entry 1 is missing"),
        ],
    )
    def test_the_first_broken_entry_is_named(
        self, enrolled: Deployed, tampering: dict[str, str] | None, fault: str
    ) -> None:
        voter_id = enrolled.keyed_hash.voter_id(EMAIL)
        key = to_wire({"voter_id": voter_id, "sequence": 1})
        if tampering is None:
            enrolled.dynamodb.delete_item(TableName=enrolled.stack.register_table, Key=key)
        else:
            enrolled.dynamodb.update_item(
                TableName=enrolled.stack.register_table,
                Key=key,
                UpdateExpression="SET actor = :actor",
                ExpressionAttributeValues=to_wire(tampering),
            )
        status, content = enrolled.run_json("register", "verify")
        assert status == 1
        assert content["faults"][0] == f"voter {voter_id}: {fault}"

    def test_an_entry_or_an_identifier_too_many_is_found(self, enrolled: Deployed) -> None:
        enrolled.dynamodb.put_item(
            TableName=enrolled.stack.register_table, Item=to_wire({"voter_id": "nobody", "sequence": 1})
        )
        enrolled.dynamodb.put_item(
            TableName=enrolled.stack.identifiers_table, Item=to_wire({"identifier_hash": "x", "voter_id": "nobody"})
        )
        status, content = enrolled.run_json("register", "verify")
        assert status == 1
        assert content["faults"] == [
            "the register holds 1 entries that belong to no voter's chain",
            "6 identifiers are known to the registry, 5 were issued",
        ]

    def test_a_generation_that_the_register_does_not_know_is_found(self, enrolled: Deployed) -> None:
        enrolled.dynamodb.update_item(
            TableName=enrolled.stack.voters_table,
            Key={"voter_id": {"S": enrolled.keyed_hash.voter_id(EMAIL)}},
            UpdateExpression="SET issued_at = list_append(issued_at, :at)",
            ExpressionAttributeValues=to_wire({":at": [1]}),
        )
        result = enrolled.run("register", "verify")
        assert result.exit_code == 1
        assert "1 identifiers are in the register, the voter has 2" in result.stdout
        assert "issued 5 ≠ active 5 + revoked 1" in result.stdout
