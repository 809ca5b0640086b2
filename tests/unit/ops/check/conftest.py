"""An account in which all is well."""

from __future__ import annotations

import pytest

from tests.unit.ops.check.account import Account


@pytest.fixture
def account() -> Account:
    """An account in which all is well, for a test to change."""
    return Account()
