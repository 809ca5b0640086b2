"""Whether KMS still lets the service use its keys, measured with each sweep.

A warm function derived its hash keys at its start and works on with a key that is disabled or about
to be deleted; the next one to start fails. So the keys themselves are looked at.
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
"""

from botocore.exceptions import BotoCoreError, ClientError

from notify.deps import Deps

USABLE = "Enabled"


def measure_keys(deps: Deps) -> None:
    """Measure how many of the service's keys cannot be used, and name each in the log. A key that
    KMS does not tell of is one of them.
    """
    unusable = 0
    for key in deps.watched_keys:
        state = _state_of(key, deps)
        if state != USABLE:
            unusable += 1
            deps.event_log.warn("key cannot be used", key=key, state=state)
    deps.meters.measure_unusable_keys(unusable)


def _state_of(key: str, deps: Deps) -> str:
    try:
        state: str = deps.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    except ClientError as error:
        return error.response["Error"]["Code"]
    except BotoCoreError as error:
        return type(error).__name__
    return state
