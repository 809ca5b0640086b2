"""Publishing an event for each new entry of the register that changed the status of an identifier."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from reassort.register import entry_from_item
from reassort.tables import from_wire

from announce.changed_status import changed_status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from reassort.keyed_hash import KeyedHash
    from reassort.logs import Journal


class NothingAnnouncedError(Exception):
    """Not even the first event of a batch could be published. Lambda brings the batch again."""


@dataclass(frozen=True)
class Announcing:
    """Turns entries of the register into events. `topic` is an ARN, `dead_letters` the URL of a queue."""

    sns: SNSClient
    sqs: SQSClient
    topic: str
    dead_letters: str
    keyed_hash: KeyedHash
    election_id: str
    journal: Journal

    def on_stream(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Publish what the records of the register's stream tell, in their order, and return the first that could not be.

        Lambda brings that one and those behind it again, so an event may come twice and none is left out.

        Raises:
            NothingAnnouncedError: it was the very first, so that the function's errors show what a partial answer would hide.
        """
        for position, record in enumerate(event["Records"]):
            change = record["dynamodb"]
            try:
                self._announce(change)
            except (ClientError, BotoCoreError) as error:
                self.journal.fault("event kept in the stream", error)
                if position == 0:
                    # Without its cause: Lambda would log its text.
                    raise NothingAnnouncedError from None
                return {"batchItemFailures": [{"itemIdentifier": change["SequenceNumber"]}]}
        return {"batchItemFailures": []}

    def _announce(self, change: Mapping[str, Any]) -> None:
        try:
            entry = entry_from_item(from_wire(change["NewImage"]))
        except (KeyError, TypeError, ValueError) as error:
            self._set_aside(change, error)
            return
        event = changed_status(entry, self.keyed_hash, self.election_id)
        if event is None:
            return
        self.sns.publish(
            TopicArn=self.topic,
            Message=event.to_json(),
            # What a subscription may filter by.
            MessageAttributes={
                "election": {"DataType": "String", "StringValue": event.election},
                "status": {"DataType": "String", "StringValue": event.status.value},
            },
        )
        # Without the voter: whoever asks after an event has its id.
        self.journal.record("announced", event=event.event_id, status=event.status.value)

    def _set_aside(self, change: Mapping[str, Any], error: Exception) -> None:
        """Keep an entry that makes no sense from holding up the others. It makes no more sense later; somebody must look."""
        self.journal.fault("entry not understood", error)
        self.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=json.dumps({"entry": from_wire(change["Keys"])}))
