"""I1 to I10 as functions: what must hold in a world at any instant, and what must hold once all has
settled.

A ledger watches the wire from the start. What a function seals is what it will ever send, so the
ledger knows every identifier, code, phone number and address without asking the code under test;
which identifiers were issued, the tables tell.

More than 400 lines, because all invariants look at the same ledger.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from typing import TYPE_CHECKING

from announce.triggers import NothingAnnouncedError
from reassort.identifiers import normalise_identifier
from reassort.keyed_hash import Purpose
from reassort.outbox import SETTLED, Channel, Delivery, Kind, Message, Status, delivery_from_item
from reassort.reasons import Reason
from reassort.register import GENESIS, Change, canonical
from reassort.table_keys import ERASE_SHARDS, PACE_PREFIX
from reassort.voters import voter_from_item

from tests.register_chain import broken_links

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.service.wire import Call, SentEmail, SentSms
    from harness.service.world import Enrolled, World

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
SENDING = frozenset({"SendEmail", "Publish"})
_CODE = re.compile(r"[0-9]{6}")
_ERASED = {"payload", "address", "due_shard", "due_at"}
# What the voting platform is told of each change, written a second time on purpose.
_ANNOUNCED = {"reissued": "revoked", "voted": "used", "frozen": "frozen", "unfrozen": "active"}
# A frozen voter's next identifier ends the freeze.
_FREEZE_OR_END = {Change.FROZEN, Change.UNFROZEN, Change.REISSUED}
# What agents do that the register has too, by the words that each has.
_HELPDESK_ACTS = {
    **{word: word for word in ("unlocked", "frozen", "unfrozen", "reissued")},
    # By the second person, whom the register names after the first.
    "confirmed": "reissued",
}
# A fault strikes once, and Lambda brings what is left until it is done.
_BROUGHT_AGAIN = 3
# What may follow a vote in the register: nothing that gives the voter another identifier, nor a
# second vote.
_AFTER_A_VOTE = {Change.DISPUTED, Change.UNFROZEN, Change.UNLOCKED, Change.CORRECTED}


@dataclass
class Ledger:
    """What is known of a world from outside.

    Attributes:
        voters: those on the roll.
        sealed: what was sealed for each delivery, in each attempt to make it.
        secrets: all that may stand in the clear nowhere but in the message to its voter.
        late: each identifier that was handed to a provider although it was not its voter's current
            one.
    """

    world: World
    voters: list[Enrolled] = field(default_factory=list)
    sealed: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    late: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Watch the wire."""
        self.world.wire.interceptors.append(self._watch)

    def enrol(self, email: str, numen: str) -> Enrolled:
        """Put a voter on the roll."""
        voter = self.world.enrol(email, numen)
        self.voters.append(voter)
        self.secrets |= {voter.email, voter.numen, *_spellings(voter.identifier)}
        return voter

    def hide(self, *secrets: str) -> None:
        """Note further secrets, for example what a voter types. An operator's reissue has no phone
        number.
        """
        self.secrets.update(filter(None, secrets))

    # ------------------------------------------------------------ at any instant

    def check_now(self) -> None:
        """Check what must hold at every instant."""
        self.check_identifiers()
        self.check_register()
        check_helpdesk_record(self.world)
        self.check_messages()
        self.check_recipients()
        self.check_secrecy()

    def check_identifiers(self) -> None:
        """I1 and I10: generations without a gap, one identifier each, at most one of them active,
        every one counted once.
        """
        owners = self.owners()
        issued = Counter((item["voter_id"], item["generation"]) for item in self.world.items("IdentifiersTable"))
        assert issued == Counter(owners.values()), "identifiers were issued that nobody sealed"
        statuses: Counter[str] = Counter()
        for item in self.world.items("VotersTable"):
            voter = voter_from_item(item)
            assert item["generation"] == voter.generation
            generations = range(1, voter.generation + 1)
            assert [issued.pop((voter.voter_id, generation), 0) for generation in generations] == [1] * len(generations)
            held = [voter.identifier_status(generation).value for generation in generations]
            assert held.count("active") <= 1
            assert all(voter.superseded_at(generation) is not None for generation in generations[:-1])
            statuses.update(held)
        assert not issued, "identifiers were issued to nobody"
        assert statuses.total() == len(owners)
        assert set(statuses) <= {"active", "revoked", "used", "frozen"}

    def check_register(self) -> None:
        """I5 and I9: one entry for each change, in a chain that holds; nothing is issued once the
        vote counts.
        """
        for voter in self.voters:
            entry, entries = self.world.voter(voter), self.world.register(voter)
            assert broken_links(entries) == []
            assert (len(entries), entries[-1]["hash"]) == (entry.chain_length, entry.chain_head)
            changes = [Change(item["change"]) for item in entries]
            told = Counter(changes)
            assert told[Change.ISSUED] == 1
            assert told[Change.ISSUED] + told[Change.REISSUED] == entry.generation
            assert told[Change.VOTED] == (entry.voted_at is not None)
            thawing = [change for change in changes if change in _FREEZE_OR_END]
            assert (thawing[-1:] == [Change.FROZEN]) == (entry.frozen_at is not None)
            if Change.VOTED in changes:
                assert set(changes[changes.index(Change.VOTED) + 1 :]) <= _AFTER_A_VOTE
            disputes = [item["reference"] for item in entries if item["actor"] == "dispute"]
            disputed = [
                delivery.delivery_id
                for delivery in self.deliveries()
                if delivery.voter_id == voter.voter_id and delivery.disputed_at is not None
            ]
            assert sorted(disputes) == sorted(disputed)
            reissued = [item["reference"] for item in entries if item["change"] == Change.REISSUED]
            assert len(set(reissued)) == len(reissued)

    def check_messages(self) -> None:
        """I3, I4 and R7: no identifier but the current one, none in a confirmation, and what goes
        twice goes alike.
        """
        assert self.late == []
        identifiers = self.identifiers()
        for email in self.world.emails:
            if email.tags["message"] == Message.CONFIRMATION:
                content = email.subject + email.text + email.html
                assert not any(identifier in content for identifier in identifiers)
        for copies in self.copies().values():
            assert len(set(copies)) == 1, "a message was repeated with another text"

    def check_recipients(self) -> None:
        """Each identifier, confirmation and code goes to its own voter: to their mailbox, or an
        identifier to the number that was given for it.
        """
        addresses = {voter.voter_id: voter.email for voter in self.voters}
        deliveries = {delivery.delivery_id: delivery for delivery in self.deliveries()}
        of_reissues = {
            (delivery.voter_id, delivery.generation): delivery
            for delivery in deliveries.values()
            if delivery.kind is Kind.REISSUE
        }
        for email in self.world.emails:
            delivery = deliveries.get(email.tags["delivery"])
            if delivery is not None and delivery.kind is not Kind.CANARY:
                assert email.to == addresses[delivery.voter_id], "a message to somebody else"
        messages: list[SentEmail | SentSms] = [*self.world.emails, *self.world.sms]
        for identifier, owner in self.owners().items():
            for sent in messages:
                if identifier in sent.text and sent.to != addresses[owner[0]]:
                    phone = self.world.keyed_hash.hash(Purpose.PHONE, sent.to)
                    assert phone == of_reissues[owner].phone_hash, "an identifier to somebody else"

    def check_secrecy(self) -> None:
        """I7: no secret in a log, a metric, a queue, an answer, an alert or an item."""
        world = self.world
        places = {
            "log": world.log_text,
            "queue": "\n".join(world.queued_bodies()),
            "dead letters": "\n".join(world.queued_bodies(world.dead_letter_queue)),
            "answers": "\n".join(response.text for response in world.responses),
            "alerts": "\n".join(alert.subject + alert.text for alert in world.alerts),
            "events": "\n".join(announcement.text for announcement in world.announcements),
            **{table: repr(world.items(table)) for table in TABLES},
        }
        secrets = self.secrets | {
            secret
            for response in world.responses
            for cookie in response.cookies.values()
            if (secret := cookie.value.partition(".")[2])
        }
        for place, content in places.items():
            for secret in secrets:
                if secret in content and (
                    # Six digits may stand by chance within a longer number.
                    not _CODE.fullmatch(secret) or re.search(rf"(?<!\d){secret}(?!\d)", content)
                ):
                    raise AssertionError(f"a secret of {len(secret)} characters stands in the clear: {place}")

    # ------------------------------------------------------------ once all has settled

    def check_settled(self) -> None:
        """Check what must hold when nothing is left to do."""
        self.check_now()
        self.check_registry()
        check_announcements(self.world, self.voters)
        self.check_ends()
        self.check_erasure()

    def check_registry(self) -> None:
        """I1, as the voting platform sees it: the current identifier of each voter, and the one
        that it replaced.
        """
        generations = {voter.voter_id: self.world.voter(voter).generation for voter in self.voters}
        for identifier, (voter_id, generation) in self.owners().items():
            current = generations[voter_id]
            if generation >= current - 1:
                told = self.world.check(identifier)
                assert told["generation"] == generation
                assert (told["status"] == "revoked") == (generation < current)
                assert (told["superseded_at"] is not None) == (told["status"] == "revoked")

    def check_ends(self) -> None:
        """I2 and I4: each reissue ended with its voter, or in a failure that voter, helpdesk and
        alarm can see.
        """
        deliveries = {delivery.delivery_id: delivery for delivery in self.deliveries()}
        for voter in self.voters:
            for entry in self.world.register(voter):
                if entry["change"] == Change.REISSUED:
                    # An operator's reason follows the reference.
                    self._check_end(deliveries[entry["reference"].partition(" ")[0]], voter)
        failed = [
            delivery.reason_of(message)
            for delivery in deliveries.values()
            for message in delivery.messages
            if delivery.kind is Kind.REISSUE and delivery.status_of(message) is Status.FAILED
        ]
        parked = failed.count(Reason.INTERNAL)
        assert len(self.world.metrics("Undelivered")) >= len(failed) - parked, "a failure that rings no alarm"
        assert not parked or self.world.queued_bodies(self.world.dead_letter_queue), "parked without a dead letter"

    def _check_end(self, delivery: Delivery, voter: Enrolled) -> None:
        assert delivery.all_settled, "a reissue that never ends"
        copies = self.copies()
        status = delivery.status_of(Message.IDENTIFIER)
        match status:
            case Status.SENT | Status.DELIVERED:
                mine = copies[delivery.delivery_id, Message.IDENTIFIER, delivery.round_of(Message.IDENTIFIER)]
                assert any(identifier in mine[0] for identifier in self._identifiers_of(delivery))
            case Status.SUPERSEDED:
                assert delivery.superseded_at is not None or delivery.disputed_at is not None
            case _:
                assert status is Status.FAILED
                shown = self.world.signed_in(voter).status(delivery.delivery_id).json
                assert shown["status"] in {"failed", "superseded", "disputed"}
                if shown["status"] == "failed":
                    assert shown["reason"]["words"]
        confirmations = copies.get((delivery.delivery_id, Message.CONFIRMATION, 0), [])
        if delivery.status_of(Message.CONFIRMATION) is Status.FAILED:
            shown = self.world.signed_in(voter).status(delivery.delivery_id).json
            assert shown["confirmation"]["reason"]["words"]
        else:
            assert delivery.status_of(Message.CONFIRMATION) in {Status.SENT, Status.DELIVERED}
            assert confirmations, "a reissue without its confirmation"

    def check_erasure(self) -> None:
        """What was sealed is gone, or its erasure is planned for the end of redelivery, or an
        operator may bring it back.
        """
        for item in self.world.deliveries():
            delivery = delivery_from_item(item)
            assert all(delivery.status_of(message) in SETTLED for message in delivery.messages)
            if delivery.payload is not None or delivery.address is not None:
                assert item["due_shard"] in ERASE_SHARDS
            else:
                assert delivery.due_at is None

    # ------------------------------------------------------------ what is known

    def deliveries(self) -> list[Delivery]:
        """Return every delivery as it stands."""
        return [delivery_from_item(item) for item in self.world.deliveries()]

    def identifiers(self) -> set[str]:
        """Return every identifier that was drawn, issued or not, as it is written in messages."""
        drawn = {
            payload["identifier"]
            for payloads in self.sealed.values()
            for payload in payloads
            if "identifier" in payload
        }
        return drawn | {voter.identifier for voter in self.voters}

    def owners(self) -> dict[str, tuple[str, int]]:
        """Return the voter and the generation of every identifier that the tables hold."""
        found = {}
        for identifier in self.identifiers():
            digest = self.world.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))
            item = self.world.engine.get("IdentifiersTable", {"identifier_hash": digest})
            if item is not None:
                found[identifier] = (item["voter_id"], item["generation"])
        return found

    def copies(self) -> dict[tuple[str, Message, int], list[str]]:
        """Return the texts that providers took, by delivery, message and round."""
        sent: dict[tuple[str, Message, int], list[str]] = {}
        for email in self.world.emails:
            key = (email.tags["delivery"], Message(email.tags["message"]), int(email.tags["round"]))
            sent.setdefault(key, []).append(email.text)
        for delivery in self.deliveries():
            rounds = self._sms_rounds(delivery)
            for sms in self.world.sms:
                if any(identifier in sms.text for identifier in self._identifiers_of(delivery)):
                    round_ = max(number for number, at in rounds if at <= sms.at.timestamp() * 1000)
                    sent.setdefault((delivery.delivery_id, Message.IDENTIFIER, round_), []).append(sms.text)
        return sent

    def repeated(self) -> int:
        """Return how many messages were sent again."""
        alerts = Counter(alert.text for alert in self.world.alerts)
        return sum(len(texts) - 1 for texts in self.copies().values()) + alerts.total() - len(alerts)

    def sent_count(self) -> int:
        """Return how many messages providers took."""
        return len(self.world.emails) + len(self.world.sms) + len(self.world.alerts)

    def snapshot(self) -> dict[str, list[str]]:
        """Return every item of every table, in an order of their own.

        Without the lanes' turns: an event that comes again may take one before it finds that there
        is nothing to send, and it passes unused. And without what erasure removes: an event that
        comes again may find that it is time.
        """
        return {
            table: sorted(
                repr({name: value for name, value in item.items() if name not in _ERASED})
                for item in self.world.items(table)
                if not item.get("key", "").startswith(PACE_PREFIX)
            )
            for table in TABLES
        }

    def _identifiers_of(self, delivery: Delivery) -> Iterator[str]:
        return (
            payload["identifier"] for payload in self.sealed.get(delivery.delivery_id, ()) if "identifier" in payload
        )

    def _sms_rounds(self, delivery: Delivery) -> list[tuple[int, int]]:
        """Return the rounds in which an identifier went by SMS, each with when it was queued."""
        rounds: list[tuple[int, int]] = []
        number, last = -1, None
        for step in delivery.history:
            if step["message"] != Message.IDENTIFIER:
                continue
            if step["status"] == Status.QUEUED:
                # What an operator brings back from the dead letters goes on where it stopped.
                brought_back = last == (Reason.INTERNAL, step["channel"])
                number += not brought_back
                if step["channel"] == Channel.SMS and not brought_back:
                    rounds.append((number, step["at"]))
            last = (step.get("reason"), step["channel"])
        return rounds

    def _watch(self, call: Call) -> None:
        if call.operation == "Encrypt":
            self._note_sealed(call.parameters["EncryptionContext"], call.parameters["Plaintext"].decode())
        elif call.operation in SENDING:
            self._check_current(repr(call.parameters))

    def _note_sealed(self, context: dict[str, str], text: str) -> None:
        if context["kind"] == "address":
            self.hide(text)
            return
        payload: dict[str, str] = json.loads(text)
        self.sealed.setdefault(context["delivery"], []).append(payload)
        for name, value in payload.items():
            match name:
                case "identifier":
                    self.hide(*_spellings(value))
                case "phone":
                    self.hide(value.removeprefix("+33"))
                case "dispute":
                    self.hide(value.partition(".")[2])
                case _:
                    self.hide(value)

    def _check_current(self, content: str) -> None:
        """I3, at the very moment of the sending."""
        sent = {identifier for identifier in self.identifiers() if identifier in content}
        if not sent:
            return
        owners = self.owners()
        for identifier in sent:
            voter_id, generation = owners.get(identifier, ("", 0))
            item = self.world.engine.get("VotersTable", {"voter_id": voter_id})
            if item is None or item["generation"] != generation:
                self.late.append(f"generation {generation} of {voter_id or 'nobody'}")


