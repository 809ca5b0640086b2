"""`reassort deliveries unreached` and `reassort voter settle` on a stack with a roll."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import time_machine
from reassort.clock import epoch_milliseconds
from reassort.outbox import Channel, Message, Status, history_step
from reassort.tables import to_wire

from tests.unit.ops.rolls import row, rows, write_roll
from tests.unit.ops.test_voter_reissue import DURING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.ops.conftest import OperatedStack


@pytest.fixture
def lost(deployed: OperatedStack, tmp_path: Path) -> Iterator[tuple[OperatedStack, str]]:
    """A stack, and the reference of an identifier that reached nobody."""
    with time_machine.travel(DURING, tick=False) as clock:
        assert deployed.run("roll", "import", write_roll(tmp_path, rows(2))).exit_code == 0
        _, issued = deployed.run_json("voter", "reissue", row(1).email, "--reason", "sans téléphone")
        reference = issued["reference"]
        step = history_step(epoch_milliseconds(DURING), Message.IDENTIFIER, Status.FAILED, Channel.EMAIL)
        deployed.dynamodb.update_item(
            TableName=deployed.stack.deliveries_table,
            Key=to_wire({"delivery_id": reference}),
            UpdateExpression="SET messages.identifier.#status = :failed, messages.identifier.reason = :why, "
            "history = list_append(history, :steps)",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues=to_wire({":failed": "failed", ":why": "mailbox-full", ":steps": [step]}),
        )
        clock.shift(60)
        yield deployed, reference


@pytest.mark.req("O8", "S21")
def test_the_list_names_references_and_schools_alone_until_it_is_settled(
    lost: tuple[OperatedStack, str], tmp_path: Path
) -> None:
    deployed, reference = lost
    file = tmp_path / "unreached.csv"
    result = deployed.run("deliveries", "unreached", "--csv", file, "--segments", "1")
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.splitlines() == [
        f"    1  {row(1).establishment}",
        f"       {reference}  2018-11-30 10:15  courriel : boîte pleine",
        "1 whom nothing reached, of 1 establishments",
        f"{file} written",
    ]
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text("utf-8-sig").splitlines()[1:] == [
        f"{reference};{row(1).establishment};{row(1).secretariat};2018-11-30 10:15;courriel;boîte pleine"
    ]
    written = result.stdout + file.read_text("utf-8")
    for secret in (row(1).email, row(1).numen, "•", deployed.keyed_hash.voter_id(row(1).email)):
        assert str(secret) not in written
    counted = deployed.run("deliveries", "unreached", "--by-school", "--segments", "1")
    assert (counted.exit_code, reference in counted.stdout) == (1, False)
    told = {
        "reference": reference,
        "establishment": row(1).establishment,
        "secretariat": row(1).secretariat,
        "asked_at": "2018-11-30T10:15:00+01:00",
        "failed_by": ["email"],
        "reason": "mailbox-full",
    }
    whole = {"unreached": 1, "by_establishment": {row(1).establishment: 1}, "voters": [told]}
    assert deployed.run_json("deliveries", "unreached", "--segments", "1") == (1, whole)
    settled = deployed.run("voter", "settle", reference, "--reason", "rappelé par le lycée")
    assert (settled.exit_code, settled.stderr) == (0, "")
    assert re.match(r"p•••@ac-dijon.fr : .* n’est plus sur la liste", settled.stdout)
    done = deployed.run("deliveries", "unreached", "--segments", "1")
    assert (done.exit_code, done.stdout) == (0, "0 whom nothing reached, of 0 establishments\n")
    again = deployed.run("voter", "settle", reference, "--reason", "rappelé par le lycée")
    assert again.exit_code == 0
