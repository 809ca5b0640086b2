"""`reassort voter`: one voter, for the helpdesk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import typer
from reassort.clock import from_milliseconds, iso, utc_now
from reassort.keyed_hash import HashKey
from reassort.letting_in import LET_IN_FOR, let_in, normalise_request_number
from reassort.outbox import Delivery, Message
from reassort.reasons import Reason as DeliveryReason
from reassort.sealing import Sealer

from reassort_ops.account.operator import Operator
from reassort_ops.commands.options import (
    LOOK,
    Address,
    AddressOrReference,
    AsJson,
    CallerCode,
    Elections,
    Profile,
    Reason,
    Region,
    RequestNumber,
    StackName,
    exit_unless,
)
from reassort_ops.commands.target import FoundVoter, Target
from reassort_ops.election_files import DEFAULT_FOLDER
from reassort_ops.failures import OperatorError
from reassort_ops.output import say, say_json
from reassort_ops.voter import changes as voter_changes
from reassort_ops.voter import reissue as voter_reissue
from reassort_ops.voter.record import VoterRecord, read_record, read_voter
from reassort_ops.voter.sheet import sheet
from reassort_ops.voter.situation import Caller, advice, lock_words
from reassort_ops.voter.timeline import timeline

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="Look at one voter, let them in, unlock, freeze or unfreeze them, give them the next identifier.",
    epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort",
)


@commands.command(
    "show", epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort --caller-code 482913"
)
def voter_show(
    who: AddressOrReference,
    stack: StackName,
    caller_code: CallerCode = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Tell an agent, in French, where a voter stands, what to do next and all that happened; never
    an identifier, a NUMEN, the whole address.

    With --caller-code it says whether the caller is signed in on the site as that voter; the exit
    status is 1 when the code is another.
    """
    target = Target(stack, elections, region, profile)
    found = target.find(who)
    caller = _check_caller(target, found, caller_code)
    now = utc_now()
    record = read_record(target.dynamodb, target.stack, found.voter_id, target.election, now)
    if as_json:
        say_json(
            {
                **_record_json(record, found, lock_words(record, target.election, now)),
                "caller": caller.value,
                "advice": [asdict(step) for step in advice(record, target.election, now, caller)],
                "timeline": [
                    {**asdict(event), "at": iso(from_milliseconds(event.at))}
                    for event in timeline(record, target.election)
                ],
            }
        )
    else:
        for line in sheet(record, found.masked_address, target.election, now, caller, target.name):
            say(line.text, line.style)
    exit_unless(caller is not Caller.WRONG_CODE)


