"""Cold start: what each built function does before its first request, beside REF and beside itself
without each technique (P1, P1b, P7).

    make bench-cold

Instructions are counted once, because they repeat; milliseconds are taken by turns. The functions
find an AWS on this machine that answers at once, so they derive their key and open their
connections as they would in Lambda.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.measuring.figures import table
from harness.measuring.programs import RUNS, Program, Spread, by_turns, counted, instructions
from harness.measuring.results import Figure, Section, finish
from harness.runtime.emulator import copy_runtime, running
from harness.runtime.starts import BARS, as_deployed, function, ref
from harness.runtime.surroundings import Surroundings, surroundings
from harness.runtime.trees import FUNCTIONS, product, reference_packages, zipped_size

COMMAND = "make bench-cold"


def techniques(around: Surroundings, folder: Path) -> dict[str, tuple[Program, Program]]:
    """Return, by technique, a start without it and the same start with it.

    What the layer does not even hold comes from the whole packages of the reference, on both sides.
    """
    own, layer = product().path("reissue")
    reference = reference_packages(compiled=True)
    without_bytecode, whole_sdk = folder / "without-bytecode", folder / "whole-sdk"
    parts = []
    for number, part in enumerate((own, layer)):
        copied = shutil.copytree(part, without_bytecode / str(number))
        for cache in copied.rglob("__pycache__"):
            shutil.rmtree(cache)
        parts.append(copied)
    shutil.copytree(layer, whole_sdk)
    shutil.rmtree(whole_sdk / "botocore" / "data")
    shutil.copytree(reference / "botocore" / "data", whole_sdk / "botocore" / "data")

    base = function("reissue", around)
    whole = (own, reference, layer)
    base_of_whole = function("reissue", around, whole)

    def after(prelude: str) -> tuple[Program, Program]:
        return function("reissue", around, (own, layer, reference), prelude + "\n"), base

    def with_whole(prelude: str) -> tuple[Program, Program]:
        return function("reissue", around, whole, prelude + "\n"), base_of_whole

    return {
        "bytecode in the packages": (function("reissue", around, (parts[0], parts[1])), base),
        "service models and endpoints reduced to what is called": (function("reissue", around, (own, whole_sdk)), base),
        "botocore without boto3": after("import boto3"),
        "election and bodies without pydantic": after("from pydantic import BaseModel"),
        "one session for all clients": after(
            "import reassort.start, reassort.aws\n"
            "from botocore.session import Session\n"
            "reassort.aws.Clients._client = lambda self, service, config: Session().create_client(service, "
            "config=config)"
        ),
        "collector stopped and frozen": after("import gc\ngc.disable = lambda: None"),
        "no resolver": with_whole("import aws_lambda_powertools.event_handler"),
        "no idempotency layer": with_whole("import aws_lambda_powertools.utilities.idempotency"),
        "no tracer": with_whole(
            "import aws_xray_sdk.core\nfrom aws_lambda_powertools import Tracer\nTracer(service='x')"
        ),
        "phone rules only in the function that needs them": (
            function("login", around, (product().path("login")[0], layer), "import phonenumbers\n"),
            function("login", around),
        ),
    }


def emulated(around: Surroundings, runs: int = RUNS) -> dict[str, Spread]:
    """Start REF and each function under the runtime interface emulator, by turns; return the
    milliseconds of each initialisation.
    """
    taken: dict[str, list[float]] = {name: [] for name in ("REF", *FUNCTIONS)}
    with TemporaryDirectory() as folder:
        runtime = copy_runtime(Path(folder) / "runtime")
        reference = Path(folder) / "reference"
        reference.mkdir()
        (reference / "python").symlink_to(reference_packages(compiled=True))
        empty = Path(folder) / "empty"
        empty.mkdir()
        for run in range(runs + 1):
            print(f"emulator, round {run} of {runs}", file=sys.stderr, flush=True)
            for name in taken:
                log = Path(folder) / f"{name}.log"
                artefact, layer, handler = (
                    (empty, reference, "ref.lambda_handler")
                    if name == "REF"
                    else (product().path(name)[0], product().layer.parent, f"{name}.handler.lambda_handler")
                )
                with running(artefact, layer, runtime, handler, around.environment, log) as invoke:
                    invoke({})
                found = re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", log.read_text(encoding="utf-8"))
                if found is None:
                    raise RuntimeError(
                        f"the emulator's log has no INIT REPORT: {log.read_text(encoding='utf-8')[-800:]}"
                    )
                # The first round warms the files.
                if run > 0:
                    taken[name].append(float(found[1]))
    return {name: Spread(tuple(values)) for name, values in taken.items()}


def measure(runs: int = RUNS) -> Section:
    """Measure all of it."""
    with surroundings() as around:
        starts = {"REF": ref(around), **{name: function(name, around) for name in FUNCTIONS}}
        cost = counted(starts)
        bare = instructions(Program("pass", (), around.environment))
        taken = by_turns(starts, runs)
        emulator = emulated(around, runs)
        with as_deployed() as (deployed, fresh):
            dated, compiled = (instructions(function("reissue", around, path)) for path in (deployed, fresh))
        with TemporaryDirectory() as folder:
            off = {
                name: (instructions(without), instructions(with_it))
                for name, (without, with_it) in techniques(around, Path(folder)).items()
            }
    secure = roots()
    own_size, naive_size = zipped_size(*product().artefacts()), zipped_size(reference_packages(compiled=False))
    figures = [
        *(
            Figure("P1", f"start of {name} ÷ REF, instructions", cost[name] / cost["REF"], BARS.get(name))
            for name in FUNCTIONS
        ),
        Figure("P1b", "start of the deployed tree ÷ freshly compiled, instructions", dated / compiled, 1.02, digits=4),
        Figure("P7", "deployed zips ÷ NAIVE's", own_size / naive_size, 0.40, f"{own_size:,} ÷ {naive_size:,} bytes"),
    ]
    starts_table = table(
        [
            "start of",
            "instructions, millions",
            "÷ REF",
            "the same less a bare Python",
            "ms, by process",
            "÷ REF",
            "ms, emulator",
            "÷ REF",
        ],
        [
            [
                name,
                f"{cost[name] / 1e6:,.1f}",
                f"{cost[name] / cost['REF']:.3f}",
                f"{(cost[name] - bare) / (cost['REF'] - bare):.3f}",
                str(taken[name]["cpu"]),
                f"{taken[name]['cpu'].median / taken['REF']['cpu'].median:.2f}",
                str(emulator[name]),
                f"{emulator[name].median / emulator['REF'].median:.2f}",
            ]
            for name in ("REF", *FUNCTIONS)
        ],
    )
    rows = []
    for name, (instead, base) in off.items():
        rows.append([name, f"{(instead - base) / cost['REF']:+.3f}", f"{instead / base:.2f}"])
    rows.append(
        [
            "certificate roots of AWS alone (start over TLS)",
            f"{(secure[1] - secure[0]) / cost['REF']:+.3f}",
            f"{secure[1] / secure[0]:.2f}",
        ]
    )
    techniques_table = table(["technique", "start without it, in REF", "÷ with it"], rows)
    return Section("cold", "Cold start", COMMAND, tuple(figures), (starts_table.rstrip(), techniques_table.rstrip()))


def roots() -> tuple[int, int]:
    """Count the start of reissue over TLS with the layer's certificate roots, and with all of
    botocore's.
    """
    with surroundings(tls=True) as around, TemporaryDirectory() as folder:
        counts = []
        for packages in (product().layer, reference_packages(compiled=True)):
            bundle = Path(folder) / "roots.pem"
            own = (around.roots or Path()).read_text(encoding="utf-8")
            bundle.write_text(
                (packages / "botocore" / "cacert.pem").read_text(encoding="utf-8") + own, encoding="utf-8"
            )
            program = function("reissue", around)
            counts.append(
                instructions(Program(program.code, program.path, {**program.environment, "AWS_CA_BUNDLE": str(bundle)}))
            )
    return counts[0], counts[1]


if __name__ == "__main__":
    sys.exit(finish(measure()))
