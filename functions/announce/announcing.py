"""Publishes an event for each new entry of the register that changed the status of an identifier.
Reports each entry that was replaced or removed, which the service itself never does.
"""

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from reassort.register import entry_from_item
from reassort.tables import from_wire

from announce.changed_status import changed_status
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
                _announce(change, deps)
            else:
                _tell_of_change(change, deps)
        except (ClientError, BotoCoreError) as error:
            deps.event_log.fault("event kept in the stream", error)
            if position == 0:
                # Without its cause: Lambda would log its text.
                raise NothingAnnouncedError from None
            return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _tell_of_change(change: Mapping[str, Any], deps: Deps) -> None:
    place = from_wire(change["Keys"])
    # An alarm counts these lines.
    deps.event_log.warn("register entry replaced or removed", voter=place["voter_id"], sequence=place["sequence"])


def _announce(change: Mapping[str, Any], deps: Deps) -> None:
    try:
        entry = entry_from_item(from_wire(change["NewImage"]))
    except (KeyError, TypeError, ValueError) as error:
        _set_aside(change, error, deps)
        return
    event = changed_status(entry, deps.keyed_hash, deps.election_id)
    if event is None:
        return
    deps.sns.publish(
        TopicArn=deps.topic,
        Message=event.to_json(),
        # What a subscription may filter by.
        MessageAttributes={
            "election": {"DataType": "String", "StringValue": event.election},
            "status": {"DataType": "String", "StringValue": event.status.value},
        },
    )
    # Without the voter: anyone who asks after an event has its id.
    deps.event_log.record("announced", event=event.event_id, status=event.status.value)


def _set_aside(change: Mapping[str, Any], error: Exception, deps: Deps) -> None:
    """Keep an entry that makes no sense from holding up the others. It makes no more sense later;
    somebody must look.
    """
    deps.event_log.fault("entry not understood", error)
    deps.sqs.send_message(QueueUrl=deps.dead_letters, MessageBody=json.dumps({"entry": from_wire(change["Keys"])}))
