"""`reassort rehearse`: a first morning, played by fictional voters."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import httpx
import typer
from botocore.exceptions import ClientError
from reassort.clock import epoch_milliseconds, utc_now
from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import HashKey, Purpose
from reassort.phones import PhoneError, normalise_phone
from reassort.sealing import Opener

from reassort_ops.commands.options import AsJson, Elections, Profile, Region, StackName, exit_unless
from reassort_ops.commands.purge import NOT_AGREED
from reassort_ops.commands.target import Target
from reassort_ops.failures import OperatorError
from reassort_ops.language import number, tr
from reassort_ops.output import Watched, confirmed, may_ask, progress, say, say_json, say_table, watch
from reassort_ops.register.check import verify_register
from reassort_ops.rehearsal.morning import Habits, Morning, MorningTally, RehearsedService, VoterPlan, plan_morning
from reassort_ops.rehearsal.outcome import Delivered, RehearsalOutcome, judge, percentile, settle
from reassort_ops.rehearsal.post import Post
from reassort_ops.rehearsal.roll import SOURCE, FictionalRoll, Removal, is_here, raise_if_real, raise_if_unfit
from reassort_ops.roll.enrolment import ENROLLING, Enroller
from reassort_ops.roll.importing import Balance, RollImport, RowOutcome, Settled
from reassort_ops.roll.writes import TransactionWriter

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from reassort.election import Election

_THREADS = 16
_SECONDS_TO_ANSWER = 30.0
# A message that has not been sent counts as lost after this time without any change.
_PATIENCE_SECONDS = 180.0
_LOOK_SECONDS = 0.5


def rehearse(
    stack: StackName,
    voters: Annotated[
        int, typer.Option(min=1, max=2_000_000, help=tr("How many voters the fictional roll has"))
    ] = 1000,
    share: Annotated[
        float, typer.Option(min=0, max=100, help=tr("Per cent of them who ask for a new identifier"))
    ] = 20,
    minutes: Annotated[float, typer.Option(min=0.05, max=1440, help=tr("How long they take to come"))] = 10,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=10**10, help=tr("Who they are and what they do; another roll each time by default")),
    ] = None,
    clients: Annotated[int, typer.Option(min=1, max=2000, help=tr("Calls under way at once, at most"))] = 64,
    haste: Annotated[
        float, typer.Option(min=1, max=1000, help=tr("How many times faster than people they read, type and think"))
    ] = 1,
    url: Annotated[
        str | None,
        typer.Option(metavar=tr("URL"), help=tr("Where a local stack's voter space answers, else its output SiteUrl")),
    ] = None,
    phones: Annotated[
        Path | None,
        typer.Option(
            metavar=tr("FILE"), help=tr("Numbers that may get SMS, one a line; without it, on AWS, all choose e-mail")
        ),
    ] = None,
    clean: Annotated[bool, typer.Option("--clean", help=tr("Only remove what rehearsals left on the stack"))] = False,
    yes: Annotated[bool, typer.Option("--yes", help=tr("Begin without asking"))] = False,
    elections: Elections = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Put a fictional roll on a stack, play a first morning against it, and say what was lost.

    It refuses a stack that is protected from deletion or has any voter whom no rehearsal made,
    before anything is written. E-mails go to SES's mailbox simulator only, so the stack's election
    file must accept its domain (docs/rehearsal.md); on a local stack they go nowhere. The fictional
    roll stays until --clean removes it.

    Exit status: 0 when nothing was lost and the register reconciles, 3 when nobody agreed.
    """
    target = Target(stack, elections, region, profile)
    dynamodb = target.aws.dynamodb(_THREADS)
    if clean:
        _clean(target, Removal(dynamodb, target.stack), yes=yes, as_json=as_json)
        return
    here = is_here(dynamodb)
    election = target.election
    raise_if_unfit(election, utc_now(), here=here)
    numbers = _read_phones(phones, election, voters * share / 100) if phones else ()
    site = _site(target, url, here=here)
    registry = _registry(site, target, here=here)
    with progress(tr("looking for real voters"), None) as advance:
        raise_if_real(dynamodb, target.stack, advance)
    seed = int(time.time()) if seed is None else seed
    roll = FictionalRoll(election, seed=seed, voters=voters, here=here, phones=numbers)
    habits = Habits().hastened(haste)
    plans = plan_morning(roll, habits, share=share / 100, seconds=minutes * 60, by_sms=here or bool(numbers))
    if not (here or yes):
        asking = sum(not plan.votes_only for plan in plans)
        question = tr(
            "Put {voters} fictional voters on {stack} in {region}, of whom {asking} ask for an identifier?",
            voters=voters,
            stack=stack,
            region=target.aws.session.region_name,
            asking=asking,
        )
        if as_json or not may_ask() or not confirmed(question):
            typer.echo(tr("{question} Say --yes.", question=question), err=True)
            raise typer.Exit(NOT_AGREED)
    _put_on_stack(target, roll)
    platform = _platform(target) if election.windows.voting.contains(utc_now()) else None
    run = _RehearsalRun(target, roll, plans, habits, site, registry, platform, clients, here)
    try:
        with watch(tr("rehearsal"), run.seen) as show:
            lasted = asyncio.run(run.play(show))
    except KeyboardInterrupt:
        _say_interrupted(run, stack, as_json=as_json)
        raise
    delivered = run.judge()
    with progress(tr("verifying the register"), None) as advance:
        since = election.retention.deliveries_since(utc_now())
        register = verify_register(dynamodb, target.stack, advance, reissued_since=since)
    outcome = RehearsalOutcome(
        stack=stack,
        election=election.id,
        seed=seed,
        voters=voters,
        share=share,
        seconds=minutes * 60,
        at_once=clients,
        lasted=lasted,
        tally=run.tally,
        delivered=delivered,
        register=register,
    )
    if as_json:
        say_json(outcome.as_json())
    else:
        _say(outcome)
    exit_unless(not outcome.broken)


