"""How a look ends: with a check of each subject, and with the reason why one could not be made."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier

import httpx
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)
from reassort_ops.account.checks import Check, State, Subject, listed
from reassort_ops.account.probes import NotSeenError, Probe, reason, run, run_all

FIRST, SECOND = Subject("Group", "first", "ses"), Subject("Group", "second", "sms")


def refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "GetAccount")


def look(error: Exception | None = None) -> Probe:
    """Return a probe that answers the first of its subjects, and then raises."""

    def one() -> Iterator[Check]:
        yield FIRST.judged(True, "this", "this")
        if error is not None:
            raise error

    return Probe((FIRST, SECOND), one)


# ---------------------------------------------------------------- one check


def test_a_check_names_what_mends_it_unless_it_passed() -> None:
    right, wrong = FIRST.judged(True, "this", "this"), FIRST.judged(False, "this", "that")
    unseen = SECOND.unseen("nobody answers")
    assert [one.state for one in (right, wrong, unseen)] == [State.PASSED, State.FAILED, State.UNSEEN]
    assert [one.remedy for one in (right, wrong, unseen)] == [None, "docs/deploy.md#ses", "docs/deploy.md#sms"]
    assert (unseen.expected, unseen.found) == ("", "nobody answers")


def test_of_many_names_six_are_told_and_the_others_counted() -> None:
    assert listed(list("abcdef")) == "a, b, c, d, e, f"
    assert listed(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"


# ---------------------------------------------------------------- one look


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (None, "no answer"),
        (NotSeenError("there is no such thing"), "there is no such thing"),
        (NoCredentialsError(), "no AWS credentials"),
        (refusal("Throttling"), "GetAccount answers Throttling"),
        (httpx.ConnectError("refused"), "no answer: ConnectError"),
        (KeyError("SendQuota"), "not in the answer: SendQuota"),
    ],
)
def test_what_ends_a_look_leaves_the_rest_unseen_and_says_why(error: Exception | None, why: str) -> None:
    first, second = run(look(error))
    assert first == FIRST.judged(True, "this", "this")
    assert second == SECOND.unseen(why)


def test_a_fault_of_the_program_is_not_taken_for_an_answer() -> None:
    with pytest.raises(AttributeError):
        run(look(AttributeError("no such attribute")))


def test_checks_come_in_the_order_of_their_subjects() -> None:
    checks = {FIRST: FIRST.judged(True, "", ""), SECOND: SECOND.judged(False, "", "")}
    assert run(Probe((SECOND, FIRST), lambda: checks.values())) == [checks[SECOND], checks[FIRST]]


def test_looks_wait_for_aws_side_by_side_and_each_is_counted_once() -> None:
    together = Barrier(4)

    def one(subject: Subject) -> Probe:
        def wait() -> Iterator[Check]:
            together.wait(timeout=10)
            yield subject.judged(True, "", "")

        return Probe((subject,), wait)

    subjects = [Subject("Group", str(number), "ses") for number in range(4)]
    told: list[float] = []
    assert [check.subject for check in run_all([one(subject) for subject in subjects], told.append)] == subjects
    assert told == [1, 1, 1, 1]


# ---------------------------------------------------------------- why


@pytest.mark.parametrize(
    "code",
    [
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedOperation",
    ],
)
def test_a_refusal_names_the_action_that_a_policy_would_have_to_grant(code: str) -> None:
    assert reason(refusal(code)) == "not permitted: GetAccount"
    named = "User: arn:aws:iam::123456789012:user/x is not authorized to perform: ses:GetAccount because no policy"
    assert reason(refusal(code, named)) == "not permitted: ses:GetAccount"
    assert reason(refusal(code, named.replace("perform:", "perform"))) == "not permitted: ses:GetAccount"


@pytest.mark.parametrize(
    "code",
    [
        "400",
        "404",
        "501",
        "InvalidAction",
        "NotImplemented",
        "NotImplementedException",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
    ],
)
def test_an_emulator_without_the_operation_is_no_account_without_the_thing(code: str) -> None:
    assert reason(refusal(code)) == "not seen here: GetAccount is not answered"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (NoCredentialsError(), "no AWS credentials"),
        (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), "no AWS credentials"),
        (httpx.ReadTimeout("slow"), "no answer: timed out"),
        (httpx.ReadError("reset"), "no answer: ReadError"),
        (ClientError({}, "GetAccount"), "GetAccount answers "),
    ],
)
def test_whoever_does_not_answer_is_told_in_a_few_words(error: Exception, why: str) -> None:
    assert reason(error) == why


def test_an_endpoint_that_is_not_there_is_not_seen() -> None:
    error: BotoCoreError = EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
    assert reason(error).startswith("not seen here: ")
