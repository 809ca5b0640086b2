"""NAIVE: a reissue written the usual way, with the resource API, the validating resolver, the
idempotency layer and the tracer.

It makes the same two accesses to the tables and the same call of KMS as the real one, and the two
writes of its idempotency layer, which the real one does without. It keeps no promise of the real
one beyond that.
"""

import os
import secrets
from typing import Annotated, Any, Literal

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.serialization.pydantic import PydanticSerializer
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel, Field

logger = Logger(service="reissue")
metrics = Metrics(namespace="reassort", service="reissue")
tracer = Tracer(service="reissue")
app = APIGatewayRestResolver(enable_validation=True)
dynamodb = boto3.resource("dynamodb")
kms = boto3.client("kms")
voters = dynamodb.Table(os.environ["VOTERS_TABLE"])
sessions = dynamodb.Table(os.environ["SIGN_IN_TABLE"])
idempotency = DynamoDBPersistenceLayer(table_name=os.environ["LIMITS_TABLE"])
config = IdempotencyConfig(use_local_cache=False)


class NaiveForm(BaseModel):
    """The form."""

    numen: Annotated[str, Field(min_length=1, max_length=40)]
    phone: Annotated[str, Field(min_length=1, max_length=40)]
    channel: Literal["sms", "email"]
    consent: Literal[True]


class NaiveReceipt(BaseModel):
    """The answer."""

    reference: str
    generation: int
    replaces: int
    channel: str
    destination: str


@idempotent_function(  # type: ignore[untyped-decorator] # Powertools gives it no types
    data_keyword_argument="form", persistence_store=idempotency, config=config, output_serializer=PydanticSerializer
)
def issue(form: NaiveForm, voter_id: str, key: str) -> NaiveReceipt:
    """Issue the next identifier."""
    session = sessions.get_item(Key={"voter_id": voter_id, "key": key}, ConsistentRead=True)["Item"]
    voter = voters.get_item(Key={"voter_id": voter_id}, ConsistentRead=True)["Item"]
    generation = int(str(voter["generation"])) + 1
    reference, identifier = secrets.token_urlsafe(12), secrets.token_urlsafe(16)
    sealed = kms.encrypt(KeyId=os.environ["ENCRYPTION_KEY"], Plaintext=identifier.encode())["CiphertextBlob"]
    actions: list[Any] = [
        {
            "Update": {
                "TableName": voters.name,
                "Key": {"voter_id": voter_id},
                "UpdateExpression": "SET generation = :generation",
                "ConditionExpression": "generation = :read",
                "ExpressionAttributeValues": {":generation": generation, ":read": generation - 1},
            }
        },
        *(
            {"Put": {"TableName": os.environ[table], "Item": item}}
            for table, item in (
                ("IDENTIFIERS_TABLE", {"identifier_hash": identifier, "voter_id": voter_id}),
                ("REGISTER_TABLE", {"voter_id": voter_id, "sequence": generation, "reference": reference}),
                (
                    "DELIVERIES_TABLE",
                    {
                        "delivery_id": reference,
                        "payload": sealed,
                        "address": session["address"],
                        "generation": generation,
                    },
                ),
            )
        ),
    ]
    dynamodb.meta.client.transact_write_items(TransactItems=actions)
    return NaiveReceipt(
        reference=reference,
        generation=generation,
        replaces=generation - 1,
        channel=form.channel,
        destination="06 •• •• •• 78",
    )


@app.post("/api/reissue")
@tracer.capture_method
def reissue(form: NaiveForm) -> NaiveReceipt:
    """Answer the form."""
    cookies = app.current_event.headers.get("Cookie", "")
    voter_id, _, secret = cookies.partition("=")[2].partition(".")
    receipt: NaiveReceipt = issue(form=form, voter_id=voter_id, key=secret)
    metrics.add_metric(name="Reissued", unit=MetricUnit.Count, value=1)
    logger.info("reissued", extra={"reference": receipt.reference, "generation": receipt.generation})
    return receipt


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a REST API proxy event."""
    config.register_lambda_context(context)
    return app.resolve(event, context)
