"""Who acts: what API Gateway's authorizer says, and never what the caller says.

A page's calls are signed with the credentials of Cognito's identity pool, a command's with an
operator's own. API Gateway has checked the signature and the right to call the route.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from reassort.agent_names import may_name_operator
from reassort.problems import Code, Problem

# `…/POOL:CognitoSignIn:SUB`, the last of what the provider says of a user of a user pool.
_POOL_USER = re.compile(r":CognitoSignIn:([0-9a-f-]{36})$")
# An STS session's last part names who took the role; an IAM user's is the user.
_LAST_PART = re.compile(r"[^/:]+$")


class Role(StrEnum):
    """What somebody is at the helpdesk: the group of an agent, or an operator with a role of
    AWS's.
    """

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    OPERATOR = "operator"


@dataclass(frozen=True)
class Signatory:
    """Who looks at voters and acts for them. `id` is what the record and the register name."""

    id: str
    role: Role


def agent_of(event: Mapping[str, Any], roles: Mapping[str, Role]) -> Signatory:
    """Return who signed a REST API proxy event. `roles` gives the group of each role that the
    identity pool hands out, by the role's name.

    Raises:
        Problem: `not-allowed`: nobody signed, a user of the pool has a role of no group, or an
            operator's session is named as somebody else is.
    """
    identity = event["requestContext"].get("identity") or {}
    arn = identity.get("userArn") or ""
    provider = identity.get("cognitoAuthenticationProvider")
    if provider:
        user, role = _POOL_USER.search(provider), roles.get(_role_of(arn))
        if user is None or role is None:
            raise Problem(Code.NOT_ALLOWED)
        return Signatory(user[1], role)
    name = _LAST_PART.search(arn)
    # A role of the pool without a user of the pool is nobody.
    if name is None or _role_of(arn) in roles:
        raise Problem(Code.NOT_ALLOWED)
    # A session is often named after an address; the register holds none.
    operator = name[0].partition("@")[0]
    if not may_name_operator(operator):
        raise Problem(Code.NOT_ALLOWED)
    return Signatory(operator, Role.OPERATOR)


def raise_unless(agent: Signatory, *roles: Role) -> None:
    """Refuse anyone who has none of these roles.

    Raises:
        Problem: `not-allowed`.
    """
    if agent.role not in roles:
        raise Problem(Code.NOT_ALLOWED)


def _role_of(arn: str) -> str:
    """Return the name of the role of a session, `arn:aws:sts::…:assumed-role/NAME/SESSION`; empty
    when it is none.
    """
    _, _, session = arn.partition(":assumed-role/")
    return session.partition("/")[0]
