"""For how long operators' commands try again while tables are busy. Elsewhere in tests nobody
waits: stamina's testing mode limits every retry.
"""

from __future__ import annotations

from inspect import signature
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import stamina
from reassort.keyed_hash import KeyedHash
from reassort_ops.batch_pool import patient_attempts
from reassort_ops.platform.export import StatusExport
from reassort_ops.register.chains import _read_batch

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_SECONDS = 120
NOBODY: Any = None
STACK: Any = SimpleNamespace(voters_table="voters")
RETRIES: dict[str, Callable[[], object]] = {
    "a batch": lambda: list(patient_attempts()),
    "chains": lambda: list(_read_batch(NOBODY, "register", [])),
    "statuses": lambda: StatusExport(NOBODY, STACK, KeyedHash(), 1)._voters(set()),
}


@pytest.mark.req("R15")
@pytest.mark.parametrize("name", RETRIES)
def test_nobody_tries_again_for_ever(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    wanted = signature(stamina.retry_context)
    limits: list[float | None] = []

    def watched(*arguments: Any, **named: Any) -> tuple[()]:
        limits.append(wanted.bind(*arguments, **named).arguments.get("timeout"))
        return ()

    monkeypatch.setattr(stamina, "retry_context", watched)
    RETRIES[name]()
    assert limits == [LONGEST_SECONDS]
