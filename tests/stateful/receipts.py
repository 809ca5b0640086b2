"""What SES and the carriers report, of any message, in any order, twice, early, late, or of
nobody's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from harness.service.events import ses_event, sms_log_event
from harness.service.wire import ProcessDiedError, aws_error
from tests.stateful.machine import SOME, WHICH, Machine, pick, step

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNCES = (
    {"bounceType": "Transient", "bounceSubType": "MailboxFull"},
    {"bounceType": "Permanent", "bounceSubType": "NoEmail"},
)
_RESPONSES = ("Invalid phone number", "Phone number is opted out", "Phone carrier has blocked this message")


class PendingReceipts(Machine):
    """The providers' reports. Each is kept, to come again one day."""

    @precondition(lambda self: self.world.emails)
    @step(
        which=WHICH,
        kind=st.sampled_from(("delivery", "delivery", "bounce", "delay", "complaint")),
        bounce=st.sampled_from(_BOUNCES),
        late=st.booleans(),
    )
    def report_an_email(self, which: int, kind: str, bounce: dict[str, str], *, late: bool) -> None:
        """R11, R12: a report says what became of an e-mail, perhaps of one of an earlier round."""
        mail = pick(which, self.world.emails)
        round_ = int(mail.tags["round"])
        if late:
            round_ = max(0, round_ - 1)
        facts = bounce if kind == "bounce" else {}
        event = ses_event(
            kind, mail.tags["delivery"], mail.tags["message"], round_, mail.to, at=self.world.clock(), **facts
        )
        self._report(lambda: self.world.wake("notify", event))

    @step(which=WHICH, response=st.sampled_from(("", *_RESPONSES)), of_nobody=st.sampled_from((True, *[False] * 9)))
    def report_an_sms(self, which: int, response: str, *, of_nobody: bool) -> None:
        """R10, R12: an SMS arrived, or failed and goes by e-mail, once."""
        sent = [delivery for delivery in self.deliveries() if self._sms_id(delivery.delivery_id)]
        if of_nobody or not sent:
            sms_id = f"00000000-0000-0000-0000-{which:012d}"
        else:
            sms_id = self._sms_id(pick(which, sent).delivery_id)
        status = "FAILURE" if response else "SUCCESS"
        event = sms_log_event(sms_id, status, response or "Message has been accepted by phone", at=self.world.clock())
        self._report(lambda: self.world.wake("notify", event))

    @precondition(lambda self: self.world.emails)
    @step(
        which=WHICH,
        operation=st.sampled_from(("GetItem", "UpdateItem", "SendMessage")),
        when=st.sampled_from(("before", "after")),
        died=st.booleans(),
    )
    def receiving_fails(self, which: int, operation: str, when: str, *, died: bool) -> None:
        """A call fails, or its answer is lost, or the worker dies there; Lambda brings the event
        again.
        """
        mail = pick(which, self.world.emails)
        event = ses_event(
            "delivery",
            mail.tags["delivery"],
            mail.tags["message"],
            int(mail.tags["round"]),
            mail.to,
            at=self.world.clock(),
        )
        error = ProcessDiedError() if died else aws_error("ThrottlingException")
        inject = self.world.fail if when == "before" else self.world.lose_reply
        fault = inject(operation, error)
        self._report(lambda: self.world.wake("notify", event))
        fault.times = 0

    @precondition(lambda self: self.reports)
    @step(which=SOME)
    def replay_reports(self, which: list[int]) -> None:
        """I6: what was reported before changes nothing, whatever came in between."""
        self.settle()
        for number in which:
            pick(number, self.reports)()
        with self.unchanged():
            for number in which:
                pick(number, self.reports)()

    def _report(self, report: Callable[[], None]) -> None:
        self.reports.append(report)
        while True:
            with self.surviving() as survived:
                report()
            if survived:
                return

    def _sms_id(self, delivery_id: str) -> str:
        item: dict[str, Any] = self.world.delivery_item(delivery_id)
        sms_id: str = item.get("sms_id", "")
        return sms_id
