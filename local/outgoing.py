"""What the stack has "sent": the e-mails and SMS that the embedded AWS keeps, in one list, in their
order.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

# An SMS is dated by the moment it is first seen, so this is how late its date can be.
POLL_SECONDS = 0.25
# All messages are read each time, so after thousands of them it is read less often: at most one
# part in so many of the time.
READING_SHARE = 20


@dataclass(frozen=True)
class SentMessage:
    """A message that left the stack. `channel` is email or sms; an SMS has neither subject nor
    HTML.
    """

    channel: str
    to: str
    subject: str | None
    text: str
    html: str | None
    at: datetime

    def as_json(self) -> dict[str, str | None]:
        """Give it as `/_local/messages` shows it; `at` is ISO 8601 UTC to the millisecond."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "channel": self.channel,
            "to": self.to,
            "subject": self.subject,
            "text": self.text,
            "html": self.html,
            "at": at,
        }


class Outgoing:
    """Follows the two message stores of the embedded AWS at `endpoint_url`."""

    def __init__(self, endpoint_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=endpoint_url, timeout=5, trust_env=False)
        self._seen: dict[str, SentMessage] = {}
        self._refreshing = asyncio.Lock()

    def messages(self) -> list[SentMessage]:
        """Give every message seen so far, newest last."""
        return sorted(self._seen.values(), key=lambda message: message.at)

    async def refresh(self) -> None:
        """Take in what was sent since the last time.

        Raises:
            httpx.HTTPError: the embedded AWS does not answer.
        """
        async with self._refreshing:
            emails = (await self._client.get("/_ministack/ses/messages")).raise_for_status().json()
            sms = (await self._client.get("/_ministack/sns/sms-messages")).raise_for_status().json()
            for account in emails["messages"].values():
                for email in account:
                    self._seen.setdefault(email["MessageId"], _email(email))
            now = datetime.now(UTC)
            for messages in sms["sms_messages"].values():
                for message in messages:
                    self._seen.setdefault(message["MessageId"], _sms(message, now))

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Keep refreshing in the background."""
        async with self._client:
            task = asyncio.create_task(self._watch())
            try:
                yield
            finally:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def _watch(self) -> None:
        while True:
            started = time.monotonic()
            with contextlib.suppress(httpx.HTTPError):
                await self.refresh()
            await asyncio.sleep(max(POLL_SECONDS, READING_SHARE * (time.monotonic() - started)))


def _email(record: dict[str, Any]) -> SentMessage:
    return SentMessage(
        channel="email",
        to=", ".join([*record["To"], *record["CC"], *record["BCC"]]),
        subject=record["Subject"],
        text=record["BodyText"] or "",
        html=record["BodyHtml"] or None,
        at=datetime.fromtimestamp(record["Timestamp"], UTC),
    )


def _sms(record: dict[str, Any], seen_at: datetime) -> SentMessage:
    return SentMessage("sms", record["PhoneNumber"], None, record["Message"], None, seen_at)
