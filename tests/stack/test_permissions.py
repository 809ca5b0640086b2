"""What each function's role may do, tried with the role's own credentials while IAM is enforced.

A refusal proves nothing if every call is refused: each role also makes a call that it needs, and
that must succeed.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from reassort.keyed_hash import HashKey
from reassort_ops.account.role_rights import HELD, ON_TABLES, PHONE, ROLES, SENDER, TABLE_ACTIONS, TABLES, is_held

from harness.stack.actors import KEYS, NOBODY, Actor, reaching_calls
from harness.stack.deployed import Deployment, wait_for

pytestmark = [pytest.mark.req("S28", "S26")]
# What is granted for lone requests only.
_DENIED = {("NotifyRole", "DeliveriesTable"): {"Put in a transaction"}}
# The SDK's name of each action that the table of rights has.
_OPERATIONS = {action: xform_name(action.partition(":")[2]) for action in TABLE_ACTIONS}


@pytest.fixture(scope="module")
def actors(deployment: Deployment) -> dict[str, Actor]:
    """The roles of the functions. Only Lambda may assume them, and in these tests the account's
    root.
    """
    iam = deployment.client("iam")
    root = deployment.client("sts").get_caller_identity()["Account"]
    held = {}
    for logical_id in ROLES:
        role = iam.get_role(RoleName=deployment.physical_id(logical_id))["Role"]
        trust = role["AssumeRolePolicyDocument"]
        principal = {"AWS": f"arn:aws:iam::{root}:root"}
        trust["Statement"].append({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
        iam.update_assume_role_policy(RoleName=role["RoleName"], PolicyDocument=json.dumps(trust))
        credentials = deployment.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="tests")["Credentials"]
        held[logical_id] = Actor(deployment, credentials)
    return held


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_a_role_does_on_a_table_what_its_job_needs_and_nothing_else(
    actors: dict[str, Actor], role: str, table: str
) -> None:
    allowed = {action for action, operation in _OPERATIONS.items() if not actors[role].is_refused_on(table, operation)}
    assert allowed == ON_TABLES[role][table]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_what_is_there_is_read_and_replaced_by_nobody_who_may_not_write_it(
    deployment: Deployment, actors: dict[str, Actor], role: str, table: str
) -> None:
    held = {action.partition(":")[2] for action in ON_TABLES[role][table]}
    held |= {
        action.partition(":")[2]
        for (action, resource), roles in HELD.items()
        if resource == table and role in roles and action.startswith("dynamodb:")
    }
    name, administrator = deployment.table(table), deployment.client("dynamodb")
    found, expected = set(), set()
    for call, (action, operation, parameters) in reaching_calls(table, name).items():
        administrator.put_item(TableName=name, Item={**KEYS[table], "secret": {"S": "kept"}})
        if not actors[role].is_refused("dynamodb", operation, **parameters):
            found.add(call)
        if action in held:
            expected.add(call)
    administrator.delete_item(TableName=name, Key=KEYS[table])
    assert found == expected - _DENIED.get((role, table), set())


def test_codes_and_identifiers_are_apart() -> None:
    assert not ON_TABLES["LoginRole"]["DeliveriesTable"]
    assert not ON_TABLES["ReissueRole"]["CodeDeliveriesTable"]
    for role in ("RegistryRole", "AnnounceRole"):
        assert not ON_TABLES[role]["DeliveriesTable"] | ON_TABLES[role]["CodeDeliveriesTable"]


@pytest.mark.parametrize("role", ROLES)
def test_only_delivery_opens_what_was_sealed(deployment: Deployment, actors: dict[str, Actor], role: str) -> None:
    key = deployment.stack.outputs["EncryptionKeyId"]
    context = {"kind": "payload", "delivery": NOBODY}
    sealed = deployment.client("kms").encrypt(KeyId=key, Plaintext=b"secret", EncryptionContext=context)
    refused = actors[role].is_refused(
        "kms", "decrypt", KeyId=key, CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context
    )
    assert refused != is_held(role, "kms:Decrypt", "EncryptionKey")
    assert refused == (role != "NotifyRole")


@pytest.mark.parametrize("role", ROLES)
def test_who_seals_and_who_hashes(deployment: Deployment, actors: dict[str, Actor], role: str) -> None:
    outputs = deployment.stack.outputs
    seals = not actors[role].is_refused("kms", "encrypt", KeyId=outputs["EncryptionKeyId"], Plaintext=b"x")
    # Delivery seals canaries alone, by the conditions of its role:
    # `tests/unit/test_sealing_rights.py`.
    assert seals == is_held(role, "kms:Encrypt", "EncryptionKey")
    for key in HashKey:
        call = {"KeyId": outputs[f"{key.logical_id}Id"], "Message": b"x", "MacAlgorithm": "HMAC_SHA_256"}
        hashes = not actors[role].is_refused("kms", "generate_mac", **call)
        assert hashes == is_held(role, "kms:GenerateMac", key.logical_id), key


@pytest.mark.req("I9")
@pytest.mark.parametrize("role", ROLES)
def test_no_function_signs_a_register(deployment: Deployment, actors: dict[str, Actor], role: str) -> None:
    call = {"KeyId": deployment.stack.outputs["RegisterKeyId"], "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    assert actors[role].is_refused("kms", "sign", **call)
    assert not is_held(role, "kms:Sign", "RegisterKey")
    # The call is a right one: anyone who administers the account may make it.
    assert deployment.client("kms").sign(**call)["Signature"]


@pytest.mark.parametrize("role", ROLES)
def test_only_delivery_sends_and_queues(deployment: Deployment, actors: dict[str, Actor], role: str) -> None:
    outputs, actor = deployment.stack.outputs, actors[role]
    email = {
        "FromEmailAddress": "x@elections.example",
        "Destination": {"ToAddresses": ["nobody@example.org"]},
        "Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {"Text": {"Data": "x"}}}},
    }
    refused = {
        "email": actor.is_refused("sesv2", "send_email", **email),
        "sms": actor.is_refused("sns", "publish", PhoneNumber="+33600000000", Message="x"),
        "queue": actor.is_refused(
            "sqs", "send_message", QueueUrl=outputs["RetryQueueUrl"], MessageBody='{"delivery_id": "nobody"}'
        ),
        # As the sweeper does.
        "batch": actor.is_refused(
            "sqs",
            "send_message_batch",
            QueueUrl=outputs["RetryQueueUrl"],
            Entries=[{"Id": "0", "MessageBody": '{"delivery_id": "nobody"}'}],
        ),
    }
    assert set(refused.values()) == {role != "NotifyRole"}, refused
    held = {
        is_held(role, action, resource)
        for action, resource in (("ses:SendEmail", SENDER), ("sns:Publish", PHONE), ("sqs:SendMessage", "RetryQueue"))
    }
    assert held == {role == "NotifyRole"}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_what_operates_the_service(deployment: Deployment, actors: dict[str, Actor], role: str) -> None:
    actor, outputs = actors[role], deployment.stack.outputs
    passed = [
        call
        for call, refused in {
            "delete table": actor.is_refused(
                "dynamodb", "delete_table", TableName=f"{outputs['LimitsTable']}-not-there"
            ),
            "list tables": actor.is_refused("dynamodb", "list_tables"),
            "schedule key deletion": actor.is_refused("kms", "schedule_key_deletion", KeyId="not-there"),
            "iam": actor.is_refused("iam", "list_roles"),
            "assume": actor.is_refused(
                "sts", "assume_role", RoleArn=outputs["VotingPlatformRoleArn"], RoleSessionName="tests"
            ),
            "buckets": actor.is_refused("s3", "list_buckets"),
            "invoke": actor.is_refused(
                "lambda", "invoke", FunctionName=deployment.physical_id("NotifyFunction"), Payload=b"{}"
            ),
        }.items()
        if not refused
    ]
    assert passed == []


@pytest.mark.parametrize("role", ROLES)
def test_only_the_events_are_published_and_only_to_their_topic(
    deployment: Deployment, actors: dict[str, Actor], role: str
) -> None:
    actor, outputs = actors[role], deployment.stack.outputs
    # One that no subscriber takes for an event.
    topics = ("PlatformTopic", "HelpdeskTopic", "ReceiptsTopic")
    allowed = {
        name for name in topics if not actor.is_refused("sns", "publish", TopicArn=outputs[f"{name}Arn"], Message="{}")
    }
    assert allowed == {"AnnounceRole": {"PlatformTopic"}, "NotifyRole": {"HelpdeskTopic"}}.get(role, set())
    assert allowed == {name for name in topics if is_held(role, "sns:Publish", name)}
    refused = actor.is_refused("sqs", "send_message", QueueUrl=outputs["PlatformDeadLettersUrl"], MessageBody="{}")
    assert refused != is_held(role, "sqs:SendMessage", "PlatformDeadLetters")


def test_sign_in_reads_a_voter_by_a_refused_check_alone(deployment: Deployment, actors: dict[str, Actor]) -> None:
    voter = deployment.enrol()
    check = {
        "TableName": deployment.table("VotersTable"),
        "Key": {"voter_id": {"S": voter.voter_id}},
        "ConditionExpression": "attribute_exists(voter_id)",
    }
    login = actors["LoginRole"]
    assert not login.is_refused("dynamodb", "transact_write_items", TransactItems=[{"ConditionCheck": check}])
    read = {"Get": {"TableName": check["TableName"], "Key": check["Key"]}}
    assert login.is_refused("dynamodb", "transact_get_items", TransactItems=[read])
    # IAM cannot take this from anyone who may check: docs/security.md says so.
    refused = {**check, "ConditionExpression": "attribute_exists(never)"}
    with pytest.raises(ClientError) as told:
        login.clients["dynamodb"].transact_write_items(
            TransactItems=[{"ConditionCheck": {**refused, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}]
        )
    reason: Any = told.value.response["CancellationReasons"][0]
    assert reason["Item"]["voter_id"]["S"] == voter.voter_id


def test_a_permission_that_is_taken_away_is_missed(deployment: Deployment, actors: dict[str, Actor]) -> None:
    """The counterproof: enforcement follows the role's policy, so an excess or a missing permission
    does show.
    """
    iam, role = deployment.client("iam"), deployment.physical_id("RegistryRole")
    registry = actors["RegistryRole"]
    assert not registry.is_refused_on("IdentifiersTable", "get_item")
    denied = {"Effect": "Deny", "Action": "dynamodb:GetItem", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    iam.put_role_policy(RoleName=role, PolicyName="taken-away", PolicyDocument=policy)
    try:
        assert wait_for(lambda: registry.is_refused_on("IdentifiersTable", "get_item"))
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="taken-away")
    assert not registry.is_refused_on("IdentifiersTable", "get_item")
