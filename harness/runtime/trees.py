"""What is measured, as it would lie in Lambda: the project's own build, and the packages of the
references, from the same lock.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from local.deploy import architecture, build, write_demo_elections
from local.made_once import made_once
from local.processes import ROOT

FUNCTIONS = tuple(sorted(handler.parent.name for handler in (ROOT / "functions").glob("*/handler.py")))
FOLDER = ROOT / ".build" / "bench"
_PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}


@dataclass(frozen=True)
class Product:
    """The project's artefacts, as `sam build` left them, of the election files in `elections`."""

    folder: Path
    elections: Path

    @property
    def template(self) -> Path:
        """The template that is to be deployed."""
        return self.folder / "template.yaml"

    @property
    def layer(self) -> Path:
        """The packages of the layer."""
        return self.folder / "SharedLayer" / "python"

    def path(self, function: str) -> tuple[Path, ...]:
        """Where a function finds its modules, in Lambda's order."""
        return self.folder / f"{function.title()}Function", self.layer

    def artefacts(self) -> tuple[Path, ...]:
        """What is zipped and deployed: every function, and the layer."""
        return (*(self.folder / f"{function.title()}Function" for function in FUNCTIONS), self.folder / "SharedLayer")


@cache
def product() -> Product:
    """Build the template for this machine, with the demo election open now: once for all workers of
    a run of tests, and for all of `make test`.
    """

    if run := os.environ.get("TEST_RUN") or os.environ.get("PYTEST_XDIST_TESTRUNUID"):
        # The next `make test` removes it.
        folder = made_once(ROOT / ".build" / "tests" / f"product-{run}", _build)
    else:
        FOLDER.mkdir(parents=True, exist_ok=True)
        # Of this process alone: a test and a measurement may run at the same time.
        folder = Path(tempfile.mkdtemp(prefix="product-", dir=FOLDER))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _build(folder)
    return Product(folder / "build", folder / "elections")


def _build(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    build(folder, write_demo_elections(folder))


@cache
def reference_packages(*, compiled: bool) -> Path:
    """Install the dependency group `reference` whole, as `sam build` does, without bytecode unless
    it is `compiled`.
    """
    own = sorted((ROOT / "harness" / "runtime" / "reference").glob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in (ROOT / "uv.lock", ROOT / "pyproject.toml", *own)))
    digest.update(f"{sys.version} {platform.machine()} {compiled}".encode())

    def make(tree: Path) -> None:
        requirements = tree.with_suffix(".txt")
        _uv(
            *("export", "--frozen", "--quiet", "--only-group", "reference", "--no-emit-project"),
            *("--output-file", requirements),
        )
        target = ("--python-platform", _PLATFORMS[architecture()]) if sys.platform == "linux" else ()
        _uv(
            *("pip", "install", "--quiet", "--require-hashes", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", "3.13", *target, "--target", tree, "--requirement", requirements),
        )
        shutil.rmtree(tree / "bin", ignore_errors=True)
        for module in ("ref", "naive"):
            shutil.copy2(ROOT / "harness" / "runtime" / "reference" / f"{module}.py", tree)
        if compiled:
            compile_anew(tree)

    return made_once(FOLDER / f"reference-{digest.hexdigest()[:16]}", make)


def compile_anew(tree: Path) -> None:
    """Write bytecode that Python takes without looking at its source."""
    mode = ("--invalidation-mode", "unchecked-hash")
    # Some packages hold files for other Pythons, which do not compile: no reason to stop.
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "-f", "-j", "0", *mode, tree], check=False)


def zipped_size(*folders: Path) -> int:
    """Return how many bytes the folders have as zips, one each."""
    return sum(_zip(folder) for folder in folders)


def _zip(folder: Path) -> int:
    packed = FOLDER / f"packed-{os.getpid()}.zip"
    packed.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                # The date that the zips of `sam` give to every file.
                info = zipfile.ZipInfo(str(path.relative_to(folder)), (1980, 1, 1, 0, 0, 0))
                archive.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED)
    size = packed.stat().st_size
    packed.unlink()
    return size


def deployed_copy(folder: Path, target: Path) -> Path:
    """Copy a folder as it lies in Lambda: through a zip, each file dated 1980."""
    shutil.copytree(folder, target)
    for path in target.rglob("*"):
        os.utime(path, (315532800, 315532800))
    return target


def uv_program() -> str:
    """Return the uv that make has found, or brought."""
    return os.environ.get("UV") or shutil.which("uv") or str(ROOT / ".build" / "tools" / "bin" / "uv")


def _uv(*arguments: str | Path) -> None:
    subprocess.run([uv_program(), *arguments], cwd=ROOT, check=True)
