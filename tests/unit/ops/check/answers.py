"""AWS as it answers the check: files of answers in their real shape, changed or refused by a test,
and every call on record.

`answers/<service>.json` holds, by operation, one answer, or several with the parameters that each
is for. An answer must fit botocore's model of the operation, and so must a change to one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.model import OperationModel
from botocore.validate import ParamValidator
from reassort_ops.account.stack import Aws

REGION = "eu-west-3"
_FOLDER = Path(__file__).parent / "answers"

# A session makes one client at a time.
_MAKING = Lock()
# Whose answers the clients give: those of the test that runs.
_ASKED: list[Answers] = []

type Answer = dict[str, Any]


class SdkCall(NamedTuple):
    """A call that was made: the SDK's names of service and operation."""

    service: str
    operation: str


@dataclass
class Answers:
    """What AWS answers. A test changes it before the check runs."""

    calls: set[SdkCall] = field(default_factory=set)
    _computed: dict[SdkCall, Callable[[Answer], Answer]] = field(default_factory=dict)
    _refused: dict[SdkCall, tuple[str, str]] = field(default_factory=dict)
    _stored: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._stored = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(_FOLDER.glob("*.json"))}

    def change(self, service: str, operation: str, to: Mapping[str, Any], **parameters: Any) -> None:
        """Put other members into the answers that these parameters get; those of dicts are merged,
        None takes a member away.
        """
        for answer in self._answers(service, operation, parameters):
            _merge(answer, to)

    def refuse(self, service: str, operation: str, code: str, message: str = "") -> None:
        """Have an operation answer an error."""
        self._refused[SdkCall(service, operation)] = (code, message)

    def compute(self, service: str, operation: str, answer: Callable[[Answer], Answer]) -> None:
        """Have an operation answer what `answer` makes of the parameters."""
        self._computed[SdkCall(service, operation)] = answer

    def of_stack(self) -> Answer:
        """Return what CloudFormation says of the stack."""
        stack: Answer = self.stored("cloudformation", "DescribeStacks")["Stacks"][0]
        return stack

    def stored(self, service: str, operation: str, **parameters: Any) -> Answer:
        """Return a copy of the answer to a call with these parameters."""
        return deepcopy(next(self._answers(service, operation, parameters)))

    def of(self, call: SdkCall, parameters: Answer) -> Answer:
        """Return the answer to a call; the first that fits its parameters.

        Raises:
            LookupError: there is none.
        """
        if call in self._computed:
            return self._computed[call](parameters)
        if call == ("iam", "GetRole"):
            return self._role(parameters["RoleName"])
        return deepcopy(next(self._answers(*call, parameters)))

    def error_of(self, call: SdkCall) -> tuple[str, str] | None:
        """Return code and message of the error that a call gets, or None."""
        return self._refused.get(call)

    def _role(self, name: str) -> Answer:
        """Return the stored role under another name."""
        role = deepcopy(self._stored["iam"]["GetRole"]["Role"])
        return {"Role": {**role, "RoleName": name, "Arn": role["Arn"].replace(role["RoleName"], name)}}

    def _answers(self, service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[Answer]:
        stored = self._stored[service][operation]
        if isinstance(stored, dict):
            yield stored
            return
        for entry in stored:
            if all(entry["params"].get(name, value) == value for name, value in parameters.items()):
                yield entry["answer"]


class AnsweringAws(Aws):
    """Clients of botocore that send nothing: each call gets its answer, or its error, before a
    request is made.
    """

    def __init__(self, answers: Answers, endpoint_url: str | None = None) -> None:
        super().__init__(region=REGION)
        self._endpoint_url = endpoint_url
        _ASKED[:] = [answers]

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a client whose calls are answered here."""
        with _MAKING:
            return _client(service, region or REGION, self._endpoint_url)


@cache
def _client(service: str, region: str, endpoint_url: str | None) -> Any:
    """Return a client that all tests of a process share, one after the other: making one takes
    longer than all else.
    """
    session: Any = _session()
    client = session.client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id="nobody",
        aws_secret_access_key="nothing",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def remember(params: Answer, context: dict[str, Any], **_: Any) -> None:
        context["parameters"] = params

    def answer(model: OperationModel, context: dict[str, Any], **_: Any) -> tuple[AWSResponse, Answer]:
        (answers,) = _ASKED
        call = SdkCall(service, model.name)
        answers.calls.add(call)
        if error := answers.error_of(call):
            code, message = error
            return AWSResponse("", 400, HTTPHeaders(), None), {"Error": {"Code": code, "Message": message}}
        return AWSResponse("", 200, HTTPHeaders(), None), _shaped(answers.of(call, context["parameters"]), model, call)

    client.meta.events.register("before-parameter-build.*.*", remember)
    client.meta.events.register("before-call.*.*", answer)
    return client


@cache
def _session() -> Session:
    """Return one session for all clients: it reads the model of a service once."""
    return Session(region_name=REGION)


def _shaped(found: Answer, model: OperationModel, call: SdkCall) -> Answer:
    """Return an answer as the SDK gives it, once it fits the model."""
    assert model.output_shape is not None
    report = ParamValidator().validate(found, model.output_shape).generate_report()
    # What a model calls required may be absent all the same: MailFromDomain of an identity without
    # one.
    faults = [line for line in report.splitlines() if not line.startswith("Missing required parameter")]
    assert not faults, f"{call}: {faults}"
    shaped: Answer = _with_times(found, model.output_shape)
    return {**shaped, "ResponseMetadata": {"HTTPStatusCode": 200}}


def _with_times(value: Any, shape: Any) -> Any:
    """Return an answer with datetimes where JSON has text, as the SDK gives it."""
    match shape.type_name:
        case "structure":
            return {name: _with_times(member, shape.members[name]) for name, member in value.items()}
        case "list":
            return [_with_times(member, shape.member) for member in value]
        case "map":
            return {name: _with_times(member, shape.value) for name, member in value.items()}
        case "timestamp":
            return datetime.fromisoformat(value).astimezone(UTC)
    return value


def _merge(answer: Answer, to: Mapping[str, Any]) -> None:
    for name, value in to.items():
        if value is None:
            answer.pop(name, None)
        elif isinstance(value, Mapping) and isinstance(answer.get(name), dict):
            _merge(answer[name], value)
        else:
            answer[name] = deepcopy(value)