@dataclass
class _RehearsalRun:
    """One morning: what it needs, and what has happened so far."""

    target: Target
    roll: FictionalRoll
    plans: list[VoterPlan]
    habits: Habits
    site: str
    registry: str
    platform: Credentials | None
    clients: int
    here: bool

    def __post_init__(self) -> None:
        self.tally = MorningTally()
        self._post: Post | None = None
        self._since = epoch_milliseconds(utc_now())
        self._started = time.monotonic()
        asking = [plan.voter for plan in self.plans if not plan.votes_only]
        self._hashes = self.target.keyed_hash(HashKey.VOTER, HashKey.IDENTIFIER)
        self._voter_ids = {voter.number: self._hashes.voter_id(voter.email) for voter in asking}

    async def play(self, show: Callable[[], object]) -> float:
        """Play the morning, wait until all has been sent, and return how many seconds voters came
        for.
        """
        aws, stack = self.target.aws, self.target.stack
        post = Post(
            dynamodb=aws.dynamodb(),
            streams=aws.streams(),
            opener=Opener(aws.kms(_THREADS), stack.encryption_key_id),
            stack=stack,
            here=self.here,
        )
        service = RehearsedService(
            url=self.site,
            origin=stack.site_url,
            registry_url=self.registry,
            region=aws.session.region_name or "",
            platform=self.platform,
            at_once=self.clients,
            trust_environment=not self.here,
            tally=self.tally,
        )
        async with post, service:
            self._post = post
            self._started = time.monotonic()
            showing = asyncio.create_task(_keep_showing(show))
            try:
                await Morning(service, post, self.habits, self._voter_ids).play(self.plans)
                lasted = time.monotonic() - self._started
                await settle(post, self.tally, _PATIENCE_SECONDS)
            finally:
                showing.cancel()
        return lasted

    def judge(self) -> Delivered:
        """Look up what became of it."""
        identifiers = self._post.identifiers if self._post else {}
        return judge(
            self.target.aws.dynamodb(),
            self.target.stack,
            self.tally,
            frozenset(self._voter_ids.values()),
            self._since,
            {
                reference: self._hashes.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
                for reference, identifier in identifiers.items()
            },
            frozenset(self._post.sent_too_late if self._post else ()),
        )

    def seen(self) -> Watched:
        """Say in short where it stands."""
        tally = self.tally
        refused = sum(call.refused for call in tally.calls.values())
        failed = sum(call.failed for call in tally.calls.values())
        limits = sum(count for (_, status, _), count in tally.refusals.items() if status == 429)
        reissue = tally.calls.get("POST reissue")
        return {
            tr("seconds"): f"{time.monotonic() - self._started:.0f}",
            tr("came"): tr("{came} of {expected}", came=tally.came, expected=tally.expected),
            tr("signed in"): str(tally.signed_in),
            tr("reissues"): str(len(tally.committed)),
            tr("identifiers arrived"): str(len(self._post.identifiers) if self._post else 0),
            tr("waiting to be sent"): str(self._post.unsettled if self._post else 0),
            tr("votes"): str(tally.votes),
            tr("gone"): str(tally.done),
            tr("refused, failed, limits"): f"{refused}, {failed}, {limits}",
            tr("reissue answered in (95 %), s"): number(percentile(reissue.took, 95) if reissue else 0, 2),
        }


