"""Publishes an event for each new entry of the register that changed the status of an identifier.
Reports each entry that was replaced or removed, which the service itself never does.
"""

import json
from collections.abc import Mapping
from typing import Any

from reassort.register import entry_from_item
from reassort.tables import from_wire

from announce.changed_status import changed_status
from announce.deps import Deps


def tell_of_change(change: Mapping[str, Any], deps: Deps) -> None:
    """Report an entry that was replaced or removed."""
    place = from_wire(change["Keys"])
    # An alarm counts these lines.
    deps.event_log.warn("register entry replaced or removed", voter=place["voter_id"], sequence=place["sequence"])


def announce(change: Mapping[str, Any], deps: Deps) -> None:
    """Publish the event of a new entry, if there is one.

    Raises:
        botocore.exceptions.ClientError: it could not be published or set aside.
        botocore.exceptions.BotoCoreError: as well.
    """
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
