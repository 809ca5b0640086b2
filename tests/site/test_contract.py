"""The voter space and the contract: every refusal that the API may give it has a state, hence words
and a next step.
"""

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from playwright.sync_api import Page, expect
from reassort.problems import WORDINGS, Code

from harness.service.openapi import operations
from harness.site.mocked_space import (
    ASK_CODE,
    DISPUTE,
    OVERVIEW,
    REDEEM_CODE,
    REDELIVERY,
    REISSUE,
    SIGN_OUT,
    STATUS,
    MockedSpace,
    Operation,
    tracked,
)
from harness.site.states import STATES
from harness.site.states.dispute import open_dispute, press
from harness.site.steps import ask_code, confirm, open_code, open_review, redeem
from tests.site.reading import expect_shown

# What only a broken script could cause: these are shown in the API's words, whichever call they
# answer.
UNEXPECTED = {Code.BODY_TOO_LARGE, Code.INVALID_JSON, Code.UNSUPPORTED_MEDIA_TYPE}
CALLED = (ASK_CODE, SIGN_OUT, REDEEM_CODE, OVERVIEW, REISSUE, STATUS, REDELIVERY, DISPUTE)


def codes_of(operation: Operation) -> set[Code]:
    return {
        Code(code) for answer in operations()[operation]["responses"].values() for code in answer.get("x-codes", ())
    }


@pytest.mark.req("U9", "U10")
def test_every_refusal_of_the_contract_has_a_state() -> None:
    refused: set[tuple[Operation, Code]] = set()
    for state in STATES.values():
        # The steps are taken without a browser: what counts is what the API is told to refuse.
        space = MockedSpace(MagicMock(spec=Page), Path())
        state.play(space)
        refused |= space.refused
    expected = {(operation, code) for operation in CALLED for code in codes_of(operation) - UNEXPECTED}
    assert expected - refused == set()


def show_unexpected(space: MockedSpace, operation: Operation) -> None:
    match operation:
        case ("POST", "/api/login"):
            space.open("connexion.html")
            ask_code(space)
        case ("POST", "/api/login/code"):
            open_code(space)
            redeem(space)
        case ("POST", "/api/reissue"):
            open_review(space)
            confirm(space)
        case ("POST", "/api/dispute"):
            open_dispute(space)
            press(space)
        case _:
            space.open_tracking(tracked("failed"))
            space.page.locator("#redeliver").click()


@pytest.mark.req("U2", "U9", "S25")
@pytest.mark.parametrize("code", sorted(UNEXPECTED))
@pytest.mark.parametrize("operation", [ASK_CODE, REDEEM_CODE, REISSUE, REDELIVERY, DISPUTE], ids=" ".join)
def test_unexpected_refusal_is_told_in_the_words_of_the_service(
    page: Page, mocked: MockedSpace, operation: Operation, code: Code
) -> None:
    mocked.refuse(operation, code)
    show_unexpected(mocked, operation)
    expect(page.locator("#errors")).to_be_focused()
    expect_shown(page, WORDINGS[code].title, selector="#errors")
    expect_shown(page, WORDINGS[code].detail, selector="#errors")
    expect_shown(page, "Assistance :", selector="#errors")
