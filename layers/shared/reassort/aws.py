"""AWS clients, built once, on one session: a second client on the same session costs a tenth of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boto3.session import Session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# A voter waits for these: fail within seconds, after two more tries with the SDK's own backoff and jitter.
_PATIENT = Config(connect_timeout=1, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 3})
# SES and SNS have no idempotency token: a second wire attempt sends a second message.
_ONE_ATTEMPT = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})


class Clients:
    """The clients of one function. Each is made when it is first asked for, so do that while the function starts."""

    def __init__(self) -> None:
        self._session = Session()

    def dynamodb(self) -> DynamoDBClient:
        """Return a DynamoDB client."""
        return self._session.client("dynamodb", config=_PATIENT)

    def kms(self) -> KMSClient:
        """Return a KMS client."""
        return self._session.client("kms", config=_PATIENT)

    def sqs(self) -> SQSClient:
        """Return an SQS client."""
        return self._session.client("sqs", config=_PATIENT)

    def ses(self) -> SESV2Client:
        """Return an SES client that tries once."""
        return self._session.client("sesv2", config=_ONE_ATTEMPT)

    def sns(self) -> SNSClient:
        """Return an SNS client that tries once."""
        return self._session.client("sns", config=_ONE_ATTEMPT)

    def topics(self) -> SNSClient:
        """Return an SNS client that tries again, for topics whose readers drop what comes twice."""
        return self._session.client("sns", config=_PATIENT)
