"""What each function's entry point does with an event, over nothing: tests/artefact runs them over
a stack.
"""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock, call

import pytest

from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
# What API Gateway, or a stream, sends.
EVENT = {"httpMethod": "GET", "resource": "/", "requestContext": {"requestId": "the request"}, "Records": []}


def _handler(function: str, deps: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    """Import a function's entry point as Lambda would, with nothing to read, connect or derive."""
    for name in ("settings.read_settings", "aws.Clients", "election.packaged_election", "start.begin"):
        monkeypatch.setattr(f"reassort.{name}", MagicMock())
    monkeypatch.setattr(f"{function}.wiring.build", lambda *_: deps)
    monkeypatch.setattr("notify.triggers.on_schedule", lambda _: None)
    monkeypatch.delitem(sys.modules, f"{function}.handler", raising=False)
    handler: Callable[..., object] = import_module(f"{function}.handler").lambda_handler
    del sys.modules[f"{function}.handler"]
    # A function's collector rests until `start.begin`.
    gc.enable()
    return handler


@pytest.mark.req("S24")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_log_has_the_id_of_the_request_before_anything_else(function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deps = MagicMock()
    handler = _handler(function, deps, monkeypatch)
    handler(EVENT, SimpleNamespace(aws_request_id="the request"))
    assert deps.event_log.mock_calls[:1] == [call.begin("the request")]
