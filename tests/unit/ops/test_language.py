"""The language of the command: which one is asked for, and how a text gets its values."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from reassort_ops.cli import app
from reassort_ops.command_line import with_language_first
from reassort_ops.language import VARIABLE, chosen_language, tr, trn
from typer.testing import CliRunner


def run(*arguments: str, language: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own: its language holds from the start."""
    environ = {name: value for name, value in os.environ.items() if name != VARIABLE}
    if language is not None:
        environ[VARIABLE] = language
    return subprocess.run(
        [sys.executable, "-m", "reassort_ops", *arguments], env=environ, capture_output=True, text=True, check=False
    )


@pytest.mark.req("O13")
@pytest.mark.parametrize(
    ("arguments", "environ", "language"),
    [
        ([], {}, "fr"),
        (["roll", "check"], {VARIABLE: "en"}, "en"),
        (["--lang", "en", "roll", "check"], {}, "en"),
        (["--lang=en", "roll", "check"], {VARIABLE: "fr"}, "en"),
        (["roll", "check", "--lang", "fr"], {VARIABLE: "en"}, "fr"),
        (["roll", "remove", "--", "--lang", "en"], {}, "fr"),
        (["--lang", "de"], {VARIABLE: "en"}, "fr"),
        (["--lang"], {}, "fr"),
    ],
)
def test_command_line_comes_before_the_environment(
    arguments: list[str], environ: dict[str, str], language: str
) -> None:
    assert chosen_language(arguments, environ) == language


@pytest.mark.parametrize(
    ("typed", "parsed"),
    [
        (["roll", "check", "x.csv"], ["roll", "check", "x.csv"]),
        (["roll", "check", "--lang", "en", "x.csv"], ["--lang=en", "roll", "check", "x.csv"]),
        (["roll", "--lang=en", "check"], ["--lang=en", "roll", "check"]),
        (["roll", "remove", "--", "--lang"], ["roll", "remove", "--", "--lang"]),
        (["roll", "--lang"], ["--lang=", "roll"]),
    ],
)
def test_language_may_stand_after_the_command(typed: list[str], parsed: list[str]) -> None:
    assert with_language_first(typed) == parsed


def test_text_takes_values_by_name_and_braces_without() -> None:
    assert tr("{name} is missing", name="{x}") == "{x} is missing"
    assert tr("a {brace}") == "a {brace}"
    assert [trn("{count} voter", "{count} voters", count=count) for count in (1, 2)] == ["1 voter", "2 voters"]


@pytest.mark.req("O13")
def test_language_that_is_neither_is_refused() -> None:
    for refused in (run("--lang", "de", "roll", "check", "x"), run("roll", "check", "x", language="de")):
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert "fr, en" in refused.stderr


@pytest.mark.req("O13")
def test_nothing_of_the_command_line_is_in_the_words_of_a_library() -> None:
    for arguments, fault in {
        ("roll", "imports"): "imports is not understood here (perhaps import)",
        ("roll", "check"): "FILE is missing",
        ("roll", "check", "x.csv", "y"): "y is not understood here",
        ("roll", "check", "--errorss", "x"): "there is no option --errorss (perhaps --errors)",
        ("purge", "--stack", "x", "--threads", "0"): "--threads takes a number from 1 to 64",
        ("purge", "--stack"): "--stack needs a value",
        ("purge", "--json=1"): "--json takes no value",
        ("purge",): "--stack is missing",
    }.items():
        told = CliRunner().invoke(app, arguments)
        assert (told.exit_code, told.stdout) == (2, "")
        assert told.stderr.startswith(f"reassort: {fault}; see ")
        assert told.stderr.count("\n") == 1
