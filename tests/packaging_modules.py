"""The programs of `packaging/`, which is no package: one of that name is on PyPI."""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from local.processes import ROOT


@cache
def packaging_module(name: str) -> ModuleType:
    """Return a program of `packaging/` as a module."""
    spec = spec_from_file_location(f"packaging_{name}", ROOT / "packaging" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Its dataclasses look there for the names in their annotations.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