async def _keep_showing(show: Callable[[], object]) -> None:
    while True:
        show()
        await asyncio.sleep(_LOOK_SECONDS)


def _site(target: Target, url: str | None, *, here: bool) -> str:
    """Find where voters are served, and that somebody answers there."""
    own = target.stack.site_url
    site = (url or own).rstrip("/")
    if not site or not own:
        raise OperatorError(
            tr("stack {target} has no output SiteUrl: is it a stack of this service?", target=target.name)
        )
    if not here and site != own:
        raise OperatorError(
            tr(
                "the voters of stack {target} are served at {own}: --url is for a local stack",
                target=target.name,
                own=own,
            )
        )
    try:
        answer = httpx.get(f"{site}/api/reissue", timeout=_SECONDS_TO_ANSWER, trust_env=not here)
    except httpx.HTTPError as error:
        raise OperatorError(tr("{site} does not answer: {error}", site=site, error=type(error).__name__)) from error
    if answer.status_code != 401:
        raise OperatorError(
            tr(
                "{site} is not the voter space: it answered {status} to GET /api/reissue",
                site=site,
                status=answer.status_code,
            )
        )
    return site


def _registry(site: str, target: Target, *, here: bool) -> str:
    """Find where the registry answers. A local gateway says it; its host is part of what is
    signed.
    """
    if not here:
        return target.stack.api_url
    with suppress(httpx.HTTPError, ValueError, KeyError, TypeError):
        info = httpx.get(f"{site}/_local/info", timeout=_SECONDS_TO_ANSWER, trust_env=False).raise_for_status()
        return str(json.loads(info.text)["api_url"])
    return site


def _platform(target: Target) -> Credentials | None:
    """Take the voting platform's role, if this operator may. In another account it is not theirs to
    take.
    """
    try:
        return target.aws.assume(target.stack.voting_platform_role, "rehearsal")
    except ClientError as error:
        code = error.response["Error"].get("Code", "?")
        typer.echo(
            tr(
                "no votes are played: {role}: {code}",
                role=target.stack.voting_platform_role,
                code=code,
            ),
            err=True,
        )
        return None


