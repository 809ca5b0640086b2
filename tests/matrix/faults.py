"""Everything that can happen to one AWS call: what its caller is left with after the SDK's own
retries.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError, ConnectionClosedError

from harness.service.wire import CallFault, ProcessDiedError, aws_error, no_reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.service.wire import Call
    from harness.service.world import World

# What a service says when it fails by itself.
_BROKEN = {
    "dynamodb": "InternalServerError",
    "kms": "KMSInternalException",
    "sesv2": "InternalServiceErrorException",
    "sns": "InternalError",
    "sqs": "InternalError",
}
# What it says when too much is asked of it; DynamoDB has one word for the table and one for the
# account.
_THROTTLED = {
    "dynamodb": ("ThrottlingException", "ProvisionedThroughputExceededException"),
    "kms": ("ThrottlingException",),
    "sesv2": ("TooManyRequestsException",),
    "sns": ("Throttling",),
    "sqs": ("RequestThrottled",),
}
# A transaction is cancelled as a whole, with a reason for each of its actions.
_CANCELLED = ("ThrottlingError", "TransactionConflict")


@dataclass(frozen=True)
class FaultKind:
    """One way for a call to fail. `patient` callers come back only after all else has settled.

    After `replays` every event and request is brought once more. The ways to fail before any effect
    leave the same state, so that to replay after one of them is to replay after all.
    """

    name: str
    error: Callable[[], BaseException]
    when: Literal["before", "after"]
    patient: bool = False
    replays: bool = False

    @property
    def has_effect(self) -> bool:
        """Tell whether the call does its work all the same."""
        return self.when == "after"


def kinds_of(call: Call) -> Iterator[FaultKind]:
    """Give every way in which a call can fail."""
    yield FaultKind("fails", lambda: aws_error(_BROKEN[call.service]), "before", replays=True)
    for code in _THROTTLED[call.service]:
        yield FaultKind(f"throttled: {code}", partial(aws_error, code), "before")
    if call.operation == "TransactWriteItems":
        for reason in _CANCELLED:
            yield FaultKind(f"throttled: {reason}", partial(_cancelled, reason), "before")
    yield FaultKind("times out before its effect", no_reply, "before")
    yield FaultKind("times out after its effect", no_reply, "after", patient=True)
    closed = ConnectionClosedError(endpoint_url="https://injected.invalid/")
    yield FaultKind("reply lost", lambda: closed, "after", replays=True)
    yield FaultKind("process dies before", ProcessDiedError, "before")
    yield FaultKind("process dies after", ProcessDiedError, "after", patient=True, replays=True)


@dataclass
class Strike(CallFault):
    """Strikes the call at one position, counted from 1, of all the calls that are made from now on.

    Without a position it strikes nothing and notes which calls were `answered`: a call that another
    fault of the scenario refuses has no effect, so that the loss of its reply is the loss of a
    refusal.
    """

    position: int = 0
    refused: bool = False
    answered: set[int] = field(default_factory=set)
    _positions: dict[int, int] = field(default_factory=dict)

    def arm(self, world: World) -> None:
        """Watch a world's calls; this strikes before any fault that is there already."""
        world.wire.interceptors.insert(0, self._number)
        world.wire.faults.insert(0, self)

    def disarm(self, world: World) -> None:
        """Watch no longer."""
        world.wire.interceptors.remove(self._number)
        world.wire.faults.remove(self)

    def strikes(self, call: Call, when: str) -> bool:
        """Tell whether this call fails here, and count it."""
        position = self._positions[id(call)]
        if when == "after":
            self.answered.add(position)
        if self.times == 0 or position != self.position or when != ("before" if self.refused else self.when):
            return False
        self.times -= 1
        return True

    def _number(self, call: Call) -> None:
        self._positions[id(call)] = len(self._positions) + 1


def _cancelled(reason: str) -> ClientError:
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "injected"},
        "CancellationReasons": [{"Code": reason}, {"Code": "None"}],
    }
    return ClientError(response, "TransactWriteItems")
