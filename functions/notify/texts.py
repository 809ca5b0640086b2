"""What the messages say: one template for each, filled from the election and the delivery."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from reassort.election import Election, telephone_digits
from reassort.french import (
    ballot_close,
    french_hour,
    french_instant,
    french_ordinal,
    helpdesk_hours,
    short_close,
    typeset_html,
    zone_words,
)
from reassort.outbox import Channel, Delivery

# Of the GSM 7-bit alphabet, in which every sign of the SMS is (3GPP TS 23.038).
_ONE_PART = 160


@dataclass(frozen=True)
class Email:
    """An e-mail: subject, complete text part, HTML part without remote content."""

    subject: str
    text: str
    html: str


@cache
def _environment() -> Environment:
    """Return what reads the templates, each of which it compiles once for this process."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Texts:
    """Renders the texts of one election. `site_origin` is where its voter space lives."""

    def __init__(self, election: Election, site_origin: str) -> None:
        self._election = election
        self._site_origin = site_origin

    def code_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the e-mail with a one-time code. The code is not in the subject: previews show
        subjects.
        """
        subject = f"Votre code de connexion – {self._election.name}"
        lifetime = self._election.limits.code.lifetime_minutes * 60_000
        until = french_hour(delivery.created_at + lifetime, self._election)
        return self._email("code", subject, delivery, code=payload["code"], valid_until=until, site=self._site_origin)

    def identifier_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the e-mail with an identifier: asked for by e-mail, or sent because its SMS
        failed.
        """
        subject = f"Votre {french_ordinal(delivery.generation)} identifiant de vote – {self._election.name}"
        return self._email(
            "identifier", subject, delivery, identifier=payload["identifier"], closes=self._closes(payload)
        )

    def identifier_sms(self, delivery: Delivery, payload: Mapping[str, str]) -> str:
        """Write the SMS with an identifier: one segment of the GSM 7-bit alphabet, at most 160
        characters. Where and until when to vote is in it as far as there is room.
        """
        for vote in (*self._vote_lines(), ""):
            text = self._render("identifier.sms.j2", delivery, identifier=payload["identifier"], vote=vote).strip()
            if len(text) <= _ONE_PART:
                break
        return text

    def confirmation_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the confirmation, which never holds the identifier."""
        subject = f"Confirmation : votre {french_ordinal(delivery.generation)} identifiant de vote"
        dispute_url = f"{self._site_origin}/contestation.html#{payload['dispute']}"
        return self._email("confirmation", subject, delivery, dispute_url=dispute_url, closes=self._closes(payload))

    def canary_email(self, delivery: Delivery) -> Email:
        """Write a canary: it says that it is a test, and whose."""
        return self._email("canary", f"Test du service – {self._election.name}", delivery)

    def canary_sms(self, delivery: Delivery) -> str:
        """Write a canary as one segment of the GSM 7-bit alphabet."""
        return self._render("canary.sms.j2", delivery).strip()

    def dispute_alert(self, delivery: Delivery) -> str:
        """Write the alert for the helpdesk: a reference, nobody's data."""
        return self._render("alert.txt.j2", delivery)

    def _closes(self, payload: Mapping[str, str]) -> str:
        # A payload of an older version, or of a voter without a mobile, may lack it.
        return ballot_close(self._election, payload.get("phone", ""))

    def _vote_lines(self) -> Iterator[str]:
        """Give what an SMS can say of the vote, from the longest on."""
        close = short_close(self._election)
        if site := self._election.voting_site:
            yield f"Vote : {site.bare_address}, fin le {close}"
            yield f"Vote : {site.bare_address}"
        yield f"Fin du vote : {close}"

    def _email(self, name: str, subject: str, delivery: Delivery, **values: Any) -> Email:
        return Email(
            subject=subject,
            text=self._render(f"{name}.txt.j2", delivery, subject=subject, **values),
            html=_typeset(self._render(f"{name}.html.j2", delivery, subject=subject, **values)),
        )

    def _render(self, template: str, delivery: Delivery, **values: Any) -> str:
        read = _environment().get_template(template)
        return read.render(
            election=self._election,
            helpdesk_tel=telephone_digits(self._election.helpdesk.phone),
            helpdesk_hours=helpdesk_hours(delivery.created_at, self._election),
            issued_at=f"{french_instant(delivery.created_at, self._election)}, {zone_words(self._election)}",
            zone=zone_words(self._election),
            ordinal=french_ordinal(delivery.generation),
            ordinal_before=french_ordinal(delivery.generation - 1),
            reference=delivery.delivery_id,
            generation=delivery.generation,
            channel=delivery.channel.value,
            destinations=delivery.destinations,
            fell_back=delivery.fell_back,
            # Nobody filled in a form.
            by_helpdesk=not delivery.request_hash,
            sms_failed=delivery.has_failed_by(Channel.SMS),
            **values,
        )


def _typeset(html: str) -> str:
    """Put no-break spaces into the body of a page. A text part keeps plain ones: it is copied
    from.
    """
    head, body, content = html.partition("<body>")
    return head + body + typeset_html(content)
