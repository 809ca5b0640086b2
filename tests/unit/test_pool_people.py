"""Names, passwords and groups of the helpdesk's people, on a user pool in memory."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from reassort_ops.failures import OperatorError
from reassort_ops.helpdesk import people as module
from reassort_ops.helpdesk.people import (
    PASSWORD_DAYS,
    Group,
    Invitation,
    Person,
    checked_name,
    draw_password,
    invite,
    number_of,
    people,
    remove,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.req("H1")

AT = datetime(2018, 11, 1, tzinfo=UTC)
LOOKS_ALIKE = set("Il1O0")


class NobodyError(Exception):
    """Nobody of that name is in the pool."""


class PoolInMemory:
    """As much of Cognito as the command asks for. `refused` is the call that is refused."""

    def __init__(self, **groups: tuple[str, ...]) -> None:
        self.exceptions = SimpleNamespace(UserNotFoundException=NobodyError)
        self.held = {name: list(held) for name, held in groups.items()}
        self.signed_out: list[str] = []
        self.passwords: dict[str, str] = {}
        self.refused = ""

    def _of(self, call: str, asked: dict[str, Any]) -> list[str]:
        assert asked["UserPoolId"] == "pool"
        if call == self.refused:
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, call)
        if asked["Username"] not in self.held:
            raise NobodyError
        return self.held[asked["Username"]]

    @staticmethod
    def _attributes(name: str) -> list[dict[str, str]]:
        return [{"Name": "email", "Value": "x"}, {"Name": "sub", "Value": f"number of {name}"}]

    def admin_create_user(self, **asked: Any) -> dict[str, Any]:
        assert asked["MessageAction"] == "SUPPRESS"
        name = asked["Username"]
        self.held[name] = []
        self.passwords[name] = asked["TemporaryPassword"]
        return {"User": {"Attributes": self._attributes(name)}}

    def admin_add_user_to_group(self, **asked: Any) -> None:
        self._of("add", asked).append(asked["GroupName"])

    def admin_remove_user_from_group(self, **asked: Any) -> None:
        self._of("remove", asked).remove(asked["GroupName"])

    def admin_user_global_sign_out(self, **asked: Any) -> None:
        self._of("sign out", asked)
        self.signed_out.append(asked["Username"])

    def admin_delete_user(self, **asked: Any) -> None:
        self._of("delete", asked)
        del self.held[asked["Username"]]

    def admin_get_user(self, **asked: Any) -> dict[str, Any]:
        self._of("get", asked)
        return {"UserAttributes": self._attributes(asked["Username"])}

    def admin_list_groups_for_user(self, **asked: Any) -> dict[str, Any]:
        return {"Groups": [{"GroupName": group} for group in self._of("groups", asked)]}

    def get_paginator(self, name: str) -> Any:
        def paginate(**asked: str) -> Iterator[dict[str, Any]]:
            assert asked["UserPoolId"] == "pool"
            wanted = asked.get("GroupName")
            for one in [one for one, held in self.held.items() if wanted is None or wanted in held]:
                user = {"Username": one, "Attributes": self._attributes(one), "UserStatus": "CONFIRMED"}
                yield {"Users": [{**user, "Enabled": True, "UserCreateDate": AT}]}

        assert name in {"list_users", "list_users_in_group"}
        return SimpleNamespace(paginate=paginate)


def pool(**groups: tuple[str, ...]) -> Any:
    return PoolInMemory(**groups)


@pytest.mark.parametrize("typed", [" Claire.Martin ", "a", "a-b_c.d1234", "a" * 40])
def test_a_name_is_kept_in_small_letters(typed: str) -> None:
    assert checked_name(typed) == typed.strip().lower()


@pytest.mark.parametrize("typed", ["", "claire@x", "1a", "a..b", "a.", "é", "a12345", "a b", "a" * 41])
def test_an_address_or_a_number_is_no_name(typed: str) -> None:
    with pytest.raises(OperatorError, match="40 at most"):
        checked_name(typed)


def test_a_password_is_four_times_five_signs_that_can_be_read_out() -> None:
    drawn = {draw_password() for _ in range(60)}
    assert len(drawn) == 60
    for password in drawn:
        assert [len(part) for part in password.split("-")] == [5, 5, 5, 5]
        assert not LOOKS_ALIKE & set(password)
    assert PASSWORD_DAYS == 3


@pytest.mark.parametrize("lacking", ["ab2cd" * 4, "AB2CD" * 4, "abCDe" * 4])
def test_a_password_that_the_policy_refuses_is_drawn_again(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    signs = iter(lacking + "aB2cd" * 4)
    choices: set[str] = set()

    def choice(letters: str) -> str:
        choices.add(letters)
        return next(signs)

    monkeypatch.setattr(module.secrets, "choice", choice)  # type: ignore[attr-defined]
    assert draw_password() == "aB2cd-aB2cd-aB2cd-aB2cd"
    every = set(string.ascii_letters + string.digits) - LOOKS_ALIKE
    assert [set(letters) for letters in choices] == [every]


def test_somebody_new_comes_with_a_password_and_one_group() -> None:
    cognito = pool()
    invitation = invite(cognito, "pool", "claire", Group.AGENT)
    password = cognito.passwords["claire"]
    assert invitation == Invitation("claire", "number of claire", Group.AGENT, password)
    assert (cognito.held, cognito.signed_out) == ({"claire": ["agent"]}, [])


def test_somebody_who_can_have_no_group_is_not_left_behind() -> None:
    cognito = pool()
    cognito.refused = "add"
    with pytest.raises(ClientError):
        invite(cognito, "pool", "claire", Group.AGENT)
    assert cognito.held == {}


@pytest.mark.parametrize(
    ("before", "left", "signed_out"),
    [
        ((), (), True),
        (("agent",), (), False),
        (("auditor",), ("auditor",), True),
        (("agent", "auditor"), ("auditor",), True),
    ],
)
def test_a_change_of_group_ends_the_sessions_of_the_former_one(
    before: tuple[str, ...], left: tuple[str, ...], *, signed_out: bool
) -> None:
    cognito = pool(claire=before)
    invitation = invite(cognito, "pool", "claire", Group.AGENT)
    assert invitation == Invitation("claire", "number of claire", Group.AGENT, None, left)
    assert cognito.held == {"claire": ["agent"]}
    assert cognito.signed_out == (["claire"] if signed_out else [])


def test_who_is_removed_is_signed_out_and_gone() -> None:
    cognito = pool(claire=("agent",))
    assert remove(cognito, "pool", "claire") is True
    assert (cognito.held, cognito.signed_out) == ({}, ["claire"])
    assert remove(cognito, "pool", "claire") is False
    assert number_of(cognito, "pool", "claire") is None


def test_everybody_is_listed_by_name_with_their_groups() -> None:
    cognito = pool(luc=("agent", "auditor"), anne=("supervisor",), zoe=())
    assert people(cognito, "pool") == [
        Person(name, f"number of {name}", groups, "CONFIRMED", enabled=True, invited_at=AT)
        for name, groups in (("anne", ("supervisor",)), ("luc", ("agent", "auditor")), ("zoe", ()))
    ]
