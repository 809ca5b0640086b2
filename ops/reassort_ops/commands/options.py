"""The options that commands share, and how they end."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

# Boxes are for people; a pipe or a log gets plain text.
LOOK: Literal["rich"] | None = "rich" if sys.stdout.isatty() else None

Address = Annotated[str, typer.Argument(metavar="EMAIL", help="The voter's professional address")]
AddressOrReference = Annotated[
    str,
    typer.Argument(
        metavar="EMAIL|REFERENCE", help="The voter's professional address, or the reference of a reissue of theirs"
    ),
]
CallerCode = Annotated[
    str | None,
    typer.Option(
        "--caller-code",
        metavar="WORDS",
        help="The two words that the caller reads from the site: checks who is calling",
    ),
]
RequestNumber = Annotated[
    str, typer.Option("--number", metavar="NUMBER", help="What the caller reads from the page of the code, 6 digits")
]
StackName = Annotated[str, typer.Option("--stack", metavar="NAME", help="CloudFormation stack of the service")]
Region = Annotated[str | None, typer.Option("--region", metavar="NAME", help="AWS region, else the profile's")]
Profile = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="AWS profile, else the environment's")]
Elections = Annotated[
    Path | None,
    typer.Option(
        "--elections",
        metavar="DIR",
        help="Folder whose election file must be the deployed one, else nothing is done; not needed, for the stack "
        "knows its election",
    ),
]
# Commands that ask the API need no election file; scripts that name the folder go on.
ElectionsUnread = Annotated[Path | None, typer.Option("--elections", metavar="DIR", hidden=True)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object")]
Proposal = Annotated[
    str, typer.Argument(metavar="REFERENCE", help="Of what waits for a second person: reassort voter proposals")
]
Reason = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why, for the register: a few words without personal data")
]


def exit_unless(success: bool) -> None:
    """End with status 1 unless all is as it should be."""
    if not success:
        raise typer.Exit(1)
