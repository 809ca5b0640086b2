"""Lambda entry point of the registry: `POST /registry/check` and `POST /registry/votes`."""

from dataclasses import dataclass
from typing import Any

from reassort import start
from reassort.aws import Clients, connect
from reassort.clock import utc_now
from reassort.election import Election, packaged_election
from reassort.http import serve
from reassort.keyed_hash import KeyedHash
from reassort.logs import Journal
from reassort.settings import read_settings

from registry.routes import RegistryRoutes
from registry.rules import Registry


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    hmac_key: str
    identifiers_table: str
    voters_table: str
    register_table: str


def _start() -> tuple[RegistryRoutes, Journal, Election]:
    settings = read_settings(Settings)
    clients = Clients()
    election = packaged_election(settings.election)
    dynamodb = clients.dynamodb()
    kms = clients.kms()
    keyed_hash = KeyedHash()
    journal = Journal("registry")
    deps = Registry(
        dynamodb=dynamodb,
        keyed_hash=keyed_hash,
        election=election,
        clock=utc_now,
        identifiers_table=settings.identifiers_table,
        voters_table=settings.voters_table,
        register_table=settings.register_table,
    )
    start.begin(lambda: keyed_hash.derive(kms, settings.hmac_key, election.id), lambda: connect(dynamodb))
    return RegistryRoutes(deps, journal), journal, election


_registry, _journal, _election = _start()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer a REST API proxy event."""
    return serve(event, _registry.routes, _journal, helpdesk=_election.helpdesk.phone, site_origin=None)
