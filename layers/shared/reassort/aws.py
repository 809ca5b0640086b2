"""AWS clients, built once, on one session: a second client on the same session costs a tenth of the
first.

The session is botocore's: boto3 would bring its resources and its transfers to S3, which no
function uses, at each cold start.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.session import Session

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# What the SDK does for each call that a finished program can do without, a quarter of a warm
# reissue (docs/performance.md): it checks the parameters against the service's model, which the
# component, matrix and stateful tests still have it do, and writes again who is calling.
_LEAN = Config(parameter_validation=False, user_agent="reassort", disable_request_compression=True)
# A voter waits for these: fail within seconds, after two more tries with the SDK's own backoff and
# jitter.
_PATIENT = _LEAN.merge(Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3}))
# SES and SNS have no idempotency token: a second wire attempt sends a second message.
_ONE_ATTEMPT = _LEAN.merge(
    Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
)
_CHECKED = Config(parameter_validation=True)


class Clients:
    """The clients of one function. Each is made when it is first asked for, so do that while the
    function starts.

    `checked` ones refuse parameters that are not in the service's model before anything is sent.
    """

    def __init__(self, *, checked: bool = False) -> None:
        self._session = Session()
        self._checked = checked

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """A DynamoDB client."""
        client: DynamoDBClient = self._client("dynamodb", _PATIENT)
        return client

    @cached_property
    def kms(self) -> KMSClient:
        """A KMS client."""
        client: KMSClient = self._client("kms", _PATIENT)
        return client

    @cached_property
    def sqs(self) -> SQSClient:
        """An SQS client."""
        client: SQSClient = self._client("sqs", _PATIENT)
        return client

    @cached_property
    def ses(self) -> SESV2Client:
        """An SES client that tries once."""
        client: SESV2Client = self._client("sesv2", _ONE_ATTEMPT)
        return client

    @cached_property
    def sns(self) -> SNSClient:
        """An SNS client that tries once."""
        client: SNSClient = self._client("sns", _ONE_ATTEMPT)
        return client

    @cached_property
    def topics(self) -> SNSClient:
        """An SNS client that tries again, for topics whose readers drop what comes twice."""
        client: SNSClient = self._client("sns", _PATIENT)
        return client

    def _client(self, service: str, config: Config) -> Any:
        return self._session.create_client(service, config=config.merge(_CHECKED) if self._checked else config)


def connect(client: Any) -> None:
    """Open the connection that the client's first call would wait for: a TLS handshake and the
    reading of the roots.

    It asks the endpoint for nothing that needs a permission or is billed, and the client keeps the
    connection. If it cannot be reached now, its first call will try again, and say so.
    """
    with suppress(BotoCoreError):
        client._endpoint.http_session.send(AWSRequest("GET", f"{client.meta.endpoint_url}/").prepare())
