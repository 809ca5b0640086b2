"""What an insider could do who may write the tables: each is found, and its line named; none gives
a vote more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.register import Change, Entry, entry_from_item
from reassort.tables import to_wire
from reassort.voters import voter_from_item
from reassort_ops.register import chains
from reassort_ops.register.check import verify_register
from reassort_ops.register.file_check import check_register_file, first_departure

from harness.service.operated import stack_of
from harness.service.reading import identifier_in
from tests.unit.ops.registers import SIGNER, register_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.service.world import Browser, Enrolled, World


def faults(world: World) -> list[str]:
    """Return what `register verify --stack` says."""
    since = world.election.retention.deliveries_since(world.clock())
    found = verify_register(world.wire.operator.dynamodb, stack_of(world), lambda _: None, reissued_since=since)
    return found.faults


def exported(world: World, path: Path) -> Path:
    """Write the register as it is, signed, without the check that an export begins with."""
    items = sorted(world.items("RegisterTable"), key=lambda item: (item["voter_id"].encode(), item["sequence"]))
    path.write_bytes(register_file([entry_from_item(item) for item in items]))
    return path


def broken_line(path: Path) -> str:
    """Return what `register verify FILE` names."""
    return str(check_register_file(path, SIGNER.private_key.public_key()).broken)


class Insider:
    """Writes the tables as they please, and every hash so that it fits."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.dynamodb = world.wire.operator.dynamodb

    def put(self, table: str, item: dict[str, Any]) -> None:
        """Put an item, whatever is there."""
        self.dynamodb.put_item(TableName=self.world.tables[table], Item=to_wire(item))

    def put_identifier(self, identifier: str, owner: Enrolled, generation: int) -> str:
        """Point an identifier to somebody, and return its hash."""
        hashed = self.world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
        item = {"identifier_hash": hashed, "voter_id": owner.voter_id, "generation": generation}
        self.put("IdentifiersTable", item)
        return hashed

    def chain_up(self, owner: Enrolled, change: Change, **more: Any) -> Entry:
        """Append an entry to somebody's chain, and let their item know."""
        voter = self.world.voter(owner)
        generation = more.pop("generation", voter.generation)
        entry = voter.next_entry(change, self.world.clock(), "voter", generation=generation, **more)
        self.put("RegisterTable", entry.to_item())
        self.world.change_voter(owner, chain_length=entry.sequence, chain_head=entry.hash)
        return entry

    def rewrite_last(self, owner: Enrolled, **changes: Any) -> None:
        """Put another entry instead of somebody's last, and its hash into their item."""
        entry = replace(entry_from_item(self.world.register(owner)[-1]), **changes)
        self.put("RegisterTable", entry.to_item())
        self.world.change_voter(owner, chain_head=entry.hash)

    def forget(self, owner: Enrolled, attribute: str) -> None:
        """Take an attribute away from somebody's item."""
        self.dynamodb.update_item(
            TableName=self.world.tables["VotersTable"],
            Key=to_wire({"voter_id": owner.voter_id}),
            UpdateExpression=f"REMOVE {attribute}",
        )


@pytest.fixture
def insider(world: World) -> Insider:
    """Somebody who may write every table."""
    return Insider(world)


@pytest.mark.req("S33", "I11")
def test_a_register_that_nobody_touched_has_no_fault(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser, tmp_path: Path
) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    assert world.vote(identifier_in(world.sms[-1].text)).status == 200
    assert faults(world) == []
    assert broken_line(exported(world, tmp_path / "register.jsonl")) == "None"


@pytest.mark.req("S33", "I11")
def test_an_identifier_that_is_pointed_to_another_voter_does_not_vote(
    world: World, claire: Enrolled, paul: Enrolled, insider: Insider
) -> None:
    insider.put_identifier(claire.identifier, paul, 1)
    assert world.check(claire.identifier)["status"] == "unknown"
    refused = world.vote(claire.identifier)
    assert (refused.status, refused.code) == (409, "unknown-identifier")
    assert "identifier contradicts the register" in world.log_text
    assert world.voter(paul).voted_at is None
    told = f"voter {claire.voter_id}: entry 1 (issued): its identifier was pointed to voter {paul.voter_id}, n° 1"
    assert faults(world) == [told]


