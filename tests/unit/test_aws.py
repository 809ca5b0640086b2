"""How often the functions' clients try, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from notify.claims import LEASE
from reassort.aws import Clients

from harness.engines.template import read_template

RESOURCES = read_template()["Resources"]


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Clients:
    """Clients as a function makes them, of nobody."""
    for name in ("DEFAULT_REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "eu-west-3")
    return Clients()


def _attempts(client: Any) -> int:
    """Return how often a call is sent at most."""
    attempts: int = client.meta.config.retries["total_max_attempts"]
    return attempts


def _longest(client: Any) -> timedelta:
    """Return how long a call lasts to which nobody answers, without the pauses."""
    config = client.meta.config
    return _attempts(client) * timedelta(seconds=config.connect_timeout + config.read_timeout)


@pytest.mark.req("R7")
@pytest.mark.parametrize("name", ["ses", "sns"])
def test_a_message_is_sent_once_and_within_its_lease(clients: Clients, name: str) -> None:
    client = getattr(clients, name)
    assert _attempts(client) == 1
    assert _longest(client) < LEASE < timedelta(seconds=RESOURCES["NotifyFunction"]["Properties"]["Timeout"])


@pytest.mark.req("R15")
@pytest.mark.parametrize("name", ["dynamodb", "kms", "sqs", "topics"])
def test_other_calls_are_tried_three_times_and_a_batch_of_them_ends_in_time(clients: Clients, name: str) -> None:
    client = getattr(clients, name)
    assert _attempts(client) == 3
    announce = RESOURCES["AnnounceFunction"]["Properties"]
    batch = announce["Events"]["Register"]["Properties"]["BatchSize"]
    assert batch * _longest(client) <= timedelta(seconds=announce["Timeout"])
