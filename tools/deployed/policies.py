"""Statements of IAM policies, in one form wherever the template writes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deployed.stack import FilledTemplate, Json, Resource

# Where a type of resource keeps the policy that says who may do what with it.
_RESOURCE_POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
    "AWS::SecretsManager::ResourcePolicy": "ResourcePolicy",
}


@dataclass(frozen=True, slots=True, eq=False)
class PolicyStatement:
    """A statement with lists where IAM takes one value or several. `Principal: "*"` is
    `{"*": ["*"]}`.
    """

    path: tuple[str | int, ...]
    effect: str
    actions: list[str]
    resources: list[str]
    spares: bool
    """Whether `resources` are those that are left out: the statement has NotResource."""
    conditions: Mapping[str, Mapping[str, list[str]]]
    principals: Mapping[str, list[str]]

    @property
    def allows(self) -> bool:
        """Whether the statement gives something."""
        return self.effect == "Allow"

    def condition_keys(self) -> set[str]:
        """Return the keys that the conditions read, as they are written."""
        return {key for keys in self.conditions.values() for key in keys}


def listed(value: Json) -> list[Json]:
    """Return a value that may stand alone as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def statements(document: Json, path: tuple[str | int, ...]) -> Iterator[PolicyStatement]:
    """Yield the statements of a resolved policy document that stands at a path of the template."""
    if not isinstance(document, dict):
        return
    for place, written in enumerate(listed(document.get("Statement"))):
        principal = written.get("Principal", {})
        yield PolicyStatement(
            path=(*path, "Statement", place),
            effect=str(written.get("Effect")),
            actions=[str(action) for action in listed(written.get("Action"))],
            resources=[str(resource) for resource in listed(written.get("Resource", written.get("NotResource")))],
            spares="NotResource" in written,
            conditions={
                operator: {key: [str(value) for value in listed(values)] for key, values in keys.items()}
                for operator, keys in (written.get("Condition") or {}).items()
            },
            principals={kind: [str(one) for one in listed(who)] for kind, who in principal.items()}
            if isinstance(principal, dict)
            else {"*": [str(principal)]},
        )


def roles(stack: FilledTemplate) -> dict[str, list[PolicyStatement]]:
    """Return what each role of the stack may do, by logical id: its own policies, and those of the
    stack that are attached to it.
    """
    return {role.id: [*_inline(role), *_attached(stack, role)] for role in stack.of_type("AWS::IAM::Role")}


def identity_statements(stack: FilledTemplate) -> Iterator[PolicyStatement]:
    """Yield what roles and managed policies of the stack allow and deny, each once."""
    for role in stack.of_type("AWS::IAM::Role"):
        yield from _inline(role)
    for policy in stack.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        yield from _document(policy)


def resource_statements(stack: FilledTemplate) -> Iterator[tuple[Resource, PolicyStatement]]:
    """Yield the statements of the policies of keys, topics, queues, buckets and secrets, each with
    the resource that holds it.
    """
    for resource in stack.of_type(*_RESOURCE_POLICIES):
        name = _RESOURCE_POLICIES[resource.type]
        for statement in statements(resource.properties.get(name), (*resource.path, "Properties", name)):
            yield resource, statement


def trust(role: Resource) -> list[PolicyStatement]:
    """Return who may assume a role."""
    name = "AssumeRolePolicyDocument"
    return list(statements(role.properties.get(name), (*role.path, "Properties", name)))


def _inline(role: Resource) -> Iterator[PolicyStatement]:
    for place, policy in enumerate(role.properties.get("Policies", [])):
        path = (*role.path, "Properties", "Policies", place, "PolicyDocument")
        yield from statements(policy.get("PolicyDocument"), path)


def _attached(stack: FilledTemplate, role: Resource) -> Iterator[PolicyStatement]:
    named = listed(role.properties.get("ManagedPolicyArns"))
    for policy in stack.of_type("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"):
        if f"${{{policy.id}}}" in named or f"${{{role.id}}}" in listed(policy.properties.get("Roles")):
            yield from _document(policy)


def _document(policy: Resource) -> Iterator[PolicyStatement]:
    yield from statements(policy.properties.get("PolicyDocument"), (*policy.path, "Properties", "PolicyDocument"))
