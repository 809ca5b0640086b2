"""What all rules share: the world they act on, what is known of it, and how it is looked at.

Rules are methods of the classes beside this one, one class for each who acts, put together in
`test_service`. A rule is a method under `@step(…)`, whose arguments are drawn; it acts on
`self.world`, asserts what must be true of its own answer, and leaves to the invariants what must be
true of everything.

More than 400 lines, because hypothesis wants what rules share in one class.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from reassort.election_file import ElectionFile, parse_election
from reassort.outbox import WAKE, Delivery, Kind, delivery_from_item
from reassort.sealing import Opener
from reassort.voters import Voter, voter_from_item

from harness.elections import election_content
from harness.engines.ministack import MINISTACK, NO_SORT_KEY, read_stored
from harness.engines.template import OUTBOX
from harness.service.wire import ProcessDiedError
from harness.service.world import Browser, Enrolled, Response, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from hypothesis.strategies import SearchStrategy

    from harness.service.wire import Call, SentEmail

PHONES = ("06 12 34 56 78", "06 98 76 54 32", "0692 12 34 56")
SENDING = ("SendEmail", "Publish")
TABLES = (
    "VotersTable",
    "IdentifiersTable",
    "NumensTable",
    "SignInTable",
    "CodeDeliveriesTable",
    "DeliveriesTable",
    "RegisterTable",
    "HelpdeskRecordTable",
    "LimitsTable",
    "ControlTable",
    "PaceTable",
)
# Which of the three voters who were enrolled last; a rule is given the voter's place among all, as
# `who`.
WHO = st.integers(0, 2)
# Which of however many there are by then: see `pick`.
WHICH = st.integers(0, 999)
SOME = st.lists(WHICH, min_size=1, max_size=3)
# A session ends after a quarter of an hour without a request.
_SESSION_SECONDS = 10 * 60
# Tries of a client whose request gets no answer.
_TRIES = 3


def step(**drawn: SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a rule of a method: its arguments are drawn from the strategies, and its executions are
    counted.
    """

    def decorate(action: Callable[..., None]) -> Callable[..., None]:
        @wraps(action)
        def run(machine: Machine, **values: Any) -> None:
            machine.steps[action.__name__] += 1
            if "who" in values:
                machine.keep_two_free()
                values["who"] = (-1 - values["who"]) % len(machine.voters)
            action(machine, **values)

        # Its types take each strategy by a name that is known beforehand.
        make: Any = rule
        made: Callable[..., None] = make(**drawn)(run)
        return made

    return decorate


def pick[T](which: int, of: Sequence[T]) -> T:
    """Return one of a sequence, which must not be empty."""
    return of[which % len(of)]


def phone_of(who: int) -> str:
    """Return a voter's own number. Those of `PHONES` are shared, up to the limit of voters for one
    number.
    """
    return f"06 23 45 67 {who:02d}"


@cache
def roomy_election() -> ElectionFile:
    """Return the Dijon election with limits that a long schedule does not reach at once."""
    content = election_content("dijon-2018")
    content["limits"]["reissues"] = {"per_day": 20, "in_all": 50}
    content["limits"]["phone"] = {"voters": 2, "sms_per_day": 100}
    return parse_election(content, "dijon-2018.yaml")


@dataclass(frozen=True)
class AcceptedRequest:
    """A reissue that was accepted: who sent which form under which key, and the answer."""

    who: int
    key: str
    form: dict[str, str]
    answer: Response

    @property
    def reference(self) -> str:
        """The reference of the reissue."""
        reference: str = self.answer.json["reference"]
        return reference