@pytest.mark.req("S33", "I11")
def test_a_vote_by_an_identifier_of_another_is_named_on_the_stack_and_offline(
    world: World, claire: Enrolled, paul: Enrolled, insider: Insider, tmp_path: Path
) -> None:
    """As if the registry had been made to count it."""
    hashed = insider.put_identifier(claire.identifier, paul, 1)
    insider.chain_up(paul, Change.VOTED, identifier_hash=hashed)
    world.change_voter(paul, voted_at=1)
    told = "entry 2 (voted) is by an identifier that was not issued to this voter"
    assert f"voter {paul.voter_id}: {told}" in faults(world)
    assert told in broken_line(exported(world, tmp_path / "register.jsonl"))


@pytest.mark.req("S33", "I11")
def test_an_identifier_that_an_entry_issues_a_second_time_is_named_on_the_stack_and_offline(
    world: World, claire: Enrolled, paul: Enrolled, insider: Insider, tmp_path: Path
) -> None:
    hashed = insider.put_identifier(claire.identifier, paul, 2)
    insider.chain_up(paul, Change.REISSUED, generation=2, identifier_hash=hashed, reference="7K3M9-QWX2T")
    world.change_voter(paul, generation=2, issued_at=[1, 2])
    found = faults(world)
    assert any("its identifier was pointed to" in fault for fault in found)
    assert f"voter {paul.voter_id}: entry 2 (reissued) has no delivery" in found
    second = max((claire.voter_id, 1), (paul.voter_id, 2))
    named = f"voter {second[0]}, entry {second[1]}: its identifier was issued before"
    assert named in broken_line(exported(world, tmp_path / "register.jsonl"))


@pytest.mark.req("S33", "I2")
def test_a_reissue_that_was_sent_to_nobody_is_named(world: World, claire: Enrolled, insider: Insider) -> None:
    """An identifier of the insider's own choice, in the voter's name."""
    chosen = generate_identifier(world.election.identifier)
    hashed = insider.put_identifier(chosen, claire, 2)
    insider.chain_up(claire, Change.REISSUED, generation=2, identifier_hash=hashed, reference="7K3M9-QWX2T")
    world.change_voter(claire, generation=2, issued_at=[1, 2])
    assert faults(world) == [f"voter {claire.voter_id}: entry 2 (reissued) has no delivery"]


@pytest.mark.req("S33")
def test_a_reissue_with_the_delivery_of_another_is_named(
    world: World, claire: Enrolled, paul: Enrolled, browser: Browser, insider: Insider
) -> None:
    reference = browser.reissue(claire.numen).json["reference"]
    chosen = generate_identifier(world.election.identifier)
    hashed = insider.put_identifier(chosen, paul, 2)
    insider.chain_up(paul, Change.REISSUED, generation=2, identifier_hash=hashed, reference=reference)
    world.change_voter(paul, generation=2, issued_at=[1, 2])
    told = f"entry 2 (reissued): its delivery is of voter {claire.voter_id}, n° 2"
    assert faults(world) == [f"voter {paul.voter_id}: {told}"]


@pytest.mark.req("S33", "I11")
def test_an_identifier_that_nobody_issued_does_not_vote_and_is_named(
    world: World, claire: Enrolled, insider: Insider
) -> None:
    chosen = generate_identifier(world.election.identifier)
    insider.put_identifier(chosen, claire, 1)
    assert world.vote(chosen).code == "unknown-identifier"
    told = f"voter {claire.voter_id}: the registry knows an identifier n° 1 that no entry issued"
    assert faults(world) == [told]
    insider.put_identifier(generate_identifier(world.election.identifier), replace(claire, email="x@y.fr"), 1)
    assert len(faults(world)) == 2


@pytest.mark.req("S33")
def test_an_identifier_that_the_registry_lost_is_named(world: World, claire: Enrolled, insider: Insider) -> None:
    key = {"identifier_hash": world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(claire.identifier))}
    insider.dynamodb.delete_item(TableName=world.tables["IdentifiersTable"], Key=to_wire(key))
    assert faults(world) == [f"voter {claire.voter_id}: entry 1 (issued): the registry does not know its identifier"]


@pytest.mark.req("S33")
@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("numen_hash", "the NUMEN was changed without an entry"),
        ("extra_proof_hash", "the further proof was changed without an entry"),
    ],
)
def test_a_proof_that_was_changed_without_an_entry_is_named(
    world: World, claire: Enrolled, attribute: str, told: str
) -> None:
    world.change_voter(claire, **{attribute: world.keyed_hash.hash(Purpose.NUMEN, "21G0100456XYZ")})
    assert faults(world) == [f"voter {claire.voter_id}: {told}"]


