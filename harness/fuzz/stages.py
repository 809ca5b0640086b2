"""The situations in which a voter sends what is generated: each a state of the whole service, ready
to be put back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from login.routes import CHALLENGE_COOKIE
from reassort.sessions import SESSION_COOKIE

from harness.engines.ministack import MINISTACK
from harness.service.reading import dispute_token_in, identifier_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.service.world import Browser, Enrolled, World

type Contents = dict[tuple[str, str, str], dict[str, dict[str, object]]]

EMAIL = "claire.martin@ac-dijon.fr"
# Not the numbers that the service's own texts give as examples: an answer that holds these repeats
# what it should not.
NUMEN = "21G0100456XYZ"
PHONE = "06 98 76 54 32"
USED_KEY = "0123456789abcdef-used"
NEW_KEY = "0123456789abcdef-new"
UNKNOWN_REFERENCE = "22222-22222"


@dataclass(frozen=True)
class Situation:
    """A situation of Claire, and what she and her browser know in it."""

    name: str
    at: datetime
    saved: bytes
    voter: Enrolled
    session: str
    challenge: str
    code: str
    identifier: str
    reference: str
    dispute_token: str
    revision: str
    others_revision: str
    others_session: str
    others_reference: str
    others_dispute_token: str
    proposal: str

    def __str__(self) -> str:
        """Return its name."""
        return self.name

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no answer may hold."""
        digits = PHONE.replace(" ", "")
        return (EMAIL, NUMEN, self.code, PHONE, digits, f"+33{digits[1:]}", self.identifier, self.voter.identifier)


class Stages:
    """All situations of one world, which must run on MiniStack."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.all = _make(world)
        self._current: Situation | None = None
        self._before: Contents = {}

    def enter(self, stage: Situation) -> Contents:
        """Put the service into a situation; return what its tables hold."""
        if self._current is not stage:
            MINISTACK.restore(stage.saved)
            self.world.clock.set(stage.at)
            self._current, self._before = stage, contents()
        self.world.responses.clear()
        self.world.calls.clear()
        return self._before

    def spoil(self) -> None:
        """Say that the situation may have changed, so that the next case starts from its like."""
        self._current = None

    def keep(self, stage: Situation) -> None:
        """Say that the situation is still what it was."""
        self._current = stage


def contents() -> Contents:
    """Return every item of every table, by table and key."""
    return {(table, *key): item for table in MINISTACK.stores.tables for key, item in MINISTACK.stored(table).items()}


def _make(world: World) -> tuple[Situation, ...]:
    claire = world.enrol(EMAIL, NUMEN)
    paul = world.enrol("paul.petit@u-bourgogne.fr", "09E9900123ABC", secretariat=None)
    others = world.signed_in(paul)
    others_reference = others.reissue(paul.numen, channel="email").json["reference"]
    world.run_outbox()
    asking = world.browser()
    asking.ask_code(EMAIL)
    world.run_outbox()
    browser = world.signed_in(claire)
    world.clock.move(minutes=1)
    # Not of the operator who signs what is generated.
    proposal = world.agent("marie", "agent").act("reissue", EMAIL).json["proposal"]["id"]
    new = Situation(
        name="new",
        at=world.clock(),
        saved=b"",
        voter=claire,
        session=browser.session_cookie or "",
        revision=browser.revision,
        others_revision=others.revision,
        challenge=asking.challenge_cookie or "",
        code=world.code_for(EMAIL),
        identifier=claire.identifier,
        reference=UNKNOWN_REFERENCE,
        dispute_token=f"{UNKNOWN_REFERENCE}.{'A' * 43}",
        others_session=others.session_cookie or "",
        others_reference=others_reference,
        others_dispute_token=dispute_token_in(world.mail_about(others_reference)[-1]),
        proposal=proposal,
    )
    new = replace(new, saved=MINISTACK.save())
    reissued = _reissued(world, new, browser)
    return (
        new,
        reissued,
        _after(reissued, "delivered", lambda: _deliver(world, reissued)),
        _after(reissued, "voted", lambda: world.vote(reissued.identifier)),
        _frozen(world, reissued, browser),
        _after(new, "one NUMEN left", lambda: world.change_voter(claire, numen_failures=4)),
        _after(new, "locked", lambda: world.change_voter(claire, numen_failures=10)),
        _after(new, "no code left", lambda: _use_up(asking, new)),
        _closed(world, reissued),
    )


def _after(stage: Situation, name: str, happen: Callable[[], object]) -> Situation:
    """Return what becomes of a situation when something happens in it."""
    MINISTACK.restore(stage.saved)
    happen()
    return replace(stage, name=name, saved=MINISTACK.save())


def _reissued(world: World, new: Situation, browser: Browser) -> Situation:
    reference = browser.reissue(NUMEN, PHONE, "sms", key=USED_KEY).json["reference"]
    world.run_outbox()
    world.clock.move(minutes=1)
    token = dispute_token_in(world.mail_about(reference)[-1])
    return replace(
        new,
        name="reissued",
        at=world.clock(),
        saved=MINISTACK.save(),
        identifier=identifier_in(world.sms[-1].text),
        reference=reference,
        revision=browser.revision,
        dispute_token=token,
    )


def _deliver(world: World, reissued: Situation) -> None:
    world.change_message(reissued.reference, "identifier", status="delivered")


def _use_up(asking: Browser, new: Situation) -> None:
    for number in range(5):
        asking.redeem(f"{(int(new.code) + 1 + number) % 10**6:06d}")


def _frozen(world: World, reissued: Situation, browser: Browser) -> Situation:
    """The same voter after a dispute, which ends the sessions, signed in again."""
    MINISTACK.restore(reissued.saved)
    browser.dispute(reissued.dispute_token)
    session = world.signed_in(reissued.voter).session_cookie or ""
    return replace(reissued, name="frozen", session=session, saved=MINISTACK.save())


def _closed(world: World, reissued: Situation) -> Situation:
    """The same voter when reissues are over, signed in again."""
    MINISTACK.restore(reissued.saved)
    at = world.election.windows.reissue.closes_at + timedelta(minutes=1)
    world.clock.set(at)
    asking = world.browser()
    asking.ask_code(EMAIL)
    world.run_outbox()
    return replace(
        reissued,
        name="closed",
        at=at,
        session=world.signed_in(reissued.voter).session_cookie or "",
        challenge=asking.challenge_cookie or "",
        code=world.code_for(EMAIL),
        saved=MINISTACK.save(),
    )


def cookies_of(stage: Situation) -> dict[str, str]:
    """Return the cookies of Claire's browser."""
    return {SESSION_COOKIE: stage.session, CHALLENGE_COOKIE: stage.challenge}
