"""What a signed-in voter sees: where they stand, and where a reissue of theirs stands."""

from datetime import datetime, timedelta
from typing import Any

from reassort.caller_codes import current_code
from reassort.clock import epoch_milliseconds, from_milliseconds, iso
from reassort.election import Election, Window
from reassort.outbox import Delivery, HistoryStep, Message, Status, delivery_from_item
from reassort.problems import Problem
from reassort.reasons import Reason
from reassort.reissue_switch import ReissueSwitch, switch_from_item, switch_item_key
from reassort.sessions import Token, prolong_session
from reassort.tables import read_many, read_one
from reassort.voters import Voter

from reissue.deps import Deps
from reissue.numen_check import is_locked_until_unlocked, raise_if_locked
from reissue.redelivery import needs_numen, possible_channels
from reissue.request import raise_if_not_reissuable
from reissue.signed_in import SignedIn, read_signed_in


def voter_overview(token: Token, deps: Deps) -> dict[str, Any]:
    """Return the body of `GET /api/reissue`, and keep the idle session alive.

    Raises:
        Problem: `signed-out`.
    """
    now = deps.clock()
    signed_in = read_signed_in(token, now, deps, with_switch=True)
    voter = signed_in.voter
    session = prolong_session(deps.dynamodb, deps.sign_in_table, signed_in.session, now)
    limits = deps.election.limits.session
    ends_at = session.ends_at(limits)
    caller = current_code(deps.keyed_hash, voter.voter_id, now, limits.idle_minutes)
    return {
        "election": {"id": deps.election.id, "name": deps.election.name},
        "window": _window(deps.election.windows.reissue, signed_in.switch, now),
        "address": session.masked_address,
        "establishment": voter.establishment,
        "secretariat": voter.secretariat,
        "generation": voter.generation,
        # The number of no identifier.
        "voter": deps.keyed_hash.revision(voter.voter_id, 0),
        "revision": deps.keyed_hash.revision(voter.voter_id, voter.generation),
        "issued_at": iso(from_milliseconds(voter.issued_at[-1])),
        "status": voter.identifier_status(voter.generation).value,
        "lock": _lock(voter, now, deps.election),
        "request": _request(voter, now, deps.election, signed_in.switch),
        "last_reissue": _last_reissue(signed_in, now, deps),
        "session": {"expires_in": (ends_at - epoch_milliseconds(now)) // 1000},
        "caller_code": {"words": caller.words, "expires_at": iso(caller.expires_at)},
    }


def service_status(deps: Deps) -> dict[str, Any]:
    """Return the body of `GET /api/status`: what everybody may know before they sign in.

    Raises:
        ContentionError: the table is busy.
    """
    now = deps.clock()
    # The operators write all items of their record at once: any of them tells.
    found = read_many(deps.dynamodb, {deps.tables.control: switch_item_key("")})
    switch = switch_from_item(found[deps.tables.control])
    return {"at": iso(now), "window": _window(deps.election.windows.reissue, switch, now)}


def reissue_status(token: Token, reference: str, deps: Deps) -> dict[str, Any]:
    """Return the body of `GET /api/reissue/{reference}`. Does not keep the session alive: a page
    asks by itself.

    Raises:
        Problem: `signed-out`, `not-found`.
    """
    now = deps.clock()
    signed_in = read_signed_in(token, now, deps, reference)
    delivery = signed_in.own_delivery()
    body = {
        **_summary(delivery, signed_in.voter),
        "history": [_line(step) for step in delivery.identifier_history()],
        "confirmation": {
            "status": delivery.status_of(Message.CONFIRMATION).value,
            **_why(delivery.reason_of(Message.CONFIRMATION)),
        },
    }
    if body["status"] == delivery.status_of(Message.IDENTIFIER):
        # A later identifier or a dispute says more than how this one travelled.
        body |= _why(delivery.reason_of(Message.IDENTIFIER))
    channels = possible_channels(signed_in, delivery, now, deps)
    body["redelivery"] = {
        "channels": [channel.value for channel in channels],
        "numen": bool(channels) and needs_numen(delivery, signed_in.session),
    }
    wait = _expected_wait(delivery, now)
    if wait >= deps.election.sending.long_wait_seconds:
        body["expected_wait"] = wait
    return body


def _window(window: Window, switch: ReissueSwitch, now: datetime) -> dict[str, Any]:
    """Describe when reissues are open: as the election file says, unless the operators narrowed
    it.
    """
    opens_at, closes_at = window.opens_at, window.closes_at
    if switch.opens_at and switch.closes_at:
        opens_at = max(opens_at, from_milliseconds(switch.opens_at))
        closes_at = min(closes_at, from_milliseconds(switch.closes_at))
    return {
        "opens_at": iso(opens_at),
        "closes_at": iso(closes_at),
        "open": window.contains(now) and switch.lets(now),
        "stopped": switch.stopped,
    }


def _lock(voter: Voter, now: datetime, election: Election) -> dict[str, Any] | None:
    """Tell what would refuse a request before the voter fills in the form."""
    if is_locked_until_unlocked(voter, election):
        return {"ends_at": None}
    if voter.numen_locked_until > epoch_milliseconds(now):
        return {"ends_at": iso(from_milliseconds(voter.numen_locked_until))}
    return None


def _request(voter: Voter, now: datetime, election: Election, switch: ReissueSwitch) -> dict[str, Any]:
    """Tell whether a new request would be taken now, by the checks that would refuse it."""
    try:
        raise_if_not_reissuable(voter, now, election, switch)
        raise_if_locked(voter, now, election)
    except Problem as problem:
        again_at = None if problem.retry_after is None else now + timedelta(seconds=problem.retry_after)
        before_the_close = again_at is not None and again_at < election.windows.reissue.closes_at
        return {
            "refused": problem.code.value,
            "again_at": iso(again_at) if again_at is not None and before_the_close else None,
        }
    return {"refused": None, "again_at": None}


def _expected_wait(delivery: Delivery, now: datetime) -> int:
    """Return the seconds until the identifier's turn in its lane; 0 when it does not wait for one,
    less when its turn has passed.
    """
    turn = delivery.turn_of(Message.IDENTIFIER)
    if turn is None or delivery.status is not Status.QUEUED:
        return 0
    return -((epoch_milliseconds(now) - turn) // 1000)


def _line(step: HistoryStep) -> dict[str, Any]:
    line: dict[str, Any] = {"at": iso(from_milliseconds(step.at)), "status": step.status.value}
    if step.channel is not None:
        line["channel"] = step.channel.value
    return line | _why(step.reason)


def _why(reason: Reason | None) -> dict[str, Any]:
    return {} if reason is None else {"reason": {"code": reason.value, "words": reason.words}}


def _summary(delivery: Delivery, voter: Voter) -> dict[str, Any]:
    status = delivery.status
    if delivery.generation < voter.generation and status is not Status.DISPUTED:
        # One that is as old as its retention is not marked; the generation tells all the same.
        status = Status.SUPERSEDED
    return {
        "reference": delivery.delivery_id,
        "generation": delivery.generation,
        "channel": delivery.channel.value,
        "destination": delivery.destination,
        "status": status.value,
    }


def _last_reissue(signed_in: SignedIn, now: datetime, deps: Deps) -> dict[str, Any] | None:
    voter = signed_in.voter
    if voter.last_reference is None:
        return None
    item = read_one(deps.dynamodb, deps.tables.deliveries, {"delivery_id": voter.last_reference})
    if item is None:
        return None
    delivery = delivery_from_item(item)
    return {
        **_summary(delivery, voter),
        "at": iso(from_milliseconds(delivery.created_at)),
        "redeliverable": bool(possible_channels(signed_in, delivery, now, deps)),
    }
