"""The language of what the command says on screen: French, or English on demand.

Texts are English in the code, inside `tr` or `trn`; `locale/` holds their French. The language is
known before anything else is imported, so that a text may be marked anywhere, and read at once.
"""

from __future__ import annotations

import gettext
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

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


def tr(text: str, /, **values: object) -> str:
    """Return a text of the screen in the language of this run, with values for its {names}."""
    said = _CATALOGUE.gettext(text)
    return said.format(**values) if values else said


def trn(one: str, many: str, /, count: int, **values: object) -> str:
    """Return the form of a text that this {count} asks for."""
    return _CATALOGUE.ngettext(one, many, count).format(count=count, **values)


def paragraphs(text: str) -> str:
    """Return a docstring as the text of a help page: each paragraph on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
