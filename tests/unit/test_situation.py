"""What an agent is advised to do, and which acts are refused, at the very edges of each rule.
Whole sheets are in `tests/component/test_voter_sheet.py`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from helpdesk.situation import ACTS, Act, Caller, advice, is_on_its_way, status_lines, why_not
from helpdesk.voter_record import AskedCode, VoterRecord
from reassort.outbox import Channel, Delivery, Status
from reassort.reasons import Reason
from reassort.register import Change
from reassort.reissue_switch import STOPPED, ReissueSwitch

from tests.unit.voter_records import AT, DAY, ELECTION, MASKED, MINUTE, NOW, code, delivery, entry, record, sign_in

pytestmark = pytest.mark.req("H2")

_LIMITS = ELECTION.limits
_WINDOW = ELECTION.windows.reissue
_FULL, _UNKNOWN = Reason.MAILBOX_FULL, Reason.NO_SUCH_MAILBOX
_FAILED, _SENT = Status.FAILED, Status.SENT
_BOTH_FAILED = ((Channel.SMS, Reason.UNKNOWN_NUMBER), (Channel.EMAIL, _UNKNOWN))
_LATE = timedelta(minutes=2)


def advised(record: VoterRecord, caller: Caller = Caller.VERIFIED, at: Any = NOW) -> list[str]:
    return [one.name for one in advice(record, ELECTION, at, caller)]


def line(label: str, record: VoterRecord) -> str | None:
    return dict(status_lines(record, MASKED, ELECTION, NOW, Caller.VERIFIED)).get(label)


# ---------------------------------------------------------------- who calls


@pytest.mark.parametrize(
    ("caller", "session_ends_at", "first"),
    [
        (Caller.WRONG_CODE, AT, "caller-wrong-code"),
        (Caller.WRONG_CODE, None, "caller-wrong-code"),
        (Caller.NOT_ASKED, AT, "ask-caller-code"),
        (Caller.NOT_ASKED, None, "sign-in"),
        (Caller.VERIFIED, AT, "fill-in-the-form"),
    ],
)
def test_a_caller_is_asked_for_the_code_that_a_page_shows(caller: Caller, session_ends_at: int, first: str) -> None:
    assert advised(record(session_ends_at=session_ends_at), caller)[0] == first


# ---------------------------------------------------------------- wrong NUMENs


@pytest.mark.parametrize(
    ("failures", "until", "names"),
    [
        (1, 0, ["ask-secretariat"]),
        (_LIMITS.numen.lock_after, AT + 1, ["wait-or-unlock", "ask-secretariat"]),
        (_LIMITS.numen.lock_after, AT, ["ask-secretariat"]),
        (_LIMITS.numen.helpdesk_after - 1, AT, ["ask-secretariat"]),
        (_LIMITS.numen.helpdesk_after, 0, ["unlock", "ask-secretariat"]),
    ],
)
def test_a_lock_is_told_as_long_as_it_holds(failures: int, until: int, names: list[str]) -> None:
    locked = record(numen_failures=failures, numen_locked_until=until)
    assert advised(locked) == names
    told = line("Saisies", locked)
    assert told is not None
    assert ("bloquées" in told) == ("unlock" in str(names))


@pytest.mark.parametrize(
    ("failures", "until", "refused"), [(0, 0, True), (1, 0, False), (0, AT, False), (5, AT + 1, False)]
)
def test_what_is_not_locked_is_not_unlocked(failures: int, until: int, *, refused: bool) -> None:
    told = why_not(Act.UNLOCK, record(numen_failures=failures, numen_locked_until=until), True, ELECTION, NOW)
    assert (told is not None) is refused


# ---------------------------------------------------------------- freezes


@pytest.mark.parametrize(
    ("actors", "name"),
    [
        (["dispute"], "reissue-after-dispute"),
        (["anne", "dispute"], "reissue-after-dispute"),
        (["dispute", "anne"], "unfreeze"),
        ([], "unfreeze"),
    ],
)
def test_the_last_freeze_says_whether_it_came_from_a_dispute(actors: list[str], name: str) -> None:
    chain = (*(entry(Change.FROZEN, actor) for actor in actors), entry(Change.UNLOCKED, "paul"))
    assert advised(record(chain=chain, frozen_at=AT)) == [name]


# ---------------------------------------------------------------- what an act is refused for


@pytest.mark.parametrize(
    ("act", "facts", "refused"),
    [
        (Act.LET_IN, {}, True),
        (Act.LET_IN, {"codes_today": 1}, False),
        (Act.LET_IN, {"sign_ins": (sign_in(),)}, False),
        (Act.FREEZE, {}, False),
        (Act.FREEZE, {"voted_at": AT}, True),
        (Act.FREEZE, {"frozen_at": AT}, True),
        (Act.UNFREEZE, {}, True),
        (Act.UNFREEZE, {"frozen_at": AT}, False),
        (Act.UNFREEZE, {"frozen_at": AT, "disputed": 1}, True),
        (Act.UNFREEZE, {"frozen_at": AT, "disputed": 1, "issued_at": (0, 1)}, False),
        (Act.REISSUE, {}, False),
        (Act.REISSUE, {"voted_at": AT}, True),
        (Act.REISSUE, {"frozen_at": AT}, False),
        (Act.REISSUE, {"switch": STOPPED}, True),
        (Act.REISSUE, {"switch": ReissueSwitch(1, AT)}, True),
        (Act.SETTLE, {}, True),
        (Act.SETTLE, {"deliveries": (delivery(_FAILED),)}, False),
        (Act.FREEZE, {"left_at": AT}, True),
    ],
)
def test_an_act_that_a_voter_does_not_allow_is_refused(act: Act, facts: dict[str, Any], *, refused: bool) -> None:
    assert (why_not(act, record(**facts), True, ELECTION, NOW) is not None) is refused


def test_a_reissue_needs_the_address_and_the_window() -> None:
    assert why_not(Act.REISSUE, record(), False, ELECTION, NOW) is not None
    assert why_not(Act.FREEZE, record(), False, ELECTION, NOW) is None
    assert why_not(Act.REISSUE, record(), True, ELECTION, _WINDOW.closes_at) == "Les demandes sont fermées."
    stopped = why_not(Act.REISSUE, record(switch=STOPPED), True, ELECTION, NOW)
    assert stopped == "Les demandes sont suspendues."


def test_each_act_says_what_its_request_needs() -> None:
    further = {Act.LET_IN: "number", Act.REISSUE: "address"}
    assert {act: told.needs for act, told in ACTS.items()} == {
        act: ("reason", further[act]) if act in further else ("reason",) for act in Act
    }


# ---------------------------------------------------------------- what is on its way


def test_what_is_sent_again_is_told_with_why() -> None:
    again = delivery(Status.QUEUED, Reason.NO_ANSWER)
    assert f"en cours ({Reason.NO_ANSWER.words}) ; référence" in str(line("Envoi", record(deliveries=(again,))))


@pytest.mark.parametrize(
    ("status", "reason", "age", "expected"),
    [
        (Status.QUEUED, None, timedelta(hours=1), True),
        (Status.SENDING, None, timedelta(hours=1), True),
        (_SENT, None, timedelta(minutes=2) - timedelta(milliseconds=1), True),
        (_SENT, None, timedelta(minutes=2), False),
        (_SENT, Reason.MAIL_DELAYED, timedelta(0), False),
        (Status.DELIVERED, None, timedelta(0), False),
        (_FAILED, _FULL, timedelta(0), False),
    ],
)
def test_an_identifier_is_on_its_way_until_two_minutes_after_it_was_queued(
    status: Status, reason: Reason | None, age: timedelta, *, expected: bool
) -> None:
    sent = delivery(status, reason, age=age)
    assert is_on_its_way(sent, AT) is expected
    assert ("wait-for-delivery" in advised(record(deliveries=(sent,)))) is expected


@pytest.mark.parametrize(("turn", "waits"), [(AT + 1, True), (AT, False), (None, False)])
def test_a_turn_is_told_until_it_has_come(turn: int | None, *, waits: bool) -> None:
    queued = delivery()
    queued.messages[next(iter(queued.messages))].update({} if turn is None else {"turn": turn})
    assert ("attend son tour" in str(line("Envoi", record(deliveries=(queued,))))) is waits


# ---------------------------------------------------------------- what has not arrived


@pytest.mark.parametrize(
    ("found", "names"),
    [
        # By SMS.
        (delivery(_SENT, age=_LATE), ["redeliver"]),
        (delivery(_SENT, age=_LATE, payload=None), ["search"]),
        (delivery(_SENT, Reason.PHONE_UNREACHABLE), ["switch-phone-on", "redeliver"]),
        (delivery(_SENT, Reason.PHONE_UNREACHABLE, payload=None), ["switch-phone-on"]),
        (delivery(_FAILED, Reason.PHONE_UNREACHABLE), ["redeliver"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, payload=None), ["reissue"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, failed_by=_BOTH_FAILED[1:]), ["reissue"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, failed_by=((Channel.EMAIL, _FULL),)), ["redeliver"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, redeliveries=_LIMITS.redeliveries), ["reissue"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, redeliveries=_LIMITS.redeliveries - 1), ["redeliver"]),
        (delivery(_FAILED, Reason.UNKNOWN_NUMBER, destinations={"sms": "•• 12 34"}), ["reissue"]),
        # By e-mail.
        (delivery(_SENT, None, Channel.EMAIL, age=_LATE), ["search", "redeliver"]),
        (delivery(_SENT, Reason.MAIL_DELAYED, Channel.EMAIL, payload=None), ["search"]),
        (delivery(_SENT, _FULL, Channel.EMAIL, payload=None), ["empty-mailbox"]),
        (delivery(_FAILED, _FULL, Channel.EMAIL, payload=None), ["empty-mailbox", "reissue"]),
        (delivery(_FAILED, _UNKNOWN, Channel.EMAIL, payload=None), ["wrong-address"]),
        (delivery(_FAILED, Reason.MAIL_REFUSED, Channel.EMAIL, payload=None), ["reissue"]),
        (delivery(_FAILED, Reason.MAIL_REFUSED, Channel.EMAIL), ["redeliver"]),
        # Arrived.
        (delivery(Status.DELIVERED), ["search"]),
        (delivery(Status.SUPERSEDED), []),
    ],
)
def test_what_has_not_arrived_has_a_way_out(found: Delivery, names: list[str]) -> None:
    assert advised(record(deliveries=(found,))) == names


def test_spam_is_looked_for_in_the_mailbox() -> None:
    (spam,) = advice(
        record(deliveries=(delivery(Status.DELIVERED, Reason.MARKED_AS_SPAM, Channel.EMAIL),)),
        ELECTION,
        NOW,
        Caller.VERIFIED,
    )
    assert "indésirables" in spam.words


@pytest.mark.parametrize("switch", [ReissueSwitch(), STOPPED])
def test_no_reissue_is_advised_that_would_be_refused(switch: ReissueSwitch) -> None:
    failed = delivery(_FAILED, Reason.UNKNOWN_NUMBER, payload=None)
    offered = "reissue" in advised(record(deliveries=(failed,), switch=switch))
    assert offered is (switch is not STOPPED)
    assert "reissue" not in advised(record(deliveries=(failed,)), at=_WINDOW.closes_at)
    # Nor the same one again.
    assert "redeliver" not in advised(record(deliveries=(delivery(_FAILED),)), at=_WINDOW.closes_at)


@pytest.mark.parametrize(
    ("ages", "over"),
    [
        ([DAY - 1] * _LIMITS.reissues.per_day, True),
        ([DAY] + [DAY - 1] * (_LIMITS.reissues.per_day - 1), False),
        ([DAY] * _LIMITS.reissues.in_all, True),
        ([DAY] * (_LIMITS.reissues.in_all - 1), False),
    ],
)
def test_who_has_had_all_that_they_may_ask_for_is_given_one_by_the_helpdesk(ages: list[int], *, over: bool) -> None:
    issued_at = (AT, *(AT - age for age in ages))
    failed = delivery(_FAILED, Reason.UNKNOWN_NUMBER, payload=None)
    (name,) = advised(record(deliveries=(failed,), issued_at=issued_at))
    assert name == ("reissue-over-the-limit" if over else "reissue")
    late = delivery(_SENT, Reason.MAIL_DELAYED, payload=None)
    assert advised(record(deliveries=(late,), issued_at=issued_at)) == []


@pytest.mark.parametrize(("reason", "words"), [(_FULL, "boîte pleine"), (None, Reason.UNKNOWN.words)])
def test_a_confirmation_that_did_not_arrive_is_told(reason: Reason | None, words: str) -> None:
    confirmation = {"status": "failed", **({"reason": reason.value} if reason else {})}
    told = advice(
        record(deliveries=(delivery(Status.DELIVERED, confirmation=confirmation),)), ELECTION, NOW, Caller.VERIFIED
    )
    assert [one.name for one in told] == ["search", "confirmation-failed"]
    assert words in told[-1].words


# ---------------------------------------------------------------- signing in


@pytest.mark.parametrize(
    ("facts", "names"),
    [
        ({}, ["sign-in"]),
        ({"codes_today": 7}, ["sign-in"]),
        ({"codes_today": 8}, ["many-codes", "sign-in"]),
        ({"session_ends_at": AT}, ["fill-in-the-form"]),
        ({"sign_ins": (sign_in(used_at=AT),)}, ["fill-in-the-form"]),
        ({"sign_ins": (sign_in(used_at=AT), sign_in())}, ["search-code"]),
        ({"sign_ins": (sign_in(valid_until=AT),)}, ["sign-in"]),
        ({"sign_ins": (sign_in(AskedCode(AT, code(_FAILED, _FULL))),)}, ["code-failed", "reissue-needs-mailbox"]),
        ({"sign_ins": (sign_in(AskedCode(AT, code(_FAILED)), AskedCode(AT, code())),)}, ["search-code"]),
        ({"sign_ins": (sign_in(AskedCode(AT, None)),)}, ["search-code"]),
        ({"sign_ins": (sign_in(wrong_codes=_LIMITS.code.tries),)}, ["ask-new-code"]),
        ({"sign_ins": (sign_in(wrong_codes=_LIMITS.code.tries - 1),)}, ["search-code"]),
        ({"sign_ins": (sign_in(wrong_codes=_LIMITS.code.tries, valid_until=AT),)}, ["sign-in"]),
        ({"switch": STOPPED}, ["reissues-stopped"]),
    ],
)
def test_who_has_no_identifier_yet_is_told_the_next_step(facts: dict[str, Any], names: list[str]) -> None:
    assert advised(record(**facts)) == names


def test_a_code_that_failed_is_told_with_its_reason() -> None:
    for reason in (_FULL, None):
        failed = sign_in(AskedCode(AT, code(_FAILED, reason)))
        words = (reason or Reason.UNKNOWN).words
        assert words in advice(record(sign_ins=(failed,)), ELECTION, NOW, Caller.VERIFIED)[0].words


@pytest.mark.parametrize(("codes", "words"), [(0, None), (1, "1 demandé aujourd’hui"), (2, "2 demandés aujourd’hui")])
def test_codes_of_today_are_counted(codes: int, words: str | None) -> None:
    assert line("Codes", record(codes_today=codes)) == words


# ---------------------------------------------------------------- where a voter stands


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "n° 1, valable, depuis mardi 20 novembre à 10 h 15"),
        ({"issued_at": (AT - DAY, AT - 5 * MINUTE)}, "n° 2, valable, depuis vendredi 30 novembre à 10 h 10"),
        ({"voted_at": AT - DAY, "frozen_at": AT}, "a servi à voter, depuis jeudi 29 novembre à 10 h 15"),
        ({"left_at": AT - DAY, "frozen_at": AT}, "radié de la liste électorale, depuis jeudi 29 novembre à 10 h 15"),
        ({"left_at": AT, "moved_to": "w"}, "annulé par un changement d’adresse, depuis"),
        ({"frozen_at": AT - DAY}, "gelé : il ne permet pas de voter, depuis jeudi 29 novembre à 10 h 15"),
    ],
)
def test_an_identifier_stands_as_it_does_since_what_decided_it(facts: dict[str, Any], words: str) -> None:
    assert words in str(line("Identifiant", record(**facts)))
