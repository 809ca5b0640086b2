"""REF: what a Python service of this kind imports, and nothing that it does with it."""

import boto3  # noqa: F401 - the import is what is measured
from aws_lambda_powertools import Logger, Metrics  # noqa: F401 - the same
from pydantic import BaseModel  # noqa: F401 - the same


def lambda_handler(event: object, context: object) -> None:
    """Answer nothing."""
