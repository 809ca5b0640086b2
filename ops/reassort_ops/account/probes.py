"""A probe asks AWS, the network or a file, and answers one or several checks. No refusal ends the
run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from reassort_ops.account.checks import Check, Subject
from reassort_ops.aws_faults import aws_fault
from reassort_ops.language import tr

# They wait for AWS, so there may be many more than processors.
_THREADS = 16
_REFUSALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "NotAuthorized",
        "UnauthorizedOperation",
    }
)
# What an endpoint answers that does not have the operation at all: no AWS, but an emulator of it.
_NOT_THERE = frozenset(
    {
        "400",
        "404",
        "501",
        "InvalidAction",
        "NotImplemented",
        "NotImplementedException",
        "UnknownOperation",
        "UnknownOperationException",
        "UnsupportedOperation",
    }
)
# How AWS names the action that a policy would have to grant.
_ACTION = re.compile(r"not authorized to perform:? ([a-zA-Z0-9-]+:[A-Za-z]+)")


class NotSeenError(Exception):
    """Something cannot be looked at. The message says why, in a few words."""


@dataclass(frozen=True)
class Probe:
    """What answers `subjects`: `look` gives one check of each. It may give some and then raise: the
    others are unseen.
    """

    subjects: Sequence[Subject]
    look: Callable[[], Iterable[Check]]


def run(probe: Probe) -> list[Check]:
    """Return a check of each subject, in their order. What raised on the way leaves the rest
    unseen, and says why: an answer without a member, too.
    """
    found: dict[Subject, Check] = {}
    why = ""
    try:
        for check in probe.look():
            found[check.subject] = check
    except (NotSeenError, BotoCoreError, ClientError, httpx.HTTPError, KeyError) as error:
        why = reason(error)
    return [found.get(subject) or subject.unseen(why or tr("no answer")) for subject in probe.subjects]


def run_all(probes: Sequence[Probe], advance: Callable[[float], None]) -> list[Check]:
    """Run the probes side by side; return their checks in the probes' order. `advance` is told of
    each probe that has ended.
    """

    def one(probe: Probe) -> list[Check]:
        checks = run(probe)
        advance(1)
        return checks

    with ThreadPoolExecutor(_THREADS) as pool:
        return [check for checks in pool.map(one, probes) for check in checks]


def reason(error: Exception) -> str:
    """Say in a few words why something could not be looked at."""
    match error:
        case ClientError():
            return _refusal(error)
        case NoCredentialsError() | PartialCredentialsError():
            return tr("no AWS credentials")
        case BotoCoreError():
            return tr("not seen here: {why}", why=aws_fault(error))
        case httpx.TimeoutException():
            return tr("no answer: timed out")
        case httpx.HTTPError():
            return tr("no answer: {cause}", cause=type(error).__name__)
        case KeyError():
            return tr("not in the answer: {name}", name=error.args[0])
        case _:
            return str(error)


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def _refusal(error: ClientError) -> str:
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in _REFUSALS:
        named = _ACTION.search(message)
        return tr("not permitted: {action}", action=named[1] if named else error.operation_name)
    if code in _NOT_THERE:
        return tr("not seen here: {operation} is not answered", operation=error.operation_name)
    return tr(
        "{operation} answers {code}",
        operation=error.operation_name,
        code=code,
    )
