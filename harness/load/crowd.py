"""Voters who lost their identifier, all within minutes: what each does, and what each gets and
when.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import Purpose
from reassort_ops.rehearsal import morning

from harness.service.gsm7 import gsm7_length
from harness.service.reading import identifier_in
from harness.service.world import START

if TYPE_CHECKING:
    from random import Random

    from harness.load.cloud import Cloud
    from harness.service.wire import SentEmail, SentSms
    from harness.service.world import Browser, Enrolled, Response, World

_SMS_PLACES = 160
_SMS_PLACES_OF_EACH_PART = 153
# A voter whose request was answered by « try again » does so this often.
_TRIES = 5


@dataclass(frozen=True)
class CrowdHabits(morning.Habits):
    """A rehearsal's habits, and what voters do who are told to wait: `switches` of them take the
    e-mail.

    Times are seconds; of the former, only channel, double clicks and second requests are played.
    """

    switches: float = 0.6
    looks_after: float = 3.0
    switches_after: tuple[float, float] = (5, 30)
    asks_again_after: tuple[float, float] = (5, 60)

    def line(self) -> str:
        """Say it in words."""
        return (
            f"{self.sms:.0%} of voters choose SMS; they look at the status after {self.looks_after:g} s, and "
            f"{self.switches:.0%} of those who are told to wait switch to e-mail "
            f"{self.switches_after[0]:g}–{self.switches_after[1]:g} s later. {self.clicks_twice:.0%} send the form "
            f"twice at once, {self.asks_again:.0%} ask for another identifier after "
            f"{self.asks_again_after[0]:g}–{self.asks_again_after[1]:g} s. All are signed in beforehand."
        )


@dataclass
class HandOver:
    """A message that a provider took: when, what it was (`kind`, `channel`, `round`), and since
    when it had been queued (seconds).
    """

    at: float
    kind: str
    channel: str
    round: int
    queued_at: float


@dataclass
class CommittedReissue:
    """A committed reissue. Times are seconds of the simulation."""

    reference: str
    voter_id: str
    generation: int
    channel: str
    committed_at: float
    handed_over: list[HandOver] = field(default_factory=list)
    told_at: float | None = None
    told_wait: float | None = None
    switched_at: float | None = None
    superseded_at: float | None = None

    def first(self, kind: str) -> HandOver | None:
        """Return the first hand-over of a message."""
        return next((message for message in self.handed_over if message.kind == kind), None)

    @property
    def complete(self) -> bool:
        """Tell whether all was handed over that had to be: an identifier that was superseded while
        it waited must not.
        """
        identifier = self.first("identifier") is not None or self.superseded_at is not None
        return identifier and self.first("confirmation") is not None


class Crowd:
    """All voters of a run, and the eye that is kept on what they get."""

    def __init__(self, world: World, cloud: Cloud, random: Random, habits: CrowdHabits) -> None:
        self.habits = habits
        self.reissues: list[CommittedReissue] = []
        self.answers: Counter[str] = Counter()
        self.wrong_generation = 0
        self.wrong_recipient = 0
        self.leaked = 0
        self.duplicates = 0
        self.sms_parts: Counter[int] = Counter()
        self.incomplete = 0
        self._world = world
        self._cloud = cloud
        self._random = random
        self._by_generation: dict[tuple[str, int], CommittedReissue] = {}
        self._by_reference: dict[str, CommittedReissue] = {}
        self._latest: dict[str, CommittedReissue] = {}
        self._recipients: dict[str, tuple[str, str]] = {}
        self._seen: set[tuple[str, str, int]] = set()

    def arrive(self, number: int, at: float) -> None:
        """Let a voter come at `at` seconds: all that chance decides about them is decided now."""
        draw = self._random
        channel = "sms" if draw.random() < self.habits.sms else "email"
        key = str(UUID(int=draw.getrandbits(128)))
        start = self._cloud.simulation.start
        plan = _Plan(
            number,
            channel,
            key,
            double_click_after=draw.uniform(0, 0.2) if draw.random() < self.habits.clicks_twice else None,
            second_after=draw.uniform(*self.habits.asks_again_after)
            if draw.random() < self.habits.asks_again
            else None,
            switches_after=draw.uniform(*self.habits.switches_after) if draw.random() < self.habits.switches else None,
        )
        start(at, "voter", partial(self._come, plan))

    # ------------------------------------------------------------ what a voter does

    def _come(self, plan: _Plan) -> None:
        voter = self._world.enrol(f"agent{plan.number}@ac-dijon.fr", f"09E{plan.number:07d}ABC")
        self._recipients[voter.voter_id] = (voter.email, f"+336{plan.number:08d}")
        browser = self._world.signed_in(voter)
        simulation = self._cloud.simulation
        if plan.double_click_after is not None:
            again = partial(self._ask, browser, voter, plan, plan.key)
            simulation.start(simulation.now + plan.double_click_after, "voter", again)
        reissue = self._ask(browser, voter, plan, plan.key)
        if reissue is None:
            return
        if plan.second_after is not None:
            simulation.sleep(plan.second_after)
            self._ask(browser, voter, plan, plan.key[::-1])
        elif plan.channel == "sms":
            self._follow(browser, reissue, plan)

    def _ask(self, browser: Browser, voter: Enrolled, plan: _Plan, key: str) -> CommittedReissue | None:
        """Send the form, and send it again when the answer asks for that."""
        for _ in range(_TRIES):
            with self._cloud.accounted("reissue"):
                answer = browser.reissue(voter.numen, f"06{plan.number:08d}", plan.channel, key)
            self._note(answer)
            if answer.status == 202:
                return self._committed(voter.voter_id, answer.json)
            if "retry-after" not in answer.headers:
                return None
            self._cloud.simulation.sleep(float(answer.headers["retry-after"]))
        return None

    def _follow(self, browser: Browser, reissue: CommittedReissue, plan: _Plan) -> None:
        """Look at the status once, and switch to e-mail when it takes too long."""
        simulation = self._cloud.simulation
        simulation.sleep(self.habits.looks_after)
        with self._cloud.accounted("status"):
            shown = browser.status(reissue.reference).json
        if "expected_wait" not in shown:
            return
        reissue.told_at, reissue.told_wait = simulation.now, shown["expected_wait"]
        if plan.switches_after is None:
            return
        simulation.sleep(plan.switches_after)
        with self._cloud.accounted("redelivery"):
            answer = browser.redeliver(reissue.reference, "email")
        self._note(answer)
        if answer.status == 202 and reissue.first("identifier") is None:
            reissue.switched_at = simulation.now

    def _note(self, answer: Response) -> None:
        self.answers[f"{answer.method} {answer.status} {answer.code or ''}".strip()] += 1

    def _committed(self, voter_id: str, answer: dict[str, Any]) -> CommittedReissue:
        now = self._cloud.simulation.now
        known = self._by_reference.get(answer["reference"])
        if known is not None:
            return known
        reissue = CommittedReissue(answer["reference"], voter_id, answer["generation"], answer["channel"], now)
        self.incomplete += 1
        self.reissues.append(reissue)
        self._by_reference[reissue.reference] = self._by_generation[voter_id, reissue.generation] = reissue
        former, self._latest[voter_id] = self._latest.get(voter_id), reissue
        if former is not None:
            self.incomplete -= not former.complete
            if former.first("identifier") is None:
                former.superseded_at = now
            self.incomplete += not former.complete
        return reissue

    # ------------------------------------------------------------ what a voter gets

    def take_email(self, email: SentEmail) -> None:
        """Look at an e-mail at the moment that SES takes it."""
        kind = email.tags["message"]
        item = self._world.delivery_item(email.tags["delivery"])
        self.wrong_recipient += self._recipients[item["voter_id"]][0] != email.to
        if kind == "identifier":
            self._check_identifier(email.text, item)
        else:
            with suppress(LookupError):
                identifier_in(email.text)
                self.leaked += 1
        self._hand_over(item, kind, "email", int(email.tags["round"]))

    def take_sms(self, sms: SentSms) -> None:
        """Look at an SMS at the moment that SNS takes it."""
        length = gsm7_length(sms.text)
        self.sms_parts[1 if length <= _SMS_PLACES else -(-length // _SMS_PLACES_OF_EACH_PART)] += 1
        hashed = self._world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier_in(sms.text)))
        issued = self._world.engine.get("IdentifiersTable", {"identifier_hash": hashed})
        if issued is None:
            self.wrong_generation += 1
            return
        reissue = self._by_generation[issued["voter_id"], issued["generation"]]
        item = self._world.delivery_item(reissue.reference)
        self.wrong_recipient += self._recipients[item["voter_id"]][1] != sms.to
        self._check_identifier(sms.text, item)
        self._hand_over(item, "identifier", "sms", item["messages"]["identifier"]["round"])

    def _check_identifier(self, text: str, item: dict[str, Any]) -> None:
        """Count an identifier that is not its voter's current one at the moment that a provider
        takes it.
        """
        hashed = self._world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier_in(text)))
        issued = self._world.engine.get("IdentifiersTable", {"identifier_hash": hashed})
        voter = self._world.engine.get("VotersTable", {"voter_id": item["voter_id"]})
        right = (
            issued is not None
            and voter is not None
            and issued["voter_id"] == item["voter_id"]
            and issued["generation"] == item["generation"] == voter["generation"]
        )
        self.wrong_generation += not right

    def _hand_over(self, item: dict[str, Any], kind: str, channel: str, round_: int) -> None:
        now = self._cloud.simulation.now
        place = (item["delivery_id"], kind, round_)
        self.duplicates += place in self._seen
        self._seen.add(place)
        reissue = self._by_reference[item["delivery_id"]]
        self.incomplete -= not reissue.complete
        queued_at = item["queued_at"] / 1000 - START.timestamp()
        reissue.handed_over.append(HandOver(now, kind, channel, round_, queued_at))
        self.incomplete += not reissue.complete


@dataclass(frozen=True)
class _Plan:
    """What one voter will do, and after how many seconds; None for never."""

    number: int
    channel: str
    key: str
    double_click_after: float | None
    second_after: float | None
    switches_after: float | None
