"""A11: people who sign in, and the roles that they get."""

from collections.abc import Iterator
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template
from deployed.linting import Fault, in_each_stack
from deployed.policies import PolicyStatement, trust
from deployed.stack import FilledTemplate, Resource

_IDENTITIES = "cognito-identity.amazonaws.com"


class IdentitiesAreTheirPools(CloudFormationLintRule):
    """A role that trusts the service trusts every identity pool of every account."""

    id = "E9611"
    shortdesc = "A role for an identity pool trusts signed-in people of that pool alone"
    description = (
        "A role that cognito-identity.amazonaws.com may give away names one identity pool (aud) and the "
        "identities that have signed in (amr)"
    )
    source_url = "https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return the roles that other pools, or guests, may get."""
        return in_each_stack(cfn, _anybodys)


class NobodyComesUninvited(CloudFormationLintRule):
    """A pool that people may join by themselves, or whose guests get a role, keeps nobody out."""

    id = "E9711"
    shortdesc = "Anyone who signs in was invited, has a second factor, and gets the role of a group"
    description = (
        "A user pool has AllowAdminCreateUserOnly, MfaConfiguration ON and software tokens alone; its clients hide "
        "whether a user is there and let tokens be revoked; an identity pool has no guests, no classic flow, and "
        "checks tokens with the user pool; its roles are those of groups, and no role stands for everybody"
    )
    source_url = "https://docs.aws.amazon.com/cognito/latest/developerguide/role-based-access-control.html"
    tags = ["A11"]

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Return what lets somebody in who should stay outside."""
        return in_each_stack(cfn, _open_doors)


def _anybodys(stack: FilledTemplate) -> Iterator[Fault]:
    pools = {f"${{{pool.id}}}" for pool in stack.of_type("AWS::Cognito::IdentityPool")}
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in trust(role):
            if statement.allows and _IDENTITIES in statement.principals.get("Federated", []):
                if not _is_one_of(pools, statement, f"{_IDENTITIES}:aud"):
                    yield Fault(statement.path, f"any identity pool may give {role.id} away: add a condition on aud")
                if not _is_one_of({"authenticated"}, statement, f"{_IDENTITIES}:amr"):
                    yield Fault(statement.path, f"a guest may get {role.id}: add a condition on amr")


def _is_one_of(wanted: set[str], statement: PolicyStatement, key: str) -> bool:
    """Tell whether a condition demands one of these values; a `ForAllValues` is true without the
    key.
    """
    return any(
        set(values) <= wanted
        for operator, keys in statement.conditions.items()
        for name, values in keys.items()
        if name.lower() == key and operator in ("StringEquals", "ForAnyValue:StringEquals", "ForAnyValue:StringLike")
    )


def _open_doors(stack: FilledTemplate) -> Iterator[Fault]:
    for pool in stack.of_type("AWS::Cognito::UserPool"):
        yield from _unless(pool, ("AdminCreateUserConfig", "AllowAdminCreateUserOnly"), "true", "anybody may sign up")
        yield from _unless(pool, ("MfaConfiguration",), "ON", "a password alone lets in")
        if pool.properties.get("EnabledMfas") != ["SOFTWARE_TOKEN_MFA"]:
            yield Fault(pool.path, f"{pool.id}: the second factor may be a message: EnabledMfas is SOFTWARE_TOKEN_MFA")
    for client in stack.of_type("AWS::Cognito::UserPoolClient"):
        yield from _unless(client, ("PreventUserExistenceErrors",), "ENABLED", "an answer tells who is there")
        yield from _unless(client, ("EnableTokenRevocation",), "true", "a token cannot be revoked")
    for pool in stack.of_type("AWS::Cognito::IdentityPool"):
        yield from _unless(pool, ("AllowUnauthenticatedIdentities",), "false", "guests get credentials")
        yield from _unless(pool, ("AllowClassicFlow",), "false", "a page may ask for any role that trusts the pool")
        for provider in pool.properties.get("CognitoIdentityProviders", []):
            if str(provider.get("ServerSideTokenCheck")).lower() != "true":
                yield Fault(pool.path, f"{pool.id}: who was signed out gets credentials: ServerSideTokenCheck is true")
    for attachment in stack.of_type("AWS::Cognito::IdentityPoolRoleAttachment"):
        if attachment.properties.get("Roles"):
            yield Fault(attachment.path, f"{attachment.id}: a role stands for anyone who is in no group: no Roles")
        for mapping in attachment.properties.get("RoleMappings", {}).values():
            if (mapping.get("Type"), mapping.get("AmbiguousRoleResolution")) != ("Token", "Deny"):
                yield Fault(attachment.path, f"{attachment.id}: the role is not the group's: Token, and Deny otherwise")


def _unless(resource: Resource, names: tuple[str, ...], wanted: str, otherwise: str) -> Iterator[Fault]:
    value: Any = resource.properties
    for name in names:
        value = value.get(name, {}) if isinstance(value, dict) else {}
    if str(value).lower() != wanted.lower():
        yield Fault(resource.path, f"{resource.id}: {otherwise}: {names[-1]} is {wanted}")
