"""Why a message did not arrive: words for each reason, and which reasons would come again."""

from __future__ import annotations

import pytest
from reassort.reasons import Reason

WOULD_COME_AGAIN = {
    Reason.NO_SUCH_MAILBOX,
    Reason.MAIL_BLOCKED,
    Reason.UNKNOWN_NUMBER,
    Reason.OPTED_OUT,
    Reason.CARRIER_REFUSED,
    Reason.NO_ROUTE,
    Reason.TOO_EXPENSIVE,
}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_told_as_part_of_a_sentence(reason: Reason) -> None:
    assert reason.words[-1] not in ".!?…"
    assert reason.words.startswith("SMS") or reason.words[0].islower()


def test_no_two_reasons_are_told_alike() -> None:
    assert len({reason.words for reason in Reason}) == len(Reason)


@pytest.mark.req("R10")
@pytest.mark.parametrize("reason", Reason)
def test_what_would_fail_again_the_same_way_is_told_from_what_may_pass(reason: Reason) -> None:
    assert reason.is_lasting is (reason in WOULD_COME_AGAIN)
