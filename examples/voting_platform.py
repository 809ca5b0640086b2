"""A voting platform's side of the reissue service: check an identifier, record its vote, hear of
invalidations.

It needs boto3 and nothing of this repository: copy it. docs/voting-platform.md says what each
answer obliges to.

    python voting_platform.py subscribe --topic TOPIC_ARN --queue reassort-events
    python voting_platform.py listen --queue-url QUEUE_URL
    python voting_platform.py check --api-url API_URL --role ROLE_ARN < identifier.txt

An identifier is read from standard input, because others can see a command line. Credentials and
region are those of the SDK (`AWS_PROFILE`, `AWS_DEFAULT_REGION`, …); the role is the stack's output
VotingPlatformRoleArn, TOPIC_ARN its PlatformTopicArn, API_URL its ApiUrl.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError
from botocore.httpsession import URLLib3Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.credentials import Credentials

# The service answers within 10 s or not at all. A voter waits for this.
CONNECT_SECONDS, READ_SECONDS = 2, 12
TRIES = 4
FINAL = frozenset({"revoked", "used"})
# What a voter may be told of a refused vote; every other code is a fault of the two programs.
REFUSALS = frozenset({"already-voted", "frozen", "revoked", "unknown-identifier", "window-closed"})


class UnavailableError(Exception):
    """The service did not answer in the end. What became of a vote is unknown: repeat it before
    anything else.
    """


class RefusedCallError(Exception):
    """The call itself is wrong: its signature, its role, its form. Trying again does not help."""


@dataclass(frozen=True)
class CheckAnswer:
    """What the service says of an identifier. `handle` and `sequence` are None where it gives
    none.
    """

    status: str
    generation: int | None
    superseded_at: str | None
    handle: str | None
    sequence: int | None


@dataclass(frozen=True)
class VoteAnswer:
    """What became of a vote. `refusal` is one of REFUSALS, None when it counts.

    `unanswered` tells that an earlier try of this same call got no answer. An `already-voted` is
    then most likely its own: look into the ballot box for another ballot under the same handle, and
    if there is none the vote counts.
    """

    refusal: str | None
    unanswered: bool = False

    @property
    def counts(self) -> bool:
        """Tell whether the service has recorded this very vote, without doubt."""
        return self.refusal is None


def assumed(session: boto3.Session, role_arn: str) -> Credentials:
    """Return the credentials of the platform's role; they renew themselves before they run out."""

    def assume() -> dict[str, str]:
        got = session.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="voting-platform")["Credentials"]
        return {
            "access_key": got["AccessKeyId"],
            "secret_key": got["SecretAccessKey"],
            "token": got["SessionToken"],
            "expiry_time": got["Expiration"].isoformat(),
        }

    credentials: Credentials = RefreshableCredentials.create_from_metadata(assume(), assume, "sts-assume-role")
    return credentials


