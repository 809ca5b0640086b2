"""The deployed stack that a command works on, found by its name, and the AWS clients to do so."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from boto3.session import Session
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from reassort.agent_names import may_name_operator
from reassort.keyed_hash import HashKey
from reassort.outbox import OutboxTables

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient

# The names that AWS's own endpoints end in, in all its partitions.
_AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")
_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})


@dataclass(frozen=True)
class Stack:
    """What a command needs of a stack's outputs. `created_at` is aware."""

    name: str
    election_id: str
    voters_table: str
    identifiers_table: str
    numens_table: str
    deliveries_table: str
    code_deliveries_table: str
    register_table: str
    sign_in_table: str
    limits_table: str
    control_table: str
    pace_table: str
    helpdesk_record_table: str
    hash_key_ids: Mapping[HashKey, str]
    encryption_key_id: str
    retry_queue: str = ""
    dead_letter_queue: str = ""
    register_key_id: str = ""
    created_at: datetime | None = None
    api_url: str = ""
    site_url: str = ""
    voting_platform_role: str = ""
    helpdesk_users: str = ""
    helpdesk_client: str = ""
    helpdesk_identities: str = ""
    helpdesk_url: str = ""
    shared_layer: str = ""

    @property
    def outbox(self) -> OutboxTables:
        """Return the two tables of deliveries."""
        return OutboxTables(self.code_deliveries_table, self.deliveries_table)

    @classmethod
    def from_outputs(cls, name: str, outputs: Mapping[str, str], created_at: datetime | None = None) -> Self:
        """Read what the template gives.

        Raises:
            KeyError: an output is missing.
        """
        return cls(
            name=name,
            election_id=outputs["ElectionId"],
            voters_table=outputs["VotersTable"],
            identifiers_table=outputs["IdentifiersTable"],
            numens_table=outputs["NumensTable"],
            deliveries_table=outputs["DeliveriesTable"],
            code_deliveries_table=outputs["CodeDeliveriesTable"],
            register_table=outputs["RegisterTable"],
            sign_in_table=outputs["SignInTable"],
            limits_table=outputs["LimitsTable"],
            control_table=outputs["ControlTable"],
            pace_table=outputs["PaceTable"],
            helpdesk_record_table=outputs["HelpdeskRecordTable"],
            hash_key_ids={key: outputs[f"{key.logical_id}Id"] for key in HashKey},
            encryption_key_id=outputs["EncryptionKeyId"],
            retry_queue=outputs["RetryQueueUrl"],
            dead_letter_queue=outputs["DeadLetterQueueUrl"],
            register_key_id=outputs["RegisterKeyId"],
            created_at=created_at,
            api_url=outputs.get("ApiUrl", ""),
            site_url=outputs.get("SiteUrl", ""),
            voting_platform_role=outputs.get("VotingPlatformRoleArn", ""),
            helpdesk_users=outputs.get("HelpdeskUserPoolId", ""),
            helpdesk_client=outputs.get("HelpdeskClientId", ""),
            helpdesk_identities=outputs.get("HelpdeskIdentityPoolId", ""),
            helpdesk_url=outputs.get("HelpdeskUrl", ""),
            shared_layer=outputs.get("SharedLayerArn", ""),
        )


class Aws:
    """The operator's own AWS credentials, in one region."""

    def __init__(self, profile: str | None = None, region: str | None = None) -> None:
        # The AWS CLI reads both of its variables, the SDK the other one alone.
        self._session = Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        self._clients: dict[tuple[str, str | None], Any] = {}
        # A session makes one client at a time; the clients themselves may be shared.
        self._making = Lock()

    @property
    def session(self) -> Session:
        """Return the session that clients are made of."""
        return self._session

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client of any service, in the session's region or another, for as many threads
        as ask for it.
        """
        with self._making:
            key = (service, region)
            if key not in self._clients:
                config = _CONFIG.merge(Config(max_pool_connections=16))
                self._clients[key] = self._session.client(service, region_name=region, config=config)  # type: ignore[call-overload]
            return self._clients[key]

    def elsewhere(self) -> str | None:
        """Return the endpoint that stands in for AWS, as `AWS_ENDPOINT_URL` or a profile names it;
        None on AWS itself.
        """
        url: str = self.client("sts").meta.endpoint_url
        return None if (urlsplit(url).hostname or "").endswith(_AWS_HOSTS) else url

    def dynamodb(self, connections: int = 10) -> DynamoDBClient:
        """Return a DynamoDB client, for as many threads as it has connections."""
        return self._session.client("dynamodb", config=_CONFIG.merge(Config(max_pool_connections=connections)))

    def cloudwatch(self) -> CloudWatchClient:
        """Return a CloudWatch client."""
        return self._session.client("cloudwatch", config=_CONFIG)

    def streams(self) -> DynamoDBStreamsClient:
        """Return a client of DynamoDB's streams."""
        return self._session.client("dynamodbstreams", config=_CONFIG)

    def kms(self, connections: int = 10) -> KMSClient:
        """Return a KMS client, for as many threads as it has connections."""
        return self._session.client("kms", config=_CONFIG.merge(Config(max_pool_connections=connections)))

    def assume(self, role: str, name: str) -> Credentials:
        """Take a role for an hour, under a session of that name, and return its credentials.

        Raises:
            botocore.exceptions.ClientError: the operator may not.
        """
        sts = self._session.client("sts", config=_CONFIG)
        keys = sts.assume_role(RoleArn=role, RoleSessionName=name)["Credentials"]
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])

    def sqs(self) -> SQSClient:
        """Return an SQS client."""
        return self._session.client("sqs", config=_CONFIG)

    def find_stack(self, name: str) -> Stack:
        """Read the outputs of a stack.

        Raises:
            OperatorError: there is no such stack in this account and region, or it is not a stack
                of this service.
            botocore.exceptions.ClientError: AWS refuses.
        """
        cloudformation = self._session.client("cloudformation", config=_CONFIG)
        try:
            found = next(iter(cloudformation.describe_stacks(StackName=name)["Stacks"]), None)
        except ClientError as error:
            # CloudFormation has no code of its own for it.
            if error.response["Error"]["Code"] == "ValidationError":
                raise OperatorError(
                    tr("no stack {name} in {region}", name=name, region=cloudformation.meta.region_name)
                ) from error
            raise
        if found is None:
            raise OperatorError(tr("no stack {name} in {region}", name=name, region=cloudformation.meta.region_name))
        outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
        try:
            return Stack.from_outputs(name, outputs, found["CreationTime"])
        except KeyError as error:
            raise OperatorError(
                tr(
                    "stack {name} has no output {output}: is it a stack of this service?",
                    name=name,
                    output=error.args[0],
                )
            ) from error

    def operator(self) -> str:
        """Return the name under which the register records what this operator does.

        It is the last part of the caller's ARN: the user's name, or the session's of an assumed
        role. A session is often named after an e-mail address; the register holds none, so its
        domain is dropped.

        Raises:
            OperatorError: the register names somebody else so.
            botocore.exceptions.ClientError: the credentials are not valid.
        """
        arn = self._session.client("sts", config=_CONFIG).get_caller_identity()["Arn"]
        name = str(arn).rpartition(":")[2].rpartition("/")[2].partition("@")[0]
        if not may_name_operator(name):
            raise OperatorError(tr("the register would take your AWS session for somebody else: give it your own name"))
        return name
