"""What people with AWS credentials may do, tried with the credentials of what is attached to them,
while IAM is enforced: each has the commands of their role, and is refused those of the others.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore import xform_name
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pyrage import x25519
from reassort.keyed_hash import HashKey
from reassort_ops import cli
from reassort_ops.account.role_rights import TABLE_ACTIONS, TABLES
from reassort_ops.commands import purge as purge_command
from reassort_ops.purge import rules_of
from typer.testing import CliRunner

from harness import plain_http
from harness.stack.actors import KEYS, Actor, call_parameters, reaching_calls
from harness.stack.deployed import PATIENCE_SECONDS, Deployment
from harness.stack.people import ALONE, HELD, PEOPLE, TOGETHER
from tests.unit.ops.rolls import row, rows, write_roll

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reassort_ops.account.operator import Operator
    from typer.testing import Result

pytestmark = pytest.mark.req("O11")
# Command → who has it.
COMMANDS: Mapping[str, frozenset[str]] = {
    command: frozenset(who)
    for command, *who in (
        ("roll import {roll}", "operator"),
        ("roll import {corrected} --update --yes", "operator"),
        ("roll import {moved} --move --yes", "operator"),
        ("roll import {issued} --issue {folder}/mailing.age --recipient {key}", "operator"),
        ("roll missing {roll}", "operator"),
        ("roll remove {voter} --reason essai", "operator"),
        ("roll restore {voter} --reason essai", "operator"),
        ("election status", "operator"),
        ("election close --reason essai", "operator"),
        ("election open --reason essai", "operator"),
        ("deliveries list", "operator"),
        ("deliveries unreached", "operator"),
        ("deliveries redrive", "operator"),
        ("register verify", "operator"),
        ("register export --output {folder}/register.jsonl", "operator"),
        ("platform export --output {folder}/platform.csv", "operator"),
        ("minutes --output {folder}/minutes.html", "operator"),
        ("report --output {folder}/report.html", "operator"),
        ("voter show {voter}", "operator", "lead"),
        ("helpdesk invite {role}.invited --group agent", "lead"),
        ("helpdesk list", "lead"),
        ("purge --dry-run", "purger"),
    )
}
_REFUSED = re.compile(r"AccessDenied|not authorized|AWS refuses|403|may not", re.IGNORECASE)
# 3 is "something is to be removed, and nothing was"; 1, of one command, that somebody is missing.
_DONE = (0, 3)
_LISTS = "roll missing {roll}"


def _run(person: Actor, command: str, values: Mapping[str, object], monkeypatch: pytest.MonkeyPatch) -> Result:
    """Run a command as somebody, with their credentials and no others."""
    for name, value in person.environment().items():
        monkeypatch.setenv(name, value)
    stack = ["--stack", person.deployment.stack.name, "--region", person.deployment.aws.region]
    return CliRunner().invoke(cli.app, [*(part.format_map(values) for part in command.split()), *stack])


@pytest.fixture
def values(tmp_path: Path) -> dict[str, object]:
    """What stands in the commands."""
    issued = tmp_path / "issued.csv"
    issued.write_text(f"email;numen;establishment\n{row(7).email};{row(7).numen};Rectorat\n", encoding="utf-8")
    corrected = [row(1, numen="09E9000001XYZ"), row(2), row(3)]
    return {
        "folder": tmp_path,
        "roll": write_roll(tmp_path, rows(3)),
        "corrected": write_roll(tmp_path, corrected, "corrected.csv"),
        "moved": write_roll(tmp_path, [row(2, email="nouvelle@u-bourgogne.fr")], "moved.csv"),
        "issued": issued,
        "key": x25519.Identity.generate().to_public(),
        "voter": row(3).email,
    }


@pytest.fixture
def after_the_election(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge looks at the clock, and would refuse by itself while voters are served."""
    ended = deployment.election.register_ends_at.astimezone(UTC)
    monkeypatch.setattr(purge_command, "utc_now", lambda: ended)


