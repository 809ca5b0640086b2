"""The import beside boto3's batch writer, and `reassort roll` in a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boto3.session import Session
from reassort.election_file import read_election_file
from reassort.keyed_hash import KeyedHash
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.roll.check import check_roll, valid_rows
from reassort_ops.roll.enrolment import Enroller, Enrolment
from reassort_ops.roll.file import open_roll
from reassort_ops.roll.importing import RollImport
from reassort_ops.roll.writes import TransactionWriter

from harness.roll.accepting_aws import REGION, STACK, client_environment
from harness.roll.generated import ELECTION_FILE, write_generated_roll
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reassort_ops.roll.rows import RollRow

CPU_BAR, MEMORY_BAR = 0.5, 1.1
ITEMS_A_VOTER = 4
BATCH = 25


class Sides:
    """The two that are compared, on the same voters. `url` is where they write to."""

    def __init__(self, url: str, voters: int) -> None:
        os.environ.update(client_environment(url))
        self.stack: Stack = Aws(region=REGION).find_stack(STACK)
        self._rows: list[RollRow] = _rows(voters)
        self._enroller = Enroller(KeyedHash(bytes(32)), "import:bench", 1_543_480_000_000)
        self._finished: list[Enrolment] = [self._enroller.enrol(row) for row in self._rows]
        session = Session(region_name=REGION)
        resource: Any = session.resource("dynamodb")
        names = (
            self.stack.voters_table,
            self.stack.identifiers_table,
            self.stack.register_table,
            self.stack.numens_table,
        )
        self._tables = [resource.Table(name) for name in names]
        aws = Aws(region=REGION)
        self._imports = {threads: self._make_import(aws, threads) for threads in (1, 16)}

    def run(self, side: str, threads: int = 16) -> None:
        """Write all voters once."""
        if side == "import":
            self._imports[threads].run(self._rows, lambda _: None, threads)
        else:
            voters, identifiers, register, numens = self._tables
            with (
                voters.batch_writer() as one,
                identifiers.batch_writer() as two,
                register.batch_writer() as three,
                numens.batch_writer() as four,
            ):
                for enrolment in self._finished:
                    one.put_item(Item=enrolment.voter)
                    two.put_item(Item=enrolment.identifier)
                    three.put_item(Item=enrolment.entry.to_item())
                    four.put_item(Item=enrolment.numen)

    def milliseconds(self, side: str) -> float:
        """Return the processor time of this process for 25 items, system calls included."""
        start = time.process_time()
        self.run(side)
        return (time.process_time() - start) * 1000 / (len(self._rows) * ITEMS_A_VOTER / BATCH)

    def _make_import(self, aws: Aws, threads: int) -> RollImport:
        writer = TransactionWriter(aws.session, threads)
        return RollImport(reader=aws.dynamodb(threads), writer=writer, stack=self.stack, enroller=self._enroller)


@dataclass(frozen=True)
class CommandRun:
    """One run of `reassort`: seconds by the clock and of the processor, peak memory in MiB, what it
    printed.
    """

    seconds: float
    processor: float
    memory: float
    printed: dict[str, Any]

    @property
    def rows_a_second(self) -> float:
        """Return the rate over the whole run, its start included."""
        return float(self.printed["read"] / self.seconds)


def reassort_roll(environment: Mapping[str, str], *arguments: object) -> CommandRun:
    """Run `reassort roll` in a process of its own.

    Raises:
        RuntimeError: it failed.
    """
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "output").open("w+b") as output:
        memory = Path(folder) / "memory"
        command = [sys.executable, "-m", "harness.roll.peak_memory", *map(str, (memory, "roll", *arguments)), "--json"]
        start = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, env=dict(environment), stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.monotonic() - start
        output.seek(0)
        if process.returncode != 0:
            raise RuntimeError(f"{shlex.join(command)}: {output.read().decode()[-2000:]}")
        peak = int(memory.read_text(encoding="ascii")) / 1024
        return CommandRun(seconds, usage.ru_utime + usage.ru_stime, peak, json.load(output))


def _rows(voters: int) -> list[RollRow]:
    election = read_election_file(ELECTION_FILE)
    with tempfile.TemporaryDirectory() as folder:
        roll = open_roll(write_generated_roll(Path(folder) / "roll.csv", voters))
        return list(valid_rows(roll, election, check_roll(roll, election, print)))
