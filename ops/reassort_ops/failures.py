"""What goes wrong, said in one line on standard error; never a traceback, which could show a
voter's data.
"""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from reassort.election import ElectionFileError
from reassort.tables import ContentionError
from typer._click.exceptions import ClickException, NoArgsIsHelpError

from reassort_ops.aws_faults import aws_fault
from reassort_ops.command_line import GroupPage, usage_fault, with_language_first
from reassort_ops.election_faults import election_fault
from reassort_ops.language import tr
from reassort_ops.system_faults import system_fault

# What a shell reports of a program that Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130


class OperatorError(Exception):
    """The command cannot do what was asked. The message is one line and tells what to do."""


class OneLineErrors(GroupPage):
    """The root of the commands: turns what they raise into one line and an exit status."""

    def main(self, args: Any = None, *more: Any, **named: Any) -> Any:
        """Run what was typed, and end with its status; a wrong option ends with Typer's own, 2."""
        typed = with_language_first(sys.argv[1:] if args is None else args)
        try:
            status = super().main(typed, *more, **{**named, "standalone_mode": False})
        except NoArgsIsHelpError as error:
            error.show()
            status = error.exit_code
        except ClickException as error:
            tell(usage_fault(error))
            status = error.exit_code
        sys.exit(status)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, EOFError, typer.Abort):
            tell(tr("interrupted"))
            raise typer.Exit(INTERRUPTED) from None
        except (BrokenPipeError, typer.Exit, ClickException):
            raise
        except (OperatorError, ElectionFileError, BotoCoreError, ClientError, ContentionError, OSError) as error:
            tell(one_line(error))
            raise typer.Exit(1) from None
        except Exception as error:  # noqa: BLE001 - what nobody thought of, and whose text may hold anything
            tell(unforeseen(error))
            raise typer.Exit(1) from None


def tell(text: str) -> None:
    """Say one line on standard error."""
    typer.echo(tr("reassort: {text}", text=text), err=True)


def unforeseen(error: Exception) -> str:
    """Say where an error of the program itself arose. Its text is left out: it may hold data of a
    voter.
    """
    place = traceback.extract_tb(error.__traceback__)[-1]
    return tr(
        "the command failed by its own fault ({cause}, {file}:{line}): nothing more was done; send this line to those "
        "who maintain it",
        cause=type(error).__name__,
        file=Path(place.filename).name,
        line=place.lineno,
    )


def one_line(error: Exception) -> str:
    """Say what went wrong in one line."""
    match error:
        case ClientError() | BotoCoreError():
            text = aws_fault(error)
        case ContentionError():
            text = tr("the tables are busy ({why}): run the same command again", why=error)
        case OSError():
            text = system_fault(error)
        case ElectionFileError():
            text = election_fault(error)
        case _:
            text = str(error)
    # No-break spaces stay.
    return re.sub(r"[ \t\r\n]+", " ", text).strip()
