"""What a function meets when it is measured: its environment, an AWS that answers at once, and the
request of one voter.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from reassort.clock import epoch_milliseconds
from reassort.cookies import write_cookie
from reassort.election import Election, election_from_json
from reassort.keyed_hash import HashKey, KeyedHash
from reassort.sessions import SESSION_COOKIE, Token, session_item
from reassort.tables import to_wire
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.rows import RollRow

from harness.runtime.trees import FOLDER, product
from harness.service.events import load_event
from local.deploy import ELECTION
from local.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY = bytes(range(32))
_NUMEN = "09E9900123ABC"
_ORIGIN = "https://reassort.example.fr"


@dataclass(frozen=True)
class Surroundings:
    """The environment of a function, and the event of a reissue that it commits every time."""

    environment: dict[str, str]
    event: Path
    roots: Path | None = None


@contextmanager
def surroundings(*, tls: bool = False) -> Iterator[Surroundings]:
    """Start the AWS that answers at once, over TLS under a root of its own or plainly."""
    election = election_from_json((product().layer / "reassort" / "elections" / f"{ELECTION.stem}.json").read_bytes())
    FOLDER.mkdir(parents=True, exist_ok=True)
    folder = FOLDER / f"stub-{secrets.token_hex(4)}"
    folder.mkdir()
    event, answers = _request(election)
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    (folder / "event.json").write_text(json.dumps(event), encoding="utf-8")
    certificate = _write_certificate(folder) if tls else ()
    with subprocess.Popen(
        [sys.executable, "-m", "harness.runtime.stub", str(folder / "answers.json"), *map(str, certificate)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        port = int((server.stdout or sys.stdin).readline())
        environment = _environment(f"{'https' if tls else 'http'}://127.0.0.1:{port}")
        if certificate:
            environment["AWS_CA_BUNDLE"] = str(certificate[0])
        # Leaving closes its standard input, and with it ends the server.
        yield Surroundings(environment, folder / "event.json", certificate[0] if certificate else None)
    shutil.rmtree(folder)


def _environment(endpoint: str) -> dict[str, str]:
    names = (
        "VOTERS",
        "IDENTIFIERS",
        "SIGN_IN",
        "CODE_DELIVERIES",
        "DELIVERIES",
        "REGISTER",
        "LIMITS",
        "CONTROL",
        "PACE",
        "HELPDESK_RECORD",
    )
    return {
        "LANG": "C.UTF-8",
        "ELECTION": ELECTION.stem,
        "SITE_ORIGIN": _ORIGIN,
        "SOURCE_HEADER": "x-viewer-address",
        "ENCRYPTION_KEY": "11111111-2222-3333-4444-555555555555",
        "WATCHED_KEYS": "11111111-2222-3333-4444-555555555555",
        **{key.upper(): "66666666-7777-8888-9999-000000000000" for key in HashKey},
        **{f"{name}_TABLE": f"{name.title().replace('_', '')}Table" for name in names},
        "RETRY_QUEUE": f"{endpoint}/000000000000/retries",
        "SENDER_DOMAIN": "elections.example",
        "CONFIGURATION_SET": "messages",
        "PLATFORM_TOPIC": "arn:aws:sns:eu-west-3:000000000000:platform",
        "PLATFORM_DEAD_LETTERS": f"{endpoint}/000000000000/platform-dead-letters",
        "HELPDESK_TOPIC": "arn:aws:sns:eu-west-3:000000000000:helpdesk",
        "METRICS_NAMESPACE": "reassort",
        "AGENT_ROLE": "AgentRole",
        "SUPERVISOR_ROLE": "SupervisorRole",
        "AUDITOR_ROLE": "AuditorRole",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        # As in Lambda, where the tracer finds a trace and sends its segments to a daemon, without
        # waiting for an answer.
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": "Root=1-5bfe4a10-3d2c1b0a9f8e7d6c5b4a3928;Parent=53995c3f42cd8ad8;Sampled=1",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
        "AWS_REGION": "eu-west-3",
        "AWS_DEFAULT_REGION": "eu-west-3",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
    }


def _request(election: Election) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a voter's event, and what AWS answers to the function that it reaches."""
    now = datetime.now(UTC)
    keyed_hash = KeyedHash(_KEY)
    secretariat = "Secrétariat du lycée Carnot, 16 boulevard Thiers, Dijon"
    row = RollRow(1, "camille.morvandel@ac-dijon.fr", _NUMEN, "Lycée Carnot, Dijon", secretariat)
    enrolment = Enroller(keyed_hash, "roll", epoch_milliseconds(now - timedelta(days=20))).enrol(row)
    voter, voter_id = enrolment.voter, enrolment.voter_id
    token = Token(voter_id, "Hd7kWm3pZt9vRc2xNb6yQs1fLg8jKa4U")
    session = session_item(
        keyed_hash,
        token,
        address=bytes(180),
        masked_address="c•••@ac-dijon.fr",
        now=now,
        limits=election.limits.session,
    )
    event = load_event("api-reissue-post")
    event["headers"].update(
        {"Cookie": f"{SESSION_COOKIE}={write_cookie(SESSION_COOKIE, token, keyed_hash)}", "Origin": _ORIGIN}
    )
    shown = {"revision": keyed_hash.revision(voter_id, 1)}
    event["body"] = json.dumps({**shown, "numen": _NUMEN, "phone": "06 12 34 56 78", "channel": "sms", "consent": True})
    sealed = b64encode(bytes(180)).decode()
    wire_voter, wire_session = _json(to_wire(voter)), _json(to_wire(session))
    answers = {
        "GenerateMac": {"Mac": b64encode(_KEY).decode(), "MacAlgorithm": "HMAC_SHA_256", "KeyId": "key"},
        "Encrypt": {"CiphertextBlob": sealed, "KeyId": "key", "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"},
        "BatchGetItem": {
            "Responses": {
                "SignInTable": [wire_session],
                "VotersTable": [wire_voter],
                "DeliveriesTable": [],
                "ControlTable": [],
            },
            "UnprocessedKeys": {},
        },
        "GetItem SignInTable": {"Item": wire_session},
        "GetItem VotersTable": {"Item": wire_voter},
    }
    return event, answers


def _json(attributes: Any) -> Any:
    if isinstance(attributes, bytes):
        return b64encode(attributes).decode()
    if isinstance(attributes, dict):
        return {name: _json(value) for name, value in attributes.items()}
    return [_json(value) for value in attributes] if isinstance(attributes, list) else attributes


def _write_certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 that is its own root, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
