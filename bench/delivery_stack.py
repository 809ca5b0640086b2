"""What the whole stack carries on this machine: concurrent clients reissue over HTTP, IAM enforced,
and every message is looked at.

    make bench-delivery-stack
    make bench-delivery-stack FLAGS='--clients 4 --seconds 30'

API, functions, tables and providers share the machine's processors with the clients, so this is the
figure of a smoke test: it shows that nothing is lost or mixed up when requests really overlap, not
what AWS carries. The run writes its section of bench/delivery.md; the exit status is 1 when a
promise is broken.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from reassort.outbox import SETTLED
from reassort_ops.rehearsal.outcome import percentile

from harness import plain_http
from harness.measuring.figures import machine, table, write_section
from harness.service.reading import find_identifier
from harness.stack.deployed import PATIENCE_SECONDS, DeployedBrowser, DeployedVoter, Deployment, deployed, wait_for

# Voters that are signed in beforehand, for each second of the run; the run ends early when they are
# used up.
_VOTERS_PER_SECOND = 12
# Every so many voters ask for another identifier as soon as they have their answer.
_SECOND_REISSUE_EVERY = 10


@dataclass(frozen=True)
class Answered:
    """A reissue that was answered: when, in seconds since 1970, and how long that took."""

    voter: DeployedVoter
    reference: str
    generation: int
    channel: str
    at: float
    took: float


@dataclass(frozen=True)
class Taken:
    """A message that a provider took; `at` is None for an SMS, which MiniStack does not date."""

    channel: str
    to: str
    text: str
    at: float | None


@dataclass
class VoterClients:
    """Clients that take one prepared voter after the other."""

    waiting: SimpleQueue[tuple[int, DeployedVoter, DeployedBrowser]]
    until: float
    answered: list[Answered]
    answers: Counter[str]

    def work(self) -> None:
        """Reissue until the time is over or no voter is left."""
        while time.monotonic() < self.until:
            try:
                number, voter, browser = self.waiting.get_nowait()
            except Empty:
                return
            channel = "sms" if number % 2 else "email"
            self._ask(browser, voter, channel)
            if number % _SECOND_REISSUE_EVERY == 0:
                self._ask(browser, voter, channel)

    def _ask(self, browser: DeployedBrowser, voter: DeployedVoter, channel: str) -> None:
        start = time.monotonic()
        answer = browser.reissue(voter, channel=channel)
        took = time.monotonic() - start
        body = answer.json()
        self.answers[f"{answer.status_code} {body.get('code', '')}".strip()] += 1
        if answer.status_code == 202:
            self.answered.append(Answered(voter, body["reference"], body["generation"], channel, time.time(), took))


def measure(deployment: Deployment, clients: int, seconds: float) -> tuple[str, list[str]]:
    """Let clients work for so many seconds; return the section and the promises that were
    broken.
    """
    waiting: SimpleQueue[tuple[int, DeployedVoter, DeployedBrowser]] = SimpleQueue()

    def prepare(number: int) -> None:
        voter = deployment.enrol()
        waiting.put((number, voter, deployment.signed_in(voter)))

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(prepare, range(int(seconds * _VOTERS_PER_SECOND))))
        # Cold starts of the functions are not what this is about.
        warm = VoterClients(waiting, time.monotonic() + 1, [], Counter())
        list(pool.map(lambda _: warm.work(), range(clients)))
        wait_for(partial(_settled, deployment, {answered.reference for answered in warm.answered}))
        started = time.monotonic()
        crowd = VoterClients(waiting, started + seconds, [], Counter())
        list(pool.map(lambda _: crowd.work(), range(clients)))
        lasted = time.monotonic() - started
    crowd_and_warm = [*warm.answered, *crowd.answered]
    wait_for(partial(_settled, deployment, {answered.reference for answered in crowd_and_warm}), 2 * PATIENCE_SECONDS)
    return _judge(deployment, crowd, crowd_and_warm, clients, lasted)


def _settled(deployment: Deployment, references: set[str]) -> bool:
    items = [item for item in deployment.scan("DeliveriesTable") if item["delivery_id"] in references]
    return len(items) == len(references) and all(
        message["status"] in SETTLED for item in items for message in item["messages"].values()
    )


def _judge(
    deployment: Deployment, crowd: VoterClients, everything: list[Answered], clients: int, lasted: float
) -> tuple[str, list[str]]:
    deliveries = {item["delivery_id"]: item for item in deployment.scan("DeliveriesTable")}
    issued = {item["identifier_hash"]: item for item in deployment.scan("IdentifiersTable")}
    by_recipient: dict[str, list[Taken]] = {}
    for taken in _taken(deployment):
        by_recipient.setdefault(taken.to, []).append(taken)
    measured = {answered.reference for answered in crowd.answered}
    waits: dict[str, list[float]] = {}
    lost = wrong = twice = superseded = 0
    for answered in everything:
        voter = answered.voter
        item = deliveries[answered.reference]
        later = next(
            (other.at for other in everything if other.voter is voter and other.generation == answered.generation + 1),
            None,
        )
        messages = [*by_recipient.get(voter.email, []), *by_recipient.get(f"+33{voter.phone[1:]}", [])]
        own = [message for message in messages if answered.reference in message.text]
        identifiers = [message for message in own if find_identifier(message.text)]
        confirmations = [message for message in own if not find_identifier(message.text)]
        for message in identifiers:
            known = issued.get(deployment.identifier_hash(find_identifier(message.text) or ""))
            right = known is not None and (known["voter_id"], known["generation"]) == (
                voter.voter_id,
                answered.generation,
            )
            wrong += not right or (later is not None and message.at is not None and message.at > later)
        is_superseded = "superseded_at" in item
        superseded += is_superseded and not identifiers
        lost += (not identifiers and not is_superseded) + (not confirmations)
        twice += max(0, len(identifiers) - 1) + max(0, len(confirmations) - 1)
        if answered.reference in measured:
            for step in item["history"]:
                if step["status"] == "sent":
                    kind = f"{step['message']} by {step.get('channel', 'email')}"
                    waits.setdefault(kind, []).append((step["at"] - item["created_at"]) / 1000)
    broken = [f"{count} {what}" for what, count in {"lost": lost, "wrong": wrong, "sent twice": twice}.items() if count]
    took = [answered.took for answered in crowd.answered]
    text = "\n".join(
        [
            "### The stack on one machine\n",
            f"{clients} clients for {lasted:.0f} s: {len(crowd.answered):,} reissues, "
            f"**{len(crowd.answered) / lasted * 60:.0f} a minute; {lost} lost, {wrong} of a wrong generation, {twice} "
            f"sent twice**, {superseded} superseded while they waited. Answers: "
            f"{', '.join(f'{count:,} × {name}' for name, count in sorted(crowd.answers.items()))}. The answer came "
            "after "
            f"{percentile(took, 50):.2f} s (50 %), {percentile(took, 95):.2f} s (95 %), "
            f"{percentile(took, 99):.2f} s (99 %).\n",
            "From the request to the record of the hand-over, by the deliveries' own history:\n",
            table(
                ["message", "number", "50 %, s", "95 %, s", "99 %, s", "longest, s"],
                [
                    [
                        kind,
                        f"{len(of_kind):,}",
                        *(f"{percentile(of_kind, share):.2f}" for share in (50, 95, 99, 100)),
                    ]
                    for kind, of_kind in sorted(waits.items())
                ],
            ),
            "A smoke test: clients, API, functions, tables and providers share these processors, and MiniStack brings "
            "one batch of the stream after the other, where AWS brings ten a shard at once; the waits are that "
            "queue's. `sam deploy` on MiniStack, IAM enforced, real HTTP; "
            f"every {_SECOND_REISSUE_EVERY}th voter asks twice in a row, half of them by SMS.\n",
        ]
    )
    return text, broken


def _taken(deployment: Deployment) -> list[Taken]:
    """Return every message that the providers took."""

    def read(path: str) -> Any:
        return plain_http.get(f"{deployment.aws.endpoint_url}/_ministack/{path}", timeout=60).json()

    emails = [record for account in read("ses/messages")["messages"].values() for record in account]
    texts = [record for records in read("sns/sms-messages")["sms_messages"].values() for record in records]
    return [
        *(Taken("email", record["To"][0], record["BodyText"], record["Timestamp"]) for record in emails),
        *(Taken("sms", record["PhoneNumber"], record["Message"], None) for record in texts),
    ]


def main() -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="bench.delivery_stack", description=__doc__.partition("\n\n")[0])
    parser.add_argument("--clients", type=int, default=8, help="how many at once (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=45, help="how long they work (default: %(default)s)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as deployment:
        text, broken = measure(deployment, arguments.clients, arguments.seconds)
    flags = shlex.join(sys.argv[1:])
    command = f"make bench-delivery-stack FLAGS={shlex.quote(flags)}" if flags else "make bench-delivery-stack"
    section = f"{text}\n{machine()} `{command}`\n"
    print(section)
    write_section("stack", section)
    for promise in broken:
        print(f"broken: {promise}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
