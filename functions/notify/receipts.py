"""What a provider reports of a message after it took it: delivered, failed, delayed. A receipt
holds nobody's data.
"""

from dataclasses import dataclass
from enum import StrEnum

from reassort.outbox import Message
from reassort.reasons import Reason


class ReceiptOutcome(StrEnum):
    """What a receipt says. A delay and a complaint change no status; they are shown beside it."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DELAYED = "delayed"
    COMPLAINED = "complained"


@dataclass(frozen=True)
class Receipt:
    """One report of a provider.

    `at` is when it happened, in milliseconds since 1970. An e-mail is known by the tags it was sent
    with (`delivery_id`, `message`, `round`); an SMS only by the id that SNS gave it (`sms_id`).
    `domain` is the recipient's mail domain, for metrics; `price_usd` is what an SMS cost.
    """

    at: int
    outcome: ReceiptOutcome
    reason: Reason | None = None
    delivery_id: str | None = None
    message: Message | None = None
    round: int = 0
    sms_id: str | None = None
    domain: str | None = None
    price_usd: float | None = None
