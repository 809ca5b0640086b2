"""Build the artefact of one Lambda function, or of the layer they share, into `$ARTIFACTS_DIR`.

Called by `sam build` through `packaging/Makefile`:

    package.py function NAME    # the package `functions/NAME`, compiled
    package.py layer            # the domain, the elections, the locked packages, all compiled

Environment:
    ARTIFACTS_DIR: where the artefact goes; `sam build` sets it.
    ARCHITECTURE: `arm64` (default) or `x86_64`; the makefile named by the template's ContextPath
        sets it.
    LAYER_PLATFORM: overrides the platform of the wheels, in uv's words, for a local stack on a host
        that is not Linux.
    ELECTIONS_DIR: the folder of election files (default `elections`).
    UV: the uv program (default: the one on PATH).

The same sources give the same bytes, whatever the machine and the folder they are built in.
"""

from __future__ import annotations

import argparse
import compileall
import gzip
import hashlib
import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.made_once import made_once

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = (3, 13)
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
TASK_ROOT, LAYER_ROOT = "/var/task", "/opt/python"

# The one list of what the functions ask of AWS. An SDK client is built from its service's whole
# JSON model, which costs 51 ms for a full DynamoDB and 7 ms for one that holds these operations
# only; an operation that is not here is an AttributeError on the client, in every test that runs
# the built artefact.
OPERATIONS = {
    "dynamodb": {
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    },
    "kms": {"Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateMac", "VerifyMac"},
    "sesv2": {"SendEmail"},
    "sns": {"Publish"},
    "sqs": {"ChangeMessageVisibility", "DeleteMessage", "SendMessage", "SendMessageBatch"},
}
# Amazon Trust Services' roots, by their labels in botocore's bundle.
ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
# What botocore reads for every client, whatever the service.
SDK_FILES = ("_retry.json", "partitions.json", "sdk-default-configuration.json")

# Found by reading what the packages import: nothing calls importlib.metadata on the way of a
# function.
BALLAST = (
    "*.dist-info",
    ".lock",
    "bin",
    "dateutil/zoneinfo/*.tar.gz",
    # Powertools beyond Logger, Metrics and batch (which wants the parser): each is imported by its
    # own users only.
    "aws_lambda_powertools/event_handler",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "metadata",
            "parameters",
            "streaming",
            "validation",
        )
    ),
    # Emergency and service numbers. The regions of ordinary numbers stay, all of them: a foreign
    # one must be recognised.
    "phonenumbers/shortdata/region_*.py",
    "**/tests",
    "**/*.pyi",
    "**/*.c",
    "**/py.typed",
    "**/__pycache__",
)

# Python takes unchecked bytecode without reading the source beside it. The artefact of a Lambda
# cannot change under it, so a check would only find again what the deploy's own hash has
# established, at the price of reading and hashing every module at each cold start (1.7 % of its
# instructions, and the reads). Timestamps would be worse: the zip dates every file 1980, and all
# bytecode is refused.
INVALIDATION = py_compile.PycInvalidationMode.UNCHECKED_HASH


class PackagingError(Exception):
    """An artefact cannot be built. The message says what to do, in one line."""


