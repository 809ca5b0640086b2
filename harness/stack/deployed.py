"""The template deployed on the embedded AWS, as its voters, its voting platform and its operators
reach it.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import httpx
import yaml
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from reassort.addresses import mask_address
from reassort.cookies import write_cookie
from reassort.election_file import ElectionFile, parse_election
from reassort.identifiers import generate_identifier, normalise_identifier
from reassort.keyed_hash import HashKey, KeyedHash, Purpose, derive_keyed_hash
from reassort.register import GENESIS, Change, Entry, entry_from_item
from reassort.sealing import Sealer
from reassort.sessions import SESSION_COOKIE, draw_token, session_item
from reassort.tables import from_wire, to_wire
from reassort.voters import IdentifierStatus, Voter, voter_from_item
from reassort_ops.roll.enrolment import Enroller
from reassort_ops.roll.rows import RollRow

from examples.voting_platform import subscribe
from harness import plain_http
from harness.runtime.trees import product
from harness.service.reading import code_in
from harness.stack.contract import raise_if_broken
from local.aws import LocalAws, start_aws
from local.deploy import ELECTION, EmbeddedStack, deploy
from local.receipt_shapes import ses_message, sms_log_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

SITE_ORIGIN = "http://127.0.0.1:8080"
# The worst that a message may take when other work shares the processors.
PATIENCE_SECONDS = 600
# A request under one key takes effect once, however often it is made.
TRIES_UNDER_ONE_KEY = 10
_numbers = count(1)


@dataclass(frozen=True)
class DeployedVoter:
    """A voter on the roll, with what only they know."""

    voter_id: str
    email: str
    numen: str
    phone: str
    identifier: str


@dataclass(frozen=True)
class Mail:
    """An e-mail that SES took."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Deployment:
    """A deployed stack and the embedded AWS below it. `template` is what it was deployed from."""

    aws: LocalAws
    template: Path
    stack: EmbeddedStack
    election: ElectionFile
    keyed_hash: KeyedHash

    def client(self, service: str, credentials: Mapping[str, str] | None = None) -> Any:
        """Return an SDK client: of the administrator, or of whom `credentials` (as STS gives them)
        belong to.
        """
        return make_client(self.aws, service, credentials) if credentials else _administrator(self.aws, service)

    def table(self, name: str) -> str:
        """Return the deployed name of a table, by its logical id."""
        return self.stack.outputs[name]

    def physical_id(self, logical_id: str) -> str:
        """Return the physical id of a resource of the template or of a nested one."""
        found = self._resources(self.stack.name)
        return found[logical_id]

    def _resources(self, stack: str) -> dict[str, str]:
        client, found = self.client("cloudformation"), {}
        for page in client.get_paginator("list_stack_resources").paginate(StackName=stack):
            for one in page["StackResourceSummaries"]:
                found[one["LogicalResourceId"]] = one["PhysicalResourceId"]
                if one["ResourceType"] == "AWS::CloudFormation::Stack":
                    found |= self._resources(one["PhysicalResourceId"])
        return found

    # ------------------------------------------------------------ the roll

    def enrol(self) -> DeployedVoter:
        """Put a new voter on the roll, with a phone of their own."""
        number = next(_numbers)
        email = f"voter{number}@ac-dijon.fr"
        voter = DeployedVoter(
            voter_id=self.keyed_hash.voter_id(email),
            email=email,
            numen=f"09E{number:07d}ABC",
            # Away from those of fictional voters, which begin at 06 00 00 00 01.
            phone=f"061{number:07d}",
            identifier=generate_identifier(self.election.identifier),
        )
        row = RollRow(1, email, voter.numen, "Lycée Carnot, Dijon", None, normalise_identifier(voter.identifier))
        for table, item in Enroller(self.keyed_hash, "roll", int(time.time() * 1000)).enrol(row).items:
            self._put(table, item)
        return voter

    def identifier_hash(self, identifier: str) -> str:
        """Return the form in which an identifier is stored."""
        return self.keyed_hash.hash(Purpose.IDENTIFIER, normalise_identifier(identifier))

    def voter(self, enrolled: DeployedVoter) -> Voter:
        """Read a voter's entry."""
        (item,) = self.query("VotersTable", enrolled.voter_id)
        return voter_from_item(item)

    def query(self, table: str, voter_id: str) -> list[dict[str, Any]]:
        """Return a voter's items of a table whose partition is the voter, in the order of its sort
        key.
        """
        pages = (
            self.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.table(table),
                KeyConditionExpression="voter_id = :voter",
                ExpressionAttributeValues=to_wire({":voter": voter_id}),
                ConsistentRead=True,
            )
        )
        return [from_wire(item) for page in pages for item in page["Items"]]

    def scan(self, table: str, voter_id: str | None = None) -> list[dict[str, Any]]:
        """Return every item of a table, or a voter's."""
        request: dict[str, Any] = {"TableName": self.table(table), "ConsistentRead": True}
        if voter_id is not None:
            request["FilterExpression"] = "voter_id = :voter_id"
            request["ExpressionAttributeValues"] = to_wire({":voter_id": voter_id})
        pages = self.client("dynamodb").get_paginator("scan").paginate(**request)
        return [from_wire(item) for page in pages for item in page["Items"]]

    def chain(self, enrolled: DeployedVoter) -> list[Entry]:
        """Read a voter's register and verify its chain against the roll.

        Raises:
            AssertionError: an entry does not follow from the one before, or the roll ends
                elsewhere.
        """
        items = self.query("RegisterTable", enrolled.voter_id)
        entries = [entry_from_item(item) for item in items]
        previous = GENESIS
        for sequence, (entry, item) in enumerate(zip(entries, items, strict=True), 1):
            assert entry.sequence == sequence
            assert entry.previous == previous
            assert entry.hash == item["hash"]
            previous = entry.hash
        voter = self.voter(enrolled)
        assert (voter.chain_length, voter.chain_head) == (len(entries), previous)
        return entries

    def reconcile(self, enrolled: DeployedVoter) -> dict[int, IdentifierStatus]:
        """Return the status of every identifier of a voter by generation, checked against roll and
        register.

        Raises:
            AssertionError: a generation is missing or double, or the register tells another story.
        """
        voter = self.voter(enrolled)
        issued = sorted(item["generation"] for item in self.scan("IdentifiersTable", enrolled.voter_id))
        assert issued == list(range(1, voter.generation + 1))
        changes = [entry.change for entry in self.chain(enrolled)]
        assert changes.count(Change.ISSUED) + changes.count(Change.REISSUED) == len(issued)
        assert changes.count(Change.VOTED) == (voter.voted_at is not None)
        statuses = {generation: voter.identifier_status(generation) for generation in issued}
        current = [status for status in statuses.values() if status is not IdentifierStatus.REVOKED]
        assert len(current) == 1
        return statuses

    def _put(self, table: str, item: dict[str, Any]) -> None:
        self.client("dynamodb").put_item(TableName=self.table(table), Item=to_wire(item))

    # ------------------------------------------------------------ messages

    def mails_to(self, address: str) -> list[Mail]:
        """Return the e-mails to an address, oldest first."""
        answer = plain_http.get(f"{self.aws.endpoint_url}/_ministack/ses/messages", timeout=30).json()
        records = [record for account in answer["messages"].values() for record in account]
        return [
            Mail(record["Subject"], record["BodyText"], record["BodyHtml"])
            for record in sorted(records, key=lambda record: record["Timestamp"])
            if record["To"] == [address]
        ]

    def texts_to(self, phone: str) -> list[str]:
        """Return the SMS to a number in national form, oldest first."""
        return [record["Message"] for record in self._sms_to(phone)]

    def sms_ids(self, phone: str) -> list[str]:
        """Return what SNS answered for the SMS to a number in national form, oldest first."""
        return [record["MessageId"] for record in self._sms_to(phone)]

    def _sms_to(self, phone: str) -> list[dict[str, Any]]:
        number = f"+33{phone[1:]}"
        url = f"{self.aws.endpoint_url}/_ministack/sns/sms-messages"
        answer = plain_http.get(url, params={"phoneNumber": number}, timeout=30).json()
        records: list[dict[str, Any]] = answer["sms_messages"][number]
        return records

    # ------------------------------------------------------------ receipts

    def report_email(
        self, kind: str, to: str, delivery: str, message: str = "confirmation", round_: int = 0, **facts: Any
    ) -> None:
        """Report an e-mail as SES does: publish to the topic of the configuration set; see
        `ses_message`.
        """
        tags = {"delivery": delivery, "message": message, "round": str(round_)}
        self.publish_report(ses_message(kind, to, tags, at=datetime.now(UTC), **facts))

    def publish_report(self, message: str) -> None:
        """Publish to the topic that SES reports to."""
        self.client("sns").publish(
            TopicArn=self.stack.outputs["ReceiptsTopicArn"],
            Subject="Amazon SES Email Event Notification",
            Message=message,
        )

    def report_sms(self, sms_id: str, status: str, response: str, to: str = "************") -> None:
        """Report an SMS as SNS does: write to the log group of delivered or of failed ones; see
        `sms_log_line`.
        """
        now = datetime.now(UTC)
        self.log_report(status, sms_log_line(sms_id, status, response, to=to, at=now))

    def log_report(self, status: str, line: str) -> None:
        """Write a line to SNS's log of delivered (SUCCESS) or failed (FAILURE) SMS."""
        logs = self.client("logs")
        group = self.stack.outputs["SmsDeliveredLogGroup" if status == "SUCCESS" else "SmsFailedLogGroup"]
        with suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_stream(logGroupName=group, logStreamName="tests")
        logs.put_log_events(
            logGroupName=group,
            logStreamName="tests",
            logEvents=[{"timestamp": round(time.time() * 1000), "message": line}],
        )

    def logged(self, logical_id: str = "NotifyLogs") -> str:
        """Return everything in a log group of the template."""
        pages = (
            self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=self.physical_id(logical_id))
        )
        return "\n".join(event["message"] for page in pages for event in page["events"])

    # ------------------------------------------------------------ callers

    def revision(self, voter: DeployedVoter) -> str:
        """What a page that is read now shows."""
        return self.keyed_hash.revision(voter.voter_id, self.voter(voter).generation)

    def browser(self) -> DeployedBrowser:
        """Open a voter's browser."""
        return DeployedBrowser(self)

    def signed_in(self, voter: DeployedVoter) -> DeployedBrowser:
        """Open a browser whose session was put into the table: sign-in has its own tests, and its
        own limits.
        """
        token = draw_token(voter.voter_id)
        sealer = Sealer(self.client("kms"), self.stack.outputs["EncryptionKeyId"])
        item = session_item(
            self.keyed_hash,
            token,
            address=sealer.seal_address(voter.voter_id, voter.email),
            masked_address=mask_address(voter.email),
            now=datetime.now(UTC),
            limits=self.election.limits.session,
        )
        self._put("SignInTable", item)
        return DeployedBrowser(self, {SESSION_COOKIE: write_cookie(SESSION_COOKIE, token, self.keyed_hash)})

    def subscribed(self, name: str) -> Subscribed:
        """Return a new queue that is subscribed to the topic of events, as the platform's own
        program makes it.
        """
        sqs = self.client("sqs")
        return Subscribed(sqs, subscribe(self.client("sns"), sqs, self.stack.outputs["PlatformTopicArn"], name))

    def handle(self, enrolled: DeployedVoter, generation: int = 1) -> str:
        """Return the handle of a voter's identifier."""
        return self.keyed_hash.handle(enrolled.voter_id, generation)

    def platform(self) -> Platform:
        """Return the voting platform, in the role that the template gives it and no other."""
        answer = self.client("sts").assume_role(
            RoleArn=self.stack.outputs["VotingPlatformRoleArn"], RoleSessionName="voting-platform"
        )
        return Platform(self, answer["Credentials"])


