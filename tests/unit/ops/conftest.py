"""A stack on moto: the tables of `template.yaml`, a hash key, the outputs by which the command
finds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import stamina
from cryptography.hazmat.primitives.asymmetric import rsa
from moto import mock_aws
from reassort.keyed_hash import KeyedHash, derive_keyed_hash
from reassort.tables import from_wire
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.cli import app
from typer.testing import CliRunner, Result

from harness.elections import FOLDER
from harness.engines.engine import create_hash_keys
from harness.engines.template import create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REGION = "eu-west-3"


@dataclass
class OperatedStack:
    """A stack and the command to work on it."""

    dynamodb: DynamoDBClient
    stack: Stack
    keyed_hash: KeyedHash
    elections: Path = FOLDER

    def run(self, *arguments: object) -> Result:
        """Run `reassort` with these arguments on this stack; only what reads the roll or a voter
        needs the elections.
        """
        options = ["--stack", self.stack.name, "--region", REGION]
        if arguments[0] not in ("register", "platform", "deliveries"):
            options += ["--elections", str(self.elections)]
        # moto is not atomic under threads.
        if arguments[:2] == ("roll", "import") or arguments[0] in ("purge", "platform"):
            options += ["--threads", "1"]
        return CliRunner().invoke(app, [*map(str, arguments), *options])

    def run_json(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """Run `reassort … --json` and return its exit status and what it printed."""
        result = self.run(*arguments, "--json")
        content: dict[str, Any] = json.loads(result.stdout)
        return result.exit_code, content

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return every item of a table."""
        return [from_wire(item) for item in self.dynamodb.scan(TableName=table)["Items"]]

    def everything(self) -> list[list[dict[str, Any]]]:
        """Return every item of the tables that the command writes."""
        return [
            self.items(table)
            for table in (self.stack.voters_table, self.stack.identifiers_table, self.stack.register_table)
        ]

    def voter(self, address: str) -> dict[str, Any]:
        """Return the item of a voter."""
        key = {"voter_id": {"S": self.keyed_hash.voter_id(address)}}
        return from_wire(self.dynamodb.get_item(TableName=self.stack.voters_table, Key=key)["Item"])


_rsa_key = cache(rsa.generate_private_key)


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatedStack]:
    """A stack without voters."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    # botocore's list of regions no longer has any for CloudFormation, which moto takes for all
    # there are.
    monkeypatch.setenv("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    stamina.set_testing(True, attempts=3, cap=True)
    # moto makes one for each key, also for those that are symmetric, and it takes longer than all
    # else here.
    monkeypatch.setattr("moto.kms.utils.rsa.generate_private_key", _rsa_key)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name=REGION)
        tables = create_tables(dynamodb)
        kms = boto3.client("kms", region_name=REGION)
        hash_keys = create_hash_keys(kms)
        encryption_key = kms.create_key()["KeyMetadata"]["KeyId"]
        signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
        sqs = boto3.client("sqs", region_name=REGION)
        queues = {
            "RetryQueueUrl": sqs.create_queue(QueueName="retries")["QueueUrl"],
            "DeadLetterQueueUrl": sqs.create_queue(QueueName="dead-letters")["QueueUrl"],
        }
        keys = {f"{key.logical_id}Id": key_id for key, key_id in hash_keys.items()}
        keys |= {"EncryptionKeyId": encryption_key, "RegisterKeyId": signing}
        outputs = {**tables, **queues, **keys, "ElectionId": "dijon-2018"}
        make_stack("reassort", outputs)
        yield OperatedStack(
            dynamodb, Aws(region=REGION).find_stack("reassort"), derive_keyed_hash(kms, hash_keys, "dijon-2018")
        )
    stamina.set_testing(False)


def make_stack(name: str, outputs: dict[str, str]) -> None:
    """Make a stack that has these outputs."""
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName=name, TemplateBody=json.dumps(template))
