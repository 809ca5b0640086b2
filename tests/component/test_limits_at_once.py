"""Every limit under a hundred requests at once, on an engine whose transactions are atomic under
threads.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.service.world import Enrolled, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.service.world import Browser, Response

MANY = 100
NUMEN = "09E9900123ABC"
WRONG = "09E9911111ZZZ"


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


@pytest.fixture
def claire(world: World) -> Enrolled:
    return world.enrol("claire.martin@ac-dijon.fr", NUMEN)


def at_once(calls: Sequence[Callable[[], Response]]) -> Counter[str]:
    """Make all requests at once; return how often each status, with its code, was answered."""
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [future.result() for future in [pool.submit(call) for call in calls]]
    return Counter(f"{answer.status} {answer.code or ''}".strip() for answer in answers)


def signed_in(world: World, voter: Enrolled, browsers: int) -> list[Browser]:
    """Return browsers that one voter is signed in from."""
    found = []
    for _ in range(browsers):
        browser = world.browser()
        browser.sign_in(voter.email)
        found.append(browser)
        world.clock.move(minutes=3)
    return found


@pytest.mark.req("S12", "S13")
def test_codes_of_a_voter(world: World, claire: Enrolled) -> None:
    browsers = [world.browser() for _ in range(MANY)]
    answers = at_once([partial(browser.ask_code, claire.email) for browser in browsers])
    assert answers.total() == MANY
    assert answers["202"] > MANY / 2
    assert set(answers) <= {"202", "503 unavailable"}
    assert len(world.deliveries()) == 1


@pytest.mark.req("S8", "S13")
def test_tries_of_a_challenge(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    right = world.code_for(claire.email)
    wrong = [f"{(int(right) + number) % 1_000_000:06d}" for number in range(1, MANY + 1)]
    answers = at_once([partial(browser.redeem, code) for code in wrong])
    assert answers == {"401 wrong-code": 5, "429 too-many-tries": MANY - 5}
    assert browser.redeem(right).code == "too-many-tries"


@pytest.mark.req("S6", "S13")
def test_one_right_code_opens_one_session(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    right = world.code_for(claire.email)
    answers = at_once([partial(browser.redeem, right)] * MANY)
    assert answers["200"] == 1
    assert answers.total() == MANY


@pytest.mark.req("S10", "S13")
def test_numen_failures_of_a_voter(world: World, claire: Enrolled) -> None:
    (browser,) = signed_in(world, claire, 1)
    answers = at_once([partial(browser.reissue, WRONG) for _ in range(MANY)])
    assert 1 <= answers["403 numen-mismatch"] <= 4
    assert set(answers) <= {"403 numen-mismatch", "429 locked", "503 unavailable"}
    assert 1 <= world.voter(claire).numen_failures <= 5
    assert world.voter(claire).generation == 1


@pytest.mark.req("S13", "R3", "I1")
def test_reissues_of_a_voter(world: World, claire: Enrolled) -> None:
    browsers = signed_in(world, claire, 4)
    answers = at_once([partial(browser.reissue, NUMEN, channel="email") for browser in browsers * (MANY // 4)])
    assert 1 <= answers["202"] <= 3
    assert world.voter(claire).generation == 1 + answers["202"]
    assert len(world.items("RegisterTable")) == 1 + answers["202"]


@pytest.mark.req("S13", "S14", "S15")
def test_voters_of_a_phone(world: World) -> None:
    browsers = []
    for number in range(10):
        voter = world.enrol(f"voter{number}@ac-dijon.fr", f"09E99000{number:02d}ABC")
        browser = world.browser()
        browser.sign_in(voter.email)
        browsers.append((browser, voter))
    calls = [
        partial(browser.reissue, voter.numen, "06 98 76 54 32", "sms", f"a-key-of-voter-{number}")
        for number, (browser, voter) in enumerate(browsers)
    ]
    answers = at_once(calls * (MANY // len(calls)))
    served = [voter for _, voter in browsers if world.voter(voter).generation == 2]
    assert 1 <= len(served) <= 3
    (phone,) = [item for item in world.items("LimitsTable") if item["key"].startswith("phone#")]
    assert phone["voters"] == {voter.voter_id for voter in served}
    days = [value for name, value in phone.items() if name.startswith("sms_")]
    assert days == [len(served)]
    assert answers["202"] >= len(served)


@pytest.mark.req("S13", "S15")
def test_redeliveries_of_an_identifier(world: World, claire: Enrolled) -> None:
    (browser,) = signed_in(world, claire, 1)
    reference = browser.reissue(NUMEN, channel="email").json["reference"]
    world.run_outbox()
    answers = at_once([partial(browser.redeliver, reference, "sms") for _ in range(MANY)])
    assert answers["202"] >= 1
    assert world.delivery(reference).redeliveries == 1


@pytest.mark.req("S13", "S15")
def test_sms_of_a_phone_on_one_day(world: World) -> None:
    """Three voters share a phone; each may ask three times a day, and the number takes five SMS."""
    browsers = []
    for number in range(3):
        voter = world.enrol(f"voter{number}@ac-dijon.fr", f"09E99000{number:02d}ABC")
        browser = world.browser()
        browser.sign_in(voter.email)
        browsers.append((browser, voter))
    for turn in range(3):
        at_once(
            [
                partial(browser.reissue, voter.numen, "06 98 76 54 32", "sms", f"turn-{turn}-of-voter-{number}-{again}")
                for again in range(MANY // 3)
                for number, (browser, voter) in enumerate(browsers)
            ]
        )
        world.run_outbox()
    (phone,) = [item for item in world.items("LimitsTable") if item["key"].startswith("phone#")]
    (sms,) = [value for name, value in phone.items() if name.startswith("sms_")]
    assert sms == 5
    assert sum(world.voter(voter).generation - 1 for _, voter in browsers) == 5
    assert len(world.sms) <= 5
