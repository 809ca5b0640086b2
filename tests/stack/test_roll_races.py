"""Imports, changes of address and votes that race for one person on the deployed template."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.tables import write_all
from reassort.voters import IdentifierStatus, voter_from_item
from reassort_ops.register.check import verify_register
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.faults import FaultCode
from reassort_ops.roll.importing import RollImport, RowOutcome, Settled
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress, MoveRefusedError
from reassort_ops.roll.rows import RollRow

from harness.stack.deployed import at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reassort.tables import Action
    from reassort_ops.account.operator import Operator

    from harness.stack.deployed import Deployment, Platform

ROUNDS = 15
RACERS = 4


@dataclass
class PlainWriter:
    """Writes transactions by the SDK's own client."""

    dynamodb: Any

    def write(self, actions: Sequence[Action], token: str) -> None:
        """Write all actions or none."""
        write_all(self.dynamodb, actions, token)


def imported(deployment: Deployment, operator: Operator, row: RollRow) -> Settled:
    """Import one row, as an import of its own."""
    writer: Any = PlainWriter(operator.dynamodb)
    enroller = Enroller(deployment.keyed_hash, "import:anne", int(time.time() * 1000))
    found: list[Settled] = []
    run = RollImport(reader=operator.dynamodb, writer=writer, stack=operator.stack, enroller=enroller)
    run.run([row], found.extend, 1)
    (settled,) = found
    return settled


def drawn(deployment: Deployment) -> str:
    return normalise_identifier(generate_identifier(deployment.election.identifier))


@pytest.mark.req("O4", "I1")
def test_imports_that_enrol_one_person_under_several_addresses_have_one_winner(
    deployment: Deployment, helpdesk: Operator, tell: Callable[[str], None]
) -> None:
    wins = []
    for number in range(ROUNDS):
        numen = f"13R{number:07}RAC"
        rows = [
            RollRow(2, f"race{number}.{racer}@ac-dijon.fr", numen, "Rectorat", None, drawn(deployment))
            for racer in range(RACERS)
        ]
        settled = at_once([partial(imported, deployment, helpdesk, row) for row in rows])
        outcomes = [one.outcome for one in settled]
        assert outcomes.count(RowOutcome.IMPORTED) == 1
        assert {one.refusal for one in settled} == {None, FaultCode.ELSEWHERE}
        pseudonyms = {deployment.keyed_hash.voter_id(row.address) for row in rows}
        for table in ("VotersTable", "IdentifiersTable", "NumensTable", "RegisterTable"):
            assert len([item for item in deployment.scan(table) if item["voter_id"] in pseudonyms]) == 1
        wins.append(outcomes.index(RowOutcome.IMPORTED))
    tell(f"{ROUNDS} rounds of {RACERS} imports of one person: won by {wins}")


@pytest.mark.req("O4", "O5", "I1", "I5", "I10")
def test_moves_removals_and_votes_have_one_winner(
    deployment: Deployment, platform: Platform, helpdesk: Operator, tell: Callable[[str], None]
) -> None:
    change = ChangeOfAddress(helpdesk, deployment.election, deployment.keyed_hash)
    leaving = Leaving(helpdesk, deployment.election)
    told = []

    def tried(name: str, act: Callable[[], object]) -> str:
        try:
            act()
        except MoveRefusedError as refused:
            return f"{name} {refused.code}"
        except Exception as error:  # noqa: BLE001 - what came of it is counted
            return f"{name} {type(error).__name__}"
        return name

    for number in range(ROUNDS):
        voter = deployment.enrol()
        present = [deployment.keyed_hash.voter_id(f"moved{number}.{one}@ac-dijon.fr") for one in range(2)]
        answers = at_once(
            [
                partial(tried, "moved", partial(change.move, voter.voter_id, Arrival(present[0]), "race")),
                partial(tried, "moved", partial(change.move, voter.voter_id, Arrival(present[1]), "race")),
                partial(tried, "removed", partial(leaving.remove, voter.voter_id, "race")),
                partial(tried, "voted", partial(platform.vote, voter.identifier)),
            ]
        )
        told.append(sorted(answers))
        pseudonyms = {voter.voter_id, *present}
        items = [item for item in deployment.scan("VotersTable") if item["voter_id"] in pseudonyms]
        standing = [one for one in map(voter_from_item, items) if one.left_at is None]
        assert len(standing) <= 1
        statuses = [one.identifier_status(one.generation) for one in map(voter_from_item, items)]
        valid = (IdentifierStatus.ACTIVE, IdentifierStatus.USED, IdentifierStatus.FROZEN)
        assert len([status for status in statuses if status in valid]) == 1
    tell(f"{ROUNDS} rounds of two moves, a removal and a vote: {told}")
    since = deployment.election.retention.deliveries_since(helpdesk.clock())
    found = verify_register(helpdesk.dynamodb, helpdesk.stack, lambda _: None, reissued_since=since)
    assert found.faults == []
    assert found.balances
