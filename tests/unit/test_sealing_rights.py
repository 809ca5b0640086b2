"""What each role may seal, and what delivery may put: the local AWS does not evaluate these
conditions.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from notify.canary import Canary
from reassort.outbox import CANARY_VOTER, Channel
from reassort.sealing import address_context, payload_context
from reassort.table_keys import CODE_PREFIX

from harness.engines.template import read_template

_CANARY = Canary("ac-dijon.fr", Channel.SMS, 1_543_570_200_000).delivery_id


def _conditions(action: str, role: str = "NotifyRole") -> list[dict[str, Any]]:
    """Return the conditions under which a role may do something, on a real AWS."""
    (policy,) = read_template()["Resources"][role]["Properties"]["Policies"]
    found = [
        statement["Condition"]["Fn::If"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert all(name == "FullIam" for name, _, _ in found)
    return [condition for _, condition, _ in found]


def _seals(context: dict[str, str], role: str = "NotifyRole") -> bool:
    """Tell whether a condition on the encryption context lets a role's sealing pass."""
    return any(
        all(
            fnmatchcase(context.get(key.removeprefix("kms:EncryptionContext:"), ""), pattern)
            for wanted in condition.values()
            for key, pattern in wanted.items()
        )
        for condition in _conditions("kms:Encrypt", role)
    )


@pytest.mark.req("S28")
def test_delivery_seals_canaries_alone() -> None:
    assert _seals(address_context(CANARY_VOTER))
    assert _seals(payload_context(_CANARY))
    assert not _seals(address_context("q0Zk3mTn8yVb5sWc1xLd7A"))
    assert not _seals(payload_context("7K3M9-QWX2T"))
    assert not _seals({"kind": "address"})
    assert not _seals({})


@pytest.mark.req("S28")
def test_sign_in_seals_codes_and_a_reissue_what_it_delivers() -> None:
    code, reissue, address = (
        payload_context(f"{CODE_PREFIX}Hd7kWm3pZt9vRc2xNb6yQs"),
        payload_context("7K3M9-QWX2T"),
        address_context("q0Zk3mTn8yVb5sWc1xLd7A"),
    )
    sealed = {role: [_seals(one, role) for one in (code, reissue, address)] for role in ("LoginRole", "ReissueRole")}
    assert sealed == {"LoginRole": [True, False, True], "ReissueRole": [False, True, False]}
    assert not _seals(payload_context(_CANARY), "LoginRole")
    assert not _seals(payload_context(_CANARY), "ReissueRole")


def _puts(*keys: str) -> bool:
    """Tell whether delivery's role may put items of these partition keys in one call."""

    def holds(operator: str, wanted: dict[str, Any]) -> bool:
        assert set(wanted) == {"dynamodb:LeadingKeys"}
        value = wanted["dynamodb:LeadingKeys"]
        if operator == "Null":
            return (not keys) is (value == "true")
        assert operator == "ForAllValues:StringLike"
        return all(any(fnmatchcase(key, pattern) for pattern in value) for key in keys)

    return any(all(holds(*clause) for clause in condition.items()) for condition in _conditions("dynamodb:PutItem"))


@pytest.mark.req("S28")
def test_delivery_puts_canaries_alone() -> None:
    assert _puts(_CANARY)
    assert not _puts("7K3M9-QWX2T")
    assert not _puts(_CANARY, "7K3M9-QWX2T")
    # Of no value, each one is a canary.
    assert not _puts()
