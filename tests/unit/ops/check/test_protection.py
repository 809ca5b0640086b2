"""What the check says of keys and tables, on AWS and where something stands in for it."""

from __future__ import annotations

import pytest
from reassort_ops.account.after.protection import deletion, keys, rotation
from reassort_ops.account.checks import State
from reassort_ops.account.probes import NotSeenError

from tests.unit.ops.check.account import Account, states


def test_an_emulator_is_not_asked_for_encryption_or_backups(account: Account) -> None:
    account.elsewhere = "http://127.0.0.1:4566"
    found = states(account.after("Protection: tables refuse to be deleted"))
    assert found == {
        "Protection: tables refuse to be deleted": State.PASSED,
        "Protection: tables under the stack's key": State.UNSEEN,
        "Protection: tables recoverable to any second": State.UNSEEN,
    }


def test_no_key_to_rotate_is_not_a_key_that_is_rotated() -> None:
    with pytest.raises(NotSeenError, match="no key that KMS rotates"):
        rotation({})


def test_a_stack_without_keys_is_not_protected() -> None:
    assert keys({}).state is State.FAILED


def test_tables_that_refuse_are_right_though_nobody_asked_for_it() -> None:
    assert deletion({"VotersTable": {"DeletionProtectionEnabled": True}}, asked=False).state is State.PASSED
