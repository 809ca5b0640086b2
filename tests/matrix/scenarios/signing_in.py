"""Sign-in: its requests, and the delivery of its codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reassort.keyed_hash import derive_keyed_hash
from reassort.outbox import Message, Status

from harness.service.world import Response
from tests.matrix.scenarios.scenario import STRANGER, ApiRequest, Retrier, Scenario, browser_of, sign_in

if TYPE_CHECKING:
    from tests.matrix.stage import Stage


class ColdStart(Scenario):
    name = "cold start: derive the keys"
    caller = Retrier.OPERATOR

    def act(self, stage: Stage) -> object:
        world = stage.world
        stage.facts["key"] = derive_keyed_hash(world.wire.kms, world.engine.stores.hash_keys, world.election.id)
        return None

    def goal(self, stage: Stage) -> None:
        assert stage.facts["key"].voter_id("a") == stage.world.keyed_hash.voter_id("a")


class AskCode(ApiRequest):
    name = "ask a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()

    def act(self, stage: Stage) -> Response:
        return browser_of(stage).ask_code(stage.claire.email)

    def goal(self, stage: Stage) -> None:
        sign_in(stage)


class AskCodeOfAStranger(ApiRequest):
    name = "ask a code, unknown address"

    def set_up(self, stage: Stage) -> None:
        stage.ledger.hide(STRANGER)
        stage.facts["browser"] = stage.open_browser()

    def act(self, stage: Stage) -> Response:
        return browser_of(stage).ask_code(STRANGER)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        assert not stage.world.emails
        assert not stage.world.deliveries()


class AskCodeAgain(AskCode):
    name = "ask another code"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.work()
        stage.world.clock.move(seconds=61)


class AskCodeAfterExpiry(AskCode):
    name = "ask a code, challenge used up"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.work()
        challenge = browser_of(stage).challenge_cookie or ""
        browser_of(stage).redeem(stage.world.code_for(stage.claire.email))
        browser_of(stage).hold("__Host-challenge", challenge)
        stage.world.clock.move(minutes=11)


class AskCodeTooSoon(AskCode):
    name = "ask a code too soon"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        self.act(stage)
        stage.settle()
        stage.world.clock.move(seconds=5)

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        assert stage.answer.status == 202
        super().goal(stage)


class DeliverCode(Scenario):
    name = "deliver a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()
        browser_of(stage).ask_code(stage.claire.email)

    def act(self, stage: Stage) -> object:
        stage.world.deliver_stream()
        return None

    def goal(self, stage: Stage) -> None:
        (code,) = {mail.text for mail in stage.world.mail_to(stage.claire.email)}
        assert code
        assert browser_of(stage).redeem(stage.world.code_for(stage.claire.email)).status == 200


class DropStrangersCode(DeliverCode):
    name = "drop the code of an unknown address"

    def set_up(self, stage: Stage) -> None:
        stage.ledger.hide(STRANGER)
        stage.world.browser().ask_code(STRANGER)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.emails
        assert not stage.world.deliveries()


class DeliverExpiredCode(DeliverCode):
    name = "deliver a code too late"

    def set_up(self, stage: Stage) -> None:
        super().set_up(stage)
        stage.world.clock.move(minutes=10)

    def goal(self, stage: Stage) -> None:
        assert not stage.world.emails
        (delivery,) = stage.ledger.deliveries()
        assert delivery.status_of(Message.CODE) is Status.FAILED


class RedeemCode(ApiRequest):
    name = "redeem a code"

    def set_up(self, stage: Stage) -> None:
        stage.facts["browser"] = stage.open_browser()
        browser_of(stage).ask_code(stage.claire.email)
        stage.settle()
        stage.facts["code"] = stage.world.code_for(stage.claire.email)

    def act(self, stage: Stage) -> Response:
        return browser_of(stage).redeem(stage.facts["code"])

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        if stage.answer.status != 200:
            # The session was made and its cookie lost, or the tries went with the replies.
            assert stage.answer.code in {"code-used", "wrong-code"}
            sign_in(stage)
        assert browser_of(stage).overview().status == 200

    def repeat(self, stage: Stage) -> None:
        assert stage.open_browser().redeem(stage.facts["code"]).code == "no-challenge"


class RedeemWrongCode(RedeemCode):
    name = "redeem a wrong code"

    def act(self, stage: Stage) -> Response:
        return browser_of(stage).redeem(f"{(int(stage.facts['code']) + 1) % 10**6:06d}")

    def goal(self, stage: Stage) -> None:
        assert stage.answer is not None
        # A reply that is lost costs one of the five tries, no more.
        assert stage.answer.json["attempts_left"] in {3, 4}
        assert browser_of(stage).redeem(stage.facts["code"]).status == 200

    def repeat(self, stage: Stage) -> None:
        """A wrong code counts each time."""


class SignOut(ApiRequest):
    name = "sign out"

    def act(self, stage: Stage) -> Response:
        return stage.browser.sign_out()

    def goal(self, stage: Stage) -> None:
        assert not stage.world.items("SignInTable")
        assert stage.browser.session_cookie is None

    def repeat(self, stage: Stage) -> None:
        assert stage.browser.sign_out().status == 204
