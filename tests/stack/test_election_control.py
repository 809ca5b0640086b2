"""Stopping all reissues on the deployed template, while voters are asking: after the stop nothing
commits.
"""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from reassort.register import Change
from reassort_ops.account.operator import Operator
from reassort_ops.election_control import close_reissues, open_reissues, read_standing

from harness.stack.deployed import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.stack.deployed import DeployedBrowser, DeployedVoter, Deployment

VOTERS = 24
THREADS = 8


@pytest.fixture(autouse=True)
def opened_again(deployment: Deployment, helpdesk: Operator) -> Iterator[None]:
    """Reissues are open again when the test is over."""
    yield
    open_reissues(deployment.election, "test is over", helpdesk)


@pytest.mark.req("I1", "I9", "R3")
def test_after_the_stop_nothing_commits(
    deployment: Deployment, helpdesk: Operator, tell: Callable[[str], None]
) -> None:
    electorate = [deployment.enrol() for _ in range(VOTERS)]
    browsers = [deployment.signed_in(voter) for voter in electorate]
    under_way = threading.Event()
    answers: Counter[str] = Counter()

    def ask(browser: DeployedBrowser, voter: DeployedVoter) -> None:
        answer = browser.reissue(voter)
        answers[f"{answer.status_code} {answer.json().get('code', '')}".strip()] += 1
        if answer.status_code == 202:
            under_way.set()

    def generations() -> list[int]:
        return [deployment.voter(voter).generation for voter in electorate]

    with ThreadPoolExecutor(THREADS) as pool:
        everybody = list(zip(browsers, electorate, strict=True))
        asked = [pool.submit(ask, *one) for one in everybody[:-THREADS]]
        assert under_way.wait(PATIENCE_SECONDS)
        close_reissues(deployment.election, "leak", helpdesk)
        at_the_stop = generations()
        # All others may have been quicker than the stop.
        asked += [pool.submit(ask, *one) for one in everybody[-THREADS:]]
        for one in asked:
            one.result()
    tell(f"{VOTERS} reissues, stopped in their midst: {dict(answers)}")
    assert set(answers) == {"202", "409 reissues-stopped"}
    assert generations() == at_the_stop
    assert at_the_stop.count(2) == answers["202"]
    for voter in electorate:
        told = [entry.change for entry in deployment.chain(voter)]
        assert told.count(Change.REISSUED) == deployment.voter(voter).generation - 1
    assert read_standing(helpdesk.dynamodb, helpdesk.stack).switch.stopped


def test_open_lets_them_go_on(deployment: Deployment, helpdesk: Operator, voter: DeployedVoter) -> None:
    close_reissues(deployment.election, "leak", helpdesk)
    browser = deployment.signed_in(voter)
    assert browser.reissue(voter).json()["code"] == "reissues-stopped"
    open_reissues(deployment.election, "bureau", helpdesk)
    assert browser.reissue(voter).status_code == 202
