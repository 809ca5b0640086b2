"""Lambda entry point of the helpdesk: `/helpdesk/…`."""

from typing import Any

from reassort import start
from reassort.aws import Clients, connect
from reassort.clock import utc_now
from reassort.election import packaged_election
from reassort.keyed_hash import KeyedHash, hash_keys
from reassort.settings import read_settings

from helpdesk.routes import answer
from helpdesk.wiring import Settings, build

_settings = read_settings(Settings)
_clients = Clients()
_deps = build(_settings, _clients, utc_now, packaged_election(_settings.election), KeyedHash())
start.begin(
    lambda: _deps.keyed_hash.derive(_clients.kms, hash_keys(_settings), _deps.election.id),
    lambda: connect(_clients.dynamodb),
)


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer a REST API proxy event."""
    return answer(event, _deps)
