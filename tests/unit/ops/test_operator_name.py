"""The name under which the register records what an operator does."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from reassort_ops.account.stack import Aws
from reassort_ops.failures import OperatorError

SESSION = "arn:aws:sts::123456789012:assumed-role/Operators"


def named(session: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an operator whose session is called so."""
    sts = SimpleNamespace(get_caller_identity=lambda: {"Arn": f"{SESSION}/{session}"})
    monkeypatch.setattr("reassort_ops.account.stack.Session.client", lambda *_, **__: sts)
    return Aws(region="eu-west-3").operator()


@pytest.mark.req("I7")
def test_the_domain_of_an_address_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named("anne.petit@ac-dijon.fr", monkeypatch) == "anne.petit"


@pytest.mark.req("S34")
@pytest.mark.parametrize("session", ["voter", "dispute", "bb881877-6d98-54c5-b812-c6223d414e46", "@ac-dijon.fr"])
def test_a_session_that_is_named_as_somebody_else_is_changes_nothing(
    session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OperatorError, match="somebody else"):
        named(session, monkeypatch)
