"""Who may come to the helpdesk: names and groups in the stack's user pool, and nothing else of a
person.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from reassort_ops.failures import OperatorError
from reassort_ops.language import tr

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef

# How long a temporary password lives: TemporaryPasswordValidityDays of the template.
PASSWORD_DAYS = 3
# A name such as `claire.martin`. Neither an address nor a number that could be somebody's.
_NAME = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_LONGEST_NAME = 40
_DIGITS = re.compile(r"[0-9]{5}")
# Without what looks alike when it is read out: I, l, 1, O, 0.
_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_SMALL = "abcdefghijkmnopqrstuvwxyz"
_FIGURES = "23456789"
_PASSWORD_PARTS, _PART_LENGTH = 4, 5


class Group(StrEnum):
    """What somebody does at the helpdesk, as the groups of the user pool are called."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"


@dataclass(frozen=True)
class Person:
    """Somebody who may come. `agent` is their number in the pool, by which records know them;
    `groups` are several only when somebody else than this command put them there; `status` is
    Cognito's word.
    """

    name: str
    agent: str
    groups: tuple[str, ...]
    status: str
    enabled: bool
    invited_at: datetime


@dataclass(frozen=True)
class Invitation:
    """What inviting did. There is a temporary password when the person is new. `agent` is their
    number in the pool.
    """

    name: str
    agent: str
    group: Group
    temporary_password: str | None
    left: tuple[str, ...] = ()


def checked_name(typed: str) -> str:
    """Return a name as the pool keeps it.

    Raises:
        OperatorError: it is no name, or holds an address or a number.
    """
    name = typed.strip().lower()
    if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name) or _DIGITS.search(name):
        raise OperatorError(
            tr(
                "a name is letters, digits, dots and hyphens, {most} at most, such as "
                "claire.martin: no address, no accent, no number of a person",
                most=_LONGEST_NAME,
            )
        )
    return name


def draw_password() -> str:
    """Draw a temporary password that the pool's policy takes and that can be read out: some 110
    bits.
    """
    letters = _CAPITALS + _SMALL + _FIGURES
    while True:
        parts = ("".join(secrets.choice(letters) for _ in range(_PART_LENGTH)) for _ in range(_PASSWORD_PARTS))
        password = "-".join(parts)
        if all(set(password) & set(kind) for kind in (_CAPITALS, _SMALL, string.digits)):
            return password


def invite(cognito: CognitoIdentityProviderClient, pool: str, name: str, group: Group) -> Invitation:
    """Let somebody come, or give somebody who may come another group. It may be repeated.

    A change of group ends the person's sessions: their credentials are those of the former role.

    Raises:
        botocore.exceptions.ClientError: AWS refuses. Somebody new is then not there.
    """
    before = _groups_of(cognito, pool, name)
    if before is None:
        password = draw_password()
        made = cognito.admin_create_user(
            UserPoolId=pool, Username=name, TemporaryPassword=password, MessageAction="SUPPRESS"
        )["User"]
        try:
            cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group.value)
        except ClientError:
            # Nobody has seen the password, so the invitation could not be repeated.
            cognito.admin_delete_user(UserPoolId=pool, Username=name)
            raise
        return Invitation(name, _number(made["Attributes"]), group, password)
    left = tuple(other for other in before if other != group)
    for other in left:
        cognito.admin_remove_user_from_group(UserPoolId=pool, Username=name, GroupName=other)
    if group not in before:
        cognito.admin_add_user_to_group(UserPoolId=pool, Username=name, GroupName=group.value)
    if left or group not in before:
        cognito.admin_user_global_sign_out(UserPoolId=pool, Username=name)
    return Invitation(name, number_of(cognito, pool, name) or "", group, None, left)


def _number(attributes: Iterable[AttributeTypeTypeDef]) -> str:
    """Return the number of somebody in the pool."""
    return next(attribute.get("Value", "") for attribute in attributes if attribute["Name"] == "sub")


def remove(cognito: CognitoIdentityProviderClient, pool: str, name: str) -> bool:
    """End somebody's sessions and let them come no more. Tell whether they were there.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    try:
        cognito.admin_user_global_sign_out(UserPoolId=pool, Username=name)
        cognito.admin_delete_user(UserPoolId=pool, Username=name)
    except cognito.exceptions.UserNotFoundException:
        return False
    return True


def number_of(cognito: CognitoIdentityProviderClient, pool: str, name: str) -> str | None:
    """Return the number of somebody in the pool; None when they are not there.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    try:
        return _number(cognito.admin_get_user(UserPoolId=pool, Username=name)["UserAttributes"])
    except cognito.exceptions.UserNotFoundException:
        return None


def people(cognito: CognitoIdentityProviderClient, pool: str) -> list[Person]:
    """Return everybody who may come, by name.

    Raises:
        botocore.exceptions.ClientError: AWS refuses.
    """
    groups: dict[str, list[str]] = {}
    for group in Group:
        for page in cognito.get_paginator("list_users_in_group").paginate(UserPoolId=pool, GroupName=group.value):
            for user in page["Users"]:
                groups.setdefault(user["Username"], []).append(group.value)
    return sorted(_people(cognito, pool, groups), key=lambda person: person.name)


def _people(cognito: CognitoIdentityProviderClient, pool: str, groups: dict[str, list[str]]) -> Iterator[Person]:
    for page in cognito.get_paginator("list_users").paginate(UserPoolId=pool):
        for user in page["Users"]:
            name = user["Username"]
            held = tuple(groups.get(name, ()))
            number = _number(user["Attributes"])
            yield Person(name, number, held, user["UserStatus"], user["Enabled"], user["UserCreateDate"])


def _groups_of(cognito: CognitoIdentityProviderClient, pool: str, name: str) -> tuple[str, ...] | None:
    """Return somebody's groups; None when they are not in the pool."""
    try:
        found = cognito.admin_list_groups_for_user(UserPoolId=pool, Username=name)["Groups"]
    except cognito.exceptions.UserNotFoundException:
        return None
    return tuple(group["GroupName"] for group in found)
