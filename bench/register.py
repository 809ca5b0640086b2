"""What it takes to write and to check a register of 1.2 million entries, and of 10,000 for
comparison: bench/register.md.

Each step runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from reassort.register import GENESIS, ISSUES, Change, Entry
from reassort_ops.register.check import Reconciliation
from reassort_ops.register.export import write_register
from reassort_ops.register.file import Header
from reassort_ops.register.file_check import check_register_file, read_public_key
from reassort_ops.register.replay import Replay
from reassort_ops.register.sorted_chains import SortedChains

from harness.measuring.figures import machine, table

_REPORT = Path(__file__).parent / "register.md"
_SEED = 2026
# What voters live through: two entries each on average.
_STORIES = [
    [Change.ISSUED],
    [Change.ISSUED],
    [Change.ISSUED, Change.VOTED],
    [Change.ISSUED, Change.VOTED],
    [Change.ISSUED, Change.REISSUED, Change.VOTED],
    [Change.ISSUED, Change.FROZEN, Change.UNFROZEN, Change.REISSUED],
]


class _Key:
    """The key of this measurement."""

    key_id = "bench"

    def __init__(self, path: Path) -> None:
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("not a key of a register")
        self._key = key

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message, ec.ECDSA(SHA256()))


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_200_000)
    parser.add_argument("--step", choices=("write", "check"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--altered", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        _run_step(asked.step, asked.folder, asked.entries, asked.altered)
        return
    rows = [row for entries in (10_000, asked.entries) for row in _measure(entries)]
    names = ("step", "entries", "processor, s", "clock, s", "entries a processor second", "peak memory, MB", "file, MB")
    text = (
        f"# The register's file\n\n{table(names, rows)}\n"
        "« write » puts made-up chains in order, hashes them, signs and writes the file; what an export reads from "
        "DynamoDB before is not in it. « check » is "
        "`reassort register verify FILE`. « altered » is the same on a file in whose middle one entry was altered "
        "that no other follows, so that only the signed fingerprints tell which: it is found and named. Processor "
        "seconds repeat; the clock also waits for whatever else the machine does.\n\n"
        f"`make bench-register`, {machine()}\n"
    )
    _REPORT.write_text(text, encoding="utf-8")
    print(text)


def _measure(entries: int) -> Iterator[tuple[str, ...]]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (folder / "register.pub.pem").write_bytes(
            key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        )
        file = folder / "register.jsonl"
        for step in ("write", "check", "check, altered"):
            command = [sys.executable, "-m", "bench.register", "--step", step.partition(",")[0]]
            if step == "check, altered":
                command += ["--altered", str(_alter(file, entries))]
            done = subprocess.run(
                [*command, "--folder", name, "--entries", str(entries)], check=True, capture_output=True, text=True
            )
            found = json.loads(done.stdout)
            processor = found["processor"]
            yield (
                step,
                f"{entries:,}",
                f"{processor:.1f}",
                f"{found['clock']:.1f}",
                f"{entries / processor:,.0f}",
                f"{found['peak_mb']:.0f}",
                f"{file.stat().st_size / 1e6:.0f}",
            )


def _run_step(step: str, folder: Path, entries: int, altered: int | None) -> None:
    file = folder / "register.jsonl"
    start, busy = time.perf_counter(), time.process_time()
    if step == "write":
        _write(file, _Key(folder / "key.pem"), entries)
    else:
        _check(file, folder / "register.pub.pem", altered)
    clock = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps({"processor": time.process_time() - busy, "clock": clock, "peak_mb": peak}))


def _write(file: Path, key: _Key, entries: int) -> None:
    draw = random.Random(_SEED)  # noqa: S311 - made-up voters
    counted = Reconciliation()
    now = datetime(2026, 12, 10, 17, 0, tzinfo=UTC)
    with SortedChains(file.parent) as chains:
        while counted.entries < entries:
            story = draw.choice(_STORIES)[: entries - counted.entries]
            _add_voter(f"{draw.getrandbits(128):032x}"[:22], story, chains, counted)
        with file.open("wb") as out:
            header = Header(election="bench", stack="bench", started_at="2026-12-10T17:00:00Z")
            write_register(out, header, chains.lines(), counted, key, lambda: now)


def _add_voter(voter_id: str, story: list[Change], chains: SortedChains, counted: Reconciliation) -> None:
    replay = Replay(voter_id)
    lines = []
    for sequence, change in enumerate(story, 1):
        generation = replay.generation + (change in ISSUES)
        by_identifier = change in ISSUES or change is Change.VOTED
        entry = Entry(
            voter_id,
            sequence,
            change,
            generation,
            1_796_000_000_000,
            "voter",
            "7K3M9-QWX2T",
            replay.head,
            f"{voter_id}{generation:021}" if by_identifier else "",
            f"{voter_id}{0:021}" if change in {Change.ISSUED, Change.CORRECTED} else "",
        )
        replay.follow(entry, entry.hash)
        lines.append(entry.content)
    chains.add(voter_id, lines)
    counted.voters += 1
    counted.entries += len(story)
    counted.issued += replay.issued
    for status, count in replay.statuses.items():
        counted.by_status[status] += count


def _alter(file: Path, entries: int) -> int:
    """Alter an entry in the middle that is alone in its chain, so that no hash contradicts it;
    return its line.
    """
    altered = 0
    previous = b""
    changed = file.with_suffix(".altered")
    with file.open("rb") as lines, changed.open("wb") as out:
        for number, line in enumerate(lines, 1):
            # The line before is known to be alone in its chain once this one starts another.
            if not altered and number > entries // 2 and _is_first(previous) and _is_first(line):
                altered = number - 1
                previous = previous.replace(b'"at":1796', b'"at":1795')
            out.write(previous)
            previous = line
        out.write(previous)
    changed.rename(file)
    return altered


def _is_first(line: bytes) -> bool:
    return f'"previous":"{GENESIS}"'.encode() in line


def _check(file: Path, key: Path, altered: int | None) -> None:
    found = check_register_file(file, read_public_key(key))
    line = found.broken.line if found.broken else None
    if line != altered or found.holds != (altered is None):
        raise SystemExit(f"the check found {found.broken}, not line {altered}: {found.counted.faults}")


if __name__ == "__main__":
    main()