def check_helpdesk_record(world: World) -> None:
    """Each agent's chain holds, and says of each of their acts once what the register says."""
    chains = (item for item in world.items("HelpdeskRecordTable") if not item["agent"].startswith("#"))
    kept = sorted(chains, key=lambda item: (item["agent"], item["sequence"]))
    for agent, items in groupby(kept, key=lambda item: item["agent"]):
        head, *entries = items
        assert [entry["sequence"] for entry in entries] == list(range(1, head["chain_length"] + 1))
        previous = GENESIS
        for entry in entries:
            content = {name: value for name, value in entry.items() if name != "hash"}
            assert (entry["previous"], entry["hash"]) == (previous, sha256(canonical(content)).hexdigest())
            previous = entry["hash"]
        assert previous == head["chain_head"]
        acts = Counter(
            (entry["voter_id"], _HELPDESK_ACTS[entry["action"]])
            for entry in entries
            if entry["action"] in _HELPDESK_ACTS
        )
        told = Counter(
            (item["voter_id"], item["change"])
            for item in world.items("RegisterTable")
            if item["actor"].rpartition(" + ")[2] == agent
        )
        assert acts == told


def check_announcements(world: World, voters: Iterable[Enrolled]) -> None:
    """What the voting platform hears: an event for each change of a status and for nothing else,
    the same when it comes again.
    """
    for _ in range(_BROUGHT_AGAIN):
        with suppress(NothingAnnouncedError):
            world.announce()
    expected = {}
    for voter in voters:
        for entry in world.register(voter):
            if entry["change"] in _ANNOUNCED:
                generation = entry["generation"] - (entry["change"] == Change.REISSUED)
                handle = world.keyed_hash.handle(voter.voter_id, generation)
                expected[f"{handle}.{entry['sequence']}"] = _ANNOUNCED[entry["change"]]
    texts: dict[str, set[str]] = {}
    for announcement in world.announcements:
        texts.setdefault(announcement.json["event_id"], set()).add(announcement.text)
    assert all(len(same) == 1 for same in texts.values()), "an event came again with another text"
    assert {event: json.loads(text)["status"] for event, (text,) in texts.items()} == expected


def _spellings(identifier: str) -> set[str]:
    return {identifier, normalise_identifier(identifier)}
