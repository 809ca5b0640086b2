"""What an agent reads of a voter: whole stories, as `tests/golden/voter-sheets` keeps them, each
word of them.

`pytest tests/component/test_voter_sheet.py --rewrite-golden` takes the present texts; read them in
the diff before they are committed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reassort.caller_codes import current_code
from reassort.register import Change
from reassort_ops.election_control import close_reissues
from reassort_ops.roll.leaving import Leaving
from reassort_ops.roll.moving import Arrival, ChangeOfAddress
from reassort_ops.voter.sheet import sheet

from harness.service.events import ses_event, sms_log_event
from harness.service.reading import dispute_token_in
from harness.service.world import World
from tests.component.operators import issue, operator_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.service.world import Browser, Enrolled

GOLDEN = Path(__file__).parent.parent / "golden" / "voter-sheets"
ROLL = datetime(2018, 11, 5, 7, 30, tzinfo=UTC)
MORNING = datetime(2018, 11, 29, 8, 10, tzinfo=UTC)
PHONE = "06 12 34 12 34"
WRONG_NUMEN = "99Z9999999ZZZ"
_SENTENCE_END = re.compile(r"(?<=[.?]) ")
_LONGEST_SENTENCE = 25


def sheet_of(world: World, voter: Enrolled, caller_code: str | None = None) -> str:
    """Return the sheet of a voter now, with a made-up reference for each number of reissue."""
    answer = world.agent().look(voter.email, **({} if caller_code is None else {"caller_code": caller_code}))
    assert answer.status == 200, answer.text
    text = "".join(line.text.rstrip() + "\n" for line in sheet(answer.json, "reassort"))
    for entry in world.register(voter):
        if entry["change"] == Change.REISSUED:
            text = text.replace(entry["reference"].partition(" ")[0], f"RRRRR-0000{entry['generation']}")
    return text


def code_of(world: World, voter: Enrolled) -> str:
    """Return what a signed-in voter would read out now."""
    idle = world.election.limits.session.idle_minutes
    return current_code(world.keyed_hash, voter.voter_id, world.clock(), idle).words


def sign_in(world: World, voter: Enrolled, wrong: str | None = None) -> Browser:
    """Sign a voter in by a code, a minute after it was asked for."""
    browser = world.browser()
    browser.ask_code(voter.email)
    world.run_outbox()
    world.clock.move(minutes=1)
    if wrong is not None:
        browser.call("POST", "/api/login/code", {"code": wrong})
    assert browser.call("POST", "/api/login/code", {"code": world.code_for(voter.email)}).status == 200
    world.clock.move(minutes=1)
    return browser


def reissue(world: World, voter: Enrolled, browser: Browser, channel: str = "sms") -> str:
    """Ask for the next identifier and let it be sent."""
    reference: str = browser.reissue(voter.numen, PHONE, channel).json["reference"]
    world.run_outbox()
    world.clock.move(minutes=1)
    return reference


def carrier_says(world: World, reference: str, status: str, response: str = "") -> None:
    """Let the carrier report on an SMS, and let be sent what follows from it."""
    sms_id = world.delivery_item(reference)["sms_id"]
    facts = (status, response) if response else (status,)
    world.wake("notify", sms_log_event(sms_id, *facts, at=world.clock()))
    world.run_outbox()
    world.clock.move(minutes=1)


def mail_says(world: World, kind: str, delivery: str, message: str, round_: int = 0, **facts: Any) -> None:
    """Let SES report on an e-mail."""
    world.wake("notify", ses_event(kind, delivery, message, round_, at=world.clock(), **facts))
    world.run_outbox()
    world.clock.move(minutes=1)


def nothing_yet(world: World, voter: Enrolled) -> None:
    """A voter who has not done anything."""


def code_in_a_full_mailbox(world: World, voter: Enrolled) -> None:
    world.browser().ask_code(voter.email)
    world.run_outbox()
    (code,) = [item for item in world.deliveries() if item["kind"] == "code"]
    world.clock.move(seconds=20)
    mail_says(world, "bounce", code["delivery_id"], "code", bounceType="Transient", bounceSubType="MailboxFull")


def code_not_typed_yet(world: World, voter: Enrolled) -> None:
    world.browser().ask_code(voter.email)
    world.run_outbox()
    world.clock.move(minutes=3)


def signed_in_after_a_wrong_code(world: World, voter: Enrolled) -> None:
    sign_in(world, voter, wrong="000000")


def sms_just_sent(world: World, voter: Enrolled) -> None:
    reissue(world, voter, sign_in(world, voter))


def sms_in_the_queue(world: World, voter: Enrolled) -> None:
    sign_in(world, voter).reissue(voter.numen, PHONE, "sms")


def sms_waits_for_its_turn(world: World, voter: Enrolled) -> None:
    reference = sign_in(world, voter).reissue(voter.numen, PHONE, "sms").json["reference"]
    turn = int((world.clock() + timedelta(minutes=4)).timestamp() * 1000)
    world.change_message(reference, "identifier", turn=turn, not_before=turn)


def telephone_switched_off(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter))
    world.change_message(reference, "identifier", reason="phone-unreachable")
    world.clock.move(minutes=3)


def sms_refused_and_sent_by_email(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter))
    carrier_says(world, reference, "FAILURE", "Phone carrier has blocked this message")
    mail_says(world, "delivery", reference, "identifier", 1)
    mail_says(world, "delivery", reference, "confirmation")


def sms_late_and_asked_for_by_email(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    reference = reissue(world, voter, browser)
    world.clock.move(minutes=4)
    browser.redeliver(reference, "email")
    world.run_outbox()
    world.clock.move(minutes=4)


def both_ways_failed(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter))
    carrier_says(world, reference, "FAILURE", "Invalid phone number")
    full: dict[str, Any] = {"bounceType": "Transient", "bounceSubType": "MailboxFull"}
    mail_says(world, "bounce", reference, "identifier", 1, **full)
    mail_says(world, "bounce", reference, "confirmation", **full)


def email_to_an_address_that_does_not_exist(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter), "email")
    unknown: dict[str, Any] = {"bounceType": "Permanent", "bounceSubType": "NoEmail"}
    world.clock.move(hours=3)
    world.sweep()
    world.run_outbox()
    mail_says(world, "bounce", reference, "identifier", **unknown)


def email_that_came_back_and_went_by_sms(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter), "email")
    mail_says(world, "bounce", reference, "identifier", bounceType="Permanent", bounceSubType="NoEmail")
    world.run_outbox()
    world.clock.move(hours=1)


def operators_email_failed(world: World, voter: Enrolled) -> None:
    reference = issue(world, voter)
    world.run_outbox()
    mail_says(world, "bounce", reference, "identifier", bounceType="Transient", bounceSubType="MailboxFull")


def three_in_a_day_and_the_last_failed(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    for _ in range(3):
        reference = reissue(world, voter, browser, "email")
    full: dict[str, Any] = {"bounceType": "Transient", "bounceSubType": "MailboxFull"}
    world.clock.move(hours=3)
    world.sweep()
    world.run_outbox()
    mail_says(world, "bounce", reference, "identifier", **full)


def delivery_past_its_retention(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter))
    key = {"delivery_id": {"S": reference}}
    world.wire.operator.dynamodb.delete_item(TableName=world.tables["DeliveriesTable"], Key=key)
    world.clock.move(days=5)


def requests_closed(world: World, voter: Enrolled) -> None:
    world.clock.set(datetime(2018, 12, 6, 16, 30, tzinfo=UTC))


def requests_stopped_by_an_operator(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    reissue(world, voter, browser)
    world.clock.move(minutes=2)
    close_reissues(world.election, "sur décision du bureau", operator_of(world))


def email_marked_as_spam(world: World, voter: Enrolled) -> None:
    reference = reissue(world, voter, sign_in(world, voter), "email")
    mail_says(world, "delivery", reference, "identifier")
    mail_says(world, "complaint", reference, "identifier")


def two_wrong_numens(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    for _ in range(2):
        browser.reissue(WRONG_NUMEN)


def locked_for_a_quarter_of_an_hour(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    for _ in range(5):
        browser.reissue(WRONG_NUMEN)
    world.clock.move(minutes=2)


def locked_until_the_helpdesk(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    for _ in range(5):
        browser.reissue(WRONG_NUMEN)
    world.clock.move(minutes=15)
    browser = world.signed_in(voter)
    for _ in range(5):
        browser.reissue(WRONG_NUMEN)
    world.clock.move(minutes=1)


def unlocked_by_an_operator(world: World, voter: Enrolled) -> None:
    locked_until_the_helpdesk(world, voter)
    code = code_of(world, voter)
    world.agent().act("unlock", voter.email, "nom et service donnés", caller_code=code)
    world.clock.move(minutes=1)


def disputed(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    reissue(world, voter, browser)
    world.clock.move(minutes=10)
    (confirmation,) = [mail for mail in world.mail_to(voter.email) if "Confirmation" in mail.subject]
    browser.dispute(dispute_token_in(confirmation))
    world.run_outbox()
    world.clock.move(minutes=1)


def disputed_then_given_another(world: World, voter: Enrolled) -> None:
    disputed(world, voter)
    reference = issue(world, voter)
    world.run_outbox()
    world.clock.move(minutes=1)
    mail_says(world, "delivery", reference, "identifier")


def frozen_by_an_operator(world: World, voter: Enrolled) -> None:
    world.agent().act("freeze", voter.email, "boîte piratée")
    world.clock.move(minutes=1)


def removed_from_the_roll(world: World, voter: Enrolled) -> None:
    Leaving(operator_of(world), world.election).remove(voter.voter_id, "radié le 12 novembre")
    world.clock.move(minutes=1)


def moved_to_another_address(world: World, voter: Enrolled) -> None:
    arrival = Arrival(world.keyed_hash.voter_id("claire.durand@u-bourgogne.fr"))
    ChangeOfAddress(operator_of(world), world.election, world.keyed_hash).move(
        voter.voter_id, arrival, "nouvelle affectation"
    )
    world.clock.move(minutes=1)


def replaced_before_it_was_sent(world: World, voter: Enrolled) -> None:
    browser = sign_in(world, voter)
    browser.reissue(voter.numen, PHONE, "sms")
    world.clock.move(seconds=20)
    browser.reissue(voter.numen, PHONE, "email")
    world.run_outbox()
    world.clock.move(minutes=1)


def voted(world: World, voter: Enrolled) -> None:
    assert world.vote(voter.identifier).status == 200
    world.clock.move(minutes=1)


def somebody_asks_for_codes(world: World, voter: Enrolled) -> None:
    for _ in range(9):
        world.browser().ask_code(voter.email)
        world.run_outbox()
        world.clock.move(minutes=3)


STORIES: tuple[Callable[[World, Enrolled], None], ...] = (
    nothing_yet,
    code_in_a_full_mailbox,
    code_not_typed_yet,
    signed_in_after_a_wrong_code,
    sms_just_sent,
    sms_in_the_queue,
    sms_waits_for_its_turn,
    telephone_switched_off,
    sms_refused_and_sent_by_email,
    sms_late_and_asked_for_by_email,
    both_ways_failed,
    email_to_an_address_that_does_not_exist,
    email_that_came_back_and_went_by_sms,
    operators_email_failed,
    three_in_a_day_and_the_last_failed,
    two_wrong_numens,
    delivery_past_its_retention,
    requests_closed,
    requests_stopped_by_an_operator,
    email_marked_as_spam,
    locked_for_a_quarter_of_an_hour,
    locked_until_the_helpdesk,
    unlocked_by_an_operator,
    disputed,
    disputed_then_given_another,
    frozen_by_an_operator,
    removed_from_the_roll,
    moved_to_another_address,
    replaced_before_it_was_sent,
    voted,
    somebody_asks_for_codes,
)


@pytest.mark.req("I7", "R10", "R11")
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_story_is_told_as_it_was_read_and_approved(
    story: Callable[[World, Enrolled], None], request: pytest.FixtureRequest
) -> None:
    with World(at=ROLL) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        world.clock.set(MORNING)
        story(world, claire)
        text = sheet_of(world, claire)
        for secret in (claire.email, "claire.martin", claire.numen, claire.identifier, PHONE, "612341234", WRONG_NUMEN):
            assert secret not in text
    path = GOLDEN / f"{story.__name__.replace('_', '-')}.txt"
    if request.config.getoption("--rewrite-golden"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


def test_every_story_is_kept_and_no_other() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {story.__name__.replace("_", "-") for story in STORIES}


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.stem)
def test_an_agent_can_say_it_in_one_breath(path: Path) -> None:
    """No sentence of what is advised is longer than what voters are given to read."""
    advised = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("- ")]
    assert advised
    for sentence in (part for line in advised for part in _SENTENCE_END.split(line)):
        assert len(re.findall(r"\d+(?: \d+)+|[^\W_]+(?:[’@.•-]+[^\W_]+)*", sentence)) <= _LONGEST_SENTENCE, sentence


@pytest.mark.req("H2")
@pytest.mark.parametrize(
    ("read_out", "said"),
    [
        ("the code", "Appelant       vérifié : lit la messagerie professionnelle en ce moment"),
        ("another's code", "Appelant       NON VÉRIFIÉ : les deux mots ne correspondent pas"),
        (None, "Appelant       non vérifié"),
    ],
)
def test_sheet_says_first_who_is_calling(read_out: str | None, said: str) -> None:
    with World(at=MORNING) as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", "09E9900123ABC")
        paul = world.enrol("paul.petit@u-bourgogne.fr", "21G0100456XYZ")
        world.signed_in(claire)
        codes = {None: None, "the code": code_of(world, claire), "another's code": code_of(world, paul)}
        assert sheet_of(world, claire, codes[read_out]).splitlines()[0] == said
