"""Writing enrolled voters: many to a transaction, with as little work per item as DynamoDB's own
format allows.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from reassort.tables import Action, write_all

if TYPE_CHECKING:
    from boto3.session import Session
    from mypy_boto3_dynamodb import DynamoDBClient

_OPERATION = "TransactWriteItems"


class TransactionWriter:
    """Writes transactions whose request body is made here, from items of text, whole numbers and
    lists of them.

    botocore's validation and serialisation walk every attribute three times; on the 99 items of one
    transaction that is four times the rest of the work together. Everything else of the client
    stays: endpoint, credentials, signature, retries of lost connections (under one token, so a
    repeated call writes nothing twice), errors.
    """

    def __init__(self, session: Session, threads: int) -> None:
        self._client = session.client(
            "dynamodb",
            config=Config(
                connect_timeout=5,
                read_timeout=20,
                max_pool_connections=threads,
                parameter_validation=False,
                retries={"mode": "standard", "total_max_attempts": 3},
            ),
        )
        self._body = threading.local()
        self._client.meta.events.register(f"before-call.dynamodb.{_OPERATION}", self._put_body)

    def write(self, actions: Sequence[Action], token: str) -> None:
        """Write all actions or none; threads may share the writer.

        Raises:
            ConditionFailedError: an item exists.
            ContentionError: a conflict or a throttle; can be tried again.
            botocore.exceptions.ClientError: anything else.
        """
        write_all(cast("DynamoDBClient", self), actions, token)

    def transact_write_items(self, **request: Any) -> None:
        """Send a request that is in DynamoDB's own format."""
        self._body.content = json.dumps(request, separators=(",", ":")).encode()
        self._client.transact_write_items(TransactItems=[])

    def _put_body(self, params: dict[str, Any], **_: Any) -> None:
        params["body"] = self._body.content
