"""A stack on moto, with the tables of `template.yaml` on MiniStack, a hash key, and the outputs by
which the command finds them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
import stamina
import time_machine
import typer
from moto import mock_aws
from reassort.election_file import read_election_file
from reassort.keyed_hash import KeyedHash, derive_keyed_hash
from reassort.tables import from_wire
from reassort_ops import output
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.cli import app
from typer.main import get_command
from typer.testing import CliRunner, Result

from harness.elections import FOLDER, election_layer, with_second_person
from harness.engines.engine import REGION, create_hash_keys
from harness.engines.ministack import MINISTACK
from harness.engines.moto import MadeOnce
from tests.unit.ops.helpdesk_api import LocalApi, helpdesk_of
from tests.unit.ops.rolls import rows, write_roll

if TYPE_CHECKING:
    from types import ModuleType

    from helpdesk.deps import Deps
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from rich.text import Text


@dataclass
class OperatedStack:
    """A stack and the command to work on it."""

    dynamodb: DynamoDBClient
    stack: Stack
    keyed_hash: KeyedHash
    elections: Path = FOLDER
    # From which the stack was built; else from `elections`.
    built_from: Path | None = None

    def layer(self, _aws: Aws, _arn: str) -> bytes:
        """Return the layer that the stack runs with."""
        folder = self.built_from or self.elections
        return election_layer(read_election_file(folder / f"{self.stack.election_id}.yaml"))

    def run(self, *arguments: object) -> Result:
        """Run `reassort` with these arguments on this stack; only what reads the roll or a voter
        needs the elections.
        """
        options = ["--stack", self.stack.name, "--region", REGION]
        if arguments[0] not in ("register", "platform", "deliveries"):
            options += ["--elections", str(self.elections)]
        # In one order, which a test can count on.
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


# Names, which their URLs follow from, and the outputs that say those.
QUEUES = {"retries": "RetryQueueUrl", "dead-letters": "DeadLetterQueueUrl"}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[OperatedStack]:
    """A stack without voters."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    # botocore's list of regions no longer has any for CloudFormation, which moto takes for all
    # there are.
    monkeypatch.setenv("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    stamina.set_testing(True, attempts=3, cap=True)
    # For a group of Typer commands, its runner makes them all again for each run.
    monkeypatch.setattr("typer.testing._get_command", _command)
    with mock_aws(), MINISTACK.tables_for_all():
        made = _MADE.restore()
        for queue in QUEUES:
            made.sqs.create_queue(QueueName=queue)
        _API.deps = made.deps
        operated = OperatedStack(made.dynamodb, made.stack, made.keyed_hash)
        monkeypatch.setattr("reassort_ops.account.deployed_election.layer_archive", operated.layer)
        yield operated
    stamina.set_testing(False)


@pytest.fixture
def second_person(deployed: OperatedStack) -> Deps:
    """Let the election of the stack ask for a second person; return what the function works
    with.
    """
    assert _API.deps is not None
    _API.deps = replace(_API.deps, election=with_second_person(deployed.stack.election_id))
    return _API.deps


@dataclass(frozen=True)
class _Made:
    """What is the same for each stack: names, keys, and clients, each of which takes milliseconds
    to make.
    """

    dynamodb: DynamoDBClient
    sqs: SQSClient
    stack: Stack
    keyed_hash: KeyedHash
    deps: Deps


def _make() -> _Made:
    """Make tables, keys and the stack that names them."""
    kms, sqs = boto3.client("kms", region_name=REGION), boto3.client("sqs", region_name=REGION)
    hash_keys = create_hash_keys(kms)
    outputs = {f"{key.logical_id}Id": key_id for key, key_id in hash_keys.items()}
    outputs["EncryptionKeyId"] = kms.create_key()["KeyMetadata"]["KeyId"]
    signing = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    outputs["RegisterKeyId"] = signing["KeyMetadata"]["KeyId"]
    outputs |= {output: sqs.create_queue(QueueName=queue)["QueueUrl"] for queue, output in QUEUES.items()}
    outputs |= MINISTACK.stores.tables
    make_stack("reassort", {**outputs, "ElectionId": "dijon-2018", "SharedLayerArn": "layer:1", "ApiUrl": _API.url})
    keyed_hash = derive_keyed_hash(kms, hash_keys, "dijon-2018")
    stack = Aws(region=REGION).find_stack("reassort")
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    return _Made(dynamodb, sqs, stack, keyed_hash, helpdesk_of(stack, keyed_hash))


_command = cache(get_command)
_API = LocalApi()
_MADE = MadeOnce(_make)


def make_stack(name: str, outputs: dict[str, str]) -> None:
    """Make a stack that has these outputs."""
    template = {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation", region_name=REGION).create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.fixture
def before_the_close() -> Iterator[None]:
    """The day before the ballot opens."""
    with time_machine.travel(datetime(2018, 11, 28, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def enrolled(deployed: OperatedStack, tmp_path: Path) -> OperatedStack:
    """A stack with three voters."""
    assert deployed.run("roll", "import", write_roll(tmp_path, rows(3))).exit_code == 0
    return deployed


class Screen:
    """A terminal, on which lines appear in colours."""

    def __init__(self) -> None:
        self.colours: dict[str, str] = {}

    def print(self, line: Text) -> None:
        """Print a line, and keep its colour."""
        typer.echo(line.plain)
        self.colours[line.plain] = str(line.style)

    def colour(self, part: str) -> str:
        """Return the colour of the only line with these words."""
        (colour,) = {colour for line, colour in self.colours.items() if part in line}
        return colour


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """The terminal on which the command prints its results."""
    screen = Screen()
    monkeypatch.setattr(output, "_results", screen)
    return screen


def answering_no(monkeypatch: pytest.MonkeyPatch, command: ModuleType) -> list[str]:
    """Let somebody at a terminal answer each question of a group of commands with no; return the
    questions.
    """
    questions: list[str] = []
    monkeypatch.setattr(command, "may_ask", lambda: True)
    monkeypatch.setattr(command, "confirmed", questions.append)
    return questions
