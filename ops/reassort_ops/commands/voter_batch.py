"""`reassort voter batch`: the next identifier for many voters whose mail was lost."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from reassort.clock import utc_now

from reassort_ops.commands.options import (
    AsJson,
    ElectionsUnread,
    Profile,
    Reason,
    Region,
    StackName,
    exit_unless,
)
from reassort_ops.commands.purge import NOT_AGREED
from reassort_ops.commands.reasons import operators_reason
from reassort_ops.commands.target import helpdesk_api
from reassort_ops.commands.voter import commands
from reassort_ops.failures import OperatorError, tell
from reassort_ops.language import tr
from reassort_ops.output import confirmed, may_ask, progress, say, say_json
from reassort_ops.roll.column_names import Column
from reassort_ops.roll.error_file import raise_if_error_file_exists
from reassort_ops.roll.file import RollFile, open_roll
from reassort_ops.voter.batch import BatchBalance, VoterBatch, listed_voters
from reassort_ops.whole_file import whole_text

__all__ = ["commands"]

# Two e-mails each: a third of the rate of a new account of SES, a tenth of the outbox's.
_PER_MINUTE = 120
_LONGEST_NAME = 80
_HEADER = ("line", "code")


@commands.add(
    "batch",
    epilog=tr(
        "Example: reassort voter batch roll.csv --establishment 'Collège Jean Moulin' --stack reassort "
        "--reason 'plis perdus par le transporteur'\n\n"
        "Example: reassort voter batch list.csv --stack reassort --reason 'plis perdus' --dry-run"
    ),
)
def voter_batch(
    file: Annotated[
        Path,
        typer.Argument(
            metavar=tr("FILE"), help=tr("CSV with a header: email, and establishment to choose one; or a roll")
        ),
    ],
    stack: StackName,
    reason: Reason,
    establishment: Annotated[
        str | None, typer.Option("--establishment", metavar=tr("NAME"), help=tr("Only the voters of this one"))
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar=tr("NAME"),
            help=tr(
                "Of the batch, else the file's: under one name nobody gets two identifiers, however often it is run"
            ),
        ),
    ] = None,
    per_minute: Annotated[
        int, typer.Option("--per-minute", min=1, max=600, metavar="N", help=tr("Voters a minute, two e-mails each"))
    ] = _PER_MINUTE,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Begin without asking"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Only count, whatever else is said"))] = False,
    errors: Annotated[
        Path | None,
        typer.Option(
            "--errors", metavar=tr("FILE"), help=tr("Write each refusal to this CSV file: line and code, no cell")
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help=tr("Overwrite the file of --errors"))] = False,
    _: ElectionsUnread = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Give each voter of a list the next identifier, by e-mail to the address of the list, as
    reassort voter reissue does. The ones before stop working.

    It asks once, on a terminal; anywhere else it does nothing without --yes. A run that was stopped
    is resumed by the same command: under one name of a batch nobody gets a second identifier. A
    voter who has voted, is frozen, has an identifier on its way or is not on the roll is refused,
    counted and skipped.

    Where the election asks for a second person, each is proposed, and somebody else confirms it.

    Exit status: 0 when nobody is left, 3 when it only counted.
    """
    checked = operators_reason(reason)
    if errors is not None:
        raise_if_error_file_exists(errors, force=force)
    named = _name(name, file)
    listed = open_roll(file, partial=True)
    if establishment is not None and not listed.has(Column.ESTABLISHMENT):
        raise OperatorError(
            tr("{file}:{header}: has no column establishment to choose by", file=file, header=listed.header)
        )
    faults = Counter(voter.fault for voter in listed_voters(listed, establishment))
    asked = faults.total()
    if not asked:
        raise OperatorError(
            tr("{file}: names no voter", file=file)
            if establishment is None
            else tr("{file}: names no voter of this establishment", file=file)
        )
    api = helpdesk_api(stack, region, profile)
    me = api.me()
    # An earlier function would not know that it is a batch, and give to the frozen ones too.
    if "batch" not in me["acts"]:
        raise OperatorError(
            tr("{stack}: its helpdesk takes no batch from you: deploy this version of the service first", stack=stack)
        )
    proposes: bool = me["second_person"]
    run = _BatchRun(listed, establishment, named, stack, BatchBalance(asked))
    if not as_json:
        run.say_what(faults[None], per_minute, proposes=proposes)
    if dry_run:
        run.tell(as_json=as_json, begun=False, proposes=proposes)
        raise typer.Exit(NOT_AGREED)
    if not yes and (as_json or not may_ask()):
        raise OperatorError(tr("nothing was asked of the service: --yes begins where nobody can be asked"))
    if not yes and not confirmed(tr("Begin?")):
        run.tell(as_json=as_json, begun=False, proposes=proposes)
        raise typer.Exit(NOT_AGREED)
    batch = VoterBatch(
        api=api,
        name=named,
        reason=checked,
        per_minute=per_minute,
        now=utc_now,
        tell=tell,
    )
    failure: BaseException | None = None
    try:
        run.work(batch)
    except BaseException as error:  # noqa: BLE001 - raised again below, once the balance is told
        failure = error
    run.tell(as_json=as_json, begun=True, proposes=proposes)
    if errors is not None:
        run.write_refused(errors)
    if failure is not None:
        raise failure
    exit_unless(run.balance.left == 0)


