"""Lambda entry point of sign-in: `POST /api/login`, `POST /api/login/code`, `DELETE /api/login`."""

from dataclasses import dataclass
from typing import Any

from reassort import start
from reassort.aws import Clients, connect
from reassort.clock import utc_now
from reassort.election import Election, packaged_election
from reassort.http import serve
from reassort.keyed_hash import KeyedHash
from reassort.logs import Journal
from reassort.sealing import Sealer
from reassort.settings import read_settings

from login.codes import SignIn
from login.routes import Login


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    source_header: str
    encryption_key: str
    hmac_key: str
    sign_in_table: str
    deliveries_table: str
    voters_table: str


def _start() -> tuple[Login, Journal, Election, Settings]:
    settings = read_settings(Settings)
    clients = Clients()
    election = packaged_election(settings.election)
    dynamodb = clients.dynamodb()
    kms = clients.kms()
    keyed_hash = KeyedHash()
    journal = Journal("login")
    deps = SignIn(
        dynamodb=dynamodb,
        keyed_hash=keyed_hash,
        sealer=Sealer(kms, settings.encryption_key),
        election=election,
        clock=utc_now,
        sign_in_table=settings.sign_in_table,
        deliveries_table=settings.deliveries_table,
        voters_table=settings.voters_table,
    )
    start.begin(lambda: keyed_hash.derive(kms, settings.hmac_key, election.id), lambda: connect(dynamodb))
    return Login(deps, journal), journal, election, settings


_login, _journal, _election, _settings = _start()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer a REST API proxy event."""
    return serve(
        event,
        _login.routes,
        _journal,
        helpdesk=_election.helpdesk.phone,
        site_origin=_settings.site_origin,
        source_header=_settings.source_header,
    )