class Registry:
    """The service's two questions, signed, with timeouts and with the repetitions that are safe."""

    def __init__(self, api_url: str, region: str, credentials: Credentials) -> None:
        self._api_url = api_url.rstrip("/")
        self._region = region
        self._credentials = credentials
        # The stubs know no pair.
        timeout: Any = (CONNECT_SECONDS, READ_SECONDS)
        self._http = URLLib3Session(timeout=timeout, max_pool_connections=32)

    def check(self, identifier: str) -> CheckAnswer:
        """Ask whether an identifier is valid. It changes nothing, so it is repeated until there is
        an answer.

        Raises:
            UnavailableError: there was none after four tries. Do not let the voter vote unchecked.
            RefusedCallError: the call is wrong.
        """
        status, headers, body, _ = self._call("/registry/check", identifier)
        _raise_unless(status == 200, status, body)
        sequence = headers.get("reassort-sequence")
        return CheckAnswer(
            status=body["status"],
            generation=body["generation"],
            superseded_at=body["superseded_at"],
            handle=headers.get("reassort-handle"),
            sequence=int(sequence) if sequence else None,
        )

    def vote(self, identifier: str) -> VoteAnswer:
        """Record the vote of an identifier. One call at a time for each identifier: see
        docs/voting-platform.md, « Voting ».

        It is repeated as well: a vote is recorded once, however often it is sent.

        Raises:
            UnavailableError: whether the vote counts is not known. Repeat the call until it is.
            RefusedCallError: the call is wrong.
        """
        status, _, body, unanswered = self._call("/registry/votes", identifier)
        if status == 200 and body.get("counted") is True:
            return VoteAnswer(None)
        _raise_unless(status == 409 and body.get("code") in REFUSALS, status, body)
        return VoteAnswer(body["code"], unanswered)

    def _call(self, path: str, identifier: str) -> tuple[int, Mapping[str, str], dict[str, Any], bool]:
        """Return status, headers in lower case, body, and whether an earlier try may have had its
        effect.
        """
        unanswered = False
        for attempt in range(TRIES):
            wait = random.uniform(0, 0.2 * 4**attempt)  # noqa: S311 - jitter
            request = self._signed(path, identifier)
            try:
                answer = self._http.send(request)
            except (ConnectTimeoutError, EndpointConnectionError):
                # It never got there.
                pass
            except BotoCoreError:
                unanswered = True
            else:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                if answer.status_code != 429 and answer.status_code < 500:
                    return answer.status_code, headers, _read(answer.content), unanswered
                # Whatever failed may have failed after the vote was written.
                unanswered = unanswered or answer.status_code >= 500
                wait = max(wait, min(float(headers.get("retry-after") or 0), 10))
            if attempt + 1 < TRIES:
                time.sleep(wait)
        raise UnavailableError(path)

    def _signed(self, path: str, identifier: str) -> Any:
        # Again for each try: a signature is good for five minutes, and credentials may have been
        # renewed.
        body = json.dumps({"identifier": identifier}).encode()
        request = AWSRequest("POST", self._api_url + path, data=body, headers={"Content-Type": "application/json"})
        SigV4Auth(self._credentials.get_frozen_credentials(), "execute-api", self._region).add_auth(request)
        return request.prepare()


@dataclass
class KeptAnswers:
    """Answers to earlier checks, each dropped or corrected as soon as an event says that it is no
    longer true.

    It saves a voter who comes back a round trip, and tells a voting booth that is open that its
    identifier was revoked. It never decides a vote: `Registry.vote` does. In production this is a
    table that all servers share; the rules are the same.
    """

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _handles: dict[bytes, str] = field(default_factory=dict)
    _known: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def keep(self, identifier: str, answer: CheckAnswer) -> None:
        """Keep an answer. An unknown identifier is not kept: it may be a slip, and there is no
        event for it.
        """
        if answer.handle is None:
            return
        with self._lock:
            self._handles[self._digest(identifier)] = answer.handle
        self.apply(answer.handle, answer.status, answer.sequence)

    def status(self, identifier: str) -> str | None:
        """Return the last known status of an identifier, None if it must be asked."""
        with self._lock:
            handle = self._handles.get(self._digest(identifier))
            return self._known[handle][0] if handle in self._known else None

    def apply(self, handle: str, status: str, sequence: int | None) -> bool:
        """Take a status of a handle, whether an answer, an event or a line of an export brings it;
        tell whether it was news.

        Events come at least once and in no certain order: `revoked` and `used` are final, of the
        others the greater sequence is newer. An event of an unknown identifier is kept as well,
        because a check that was answered before the event may arrive after it.
        """
        with self._lock:
            known = self._known.get(handle)
            if known is not None and status not in FINAL and (known[0] in FINAL or (sequence or 0) <= (known[1] or 0)):
                return False
            self._known[handle] = (status, sequence)
            return known is None or known[0] != status

    def _digest(self, identifier: str) -> bytes:
        # No identifier in memory for longer than its request. As it may be typed: the service
        # ignores blanks, hyphens and case.
        plain = "".join(character for character in identifier.upper() if character.isalnum())
        return hashlib.blake2b(plain.encode(), key=self._key, digest_size=16).digest()