@pytest.mark.usefixtures("after_the_election")
@pytest.mark.parametrize("role", PEOPLE)
def test_each_has_their_commands_and_is_refused_those_of_the_others(
    people: Mapping[str, Actor], role: str, values: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {}
    for command, who in COMMANDS.items():
        result = _run(people[role], command, values | {"role": role}, monkeypatch)
        refused = result.exit_code == 1 and _REFUSED.search(result.stderr)
        done = result.exit_code in (*_DONE, *([1] if command == _LISTS and not refused else []))
        if not (done if role in who else refused):
            told[command] = (result.exit_code, result.output[-400:], repr(result.exception))
    assert told == {}, told


@pytest.mark.parametrize("role", PEOPLE)
def test_each_does_on_a_table_what_their_work_needs_and_nothing_else(
    deployment: Deployment, people: Mapping[str, Actor], role: str, helpdesk: Operator
) -> None:
    person = people[role]
    rules = {rule.name: rule for rule in rules_of(helpdesk.stack, deployment.election)}
    found, expected = {}, {}
    for table in TABLES:
        name = deployment.table(table)
        named = {f"#{number}": attribute for number, attribute in enumerate(rules[name].attributes)}
        of_keys = {"ProjectionExpression": ", ".join(named), "ExpressionAttributeNames": named}
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            action.partition(":")[2]: (xform_name(action.partition(":")[2]), {}) for action in TABLE_ACTIONS
        } | {"ScanOfKeys": ("scan", of_keys)}
        found[table] = {
            action
            for action, (operation, more) in calls.items()
            if not person.is_refused("dynamodb", operation, **call_parameters(table, operation, name), **more)
        }
        put = {"RequestItems": {name: [{"PutRequest": {"Item": KEYS[table]}}]}}
        if not person.is_refused("dynamodb", "batch_write_item", **put):
            found[table].add("BatchWriteItem")
        alone = ALONE[role][table]
        expected[table] = alone | ({"ScanOfKeys"} if "Scan" in alone else set())
    assert found == expected


@pytest.mark.parametrize("role", PEOPLE)
def test_what_comes_in_a_transaction(deployment: Deployment, people: Mapping[str, Actor], role: str) -> None:
    found, expected = {}, {}
    for table in TABLES:
        calls = reaching_calls(table, deployment.table(table))
        held = ALONE[role][table] | TOGETHER[role][table]
        together = {call: one for call, one in calls.items() if call.endswith("in a transaction")}
        assert len(together) == 5
        found[table] = {
            call
            for call, (_, operation, parameters) in together.items()
            if not people[role].is_refused("dynamodb", operation, **parameters)
        }
        expected[table] = {call for call, (action, _, _) in together.items() if action in held}
        deployment.client("dynamodb").delete_item(TableName=deployment.table(table), Key=KEYS[table])
    assert found == expected


def test_a_purger_reads_nothing_more_of_an_item_than_its_end(
    deployment: Deployment, people: Mapping[str, Actor]
) -> None:
    for table, attribute in (
        ("VotersTable", "numen_hash"),
        ("IdentifiersTable", "voter_id"),
        ("NumensTable", "voter_id"),
        ("DeliveriesTable", "payload"),
        ("RegisterTable", "identifier_hash"),
        ("HelpdeskRecordTable", "address"),
    ):
        parameters = {"TableName": deployment.table(table)}
        assert people["purger"].is_refused("dynamodb", "scan", **parameters, ProjectionExpression=attribute)
        assert people["purger"].is_refused("dynamodb", "scan", **parameters, Select="COUNT")