def make_client(aws: LocalAws, service: str, credentials: Mapping[str, str] | None = None) -> Any:
    """Return a client that never retries a refusal: of the administrator, or of `credentials`, as
    STS gives them.
    """
    keys = credentials or {"AccessKeyId": "test", "SecretAccessKey": "test"}
    session: Any = boto3.Session(region_name=aws.region)
    return session.client(
        service,
        endpoint_url=aws.endpoint_url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        # No proxies, whatever the shell has set; an entry without a value would put whole URLs into
        # the request line.
        config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 2}),
    )


@cache
def _administrator(aws: LocalAws, service: str) -> Any:
    """Return the administrator's client, which all tests and threads share: making one takes longer
    than a call.
    """
    return make_client(aws, service)


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Deploy the built template on an embedded AWS of its own, with IAM enforced, and stop it all
    on leaving.
    """
    with start_aws(folder) as aws:
        built = product()
        stack = deploy(aws, built.template, folder, site_origin=SITE_ORIGIN)
        content = yaml.safe_load((built.elections / ELECTION.name).read_text(encoding="utf-8"))
        kms = make_client(aws, "kms")
        yield Deployment(
            aws=aws,
            template=built.template,
            stack=stack,
            election=parse_election(content, ELECTION.name),
            keyed_hash=derive_keyed_hash(
                kms, {key: stack.outputs[f"{key.logical_id}Id"] for key in HashKey}, stack.outputs["ElectionId"]
            ),
        )


@dataclass
class DeployedBrowser:
    """A voter's browser. It keeps the cookies itself: they are Secure, and the embedded API speaks
    plain HTTP.
    """

    deployment: Deployment
    cookies: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        *,
        content: bytes | None = None,
    ) -> httpx.Response:
        """Make a request from a page of the voter space; every answer is checked against the
        contract.

        A request with an idempotency key is repeated when Lambda ended it: so does a voter whom the
        page tells to.
        """
        body = json.dumps(json_body).encode() if json_body is not None else content
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method != "GET":
            sent["Origin"] = SITE_ORIGIN
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent |= dict(headers or {})
        for _ in range(TRIES_UNDER_ONE_KEY if "Idempotency-Key" in sent else 1):
            answer = plain_http.request(
                method,
                self.deployment.stack.api_url + path,
                content=body,
                # Bytes, so that a header may hold what no browser would send.
                headers=[(name.encode(), value.encode()) for name, value in sent.items()],
                timeout=PATIENCE_SECONDS,
            )
            if not ended_by_lambda(answer):
                break
        raise_if_broken(method, path, answer)
        for cookie in answer.headers.get_list("set-cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def sign_in(self, voter: DeployedVoter) -> httpx.Response:
        """Ask for a code, read the mailbox, type the code."""
        seen = len(self.deployment.mails_to(voter.email))
        self.call("POST", "/api/login", {"email": voter.email})
        mails = wait_for(lambda: self.deployment.mails_to(voter.email)[seen:])
        return self.call("POST", "/api/login/code", {"code": code_in(mails[0])})

    def reissue(
        self, voter: DeployedVoter, *, channel: str = "sms", key: str | None = None, **replaced: str
    ) -> httpx.Response:
        """Send the form of a voter, under a new idempotency key unless one is given; `replaced` are
        its fields.
        """
        shown = {"revision": self.deployment.revision(voter)}
        form = {**shown, "numen": voter.numen, "phone": voter.phone, "channel": channel, "consent": True, **replaced}
        return self.call("POST", "/api/reissue", form, {"Idempotency-Key": key or str(uuid4())})

    def status(self, reference: str) -> Any:
        """Ask where a reissue stands."""
        return self.call("GET", f"/api/reissue/{reference}").json()

    def wait_until_sent(self, reference: str) -> Any:
        """Ask where a reissue stands until its identifier has been sent."""
        return wait_for(lambda: found if (found := self.status(reference))["status"] == "sent" else None)


@dataclass(frozen=True)
class Platform:
    """The voting platform: signs what it asks with the credentials it was given."""

    deployment: Deployment
    credentials: Mapping[str, str]

    def call(self, path: str, json_body: Any) -> httpx.Response:
        """Make a signed request and check its answer against the contract."""
        url = self.deployment.stack.api_url + path
        content = json.dumps(json_body).encode()
        request = AWSRequest("POST", url, data=content, headers={"Content-Type": "application/json"})
        SigV4Auth(self.signing(), "execute-api", self.deployment.aws.region).add_auth(request)
        answer = plain_http.post(url, content=content, headers=dict(request.headers), timeout=PATIENCE_SECONDS)
        raise_if_broken("POST", path, answer)
        return answer

    def check(self, identifier: str) -> Any:
        """Ask whether an identifier is valid."""
        return self.call("/registry/check", {"identifier": identifier}).json()

    def vote(self, identifier: str) -> httpx.Response:
        """Record the vote of an identifier."""
        return self.call("/registry/votes", {"identifier": identifier})

    def signing(self) -> Credentials:
        """Return the credentials in the form that signs requests."""
        keys = self.credentials
        return Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))


@dataclass(frozen=True)
class Subscribed:
    """A queue of the voting platform."""

    sqs: Any
    url: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def until(self, enough: Callable[[list[dict[str, Any]]], object]) -> list[dict[str, Any]]:
        """Take events until there are enough of them; return all that came since the queue was
        made.
        """

        def look() -> bool:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                self.events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return bool(enough(self.events))

        wait_for(look)
        return self.events


def ended_by_lambda(answer: httpx.Response) -> bool:
    """Tell whether the emulator killed the function: fifty environments on two processors may
    outlast its timeout.
    """
    return answer.status_code == httpx.codes.BAD_GATEWAY and (
        "Sandbox.Timedout" in answer.text or "Worker process" in answer.text
    )


def at_once[T](calls: Sequence[Callable[[], T]]) -> list[T]:
    """Make all calls at the same time, each in a thread of its own; return their results in
    order.
    """
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def wait_for[T](look: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Look again and again until there is something to see, and return it.

    Raises:
        TimeoutError: nothing came.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing within {seconds} s")
        time.sleep(0.2)
    return found
