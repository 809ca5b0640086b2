"""What AWS refuses, and why it cannot be asked: the cause and the way out, in one line and in no
words of AWS or of its library. The name of the call and the code of AWS stay, for those who run the
stack.
"""

from __future__ import annotations

from botocore import exceptions as causes
from botocore.exceptions import BotoCoreError, ClientError

from reassort_ops.language import tr

_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
)
_FORBIDDEN = (
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorizedException",
    "UnauthorizedException",
)
_BUSY = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "TransactionInProgressException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
)
_ABSENT = (
    "ResourceNotFoundException",
    "NotFoundException",
    "NotFound",
    "NoSuchEntity",
    "NoSuchKey",
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
)
_KEY_IS_OFF = ("DisabledException", "KMSInvalidStateException", "KMS.DisabledException", "KMSDisabledException")

_NO_CREDENTIALS = (causes.NoCredentialsError, causes.PartialCredentialsError, causes.CredentialRetrievalError)
_SIGNED_OUT = (causes.SSOError, causes.TokenRetrievalError)
_NO_NETWORK = (causes.HTTPClientError, causes.EndpointConnectionError)


def aws_fault(error: ClientError | BotoCoreError) -> str:
    """Say what went wrong, and what to do."""
    return _refusal(error) if isinstance(error, ClientError) else _no_answer(error)


def _refusal(error: ClientError) -> str:
    code, call = error.response.get("Error", {}).get("Code", "?"), error.operation_name
    if code in _EXPIRED:
        return tr("your AWS session has expired: sign in again")
    if code in _UNKNOWN:
        return tr("AWS does not know these credentials: sign in again, or name a profile with --profile")
    if code in _FORBIDDEN:
        return tr("AWS does not permit you {call} ({code}): take a role that may, or have it granted", **_of(error))
    if code in _BUSY:
        return tr("AWS is busy ({call}, {code}): run the same command again in a minute", call=call, code=code)
    if code in _ABSENT:
        return tr(
            "AWS does not find what {call} is about ({code}): check stack, region and profile, and that the deploy "
            "is complete",
            call=call,
            code=code,
        )
    if code in _KEY_IS_OFF:
        return tr("a key of the stack is off or will be deleted ({call}, {code}): see docs/runbook.md", **_of(error))
    return tr("AWS refused {call} ({code}): run the same command again; if it stays, see docs/runbook.md", **_of(error))


def _of(error: ClientError) -> dict[str, str]:
    return {"call": error.operation_name, "code": error.response.get("Error", {}).get("Code", "?")}


def _no_answer(error: BotoCoreError) -> str:
    match error:
        case causes.ProfileNotFound():
            return tr("there is no AWS profile {profile}: check --profile", profile=error.kwargs.get("profile", "?"))
        case causes.NoRegionError():
            return tr("no AWS region is known: name one with --region")
        case causes.InvalidRegionError():
            return tr("{region} is no AWS region: check --region", region=error.kwargs.get("region_name", "?"))
        case _ if isinstance(error, _NO_CREDENTIALS):
            return tr("no AWS credentials: sign in, or name a profile with --profile")
        case _ if isinstance(error, _SIGNED_OUT):
            return tr("your AWS session has expired: sign in again")
        case _ if isinstance(error, _NO_NETWORK):
            return tr("AWS does not answer: check network and region, then run the same command again")
    return tr("AWS cannot be asked ({cause}): check profile, region and credentials", cause=type(error).__name__)
