"""What delivery may put and seal for canaries, and for nothing else: the local AWS does not
evaluate these conditions.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import pytest
from notify.canary import Canary
from reassort.outbox import CANARY_VOTER, Channel
from reassort.sealing import address_context, payload_context

from harness.engines.template import read_template

_CANARY = Canary("ac-dijon.fr", Channel.SMS, 1_543_570_200_000).delivery_id


def _conditions(action: str) -> list[dict[str, Any]]:
    """Return the conditions under which the role of delivery may do something, on a real AWS."""
    (policy,) = read_template()["Resources"]["NotifyRole"]["Properties"]["Policies"]
    found = [
        statement["Condition"]["Fn::If"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        and action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    ]
    assert all(name == "FullIam" for name, _, _ in found)
    return [condition for _, condition, _ in found]


def _seals(context: dict[str, str]) -> bool:
    """Tell whether a condition on the encryption context lets a sealing pass."""
    return any(
        all(
            fnmatchcase(context.get(key.removeprefix("kms:EncryptionContext:"), ""), pattern)
            for wanted in condition.values()
            for key, pattern in wanted.items()
        )
        for condition in _conditions("kms:Encrypt")
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
def test_delivery_puts_canaries_alone() -> None:
    (condition,) = _conditions("dynamodb:PutItem")
    assert condition == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["canary-*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert fnmatchcase(_CANARY, "canary-*")
