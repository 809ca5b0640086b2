"""What wakes this function: the register's stream."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from announce.announcing import announce, tell_of_change
from announce.deps import Deps


class NothingAnnouncedError(Exception):
    """Not even the first event of a batch could be published. Lambda brings the batch again."""


def answer(event: Mapping[str, Any], deps: Deps) -> dict[str, Any]:
    """Publish what the records of the register's stream tell, in their order, and return the first
    that could not be.

    Lambda brings that one and those behind it again, so an event may come twice and none is left
    out.

    Raises:
        NothingAnnouncedError: it was the very first, so that the function's errors show what a
            partial answer would hide.
    """
    for position, record in enumerate(event["Records"]):
        change = record["dynamodb"]
        try:
            if record["eventName"] == "INSERT":
                announce(change, deps)
            else:
                tell_of_change(change, deps)
        except (ClientError, BotoCoreError) as error:
            deps.event_log.fault("event kept in the stream", error)
            if position == 0:
                # Without its cause: Lambda would log its text.
                raise NothingAnnouncedError from None
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
    return {"batchItemFailures": []}
