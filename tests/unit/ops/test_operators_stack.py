"""The stack that a command works on, and where its clients go."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError
from reassort.keyed_hash import HashKey
from reassort_ops.account.stack import Aws, Stack
from reassort_ops.failures import OperatorError

REGION = "eu-west-3"
CREATED_AT = datetime(2026, 11, 8, tzinfo=UTC)
# What every stack says, and what it may leave out; each value is the output's own name.
WANTED = {
    "ElectionId": "election_id",
    "VotersTable": "voters_table",
    "IdentifiersTable": "identifiers_table",
    "NumensTable": "numens_table",
    "DeliveriesTable": "deliveries_table",
    "CodeDeliveriesTable": "code_deliveries_table",
    "RegisterTable": "register_table",
    "SignInTable": "sign_in_table",
    "LimitsTable": "limits_table",
    "ControlTable": "control_table",
    "PaceTable": "pace_table",
    "HelpdeskRecordTable": "helpdesk_record_table",
    "EncryptionKeyId": "encryption_key_id",
    "RetryQueueUrl": "retry_queue",
    "DeadLetterQueueUrl": "dead_letter_queue",
    "RegisterKeyId": "register_key_id",
}
KEYS = {f"{key.logical_id}Id": key for key in HashKey}
NAMES = [*WANTED, *KEYS]


def described(names: list[str]) -> dict[str, Any]:
    """Return a stack as CloudFormation describes it."""
    outputs = [{"OutputKey": name, "OutputValue": f"value of {name}"} for name in names]
    return {"CreationTime": CREATED_AT, "Outputs": outputs}


def find(monkeypatch: pytest.MonkeyPatch, *stacks: dict[str, Any], refusal: str = "") -> Stack:
    """Find a stack in an account that describes these, or refuses to."""

    def describe_stacks(**asked: str) -> dict[str, Any]:
        assert asked == {"StackName": "reassort"}
        if refusal:
            raise ClientError({"Error": {"Code": refusal, "Message": ""}}, "DescribeStacks")
        return {"Stacks": list(stacks)}

    client = SimpleNamespace(describe_stacks=describe_stacks, meta=SimpleNamespace(region_name=REGION))
    monkeypatch.setattr(Session, "client", lambda *_, **__: client)
    return Aws(region=REGION).find_stack("reassort")


def test_a_stack_is_what_its_outputs_say(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = find(monkeypatch, described(NAMES))
    assert {output: getattr(stack, member) for output, member in WANTED.items()} == {
        output: f"value of {output}" for output in WANTED
    }
    assert stack.hash_key_ids == {key: f"value of {output}" for output, key in KEYS.items()}
    assert (stack.name, stack.created_at, stack.site_url) == ("reassort", CREATED_AT, "")


@pytest.mark.parametrize("missing", NAMES)
def test_a_stack_of_something_else_is_told_by_what_it_does_not_say(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    said = described([name for name in NAMES if name != missing])
    with pytest.raises(OperatorError, match=f"^stack reassort has no output {missing}: is it a stack of this service"):
        find(monkeypatch, said)


def test_a_stack_without_outputs_is_not_one_of_this_service(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OperatorError, match="no output ElectionId"):
        find(monkeypatch, {"CreationTime": CREATED_AT})


def test_a_stack_that_is_not_there_is_told_with_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for refusal in ("ValidationError", ""):
        with pytest.raises(OperatorError, match=rf"^no stack reassort in {REGION}$"):
            find(monkeypatch, refusal=refusal)


def test_another_refusal_does_not_say_that_there_is_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ClientError):
        find(monkeypatch, refusal="AccessDenied")


# ---------------------------------------------------------------- clients


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no variable of this machine name an account, a region or an endpoint."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")


def test_the_region_is_the_one_given_or_the_one_of_the_command_line_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-south-1")
    assert Aws(region="eu-west-3").session.region_name == "eu-west-3"
    assert Aws().session.region_name == "eu-south-1"
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    assert Aws(region="eu-west-3").session.region_name == "eu-west-3"
    assert Aws().session.region_name == "eu-north-1"


def test_a_client_is_made_once_for_its_service_and_region() -> None:
    aws = Aws(region=REGION)
    first = aws.client("sts")
    assert aws.client("sts") is first
    assert aws.client("sqs") is not first
    other = aws.client("sts", "us-east-1")
    assert other is not first
    assert [one.meta.region_name for one in (first, other)] == [REGION, "us-east-1"]


@pytest.mark.parametrize(
    ("url", "stands_in"),
    [
        ("https://sts.eu-west-3.amazonaws.com", False),
        ("https://sts.cn-north-1.amazonaws.com.cn", False),
        ("https://sts.eusc-de-east-1.amazonaws.eu", False),
        ("https://sts.eu-west-3.api.aws", False),
        ("http://127.0.0.1:4566", True),
        ("https://amazonaws.com.example.org", True),
        ("https://example.org/sts.eu-west-3.amazonaws.com", True),
        ("nowhere", True),
    ],
)
def test_what_stands_in_for_aws_is_known_by_its_host(
    monkeypatch: pytest.MonkeyPatch, url: str, *, stands_in: bool
) -> None:
    aws = Aws(region=REGION)
    monkeypatch.setattr(aws, "client", lambda _: SimpleNamespace(meta=SimpleNamespace(endpoint_url=url)))
    assert aws.elsewhere() == (url if stands_in else None)


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:sts::123456789012:assumed-role/Operators/anne.petit@ac-dijon.fr", "anne.petit"),
        ("arn:aws:iam::123456789012:user/people/claire", "claire"),
        ("arn:aws:iam::123456789012:root", "root"),
    ],
)
def test_an_operator_is_named_by_the_last_part_of_the_arn(monkeypatch: pytest.MonkeyPatch, arn: str, name: str) -> None:
    client = SimpleNamespace(get_caller_identity=lambda: {"Arn": arn})
    monkeypatch.setattr(Session, "client", lambda *_, **__: client)
    assert Aws(region=REGION).operator() == name


def test_whoever_asks_too_fast_is_let_try_four_times(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    refusal = b"<ErrorResponse><Error><Code>RequestLimitExceeded</Code></Error></ErrorResponse>"

    class RefusalBody:
        """What came over the line."""

        def stream(self) -> list[bytes]:
            """Return all of it."""
            return [refusal]

    def send(_: Any, request: Any) -> AWSResponse:
        sent.append(request.url)
        return AWSResponse(request.url, 400, HTTPHeaders(), RefusalBody())

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with pytest.raises(ClientError):
        Aws(region=REGION).client("sts").get_caller_identity()
    assert len(sent) == 4
