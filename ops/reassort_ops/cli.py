"""The `reassort` command: finds the stack, calls one function, prints what it returns."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from reassort.addresses import AddressDomainError, AddressFormatError, mask_address, normalise_address
from reassort.clock import epoch_milliseconds, from_milliseconds, iso, utc_now
from reassort.election import Election
from reassort.election_file import read_election_file
from reassort.keyed_hash import KeyedHash, derive_keyed_hash
from reassort.outbox import Delivery, Kind, Message
from reassort.reasons import Reason as DeliveryReason
from reassort.register import Entry
from reassort.sealing import Sealer
from reassort.voters import Voter

from reassort_ops import deliveries, voter_changes, voter_reissue
from reassort_ops.election_files import DEFAULT_FOLDER, election_of, only_election
from reassort_ops.failures import OneLineErrors, OperatorError
from reassort_ops.output import may_ask, progress, say, say_json
from reassort_ops.purge import Purge, raise_if_under_way
from reassort_ops.register_check import Reconciliation, verify_register
from reassort_ops.roll_check import Checked, check_roll, valid_rows
from reassort_ops.roll_file import RollFile, open_roll
from reassort_ops.roll_import import Balance, Outcome, RollImport, Settled
from reassort_ops.roll_rows import Fault
from reassort_ops.roll_writes import TransactionWriter
from reassort_ops.stack import Aws, Stack

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Something is to be removed, and nobody has agreed to it. Typer's own status for wrong options is 2.
NOT_AGREED = 3
# Boxes are for people; a pipe or a log gets plain text.
_LOOK: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None

app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=_LOOK,
    pretty_exceptions_enable=False,
    help="Run an election with the reissue service: its roll, a voter on the phone, its register, its end.",
    epilog="Example: reassort roll import roll.csv --stack reassort",
)
roll_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=_LOOK,
    help="Check the electoral roll and put it on a stack.",
    epilog="Example: reassort roll check roll.csv --election elections/dijon-2018.yaml",
)
voter_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=_LOOK,
    help="Look at one voter, unlock, freeze or unfreeze them, give them the next identifier.",
    epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort",
)
register_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=_LOOK,
    help="Verify the register of a stack.",
    epilog="Example: reassort register verify --stack reassort",
)
delivery_commands = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=_LOOK,
    help="See what waits to be sent, and send dead letters back.",
    epilog="Example: reassort deliveries list --stack reassort",
)
app.add_typer(roll_commands, name="roll")
app.add_typer(voter_commands, name="voter")
app.add_typer(register_commands, name="register")
app.add_typer(delivery_commands, name="deliveries")

RollPath = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="CSV with a header: email;numen;establishment;secretariat;identifier, and extra_proof if the election asks for it",
    ),
]
Address = Annotated[str, typer.Argument(metavar="EMAIL", help="The voter's professional address")]
StackName = Annotated[str, typer.Option("--stack", metavar="NAME", help="CloudFormation stack of the service")]
Region = Annotated[str | None, typer.Option("--region", metavar="NAME", help="AWS region, else the profile's")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="AWS profile, else the environment's")]
Elections = Annotated[
    Path, typer.Option("--elections", metavar="DIR", help="Folder of the election files that the stack was built from")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the register: a few words without personal data")
]


@roll_commands.command("check", epilog="Example: reassort roll check roll.csv --election elections/dijon-2018.yaml")
def roll_check(
    file: RollPath,
    election: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Election file; else the only one of the folder elections"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find every fault of a roll: line, column and reason, and what comes twice anywhere in the file.

    Exit status: 0 when every row is valid.
    """
    model = read_election_file(election) if election else only_election(DEFAULT_FOLDER)
    roll = open_roll(file)
    faults, checked = _check(roll, model, as_json=as_json)
    if as_json:
        say_json(
            {
                **_described(roll, model.id),
                "read": checked.read,
                "valid": checked.read - checked.faulty,
                "rejected": checked.faulty,
                "faults": [_fault_json(fault) for fault in faults],
            }
        )
    else:
        say(
            f"{file}: {roll.encoding_name}, columns separated by {roll.delimiter!r}: "
            f"read {checked.read} = valid {checked.read - checked.faulty} + rejected {checked.faulty} ({checked.faults} faults)"
        )
    _exit_unless(checked.faulty == 0 and checked.read > 0)


