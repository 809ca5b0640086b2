"""What the template counts in the logs, out of the lines that the functions really write."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from harness.engines.template import read_template
from harness.service.reading import dispute_token_in
from harness.service.world import Browser, Enrolled, World
from tests.component.voters import reissued

if TYPE_CHECKING:
    from collections.abc import Callable

_CLAUSE = re.compile(r'\$\.(\w+) = (?:"([^"]*)"|(\d+))')


def _pattern(text: str) -> Callable[[dict[str, Any]], bool]:
    """Read a filter pattern of CloudWatch Logs, of the one form that the template uses:
    `{ $.a = "x" && $.b = 1 }`.
    """
    found = re.fullmatch(r"\{ (.+) \}", text)
    assert found is not None
    wanted: dict[str, object] = {}
    for clause in found[1].split(" && "):
        parts = _CLAUSE.fullmatch(clause)
        assert parts is not None, clause
        wanted[parts[1]] = parts[2] if parts[3] is None else int(parts[3])
    return lambda line: all(line.get(name) == value for name, value in wanted.items())


def _counted(world: World) -> Counter[str]:
    """Count what each filter would, in the log group that it reads."""
    counts: Counter[str] = Counter()
    for resource in read_template()["Resources"].values():
        if resource["Type"] != "AWS::Logs::MetricFilter":
            continue
        properties = resource["Properties"]
        service = properties["LogGroupName"]["Ref"].removesuffix("Logs").lower()
        matches = _pattern(properties["FilterPattern"])
        lines = [line for line in world.log_lines if line.get("service") == service]
        counts[properties["MetricTransformations"][0]["MetricName"]] = sum(map(matches, lines))
    return +counts


def test_a_voters_ordinary_journey(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.sign_in(claire.email)
    assert browser.reissue(claire.numen).status == 202
    assert _counted(world) == {"CodesQueued": 1, "SignedIn": 1, "Reissued": 1, "ReissuedBySms": 1}
    assert browser.reissue(claire.numen, channel="email").status == 202
    assert (_counted(world)["Reissued"], _counted(world)["ReissuedByEmail"]) == (2, 1)


def test_an_empty_bucket_queues_nothing(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    browser.ask_code(claire.email)
    assert _counted(world) == {"CodesQueued": 1}


def test_wrong_codes_and_tries_after_the_last(world: World, claire: Enrolled) -> None:
    browser = world.browser()
    browser.ask_code(claire.email)
    world.run_outbox()
    right = world.code_for(claire.email)
    wrong = "000000" if right != "000000" else "111111"
    for _ in range(world.election.limits.code.tries + 1):
        browser.redeem(wrong)
    assert _counted(world)["WrongCodes"] == world.election.limits.code.tries + 1


def test_wrong_numens_and_the_lock_that_the_last_one_brings(world: World, browser: Browser) -> None:
    limits = world.election.limits.numen
    for _ in range(limits.lock_after + 2):
        browser.reissue("09E9900999ZZZ")
    counted = _counted(world)
    # Refusals of a voter who is locked already are no further wrong NUMENs, and no further locks.
    assert (counted["WrongNumens"], counted["NumenLocks"]) == (limits.lock_after, 1)


@pytest.mark.req("S10")
def test_a_wrong_numen_of_a_redelivery_that_asks_for_it(world: World, claire: Enrolled, browser: Browser) -> None:
    reference = reissued(world, browser, claire)
    world.signed_in(claire).redeliver(reference, "email", numen="09E9900999ZZZ")
    counted = _counted(world)
    assert (counted["WrongNumens"], counted["NumenLocks"]) == (1, 0)


def test_a_dispute(world: World, claire: Enrolled, browser: Browser) -> None:
    browser.reissue(claire.numen)
    world.run_outbox()
    assert browser.dispute(dispute_token_in(world.emails[-1])).status == 202
    assert _counted(world)["Disputes"] == 1


@pytest.mark.req("S2")
@pytest.mark.parametrize("email", ["claire.martin@ac-dijon.fr", "nobody.atall@ac-dijon.fr"])
def test_more_codes_in_a_day_than_expected_are_counted_for_voters_and_strangers(
    world: World, claire: Enrolled, email: str
) -> None:
    limits = world.election.limits.code
    for _ in range(limits.alarm_per_day):
        assert world.browser().ask_code(email).status == 202
        world.clock.move(minutes=limits.refill_minutes)
    assert _counted(world) == {"CodesQueued": limits.alarm_per_day}
    assert world.browser().ask_code(email).status == 202
    assert _counted(world) == {"CodesQueued": limits.alarm_per_day + 1, "ManyCodes": 1}


def test_the_count_of_codes_starts_anew_at_local_midnight(world: World, claire: Enrolled) -> None:
    limits = world.election.limits.code
    for _ in range(limits.alarm_per_day):
        world.browser().ask_code(claire.email)
        world.clock.move(minutes=limits.refill_minutes)
    world.clock.move(days=1)
    world.browser().ask_code(claire.email)
    assert "ManyCodes" not in _counted(world)
