"""Any schedule of sign-ins, reissues, votes, disputes, deliveries, faults and replays keeps the invariants.

The service runs in one process, on a clock that only the rules move. `STATEFUL_EXAMPLES` and `STATEFUL_STEPS` ask for
more schedules or longer ones; `STATEFUL_SEARCH=1` draws new ones instead of the same each time.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reassort.election import Election, parse_election
from reassort.outbox import WAKE, Kind, Message, Status, delivery_from_item
from reassort.register import GENESIS, Change, entry_from_item
from reassort.sealing import Opener

from tests.elections import election_content
from tests.wire import ProcessDiedError, aws_error, no_reply
from tests.world import Browser, Enrolled, Response, World, dispute_token_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.wire import Call

PHONES = ("06 12 34 56 78", "06 98 76 54 32", "0692 12 34 56")
SENDING = ("SendEmail", "Publish")
# The moment between a claim and what follows from it is where another request does most harm.
MOMENTS = (*SENDING, "Decrypt", "UpdateItem", "GetItem")
TABLES = ("VotersTable", "IdentifiersTable", "SignInTable", "DeliveriesTable", "RegisterTable", "LimitsTable")


def roomy_election() -> Election:
    """Return the Dijon election with limits that a long schedule does not reach at once."""
    content = election_content("dijon-2018")
    content["limits"]["reissues"] = {"per_day": 20, "in_all": 50}
    content["limits"]["phone"] = {"voters": 2, "sms_per_day": 100}
    return parse_election(content, "dijon-2018.yaml")


class Service(RuleBasedStateMachine):
    """Two voters, each with a browser, a voting platform, and a world that fails now and then."""

    voters: list[Enrolled]
    browsers: list[Browser]

    @initialize()
    def open_election(self) -> None:
        """Two voters are on the roll and have been signed in."""
        self.world = World(roomy_election()).__enter__()
        self.voters = [
            self.world.enrol(f"{name}@ac-dijon.fr", numen=f"09E990012{number}ABC")
            for number, name in enumerate(("anne", "bruno"))
        ]
        self.browsers = [self.world.browser() for _ in self.voters]
        for voter, browser in zip(self.voters, self.browsers, strict=True):
            assert browser.sign_in(voter.email).status == 200
        # Every identifier ever issued: what it belongs to, by its text.
        self.issued = {voter.identifier: (voter.voter_id, 1) for voter in self.voters}
        self.requests: dict[str, tuple[int, dict[str, str], Response]] = {}
        self.events: list[dict[str, Any]] = []
        self.late: list[str] = []
        self.replies_lost = False
        self._opener = Opener(self.world.wire.operator.kms, self.world.encryption_key)
        self.world.wire.interceptors.append(self._watch)

    def teardown(self) -> None:
        """Let everything settle, look once more, and close the world."""
        if not hasattr(self, "world"):
            return
        try:
            self.settle()
            self.identifiers_and_register_agree()
        finally:
            self.world.__exit__(None, None, None)

    # ------------------------------------------------------------ voters

    @rule(who=st.integers(0, 1), right=st.booleans())
    def sign_in(self, who: int, right: bool) -> None:
        browser, email = self.browsers[who], self.voters[who].email
        if browser.ask_code(email).status != 202:
            return
        self.deliver()
        code = self.world.code_for(email)
        typed = code if right else f"{(int(code) + 1) % 10**6:06d}"
        assert browser.redeem(typed).status in {200, 401, 429}

    @rule(who=st.integers(0, 1))
    def redeem_an_old_code(self, who: int) -> None:
        before = self.snapshot("VotersTable", "IdentifiersTable", "RegisterTable", "DeliveriesTable")
        assert self.browsers[who].redeem(self.world.code_for(self.voters[who].email)).status in {200, 401, 429}
        assert self.snapshot("VotersTable", "IdentifiersTable", "RegisterTable", "DeliveriesTable") == before

    @rule(
        who=st.integers(0, 1),
        phone=st.sampled_from(PHONES),
        channel=st.sampled_from(("sms", "email")),
        right=st.sampled_from((True, True, True, True, False)),
    )
    def reissue(self, who: int, phone: str, channel: str, right: bool) -> None:
        self.request_reissue(who, phone, channel, right=right)

    @rule(
        who=st.integers(0, 1),
        when=st.sampled_from(("before", "after")),
        error=st.sampled_from(("throttled", "died", "no reply")),
    )
    def reissue_and_fail(self, who: int, when: str, error: str) -> None:
        """The transaction fails, or commits and its answer is lost; the same request then finds out."""
        errors = {
            "throttled": aws_error("ProvisionedThroughputExceededException"),
            "died": ProcessDiedError(),
            "no reply": no_reply(),
        }
        inject = self.world.fail if when == "before" else self.world.lose_reply
        fault = inject("TransactWriteItems", errors[error])
        with suppress(ProcessDiedError):
            self.request_reissue(who, PHONES[who], "sms", right=True)
        fault.times = 0

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def replay_a_request(self, data: st.DataObject) -> None:
        """I6: the same request under the same key says the same and changes nothing."""
        key = data.draw(st.sampled_from(sorted(self.requests)))
        who, form, first = self.requests[key]
        before = self.snapshot()
        again = self.browsers[who].reissue(**form, key=key)
        assert again.status in {202, 401}
        if again.status == 202:
            assert again.json == first.json
        other = self.browsers[who].reissue(**{**form, "phone": "07 00 00 00 00"}, key=key)
        assert other.code in {"idempotency-mismatch", "signed-out"}
        assert self.snapshot() == before

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), channel=st.sampled_from(("sms", "email")))
    def redeliver(self, data: st.DataObject, channel: str) -> None:
        key = data.draw(st.sampled_from(sorted(self.requests)))
        who, _, first = self.requests[key]
        before = self.snapshot("VotersTable", "IdentifiersTable", "RegisterTable")
        assert self.browsers[who].redeliver(first.json["reference"], channel).status in {202, 401, 409, 422, 429}
        assert self.snapshot("VotersTable", "IdentifiersTable", "RegisterTable") == before

    @rule(data=st.data())
    def dispute(self, data: st.DataObject) -> None:
        mails = [email for email in self.world.emails if email.tags["message"] == "confirmation"]
        if not mails:
            return
        mail = data.draw(st.sampled_from(mails))
        assert self.world.browser().dispute(dispute_token_in(mail)).status == 202
        before = self.snapshot()
        assert self.world.browser().dispute(dispute_token_in(mail)).status == 202
        assert self.snapshot() == before

    # ------------------------------------------------------------ the voting platform

    @rule(data=st.data())
    def vote(self, data: st.DataObject) -> None:
        identifier = data.draw(st.sampled_from(sorted(self.issued, key=self.issued.__getitem__)))
        status = self.world.check(identifier)["status"]
        answer = self.world.vote(identifier)
        assert answer.status == (200 if status == "active" else 409)
        before = self.snapshot()
        assert self.world.vote(identifier).status == 409
        assert self.snapshot() == before

    # ------------------------------------------------------------ delivery

    @rule()
    def run_outbox(self) -> None:
        self.deliver()

    @rule(data=st.data())
    def run_part_of_the_outbox(self, data: st.DataObject) -> None:
        """Some events, in any order, maybe twice; the trigger will bring all of them again."""
        events = self.woken_events()
        if not events:
            return
        picked = data.draw(st.lists(st.sampled_from(range(len(events))), min_size=1, max_size=4))
        with suppress(ProcessDiedError):
            self.world.triggers.on_stream(self.world.stream_event([events[number] for number in picked]))

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @precondition(lambda self: self.events)
    @rule(data=st.data())
    def replay_events(self, data: st.DataObject) -> None:
        """I6: once everything is settled, no event of the past changes or sends anything."""
        self.settle()
        events = data.draw(st.lists(st.sampled_from(range(len(self.events))), min_size=1, max_size=4))
        before, sent = self.snapshot(), self.sent_count()
        answer = self.world.triggers.on_stream(self.world.stream_event([self.events[number] for number in events]))
        assert answer == {"batchItemFailures": []}
        assert (self.snapshot(), self.sent_count()) == (before, sent)

    @rule(who=st.integers(0, 1), moment=st.sampled_from(MOMENTS), what=st.sampled_from(("reissue", "vote", "worker")))
    def something_slips_in(self, who: int, moment: str, what: str) -> None:
        """While delivery works, another request or another worker does."""

        def reissue() -> None:
            self.request_reissue(who, PHONES[who], "sms", right=True)

        def vote() -> None:
            newest = max(
                (identifier for identifier, (owner, _) in self.issued.items() if owner == self.voters[who].voter_id),
                key=lambda identifier: self.issued[identifier][1],
            )
            self.world.vote(newest)

        def work() -> None:
            if events := self.woken_events():
                self.world.another_worker().on_stream(self.world.stream_event(events))

        interceptors = len(self.world.wire.interceptors)
        self.world.interleave(moment, {"reissue": reissue, "vote": vote, "worker": work}[what])
        self.deliver()
        del self.world.wire.interceptors[interceptors:]

    @rule(
        operation=st.sampled_from(SENDING),
        how=st.sampled_from(("refused", "throttled", "down", "no reply", "sent, no reply", "sent, died")),
        times=st.integers(1, 3),
    )
    def provider_fails(self, operation: str, how: str, times: int) -> None:
        match how:
            case "refused":
                self.world.fail(operation, "InvalidParameterException", times=times)
            case "throttled":
                self.world.fail(operation, "ThrottlingException", times=times)
            case "down":
                self.world.fail(operation, "InternalServiceErrorException", times=times)
            case "no reply":
                self.world.fail(operation, no_reply(), times=times)
            case "sent, no reply":
                self.replies_lost = True
                self.world.lose_reply(operation, times=times)
            case "sent, died":
                self.replies_lost = True
                self.world.lose_reply(operation, ProcessDiedError(), times=1)

    @rule(seconds=st.sampled_from((1, 29, 61, 5 * 60, 16 * 60, 3 * 3600)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.move(seconds=seconds)

    # ------------------------------------------------------------ invariants

    @invariant()
    def identifiers_and_register_agree(self) -> None:
        """I1, I9 and I10, asked of the registry and read from the tables."""
        self.note_issued()
        items = self.world.items("IdentifiersTable")
        stored = Counter((item["voter_id"], item["generation"]) for item in items)
        assert stored == Counter(self.issued.values()), "issued identifiers that the tables hold otherwise"
        statuses: Counter[str] = Counter()
        for voter in self.voters:
            entry = self.world.voter(voter)
            mine = {
                generation: self.world.check(identifier)
                for identifier, (owner, generation) in self.issued.items()
                if owner == voter.voter_id
            }
            assert sorted(mine) == list(range(1, entry.generation + 1))
            *former, current = [mine[generation] for generation in sorted(mine)]
            assert all(answer["status"] == "revoked" and answer["superseded_at"] for answer in former)
            assert current["status"] in {"active", "used", "frozen"}
            statuses.update(answer["status"] for answer in mine.values())

            changes = []
            head = GENESIS
            for sequence, item in enumerate(self.world.register(voter), 1):
                recorded = entry_from_item(item)
                assert (recorded.sequence, recorded.previous, recorded.hash) == (sequence, head, item["hash"])
                head = recorded.hash
                changes.append(recorded.change)
            assert (len(changes), head) == (entry.chain_length, entry.chain_head)
            told = Counter(changes)
            assert told[Change.ISSUED] + told[Change.REISSUED] == entry.generation
            assert told[Change.VOTED] == (entry.voted_at is not None)
            assert told[Change.FROZEN] == (entry.frozen_at is not None)
        assert statuses.total() == len(items)
        assert set(statuses) <= {"active", "revoked", "used", "frozen"}

    @invariant()
    def no_superseded_identifier_was_sent(self) -> None:
        """I3, seen at the very moment of each send."""
        assert self.late == []

    @invariant()
    def confirmations_are_sent_once_without_the_identifier(self) -> None:
        """I4 for each delivery whose confirmation is settled, and the same text if one had to go twice."""
        for item in self.world.items("DeliveriesTable"):
            delivery = delivery_from_item(item)
            if delivery.kind is not Kind.REISSUE:
                continue
            mails = [
                email
                for email in self.world.emails
                if email.tags == {"delivery": delivery.delivery_id, "message": "confirmation"}
            ]
            assert len({email.text for email in mails}) <= 1
            for email in mails:
                content = email.subject + email.text + email.html
                assert not any(identifier in content for identifier in self.issued)
            status = delivery.status_of(Message.CONFIRMATION)
            if status is Status.SENT:
                assert mails
            if not self.replies_lost:
                assert len(mails) == (status is Status.SENT)
            assert len(mails) <= delivery.messages[Message.CONFIRMATION]["attempts"]

    # ------------------------------------------------------------ parts of rules

    def request_reissue(self, who: int, phone: str, channel: str, *, right: bool) -> None:
        """Send a form under a new key; keep what was accepted."""
        voter = self.voters[who]
        generation = self.world.voter(voter).generation
        form = {"numen": voter.numen if right else "99Z9999999ZZZ", "phone": phone, "channel": channel}
        key = f"request-{len(self.requests):010d}-{self.world.clock().timestamp():.0f}"
        answer = self.browsers[who].reissue(**form, key=key)
        if answer.status == 503:
            # The client's retry, with the same key.
            answer = self.browsers[who].reissue(**form, key=key)
        if answer.status == 202:
            assert right
            assert answer.json["generation"] == generation + 1
            self.requests[key] = (who, form, answer)
        else:
            assert answer.status in {401, 403, 409, 422, 429}
            assert self.world.voter(voter).generation == generation

    def deliver(self) -> None:
        """Run the outbox until no worker dies in it."""
        self.events += [event for event in self.woken_events() if event not in self.events]
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

    def settle(self) -> None:
        """Mend everything and let time pass until each delivery has ended."""
        self.world.mend()
        for _ in range(12):
            self.note_issued()
            self.deliver()
            if all(delivery_from_item(item).all_settled for item in self.world.items("DeliveriesTable")):
                return
            self.world.clock.move(minutes=16)
            self.world.sweep()
        raise AssertionError("a delivery never ends")

    def woken_events(self) -> list[dict[str, Any]]:
        """Return the stream's events that delivery has not been given yet, filtered as the trigger filters."""
        return [
            event
            for event in self.world.new_records()
            if event["dynamodb"].get("NewImage", {}).get("wake", {}).get("S") == WAKE
        ]

    def note_issued(self) -> None:
        """Open each sealed payload once, to know every identifier, whether or not it was sent."""
        for item in self.world.items("DeliveriesTable"):
            delivery = delivery_from_item(item)
            if delivery.kind is Kind.REISSUE and delivery.payload is not None:
                owner = (delivery.voter_id, delivery.generation)
                if owner not in self.issued.values():
                    payload = self._opener.open_payload(delivery.delivery_id, delivery.payload)
                    self.issued[payload["identifier"]] = owner

    def snapshot(self, *tables: str) -> dict[str, list[str]]:
        """Return all items of the tables, in an order of their own."""
        return {table: sorted(map(repr, self.world.items(table))) for table in tables or TABLES}

    def sent_count(self) -> int:
        """Return how many messages were sent."""
        return len(self.world.emails) + len(self.world.sms) + len(self.world.alerts)

    def _watch(self, call: Call) -> None:
        if call.operation not in SENDING:
            return
        self.note_issued()
        content = repr(call.parameters)
        for identifier, (owner, generation) in self.issued.items():
            if identifier in content:
                (voter,) = [voter for voter in self.voters if voter.voter_id == owner]
                if self.world.voter(voter).generation != generation:
                    self.late.append(f"generation {generation} of {owner}")


SEARCH = bool(os.environ.get("STATEFUL_SEARCH"))


@pytest.mark.req("I1", "I2", "I3", "I4", "I6", "I9", "I10", "R1", "R2", "R5", "R7", "R8", "R9")
class TestService(Service.TestCase):  # type: ignore[misc,name-defined]
    """Every schedule keeps the invariants."""

    settings = settings(
        max_examples=int(os.environ.get("STATEFUL_EXAMPLES", "3")),
        stateful_step_count=int(os.environ.get("STATEFUL_STEPS", "15")),
        derandomize=not SEARCH,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
