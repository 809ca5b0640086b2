"""Where a voter stands and what an agent can do next, in plain French words: what is said before
the timeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from reassort.clock import epoch_milliseconds
from reassort.french import french_hour, french_moment
from reassort.outbox import Channel, Delivery, Message, Status
from reassort.reasons import Reason
from reassort.register import Change
from reassort.reissue_limits import wait_for_reissue
from reassort.unreached import never_reached
from reassort.voters import IdentifierStatus

from helpdesk.timeline import place, wrong_entries

if TYPE_CHECKING:
    from reassort.election import Election
    from reassort.voters import Voter

    from helpdesk.voter_record import SignIn, VoterRecord

# The site offers the other channel after as long.
_PATIENCE = timedelta(minutes=2)
# From so many codes a day on somebody may be asking for them in the voter's name.
_MANY_CODES = 8
_STATES = {
    IdentifierStatus.ACTIVE: "valable",
    IdentifierStatus.USED: "a servi à voter",
    IdentifierStatus.FROZEN: "gelé : il ne permet pas de voter",
}


class Act(StrEnum):
    """What an agent can do to a voter."""

    UNLOCK = "unlock"
    LET_IN = "let-in"
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    REISSUE = "reissue"
    SETTLE = "settle"


class Caller(StrEnum):
    """What a read-back code said of the caller."""

    VERIFIED = "verified"
    WRONG_CODE = "wrong-code"
    NOT_ASKED = "not-asked"


_CALLERS = {
    Caller.VERIFIED: "vérifié : lit la messagerie professionnelle en ce moment",
    Caller.WRONG_CODE: "NON VÉRIFIÉ : les deux mots ne correspondent pas",
    Caller.NOT_ASKED: "non vérifié",
}


@dataclass(frozen=True)
class Advice:
    """What to do next. `name` is stable English, `words` French; `act` is what an agent may do
    about it.
    """

    name: str
    words: str
    act: Act | None = None


@dataclass(frozen=True)
class _Situation:
    record: VoterRecord
    election: Election
    now: datetime
    caller: Caller

    @property
    def at(self) -> int:
        return epoch_milliseconds(self.now)

    @property
    def in_window(self) -> bool:
        return self.election.windows.reissue.contains(self.now)

    @property
    def may_reissue(self) -> bool:
        return self.in_window and self.record.switch.lets(self.now)

    @property
    def over_the_limit(self) -> bool:
        return wait_for_reissue(self.record.voter, self.now, self.election) is not None

    @property
    def until_helpdesk(self) -> bool:
        return self.record.voter.numen_failures >= self.election.limits.numen.helpdesk_after

    @property
    def locked_until(self) -> int | None:
        until = self.record.voter.numen_locked_until
        return until if until > self.at else None

    @property
    def disputed(self) -> bool:
        """Tell whether the freeze came from « Ce n’était pas moi »."""
        freezes = [entry for entry in self.record.chain if entry.change is Change.FROZEN]
        return bool(freezes) and freezes[-1].actor == "dispute"

    @property
    def last_sign_in(self) -> SignIn | None:
        return self.record.sign_ins[-1] if self.record.sign_ins else None


def status_lines(
    record: VoterRecord, masked_address: str, election: Election, now: datetime, caller: Caller
) -> list[tuple[str, str]]:
    """Return where a voter stands: a French label and its words, line by line."""
    situation = _Situation(record, election, now, caller)
    voter = record.voter
    state = _state(voter)
    lines = [
        ("Appelant", _CALLERS[caller]),
        ("Électeur", masked_address),
        ("Établissement", voter.establishment),
        ("Secrétariat", voter.secretariat or "non indiqué sur la liste"),
        ("Identifiant", f"n° {voter.generation}, {state}, depuis {_since(situation)}"),
    ]
    delivery = record.last_delivery
    if delivery is not None:
        lines.append(("Envoi", _sending(delivery, situation)))
    if voter.numen_failures:
        lines.append(("Saisies", _entries(situation)))
    if record.codes_today:
        lines.append(("Codes", f"{record.codes_today} demandé{'s' if record.codes_today > 1 else ''} aujourd’hui"))
    ends_at = record.session_ends_at
    session = "aucune" if ends_at is None else f"ouverte sur le site, jusqu’à {french_hour(ends_at, election)} au moins"
    lines.append(("Session", session))
    return lines


def _state(voter: Voter) -> str:
    if voter.moved_to is not None:
        return "annulé par un changement d’adresse"
    if voter.left_at is not None:
        return "sans effet : électeur radié de la liste électorale"
    return _STATES[voter.identifier_status(voter.generation)]


def advice(record: VoterRecord, election: Election, now: datetime, caller: Caller) -> list[Advice]:
    """Return what an agent can do next, the first thing first."""
    situation = _Situation(record, election, now, caller)
    return [*_about_the_caller(situation), *_about_the_voter(situation)]


@dataclass(frozen=True)
class ActTold:
    """What an agent reads of an act before it is done and after. `needs` are the members that its
    request must have.
    """

    label: str
    does: str
    done: str
    needs: tuple[str, ...] = ("reason",)


ACTS: Mapping[Act, ActTold] = {
    Act.UNLOCK: ActTold(
        "Débloquer les demandes",
        "Les saisies fausses sont oubliées : l’électeur peut recommencer tout de suite.",
        "Les demandes sont débloquées.",
    ),
    Act.LET_IN: ActTold(
        "Laisser passer un code",
        "Le prochain code demandé depuis la page qui affiche ce numéro part tout de suite à la messagerie "
        "professionnelle.",
        "Le prochain code demandé depuis cette page part tout de suite, pendant dix minutes.",
        ("reason", "number"),
    ),
    Act.FREEZE: ActTold(
        "Geler l’identifiant",
        "L’identifiant ne permet plus de voter, les sessions ouvertes se ferment et aucune demande n’est acceptée.",
        "L’identifiant est gelé et les sessions sont fermées.",
    ),
    Act.UNFREEZE: ActTold(
        "Dégeler l’identifiant",
        "L’identifiant actuel permet de nouveau de voter.",
        "L’identifiant permet de nouveau de voter.",
    ),
    Act.REISSUE: ActTold(
        "Donner l’identifiant suivant",
        "Un nouvel identifiant part à la messagerie professionnelle. L’identifiant actuel ne fonctionnera plus jamais.",
        "Un nouvel identifiant part à la messagerie professionnelle. Le précédent ne fonctionne plus.",
        ("reason", "address"),
    ),
    Act.SETTLE: ActTold(
        "Marquer comme réglé",
        "L’électeur sort de la liste de ceux que rien n’a atteint. Son identifiant ne change pas.",
        "L’électeur n’est plus sur la liste de ceux que rien n’a atteint.",
    ),
}


def is_on_its_way(delivery: Delivery, at: int) -> bool:
    """Tell whether a voter should wait for an identifier rather than be given another one. `at` is
    milliseconds since 1970.
    """
    match delivery.status_of(Message.IDENTIFIER):
        case Status.QUEUED | Status.SENDING:
            return True
        case Status.SENT:
            patience = _PATIENCE // timedelta(milliseconds=1)
            return delivery.reason_of(Message.IDENTIFIER) is None and at - delivery.queued_at < patience
        case _:
            return False


def why_not(act: Act, record: VoterRecord, address_known: bool, election: Election, now: datetime) -> str | None:
    """Return why an act is refused now, in French; None when it is not."""
    situation = _Situation(record, election, now, Caller.NOT_ASKED)
    voter = record.voter
    if voter.left_at is not None:
        return "L’électeur n’est plus sur la liste électorale à cette adresse."
    match act:
        case Act.UNLOCK if not voter.numen_failures and not voter.numen_locked_until:
            return "Rien n’est bloqué."
        case Act.LET_IN if not record.sign_ins and not record.codes_today:
            return "Aucun code n’a été demandé."
        case Act.FREEZE | Act.REISSUE if voter.voted_at is not None:
            return "Plus aucun identifiant n’est donné pour ce dossier."
        case Act.FREEZE if voter.frozen_at is not None:
            return "L’identifiant est déjà gelé."
        case Act.UNFREEZE if voter.frozen_at is None:
            return "L’identifiant n’est pas gelé."
        case Act.UNFREEZE if voter.disputed == voter.generation:
            return "Un identifiant contesté ne sert plus jamais : donnez l’identifiant suivant."
        case Act.REISSUE if not situation.in_window:
            return "Les demandes sont fermées."
        case Act.REISSUE if not situation.may_reissue:
            return "Les demandes sont suspendues."
        case Act.REISSUE if not address_known:
            return "Cherchez l’électeur par son adresse : le courriel part à cette adresse."
        case Act.SETTLE if never_reached(voter, record.deliveries) is None:
            return "Aucun envoi n’est à régler."
    return None


def _since(situation: _Situation) -> str:
    voter = situation.record.voter
    at = voter.issued_at[-1]
    if voter.voted_at is not None:
        at = voter.voted_at
    elif voter.left_at is not None:
        at = voter.left_at
    elif voter.frozen_at is not None:
        at = voter.frozen_at
    return french_moment(at, situation.election)


def _sending(delivery: Delivery, situation: _Situation) -> str:
    where = place(delivery.channel, delivery)
    reason = delivery.reason_of(Message.IDENTIFIER)
    why = f" ({reason.words})" if reason else ""
    turn = delivery.turn_of(Message.IDENTIFIER)
    match delivery.status_of(Message.IDENTIFIER):
        case Status.QUEUED if turn is not None and turn > situation.at:
            state = f"attend son tour, vers {french_hour(turn, situation.election)}"
        case Status.QUEUED | Status.SENDING:
            state = f"en cours{why}"
        case Status.SENT:
            state = f"retardé{why}" if reason else "envoyé, arrivée pas encore confirmée"
        case Status.DELIVERED:
            state = f"arrivé{why}"
        case Status.FAILED:
            state = f"échec{why}"
        case _:
            state = "arrêté"
    return f"{where} : {state} ; référence {delivery.delivery_id}"


def _entries(situation: _Situation) -> str:
    failures = situation.record.voter.numen_failures
    wrong = f"{failures} {wrong_entries(situation.election)}"
    if situation.until_helpdesk:
        return f"{wrong}, demandes bloquées jusqu’à ce que l’assistance les débloque"
    if situation.locked_until is not None:
        return f"{wrong}, demandes bloquées jusqu’à {french_hour(situation.locked_until, situation.election)}"
    return wrong


# ---------------------------------------------------------------- what to do


def _about_the_caller(situation: _Situation) -> Iterator[Advice]:
    if situation.caller is Caller.WRONG_CODE:
        words = "Ne changez rien et n’en dites pas plus. Faites relire les deux mots, ou vérifiez l’appelant autrement."
        yield Advice("caller-wrong-code", words)
    elif situation.caller is Caller.NOT_ASKED and situation.record.session_ends_at is not None:
        words = "Demandez les « deux mots à lire à l’assistance », affichés sur la page que l’électeur a ouverte."
        yield Advice("ask-caller-code", words)


def _about_the_voter(situation: _Situation) -> Iterator[Advice]:
    voter, election = situation.record.voter, situation.election
    if voter.voted_at is not None:
        yield Advice(
            "voted",
            "Le vote est enregistré : plus aucun identifiant n’est donné. L’électeur dit ne pas avoir voté ? Prévenez "
            "le bureau de vote.",
        )
        return
    if voter.moved_to is not None:
        yield Advice(
            "moved",
            "Cette adresse n’est plus celle de la liste électorale : l’électeur en a une autre. "
            "Cherchez-le par sa nouvelle adresse professionnelle, et faites-le s’identifier avec elle.",
        )
        return
    if voter.left_at is not None:
        yield Advice(
            "removed",
            "L’électeur a été radié de la liste électorale : le motif est dans l’historique. Ce n’est pas un gel, et "
            "l’assistance n’y change rien. Il le conteste ? Prévenez l’organisateur du vote, qui tient la liste.",
        )
        return
    if voter.frozen_at is not None:
        yield _frozen(situation)
        return
    if not situation.in_window:
        opens, closes = (
            french_moment(epoch_milliseconds(at), election)
            for at in (election.windows.reissue.opens_at, election.windows.reissue.closes_at)
        )
        yield Advice("window-closed", f"Les demandes sont fermées : elles vont du {opens} au {closes}.")
    elif not situation.may_reissue:
        words = (
            "Un exploitant a suspendu les demandes, pour tous. L’identifiant actuel reste valable et permet de voter."
        )
        yield Advice("reissues-stopped", words)
    else:
        yield from _about_locks(situation)
    delivery = situation.record.last_delivery
    if delivery is not None:
        yield from _about_the_delivery(delivery, situation)
    elif situation.may_reissue and not voter.numen_failures:
        yield from _about_sign_in(situation)


def _about_locks(situation: _Situation) -> Iterator[Advice]:
    voter, election = situation.record.voter, situation.election
    if situation.until_helpdesk:
        yield Advice("unlock", "Vérifiez l’appelant, puis débloquez ses demandes.", Act.UNLOCK)
    elif situation.locked_until is not None:
        until = french_hour(situation.locked_until, election)
        yield Advice(
            "wait-or-unlock",
            f"L’électeur peut recommencer à {until}. Sinon, vérifiez l’appelant et débloquez ses demandes.",
            Act.UNLOCK,
        )
    if voter.numen_failures:
        yield Advice("ask-secretariat", f"{_capital(wrong_entries(election))} : {_secretariat(situation)}")


def _secretariat(situation: _Situation) -> str:
    secretariat = situation.record.voter.secretariat
    who = "le secrétariat de l’établissement" if secretariat is None else f"« {secretariat} »"
    return f"{who} remet le bon NUMEN, dans une enveloppe cachetée."


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _frozen(situation: _Situation) -> Advice:
    if situation.disputed:
        return Advice(
            "reissue-after-dispute",
            "Quelqu’un a signalé « Ce n’était pas moi ». Faites changer le mot de passe de la messagerie et vérifiez "
            "l’appelant. Donnez ensuite un nouvel identifiant : celui qui est contesté ne servira plus jamais.",
            Act.REISSUE,
        )
    return Advice(
        "unfreeze",
        "L’assistance a gelé l’identifiant : le motif est dans l’historique. Quand il n’a plus lieu d’être, dégelez.",
        Act.UNFREEZE,
    )


def _about_the_delivery(delivery: Delivery, situation: _Situation) -> Iterator[Advice]:
    where = place(delivery.channel, delivery)
    number = f"n° {delivery.generation}"
    reason = delivery.reason_of(Message.IDENTIFIER)
    match delivery.status_of(Message.IDENTIFIER):
        case Status.QUEUED | Status.SENDING:
            words = f"L’identifiant {number} part {where}. Faites patienter : une nouvelle demande l’annulerait."
            yield Advice("wait-for-delivery", words)
        case Status.SENT if is_on_its_way(delivery, situation.at):
            words = f"L’identifiant {number} vient de partir {where}. Faites patienter deux minutes."
            yield Advice("wait-for-delivery", words)
        case Status.DELIVERED if reason is Reason.MARKED_AS_SPAM:
            words = (
                f"L’identifiant {number} est arrivé : faites regarder dans les courriers indésirables de la boîte "
                "professionnelle."
            )
            yield Advice("search", words)
        case Status.DELIVERED:
            words = (
                f"L’identifiant {number} est arrivé {where} : faites-le chercher. Les précédents ne fonctionnent plus."
            )
            yield Advice("search", words)
        case Status.SENT | Status.FAILED:
            yield from _about_the_trouble(delivery, situation)
    if delivery.status_of(Message.CONFIRMATION) is Status.FAILED:
        why = delivery.reason_of(Message.CONFIRMATION)
        words = (
            "Le courriel de confirmation n’est pas arrivé "
            f"({(why or Reason.UNKNOWN).words}). L’identifiant reste valable."
        )
        yield Advice("confirmation-failed", words)


def _about_the_trouble(delivery: Delivery, situation: _Situation) -> Iterator[Advice]:
    """Advise about an identifier that has not arrived, or not for sure."""
    reason = delivery.reason_of(Message.IDENTIFIER)
    failed = delivery.status_of(Message.IDENTIFIER) is Status.FAILED
    if delivery.channel is Channel.EMAIL:
        match reason:
            case Reason.MAILBOX_FULL:
                yield Advice("empty-mailbox", "La boîte est pleine : faites-la vider.")
            case Reason.NO_SUCH_MAILBOX:
                words = "L’adresse de la liste électorale n’existe pas : l’organisateur doit corriger la liste."
                yield Advice("wrong-address", words)
            case _ if not failed:
                words = "Faites chercher dans la boîte professionnelle et dans les courriers indésirables."
                yield Advice("search", words)
    elif reason is Reason.PHONE_UNREACHABLE and not failed:
        yield Advice("switch-phone-on", "Le téléphone est injoignable : faites-le allumer, là où il capte.")
    other = delivery.channel.other
    if _may_be_redelivered(delivery, other, situation):
        words = f"Sur la page de suivi, l’électeur peut recevoir le même identifiant {place(other, delivery)}."
        yield Advice("redeliver", words)
    elif failed and situation.may_reissue and situation.over_the_limit:
        yield Advice(
            "reissue-over-the-limit",
            "L’électeur ne peut plus faire de demande lui-même pour l’instant. "
            "Vérifiez l’appelant, puis donnez-lui un nouvel identifiant par courriel.",
            Act.REISSUE,
        )
    elif failed and situation.may_reissue and reason is not Reason.NO_SUCH_MAILBOX:
        yield Advice(
            "reissue",
            "Ce même identifiant ne peut plus être renvoyé : faites refaire une demande. "
            "Si l’électeur ne le peut pas, vérifiez l’appelant et donnez-lui un nouvel identifiant par courriel.",
            Act.REISSUE,
        )
    elif not failed and delivery.channel is Channel.SMS and reason is None:
        yield Advice("search", f"L’identifiant est parti {place(delivery.channel, delivery)} : faites-le chercher.")


def _may_be_redelivered(delivery: Delivery, channel: Channel, situation: _Situation) -> bool:
    asked = delivery.redeliveries < situation.election.limits.redeliveries
    possible = channel in delivery.destinations and not delivery.has_failed_for_good(channel)
    return situation.in_window and asked and delivery.payload is not None and possible


def _about_sign_in(situation: _Situation) -> Iterator[Advice]:
    last = situation.last_sign_in
    if situation.record.codes_today >= _MANY_CODES:
        words = (
            "Beaucoup de codes ont été demandés : quelqu’un d’autre en demande peut-être. Un code sert seulement "
            "là où il a été demandé."
        )
        yield Advice("many-codes", words, Act.LET_IN)
    if situation.record.session_ends_at is not None or (last is not None and last.used_at is not None):
        words = "L’électeur s’est identifié : il peut remplir la demande, avec son NUMEN et un mobile."
        yield Advice("fill-in-the-form", words)
        return
    delivery = last.codes[-1].delivery if last is not None and last.codes else None
    if delivery is not None and delivery.status_of(Message.CODE) is Status.FAILED:
        why = (delivery.reason_of(Message.CODE) or Reason.UNKNOWN).words
        yield Advice(
            "code-failed", f"Le dernier code n’est pas arrivé ({why}). Sans cette messagerie, pas de connexion."
        )
        yield Advice(
            "reissue-needs-mailbox",
            "L’identifiant que donne l’assistance part aussi à cette messagerie : elle doit d’abord fonctionner.",
        )
    elif (
        last is not None
        and last.wrong_codes >= situation.election.limits.code.tries
        and last.valid_until > situation.at
    ):
        yield Advice(
            "ask-new-code", "Les essais du code sont épuisés : faites changer d’adresse, puis demander un code."
        )
    elif last is not None and last.valid_until > situation.at:
        words = "Faites chercher le code dans la boîte professionnelle et dans les courriers indésirables."
        yield Advice("search-code", words)
    else:
        words = "Faites demander un code sur le site avec l’adresse professionnelle, puis remplir la demande."
        yield Advice("sign-in", words)
