"""`reassort voter`: one voter, for the helpdesk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import typer
from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds, from_milliseconds, iso, utc_now
from reassort.election import Election
from reassort.outbox import Delivery, Message
from reassort.reasons import Reason as DeliveryReason
from reassort.register import Entry
from reassort.sealing import Sealer
from reassort.voters import Voter

from reassort_ops import voter_changes, voter_reissue
from reassort_ops.commands.options import (
    LOOK,
    Address,
    AsJson,
    Elections,
    Profile,
    Reason,
    Region,
    StackName,
)
from reassort_ops.election_files import DEFAULT_FOLDER
from reassort_ops.output import say, say_json
from reassort_ops.target import Target

commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=LOOK,
    help="Look at one voter, unlock, freeze or unfreeze them, give them the next identifier.",
    epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort",
)


@commands.command("show", epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort")
def voter_show(
    email: Address,
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what the roll and the register know of a voter; never an identifier, a NUMEN or the whole address."""
    target = Target(stack, elections, region, profile)
    address, voter_id = target.voter(email)
    voter = voter_changes.read_voter(target.dynamodb, target.stack, voter_id)
    chain = voter_changes.read_chain(target.dynamodb, target.stack, voter_id)
    delivery = voter_changes.read_last_delivery(target.dynamodb, target.stack, voter)
    shown = {**_voter_json(address, voter, chain, target.election), "delivery": _delivery_json(delivery)}
    if as_json:
        say_json(shown)
        return
    for name in (
        "address",
        "establishment",
        "secretariat",
        "generation",
        "status",
        "issued_at",
        "lock",
        "last_reference",
    ):
        say(f"{name.replace('_', ' '):15}{shown[name] if shown[name] is not None else '-'}")
    say("")
    for entry in shown["register"]:
        about = f"  ({entry['reference']})" if entry["reference"] else ""
        say(f"{entry['at']}  {entry['change']:10}n° {entry['generation']}  by {entry['actor']}{about}")
    if shown["delivery"]:
        say("")
        say(
            f"delivery of {shown['last_reference']} by {shown['delivery']['channel']} to {shown['delivery']['destination']}"
        )
        for step in shown["delivery"]["history"]:
            why = f": {step['reason']}" if step["reason"] else ""
            say(f"{step['at']}  {step['message']:13}{step['status']:11}{step['channel'] or ''}{why}")


@commands.command(
    "unlock",
    epilog="Example: reassort voter unlock prenom.nom@ac-dijon.fr --stack reassort --reason 'identity checked'",
)
def voter_unlock(
    email: Address,
    stack: StackName,
    reason: Reason,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Forget a voter's wrong NUMENs, so that they can try again at once."""
    _change_voter(voter_changes.unlock, email, reason, Target(stack, elections, region, profile), as_json=as_json)


@commands.command(
    "freeze", epilog="Example: reassort voter freeze prenom.nom@ac-dijon.fr --stack reassort --reason 'mailbox stolen'"
)
def voter_freeze(
    email: Address,
    stack: StackName,
    reason: Reason,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a voter's identifier unusable and stop reissues, until it is unfrozen."""
    _change_voter(voter_changes.freeze, email, reason, Target(stack, elections, region, profile), as_json=as_json)


@commands.command(
    "unfreeze",
    epilog="Example: reassort voter unfreeze prenom.nom@ac-dijon.fr --stack reassort --reason 'voter called'",
)
def voter_unfreeze(
    email: Address,
    stack: StackName,
    reason: Reason,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Make a frozen voter's identifier usable again."""
    _change_voter(voter_changes.unfreeze, email, reason, Target(stack, elections, region, profile), as_json=as_json)


@commands.command(
    "reissue",
    epilog="Example: reassort voter reissue prenom.nom@ac-dijon.fr --stack reassort --reason 'identity checked, no phone'",
)
def voter_give_next(
    email: Address,
    stack: StackName,
    reason: Reason,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Give a voter the next identifier, by e-mail to this address. The one before stops working; nobody but the voter sees either."""
    checked = voter_changes.checked_reason(reason)
    target = Target(stack, elections, region, profile)
    address, voter_id = target.voter(email)
    helpdesk = target.helpdesk()
    sealer = Sealer(target.aws.kms(), target.stack.encryption_key_id)
    issued = voter_reissue.reissue(address, voter_id, checked, helpdesk, target.election, target.keyed_hash, sealer)
    if as_json:
        say_json({"voter_id": voter_id, **asdict(issued), "operator": helpdesk.operator})
    else:
        former = issued.generation - 1
        say(
            f"{issued.destination}: reissue n° {issued.generation} is on its way, reference {issued.reference}; n° {former} is revoked"
        )


def _change_voter(
    change: Callable[[str, str, voter_changes.Helpdesk], str],
    email: str,
    reason: str,
    target: Target,
    *,
    as_json: bool,
) -> None:
    checked = voter_changes.checked_reason(reason)
    address, voter_id = target.voter(email)
    helpdesk = target.helpdesk()
    done = change(voter_id, checked, helpdesk)
    if as_json:
        say_json({"address": mask_address(address), "voter_id": voter_id, "done": done, "operator": helpdesk.operator})
    else:
        say(f"{mask_address(address)}: {done}")


def _voter_json(address: str, voter: Voter, chain: Sequence[Entry], election: Election) -> dict[str, Any]:
    return {
        "address": mask_address(address),
        "voter_id": voter.voter_id,
        "establishment": voter.establishment,
        "secretariat": voter.secretariat,
        "generation": voter.generation,
        "status": voter.identifier_status(voter.generation).value,
        "issued_at": iso(from_milliseconds(voter.issued_at[-1])),
        "lock": _lock(voter, election),
        "last_reference": voter.last_reference,
        "register": [
            {
                "at": iso(from_milliseconds(entry.at)),
                "change": entry.change.value,
                "generation": entry.generation,
                "actor": entry.actor,
                "reference": entry.reference,
            }
            for entry in chain
        ],
    }


def _delivery_json(delivery: Delivery | None) -> dict[str, Any] | None:
    """Describe a delivery in the words that voter and helpdesk share; `reason` is French."""
    if delivery is None:
        return None
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


def _lock(voter: Voter, election: Election) -> str | None:
    wrong = f"{voter.numen_failures} wrong {'NUMENs' if election.extra_proof is None else 'NUMENs or further proofs'}"
    if voter.numen_failures >= election.limits.numen.helpdesk_after:
        return f"{wrong}: until the helpdesk unlocks"
    if voter.numen_locked_until > epoch_milliseconds(utc_now()):
        return f"{wrong}: until {iso(from_milliseconds(voter.numen_locked_until))}"
    return wrong if voter.numen_failures else None
