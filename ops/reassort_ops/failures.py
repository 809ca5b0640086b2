"""What goes wrong, said in one line on standard error; never a traceback, which could show a
voter's data.
"""

from __future__ import annotations

from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from reassort.election import ElectionFileError
from reassort.tables import ContentionError
from typer.core import TyperGroup

# What a shell reports of a program that Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130


class OperatorError(Exception):
    """The command cannot do what was asked. The message is one line and tells what to do."""


class OneLineErrors(TyperGroup):
    """The root of the commands: turns what they raise into one line and an exit status."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, typer.Abort):
            typer.echo("reassort: interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise
        except (OperatorError, ElectionFileError, BotoCoreError, ClientError, ContentionError, OSError) as error:
            typer.echo(f"reassort: {one_line(error)}", err=True)
            raise typer.Exit(1) from None


def one_line(error: Exception) -> str:
    """Say what went wrong in one line."""
    match error:
        case ClientError():
            fault = error.response.get("Error", {})
            text = f"AWS refused {error.operation_name}: {fault.get('Code', '?')}: {fault.get('Message', '')}"
        case ContentionError():
            text = f"the tables are busy ({error}): run the same command again"
        case OSError(filename=str() as name, strerror=str() as reason):
            text = f"{name}: {reason}"
        case _:
            # An election file's faults come one a line.
            text = "; ".join(str(error).splitlines())
    return " ".join(text.split())