class Events:
    """The platform's queue, subscribed to the service's topic with raw delivery."""

    def __init__(self, sqs: Any, queue_url: str, answers: KeptAnswers) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._answers = answers

    def take(self, wait_seconds: int = 20) -> list[dict[str, Any]]:
        """Wait for events, apply each, then remove it from the queue; return them. What fails
        stays, and comes again.

        Raises:
            botocore.exceptions.ClientError, BotoCoreError: SQS refuses or does not answer; take
                again.
        """
        received = self._sqs.receive_message(
            QueueUrl=self._queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        ).get("Messages", [])
        taken = []
        for message in received:
            try:
                event = json.loads(message["Body"])
                if event["version"] != 1:
                    continue
                self._answers.apply(event["handle"], event["status"], event["sequence"])
            except (KeyError, TypeError, ValueError):
                # Not an event of the service: the queue's redrive policy takes it out, and somebody
                # looks.
                continue
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(event)
        return taken

    def listen(self) -> Iterator[dict[str, Any]]:
        """Give events forever."""
        while True:
            yield from self.take()


def subscribe(sns: Any, sqs: Any, topic_arn: str, queue_name: str) -> str:
    """Make a queue, let the topic and nobody else write into it, subscribe it with raw delivery;
    return its URL.

    May be repeated. What could not be taken five times goes to the queue `<queue_name>-dead`, which
    wants an alarm.
    """
    dead_arn = _queue_arn(sqs, sqs.create_queue(QueueName=f"{queue_name}-dead")["QueueUrl"])
    url: str = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    arn = _queue_arn(sqs, url)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    attributes = {
        "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        # An event is worth having for as long as the platform may be down.
        "MessageRetentionPeriod": "1209600",
        "SqsManagedSseEnabled": "true",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 5}),
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return url


def _queue_arn(sqs: Any, url: str) -> str:
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def _read(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _raise_unless(expected: bool, status: int, body: Mapping[str, Any]) -> None:
    if not expected:
        # The code of the problem, never the body: it may quote what was sent.
        raise RefusedCallError(f"{status} {body.get('code', '')}".strip())


def main() -> int:
    """Run one of the examples."""
    parser = argparse.ArgumentParser(description="A voting platform's side of the reissue service")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("check", "vote"):
        asking = commands.add_parser(name, help=f"{name} the identifier on standard input")
        asking.add_argument("--api-url", required=True)
        asking.add_argument("--role", required=True, metavar="ARN")
    subscribing = commands.add_parser("subscribe", help="make a queue and subscribe it to the topic of events")
    subscribing.add_argument("--topic", required=True, metavar="ARN")
    subscribing.add_argument("--queue", required=True, metavar="NAME")
    listening = commands.add_parser("listen", help="print events as they come, until Ctrl-C")
    listening.add_argument("--queue-url", required=True)
    options = parser.parse_args()
    session = boto3.Session()
    match options.command:
        case "subscribe":
            print(subscribe(session.client("sns"), session.client("sqs"), options.topic, options.queue))
        case "listen":
            for event in Events(session.client("sqs"), options.queue_url, KeptAnswers()).listen():
                print(f"{event['at']} {event['handle']} {event['status']}", flush=True)
        case command:
            registry = Registry(options.api_url, session.region_name, assumed(session, options.role))
            identifier = sys.stdin.readline().strip()
            if command == "check":
                print(registry.check(identifier))
            else:
                print(registry.vote(identifier))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (UnavailableError, RefusedCallError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
    except (ClientError, BotoCoreError) as error:
        # A wrong role, queue or topic, no credentials, no network.
        sys.exit(f"AWS: {error}")
