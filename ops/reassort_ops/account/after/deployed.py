"""A stack as CloudFormation describes it: its parameters, its outputs, and what each logical id
became.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from reassort_ops.account.probes import NotSeenError, code_of
from reassort_ops.account.stack import Aws
from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

_NESTED = "AWS::CloudFormation::Stack"
_CLOUDFRONT = "AWS::CloudFront::Distribution"


@dataclass(frozen=True)
class DeployedResource:
    """A resource of a stack: its logical id, its type (`AWS::KMS::Key`), and what AWS knows it
    by.
    """

    logical_id: str
    type: str
    physical_id: str


@dataclass(frozen=True)
class DeployedStack:
    """A deployed stack, its nested stacks included."""

    name: str
    region: str
    partition: str
    account: str
    status: str
    termination_protection: bool
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, DeployedResource]

    def of_type(self, type_: str) -> list[DeployedResource]:
        """Return the resources of a type, by their logical ids."""
        return sorted((one for one in self.resources.values() if one.type == type_), key=lambda one: one.logical_id)

    def physical_id(self, logical_id: str) -> str:
        """Return a resource's physical id.

        Raises:
            NotSeenError: the stack has no such resource.
        """
        try:
            return self.resources[logical_id].physical_id
        except KeyError as error:
            raise NotSeenError(tr("the stack has no {logical_id}", logical_id=logical_id)) from error

    @property
    def has_site(self) -> bool:
        """Tell whether CloudFront and the site are this stack's."""
        return bool(self.of_type(_CLOUDFRONT))

    def raise_without_site(self) -> None:
        """Refuse to look for what comes with a site.

        Raises:
            NotSeenError: the stack was deployed without DomainName.
        """
        if not self.has_site:
            raise NotSeenError(tr("no DomainName: neither site nor firewall is this stack's"))

    def arn(self, logical_id: str) -> str:
        """Return a resource's ARN, from its physical id as `Ref` gives it.

        Raises:
            NotSeenError: the stack has no such resource, or it is of a type whose ARN is not known
                here.
        """
        physical_id = self.physical_id(logical_id)
        if physical_id.startswith("arn:"):
            return physical_id
        match self.resources[logical_id].type:
            case "AWS::DynamoDB::Table":
                return self._arn("dynamodb", f"table/{physical_id}")
            case "AWS::KMS::Key":
                return self._arn("kms", f"key/{physical_id}")
            case "AWS::SQS::Queue":
                return self._arn("sqs", physical_id.rpartition("/")[2])
            case "AWS::Lambda::Function":
                return self._arn("lambda", f"function:{physical_id}")
            case "AWS::IAM::Role":
                return f"arn:{self.partition}:iam::{self.account}:role/{physical_id}"
            case "AWS::SES::EmailIdentity":
                return self._arn("ses", f"identity/{physical_id}")
            case "AWS::SES::ConfigurationSet":
                return self._arn("ses", f"configuration-set/{physical_id}")
        raise NotSeenError(tr("the ARN of {logical_id} is not known", logical_id=logical_id))

    def _arn(self, service: str, name: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{name}"


def read_stack(aws: Aws, name: str) -> DeployedStack:
    """Read a stack.

    Raises:
        OperatorError: there is no such stack in this account and region, or it is not a stack of
            this service.
        botocore.exceptions.ClientError: AWS refuses.
    """
    cloudformation = aws.client("cloudformation")
    region = cloudformation.meta.region_name
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ValueError as error:
        raise OperatorError(tr("no stack {name} in {region}", name=name, region=region)) from error
    except ClientError as error:
        # CloudFormation has no code of its own for it.
        if code_of(error) == "ValidationError":
            raise OperatorError(tr("no stack {name} in {region}", name=name, region=region)) from error
        raise
    outputs = {one["OutputKey"]: one["OutputValue"] for one in stack.get("Outputs", [])}
    if "ElectionId" not in outputs:
        raise OperatorError(tr("stack {name} has no output ElectionId: is it a stack of this service?", name=name))
    _, partition, _, _, account, _ = stack["StackId"].split(":")
    return DeployedStack(
        name=stack["StackName"],
        region=region,
        partition=partition,
        account=account,
        status=stack["StackStatus"],
        termination_protection=stack.get("EnableTerminationProtection", False),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
        outputs=outputs,
        resources={one.logical_id: one for one in _resources(cloudformation, name)},
    )


def _resources(cloudformation: Any, stack: str) -> Iterator[DeployedResource]:
    """Give a stack's resources and those of its nested stacks. DescribeStackResources would give a
    hundred at most.
    """
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
        for summary in page["StackResourceSummaries"]:
            physical_id = summary.get("PhysicalResourceId", "")
            if summary["ResourceStatus"] == "DELETE_COMPLETE" or not physical_id:
                continue
            yield DeployedResource(summary["LogicalResourceId"], summary["ResourceType"], physical_id)
            if summary["ResourceType"] == _NESTED:
                yield from _resources(cloudformation, physical_id)
