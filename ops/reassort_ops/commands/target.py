"""What the options of a command name: the stack, its election, its keyed hashes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from reassort.clock import utc_now
from reassort.election import Election
from reassort.keyed_hash import HashKey, KeyedHash, derive_keyed_hash

from reassort_ops.account.deployed_election import DeployedParts, deployed_parts, raise_if_another
from reassort_ops.account.operator import Operator
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.failures import OperatorError
from reassort_ops.helpdesk.page import API_VIA
from reassort_ops.language import tr
from reassort_ops.voter.api import HelpdeskApi

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True)
class Target:
    """The stack that the options name. Each part is looked up when it is first needed."""

    name: str
    elections: Path | None
    region: str | None
    profile: str | None

    @cached_property
    def aws(self) -> Aws:
        return Aws(self.profile, self.region)

    @cached_property
    def stack(self) -> Stack:
        return self.aws.find_stack(self.name)

    @cached_property
    def election(self) -> Election:
        """The election that the stack runs with; refused when a folder was named whose file is
        another one.
        """
        return self.deployed.election

    @cached_property
    def deployed(self) -> DeployedParts:
        """What the stack's layer holds; refused as `election` is."""
        found = deployed_parts(self.aws, self.stack.election_id, self.stack.shared_layer)
        if self.elections is not None:
            raise_if_another(self.name, found.election, self.elections)
        return found

    def keyed_hash(self, *keys: HashKey) -> KeyedHash:
        """Return the keyed hashes under these keys: an operator derives those that a command needs.

        Raises:
            botocore.exceptions.ClientError: AWS refuses.
        """
        found = {key: self.stack.hash_key_ids[key] for key in keys}
        return derive_keyed_hash(self.aws.kms(), found, self.stack.election_id)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.aws.dynamodb()

    def operator(self) -> Operator:
        """Return what a change needs, in the operator's own name."""
        return Operator(self.dynamodb, self.stack, utc_now, self.aws.operator())


def helpdesk_api(stack: str, region: str | None, profile: str | None) -> HelpdeskApi:
    """Return the helpdesk's API of a stack, called in the operator's own name.

    Raises:
        OperatorError: there is no such stack, or no credentials.
    """
    aws = Aws(profile, region)
    found, elsewhere = aws.find_stack(stack), aws.elsewhere()
    credentials = aws.session.get_credentials()
    if credentials is None:
        raise OperatorError(tr("no AWS credentials: sign in, or name a profile with --profile"))
    # The firewall of a stack with a domain lets nobody but the voting platform come to the API
    # itself. What stands in for AWS has no CloudFront before an API.
    behind = found.helpdesk_url and elsewhere is None
    via = urljoin(found.helpdesk_url, API_VIA) if behind else None
    return HelpdeskApi(_reachable(found.api_url, elsewhere), aws.session.region_name or "", credentials, via)


def _reachable(url: str, elsewhere: str | None) -> str:
    """Return where an API answers. What stands in for AWS has it under a path of its own."""
    if elsewhere is None:
        return url
    parts = urlsplit(url)
    return f"{elsewhere.rstrip('/')}/_aws/execute-api/{(parts.hostname or '').partition('.')[0]}{parts.path}"
