"""The whole service in one process: its routes and triggers, the tables of `template.yaml`, a clock
one sets.

    with World() as world:
        claire = world.enrol("claire.martin@ac-dijon.fr", numen="09E9900123ABC")
        browser = world.browser()
        browser.sign_in(claire.email)
        reissued = browser.reissue(claire.numen, "06 12 34 56 78", "sms")
        world.run_outbox()
        assert world.sms[-1].to == "+33612345678"

Nothing here depends on pytest. One world at a time: the clock and the AWS, which an engine plays,
belong to the process. MiniStack is the engine unless another is given: on moto, calls take some
ten times as long. What depends on IAM, TTL or throttling is shown elsewhere, on the deployed
stack.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from http.cookies import SimpleCookie
from itertools import batched
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch
from urllib.parse import parse_qsl
from uuid import NAMESPACE_DNS, uuid4, uuid5

import time_machine
from announce import triggers as announce_triggers
from announce import wiring as announce_wiring
from login import routes as login_routes
from login import wiring as login_wiring
from login.routes import CHALLENGE_COOKIE
from notify import triggers as notify_triggers
from notify import wiring as notify_wiring
from reassort.addresses import mask_address
from reassort.clock import epoch_milliseconds
from reassort.cookies import read_cookie, write_cookie
from reassort.election_file import ElectionFile
from reassort.http import Routes
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import derive_keyed_hash
from reassort.outbox import Delivery, delivery_from_item
from reassort.register import ELECTION_CHAIN
from reassort.sealing import Sealer
from reassort.sessions import SESSION_COOKIE, draw_token, session_item
from reassort.settings import read_settings
from reassort.voters import Voter, voter_from_item
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.rows import RollRow
from registry import routes as registry_routes
from registry import wiring as registry_wiring
from reissue import routes as reissue_routes
from reissue import wiring as reissue_wiring

from harness.elections import read_election
from harness.engines.engine import ACCOUNT, REGION, SENDER_DOMAIN, seeded
from harness.engines.ministack import MINISTACK
from harness.engines.template import OUTBOX, read_template
from harness.service.events import proxy_event, queue_event, stream_event
from harness.service.reading import find_code
from harness.service.wire import Announcement, Call, CallFault, SentAlert, SentEmail, SentSms, Wire, aws_error, no_reply
from helpdesk import routes as helpdesk_routes
from helpdesk import wiring as helpdesk_wiring

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from notify import deps as notify_deps

    from harness.engines.engine import Engine

SITE_ORIGIN = "https://reassort.example.fr"
SOURCE_HEADER = "x-viewer-address"
# A Friday morning inside both windows of the Dijon election, while the helpdesk is open.
START = datetime(2018, 11, 30, 9, 15, tzinfo=UTC)
PHONE = "06 12 34 56 78"
# One instance of a function: given an event, it returns what Lambda is told.
type Worker = Callable[[dict[str, Any]], Any]
_FIRST_SEQUENCE_NUMBER = 422300000000017454423009
# What API Gateway knows of each function behind it.
ROUTES: dict[str, Routes[Any]] = {
    "login": login_routes.ROUTES,
    "reissue": reissue_routes.ROUTES,
    "registry": registry_routes.ROUTES,
    "helpdesk": helpdesk_routes.ROUTES,
}
# The role of AWS's that each group of the pool is given.
GROUP_ROLES = {"agent": "AgentRole", "supervisor": "SupervisorRole", "auditor": "AuditorRole"}
_POOL = f"cognito-idp.{REGION}.amazonaws.com/{REGION}_helpdesk"
# Those whose callers sign.
SIGNED = ("registry", "helpdesk")


@dataclass(frozen=True)
class Enrolled:
    """A voter that `enrol` put on the roll, with what only they and this test know."""

    voter_id: str
    email: str
    numen: str
    identifier: str


@dataclass(frozen=True)
class SetCookie:
    """A cookie that an answer sets. `attributes` by lower-case name; flags are `""`."""

    value: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Response:
    """An answer as a client of API Gateway sees it; header names are in lower case."""

    method: str
    resource: str
    status: int
    headers: dict[str, str]
    cookies: dict[str, SetCookie]
    text: str

    @property
    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.text)

    @property
    def code(self) -> str | None:
        """Return the code of a problem document, None for anything else."""
        if self.headers.get("content-type") != "application/problem+json":
            return None
        code: str = self.json["code"]
        return code


@dataclass
class Clock:
    """The clock that every rule is given. `move` and `set` also move the process's clock, for the
    queues' delays.
    """

    traveller: Any
    now: datetime

    def __call__(self) -> datetime:
        """Return the instant, aware, UTC."""
        return self.now

    def set(self, instant: datetime) -> None:
        """Set the clock to an aware instant."""
        self.now = instant.astimezone(UTC)
        self.traveller.move_to(self.now)

    def move(self, **duration: float) -> None:
        """Move the clock by a `timedelta`, given by its arguments."""
        self.set(self.now + timedelta(**duration))


class World:
    """A running service. Use it as a context manager.

    Attributes:
        clock: the settable clock.
        responses: every answer of every call, oldest first.
        calls, emails, sms, alerts, announcements: what the functions asked of AWS and what was
            accepted for sending, oldest first.

    With a `seed`, what the functions draw from the system's randomness (identifiers, codes, tokens,
    ids) is the same each time.
    """

    def __init__(
        self,
        election: ElectionFile | str = "dijon-2018",
        at: datetime = START,
        engine: Engine = MINISTACK,
        seed: int | None = None,
    ) -> None:
        self.engine = engine
        self._seed = seed
        self.election = read_election(election) if isinstance(election, str) else election
        self._start = at
        self._closing = ExitStack()
        self.responses: list[Response] = []
        self._logs = io.StringIO()
        self._records: list[dict[str, Any]] = []
        self._next_record = 0
        self._entries: list[dict[str, Any]] = []
        self._announced: list[dict[str, Any]] = []
        self._taken_entries = 0

    def __enter__(self) -> Self:
        """Start the engine, wire the functions."""
        with ExitStack() as opening:
            environment = {
                "AWS_DEFAULT_REGION": REGION,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            opening.enter_context(patch.dict(os.environ, environment))
            if self._seed is not None:
                opening.enter_context(seeded(self._seed))
            traveller = time_machine.travel(self._start, tick=False)
            self.clock = Clock(traveller.start(), self._start)
            opening.callback(traveller.stop)
            self.wire: Wire = opening.enter_context(self.engine.started())
            self.tables = self.engine.stores.tables
            self.encryption_key = self.engine.stores.encryption_key
            self.helpdesk_topic = self.engine.channels.helpdesk_topic
            self.retry_queue = self.engine.channels.retry_queue
            self.dead_letter_queue = self.engine.channels.dead_letter_queue
            self.platform_dead_letters = self.engine.channels.platform_dead_letters
            self._wire_functions()
            self._closing = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the engine and the clock."""
        self._closing.close()

    # ------------------------------------------------------------ what a test does

    def enrol(
        self,
        email: str,
        numen: str,
        identifier: str | None = None,
        establishment: str = "Lycée Carnot, Dijon",
        secretariat: str | None = "Secrétariat du lycée Carnot",
        extra_proof: str | None = None,
    ) -> Enrolled:
        """Put a voter on the roll with a first identifier, as the import of the roll does.
        `extra_proof` is normalised.
        """
        identifier = identifier or generate_identifier(self.election.identifier)
        row = RollRow(1, email, numen, establishment, secretariat, normalise_identifier(identifier), extra_proof)
        enrolment = Enroller(self.keyed_hash, "roll", epoch_milliseconds(self.clock())).enrol(row)
        for table, item in enrolment.items:
            self.engine.put(table, item)
        return Enrolled(enrolment.voter_id, email, numen, identifier)

    def browser(self) -> Browser:
        """Open a browser of its own: no cookies yet."""
        return Browser(self)

    def signed_in(self, enrolled: Enrolled) -> Browser:
        """Open a browser in which this voter has just signed in. Quicker than to sign in by a
        code.
        """
        token = draw_token(enrolled.voter_id)
        item = session_item(
            self.keyed_hash,
            token,
            address=Sealer(self.wire.operator.kms, self.encryption_key).seal_address(enrolled.voter_id, enrolled.email),
            masked_address=mask_address(enrolled.email),
            now=self.clock(),
            limits=self.election.limits.session,
        )
        self.engine.put("SignInTable", item)
        browser = self.browser()
        browser.hold(SESSION_COOKIE, write_cookie(SESSION_COOKIE, token, self.keyed_hash))
        return browser

    def agent(self, name: str = "anne", role: str = "operator") -> SeatedAgent:
        """Seat somebody at the helpdesk. An operator is known by the name of their session, no
        matter who signs in on the page by their number in the pool.
        """
        return SeatedAgent(self, name, role)

    def call(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        cookies: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: str | None = None,
        is_base64: bool = False,
        identity: Mapping[str, str] | None = None,
    ) -> Response:
        """Make one request. `body` is sent as it stands; `json_body` is written as JSON; both imply
        the JSON type.

        With `is_base64`, API Gateway says of the body that it is base64. `identity` is what it says
        of who signed, where that is not the voting platform.

        Raises:
            LookupError: API Gateway has no such resource, so no function would ever see the
                request.
        """
        path, _, query = path.partition("?")
        service, resource, parameters = self._resolve(path)
        text = json.dumps(json_body) if json_body is not None else body
        sent = {"Host": "reassort.example.fr", "User-Agent": "tests", "X-Forwarded-For": "203.0.113.24, 198.51.100.7"}
        if text is not None:
            sent["Content-Type"] = "application/json"
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        sent |= dict(headers or {})
        event = proxy_event(
            method,
            resource,
            path,
            body=text,
            headers=sent,
            path_parameters=parameters,
            signed=service in SIGNED,
        )
        event["requestContext"]["identity"].update(identity or {})
        event["isBase64Encoded"] = is_base64
        event["queryStringParameters"] = dict(parse_qsl(query)) or None
        return self.answer(service, event)

    def answer(self, service: str, event: dict[str, Any]) -> Response:
        """Give a proxy event to a function (`login`, `reissue`, `registry` or `helpdesk`)."""
        proxy = self.wake(service, event)
        response = Response(
            method=event["httpMethod"],
            resource=event["resource"],
            status=proxy["statusCode"],
            headers={name.lower(): value for name, value in proxy["headers"].items()},
            cookies=_set_cookies(proxy.get("multiValueHeaders", {}).get("Set-Cookie", [])),
            text=proxy["body"],
        )
        self.responses.append(response)
        return response

    def wake(self, function: str, event: dict[str, Any]) -> Any:
        """Give an event to a function as Lambda does, and return what it returns."""
        return self._functions[function](event)

    def check(self, identifier: str) -> Any:
        """Ask the registry about an identifier and return the answer's body."""
        return self.call("POST", "/registry/check", {"identifier": identifier}).json

    def vote(self, identifier: str) -> Response:
        """Record a vote, as the voting platform does."""
        return self.call("POST", "/registry/votes", {"identifier": identifier})

    def run_outbox(self) -> None:
        """Let delivery do all it can at this instant: new items of the stream, then the retries
        that are due.
        """
        self.deliver_stream()
        self.drain_retries()

    def deliver_stream(self, worker: Worker | None = None) -> None:
        """Bring new outbox items to delivery as the event source mapping does: filtered, in order,
        ten at a time.

        A batch whose function dies, or that reports a failure, is brought again by the next call.
        """
        for batch in batched(self.new_records(), 10, strict=False):
            woken = [record for record in batch if _wants_attention(record)]
            failed: set[str] = set()
            if woken:
                answer = (worker or partial(self.wake, "notify"))(self.stream_event(woken))
                failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for record in batch:
                if record["dynamodb"]["SequenceNumber"] in failed:
                    return
                self._next_record += 1

    def new_records(self) -> list[dict[str, Any]]:
        """Return the records of the outbox's streams that delivery has not been given yet."""
        # What nobody takes out of the other stream, moto copies for each transaction.
        self._take_entries()
        for table in OUTBOX.all:
            for record in self.engine.take_stream_records(table):
                record["dynamodb"]["SequenceNumber"] = str(_FIRST_SEQUENCE_NUMBER + len(self._records))
                self._records.append(record)
        return self._records[self._next_record :]

    def announce(self) -> None:
        """Bring new entries of the register to the function of the events, ten at a time, filtered
        as the template filters them.

        A batch whose function raises is brought again by the next call, like what a partial answer
        names and all behind it.
        """
        self._take_entries()
        while self._entries:
            batch = self._entries[:10]
            wanted = [record for record in batch if _is_announced(record)]
            failed: set[str] = set()
            if wanted:
                arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.tables['RegisterTable']}"
                answer = self.wake("announce", stream_event(wanted, arn))
                failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            while batch and batch[0]["dynamodb"]["SequenceNumber"] not in failed:
                done = batch.pop(0)
                self._entries.pop(0)
                if done in wanted:
                    self._announced.append(done)
            if batch:
                return

    def _take_entries(self) -> None:
        for record in self.engine.take_stream_records("RegisterTable"):
            self._taken_entries += 1
            record["dynamodb"]["SequenceNumber"] = str(_FIRST_SEQUENCE_NUMBER + self._taken_entries)
            self._entries.append(record)

    def lose_stream(self) -> None:
        """Let what the stream holds now never reach delivery, as when its trigger is dead."""
        self._next_record += len(self.new_records())

    def stream_event(self, records: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the event that Lambda would make of stream records."""
        return stream_event(records, f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.tables['DeliveriesTable']}")

    def drain_retries(self) -> int:
        """Bring every message of the retry queue that is visible now to delivery; return how many
        it was.
        """
        sqs = self.wire.operator.sqs
        count = 0
        while self.engine.has_visible(self.retry_queue):
            received = sqs.receive_message(QueueUrl=self.retry_queue, MaxNumberOfMessages=10, AttributeNames=["All"])
            # Nothing comes when all that was visible has just gone to the dead letters.
            messages = received.get("Messages", [])
            count += len(messages)
            if not messages:
                continue
            answer = self.wake("notify", queue_event(messages, f"arn:aws:sqs:{REGION}:{ACCOUNT}:retries"))
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            for message in messages:
                if message["MessageId"] not in failed:
                    sqs.delete_message(QueueUrl=self.retry_queue, ReceiptHandle=message["ReceiptHandle"])
        return count

    def sweep(self) -> int:
        """Let the sweeper queue what is overdue; return how many that was. `run_outbox` then
        delivers it.
        """
        overdue: int = self.wake("notify", {})["overdue"]
        return overdue

    def run_for(self, **duration: float) -> None:
        """Let time pass (a `timedelta` by its arguments), minute by minute, with stream, retries
        and sweeper at work.
        """
        end = self.clock() + timedelta(**duration)
        while self.clock() < end:
            self.clock.set(min(end, self.clock() + timedelta(minutes=1)))
            self.run_outbox()
            # The sweeper's query, without its eight calls a minute when it would find nothing.
            now = self.clock().timestamp() * 1000
            if any(item.get("due_at", now + 1) <= now for item in self.deliveries()):
                self.sweep()
                self.run_outbox()

    # ------------------------------------------------------------ faults

    def fail(self, operation: str, error: BaseException | str, **options: Any) -> CallFault:
        """Let the next call of an AWS operation fail before it has any effect. `error` is an
        exception or an AWS code.
        """
        fault = CallFault(operation, aws_error(error) if isinstance(error, str) else error, "before", **options)
        self.wire.faults.append(fault)
        return fault

    def lose_reply(self, operation: str, error: BaseException | None = None, **options: Any) -> CallFault:
        """Let the next call of an AWS operation have its effect and its answer get lost."""
        fault = CallFault(operation, error or no_reply(), "after", **options)
        self.wire.faults.append(fault)
        return fault

    def repair(self) -> None:
        """Remove all faults."""
        self.wire.faults.clear()

    def interleave(self, operation: str, action: Callable[[], object], **options: Any) -> None:
        """Run `action` once, just before the next call of an AWS operation is made: another request
        slips in between.
        """
        pending = [CallFault(operation, RuntimeError(), "before", **options)]

        def run(call: Call) -> None:
            if pending and pending[0].strikes(call, "before"):
                pending.clear()
                action()

        self.wire.interceptors.append(run)

    def recorded(self) -> AbstractContextManager[list[Call]]:
        """Give a list that holds, after the `with` block, the AWS calls made inside it."""
        return self.wire.recorded()

    # ------------------------------------------------------------ what a test looks at

    @property
    def calls(self) -> list[Call]:
        """Every AWS call of the functions."""
        return self.wire.calls

    @property
    def sent_texts(self) -> list[str]:
        """The text of every e-mail and every SMS that was accepted."""
        return [*(email.text for email in self.emails), *(sms.text for sms in self.sms)]

    @property
    def emails(self) -> list[SentEmail]:
        """Every e-mail that SES accepted."""
        return self.wire.emails

    @property
    def sms(self) -> list[SentSms]:
        """Every SMS that SNS accepted."""
        return self.wire.sms

    @property
    def alerts(self) -> list[SentAlert]:
        """Every alert to the helpdesk."""
        return self.wire.alerts

    @property
    def announcements(self) -> list[Announcement]:
        """Every event for the voting platform."""
        return self.wire.announcements

    @property
    def log_text(self) -> str:
        """Everything that the functions logged."""
        return self._logs.getvalue()

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        """Every line that the functions logged."""
        return [json.loads(line) for line in self.log_text.splitlines()]

    def metrics(self, name: str) -> list[float]:
        """Return every value of a metric, oldest first."""
        return [value for line in self.log_lines for value in line.get(name, []) if "_aws" in line]

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return every item of a table (logical id), as plain values."""
        return self.engine.items(table)

    def voter(self, enrolled: Enrolled) -> Voter:
        """Return a voter's entry as it stands."""
        return voter_from_item(self._get("VotersTable", {"voter_id": enrolled.voter_id}))

    def change_voter(self, enrolled: Enrolled, **attributes: Any) -> None:
        """Overwrite attributes of a voter's entry behind the service's back, as an operator's
        command may.
        """
        self._update("VotersTable", {"voter_id": enrolled.voter_id}, attributes)

    def deliveries(self) -> list[dict[str, Any]]:
        """Return the items of every delivery, of codes first."""
        return [item for table in OUTBOX.all for item in self.items(table)]

    def delivery(self, reference: str) -> Delivery:
        """Return a delivery as it stands."""
        return delivery_from_item(self.delivery_item(reference))

    def delivery_item(self, reference: str) -> dict[str, Any]:
        """Return the item of a delivery as it stands."""
        return self._get(OUTBOX.of(reference), {"delivery_id": reference})

    def change_delivery(self, reference: str, **attributes: Any) -> None:
        """Overwrite attributes of a delivery behind the service's back."""
        self._update(OUTBOX.of(reference), {"delivery_id": reference}, attributes)

    def change_message(self, reference: str, message: str, **attributes: Any) -> None:
        """Overwrite attributes of one message of a delivery, as a receipt may."""
        messages = self.delivery_item(reference)["messages"]
        messages[message] |= attributes
        self.change_delivery(reference, messages=messages)

    def register(self, enrolled: Enrolled) -> list[dict[str, Any]]:
        """Return a voter's entries in the register, in order."""
        entries = [item for item in self.items("RegisterTable") if item["voter_id"] == enrolled.voter_id]
        return sorted(entries, key=lambda item: item["sequence"])

    def election_chain(self) -> list[dict[str, Any]]:
        """Return the entries in the register about the election as a whole, in order."""
        entries = [item for item in self.items("RegisterTable") if item["voter_id"] == ELECTION_CHAIN]
        return sorted(entries, key=lambda item: item["sequence"])

    def queued_bodies(self, queue_url: str | None = None) -> list[str]:
        """Return the bodies of all messages of a queue (the retry queue unless told), visible or
        not.
        """
        return self.engine.queued_bodies(queue_url or self.retry_queue)

    def mail_to(self, address: str) -> list[SentEmail]:
        """Return the e-mails to an address, oldest first."""
        return [email for email in self.emails if email.to == address]

    def mail_about(self, reference: str) -> list[SentEmail]:
        """Return the e-mails of a delivery, oldest first."""
        return [email for email in self.emails if email.tags["delivery"] == reference]

    def code_for(self, address: str) -> str:
        """Return the newest one-time code that was e-mailed to an address."""
        codes = [code for email in self.mail_to(address) if (code := find_code(email))]
        return codes[-1]

    def another_worker(self) -> Worker:
        """Return another instance of the delivery function, as a second concurrent execution would
        be.
        """
        return partial(notify_triggers.answer, deps=self._build_notify())

    # ------------------------------------------------------------ wiring

    def _wire_functions(self) -> None:
        wire = self.wire
        self.keyed_hash = derive_keyed_hash(wire.kms, self.engine.stores.hash_keys, self.election.id)
        shared = (wire.clients, self.clock, self.election, self.keyed_hash)
        settings = self._settings
        announce = announce_wiring.build(settings(announce_wiring.Settings), wire.clients, self.keyed_hash)
        self._functions: dict[str, Worker] = {
            "login": partial(login_routes.answer, deps=login_wiring.build(settings(login_wiring.Settings), *shared)),
            "reissue": partial(
                reissue_routes.answer, deps=reissue_wiring.build(settings(reissue_wiring.Settings), *shared)
            ),
            "registry": partial(
                registry_routes.answer, deps=registry_wiring.build(settings(registry_wiring.Settings), *shared)
            ),
            "helpdesk": partial(
                helpdesk_routes.answer, deps=helpdesk_wiring.build(settings(helpdesk_wiring.Settings), *shared)
            ),
            "announce": partial(announce_triggers.answer, deps=announce),
            # With what delivery holds at that moment: a test may let a new process take over.
            "notify": lambda event: notify_triggers.answer(event, self.notify),
        }
        self.notify = self._build_notify()
        for function in self._functions:
            for handler in logging.getLogger(function).handlers:
                if isinstance(handler, logging.StreamHandler):
                    handler.setStream(self._logs)
        wire.calls.clear()

    def _settings[S](self, model: type[S]) -> S:
        """Return a function's settings, read as it reads what the template gives it."""
        tables = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper(): table for name, table in self.tables.items()}
        environment = {
            "ELECTION": self.election.id,
            "SITE_ORIGIN": SITE_ORIGIN,
            "SOURCE_HEADER": SOURCE_HEADER,
            "ENCRYPTION_KEY": self.encryption_key,
            **{key.upper(): key_id for key, key_id in self.engine.stores.hash_keys.items()},
            "WATCHED_KEYS": " ".join([self.encryption_key, *self.engine.stores.hash_keys.values()]),
            "RETRY_QUEUE": self.retry_queue,
            "SENDER_DOMAIN": SENDER_DOMAIN,
            "CONFIGURATION_SET": "messages",
            "HELPDESK_TOPIC": self.helpdesk_topic,
            "METRICS_NAMESPACE": "reassort-test",
            "PLATFORM_TOPIC": self.engine.channels.platform_topic,
            "PLATFORM_DEAD_LETTERS": self.platform_dead_letters,
            **{f"{role.upper()}_ROLE": name for role, name in GROUP_ROLES.items()},
        }
        return read_settings(model, environment | tables)

    def _build_notify(self) -> notify_deps.Deps:
        settings = self._settings(notify_wiring.Settings)
        write = partial(print, file=self._logs)
        return notify_wiring.build(settings, self.wire.clients, self.clock, self.election, write)

    def _resolve(self, path: str) -> tuple[str, str, dict[str, str]]:
        asked = path.split("/")
        for service, routes in ROUTES.items():
            for _, resource in routes:
                segments = resource.split("/")
                if len(segments) == len(asked) and all(
                    segment == given or (segment.startswith("{") and given)
                    for segment, given in zip(segments, asked, strict=True)
                ):
                    parameters = {
                        segment[1:-1]: given
                        for segment, given in zip(segments, asked, strict=True)
                        if segment.startswith("{")
                    }
                    return service, resource, parameters
        raise LookupError(path)

    def _get(self, table: str, key: dict[str, Any]) -> dict[str, Any]:
        item = self.engine.get(table, key)
        if item is None:
            raise LookupError(f"{table} has no {key}")
        return item

    def _update(self, table: str, key: dict[str, Any], attributes: dict[str, Any]) -> None:
        item = self._get(table, key) | attributes
        self.engine.put(table, {name: value for name, value in item.items() if value is not None})


