"""What happened to a voter, where whole sheets (`tests/component/test_voter_sheet.py`) do not go:
the order of what comes at the same moment, and every kind of change.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from helpdesk.timeline import Event, timeline
from helpdesk.voter_record import AskedCode, VoterRecord
from reassort.outbox import Channel, Message, Status, history_step
from reassort.reasons import Reason
from reassort.register import Change

from harness.elections import DATE_OF_BIRTH, read_election
from tests.unit.voter_records import AT, ELECTION, MASKED, MINUTE, REFERENCE, code, delivery, entry, record, sign_in

pytestmark = pytest.mark.req("H2")

IDENTIFIER, CONFIRMATION, CODE = Message.IDENTIFIER, Message.CONFIRMATION, Message.CODE
SMS, EMAIL = Channel.SMS, Channel.EMAIL


def told(record: VoterRecord) -> list[Event]:
    return timeline(record, ELECTION)


def names(record: VoterRecord) -> list[str]:
    return [event.name for event in told(record)]


@pytest.mark.parametrize(
    ("change", "actor", "reference", "name", "words"),
    [
        (Change.ISSUED, "roll", "", "issued", "Premier identifiant (n° 1) : inscription sur la liste électorale."),
        (Change.VOTED, "platform", "", "voted", "Vote enregistré."),
        (Change.FROZEN, "import:anne", "vol", "frozen", "Identifiant n° 1 gelé par anne : « vol »."),
        (Change.FROZEN, "anne", "", "frozen", "Identifiant n° 1 gelé par anne."),
        (Change.UNFROZEN, "anne", "vu", "unfrozen", "Identifiant n° 1 dégelé par anne : « vu »."),
        (Change.UNLOCKED, "anne", "vu", "unlocked", "Demandes débloquées par anne : « vu »."),
        (Change.REMOVED, "anne", "radié", "removed", "Radié de la liste électorale par anne : « radié »."),
        (Change.RESTORED, "anne", "7 erreur", "restored", "Réinscrit sur la liste électorale par anne : « erreur »."),
        (Change.RESTORED, "anne", "7", "restored", "Réinscrit sur la liste électorale par anne."),
        (
            Change.DEPARTED,
            "anne",
            "w muté",
            "departed",
            "Changement d’adresse par anne : « muté ». L’identifiant n° 1 est annulé.",
        ),
        (
            Change.ARRIVED,
            "anne",
            "w muté",
            "arrived",
            "Changement d’adresse par anne : « muté ». Inscription à cette adresse, n° 1.",
        ),
        (Change.CORRECTED, "import:anne", "numen", "corrected", "Liste électorale corrigée (NUMEN) par anne."),
        (
            Change.CORRECTED,
            "anne",
            "numen extra_proof",
            "corrected",
            "Liste électorale corrigée (NUMEN et preuve supplémentaire) par anne.",
        ),
        (
            Change.FROZEN,
            "dispute",
            REFERENCE,
            "disputed",
            f"« Ce n’était pas moi » pour le réassort n° 1 : identifiant gelé (référence {REFERENCE}).",
        ),
        (
            Change.DISPUTED,
            "dispute",
            REFERENCE,
            "disputed",
            f"« Ce n’était pas moi » pour le réassort n° 1 : rien à geler (référence {REFERENCE}).",
        ),
    ],
)
def test_each_change_is_told_with_who_and_why(
    change: Change, actor: str, reference: str, name: str, words: str
) -> None:
    (event,) = told(record(chain=(entry(change, actor, reference),)))
    assert (event.at, event.name, event.words) == (AT, name, words)
    assert event.actor == ("anne" if "anne" in actor else None)
    assert event.reference == (reference if name == "disputed" else None)


def test_a_reissue_is_told_with_the_way_that_was_chosen_first() -> None:
    moved = replace(delivery(), channel=EMAIL)
    asked = entry(Change.REISSUED, reference=REFERENCE, generation=2)
    (event, *_) = told(record(chain=(asked,), deliveries=(moved,)))
    assert event.words == (
        f"Réassort n° 2 demandé par SMS au •• •• •• 12 34 (référence {REFERENCE}). Le n° 1 ne fonctionne plus."
    )
    assert (event.reference, event.actor) == (REFERENCE, None)
    # What is kept of it may be gone, or say nothing of the way.
    assert told(record(chain=(asked,)))[0].words == (
        f"Réassort n° 2 demandé (référence {REFERENCE}). Le n° 1 ne fonctionne plus."
    )
    (event, *_) = told(record(chain=(asked,), deliveries=(replace(moved, history=()),)))
    assert f"par courriel à {MASKED}" in event.words
    (event, *_) = told(record(chain=(asked,), deliveries=(replace(moved, history=(), destinations={}),)))
    assert "demandé par courriel (" in event.words
    given = entry(Change.REISSUED, "anne", f"{REFERENCE} vue au lycée", 2)
    (event,) = told(record(chain=(given,)))
    assert "donné par anne : « vue au lycée » (référence" in event.words
    assert (event.reference, event.actor) == (REFERENCE, "anne")


def _steps(*steps: tuple[int, Status, Channel | None, Reason | None], message: Message = IDENTIFIER) -> VoterRecord:
    history = tuple(history_step(at, message, status, channel, reason) for at, status, channel, reason in steps)
    return record(deliveries=(replace(delivery(), history=history),))


def test_what_a_provider_says_with_a_slow_clock_keeps_its_place() -> None:
    steps = ((AT, Status.QUEUED), (AT + 5, Status.SENT), (AT - 9, Status.DELIVERED))
    sent = _steps(*((at, status, SMS, None) for at, status in steps))
    assert [(event.name, event.at) for event in told(sent)] == [
        ("identifier-sent", AT + 5),
        ("identifier-delivered", AT + 5),
    ]


def test_that_something_is_being_sent_is_told_until_it_is_known_what_came_of_it() -> None:
    queued, sending = (AT, Status.QUEUED, SMS, None), (AT + 1, Status.SENDING, SMS, None)
    (event,) = told(_steps(queued, sending))
    assert event.words == "Identifiant n° 2 : envoi par SMS au •• •• •• 12 34 en cours."
    (event,) = told(_steps((AT, Status.QUEUED, None, None), (AT, Status.SENDING, None, None), message=CONFIRMATION))
    assert event.words == "Courriel de confirmation : envoi en cours."
    assert names(_steps(queued, sending, (AT + 2, Status.SENT, SMS, None))) == ["identifier-sent"]


_AT_SMS, _AT_MAIL = "SMS au •• •• •• 12 34", f"courriel à {MASKED}"


@pytest.mark.parametrize(
    ("message", "way", "status", "reason", "words"),
    [
        (IDENTIFIER, SMS, Status.SENT, None, f"Identifiant n° 2 envoyé par {_AT_SMS}."),
        (IDENTIFIER, SMS, Status.SENT, Reason.PHONE_UNREACHABLE, "SMS retardé : téléphone injoignable."),
        (IDENTIFIER, SMS, Status.DELIVERED, None, f"Identifiant n° 2 arrivé par {_AT_SMS}."),
        (IDENTIFIER, SMS, Status.FAILED, Reason.UNKNOWN_NUMBER, f"{_AT_SMS} non remis : numéro inconnu."),
        (IDENTIFIER, EMAIL, Status.SENT, Reason.MAILBOX_FULL, "Courriel retardé : boîte pleine."),
        (
            IDENTIFIER,
            EMAIL,
            Status.DELIVERED,
            Reason.MARKED_AS_SPAM,
            "Identifiant n° 2 : message classé comme indésirable.",
        ),
        (IDENTIFIER, EMAIL, Status.FAILED, None, f"C{_AT_MAIL[1:]} non remis."),
        (CONFIRMATION, None, Status.SENT, None, f"Courriel de confirmation envoyé à {MASKED}."),
        (CONFIRMATION, None, Status.SENT, Reason.MAILBOX_FULL, "Courriel de confirmation retardé : boîte pleine."),
        (CONFIRMATION, None, Status.DELIVERED, None, f"Courriel de confirmation arrivé à {MASKED}."),
        (
            CONFIRMATION,
            None,
            Status.DELIVERED,
            Reason.MARKED_AS_SPAM,
            "Courriel de confirmation : message classé comme indésirable.",
        ),
        (CONFIRMATION, None, Status.FAILED, Reason.MAILBOX_FULL, "Courriel de confirmation non remis : boîte pleine."),
    ],
)
def test_each_step_of_a_message_is_told_with_its_reason(
    message: Message, way: Channel | None, status: Status, reason: Reason | None, words: str
) -> None:
    (event,) = told(_steps((AT, Status.QUEUED, way, None), (AT, status, way, reason), message=message))
    assert (event.words, event.reference) == (words, REFERENCE)


def test_why_an_identifier_waits_again_is_told() -> None:
    failed = (AT + 1, Status.FAILED, SMS, Reason.UNKNOWN_NUMBER)
    queued, by_email = (AT, Status.QUEUED, SMS, None), (AT + 2, Status.QUEUED, EMAIL, None)
    again = told(_steps(queued, failed, (AT + 2, Status.QUEUED, SMS, None)))[-1]
    assert again.words == "Identifiant n° 2 remis en attente d’envoi par SMS au •• •• •• 12 34."
    by_voter = _steps(queued, failed, by_email)
    assert names(by_voter)[-1] == "identifier-redelivery"
    (fell_back,) = (replace(one, fell_back=True) for one in by_voter.deliveries)
    assert names(replace(by_voter, deliveries=(fell_back,)))[-1] == "identifier-fallback"
    # By itself once alone: what comes after a second failure, the voter asked for.
    failed_again = (AT + 3, Status.FAILED, EMAIL, Reason.MAILBOX_FULL)
    further = _steps(queued, failed, by_email, failed_again, (AT + 4, Status.QUEUED, SMS, None))
    (fell_back,) = (replace(one, fell_back=True) for one in further.deliveries)
    assert names(replace(further, deliveries=(fell_back,)))[1:] == [
        "identifier-fallback",
        "identifier-failed",
        "identifier-redelivery",
    ]


def test_a_mail_that_was_parked_is_told_to_wait_again() -> None:
    again = _steps((AT, Status.QUEUED, None, None), (AT + 1, Status.QUEUED, None, None), message=CONFIRMATION)
    assert [event.words for event in told(again)] == ["Courriel de confirmation remis en attente d’envoi."]


def test_an_identifier_that_never_left_is_told_with_what_replaced_it() -> None:
    replaced, sent = Status.SUPERSEDED, Status.SENT
    for status, at, told_of in ((replaced, AT, True), (replaced, None, False), (sent, AT, False)):
        one = replace(delivery(status), superseded_at=at)
        assert ("identifier-superseded" in names(record(deliveries=(one,)))) is told_of


@pytest.mark.parametrize(
    ("wrong", "words"),
    [(0, "demandé."), (1, "demandé (1 code faux saisi ensuite)."), (2, "demandé (2 codes faux saisis ensuite).")],
)
def test_wrong_codes_are_told_after_the_last_code(wrong: int, words: str) -> None:
    codes = AskedCode(AT, None), AskedCode(AT + MINUTE, code())
    events = told(record(sign_ins=(sign_in(*codes, wrong_codes=wrong),)))
    first, last = (event for event in events if event.name == "code-asked")
    assert first.words == "Code de connexion demandé."
    assert last.words == f"Code de connexion {words}"


def test_a_sign_in_is_told_once() -> None:
    signed_in = sign_in(AskedCode(AT, None), used_at=AT + 1)
    both = record(sign_ins=(signed_in, sign_in(AskedCode(AT + 2, None))), session_starts=(AT + 1, AT + 3))
    assert [(event.name, event.at) for event in told(both) if event.name == "signed-in"] == [
        ("signed-in", AT + 1),
        ("signed-in", AT + 3),
    ]


def test_a_lock_and_what_was_settled_are_told_when_they_began() -> None:
    minutes = ELECTION.limits.numen.lock_minutes
    events = told(record(numen_locked_until=AT + minutes * MINUTE, settled_at=AT + 1))
    assert [(event.name, event.at) for event in events] == [("locked", AT), ("settled", AT + 1)]
    assert events[0].words == "5 NUMEN faux : demandes bloquées jusqu’à 10 h 30."
    assert told(record()) == []
    with_proof = read_election("dijon-2018", extra_proof=DATE_OF_BIRTH)
    (event,) = timeline(record(numen_locked_until=AT), with_proof)
    assert event.words.startswith("5 NUMEN ou « Date de naissance » faux : ")
