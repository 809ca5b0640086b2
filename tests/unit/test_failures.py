"""What goes wrong in a command: one line on standard error, and an exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import typer
from botocore.exceptions import ClientError, EndpointConnectionError
from reassort.election import ElectionFileError
from reassort.tables import ContentionError
from reassort_ops.failures import OneLineErrors, OperatorError, one_line, unforeseen
from typer._click.exceptions import ClickException
from typer.testing import CliRunner

if TYPE_CHECKING:
    from typer.testing import Result

REFUSED = ClientError({"Error": {"Code": "ValidationException", "Message": "no"}}, "Query")
UNREACHED = EndpointConnectionError(endpoint_url="https://dynamodb")


def commands(fault: BaseException | None = None) -> typer.Typer:
    """Return commands of which one fails so, or ends well; the other prints what it is given."""
    app = typer.Typer(cls=OneLineErrors, no_args_is_help=True)

    @app.command()
    def do() -> None:
        """Do it."""
        if fault is not None:
            raise fault

    @app.command()
    def show(word: str) -> None:
        """Show it."""
        typer.echo(word)

    return app


def run(fault: BaseException | None, *arguments: str) -> Result:
    return CliRunner().invoke(commands(fault), arguments or ("do",))


def test_what_ends_well_says_nothing() -> None:
    result = run(None)
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (OperatorError("the file\n is\tnot there"), "the file is not there"),
        (ElectionFileError("election.yaml: unknown"), None),
        (UNREACHED, None),
        (REFUSED, None),
        (ContentionError("TransactionConflict"), None),
        (FileNotFoundError(2, "No such file or directory", "roll.csv"), None),
    ],
    ids=["of the command", "of the election file", "no answer", "refused", "busy", "of the system"],
)
def test_what_the_operator_can_mend_is_one_line(fault: Exception, text: str | None) -> None:
    result = run(fault)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"reassort: {text or one_line(fault)}\n"
    assert "by its own fault" not in result.stderr


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), EOFError(), typer.Abort()])
def test_what_is_interrupted_ends_as_a_shell_says_it(fault: BaseException) -> None:
    result = run(fault)
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "reassort: interrupted\n")


def test_an_exit_status_is_kept() -> None:
    result = run(typer.Exit(3))
    assert (result.exit_code, result.output) == (3, "")


def test_a_reader_that_is_gone_is_no_fault_of_the_command() -> None:
    assert run(BrokenPipeError()).stderr == ""


def test_a_fault_of_typer_is_said_as_one_of_usage() -> None:
    result = run(ClickException("no such thing"))
    assert result.exit_code == 1
    assert result.stderr.startswith("reassort: ")
    assert result.stderr.endswith("; see reassort --help\n")


def test_the_bare_command_shows_its_help_page() -> None:
    result = CliRunner().invoke(commands(), [])
    assert result.exit_code == 2
    assert "Usage: " in result.output
    assert "reassort: " not in result.stderr


@pytest.mark.parametrize("arguments", [("no-such",), ("show",), ("do", "--no-such")])
def test_a_wrong_command_line_ends_with_2_in_one_line(arguments: tuple[str, ...]) -> None:
    result = run(None, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("reassort: ")
    assert result.stderr.count("\n") == 1


def test_an_error_that_nobody_thought_of_tells_its_place_alone() -> None:
    def inner() -> None:
        raise ValueError("prenom.nom@ac-dijon.fr")

    try:
        inner()
    except ValueError as error:
        told = unforeseen(error)
    line = inner.__code__.co_firstlineno + 1
    assert f"(ValueError, test_failures.py:{line})" in told
    assert "@" not in told
    result = run(ValueError("prenom.nom@ac-dijon.fr"))
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("reassort: the command failed by its own fault (ValueError, test_failures.py:")
    assert "@" not in result.stderr


def test_what_was_typed_is_taken_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["reassort", "show", "it"])
    with pytest.raises(SystemExit) as end:
        commands()()
    assert (end.value.code or 0, capsys.readouterr().out) == (0, "it\n")


def test_the_name_of_the_program_is_the_one_that_it_is_given() -> None:
    result = CliRunner().invoke(commands(), ["show", "--help"], prog_name="reassort")
    assert "Usage: reassort show" in result.stdout


def test_no_break_spaces_stay() -> None:
    assert one_line(OperatorError(" a\u00a0: b \r\n")) == "a\u00a0: b"