@dataclass(frozen=True)
class SeatedAgent:
    """An agent, a supervisor, an auditor or an operator of a world."""

    world: World
    name: str
    role: str

    @property
    def id(self) -> str:
        """Return how records name them."""
        return self.name if self.role == "operator" else str(uuid5(NAMESPACE_DNS, self.name))

    @property
    def identity(self) -> dict[str, str]:
        """Return what API Gateway says of them."""
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role"
        if self.role == "operator":
            return {"userArn": f"{session}/Operators/{self.name}"}
        return {
            "userArn": f"{session}/{GROUP_ROLES[self.role]}/CognitoIdentityCredentials",
            "cognitoAuthenticationProvider": f"{_POOL},{_POOL}:CognitoSignIn:{self.id}",
        }

    def call(self, method: str, path: str, json_body: Any = None, headers: Mapping[str, str] | None = None) -> Response:
        """Make a request."""
        return self.world.call(method, path, json_body, headers=headers, identity=self.identity)

    def look(self, who: str, **more: str) -> Response:
        """Look a voter up."""
        return self.call("POST", "/helpdesk/look", {"who": who, **more})

    def act(
        self, act: str, who: str, reason: str = "identity checked", key: str | None = None, **more: object
    ) -> Response:
        """Do something to a voter, under a new idempotency key unless one is given."""
        body = {"act": act, "who": who, "reason": reason, **more}
        return self.call("POST", "/helpdesk/acts", body, {"Idempotency-Key": key or str(uuid4())})

    def end(self, name: str, reason: str = "account stolen") -> Response:
        """End the sessions of an agent."""
        agent = SeatedAgent(self.world, name, "agent").id
        return self.call("POST", f"/helpdesk/sessions/{agent}/end", {"reason": reason})

    def decide(self, proposal: str, decision: str = "confirm", reason: str = "seen with the agent") -> Response:
        """Confirm or refuse what somebody proposed."""
        return self.call("POST", f"/helpdesk/proposals/{proposal}", {"decision": decision, "reason": reason})