def main() -> None:
    """Build what the command line names."""
    parser = argparse.ArgumentParser(description="Build a Lambda artefact into $ARTIFACTS_DIR.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("function").add_argument("name")
    kinds.add_parser("layer")
    arguments = parser.parse_args()
    if sys.version_info[:2] != RUNTIME:
        sys.exit(f"bytecode for Python {RUNTIME[0]}.{RUNTIME[1]} cannot be written by {sys.executable}")
    try:
        target = Path(_environment("ARTIFACTS_DIR"))
        target.mkdir(parents=True, exist_ok=True)
        if arguments.kind == "function":
            build_function(arguments.name, target)
        else:
            build_layer(target)
    except PackagingError as error:
        sys.exit(str(error))


def _environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise PackagingError(f"{name} is not set: packaging/package.py is run by `sam build`")
    return value


def build_function(name: str, target: Path) -> None:
    """Copy the package `functions/<name>` into `target` and compile it."""
    source = ROOT / "functions" / name
    if not (source / "handler.py").is_file():
        raise PackagingError(f"functions/{name} has no handler.py")
    shutil.rmtree(target / name, ignore_errors=True)
    copy_sources(source, target / name)
    compile_tree(target / name, strip=target, prefix=TASK_ROOT)


def build_layer(target: Path) -> None:
    """Put the third-party packages, the domain and the elections under `target`/python."""
    from reassort.local_times import ZONES

    elections = read_elections(ROOT / os.environ.get("ELECTIONS_DIR", "elections"))
    zones = sorted({election.timezone for election in elections} | {"Europe/Paris"} | ZONES)
    python = target / "python"
    shutil.rmtree(python, ignore_errors=True)
    shutil.copytree(third_party(zones), python, copy_function=link_or_copy, dirs_exist_ok=True)
    domain = python / "reassort"
    copy_sources(ROOT / "layers" / "shared" / "reassort", domain)
    (domain / "elections").mkdir(exist_ok=True)
    for election in elections:
        (domain / "elections" / f"{election.id}.json").write_text(election.for_functions(), encoding="utf-8")
    # A version that was published for ready environments is replaced when the layer is (ADR 0021):
    # so it is, when a function changes.
    (domain / "functions.sha256").write_text(digest_of(ROOT / "functions"), encoding="ascii")
    compile_tree(domain, strip=python, prefix=LAYER_ROOT)


def digest_of(folder: Path) -> str:
    """Return the digest of every source of a folder, in hexadecimal digits."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(folder)} {path.stat().st_size}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def read_elections(folder: Path) -> list[ElectionFile]:
    """Read and validate every election file of `folder`.

    Raises:
        PackagingError: there is none, one is refused, or its name is not its election's id.
    """
    # A function needs neither: they are half of the time that packing one takes.
    from reassort.election import ElectionFileError
    from reassort.election_file import read_election_file

    elections = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            election = read_election_file(path)
        except ElectionFileError as error:
            raise PackagingError(str(error)) from error
        if election.id != path.stem:
            raise PackagingError(f"{path.name}: id: {election.id!r} must be the name of the file")
        elections.append(election)
    if not elections:
        raise PackagingError(f"{folder} holds no election file (*.yaml)")
    return elections


def copy_sources(source: Path, target: Path) -> None:
    """Copy a package of this repository without what its development leaves behind."""
    leftovers = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyi", "py.typed", ".*", "elections")
    shutil.copytree(source, target, ignore=leftovers, dirs_exist_ok=True)


def link_or_copy(source: str, target: str) -> None:
    """Share a file that nobody writes to, where the file system can: copying 1,300 of them takes a
    second.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def compile_tree(folder: Path, *, strip: Path, prefix: str, workers: int = 1) -> None:
    """Write hash-based bytecode beside each source; tracebacks name it as it will be found at run
    time.
    """
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        force=True,
        stripdir=str(strip),
        prependdir=prefix,
        invalidation_mode=INVALIDATION,
        workers=workers,
    )
    if not compiled:
        raise PackagingError(f"{folder.name} does not compile")


def third_party(zones: list[str]) -> Path:
    """Give the folder of the locked packages of the dependency group `layer`, pruned and compiled.

    It is kept in `.build/layer`, under a name made of everything it depends on.
    """
    architecture = os.environ.get("ARCHITECTURE") or "arm64"
    platform = os.environ.get("LAYER_PLATFORM") or PLATFORMS.get(architecture)
    if platform is None:
        raise PackagingError(f"ARCHITECTURE={architecture} is not one of {', '.join(PLATFORMS)}")
    digest = hashlib.sha256()
    for part in (ROOT / "uv.lock", ROOT / "pyproject.toml", Path(__file__)):
        digest.update(part.read_bytes())
    digest.update("\n".join([sys.version, platform, *zones]).encode())

    def make(tree: Path) -> None:
        install_locked(tree, platform)
        prune(tree, zones)
        # One for each processor.
        compile_tree(tree, strip=tree, prefix=LAYER_ROOT, workers=0)

    return made_once(ROOT / ".build" / "layer" / f"{platform}-{digest.hexdigest()[:16]}", make)


