"""The minutes as a PDF on A4, drawn without a browser; the letters are those that come with
matplotlib.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
from fpdf import FPDF, FontFace
from fpdf.enums import VAlign
from reassort.french import typeset

from reassort_ops.minutes.parts import NOTICE, SIGNATORIES, TITLE, parts_of, subtitle

if TYPE_CHECKING:
    from typing import BinaryIO

    from reassort_ops.minutes.figures import Minutes
    from reassort_ops.minutes.parts import MinutesPart, MinutesTable

_SANS, _MONO = "DejaVu", "DejaVuMono"
_FILES = {(_SANS, ""): "DejaVuSans.ttf", (_SANS, "B"): "DejaVuSans-Bold.ttf", (_MONO, ""): "DejaVuSansMono.ttf"}
_MARGIN, _LINE = 16, 4.6
_TEXT, _SMALL = 9, 7.5
_RED, _BLACK, _GREY = (182, 0, 0), (22, 22, 22), (150, 150, 150)
# In millimetres: a part begins on the next page where so little room is left; a table of such a
# height is not divided; a row is about so high.
_ROOM, _WHOLE, _ROW = 35, 110, 6
_REMARKS, _REMARK_LINE, _SIGNATURE = 5, 8, 13


class _Sheet(FPDF):
    """A4, with numbered pages."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
        for (family, style), file in _FILES.items():
            self.add_font(family, style, folder / file)
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=_MARGIN + 2)
        self.set_draw_color(*_GREY)
        self.set_text_color(*_BLACK)

    def footer(self) -> None:
        """Number the page."""
        self.set_y(-12)
        self.set_font(_SANS, size=_SMALL)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")

    def say(self, text: str, size: float = _TEXT, style: str = "") -> None:
        """Write a paragraph."""
        self.set_font(_SANS, style, size)
        self.multi_cell(0, size * 0.5, typeset(text), new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(1)

    def heading(self, number: int, title: str) -> None:
        """Begin a part."""
        if self.will_page_break(_ROOM):
            self.add_page()
        self.ln(3)
        self.start_section(f"{number}. {title}")
        self.say(f"{number}. {title}", 11, "B")


def write_minutes_pdf(minutes: Minutes, file: BinaryIO) -> None:
    """Write the PDF."""
    # What a subset leaves out of a font is no news.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    sheet = _Sheet()
    sheet.set_title(f"{TITLE} – {minutes.head.name or minutes.head.election}")
    sheet.set_lang("fr")
    sheet.set_creation_date(minutes.at)
    sheet.add_page()
    sheet.say(TITLE, 15, "B")
    organiser = f", {minutes.head.organiser}" if minutes.head.organiser else ""
    sheet.say(f"{minutes.head.name or minutes.head.election}{organiser}", style="B")
    sheet.say(subtitle(minutes))
    sheet.say(NOTICE)
    parts = parts_of(minutes)
    for number, part in enumerate(parts, 1):
        _write_part(sheet, number, part)
    _write_end(sheet, len(parts) + 1)
    file.write(sheet.output())


def _write_part(sheet: _Sheet, number: int, part: MinutesPart) -> None:
    sheet.heading(number, part.title)
    sheet.set_text_color(*_RED)
    for warning in part.warnings:
        sheet.say(warning, style="B")
    sheet.set_text_color(*_BLACK)
    for line in part.lines:
        sheet.say(line)
    for table in part.tables:
        _write_table(sheet, table)


def _write_table(sheet: _Sheet, table: MinutesTable) -> None:
    if sheet.will_page_break(min(_WHOLE, _ROW * (len(table.rows) + 2))):
        sheet.add_page()
    sheet.say(table.title, style="B")
    code = FontFace(family=_MONO, size_pt=_SMALL)
    bold = FontFace(family=_SANS, emphasis="BOLD")
    sheet.set_font(_SANS, size=_TEXT)
    with sheet.table(
        col_widths=table.widths,
        borders_layout="HORIZONTAL_LINES",
        first_row_as_headings=bool(table.heads),
        headings_style=bold,
        line_height=_LINE,
        text_align="LEFT",
        v_align=VAlign.T,
        padding=(0.6, 1.5, 0.6, 0),
    ) as drawn:
        for cells in (table.heads, *table.rows) if table.heads else table.rows:
            row = drawn.row()
            for place, cell in enumerate(cells):
                # What is compared sign by sign stays as it is.
                as_code = table.codes and place > 0
                row.cell(cell if as_code else typeset(cell), style=code if as_code else None)
    sheet.ln(2)


def _write_end(sheet: _Sheet, number: int) -> None:
    """Leave room for what is written by hand."""
    sheet.heading(number, "Observations du bureau")
    for _ in range(_REMARKS):
        sheet.ln(_REMARK_LINE)
        sheet.line(_MARGIN, sheet.y, sheet.w - _MARGIN, sheet.y)
    if sheet.will_page_break(_ROOM + _SIGNATURE * len(SIGNATORIES)):
        sheet.add_page()
    sheet.heading(number + 1, "Signatures")
    sheet.say("Fait à ______________________________, le ____ / ____ / ________ à ____ h ____.")
    bold = FontFace(family=_SANS, emphasis="BOLD")
    sheet.set_font(_SANS, size=_TEXT)
    with sheet.table(col_widths=(30, 35, 35), headings_style=bold, line_height=_LINE, text_align="LEFT") as drawn:
        for cells in (("Qualité", "Nom et prénom", "Signature"), *((one, "", "") for one in SIGNATORIES)):
            row = drawn.row(min_height=_SIGNATURE if cells[1] == "" else None)
            for cell in cells:
                row.cell(cell)
