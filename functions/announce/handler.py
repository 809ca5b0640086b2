"""Lambda entry point of the events for the voting platform: the register's stream."""

from typing import Any

from reassort import start
from reassort.aws import Clients
from reassort.keyed_hash import KeyedHash, hash_keys
from reassort.settings import read_settings

from announce.triggers import answer
from announce.wiring import Settings, build

_settings = read_settings(Settings)
_clients = Clients()
_deps = build(_settings, _clients, KeyedHash())
start.begin(lambda: _deps.keyed_hash.derive(_clients.kms, hash_keys(_settings), _settings.election))


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an event of the register's stream."""
    _deps.event_log.begin(context.aws_request_id)
    return answer(event, _deps)
