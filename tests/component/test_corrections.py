"""What a roll corrects of voters on the stack: exactly that, in one write each; whatever else is
written meanwhile stays.

More than 400 lines, because all of it corrects the same voters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.clock import epoch_milliseconds
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.tables import ContentionError, to_wire, write_all
from reassort_ops.roll import update as roll_update
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.enrolment import Difference, Enroller
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import RowOutcome, Settled
from reassort_ops.roll.rows import RollRow
from reassort_ops.roll.update import ChangedRow, RollUpdate

from harness.service.operated import stack_of
from tests.component.operators import StruckClient
from tests.component.test_insider import faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.service.world import Enrolled, World

OTHER, THIRD = "21G0100456XYZ", "09E9900777DEF"
LONGEST_EXCHANGE = 33
CLAIMED = (RowOutcome.REJECTED, FaultCode.CLAIMED)
UPDATED = (RowOutcome.UPDATED, None)


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """Let nobody wait before another attempt."""
    stamina.set_testing(True, attempts=3, cap=True)
    yield
    stamina.set_testing(False)


def enrolled(world: World, number: int, **more: str) -> Enrolled:
    """Put a voter on the roll, whom a file has in the line of that number."""
    return world.enrol(f"voter.{number}@ac-dijon.fr", f"09E99{number:05}ABC", **more)


def row(voter: Enrolled, line: int = 2, **changes: Any) -> RollRow:
    """Return the row of a voter as they were enrolled, except for some cells."""
    establishment, secretariat = "Lycée Carnot, Dijon", "Secrétariat du lycée Carnot"
    whole = RollRow(line, voter.email, voter.numen, establishment, secretariat, normalise_identifier(voter.identifier))
    return replace(whole, **changes)


def update_of(world: World, client: Any = None, **options: Any) -> RollUpdate:
    """Return an update by Anne."""
    return RollUpdate(
        dynamodb=client or world.wire.operator.dynamodb,
        stack=stack_of(world),
        enroller=Enroller(world.keyed_hash, "import:anne", epoch_milliseconds(world.clock())),
        clock=world.clock,
        **options,
    )


def applied(
    world: World, *rows: RollRow, client: Any = None, **options: Any
) -> dict[int, tuple[RowOutcome, FaultCode | None]]:
    """Apply rows, and return what became of each line."""
    found: list[Settled] = []
    update_of(world, client, **options).apply(rows, found.extend, 1)
    assert len({one.line for one in found}) == len(found) == len(rows)
    return {one.line: (one.outcome, one.refusal) for one in found}


def struck(world: World, call: int, slip: Callable[[], object]) -> StruckClient:
    """Return a client to whom something slips in before that call."""
    return StruckClient(world.wire.operator.dynamodb, call, before=slip)


def item(world: World, voter: Enrolled) -> dict[str, Any]:
    """Return all that is kept of a voter."""
    found = world.engine.get("VotersTable", {"voter_id": voter.voter_id})
    assert found is not None
    return found


def numen_hash(world: World, numen: str) -> str:
    """Return what is kept of a NUMEN."""
    return world.keyed_hash.hash(Purpose.NUMEN, numen)


def owners(world: World) -> dict[str, str]:
    """Return whose each NUMEN is."""
    return {one["numen_hash"]: one["voter_id"] for one in world.items("NumensTable")}


def everything(world: World) -> list[list[dict[str, Any]]]:
    """Return all that an update writes."""
    return [world.items(table) for table in ("VotersTable", "IdentifiersTable", "RegisterTable", "NumensTable")]


@pytest.mark.req("I9")
@pytest.mark.parametrize(
    ("cells", "attributes"),
    [
        ({"establishment": "Rectorat"}, {"establishment": "Rectorat"}),
        ({"secretariat": "Gestionnaire"}, {"secretariat": "Gestionnaire"}),
        ({"secretariat": None}, {"secretariat": None}),
        ({"secretariat": None, "establishment": "Rectorat"}, {"secretariat": None, "establishment": "Rectorat"}),
    ],
)
def test_what_is_only_shown_is_written_and_nothing_else(
    world: World, claire: Enrolled, cells: dict[str, Any], attributes: dict[str, Any]
) -> None:
    before = item(world, claire)
    assert applied(world, row(claire, **cells)) == {2: UPDATED}
    assert item(world, claire) == {name: value for name, value in (before | attributes).items() if value is not None}
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]
    assert applied(world, row(claire, **cells)) == {2: (RowOutcome.UNCHANGED, None)}


@pytest.mark.req("I9", "I10")
@pytest.mark.parametrize(
    ("had", "has", "numen", "reference"),
    [
        (None, None, OTHER, "numen"),
        ("1968-03-17", "1971-02-03", None, "extra_proof"),
        ("1968-03-17", "1968-03-17", OTHER, "numen"),
        ("1968-03-17", None, None, "extra_proof"),
        (None, "1968-03-17", OTHER, "numen extra_proof"),
        ("1968-03-17", None, OTHER, "numen extra_proof"),
    ],
)
def test_a_proof_is_written_with_its_entry(
    world: World, had: str | None, has: str | None, numen: str | None, reference: str
) -> None:
    voter = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC", extra_proof=had)
    before = item(world, voter)
    cells: dict[str, Any] = {"extra_proof": has, "establishment": "Rectorat"} | ({"numen": numen} if numen else {})
    assert applied(world, row(voter, **cells)) == {2: UPDATED}
    entry, after = world.register(voter)[-1], item(world, voter)
    proofs = {"numen_hash": numen_hash(world, numen or voter.numen)}
    if has is not None:
        proofs["extra_proof_hash"] = world.keyed_hash.extra_proof(voter.voter_id, has)
    chain = {"chain_length": 2, "chain_head": entry["hash"], "establishment": "Rectorat"}
    assert after == {name: one for name, one in before.items() if name != "extra_proof_hash"} | chain | proofs
    assert {name: entry[name] for name in proofs} == proofs
    assert ("extra_proof_hash" in entry) == (has is not None)
    told = ("corrected", "import:anne", 1, reference, epoch_milliseconds(world.clock()))
    assert tuple(entry[name] for name in ("change", "actor", "generation", "reference", "at")) == told
    assert owners(world) == {proofs["numen_hash"]: voter.voter_id}
    assert faults(world) == []


@pytest.mark.req("I9")
def test_only_the_columns_of_the_file_are_corrected(world: World, claire: Enrolled) -> None:
    file = row(claire, establishment="Rectorat", secretariat=None, numen="", identifier="")
    columns = {"columns": {Column.ESTABLISHMENT}}
    assert applied(world, file, **columns) == {2: UPDATED}
    assert (item(world, claire)["establishment"], "secretariat" in item(world, claire)) == ("Rectorat", True)
    assert applied(world, file, **columns) == {2: (RowOutcome.UNCHANGED, None)}


@pytest.mark.req("I11")
def test_whose_identifier_differs_keeps_all_that_they_have(world: World, claire: Enrolled, paul: Enrolled) -> None:
    before = everything(world)
    for identifier in (generate_identifier(world.election.identifier), paul.identifier):
        wrong = row(claire, identifier=normalise_identifier(identifier), establishment="Rectorat", numen=THIRD)
        assert applied(world, wrong) == {2: (RowOutcome.CHANGED, None)}
    assert everything(world) == before
    assert applied(world, wrong, issuing=True) == {2: UPDATED}


@pytest.mark.req("O5")
@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (None, FaultCode.ABSENT),
        ({"left_at": 1}, FaultCode.REMOVED),
        ({"left_at": 1, "moved_to": "A" * 22}, FaultCode.FORMER),
    ],
    ids=["nobody", "removed", "moved"],
)
def test_who_is_not_on_the_roll_is_not_corrected(
    world: World, claire: Enrolled, paul: Enrolled, standing: dict[str, Any] | None, code: FaultCode
) -> None:
    world.change_voter(claire, **(standing or {}))
    wrong = row(claire, establishment="Rectorat")
    if standing is None:
        wrong.address = "nobody.atall@ac-dijon.fr"
    before = everything(world)
    right = row(paul, 3, establishment="UFR Sciences", secretariat=None)
    assert applied(world, wrong, right) == {2: (RowOutcome.REJECTED, code), 3: (RowOutcome.UNCHANGED, None)}
    shown = list(update_of(world).changed([right, wrong]))
    assert shown == [Settled(2, RowOutcome.REJECTED, refusal=code)]
    assert everything(world) == before


@pytest.mark.req("I7")
def test_what_would_be_corrected_is_shown_without_a_proof(world: World, claire: Enrolled, paul: Enrolled) -> None:
    rows = [
        row(claire, 5, numen=OTHER, establishment="Rectorat", secretariat=None, extra_proof="1968-03-17"),
        row(paul, 6, identifier="X", establishment="UFR Sciences", secretariat="Gestion"),
    ]
    first, second = update_of(world).changed(rows)
    assert isinstance(first, ChangedRow)
    assert isinstance(second, ChangedRow)
    assert (first.line, first.masked_address, first.may_be_updated) == (5, "c•••@ac-dijon.fr", True)
    assert first.differences == (
        Difference(Column.NUMEN),
        Difference(Column.ESTABLISHMENT, "Lycée Carnot, Dijon", "Rectorat"),
        Difference(Column.SECRETARIAT, "Secrétariat du lycée Carnot", None),
        Difference(Column.EXTRA_PROOF),
    )
    assert (second.line, second.may_be_updated) == (6, False)
    assert second.differences == (Difference(Column.SECRETARIAT, None, "Gestion"), Difference(Column.IDENTIFIER))
    assert not roll_update.may_be_updated(())


# ---------------------------------------------------------------- what slips in


@pytest.mark.req("O5")
@pytest.mark.parametrize(
    ("cell", "write"), [({"establishment": "Rectorat"}, 2), ({"numen": OTHER}, 3)], ids=["shown", "proof"]
)
def test_a_freeze_that_comes_in_between_stays(world: World, claire: Enrolled, cell: dict[str, Any], write: int) -> None:
    client = struck(world, write, lambda: world.agent().act("freeze", claire.email))
    assert applied(world, row(claire, **cell), client=client) == {2: UPDATED}
    assert item(world, claire)["frozen_at"]
    assert faults(world) == []


@pytest.mark.req("O5")
def test_a_removal_that_comes_in_between_holds_a_proof(world: World, claire: Enrolled) -> None:
    """Before the very write, of which the length of the chain tells nothing."""
    client = struck(world, 3, lambda: world.change_voter(claire, left_at=1))
    assert applied(world, row(claire, numen=OTHER), client=client) == {2: (RowOutcome.REJECTED, FaultCode.REMOVED)}
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]


@pytest.mark.req("O5")
def test_who_is_erased_in_between_is_absent(world: World, claire: Enrolled) -> None:
    dynamodb, key = world.wire.operator.dynamodb, to_wire({"voter_id": claire.voter_id})
    client = struck(world, 2, lambda: dynamodb.delete_item(TableName=world.tables["VotersTable"], Key=key))
    found = applied(world, row(claire, establishment="Rectorat"), client=client)
    assert found == {2: (RowOutcome.REJECTED, FaultCode.ABSENT)}
    assert world.items("VotersTable") == []


@pytest.mark.req("O4", "I11")
def test_a_numen_that_meanwhile_is_anothers_stays_theirs(world: World, claire: Enrolled, paul: Enrolled) -> None:
    taken = {"numen_hash": numen_hash(world, THIRD), "voter_id": paul.voter_id}
    client = struck(world, 3, lambda: world.engine.put("NumensTable", taken))
    assert applied(world, row(claire, numen=THIRD), client=client) == {2: CLAIMED}
    assert taken in world.items("NumensTable")
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]


@pytest.mark.req("O4", "I11")
def test_the_former_numen_is_not_freed_that_meanwhile_is_anothers(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    taken = {"numen_hash": numen_hash(world, claire.numen), "voter_id": paul.voter_id}
    client = struck(world, 3, lambda: world.engine.put("NumensTable", taken))
    with pytest.raises(ContentionError):
        applied(world, row(claire, numen=THIRD), client=client)
    assert taken in world.items("NumensTable")
    assert [entry["change"] for entry in world.register(claire)] == ["issued"]


@pytest.mark.req("I9")
def test_a_numen_that_is_kept_for_the_voter_already_is_theirs_alone(world: World, claire: Enrolled) -> None:
    world.engine.put("NumensTable", {"numen_hash": numen_hash(world, THIRD), "voter_id": claire.voter_id})
    assert applied(world, row(claire, numen=THIRD)) == {2: UPDATED}
    assert owners(world) == {numen_hash(world, THIRD): claire.voter_id}


@pytest.mark.req("I9")
def test_a_numen_that_nobody_kept_is_kept_and_none_is_missed(world: World, claire: Enrolled) -> None:
    key = to_wire({"numen_hash": numen_hash(world, claire.numen)})
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["NumensTable"], Key=key)
    assert applied(world, row(claire, numen=THIRD)) == {2: UPDATED}
    assert owners(world) == {numen_hash(world, THIRD): claire.voter_id}


@pytest.mark.req("I9")
def test_who_is_written_again_and_again_is_left_alone(world: World, claire: Enrolled) -> None:
    class OvertakenClient:
        """A client whose voter was changed before each write."""

        def __getattr__(self, name: str) -> Any:
            if name == "transact_write_items":
                world.change_voter(claire, chain_length=item(world, claire)["chain_length"] + 1)
            return getattr(world.wire.operator.dynamodb, name)

    with pytest.raises(ContentionError, match="written by somebody else"):
        applied(world, row(claire, establishment="Rectorat"), client=OvertakenClient())
    assert item(world, claire)["establishment"] != "Rectorat"


# ---------------------------------------------------------------- NUMENs of others


@pytest.mark.req("O4", "I11")
def test_a_numen_of_a_voter_who_keeps_it_is_not_given_to_another(
    world: World, claire: Enrolled, paul: Enrolled
) -> None:
    before = everything(world)
    for more in ([], [row(paul, 3, establishment="UFR Sciences", secretariat=None)]):
        found = applied(world, row(claire, numen=paul.numen), *more)
        assert found == {2: CLAIMED} | ({3: (RowOutcome.UNCHANGED, None)} if more else {})
    assert everything(world) == before


@pytest.mark.req("O4")
@pytest.mark.parametrize("order", [1, -1], ids=["the one who waits first", "last"])
def test_a_numen_that_its_voter_gives_up_is_free_for_the_next(world: World, order: int) -> None:
    voters = [enrolled(world, number) for number in range(4)]
    numens = [voters[1].numen, voters[2].numen, voters[3].numen, OTHER]
    rows = [row(one, line, numen=numen) for line, (one, numen) in enumerate(zip(voters, numens, strict=True), 2)]
    assert applied(world, *rows[::order]) == dict.fromkeys(range(2, 6), UPDATED)
    hashes = {numen_hash(world, numen): one.voter_id for one, numen in zip(voters, numens, strict=True)}
    assert owners(world) == hashes
    assert faults(world) == []


def exchanged(voters: list[Enrolled]) -> list[RollRow]:
    """Return the rows by which each has the NUMEN of the next, the last that of the first."""
    return [row(one, line, numen=voters[line - 1 - len(voters)].numen) for line, one in enumerate(voters, 2)]


@pytest.mark.req("O4", "I9")
@pytest.mark.parametrize("count", [2, 3, LONGEST_EXCHANGE])
def test_numens_that_were_exchanged_are_written_at_once(world: World, count: int) -> None:
    voters = [enrolled(world, number) for number in range(count)]
    rows = exchanged(voters)
    assert applied(world, *rows) == dict.fromkeys(range(2, count + 2), UPDATED)
    assert owners(world) == {
        numen_hash(world, one.numen): voter.voter_id for one, voter in zip(rows, voters, strict=True)
    }
    assert {len(world.register(voter)) for voter in voters} == {2}
    assert faults(world) == []


@pytest.mark.req("O4", "I9")
def test_an_exchange_of_more_than_a_transaction_takes_is_refused_and_others_are_not(world: World) -> None:
    voters = [enrolled(world, number) for number in range(LONGEST_EXCHANGE + 1)]
    pair = [enrolled(world, number) for number in (90, 91)]
    two = [row(pair[0], 90, numen=pair[1].numen), row(pair[1], 91, numen=pair[0].numen)]
    found = applied(world, *exchanged(voters), *two)
    assert found == dict.fromkeys(range(2, len(voters) + 2), CLAIMED) | dict.fromkeys((90, 91), UPDATED)
    assert {len(world.register(voter)) for voter in voters} == {1}


@pytest.mark.req("O4", "I9", "I11")
@pytest.mark.parametrize("slip", ["freeze", "removal", "NUMEN"])
def test_an_exchange_in_which_something_slips_in_is_of_nobody(world: World, slip: str) -> None:
    voters = [enrolled(world, number) for number in range(2)]
    slips: dict[str, Callable[[], object]] = {
        "freeze": lambda: world.agent().act("freeze", voters[0].email),
        "removal": lambda: world.change_voter(voters[1], left_at=1),
        "NUMEN": lambda: world.engine.put(
            "NumensTable", {"numen_hash": numen_hash(world, voters[0].numen), "voter_id": "A" * 22}
        ),
    }

    class BeforeTheWrite:
        """A client before whose first transaction something slips in."""

        def __getattr__(self, name: str) -> Any:
            if name == "transact_write_items" and slip in slips:
                slips.pop(slip)()
            return getattr(world.wire.operator.dynamodb, name)

    assert applied(world, *exchanged(voters), client=BeforeTheWrite()) == {2: CLAIMED, 3: CLAIMED}
    assert [entry["change"] for voter in voters for entry in world.register(voter) if entry["sequence"] > 1] == (
        ["frozen"] if slip == "freeze" else []
    )


@pytest.mark.req("O4", "I9")
@pytest.mark.parametrize("slip", ["left", "has the NUMEN already"])
def test_an_exchange_is_off_when_a_voter_meanwhile(world: World, slip: str) -> None:
    """After each was found to wait for the other, and before they are compared again."""
    voters = [enrolled(world, number) for number in range(2)]
    change: dict[str, Any] = {"left_at": 1} if slip == "left" else {"numen_hash": numen_hash(world, voters[0].numen)}
    client = struck(world, 8, lambda: world.change_voter(voters[1], **change))
    assert applied(world, *exchanged(voters), client=client) == {2: CLAIMED, 3: CLAIMED}
    assert client.made > 8
    assert [len(world.register(voter)) for voter in voters] == [1, 1]


@pytest.mark.req("O4", "I9")
def test_an_exchange_with_a_voter_who_left_is_refused(world: World) -> None:
    voters = [enrolled(world, number) for number in range(2)]
    world.change_voter(voters[1], left_at=1)
    assert applied(world, *exchanged(voters)) == {2: CLAIMED, 3: (RowOutcome.REJECTED, FaultCode.REMOVED)}


@pytest.fixture(params=[True, False], ids=["committed", "not committed"])
def tries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many actions each write had; the answer of the first is lost, be it committed or not."""
    found: list[int] = []

    def lose_first(dynamodb: Any, actions: Any, token: str | None = None) -> None:
        found.append(len(actions))
        if len(found) > 1 or request.param:
            write_all(dynamodb, actions, token)
        if len(found) == 1:
            raise ContentionError("TransactionInProgressException")

    monkeypatch.setattr(roll_update, "write_all", lose_first)
    return found


@pytest.mark.req("I9")
def test_a_write_whose_answer_is_lost_is_made_once(world: World, claire: Enrolled, tries: list[int]) -> None:
    assert applied(world, row(claire, numen=THIRD)) == {2: UPDATED}
    assert (len(world.register(claire)), tries) == (2, [4, 4])


@pytest.mark.req("O4", "I9")
def test_an_exchange_whose_answer_is_lost_is_made_once(world: World, tries: list[int]) -> None:
    voters = [enrolled(world, number) for number in range(2)]
    assert applied(world, *exchanged(voters)) == {2: UPDATED, 3: UPDATED}
    assert ([len(world.register(voter)) for voter in voters], tries) == ([2, 2], [6, 6])