def _read_phones(path: Path, election: Election, asking: float) -> tuple[str, ...]:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    for place, line in enumerate(lines, 1):
        try:
            normalise_phone(line, election.phones.territories)
        except PhoneError as error:
            raise OperatorError(
                tr(
                    "{path}:{number}: not a mobile number that the election takes ({error})",
                    path=path,
                    number=place,
                    error=error,
                )
            ) from error
    if len(lines) * election.limits.phone.voters < asking:
        raise OperatorError(
            tr(
                "{path}: {numbers} numbers serve {voters} voters, {asking:.0f} ask",
                path=path,
                numbers=len(lines),
                voters=len(lines) * election.limits.phone.voters,
                asking=asking,
            )
        )
    return tuple(lines)


def _put_on_stack(target: Target, roll: FictionalRoll) -> None:
    run = RollImport(
        reader=target.dynamodb,
        writer=TransactionWriter(target.aws.session, _THREADS),
        stack=target.stack,
        enroller=Enroller(
            target.keyed_hash(*ENROLLING), f"{SOURCE}:{target.aws.operator()}", epoch_milliseconds(utc_now())
        ),
    )
    balance = Balance(roll.size)
    with progress(tr("putting the fictional roll on the stack"), roll.size) as advance:

        def settled(batch: Sequence[Settled]) -> None:
            for row in batch:
                balance.counts[row.outcome] += 1
            advance(len(batch))

        run.run(roll.rows(), settled, _THREADS)
    if not balance.is_complete:
        raise OperatorError(
            tr(
                "{voters} fictional voters are on the stack otherwise: take another --seed, or --clean first",
                voters=balance.counts[RowOutcome.CHANGED] + balance.counts[RowOutcome.REJECTED],
            )
        )


def _clean(target: Target, removal: Removal, *, yes: bool, as_json: bool) -> None:
    question = tr("Remove every fictional voter from {target}, with all that is theirs?", target=target.name)
    if not yes and (as_json or not may_ask() or not confirmed(question)):
        typer.echo(tr("{question} Say --yes.", question=question), err=True)
        raise typer.Exit(NOT_AGREED)
    done = False
    try:
        with progress(tr("removing"), None) as advance:
            removal.run(advance)
        done = True
    finally:
        if as_json:
            say_json({"stack": target.name, "voters": removal.voters, "removed_items": removal.items, "complete": done})
        else:
            say(
                tr(
                    "{target}: {voters} fictional voters, {items} items removed",
                    target=target.name,
                    voters=removal.voters,
                    items=removal.items,
                ),
                "green" if done else None,
            )
            if not done:
                say(tr("run the same command again to remove the rest"))


def _say_interrupted(run: _RehearsalRun, stack: str, *, as_json: bool) -> None:
    tally = run.tally
    if as_json:
        said = {"came": tally.came, "expected": tally.expected, "committed": len(tally.committed)}
        say_json({"stack": stack, "seed": run.roll.seed, "voters": run.roll.size, "interrupted": True, **said})
        return
    say(
        tr(
            "interrupted: {came} of {expected} voters had come, {count} reissues were committed; the "
            "fictional roll stays on {stack} until reassort rehearse --clean",
            came=tally.came,
            expected=tally.expected,
            count=len(tally.committed),
            stack=stack,
        )
    )


def _say(outcome: RehearsalOutcome) -> None:
    say_table(("", tr("number"), tr("refused"), tr("failed"), "50 %, s", "95 %, s", "99 %, s"), list(outcome.rows()))
    say_table(("", ""), list(outcome.sums()))
    for promise in outcome.broken:
        say(tr("broken: {promise}", promise=promise), "red")
    say(
        tr(
            "{stack} ({election}): {came} voters in {lasted:.0f} s, seed {seed}: {result}",
            stack=outcome.stack,
            election=outcome.election,
            came=outcome.tally.came,
            lasted=outcome.lasted,
            seed=outcome.seed,
            result=tr("nothing lost") if not outcome.broken else tr("promises were broken"),
        ),
        "red" if outcome.broken else "green",
    )
