"""The built template, and an embedded AWS with the resources that its functions name."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from reassort.election import Election, election_from_json
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import KeyedHash, derive_keyed_hash
from reassort.tables import to_wire
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.rows import RollRow

from harness.engines.engine import create_hash_keys
from harness.engines.template import create_tables
from harness.runtime.emulator import copy_runtime
from harness.runtime.trees import product
from harness.stack.deployed import make_client
from local.aws import LocalAws, start_aws
from local.deploy import ELECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SITE_ORIGIN = "https://reassort.example.fr"


@dataclass(frozen=True)
class Artefacts:
    """What `sam build` left, one folder for each function and one for the layer, and the runtime
    client apart.
    """

    folder: Path
    runtime: Path
    election: Election

    def of(self, logical_id: str) -> Path:
        """Return the artefact of a function or of the layer."""
        return self.folder / logical_id


@dataclass(frozen=True)
class AwsAround:
    """The AWS around a function, and the voter on its roll."""

    aws: LocalAws
    environment: dict[str, str]
    keyed_hash: KeyedHash
    election: Election

    def enrol(self, email: str, numen: str) -> str:
        """Put a voter on the roll and return their first identifier."""
        identifier = generate_identifier(self.election.identifier)
        row = RollRow(1, email, numen, "Lycée Carnot, Dijon", None, normalise_identifier(identifier))
        for table, item in Enroller(self.keyed_hash, "roll", int(time.time() * 1000)).enrol(row).items:
            self.put(table, item)
        return identifier

    def put(self, table: str, item: dict[str, Any]) -> None:
        """Put an item."""
        make_client(self.aws, "dynamodb").put_item(TableName=table, Item=to_wire(item))


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Artefacts:
    """The template, built."""
    folder = tmp_path_factory.mktemp("artefacts")
    election = election_from_json((product().layer / "reassort" / "elections" / f"{ELECTION.stem}.json").read_bytes())
    return Artefacts(product().folder, copy_runtime(folder / "runtime"), election)


@pytest.fixture(scope="session")
def surroundings(artefacts: Artefacts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsAround]:
    """An embedded AWS with the template's tables, and the environment that the template gives to
    functions.
    """
    with start_aws(tmp_path_factory.mktemp("aws")) as aws:
        tables = create_tables(make_client(aws, "dynamodb"))
        kms = make_client(aws, "kms")
        encryption_key = kms.create_key()["KeyMetadata"]["KeyId"]
        hash_keys = create_hash_keys(kms)
        ses = make_client(aws, "sesv2")
        ses.create_email_identity(EmailIdentity="elections.example")
        ses.create_configuration_set(ConfigurationSetName="messages")
        environment = {
            **aws.environment(),
            "ELECTION": artefacts.election.id,
            "SITE_ORIGIN": SITE_ORIGIN,
            "SOURCE_HEADER": "x-viewer-address",
            "ENCRYPTION_KEY": encryption_key,
            "WATCHED_KEYS": encryption_key,
            **{key.upper(): key_id for key, key_id in hash_keys.items()},
            "VOTERS_TABLE": tables["VotersTable"],
            "IDENTIFIERS_TABLE": tables["IdentifiersTable"],
            "SIGN_IN_TABLE": tables["SignInTable"],
            "DELIVERIES_TABLE": tables["DeliveriesTable"],
            "CODE_DELIVERIES_TABLE": tables["CodeDeliveriesTable"],
            "REGISTER_TABLE": tables["RegisterTable"],
            "LIMITS_TABLE": tables["LimitsTable"],
            "CONTROL_TABLE": tables["ControlTable"],
            "PACE_TABLE": tables["PaceTable"],
            "HELPDESK_RECORD_TABLE": tables["HelpdeskRecordTable"],
            "AGENT_ROLE": "AgentRole",
            "SUPERVISOR_ROLE": "SupervisorRole",
            "AUDITOR_ROLE": "AuditorRole",
            "RETRY_QUEUE": make_client(aws, "sqs").create_queue(QueueName="retries")["QueueUrl"],
            "SENDER_DOMAIN": "elections.example",
            "CONFIGURATION_SET": "messages",
            "HELPDESK_TOPIC": make_client(aws, "sns").create_topic(Name="helpdesk")["TopicArn"],
            "PLATFORM_TOPIC": make_client(aws, "sns").create_topic(Name="platform")["TopicArn"],
            "PLATFORM_DEAD_LETTERS": make_client(aws, "sqs").create_queue(QueueName="platform-dead-letters")[
                "QueueUrl"
            ],
            "METRICS_NAMESPACE": "reassort",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }
        keyed_hash = derive_keyed_hash(kms, hash_keys, artefacts.election.id)
        yield AwsAround(aws, environment, keyed_hash, artefacts.election)


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Write a measurement to the terminal, captured or not, and to the test's report."""

    def write(text: str) -> None:
        record_property("measured", text)
        with capsys.disabled():
            sys.stdout.write(f"\n{text}\n")

    return write
