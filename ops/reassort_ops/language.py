"""The language of what the command says on screen: French, or English on demand.

Texts are English in the code, inside `tr`, `trn` or `trc`; `locale/` holds their French. The
language is known before anything else is imported, so that a text may be marked anywhere, and read
at once.
"""

from __future__ import annotations

import gettext
import os
import string
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, cast

from reassort.french import NARROW_NO_BREAK, typeset

# Typer does not look into a `type`.
Language = Literal["fr", "en"]

OPTION = "--lang"
VARIABLE = "REASSORT_LANG"
DOMAIN = "reassort"
FOLDER = Path(__file__).parent / "locale"
_DEFAULT: Language = "fr"
_SOURCE: Language = "en"


def chosen_language(arguments: Sequence[str], environ: Mapping[str, str]) -> Language:
    """Return the language that the command line asks for, else the environment, else French. What
    is neither is refused where options are checked; until then it is French too.
    """
    asked = named_language(arguments) or environ.get(VARIABLE)
    return _SOURCE if asked == _SOURCE else _DEFAULT


def named_language(arguments: Sequence[str]) -> str | None:
    """Return the value of --lang, wherever it stands among the options; None without it."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    for position, argument in enumerate(options):
        name, joined, value = argument.partition("=")
        if name == OPTION:
            return value if joined else next(iter(options[position + 1 : position + 2]), "")
    return None


LANGUAGE = chosen_language(sys.argv[1:], os.environ)
_CATALOGUE = (
    gettext.NullTranslations() if LANGUAGE == _SOURCE else gettext.translation(DOMAIN, FOLDER, languages=[LANGUAGE])
)


class Text(str):
    """A text of the screen, which remembers its English: that is what a program reads, whatever the
    language.
    """

    english: str

    def __new__(cls, said: str, english: str) -> Self:
        """Make a text in the language of the run and in English."""
        made = super().__new__(cls, said)
        made.english = english
        return made

    def __str__(self) -> Self:
        """Stay what it is, in an exception too."""
        return self


def tr(text: str, /, **values: object) -> str:
    """Return a text of the screen in the language of this run, with values for its {names}."""
    return _filled(text, _CATALOGUE.gettext(text), values)


def trn(one: str, many: str, /, count: int, **values: object) -> str:
    """Return the form of a text that this {count} asks for."""
    english = one if count == 1 else many
    return _filled(english, _CATALOGUE.ngettext(one, many, count), {"count": count, **values})


def trc(context: str, text: str) -> str:
    """Return a text whose French depends on what it is said of."""
    return Text(_CATALOGUE.pgettext(context, text), text)


def filled(text: str, /, **values: object) -> str:
    """Return a text that was marked without them with values for its {names}."""
    return _filled(text.english, text, values) if isinstance(text, Text) else text.format(**values)


def joined(separator: str, texts: Iterable[str]) -> str:
    """Return texts one behind the other; the separator is the English one."""
    every = list(texts)
    between = separator if LANGUAGE == _SOURCE else typeset(separator.replace(";", " ;"))
    return Text(between.join(every), separator.join(map(in_english, every)))


def in_english[T](value: T) -> T:
    """Return the English of a text, and of all texts inside of lists and objects; anything else as
    it is.
    """
    match value:
        case Text():
            return cast("T", value.english)
        case dict():
            return cast("T", {in_english(name): in_english(one) for name, one in value.items()})
        case list() | tuple():
            return cast("T", [in_english(one) for one in value])
        case _:
            return value


def number(value: float, digits: int = 0) -> str:
    """Write a number as readers of the language do: 1,234.5 or 1 234,5."""
    return str(_NUMBERS.format_field(value, f",.{digits}f"))


class _FrenchNumbers(string.Formatter):
    """Writes numbers in a text with a comma, and thousands apart."""

    def format_field(self, value: Any, format_spec: str) -> str:
        """Write one value."""
        written: str = super().format_field(value, format_spec)
        if isinstance(value, int | float) and format_spec:
            return written.translate({ord(","): NARROW_NO_BREAK, ord("."): ","})
        return written


_ENGLISH = string.Formatter()
_NUMBERS = _FrenchNumbers() if LANGUAGE == "fr" else _ENGLISH


def _filled(english: str, said: str, values: Mapping[str, object]) -> Text:
    if LANGUAGE == _SOURCE:
        english = said = english.format(**values) if values else english
    elif values:
        english = english.format(**{name: in_english(value) for name, value in values.items()})
        said = _NUMBERS.vformat(said, (), values)
    return Text(said, english)


def paragraphs(text: str) -> str:
    """Return a docstring as the text of a help page: each paragraph on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