@dataclass
class Browser:
    """A voter's browser: keeps cookies as a browser does, and knows the steps of the journey."""

    world: World
    _cookies: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it would send now."""
        now = self.world.clock()
        return {name: value for name, (value, until) in self._cookies.items() if now < until}

    def hold(self, name: str, value: str) -> None:
        """Plant a cookie."""
        self._cookies[name] = (value, self.world.clock() + timedelta(days=1))

    def call(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: str | None = None,
        is_base64: bool = False,
    ) -> Response:
        """Make a request from a page of the voter space."""
        sent = {"Sec-Fetch-Site": "same-origin"}
        if method != "GET":
            sent["Origin"] = SITE_ORIGIN
        response = self.world.call(
            method, path, json_body, self.cookies, sent | dict(headers or {}), body=body, is_base64=is_base64
        )
        for name, cookie in response.cookies.items():
            until = self.world.clock() + timedelta(seconds=int(cookie.attributes["max-age"]))
            self._cookies[name] = (cookie.value, until)
        return response

    def ask_code(self, email: str) -> Response:
        """Ask for a one-time code."""
        return self.call("POST", "/api/login", {"email": email})

    def redeem(self, code: str) -> Response:
        """Type a code."""
        return self.call("POST", "/api/login/code", {"code": code})

    def sign_in(self, email: str) -> Response:
        """Ask for a code, read the mailbox, type the code."""
        self.ask_code(email)
        self.world.run_outbox()
        return self.redeem(self.world.code_for(email))

    def sign_out(self) -> Response:
        """Sign out."""
        return self.call("DELETE", "/api/login")

    def overview(self) -> Response:
        """Ask where the voter stands."""
        return self.call("GET", "/api/reissue")

    def reissue(
        self, numen: str, phone: str = PHONE, channel: str = "sms", key: str | None = None, **more: object
    ) -> Response:
        """Send the reissue form with `more` members, under a new idempotency key unless one is
        given.
        """
        shown = {"revision": self.revision}
        form = {**shown, "numen": numen, "phone": phone, "channel": channel, "consent": True, **more}
        return self.call("POST", "/api/reissue", form, {"Idempotency-Key": key or str(uuid4())})

    def status(self, reference: str) -> Response:
        """Ask where a reissue stands."""
        return self.call("GET", f"/api/reissue/{reference}")

    def redeliver(self, reference: str, channel: str, **more: object) -> Response:
        """Ask for the same identifier by the other channel, with `more` members."""
        return self.call("POST", f"/api/reissue/{reference}/redelivery", {"channel": channel, **more})

    def dispute(self, token: str) -> Response:
        """Say that a reissue was not asked for."""
        return self.call("POST", "/api/dispute", {"token": token})

    @property
    def revision(self) -> str:
        """What a page that is read now shows: the signed-in voter at their generation."""
        token = read_cookie(SESSION_COOKIE, self.session_cookie, self.world.keyed_hash)
        if token is None:
            return "-"
        found = self.world.engine.get("VotersTable", {"voter_id": token.voter_id})
        return self.world.keyed_hash.revision(token.voter_id, found["generation"]) if found else "-"

    @property
    def session_cookie(self) -> str | None:
        """The value of the session cookie."""
        return self.cookies.get(SESSION_COOKIE)

    @property
    def challenge_cookie(self) -> str | None:
        """The value of the challenge cookie."""
        return self.cookies.get(CHALLENGE_COOKIE)


@cache
def _filters(function: str, event: str) -> tuple[Mapping[str, Any], ...]:
    """Return the filters of an event source in template.yaml."""
    source = read_template()["Resources"][function]["Properties"]["Events"][event]["Properties"]
    return tuple(json.loads(one["Pattern"]) for one in source["FilterCriteria"]["Filters"])


def _wants_attention(record: Mapping[str, Any]) -> bool:
    return any(_fits(pattern, record) for pattern in _filters("NotifyFunction", "Outbox"))


def _is_announced(record: Mapping[str, Any]) -> bool:
    return any(_fits(pattern, record) for pattern in _filters("AnnounceFunction", "Register"))


def _fits(pattern: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Tell whether a record passes a filter of Lambda that compares with lists of values."""
    return all(
        _fits(wanted, record.get(name, {})) if isinstance(wanted, dict) else record.get(name) in wanted
        for name, wanted in pattern.items()
    )


def _set_cookies(headers: list[str]) -> dict[str, SetCookie]:
    cookies = {}
    for header in headers:
        ((name, morsel),) = SimpleCookie(header).items()
        attributes = {part.partition("=")[0].strip().lower(): part.partition("=")[2] for part in header.split(";")[1:]}
        cookies[name] = SetCookie(morsel.value, attributes)
    return cookies