@commands.command(
    "let-in", epilog="Example: reassort voter let-in prenom.nom@ac-dijon.fr --stack reassort --number 482913"
)
def voter_let_in(
    who: AddressOrReference,
    stack: StackName,
    number: RequestNumber,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Let the next code of a caller's browser pass at once, whoever keeps asking for codes in their
    name. It goes to the voter's mailbox.
    """
    request_number = normalise_request_number(number)
    if request_number is None:
        raise OperatorError("--number takes the 6 digits that the caller reads from the page of the code")
    target = Target(stack, elections, region, profile)
    found = target.find(who)
    read_voter(target.dynamodb, target.stack, found.voter_id)
    if not let_in(target.dynamodb, target.stack.sign_in_table, found.voter_id, request_number, utc_now()):
        raise OperatorError("nobody has asked for a code of this voter: they can ask for one by themselves")
    minutes = LET_IN_FOR // timedelta(minutes=1)
    if as_json:
        say_json({"address": found.masked_address, "voter_id": found.voter_id, "let_in_minutes": minutes})
    else:
        say(f"{found.masked_address}: the next code asked for in that browser is sent, within {minutes} minutes")


@commands.command(
    "unlock",
    epilog="Example: reassort voter unlock prenom.nom@ac-dijon.fr --stack reassort --reason 'identity checked'",
)
def voter_unlock(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Forget a voter's wrong NUMENs, so that they can try again at once."""
    target = Target(stack, elections, region, profile)
    _change_voter(voter_changes.unlock, who, reason, caller_code, target, as_json=as_json)


@commands.command(
    "freeze", epilog="Example: reassort voter freeze prenom.nom@ac-dijon.fr --stack reassort --reason 'mailbox stolen'"
)
def voter_freeze(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a voter's identifier unusable and stop reissues, until it is unfrozen."""
    target = Target(stack, elections, region, profile)
    _change_voter(voter_changes.freeze, who, reason, caller_code, target, as_json=as_json)


@commands.command(
    "unfreeze",
    epilog="Example: reassort voter unfreeze prenom.nom@ac-dijon.fr --stack reassort --reason 'voter called'",
)
def voter_unfreeze(
    who: AddressOrReference,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a frozen voter's identifier usable again."""
    target = Target(stack, elections, region, profile)
    _change_voter(voter_changes.unfreeze, who, reason, caller_code, target, as_json=as_json)


@commands.command(
    "reissue",
    epilog="Example: reassort voter reissue prenom.nom@ac-dijon.fr --stack reassort "
    "--reason 'identity checked, no phone'",
)
def voter_give_next(
    email: Address,
    stack: StackName,
    reason: Reason,
    caller_code: CallerCode = None,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Give a voter the next identifier, by e-mail to this address. The one before stops working;
    nobody but the voter sees either.
    """
    checked = voter_changes.checked_reason(reason)
    target = Target(stack, elections, region, profile)
    address, voter_id = target.voter(email)
    verified = _require_caller(target, voter_id, caller_code)
    helpdesk = target.helpdesk()
    recorded = voter_changes.recorded_reason(checked, caller_verified=verified)
    sealer = Sealer(target.aws.kms(), target.stack.encryption_key_id)
    hashes = target.keyed_hash(HashKey.REISSUE, HashKey.IDENTIFIER)
    issued = voter_reissue.reissue(address, voter_id, recorded, helpdesk, target.election, hashes, sealer)
    if as_json:
        operator = {"operator": helpdesk.name, "caller_verified": verified}
        say_json({"voter_id": voter_id, **asdict(issued), **operator})
    else:
        former = issued.generation - 1
        say(
            f"{issued.destination}: reissue n° {issued.generation} is on its way, reference {issued.reference}; n° "
            f"{former} is revoked"
        )


def _change_voter(
    change: Callable[[str, str, Operator], str],
    who: str,
    reason: str,
    caller_code: str | None,
    target: Target,
    *,
    as_json: bool,
) -> None:
    checked = voter_changes.checked_reason(reason)
    found = target.find(who)
    verified = _require_caller(target, found.voter_id, caller_code)
    helpdesk = target.helpdesk()
    done = change(found.voter_id, voter_changes.recorded_reason(checked, caller_verified=verified), helpdesk)
    if as_json:
        say_json(
            {
                "address": found.masked_address,
                "voter_id": found.voter_id,
                "done": done,
                "operator": helpdesk.name,
                "caller_verified": verified,
            }
        )
    else:
        say(f"{found.masked_address}: {done}")


def _check_caller(target: Target, found: FoundVoter, typed: str | None) -> Caller:
    if typed is None:
        return Caller.NOT_ASKED
    return Caller.VERIFIED if target.is_caller(found.voter_id, typed) else Caller.WRONG_CODE


def _require_caller(target: Target, voter_id: str, typed: str | None) -> bool:
    """Tell whether a code has shown who is calling; a wrong one ends the command before anything is
    changed.
    """
    if typed is None:
        return False
    if not target.is_caller(voter_id, typed):
        raise OperatorError("the caller's code does not match: nothing was changed")
    return True


def _record_json(record: VoterRecord, found: FoundVoter, lock: str | None) -> dict[str, Any]:
    voter, last = record.voter, record.last_delivery
    ends_at = record.session_ends_at
    return {
        "address": found.masked_address,
        "voter_id": voter.voter_id,
        "establishment": voter.establishment,
        "secretariat": voter.secretariat,
        "generation": voter.generation,
        "status": voter.identifier_status(voter.generation).value,
        "issued_at": iso(from_milliseconds(voter.issued_at[-1])),
        "lock": lock,
        "last_reference": voter.last_reference,
        "session_ends_at": iso(from_milliseconds(ends_at)) if ends_at is not None else None,
        "codes_today": record.codes_today,
        "register": [
            {
                "at": iso(from_milliseconds(entry.at)),
                "change": entry.change.value,
                "generation": entry.generation,
                "actor": entry.actor,
                "reference": entry.reference,
            }
            for entry in record.chain
        ],
        "delivery": _delivery_json(last) if last is not None else None,
        "deliveries": [
            {"reference": delivery.delivery_id, "generation": delivery.generation, **_delivery_json(delivery)}
            for delivery in record.deliveries
        ],
    }


def _delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Describe a delivery in the words that voter and helpdesk share; `reason` is French."""
    return {
        "channel": delivery.channel.value,
        "destination": delivery.destination,
        "status": delivery.status.value,
        "confirmation": delivery.status_of(Message.CONFIRMATION).value,
        "history": [
            {
                "at": iso(from_milliseconds(step["at"])),
                "message": step["message"],
                "status": step["status"],
                "channel": step.get("channel"),
                "reason": DeliveryReason(step["reason"]).words if "reason" in step else None,
            }
            for step in delivery.history
        ],
    }
