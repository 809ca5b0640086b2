"""What the messages say: one template for each, filled from the election and the delivery."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from reassort.election import Election
from reassort.french import french_instant, helpdesk_hours, typeset_html
from reassort.outbox import Delivery


@dataclass(frozen=True)
class Email:
    """An e-mail: subject, complete text part, HTML part without remote content."""

    subject: str
    text: str
    html: str


class Texts:
    """Renders the texts of one election. `site_origin` is where its voter space lives."""

    def __init__(self, election: Election, site_origin: str) -> None:
        self._election = election
        self._site_origin = site_origin
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(("html.j2",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def code_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the e-mail with a one-time code. The code is not in the subject: previews show
        subjects.
        """
        subject = f"Votre code de connexion – {self._election.name}"
        return self._email("code", subject, delivery, code=payload["code"], site=self._site_origin)

    def identifier_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the e-mail with an identifier: asked for by e-mail, or sent because its SMS
        failed.
        """
        subject = f"Votre nouvel identifiant de vote, réassort n° {delivery.generation} – {self._election.name}"
        return self._email("identifier", subject, delivery, identifier=payload["identifier"])

    def identifier_sms(self, delivery: Delivery, payload: Mapping[str, str]) -> str:
        """Write the SMS with an identifier: one segment of the GSM 7-bit alphabet, at most 160
        characters.
        """
        text = self._render("identifier.sms.j2", delivery, identifier=payload["identifier"])
        return text.strip()

    def confirmation_email(self, delivery: Delivery, payload: Mapping[str, str]) -> Email:
        """Write the confirmation, which never holds the identifier."""
        subject = f"Confirmation : nouvel identifiant de vote, réassort n° {delivery.generation}"
        dispute_url = f"{self._site_origin}/contestation.html#{payload['dispute']}"
        return self._email("confirmation", subject, delivery, dispute_url=dispute_url)

    def canary_email(self, delivery: Delivery) -> Email:
        """Write a canary: it says that it is a test, and whose."""
        return self._email("canary", f"Test du service – {self._election.name}", delivery)

    def canary_sms(self, delivery: Delivery) -> str:
        """Write a canary as one segment of the GSM 7-bit alphabet."""
        return self._render("canary.sms.j2", delivery).strip()

    def dispute_alert(self, delivery: Delivery) -> str:
        """Write the alert for the helpdesk: a reference, nobody's data."""
        return self._render("alert.txt.j2", delivery)

    def _email(self, name: str, subject: str, delivery: Delivery, **values: Any) -> Email:
        return Email(
            subject=subject,
            text=self._render(f"{name}.txt.j2", delivery, subject=subject, **values),
            html=_typeset(self._render(f"{name}.html.j2", delivery, subject=subject, **values)),
        )

    def _render(self, template: str, delivery: Delivery, **values: Any) -> str:
        return self._environment.get_template(template).render(
            election=self._election,
            helpdesk_tel=re.sub(r"\D", "", self._election.helpdesk.phone),
            helpdesk_hours=helpdesk_hours(delivery.created_at, self._election),
            issued_at=french_instant(delivery.created_at, self._election),
            reference=delivery.delivery_id,
            generation=delivery.generation,
            channel=delivery.channel.value,
            destinations=delivery.destinations,
            fell_back=delivery.fell_back,
            **values,
        )


def _typeset(html: str) -> str:
    """Put no-break spaces into the body of a page. A text part keeps plain ones: it is copied
    from.
    """
    head, body, content = html.partition("<body>")
    return head + body + typeset_html(content)