@roll_commands.command("import", epilog="Example: reassort roll import roll.csv --stack reassort --profile staging")
def roll_import(
    file: RollPath,
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Import the valid rows of a roll that has faults")
    ] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Transactions under way at once")] = 16,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put a roll on a stack. Nothing is imported if the roll has a fault, unless --skip-invalid.

    A voter who is on the stack already is compared and left alone, so a second import changes nothing and an interrupted one
    is resumed by running it again.

    Exit status: 0 when every row is on the stack as the file says.
    """
    roll = open_roll(file)
    target = _Target(stack, elections, region, profile)
    model = target.election
    faults, checked = _check(roll, model, as_json=as_json)
    balance = Balance(checked.read)
    refused = bool(checked.faulty) and not skip_invalid
    balance.counts[Outcome.REJECTED] = checked.read if refused else checked.faulty
    notable: list[Settled] = []
    try:
        if not refused and checked.read > checked.faulty:
            _import(roll, checked, target, balance, notable, threads)
    finally:
        if as_json:
            say_json(
                {
                    **_described(roll, model.id),
                    "stack": stack,
                    "read": balance.read,
                    **{outcome.value: count for outcome, count in balance.counts.items()},
                    "not_reached": balance.not_reached,
                    "faulty": checked.faulty,
                    "faults": [_fault_json(fault) for fault in faults],
                    "differences": [_settled_json(settled) for settled in notable],
                }
            )
        else:
            _say_balance(file, stack, checked, balance, notable, refused=refused)
    _exit_unless(balance.is_complete and balance.read > 0)


@voter_commands.command("show", epilog="Example: reassort voter show prenom.nom@ac-dijon.fr --stack reassort")
def voter_show(
    email: Address,
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Show what the roll and the register know of a voter; never an identifier, a NUMEN or the whole address."""
    target = _Target(stack, elections, region, profile)
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