class Machine(RuleBasedStateMachine):
    """Voters, each with a browser, and a world that the rules make fail now and then."""

    # Over all schedules: how often each rule ran, and how often each kind of answer was seen.
    steps: ClassVar[Counter[str]] = Counter()
    outcomes: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open_election(self) -> None:
        """Two voters are on the roll and have been signed in."""
        self.world = World(roomy_election(), seed=0).__enter__()
        self.helpdesk = self.world.agent("marie", "agent")
        # Every identifier ever issued: voter and generation by its text.
        self.issued: dict[str, tuple[str, int]] = {}
        # Generation of the identifier that voted, by voter.
        self.voted: dict[str, int] = {}
        self.requests: list[AcceptedRequest] = []
        # Events that woke delivery, by their sequence number, and those of them that were lost on
        # the way.
        self.events: dict[str, dict[str, Any]] = {}
        self.lost: list[dict[str, Any]] = []
        # What brings each report of a provider once more.
        self.reports: list[Callable[[], None]] = []
        # Identifiers that were sent when they were no longer their voter's current one.
        self.late: list[str] = []
        # Whether a message may have been sent and taken for not sent.
        self.replies_lost = False
        self._asked = 0
        self._noted: set[tuple[str, int]] = set()
        self._deliveries: dict[str, tuple[dict[str, Any], Delivery]] = {}
        self._entries: dict[str, tuple[dict[str, Any], Voter]] = {}
        self.voters: list[Enrolled] = []
        self.browsers: list[Browser] = []
        self._signed_in_at: list[datetime] = []
        self.keep_two_free()
        self._opener = Opener(self.world.wire.operator.kms, self.world.encryption_key)
        self.world.wire.interceptors.append(self._watch)

    def keep_two_free(self) -> None:
        """Enrol voters until two have neither voted nor been frozen: otherwise little is left to do
        after a few steps.
        """
        while sum(entry.voted_at is None and entry.frozen_at is None for entry in self.entries()) < 2:
            self.enrol_another()

    def enrol_another(self) -> None:
        """Put another voter on the roll, signed in."""
        number = len(self.voters)
        voter = self.world.enrol(f"voter{number}@ac-dijon.fr", numen=f"09E{number:07d}ABC")
        self.voters.append(voter)
        self.issued[voter.identifier] = (voter.voter_id, 1)
        self._noted.add((voter.voter_id, 1))
        self.browsers.append(self.world.signed_in(voter))
        self._signed_in_at.append(self.world.clock())

    # ------------------------------------------------------------ how the world is looked at

    def deliveries(self) -> list[Delivery]:
        """Return every delivery. One that has not been written since the last look is not read
        again.
        """
        found: dict[str, tuple[dict[str, Any], Delivery]] = {}
        for table in OUTBOX.all:
            for (delivery_id, _), stored in MINISTACK.stored(table).items():
                known = self._deliveries.get(delivery_id)
                found[delivery_id] = (
                    known if known and known[0] is stored else (stored, delivery_from_item(read_stored(stored)))
                )
        self._deliveries = found
        return [delivery for _, delivery in found.values()]

    def entries(self) -> list[Voter]:
        """Return every voter's entry, in the order of `voters`; as with deliveries, read only once
        written.
        """
        stored = MINISTACK.stored("VotersTable")
        return [self._entry(voter.voter_id, stored[voter.voter_id, NO_SORT_KEY]) for voter in self.voters]

    def erased_at(self, delivery: Delivery) -> int:
        """Return when what a delivery says is erased, unless nobody can ask for it before."""
        return delivery.created_at + self.world.election.retention.redelivery_minutes * 60_000

    def voter(self, who: int) -> Voter:
        """Return a voter's entry as it stands."""
        return self.entries()[who]

    def identifiers_of(self, enrolled: Enrolled) -> dict[int, str]:
        """Return every identifier ever issued to a voter, by generation."""
        return {
            generation: identifier
            for identifier, (owner, generation) in self.issued.items()
            if owner == enrolled.voter_id
        }

    def newest_code(self, who: int) -> str | None:
        """Return the one-time code that a voter was sent last, None when there was none."""
        email = self.voters[who].email
        return (
            self.world.code_for(email)
            if any(mail.tags["message"] == "code" for mail in self.world.mail_to(email))
            else None
        )

    def newest_identifier(self, who: int) -> str:
        """Return the identifier that was issued last to a voter."""
        self.note_issued()
        identifiers = self.identifiers_of(self.voters[who])
        return identifiers[max(identifiers)]

    def confirmations(self) -> list[SentEmail]:
        """Return the confirmations that were sent, oldest first."""
        return [email for email in self.world.emails if email.tags["message"] == "confirmation"]

    def snapshot(self, *tables: str) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
        """Return all items of the tables (all tables unless told), to compare with another
        snapshot.
        """
        return {table: MINISTACK.stored(table) for table in tables or TABLES}

    @contextmanager
    def unchanged(self, *tables: str) -> Iterator[None]:
        """Assert that what is done inside changes nothing in the tables and sends nothing."""
        before, sent = self.snapshot(*tables), self.sent_count()
        yield
        assert self.snapshot(*tables) == before
        assert self.sent_count() == sent

    def sent_count(self) -> int:
        """Return how many messages were sent."""
        return len(self.world.emails) + len(self.world.sms) + len(self.world.alerts)

    def saw(self, rule_name: str, answer: Response) -> Response:
        """Count the kind of an answer, and give it back."""
        self.outcomes[f"{rule_name} {answer.code or answer.status}"] += 1
        return answer

    def note_issued(self) -> None:
        """Open each sealed payload once, to know every identifier, whether or not it was sent."""
        for delivery in self.deliveries():
            owner = (delivery.voter_id, delivery.generation)
            if delivery.kind is Kind.REISSUE and delivery.payload is not None and owner not in self._noted:
                payload = self._opener.open_payload(delivery.delivery_id, delivery.payload)
                self.issued[payload["identifier"]] = owner
                self._noted.add(owner)

    # ------------------------------------------------------------ parts of rules

    def be_signed_in(self, who: int) -> Browser:
        """Return the voter's browser, signed in again if its session may have ended."""
        now = self.world.clock()
        if (now - self._signed_in_at[who]).total_seconds() > _SESSION_SECONDS:
            self.browsers[who] = self.world.signed_in(self.voters[who])
            self._signed_in_at[who] = now
        return self.browsers[who]

    def request_reissue(
        self, who: int, phone: str, channel: str, *, right: bool = True, alone: bool = True
    ) -> Response:
        """Send a form under a new key, again under that key when no answer comes; keep what was
        accepted.

        Unless `alone`, another request may reissue meanwhile.
        """
        generation = self.voter(who).generation
        form = {
            "numen": self.voters[who].numen if right else "99Z9999999ZZZ",
            "phone": phone,
            "channel": channel,
        }
        self._asked += 1
        key = f"request-{self._asked:010d}"
        answer = self.saw("reissue", self._ask(self.browsers[who], form, key))
        if answer.status == 202:
            assert right
            if alone:
                assert answer.json["generation"] == generation + 1
            self.requests.append(AcceptedRequest(who, key, form, answer))
        else:
            assert answer.status in {401, 403, 409, 422, 429}
            if alone:
                assert self.voter(who).generation == generation
        return answer

    def cast_vote(self, identifier: str) -> Response:
        """Record a vote as the voting platform does, and keep what was counted."""
        owner, generation = self.issued[identifier]
        answer = self.saw("vote", self.world.vote(identifier))
        if answer.status == 200:
            self.count_vote(owner, generation)
        else:
            assert answer.status == 409
        return answer

    def count_vote(self, voter_id: str, generation: int) -> None:
        """Keep a vote that was counted."""
        assert voter_id not in self.voted, "a second vote was counted"
        self.voted[voter_id] = generation

    def deliver(self) -> None:
        """Run the outbox until no worker dies in it."""
        self.keep_events(self.woken_events())
        while True:
            with self.surviving() as survived:
                self.world.run_outbox()
            if survived:
                return

    @contextmanager
    def surviving(self) -> Iterator[list[bool]]:
        """Give a list that is not empty afterwards if nobody died inside."""
        survived: list[bool] = []
        with suppress(ProcessDiedError):
            yield survived
            survived.append(True)

    @contextmanager
    def slipping_in(self, moment: str, action: Callable[[], object]) -> Iterator[None]:
        """Run `action` just before the next call of an AWS operation that is made inside, if there
        is one.
        """
        interceptors = len(self.world.wire.interceptors)
        self.world.interleave(moment, action)
        yield
        del self.world.wire.interceptors[interceptors:]

    def settle(self) -> None:
        """Fix everything and let time pass until each delivery has ended: nothing to send, and
        nothing kept too long.
        """
        self.world.repair()
        for _ in range(12):
            self.note_issued()
            self.deliver()
            if all(delivery.all_settled and self._is_closed(delivery) for delivery in self.deliveries()):
                return
            self.world.clock.move(minutes=16)
            self.world.sweep()
        raise AssertionError("a delivery never ends")

    def woken_events(self) -> list[dict[str, Any]]:
        """Return the stream's events that delivery has not been given yet, filtered as the trigger
        filters.
        """
        return [
            event
            for event in self.world.new_records()
            if event["dynamodb"].get("NewImage", {}).get("wake", {}).get("S") == WAKE
        ]

    def keep_events(self, events: Iterable[dict[str, Any]]) -> None:
        """Keep events, to bring them again one day."""
        self.events |= {event["dynamodb"]["SequenceNumber"]: event for event in events}

    def bring(self, which: Sequence[int], events: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Bring some of the events to delivery, in the order and as often as `which` says; return
        its answer.
        """
        answer: dict[str, Any] = self.world.wake(
            "notify", self.world.stream_event([pick(number, events) for number in which])
        )
        return answer

    def _ask(self, browser: Browser, form: dict[str, str], key: str) -> Response:
        for _ in range(_TRIES):
            with self.surviving():
                answer = browser.reissue(**form, key=key)
                if answer.status != 503:
                    return answer
        raise AssertionError("a reissue that is asked for again and again is never answered")

    def _is_closed(self, delivery: Delivery) -> bool:
        return delivery.due_at in {None, self.erased_at(delivery)}

    def _entry(self, voter_id: str, stored: dict[str, Any]) -> Voter:
        known = self._entries.get(voter_id)
        if known is None or known[0] is not stored:
            known = self._entries[voter_id] = (stored, voter_from_item(read_stored(stored)))
        return known[1]

    def _watch(self, call: Call) -> None:
        if call.operation not in SENDING:
            return
        self.note_issued()
        content = repr(call.parameters)
        for identifier, (owner, generation) in self.issued.items():
            if identifier in content:
                (entry,) = [entry for entry in self.entries() if entry.voter_id == owner]
                if entry.generation != generation:
                    self.late.append(f"generation {generation} of {owner}")
