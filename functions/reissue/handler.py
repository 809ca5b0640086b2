"""Lambda entry point of reissue: `/api/reissue…` and `/api/dispute`."""

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

from reissue.deps import Deps, Tables
from reissue.routes import Reissue


@dataclass(frozen=True)
class Settings:
    """What the template gives this function."""

    election: str
    site_origin: str
    encryption_key: str
    hmac_key: str
    voters_table: str
    identifiers_table: str
    sign_in_table: str
    deliveries_table: str
    register_table: str
    limits_table: str
    control_table: str


def _start() -> tuple[Reissue, Journal, Election, str]:
    settings = read_settings(Settings)
    clients = Clients()
    election = packaged_election(settings.election)
    dynamodb = clients.dynamodb()
    kms = clients.kms()
    keyed_hash = KeyedHash()
    journal = Journal("reissue")
    deps = Deps(
        dynamodb=dynamodb,
        keyed_hash=keyed_hash,
        sealer=Sealer(kms, settings.encryption_key),
        election=election,
        clock=utc_now,
        tables=Tables(
            voters=settings.voters_table,
            identifiers=settings.identifiers_table,
            sign_in=settings.sign_in_table,
            deliveries=settings.deliveries_table,
            register=settings.register_table,
            limits=settings.limits_table,
            control=settings.control_table,
        ),
    )
    start.begin(lambda: keyed_hash.derive(kms, settings.hmac_key, election.id), lambda: connect(dynamodb))
    return Reissue(deps, journal), journal, election, settings.site_origin


_reissue, _journal, _election, _site_origin = _start()


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001
    """Answer a REST API proxy event."""
    return serve(event, _reissue.routes, _journal, helpdesk=_election.helpdesk.phone, site_origin=_site_origin)
