"""The French of the `reassort` command: finds its texts, keeps the catalogue beside them.

    make translations

Texts are what `tr`, `trn` and `trc` are given, the docstring of each command, and the words that
Typer itself asks gettext for. What is new comes without a French text: a test names it.
"""

from __future__ import annotations

import inspect
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from reassort_ops.cli import app
from reassort_ops.language import DOMAIN, FOLDER, paragraphs
from typer.main import get_command

CODE = FOLDER.parent
CATALOGUE = FOLDER / "fr" / "LC_MESSAGES" / f"{DOMAIN}.po"
_KEYWORDS = {"tr": (1,), "trn": (1, 2), "trc": ((1, "c"), 2)}
# Where Typer marks its words; others of its modules use `_` for something else.
_TYPER = ("core.py", "rich_utils.py")
_WIDTH = 100
_HEADER = """\
# The French of what the `reassort` command says on screen. `make translations` keeps the texts of
# the code in it; what is between the quotes of a msgstr is written by hand.
msgid ""
msgstr ""
"Language: fr\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

"""


def found_texts() -> Catalog:
    """Return the texts that the code has now, each with the files where it stands."""
    found = Catalog(domain=DOMAIN)
    for path in sorted(CODE.rglob("*.py")):
        place = path.relative_to(CODE).as_posix()
        for _, text, _, context in extract("python", io.BytesIO(path.read_bytes()), keywords=_KEYWORDS):
            found.add(text, locations=[(place, 0)], context=context)
    for place, text in _help_pages(get_command(app)):
        found.add(text, locations=[(place, 0)])
    for name in _TYPER:
        source = (Path(typer.__file__).parent / name).read_bytes()
        for _, text, _, _ in extract("python", io.BytesIO(source), keywords={"_": None}):
            found.add(text, locations=[(f"typer/{name}", 0)])
    return found


def _help_pages(command: Any) -> Iterator[tuple[str, str]]:
    """Give file and docstring of each command, which is its help page."""
    if hasattr(command, "commands"):
        for one in command.commands.values():
            yield from _help_pages(one)
        return
    function = inspect.unwrap(command.callback)
    place = Path(inspect.getsourcefile(function) or "").resolve().relative_to(CODE)
    yield place.as_posix(), paragraphs(inspect.getdoc(function) or "")


def catalogue() -> Catalog:
    """Return the catalogue as it is kept."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="fr", domain=DOMAIN)


def up_to_date() -> Catalog:
    """Return the catalogue with the texts of the code: their French where they have one, none of
    what the code says no more.
    """
    kept, now = catalogue(), Catalog(locale="fr", domain=DOMAIN, fuzzy=False)
    # Two forms, as gettext has them for French: CLDR knows a third, for millions.
    now.mime_headers = kept.mime_headers
    for message in found_texts():
        if message.id:
            known = kept.get(message.id, message.context)
            string = known.string if known else None
            now.add(message.id, string, locations=message.locations, context=message.context)
    return now


def as_po(catalog: Catalog) -> bytes:
    """Return a catalogue as its file."""
    file = io.BytesIO()
    write_po(file, catalog, width=_WIDTH, sort_by_file=True, include_lineno=False, omit_header=True)
    return _HEADER.encode() + file.getvalue()


def as_mo(catalog: Catalog) -> bytes:
    """Return what gettext reads."""
    file = io.BytesIO()
    # The same bytes whenever it is made.
    catalog.creation_date = datetime(2026, 1, 1, tzinfo=UTC)
    write_mo(file, catalog)
    return file.getvalue()


if __name__ == "__main__":
    CATALOGUE.write_bytes(as_po(up_to_date()))
    CATALOGUE.with_suffix(".mo").write_bytes(as_mo(catalogue()))
    for one in catalogue():
        if not all([one.string] if isinstance(one.string, str) else one.string or [""]):
            print(one.id)
