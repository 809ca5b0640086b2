"""What a scenario is, and what scenarios share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import Enum, auto
from typing import TYPE_CHECKING, ClassVar

from reassort.outbox import Message

from harness.engines.template import OUTBOX
from harness.service.reading import identifier_in
from harness.service.world import Browser, Response

if TYPE_CHECKING:
    from reassort.election_file import ElectionFile

    from tests.matrix.stage import Stage


STRANGER = "camille.inconnu@ac-dijon.fr"
SECOND_KEY = "crash-matrix-key-2"


class Retrier(Enum):
    """Who calls the handler, and so who tries again after a fault."""

    # Repeats the same request until it is answered.
    CLIENT = auto()
    # A stream, a queue or a schedule: brings the event again by itself, as settling plays it.
    TRIGGER = auto()
    # An asynchronous event: Lambda brings it again, twice.
    EVENT = auto()
    # Types the command again.
    OPERATOR = auto()


class Scenario(ABC):
    """One run of one handler."""

    name: ClassVar[str]
    caller: ClassVar[Retrier] = Retrier.TRIGGER
    election: ClassVar[ElectionFile | str] = "dijon-2018"

    def set_up(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Bring the world to the moment before the run."""

    @abstractmethod
    def act(self, stage: Stage) -> object:
        """Run the handler once."""

    def meanwhile(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Let the rest of the world go on, between the run and what repeats it."""

    @abstractmethod
    def goal(self, stage: Stage) -> None:
        """Check what the run was for."""

    def repeat(self, stage: Stage) -> None:  # noqa: B027 - most scenarios need none
        """Make the same request again when all is over; nothing may change. Events are always
        brought again.
        """


class ApiRequest(Scenario):
    """A request to the API. Its client asks until it gets an answer that is not a fault."""

    caller = Retrier.CLIENT

    @abstractmethod
    def act(self, stage: Stage) -> Response:
        """Make the request."""


def browser_of(stage: Stage) -> Browser:
    browser: Browser = stage.facts["browser"]
    return browser


def sign_in(stage: Stage) -> None:
    """A voter whose code did not come asks for another after a minute, and gets in."""
    browser = browser_of(stage)
    mails = stage.world.mail_to(stage.claire.email)
    if not mails or browser.redeem(stage.world.code_for(stage.claire.email)).status != 200:
        stage.world.clock.move(seconds=60)
        assert browser.sign_in(stage.claire.email).status == 200
    assert browser.overview().status == 200


def identifier_texts(stage: Stage, reference: str) -> list[str]:
    """Return the texts that carried the identifier of a reissue."""
    copies = stage.ledger.copies()
    return [
        text
        for (delivery, message, _), texts in copies.items()
        if (delivery, message) == (reference, Message.IDENTIFIER)
        for text in texts
    ]


def last_identifier_status(stage: Stage, reference: str) -> str:
    """Return what the registry says of the identifier that the voter got."""
    status: str = stage.world.check(identifier_in(identifier_texts(stage, reference)[-1]))["status"]
    return status


def damage(stage: Stage) -> bytes:
    """Seal something else in a delivery, without an event of that; return what it was."""
    world, reference = stage.world, stage.facts["reference"]
    world.new_records()
    payload: bytes = world.delivery_item(reference)["payload"]
    sealed = world.wire.operator.kms.encrypt(KeyId=world.encryption_key, Plaintext=b"{}")["CiphertextBlob"]
    world.change_delivery(reference, payload=sealed)
    for table in OUTBOX.all:
        world.engine.take_stream_records(table)
    return payload