@pytest.mark.req("S33")
def test_a_proof_that_another_entry_hides_is_named(
    world: World, claire: Enrolled, insider: Insider, tmp_path: Path
) -> None:
    """An unlock that changes the NUMEN beside."""
    hashed = world.keyed_hash.hash(Purpose.NUMEN, "21G0100456XYZ")
    world.change_voter(claire, numen_hash=hashed)
    insider.chain_up(claire, Change.UNLOCKED, numen_hash=hashed)
    told = "entry 2 (unlocked) commits to what it does not decide"
    assert faults(world) == [f"voter {claire.voter_id}: {told}"]
    assert told in broken_line(exported(world, tmp_path / "register.jsonl"))


@pytest.mark.req("S33")
@pytest.mark.parametrize(
    ("change", "told"),
    [(Change.ISSUED, "commits to no identifier"), (Change.CORRECTED, "commits to no proof")],
)
def test_an_entry_that_commits_to_nothing_is_named(
    world: World, claire: Enrolled, insider: Insider, tmp_path: Path, change: Change, told: str
) -> None:
    if change is Change.CORRECTED:
        insider.chain_up(claire, change)
    else:
        insider.rewrite_last(claire, identifier_hash="")
    assert any(told in fault for fault in faults(world))
    assert told in broken_line(exported(world, tmp_path / "register.jsonl"))


@pytest.mark.req("S33", "I5")
def test_a_vote_that_was_taken_back_is_named(world: World, claire: Enrolled, insider: Insider) -> None:
    assert world.vote(claire.identifier).status == 200
    insider.forget(claire, "voted_at")
    assert faults(world) == [f"voter {claire.voter_id}: the vote was taken back"]


@pytest.mark.req("S33", "I5")
def test_a_vote_whose_entry_was_overwritten_does_not_come_twice(
    world: World, claire: Enrolled, insider: Insider, tmp_path: Path
) -> None:
    """Every hash fits, and the voter's item knows of no vote."""
    assert world.vote(claire.identifier).status == 200
    before = exported(world, tmp_path / "before.jsonl")
    insider.rewrite_last(claire, change=Change.UNLOCKED, identifier_hash="")
    insider.forget(claire, "voted_at")
    assert world.vote(claire.identifier).code == "unknown-identifier"
    told = "entry 1 (issued): its identifier has voted, and the register has no such vote"
    assert faults(world) == [f"voter {claire.voter_id}: {told}"]
    departure = first_departure(before, exported(world, tmp_path / "after.jsonl"))
    assert str(departure) == f"line 3, voter {claire.voter_id}, entry 2: was replaced since"


@pytest.mark.req("S33", "S36")
@pytest.mark.parametrize("act", ["replace", "remove"])
def test_an_entry_that_is_replaced_or_removed_rings(
    world: World, claire: Enrolled, insider: Insider, act: str, tmp_path: Path
) -> None:
    before = exported(world, tmp_path / "before.jsonl")
    world.announce()
    if act == "replace":
        insider.rewrite_last(claire, actor="somebody else")
        told = "was replaced since"
    else:
        key = {"voter_id": claire.voter_id, "sequence": 1}
        insider.dynamodb.delete_item(TableName=world.tables["RegisterTable"], Key=to_wire(key))
        told = "was removed since"
        assert f"voter {claire.voter_id}: entry 1 is missing" in faults(world)
    world.announce()
    lines = [line for line in world.log_lines if line["message"] == "register entry replaced or removed"]
    assert [(line["voter"], line["sequence"]) for line in lines] == [(claire.voter_id, 1)]
    assert world.announcements == []
    assert told in str(first_departure(before, exported(world, tmp_path / "after.jsonl")))


@pytest.mark.req("S33", "I5")
@pytest.mark.parametrize("slip", ["vote", "reissue"])
def test_what_happens_while_it_is_verified_is_no_fault(
    world: World, claire: Enrolled, browser: Browser, monkeypatch: pytest.MonkeyPatch, slip: str
) -> None:
    """The voter was read before, the identifiers after it."""
    acts: list[Callable[[], object]] = [
        (lambda: world.vote(claire.identifier)) if slip == "vote" else (lambda: browser.reissue(claire.numen))
    ]
    read = chains._read_by_key

    def read_after(*arguments: Any) -> Any:
        if acts:
            acts.pop()()
        return read(*arguments)

    monkeypatch.setattr(chains, "_read_by_key", read_after)
    assert faults(world) == []
    assert len(world.register(claire)) == 2
    assert voter_from_item(world.items("VotersTable")[0]).chain_length == 2
