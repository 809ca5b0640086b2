"""What AWS refuses, by its code, and why it cannot be asked, by its library's exception."""

from __future__ import annotations

import pytest
from botocore import exceptions as causes
from botocore.exceptions import BotoCoreError, ClientError
from reassort_ops.aws_faults import aws_fault

EXPIRED = "your AWS session has expired: sign in again"
UNKNOWN = "AWS does not know these credentials: sign in again, or name a profile with --profile"
FORBIDDEN = "AWS does not permit you GetItem ({code}): take a role that may, or have it granted"
BUSY = "AWS is busy (GetItem, {code}): run the same command again in a minute"
ABSENT = (
    "AWS does not find what GetItem is about ({code}): check stack, region and profile, and that the deploy is complete"
)
KEY_IS_OFF = "a key of the stack is off or will be deleted (GetItem, {code}): see docs/runbook.md"
REFUSED = "AWS refused GetItem ({code}): run the same command again; if it stays, see docs/runbook.md"
CODES = {
    EXPIRED: "ExpiredToken ExpiredTokenException RequestExpired TokenRefreshRequired",
    UNKNOWN: "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId SignatureDoesNotMatch "
    "IncompleteSignature InvalidSignatureException MissingAuthenticationToken",
    FORBIDDEN: "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError "
    "AuthorizationErrorException NotAuthorizedException UnauthorizedException",
    BUSY: "Throttling ThrottlingException ThrottledException TooManyRequestsException "
    "ProvisionedThroughputExceededException RequestLimitExceeded LimitExceededException "
    "TransactionInProgressException ServiceUnavailable ServiceUnavailableException InternalError InternalFailure "
    "InternalServerError InternalServerException",
    ABSENT: "ResourceNotFoundException NotFoundException NotFound NoSuchEntity NoSuchKey "
    "AWS.SimpleQueueService.NonExistentQueue QueueDoesNotExist",
    KEY_IS_OFF: "DisabledException KMSInvalidStateException KMS.DisabledException KMSDisabledException",
    REFUSED: "ValidationException",
}
NO_CREDENTIALS = "no AWS credentials: sign in, or name a profile with --profile"
NO_ANSWER = "AWS does not answer: check network and region, then run the same command again"


@pytest.mark.parametrize(("said", "code"), [(said, code) for said, codes in CODES.items() for code in codes.split()])
def test_each_code_has_its_cause_and_way_out(said: str, code: str) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "arn:aws:secret"}}, "GetItem")
    assert aws_fault(error) == said.format(code=code)


def test_a_refusal_without_a_code_is_one_all_the_same() -> None:
    assert aws_fault(ClientError({}, "GetItem")) == REFUSED.format(code="?")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (causes.ProfileNotFound(profile="x"), "there is no AWS profile x: check --profile"),
        (causes.NoRegionError(), "no AWS region is known: name one with --region"),
        (causes.InvalidRegionError(region_name="y"), "y is no AWS region: check --region"),
        (causes.NoCredentialsError(), NO_CREDENTIALS),
        (causes.PartialCredentialsError(provider="p", cred_var="v"), NO_CREDENTIALS),
        (causes.CredentialRetrievalError(provider="p", error_msg="e"), NO_CREDENTIALS),
        (causes.SSOTokenLoadError(error_msg="e"), EXPIRED),
        (causes.TokenRetrievalError(provider="p", error_msg="e"), EXPIRED),
        (causes.HTTPClientError(error="e"), NO_ANSWER),
        (causes.EndpointConnectionError(endpoint_url="u"), NO_ANSWER),
        (
            causes.DataNotFoundError(data_path="d"),
            "AWS cannot be asked (DataNotFoundError): check profile, region and credentials",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BotoCoreError) else "",
)
def test_each_reason_why_aws_cannot_be_asked_has_its_way_out(error: BotoCoreError, said: str) -> None:
    assert aws_fault(error) == said
