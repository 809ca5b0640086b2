"""The start of each built function, as a program to count or time, and that of REF."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.measuring.programs import Program
from harness.runtime.surroundings import Surroundings
from harness.runtime.trees import compile_anew, deployed_copy, product, reference_packages

BARS = {"login": 1.0, "reissue": 1.10}


def ref(around: Surroundings) -> Program:
    """Return REF: boto3, pydantic, Logger and Metrics, with bytecode."""
    return Program("import ref", (reference_packages(compiled=True),), around.environment)


def function(name: str, around: Surroundings, path: tuple[Path, ...] | None = None, prelude: str = "") -> Program:
    """Return the start of a built function, on another path or after a prelude if need be."""
    return Program(f"{prelude}import {name}.handler", path or product().path(name), around.environment)


@contextmanager
def as_deployed() -> Iterator[tuple[tuple[Path, Path], tuple[Path, Path]]]:
    """Give the path of reissue as Lambda unpacks it, every file dated 1980, and the same tree with
    all bytecode made on the spot.
    """
    with TemporaryDirectory() as folder:
        paths = []
        for name in ("deployed", "fresh"):
            path = tuple(
                deployed_copy(part, Path(folder) / name / str(number))
                for number, part in enumerate(product().path("reissue"))
            )
            paths.append(path)
        for part in paths[1]:
            for cache in part.rglob("__pycache__"):
                shutil.rmtree(cache)
            compile_anew(part)
        yield (paths[0][0], paths[0][1]), (paths[1][0], paths[1][1])
