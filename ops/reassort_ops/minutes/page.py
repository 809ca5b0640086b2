"""The minutes as one HTML page that prints well on A4 and needs nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from reassort.french import typeset_html

from reassort_ops.minutes.parts import NOTICE, SIGNATORIES, TITLE, parts_of, subtitle

if TYPE_CHECKING:
    from reassort_ops.minutes.figures import Minutes


def render_minutes(minutes: Minutes) -> str:
    """Return the page."""
    environment = Environment(
        loader=PackageLoader("reassort_ops.minutes", "."),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    parts = parts_of(minutes)
    widths = {30, 35}.union(*(table.widths for part in parts for table in part.tables))
    page = environment.get_template("page.html.j2").render(
        title=TITLE,
        head=minutes.head,
        subtitle=subtitle(minutes),
        notice=NOTICE,
        parts=parts,
        widths=sorted(widths),
        signatories=SIGNATORIES,
    )
    return typeset_html(page)