def install_locked(target: Path, platform: str) -> None:
    """Install the group `layer` of uv.lock into `target`, each wheel checked against its hash in
    the lock.

    Copied, for uv's links lead to its cache: pruning would write into every environment of this
    machine.
    """
    requirements = target.with_suffix(".txt")
    uv("export", "--frozen", "--quiet", "--only-group", "layer", "--no-emit-project", "--output-file", requirements)
    uv(
        *("pip", "install", "--quiet", "--link-mode", "copy"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:"),
        *("--python-version", f"{RUNTIME[0]}.{RUNTIME[1]}", "--python-platform", platform),
        *("--target", target, "--requirement", requirements),
    )


def uv(*arguments: str | Path) -> None:
    """Run uv at the root of the repository.

    Raises:
        PackagingError: uv is missing, or says no.
    """
    program = os.environ.get("UV") or "uv"
    try:
        subprocess.run([program, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise PackagingError("uv is missing: `make build` installs it for this repository") from error
    except subprocess.CalledProcessError as error:
        raise PackagingError(f"uv {arguments[0]}: {' '.join(error.stderr.split())}") from error


def prune(tree: Path, zones: list[str]) -> None:
    """Remove from the installed `tree` what no function reads."""
    for pattern in BALLAST:
        for path in list(tree.glob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    prune_time_zones(tree / "tzdata" / "zoneinfo", zones)
    prune_sdk(tree / "botocore" / "data")
    prune_roots(tree / "botocore" / "cacert.pem")


def prune_time_zones(database: Path, zones: list[str]) -> None:
    """Keep the files of `zones`, and the packages that lead to them."""
    kept = {database / zone for zone in zones}
    for path in sorted(database.rglob("*"), reverse=True):
        if path.is_dir():
            if not any(zone.is_relative_to(path) for zone in kept):
                shutil.rmtree(path)
        elif path not in kept and path.name != "__init__.py":
            path.unlink()


def prune_roots(bundle: Path) -> None:
    """Keep the certificate roots that AWS's endpoints have: each client reads the whole file before
    its first connection.

    https://www.amazontrust.com/repository/ lists them.

    Raises:
        PackagingError: the bundle lacks one of them.
    """
    *certificates, _ = bundle.read_text(encoding="utf-8").split("-----END CERTIFICATE-----\n")
    kept = [part for part in certificates if any(f'# Label: "{root}"' in part for root in ROOTS)]
    if len(kept) != len(ROOTS):
        raise PackagingError(f"{bundle.name} of botocore holds {len(kept)} of the {len(ROOTS)} roots of AWS")
    bundle.write_text("".join(f"{part.lstrip()}-----END CERTIFICATE-----\n" for part in kept), encoding="utf-8")


def prune_sdk(data: Path) -> None:
    """Reduce the SDK's data to `OPERATIONS`.

    Models are stored plain: the deployment zip compresses them (8.69 MB either way), and reading
    them gzipped costs 0.2 % more instructions at each cold start.
    """
    for path in list(data.iterdir()):
        if path.is_dir() and path.name not in OPERATIONS:
            shutil.rmtree(path)
        elif path.is_file() and path.name not in (*SDK_FILES, "endpoints.json"):
            path.unlink()
    for service, operations in OPERATIONS.items():
        *older, latest = sorted((data / service).iterdir())
        for version in older:
            shutil.rmtree(version)
        for path in list(latest.iterdir()):
            if path.name == "service-2.json.gz":
                model = reduce_model(json.loads(gzip.decompress(path.read_bytes())), operations)
                _write_json(path.with_suffix(""), model)
            elif path.name == "endpoint-rule-set-1.json.gz":
                _write_json(path.with_suffix(""), json.loads(gzip.decompress(path.read_bytes())))
            path.unlink()
    endpoints = json.loads((data / "endpoints.json").read_bytes())
    _write_json(data / "endpoints.json", reduce_endpoints(endpoints))


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def reduce_model(model: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    """Keep of a service's model the `operations`, the shapes they reach, and no documentation.

    Raises:
        PackagingError: the service has no such operation.
    """
    unknown = operations - model["operations"].keys()
    if unknown:
        raise PackagingError(f"{model['metadata']['serviceId']} has no operation {', '.join(sorted(unknown))}")
    # Where an operation's parameters name the account, by an ARN, the SDK looks for it in each
    # call: a twentieth of a warm reissue. The tables here are named by their names.
    kept = {
        name: {key: value for key, value in operation.items() if key != "operationContextParams"}
        for name, operation in model["operations"].items()
        if name in operations
    }
    shapes: dict[str, Any] = {}
    waiting = list(_shapes_in(kept))
    while waiting:
        name = waiting.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            waiting.extend(_shapes_in(shapes[name]))
    ordered = {name: shape for name, shape in model["shapes"].items() if name in shapes}
    reduced = {**model, "operations": kept, "shapes": ordered}
    return {key: _without_documentation(value) for key, value in reduced.items() if key != "documentation"}


def _shapes_in(part: object) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_shapes_in, part))
    if not isinstance(part, dict):
        return set()
    own = {part["shape"]} if isinstance(part.get("shape"), str) else set()
    return own.union(*map(_shapes_in, part.values()))


def _without_documentation(part: Any) -> Any:
    """Drop the documentation strings; a member that is itself called `documentation` is a dict and
    stays.
    """
    if isinstance(part, list):
        return [_without_documentation(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _without_documentation(value)
        for key, value in part.items()
        if not (key == "documentation" and isinstance(value, str))
    }


def reduce_endpoints(endpoints: dict[str, Any]) -> dict[str, Any]:
    """Keep of the endpoints the public partition and the services of `OPERATIONS`."""
    public = next(partition for partition in endpoints["partitions"] if partition["partition"] == "aws")
    # SESv2's endpoint prefix.
    names = {*OPERATIONS, "email"}
    services = {name: service for name, service in public["services"].items() if name in names}
    return {**endpoints, "partitions": [{**public, "services": services}]}


if __name__ == "__main__":
    main()
