"""What must be true after every step, whatever the steps were."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from hypothesis.stateful import invariant
from reassort.keyed_hash import Purpose
from reassort.outbox import Kind, Message, Status
from reassort.register import GENESIS, Change, entry_from_item

from harness.engines.ministack import MINISTACK, NO_SORT_KEY, read_stored
from tests.invariants import check_announcements
from tests.stateful.machine import Machine

if TYPE_CHECKING:
    from reassort.outbox import Delivery

    from harness.service.wire import SentEmail, SentSms
    from harness.service.world import Enrolled

ARRIVED = frozenset({Status.SENT, Status.DELIVERED})


class Invariants(Machine):
    """The invariants. Each asks again only about what a step has written, and at the end about
    everything once more.
    """

    def __init__(self) -> None:
        super().__init__()
        self._agreed: dict[str, tuple[Any, Counter[str]]] = {}
        self._mails: defaultdict[str, list[SentEmail]] = defaultdict(list)
        self._sendings: Counter[str] = Counter()
        # To whom each identifier went.
        self._recipients: defaultdict[str, set[str]] = defaultdict(set)
        self._read_emails = self._read_sms = self._compared = 0

    def teardown(self) -> None:
        """Let everything settle, look at all of it once more, and close the world."""
        if not hasattr(self, "world"):
            return
        try:
            self.settle()
            self._agreed.clear()
            self.all_holds()
            check_announcements(self.world, self.voters)
        finally:
            self.world.__exit__(None, None, None)

    @invariant()
    def all_holds(self) -> None:
        """Everything, as one invariant: a schedule that fails is printed with each of them after
        each step.
        """
        self.identifiers_and_register_agree()
        self.votes_stand()
        self.no_superseded_identifier_was_sent()
        self.messages_are_sent_as_often_as_recorded()

    def identifiers_and_register_agree(self) -> None:
        """I1, I9 and I10, asked of the registry and read from the tables."""
        self.note_issued()
        identifiers = MINISTACK.stored("IdentifiersTable").values()
        stored = Counter((item["voter_id"]["S"], int(item["generation"]["N"])) for item in identifiers)
        assert stored == Counter(self.issued.values()), "issued identifiers that the tables hold otherwise"
        register = MINISTACK.stored("RegisterTable")
        statuses: Counter[str] = Counter()
        voters = MINISTACK.stored("VotersTable")
        for voter in self.voters:
            # What the answers and the entries derive from: unless that was written, they are as
            # they were.
            written = (
                voters[voter.voter_id, NO_SORT_KEY],
                self.identifiers_of(voter),
                [item for (owner, _), item in register.items() if owner == voter.voter_id],
            )
            agreed = self._agreed.get(voter.voter_id)
            if agreed is None or agreed[0] != written:
                agreed = self._agreed[voter.voter_id] = (written, self._statuses_of(voter))
            statuses += agreed[1]
        assert statuses.total() == len(identifiers)
        assert set(statuses) <= {"active", "revoked", "used", "frozen"}

    def votes_stand(self) -> None:
        """I5: once a vote was counted, its identifier stays the voter's last."""
        for entry in self.entries():
            assert (entry.voted_at is not None) == (entry.voter_id in self.voted)
            assert self.voted.get(entry.voter_id, entry.generation) == entry.generation

    def no_superseded_identifier_was_sent(self) -> None:
        """I3, seen at the very moment of each send."""
        assert self.late == []

    def messages_are_sent_as_often_as_recorded(self) -> None:
        """I4 for each delivery whose confirmation is settled, the same text if one had to go twice;
        and so the identifier. Each goes to its own voter.
        """
        self._read_messages()
        texts = {owner: identifier for identifier, owner in self.issued.items()}
        addresses = {voter.voter_id: voter.email for voter in self.voters}
        for delivery in self.deliveries():
            assert all(mail.to == addresses[delivery.voter_id] for mail in self._mails[delivery.delivery_id])
            if delivery.kind is Kind.REISSUE:
                identifier = texts[delivery.voter_id, delivery.generation]
                self._compare_confirmations(delivery)
                self._compare_identifiers(delivery, identifier)
                for recipient in self._recipients[identifier] - {addresses[delivery.voter_id]}:
                    assert self.world.keyed_hash.hash(Purpose.PHONE, recipient) == delivery.phone_hash

    def _statuses_of(self, voter: Enrolled) -> Counter[str]:
        """Check a voter's identifiers and register, and return what the registry says of them."""
        entry = self.world.voter(voter)
        mine = {
            generation: self.world.check(identifier) for generation, identifier in self.identifiers_of(voter).items()
        }
        assert sorted(mine) == list(range(1, entry.generation + 1))
        *former, current = [mine[generation] for generation in sorted(mine)]
        assert all(answer["status"] == "revoked" and answer["superseded_at"] for answer in former)
        assert current["status"] in {"active", "used", "frozen"}
        assert current["superseded_at"] is None

        changes = []
        head = GENESIS
        for sequence, item in enumerate(self._register_of(voter), 1):
            recorded = entry_from_item(item)
            assert (recorded.sequence, recorded.previous, recorded.hash) == (sequence, head, item["hash"])
            head = recorded.hash
            changes.append(recorded.change)
        assert (len(changes), head) == (entry.chain_length, entry.chain_head)
        told = Counter(changes)
        assert told[Change.ISSUED] + told[Change.REISSUED] == entry.generation
        assert told[Change.VOTED] == (entry.voted_at is not None)
        assert told[Change.FROZEN] - told[Change.UNFROZEN] == (entry.frozen_at is not None)
        return Counter(answer["status"] for answer in mine.values())

    def _register_of(self, voter: Enrolled) -> list[dict[str, Any]]:
        entries = [
            read_stored(item)
            for (owner, _), item in MINISTACK.stored("RegisterTable").items()
            if owner == voter.voter_id
        ]
        return sorted(entries, key=lambda item: item["sequence"])

    def _read_messages(self) -> None:
        """Read what was sent since the last look; no confirmation may hold any identifier,
        whichever came first.
        """
        emails, sms = self.world.emails, self.world.sms
        confirmations = self.confirmations()
        identifiers = list(self.issued)
        fresh = emails[self._read_emails :]
        for email in fresh:
            self._mails[email.tags["delivery"]].append(email)
        messages: list[SentEmail | SentSms] = [*fresh, *sms[self._read_sms :]]
        for message in messages:
            for identifier in identifiers:
                if identifier in message.text:
                    self._sendings[identifier] += 1
                    self._recipients[identifier].add(message.to)
        for email in confirmations:
            known = identifiers if email in fresh else identifiers[self._compared :]
            content = email.subject + email.text + email.html
            assert not any(identifier in content for identifier in known)
        self._read_emails, self._read_sms, self._compared = len(emails), len(sms), len(identifiers)

    def _compare_confirmations(self, delivery: Delivery) -> None:
        mails = [mail for mail in self._mails[delivery.delivery_id] if mail.tags["message"] == "confirmation"]
        assert len({mail.text for mail in mails}) <= 1
        status = delivery.status_of(Message.CONFIRMATION)
        if status in ARRIVED:
            assert mails
        if not self.replies_lost:
            # One that failed was refused, or came back.
            assert len(mails) == (status in ARRIVED) or (status is Status.FAILED and len(mails) == 1)
        assert len(mails) <= delivery.messages[Message.CONFIRMATION]["attempts"]

    def _compare_identifiers(self, delivery: Delivery, identifier: str) -> None:
        sendings = self._sendings[identifier]
        if delivery.status_of(Message.IDENTIFIER) in ARRIVED:
            assert sendings
        if not self.replies_lost:
            assert sendings <= 1 + delivery.redeliveries + delivery.fell_back
