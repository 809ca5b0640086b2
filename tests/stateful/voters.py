"""What voters do, or somebody in their place."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from harness.service.reading import dispute_token_in
from harness.service.wire import ProcessDiedError, aws_error, no_reply
from tests.stateful.machine import PHONES, WHICH, WHO, Machine, phone_of, pick, step

CHANNELS = ("sms", "email")
ERRORS = ("throttled", "died", "no reply")
# What neither a sign-in nor anything else that issues nothing may touch.
_ISSUING = ("VotersTable", "IdentifiersTable", "RegisterTable")


def error_of(name: str) -> BaseException:
    """Return what a call meets: it was throttled, the process died in it, or no answer came."""
    match name:
        case "throttled":
            return aws_error("ProvisionedThroughputExceededException")
        case "died":
            return ProcessDiedError()
        case _:
            return no_reply()


class Voters(Machine):
    """Signing in, asking for an identifier, asking again, disputing."""

    @step(who=WHO, right=st.booleans())
    def sign_in(self, who: int, right: bool) -> None:
        browser, email = self.browsers[who], self.voters[who].email
        if self.saw("code", browser.ask_code(email)).status != 202:
            return
        if events := self.woken_events():
            with self.surviving():
                self.bring([len(events) - 1], events)
        if code := self.newest_code(who):
            typed = code if right else f"{(int(code) + 1) % 10**6:06d}"
            assert self.saw("sign-in", browser.redeem(typed)).status in {200, 401, 429}

    @precondition(lambda self: any(email.tags["message"] == "code" for email in self.world.emails))
    @step(who=WHO)
    def redeem_an_old_code(self, who: int) -> None:
        if code := self.newest_code(who):
            with self.unchanged(*_ISSUING, "DeliveriesTable"):
                assert self.browsers[who].redeem(code).status in {200, 401, 429}

    @step(
        who=WHO,
        phone=st.sampled_from(PHONES),
        channel=st.sampled_from(CHANNELS),
        right=st.sampled_from((True, True, True, True, False)),
        signed_in=st.sampled_from((True, True, True, False)),
    )
    def reissue(self, who: int, phone: str, channel: str, right: bool, signed_in: bool) -> None:
        if signed_in:
            self.be_signed_in(who)
        self.request_reissue(who, phone, channel, right=right)

    @step(who=WHO, when=st.sampled_from(("before", "after")), error=st.sampled_from(ERRORS))
    def reissue_and_fail(self, who: int, when: str, error: str) -> None:
        """The transaction fails, or commits and its answer is lost; the same request then finds
        out.
        """
        self.be_signed_in(who)
        inject = self.world.fail if when == "before" else self.world.lose_reply
        fault = inject("TransactWriteItems", error_of(error))
        self.request_reissue(who, phone_of(who), "sms")
        fault.times = 0

    @step(who=WHO, times=st.integers(1, 5))
    def mistype_the_numen(self, who: int, times: int) -> None:
        """A locked voter is refused the right NUMEN as well, and wrong ones change nothing that was
        issued.
        """
        self.be_signed_in(who)
        with self.unchanged("IdentifiersTable", "DeliveriesTable", "RegisterTable", "LimitsTable"):
            for _ in range(times):
                self.request_reissue(who, phone_of(who), "sms", right=False)
        entry = self.voter(who)
        assert entry.numen_failures <= self.world.election.limits.numen.helpdesk_after
        locked = entry.numen_locked_until > self.world.clock().timestamp() * 1000
        if locked or entry.numen_failures == self.world.election.limits.numen.helpdesk_after:
            with self.unchanged():
                assert self.request_reissue(who, phone_of(who), "sms").status in {401, 409, 429}

    @precondition(lambda self: self.requests)
    @step(which=WHICH, signed_in=st.booleans())
    def replay_a_request(self, which: int, signed_in: bool) -> None:
        """I6: the same request under the same key says the same and changes nothing."""
        request = pick(which, self.requests)
        if signed_in:
            self.be_signed_in(request.who)
        browser = self.browsers[request.who]
        with self.unchanged():
            again = self.saw("replay", browser.reissue(**request.form, key=request.key))
            assert again.status in {202, 401}
            if again.status == 202:
                assert again.json == request.answer.json
            other = browser.reissue(**{**request.form, "phone": "07 81 23 45 67"}, key=request.key)
            assert other.code in {"idempotency-mismatch", "signed-out"}

    @precondition(lambda self: self.requests)
    @step(which=WHICH, channel=st.sampled_from(CHANNELS))
    def redeliver(self, which: int, channel: str) -> None:
        request = pick(which, self.requests)
        browser = self.be_signed_in(request.who)
        with self.unchanged(*_ISSUING):
            answer = self.saw("redelivery", browser.redeliver(request.reference, channel))
            assert answer.status in {202, 401, 409, 422, 429}

    @precondition(lambda self: self.confirmations())
    @step(which=WHICH)
    def dispute(self, which: int) -> None:
        token = dispute_token_in(pick(which, self.confirmations()))
        assert self.saw("dispute", self.world.browser().dispute(token)).status == 202
        with self.unchanged():
            assert self.world.browser().dispute(token).status == 202