@pytest.mark.parametrize("role", PEOPLE)
def test_keys_queues_functions_and_the_account(deployment: Deployment, people: Mapping[str, Actor], role: str) -> None:
    outputs, person = deployment.stack.outputs, people[role]
    layer, _, version = outputs["SharedLayerArn"].rpartition(":")
    mac = {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
    pool = {"UserPoolId": outputs["HelpdeskUserPoolId"]}
    letters, retries = {"QueueUrl": outputs["DeadLetterQueueUrl"]}, {"QueueUrl": outputs["RetryQueueUrl"]}
    logs = {"logGroupName": deployment.physical_id("ReissueLogs"), "logStreamName": "nobody"}
    stream: str = deployment.client("dynamodb").describe_table(TableName=outputs["RegisterTable"])["Table"][
        "LatestStreamArn"
    ]
    calls: dict[tuple[str, str], tuple[str, str, dict[str, Any]]] = {
        **{
            ("kms:GenerateMac", key.logical_id): (
                "kms",
                "generate_mac",
                {"KeyId": outputs[f"{key.logical_id}Id"], **mac},
            )
            for key in HashKey
        },
        ("kms:Sign", "RegisterKey"): (
            "kms",
            "sign",
            {"KeyId": outputs["RegisterKeyId"], "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"},
        ),
        ("kms:GetPublicKey", "RegisterKey"): ("kms", "get_public_key", {"KeyId": outputs["RegisterKeyId"]}),
        ("kms:ScheduleKeyDeletion", "EncryptionKey"): (
            "kms",
            "schedule_key_deletion",
            {"KeyId": outputs["EncryptionKeyId"]},
        ),
        ("dynamodb:DescribeTable", "IdentifiersTable"): (
            "dynamodb",
            "describe_table",
            {"TableName": outputs["IdentifiersTable"]},
        ),
        ("dynamodb:DeleteTable", "RegisterTable"): (
            "dynamodb",
            "delete_table",
            {"TableName": outputs["RegisterTable"]},
        ),
        ("dynamodb:GetRecords", "RegisterTable.StreamArn"): (
            "dynamodbstreams",
            "describe_stream",
            {"StreamArn": stream},
        ),
        ("lambda:GetLayerVersion", "SharedLayer"): (
            "lambda",
            "get_layer_version",
            {"LayerName": layer, "VersionNumber": int(version)},
        ),
        ("lambda:InvokeFunction", "HelpdeskFunction"): (
            "lambda",
            "invoke",
            {"FunctionName": deployment.physical_id("HelpdeskFunction"), "Payload": b"{}"},
        ),
        ("sqs:GetQueueAttributes", "DeadLetterQueue"): ("sqs", "get_queue_attributes", letters),
        ("sqs:ReceiveMessage", "DeadLetterQueue"): ("sqs", "receive_message", letters),
        ("sqs:ReceiveMessage", "RetryQueue"): ("sqs", "receive_message", retries),
        ("sqs:PurgeQueue", "DeadLetterQueue"): ("sqs", "purge_queue", letters),
        ("logs:GetLogEvents", "ReissueLogs"): ("logs", "get_log_events", logs),
        ("sns:Publish", "PlatformTopic"): (
            "sns",
            "publish",
            {"TopicArn": outputs["PlatformTopicArn"], "Message": "{}"},
        ),
        ("cognito-idp:ListUsers", "HelpdeskUsers"): ("cognito-idp", "list_users", pool),
        ("iam:CreateRole", "*"): ("iam", "create_role", {"RoleName": "mine", "AssumeRolePolicyDocument": "{}"}),
        ("s3:ListAllMyBuckets", "*"): ("s3", "list_buckets", {}),
        ("cloudtrail:StopLogging", "*"): ("cloudtrail", "stop_logging", {"Name": "people"}),
    }
    found = {what for what, (service, call, given) in calls.items() if not person.is_refused(service, call, **given)}
    assert found == {what for what in calls if role in HELD[what]}


def test_an_auditor_reads_the_record_and_acts_on_nothing(deployment: Deployment, people: Mapping[str, Actor]) -> None:
    keys = people["auditor"].credentials
    signing = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    status = {}
    for method, path in (("GET", "/helpdesk/record"), ("POST", "/helpdesk/look"), ("POST", "/helpdesk/acts")):
        content = b"{}" if method == "POST" else None
        url = deployment.stack.api_url + path
        request = AWSRequest(method, url, data=content, headers={"Content-Type": "application/json"})
        SigV4Auth(signing, "execute-api", deployment.aws.region).add_auth(request)
        answer = plain_http.request(
            method, url, content=content, headers=dict(request.headers), timeout=PATIENCE_SECONDS
        )
        status[path] = answer.status_code
    assert status["/helpdesk/record"] != httpx.codes.FORBIDDEN
    assert status["/helpdesk/look"] == status["/helpdesk/acts"] == httpx.codes.FORBIDDEN
