"""A built function alone: its artefact, the layer and Lambda's own runtime client, under the
runtime interface emulator.

Nothing of this environment's packages is visible to it but `awslambdaric`, which Lambda's image has
as well and which comes last on the path; a package that the layer lacks is therefore missed here as
it would be in the cloud.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awslambdaric
import httpx
import samcli

from harness import plain_http
from local.aws import free_port
from local.deploy import architecture
from local.processes import guarded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

EMULATOR = Path(samcli.__file__).parent / "local" / "rapid" / f"aws-lambda-rie-{architecture()}"
_RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot_restore_py")


def copy_runtime(folder: Path) -> Path:
    """Copy Lambda's runtime client, and what it imports, to a folder of their own."""
    packages = Path(awslambdaric.__file__).parent.parent
    for name in _RUNTIME_PACKAGES:
        if (packages / name).is_dir():
            shutil.copytree(packages / name, folder / name, dirs_exist_ok=True)
    for extension in packages.glob("runtime_client*.so"):
        shutil.copy2(extension, folder)
    return folder


def python_command(artefact: Path, layer: Path, runtime: Path | None = None) -> tuple[list[str], dict[str, str]]:
    """Return a Python without site-packages, and the path on which it finds a function and its
    layer.
    """
    path = [str(artefact), str(layer / "python"), *([str(runtime)] if runtime else [])]
    environment = {"PYTHONPATH": ":".join(path), "PYTHONDONTWRITEBYTECODE": "1"}
    return [str(Path(sys.executable).resolve()), "-S", "-s", "-P"], environment


@contextmanager
def running(
    artefact: Path, layer: Path, runtime: Path, handler: str, environment: Mapping[str, str], log: Path
) -> Iterator[Callable[[Any], Any]]:
    """Run one function; give what invokes it with an event and returns its answer."""
    python, paths = python_command(artefact, layer, runtime)
    invoke_port, runtime_port = free_port(), free_port()
    command = [
        str(EMULATOR),
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{invoke_port}",
        "--runtime-api-address",
        f"127.0.0.1:{runtime_port}",
        *python,
        "-m",
        "awslambdaric",
        handler,
    ]
    full = {**environment, **paths, "LAMBDA_TASK_ROOT": str(artefact), "AWS_LAMBDA_FUNCTION_TIMEOUT": "60"}
    with guarded(command, environment=full, log=log) as process:
        url = f"http://127.0.0.1:{invoke_port}/2015-03-31/functions/function/invocations"

        def invoke(event: Any) -> Any:
            deadline = time.monotonic() + 180
            while True:
                try:
                    answer = plain_http.post(url, content=json.dumps(event).encode(), timeout=90)
                    return answer.json()
                except httpx.ConnectError:
                    assert process.poll() is None, log.read_text(encoding="utf-8")
                    assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
                    time.sleep(0.1)

        yield invoke


def imported_modules(artefact: Path, layer: Path, handler: str, environment: Mapping[str, str]) -> list[str]:
    """Import a handler's module in a fresh Python and return what `-v` tells of the imports."""
    python, paths = python_command(artefact, layer)
    finished = subprocess.run(
        [*python, "-v", "-c", f"import {handler.rpartition('.')[0]}"],
        env={**environment, **paths},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        cwd=artefact,
    )
    return finished.stderr.splitlines()