@voter_commands.command(
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
    _change_voter(voter_changes.unlock, email, reason, _Target(stack, elections, region, profile), as_json=as_json)


@voter_commands.command(
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
    _change_voter(voter_changes.freeze, email, reason, _Target(stack, elections, region, profile), as_json=as_json)


@voter_commands.command(
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
    _change_voter(voter_changes.unfreeze, email, reason, _Target(stack, elections, region, profile), as_json=as_json)


@voter_commands.command(
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
    target = _Target(stack, elections, region, profile)
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


@delivery_commands.command("list", epilog="Example: reassort deliveries list --stack reassort --most 50")
def deliveries_list(
    stack: StackName,
    most: Annotated[int, typer.Option(min=1, metavar="N", help="How many to name, the longest wait first")] = 20,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List what waits to be sent, by lane and the longest first, and count the dead letters. Nothing of a voter is shown.

    Exit status: 0 when nothing is overdue and there is no dead letter.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    at = epoch_milliseconds(utc_now())
    queue = deliveries.waiting(aws.dynamodb(), found)
    dead = deliveries.dead_letters(aws.sqs(), found)
    overdue = sum(one.is_overdue(at) for one in queue)
    lanes = Counter(one.kind.value if one.kind is Kind.CODE else one.channel for one in queue)
    if as_json:
        named = [
            {
                "reference": one.name,
                "kind": one.kind.value,
                "channel": one.channel,
                "waits_seconds": one.waited(at),
                "overdue": one.is_overdue(at),
            }
            for one in queue[:most]
        ]
        say_json({"waiting": dict(lanes), "overdue": overdue, "dead_letters": dead, "longest": named})
    else:
        for one in queue[:most]:
            late = "  overdue" if one.is_overdue(at) else ""
            say(f"{one.name:24}{one.kind.value:9}{one.channel:7}{one.waited(at):>7} s{late}")
        if len(queue) > most:
            say(f"… and {len(queue) - most} more")
        told = ", ".join(f"{lane} {count}" for lane, count in sorted(lanes.items())) or "nothing"
        say(f"{len(queue)} waiting ({told}), {overdue} overdue, {dead} dead letters")
    _exit_unless(not overdue and not dead)


@delivery_commands.command("redrive", epilog="Example: reassort deliveries redrive --stack reassort")
def deliveries_redrive(
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Send the dead letters back to the retry queue, once their cause is removed. It may be repeated: nothing is sent to a voter twice."""
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    sqs = aws.sqs()
    with progress("sending back", deliveries.dead_letters(sqs, found)) as advance:
        done = deliveries.redrive(sqs, found, advance)
    if as_json:
        say_json(asdict(done))
    else:
        say(f"{done.sent_back} sent back, {done.left} left: they are the stream's, which the sweeper has in hand")


@register_commands.command("verify", epilog="Example: reassort register verify --stack reassort")
def register_verify(
    stack: StackName,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Verify every voter's chain in the register and print the reconciliation. It may run while the service does.

    Exit status: 0 when every chain verifies and issued = active + revoked + used + frozen.
    """
    aws = Aws(profile, region)
    found = aws.find_stack(stack)
    with progress("verifying", None) as advance:
        result = verify_register(aws.dynamodb(), found, advance)
    if as_json:
        say_json(_reconciliation_json(found, result))
    else:
        for fault in result.faults:
            say(fault, "red")
        states = " + ".join(f"{status.value} {count}" for status, count in result.by_status.items())
        say(f"{result.voters} voters, {result.entries} entries, {len(result.faults)} faults")
        say(f"issued {result.issued} {'=' if result.balances else '≠'} {states}")
    _exit_unless(result.holds)


@app.command("purge", epilog="Example: reassort purge --stack reassort --dry-run")
def purge(
    stack: StackName,
    elections: Elections = DEFAULT_FOLDER,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show, whatever else is said")] = False,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Segments of a table worked on at once")] = 16,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Remove what the election file's retention no longer allows, after showing what.

    On a terminal it asks first; anywhere else it only shows, unless --yes. It refuses while the election is under way, and an
    interrupted purge is resumed by running it again.

    Exit status: 0 when nothing is left to remove, 3 when it was only shown.
    """
    target = _Target(stack, elections, region, profile)
    now = utc_now()
    raise_if_under_way(target.election, now)
    run = Purge(
        dynamodb=target.aws.dynamodb(threads), stack=target.stack, election=target.election, now=now, threads=threads
    )
    with progress("counting", None) as advance:
        run.count(advance)
    complete = run.due == 0
    agreed = False
    try:
        if not as_json:
            _say_due(target, run, iso(now))
        if run.due and not dry_run:
            agreed = yes or (not as_json and may_ask() and typer.confirm("Remove them for good?"))
        if agreed:
            with progress("removing", run.due) as advance:
                run.remove(advance)
            complete = True
    finally:
        if as_json:
            say_json(_purge_json(target, run, iso(now), complete=complete))
        elif agreed:
            _say_removed(run, complete=complete)
        elif run.due:
            say("nothing removed")
    if not complete:
        raise typer.Exit(NOT_AGREED)


@dataclass(frozen=True)
class _Target:
    """What the options name: the stack, its election, its hash key. Each is looked up when it is first needed."""

    name: str
    elections: Path
    region: str | None
    profile: str | None

    @cached_property
    def aws(self) -> Aws:
        return Aws(self.profile, self.region)

    @cached_property
    def stack(self) -> Stack:
        return self.aws.find_stack(self.name)

    @cached_property
    def election(self) -> Election:
        return election_of(self.stack.election_id, self.elections)

    @cached_property
    def keyed_hash(self) -> KeyedHash:
        return derive_keyed_hash(self.aws.kms(), self.stack.hmac_key_id, self.stack.election_id)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        return self.aws.dynamodb()

    def helpdesk(self) -> voter_changes.Helpdesk:
        """Return what a change to a voter needs, in the operator's own name."""
        return voter_changes.Helpdesk(self.dynamodb, self.stack, utc_now, self.aws.operator())

    def voter(self, typed: str) -> tuple[str, str]:
        """Return a voter's normalised address and pseudonym."""
        try:
            address = normalise_address(typed, self.election.domain_names)
        except AddressDomainError as error:
            domains = ", ".join(self.election.domain_names)
            raise OperatorError(f"the address is not of a domain of the election ({domains})") from error
        except AddressFormatError as error:
            raise OperatorError(f"the address is {error}") from error
        return address, self.keyed_hash.voter_id(address)


def _check(roll: RollFile, election: Election, *, as_json: bool) -> tuple[list[Fault], Checked]:
    """Check a roll; print faults as they are found, or keep them for the JSON object."""
    kept: list[Fault] = []

    def show(fault: Fault) -> None:
        say(f"{roll.path}:{fault.line}: {fault.column}: {fault.reason}")

    with progress("checking", roll.size, counted=False) as advance:
        checked = check_roll(roll, election, kept.append if as_json else show, advance)
    return kept, checked


def _import(
    roll: RollFile, checked: Checked, target: _Target, balance: Balance, notable: list[Settled], threads: int
) -> None:
    run = RollImport(
        reader=target.dynamodb,
        writer=TransactionWriter(target.aws.session, threads),
        stack=target.stack,
        keyed_hash=target.keyed_hash,
        operator=target.aws.operator(),
        at=epoch_milliseconds(utc_now()),
    )
    with progress("importing", checked.read - checked.faulty) as advance:

        def settle(batch: Sequence[Settled]) -> None:
            for settled in batch:
                balance.counts[settled.outcome] += 1
                if settled.outcome in (Outcome.CHANGED, Outcome.REJECTED):
                    notable.append(settled)
            advance(len(batch))

        run.run(valid_rows(roll, target.election, checked), settle, threads)


def _say_balance(
    file: Path, stack: str, checked: Checked, balance: Balance, notable: Sequence[Settled], *, refused: bool
) -> None:
    for settled in sorted(notable, key=lambda one: one.line):
        if settled.outcome is Outcome.CHANGED:
            what = f"differs from the stack in {', '.join(settled.differing)}; left alone"
        else:
            what = f"rejected: {settled.reason}"
        say(f"{file}:{settled.line}: {settled.masked_address}: {what}")
    if refused:
        say(
            f"nothing imported: {checked.faulty} of {checked.read} rows have faults; --skip-invalid imports the others",
            "red",
        )
    parts = [f"{outcome.value} {count}" for outcome, count in balance.counts.items()]
    if balance.not_reached:
        parts.append(f"not reached {balance.not_reached}")
    say(f"{file} → {stack}: read {balance.read} = {' + '.join(parts)}", "green" if balance.is_complete else None)
    if balance.not_reached:
        say("run the same command again to import the rest")


def _change_voter(
    change: Callable[[str, str, voter_changes.Helpdesk], str],
    email: str,
    reason: str,
    target: _Target,
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


def _say_due(target: _Target, run: Purge, at: str) -> None:
    say(f"{target.name} ({target.election.id}) at {at}")
    say(f"{'table':13}{'kind':13}{'to remove':>10}{'kept':>10}  until")
    for rule in run.rules:
        until = "the end of each item" if rule.has_own_end else iso(rule.ends_at)
        for kind, tally in sorted(run.tallies[rule.table].items()):
            say(f"{rule.table:13}{kind:13}{tally.due:10}{tally.kept:10}  {until}")
    say(f"{run.due} to remove")
    if any(tally.due for tally in run.tallies["voters"].values()):
        say("the register can be verified only as long as the voters are there: reassort register verify", "yellow")


def _say_removed(run: Purge, *, complete: bool) -> None:
    renewed = f", {run.renewed} in use again and kept" if run.renewed else ""
    say(f"removed {run.removed} of {run.due}{renewed}", "green" if complete else None)
    if complete:
        say("the tables' continuous backups forget them within 35 days")
    else:
        say("run the same command again to remove the rest")


def _purge_json(target: _Target, run: Purge, at: str, *, complete: bool) -> dict[str, Any]:
    return {
        "stack": target.name,
        "election": target.election.id,
        "at": at,
        "roll_ends_at": iso(target.election.roll_ends_at),
        "register_ends_at": iso(target.election.register_ends_at),
        "due": run.due,
        "removed": run.removed,
        "renewed": run.renewed,
        "complete": complete,
        "items": [
            {"table": table, "kind": kind, **vars(tally)}
            for table, kinds in run.tallies.items()
            for kind, tally in sorted(kinds.items())
        ],
    }


def _described(roll: RollFile, election_id: str) -> dict[str, Any]:
    return {
        "file": str(roll.path),
        "encoding": roll.encoding_name,
        "delimiter": roll.delimiter,
        "election": election_id,
    }


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {"line": fault.line, "column": str(fault.column), "code": fault.code, "reason": fault.reason}


def _settled_json(settled: Settled) -> dict[str, Any]:
    return {
        "line": settled.line,
        "address": settled.masked_address,
        "outcome": settled.outcome.value,
        "differing": [column.value for column in settled.differing],
        "reason": settled.reason,
    }


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


def _reconciliation_json(stack: Stack, result: Reconciliation) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "election": stack.election_id,
        "voters": result.voters,
        "entries": result.entries,
        "issued": result.issued,
        **{status.value: count for status, count in result.by_status.items()},
        "balances": result.balances,
        "faults": result.faults,
    }


def _exit_unless(success: bool) -> None:
    if not success:
        raise typer.Exit(1)