def _name(given: str | None, file: Path) -> str:
    name = " ".join((file.name if given is None else given).split())
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise OperatorError(tr("--name takes 1 to {most} characters", most=_LONGEST_NAME))
    return name


class _BatchRun:
    """One batch, and what became of it."""

    def __init__(
        self, listed: RollFile, establishment: str | None, name: str, stack: str, balance: BatchBalance
    ) -> None:
        self._listed = listed
        self._establishment = establishment
        self._name = name
        self._stack = stack
        self.balance = balance
        self._refused: list[tuple[int, str]] = []

    def say_what(self, voters: int, per_minute: int, *, proposes: bool) -> None:
        """Say before anything is done what the batch does, to how many."""
        say(
            tr(
                "batch {name!r} on {stack}: {voters} voters of {path}",
                name=self._name,
                stack=self._stack,
                voters=voters,
                path=self._listed.path,
            )
        )
        if self.balance.asked > voters:
            say(
                tr(
                    "{lines} lines name nobody, or somebody twice: they are passed over",
                    lines=self.balance.asked - voters,
                ),
                "yellow",
            )
        if proposes:
            say(tr("each is proposed to a second person, who confirms it or not; until then nothing changes for them"))
        say(tr("each gets the next identifier by e-mail; each former identifier stops working, for good"), "yellow")
        say(
            tr(
                "at {per_minute} a minute this takes some {minutes} min",
                per_minute=per_minute,
                minutes=-(-voters // per_minute),
            )
        )

    def work(self, batch: VoterBatch) -> None:
        """Give, and note what is refused.

        Raises:
            OperatorError: nothing more can be given.
            KeyboardInterrupt: somebody stopped it.
        """
        voters = listed_voters(self._listed, self._establishment)
        with progress(tr("giving"), self.balance.asked) as advance:
            for _ in batch.run(voters, self.balance, lambda line, code: self._refused.append((line, code))):
                advance(1)

    def write_refused(self, path: Path) -> None:
        """Write the lines that were refused, and why."""
        with whole_text(path, "utf-8-sig") as text:
            writer = csv.writer(text, delimiter=";")
            writer.writerow(_HEADER)
            writer.writerows(self._refused)

    def tell(self, *, as_json: bool, begun: bool, proposes: bool) -> None:
        """Tell where everybody went; before the batch has begun, all of them are left."""
        balance = self.balance
        counts: dict[str, Any] = {
            "asked": balance.asked,
            "given": balance.given,
            "given_before": balance.given_before,
            "proposed": balance.proposed,
            "refused": dict(sorted(balance.refused.items())),
            "left": balance.left,
        }
        if as_json:
            say_json({"batch": self._name, "stack": self._stack, "second_person": proposes, "begun": begun, **counts})
            return
        if not begun:
            say(tr("nothing was done"))
            return
        parts = [
            tr("given {given}", given=balance.given),
            tr("given before {given_before}", given_before=balance.given_before),
        ]
        parts += [tr("proposed {proposed}", proposed=balance.proposed)] if proposes else []
        parts += [tr("refused {refused}", refused=balance.refused.total()), tr("left {left}", left=balance.left)]
        say(
            tr("{name}: asked {asked} = {parts}", name=self._name, asked=balance.asked, parts=" + ".join(parts)),
            None if balance.left else "green",
        )
        for code, count in sorted(balance.refused.items()):
            say(tr("  refused {count}: {code}", count=count, code=code))
        if balance.proposed:
            say(tr("somebody else confirms or refuses each of them: reassort voter proposals, or « À confirmer »"))
        if balance.left:
            say(tr("run the same command again to go on: nobody gets a second identifier"))
