"""What happened to one voter, oldest first, in plain French words that an agent can say on the
phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from reassort.agent_names import actor_names
from reassort.french import french_hour
from reassort.outbox import Channel, Delivery, HistoryStep, Message, Status
from reassort.register import DISPUTE_ACTOR, VOTER_ACTOR, Change

if TYPE_CHECKING:
    from reassort.election import Election
    from reassort.register import Entry

    from helpdesk.voter_record import SignIn, VoterRecord

# Before the name of an operator whose roll brought a change.
_IMPORT = "import:"


@dataclass(frozen=True)
class Event:
    """One thing that happened, at milliseconds since 1970. `name` is stable English; `words` are
    French, with a full stop.

    `reference` is that of the reissue it belongs to, if any; `actor` the operator who did it, if
    one did.
    """

    at: int
    name: str
    words: str
    reference: str | None = None
    actor: str | None = None


def timeline(record: VoterRecord, election: Election) -> list[Event]:
    """Return everything that is known to have happened to a voter, oldest first."""
    deliveries = {delivery.delivery_id: delivery for delivery in record.deliveries}
    parts = chain(
        *(_register_events(entry, deliveries) for entry in record.chain),
        *(_reissue_events(delivery) for delivery in record.deliveries),
        *(_sign_in_events(sign_in) for sign_in in record.sign_ins),
        _session_events(record),
        _lock_events(record, election),
        _settled_events(record),
    )
    return sorted(parts, key=lambda event: event.at)


def place(channel: Channel, delivery: Delivery) -> str:
    """Return where an identifier goes by a channel: `par SMS au •• •• •• 12 34`,
    `par courriel à p•••@ac-dijon.fr`.
    """
    destination = delivery.destinations.get(channel)
    if channel is Channel.SMS:
        return f"par SMS au {destination}" if destination else "par SMS"
    return f"par courriel à {destination}" if destination else "par courriel"


def wrong_entries(election: Election) -> str:
    """Return what a voter got wrong who is locked: `NUMEN faux`, or both proofs of an election that
    asks for two.
    """
    proof = election.extra_proof
    return "NUMEN faux" if proof is None else f"NUMEN ou « {proof.label} » faux"


# ---------------------------------------------------------------- the register


def _register_events(entry: Entry, deliveries: dict[str, Delivery]) -> Iterator[Event]:
    actor = entry.actor.removeprefix(_IMPORT)
    number, by = f"n° {entry.generation}", f"par {actor_names(actor)}"
    reason = f" : « {entry.reference} »" if entry.reference else ""
    match entry.change:
        case Change.ISSUED:
            yield Event(entry.at, "issued", "Premier identifiant (n° 1) : inscription sur la liste électorale.")
        case Change.REISSUED:
            yield _reissued(entry, deliveries.get(entry.first_word))
        case Change.VOTED:
            yield Event(entry.at, "voted", "Vote enregistré.")
        case Change.FROZEN if entry.actor == DISPUTE_ACTOR:
            words = (
                f"« Ce n’était pas moi » pour le réassort {number} : identifiant gelé (référence {entry.reference})."
            )
            yield Event(entry.at, "disputed", words, entry.reference)
        case Change.DISPUTED:
            words = f"« Ce n’était pas moi » pour le réassort {number} : rien à geler (référence {entry.reference})."
            yield Event(entry.at, "disputed", words, entry.reference)
        case Change.FROZEN:
            yield Event(entry.at, "frozen", f"Identifiant {number} gelé {by}{reason}.", actor=actor)
        case Change.UNFROZEN:
            yield Event(entry.at, "unfrozen", f"Identifiant {number} dégelé {by}{reason}.", actor=actor)
        case Change.UNLOCKED:
            yield Event(entry.at, "unlocked", f"Demandes débloquées {by}{reason}.", actor=actor)
        case Change.DEPARTED:
            words = f"Changement d’adresse {by}{_reason_of(entry)}. L’identifiant {number} est annulé."
            yield Event(entry.at, "departed", words, actor=actor)
        case Change.ARRIVED:
            words = f"Changement d’adresse {by}{_reason_of(entry)}. Inscription à cette adresse, {number}."
            yield Event(entry.at, "arrived", words, actor=actor)
        case Change.REMOVED:
            yield Event(entry.at, "removed", f"Radié de la liste électorale {by}{reason}.", actor=actor)
        case Change.RESTORED:
            words = f"Réinscrit sur la liste électorale {by}{_reason_of(entry)}."
            yield Event(entry.at, "restored", words, actor=actor)
        case Change.CORRECTED:
            yield Event(entry.at, "corrected", f"Liste électorale corrigée ({_corrected(entry)}) {by}.", actor=actor)


def _reason_of(entry: Entry) -> str:
    """Return the reason of an entry that names something before it."""
    reason = entry.reference.partition(" ")[2]
    return f" : « {reason} »" if reason else ""


def _corrected(entry: Entry) -> str:
    """Return what of a voter was corrected."""
    named = {"numen": "NUMEN", "extra_proof": "preuve supplémentaire"}
    return " et ".join(named.get(column, column) for column in entry.reference.split())


def _reissued(entry: Entry, delivery: Delivery | None) -> Event:
    reference, _, reason = entry.reference.partition(" ")
    way = f" {place(_first_channel(delivery), delivery)}" if delivery is not None else ""
    end = f"(référence {reference}). Le n° {entry.generation - 1} ne fonctionne plus."
    if entry.actor == VOTER_ACTOR:
        return Event(entry.at, "reissued", f"Réassort n° {entry.generation} demandé{way} {end}", reference)
    words = f"Réassort n° {entry.generation} donné{way} par {actor_names(entry.actor)} : « {reason} » {end}"
    return Event(entry.at, "reissued", words, reference, entry.actor)


def _first_channel(delivery: Delivery) -> Channel:
    return next(
        (step.channel for step in _steps(delivery, Message.IDENTIFIER) if step.channel is not None), delivery.channel
    )


# ---------------------------------------------------------------- deliveries


def _reissue_events(delivery: Delivery) -> Iterator[Event]:
    for message in delivery.messages:
        yield from _message_events(delivery, message, delivery.delivery_id)
    if delivery.messages[Message.IDENTIFIER]["status"] == Status.SUPERSEDED and delivery.superseded_at is not None:
        words = f"Identifiant n° {delivery.generation} jamais envoyé : un plus récent l’a remplacé."
        yield Event(delivery.superseded_at, "identifier-superseded", words, delivery.delivery_id)


def _message_events(delivery: Delivery, message: Message, reference: str | None) -> Iterator[Event]:
    steps = _steps(delivery, message)
    for index, step in enumerate(steps):
        if step.status is Status.SENDING and index + 1 < len(steps):
            # What came of it is the next line.
            continue
        told = _TELLING[message](step, steps[index - 1] if index else None, delivery)
        if told is not None:
            name, words = told
            yield Event(step.at, f"{message}-{name}", words, reference)


def _steps(delivery: Delivery, message: Message) -> list[HistoryStep]:
    """Return a message's history. A provider's clock may be behind ours: the order in which things
    were recorded counts.
    """
    steps = [HistoryStep.read(line) for line in delivery.history if line["message"] == message]
    latest = accumulate((step.at for step in steps), max)
    return [replace(step, at=at) for step, at in zip(steps, latest, strict=True)]


type _Told = tuple[str, str] | None


def _queued(before: HistoryStep | None, step: HistoryStep, delivery: Delivery) -> _Told:
    """Tell why an identifier waits to be sent: asked for, parked before, or by the other channel
    than before.
    """
    if before is None:
        # The register tells of the request.
        return None
    channel = step.channel or delivery.channel
    number, where = f"n° {delivery.generation}", place(channel, delivery)
    if before.channel is channel:
        return "queued-again", f"Identifiant {number} remis en attente d’envoi {where}."
    if delivery.fell_back and before == _first_failure(delivery):
        # By itself, and once: when the first channel has failed, whatever time its provider gave
        # for it.
        return "fallback", f"Le même identifiant ({number}) repart tout seul {where}."
    return "redelivery", f"L’électeur redemande le même identifiant ({number}) {where}."


def _first_failure(delivery: Delivery) -> HistoryStep | None:
    return next((step for step in delivery.identifier_history() if step.status is Status.FAILED), None)


def _identifier(step: HistoryStep, before: HistoryStep | None, delivery: Delivery) -> _Told:
    channel = step.channel or delivery.channel
    number, where = f"n° {delivery.generation}", place(channel, delivery)
    sent = "SMS" if channel is Channel.SMS else "Courriel"
    why = f" : {step.reason.words}" if step.reason else ""
    match step.status:
        case Status.QUEUED:
            return _queued(before, step, delivery)
        case Status.SENDING:
            return "sending", f"Identifiant {number} : envoi {where} en cours."
        case Status.SENT if step.reason:
            return "delayed", f"{sent} retardé{why}."
        case Status.SENT:
            return "sent", f"Identifiant {number} envoyé {where}."
        case Status.DELIVERED if step.reason:
            return "remarked", f"Identifiant {number}{why}."
        case Status.DELIVERED:
            return "delivered", f"Identifiant {number} arrivé {where}."
        case Status.FAILED:
            what = where.removeprefix("par ")
            return "failed", f"{what[0].upper()}{what[1:]} non remis{why}."
    return None


def _mail(subject: str, to: Callable[[Delivery], str]) -> Callable[[HistoryStep, HistoryStep | None, Delivery], _Told]:
    """Return how a message that goes by e-mail alone is told: `subject` is masculine, in lower
    case.
    """

    def tell(step: HistoryStep, before: HistoryStep | None, delivery: Delivery) -> _Told:
        capital = subject[0].upper() + subject[1:]
        why = f" : {step.reason.words}" if step.reason else ""
        match step.status:
            case Status.QUEUED:
                return None if before is None else ("queued-again", f"{capital} remis en attente d’envoi.")
            case Status.SENDING:
                return "sending", f"{capital} : envoi en cours."
            case Status.SENT if step.reason:
                return "delayed", f"{capital} retardé{why}."
            case Status.SENT:
                return "sent", f"{capital} envoyé{to(delivery)}."
            case Status.DELIVERED:
                return (
                    ("remarked", f"{capital}{why}.")
                    if step.reason
                    else ("delivered", f"{capital} arrivé{to(delivery)}.")
                )
            case Status.FAILED:
                return "failed", f"{capital} non remis{why}."
        return None

    return tell


def _to_voter(delivery: Delivery) -> str:
    address = delivery.destinations.get(Channel.EMAIL)
    return f" à {address}" if address else ""


_TELLING: dict[Message, Callable[[HistoryStep, HistoryStep | None, Delivery], _Told]] = {
    Message.IDENTIFIER: _identifier,
    Message.CONFIRMATION: _mail("courriel de confirmation", _to_voter),
    Message.ALERT: _mail("message d’alerte à l’assistance", lambda _: ""),
    Message.CODE: _mail("code de connexion", lambda _: " par courriel"),
}


# ---------------------------------------------------------------- sign-in


def _sign_in_events(sign_in: SignIn) -> Iterator[Event]:
    for index, asked in enumerate(sign_in.codes):
        wrong = sign_in.wrong_codes if index + 1 == len(sign_in.codes) else 0
        typed = (
            f" ({wrong} code{'s' if wrong > 1 else ''} faux saisi{'s' if wrong > 1 else ''} ensuite)" if wrong else ""
        )
        yield Event(asked.at, "code-asked", f"Code de connexion demandé{typed}.")
        if asked.delivery is not None:
            yield from _message_events(asked.delivery, Message.CODE, None)
    if sign_in.used_at is not None:
        yield Event(sign_in.used_at, "signed-in", "Connexion au site avec un code.")


def _session_events(record: VoterRecord) -> Iterator[Event]:
    told = {sign_in.used_at for sign_in in record.sign_ins}
    for at in record.session_starts:
        if at not in told:
            yield Event(at, "signed-in", "Connexion au site avec un code.")


# ---------------------------------------------------------------- locks


def _lock_events(record: VoterRecord, election: Election) -> Iterator[Event]:
    """Tell of the last lock that ends by itself: when it began follows from its end. When the
    helpdesk's began is not kept.
    """
    until = record.voter.numen_locked_until
    if until:
        limits = election.limits.numen
        words = (
            f"{limits.lock_after} {wrong_entries(election)} : demandes bloquées jusqu’à {french_hour(until, election)}."
        )
        yield Event(until - limits.lock_minutes * 60_000, "locked", words)


def _settled_events(record: VoterRecord) -> Iterator[Event]:
    """Tell that the helpdesk took care of a voter whom nothing had reached; who and why is in its
    record.
    """
    if record.voter.settled_at:
        yield Event(record.voter.settled_at, "settled", "Marqué comme réglé par l’assistance : rien n’était arrivé.")
