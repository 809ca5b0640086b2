"""Requests that are nearly right, to every operation of `openapi.yaml`: no fault, no undescribed
answer, nothing changed by a refusal.

The requests are the same at each run. More of them, and others:

    FUZZ_EXAMPLES=10000   as many for each operation (`make fuzz` counts the answers)
    FUZZ_SEED=7           others
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from reassort.problems import Code

from harness.fuzz.running import OPERATIONS, fuzz
from harness.fuzz.verdict import COUNTED
from harness.service.openapi import operations

if TYPE_CHECKING:
    from collections.abc import Callable

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "200"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
# What a few hundred requests come upon, or they would not be near enough to show anything: the
# happy end, and the refusals behind the reading of a request.
REACHED = {
    "askCode": {"202", "422 email-domain"},
    "signOut": {"204", "403 foreign-origin"},
    "redeemCode": {"200", "401 wrong-code", "429 too-many-tries"},
    "overview": {"200", "401 signed-out"},
    "reissue": {"202", "401 signed-out", "403 numen-mismatch", "409 frozen", "409 window-closed", "429 locked"},
    "reissueStatus": {"200", "401 signed-out", "404 not-found"},
    "redeliver": {"202", "401 signed-out", "404 not-found", "409 already-delivered"},
    "dispute": {"202", "422 invalid-token"},
    "lookAtDispute": {"200", "422 invalid-token"},
    "serviceStatus": {"200"},
    "checkIdentifier": {"200"},
    "recordVote": {"200", "409 unknown-identifier", "409 already-voted", "409 revoked"},
    "helpdeskMe": {"200"},
    "helpdeskLook": {"200", "404 no-such-voter"},
    "helpdeskData": {"200", "404 no-such-voter"},
    "helpdeskAct": {"200", "409 nothing-to-do"},
    "helpdeskProposals": {"200"},
    "helpdeskDecide": {"200", "404 not-found", "409 stale-page"},
    "helpdeskShift": {"200"},
    "helpdeskEndSessions": {"204", "404 not-found"},
    "helpdeskRecord": {"200"},
}
WITH_BODY = {"400 invalid-json", "413 body-too-large", "415 unsupported-media-type", "422 invalid-fields"}


@pytest.mark.req("S22", "S25", "S29")
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_a_request_that_is_nearly_right_is_answered_and_a_refusal_changes_nothing(
    operation_id: str, record_property: Callable[[str, object], None]
) -> None:
    answers = fuzz(operation_id, EXAMPLES, SEED)
    record_property("answers", dict(answers))
    assert answers.total() >= EXAMPLES
    has_body = any("requestBody" in one for one in operations().values() if one["operationId"] == operation_id)
    assert REACHED[operation_id] | (WITH_BODY if has_body else set()) <= answers.keys()


def test_what_a_refusal_counts_is_counted_where_the_description_has_that_refusal() -> None:
    described = {
        (operation["operationId"], Code(code))
        for operation in operations().values()
        for answer in operation["responses"].values()
        for code in answer.get("x-codes", ())
    }
    assert COUNTED.keys() <= described
    assert tuple(REACHED) == OPERATIONS


def test_a_change_that_nothing_accounts_for_is_noticed() -> None:
    with (
        patch.dict(COUNTED, clear=True),
        pytest.raises(AssertionError, match=r"401 wrong-code changed SignInTable: \['tries'\]"),
    ):
        fuzz("redeemCode", 200, SEED)


def test_a_fault_is_noticed() -> None:
    with patch("reissue.routes.reissue_status", side_effect=KeyError), pytest.raises(AssertionError, match="503 "):
        fuzz("reissueStatus", 200, SEED)
