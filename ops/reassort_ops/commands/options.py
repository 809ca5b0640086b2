"""The options that commands share, and how they end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reassort_ops.language import tr

Address = Annotated[str, typer.Argument(metavar=tr("EMAIL"), help=tr("The voter's professional address"))]
AddressOrReference = Annotated[
    str,
    typer.Argument(
        metavar=tr("EMAIL|REFERENCE"),
        help=tr("The voter's professional address, or the reference of a reissue of theirs"),
    ),
]
CallerCode = Annotated[
    str | None,
    typer.Option(
        "--caller-code",
        metavar=tr("WORDS"),
        help=tr("The two words that the caller reads from the site: checks who is calling"),
    ),
]
RequestNumber = Annotated[
    str,
    typer.Option(
        "--number", metavar=tr("NUMBER"), help=tr("What the caller reads from the page of the code, 6 digits")
    ),
]
StackName = Annotated[str, typer.Option("--stack", metavar=tr("NAME"), help=tr("CloudFormation stack of the service"))]
Region = Annotated[str | None, typer.Option("--region", metavar=tr("NAME"), help=tr("AWS region, else the profile's"))]
Profile = Annotated[
    str | None, typer.Option("--profile", metavar=tr("NAME"), help=tr("AWS profile, else the environment's"))
]
Elections = Annotated[
    Path | None,
    typer.Option(
        "--elections",
        metavar=tr("DIR"),
        help=tr(
            "Folder whose election file must be the deployed one, else nothing is done; not needed, for the stack "
            "knows its election"
        ),
    ),
]
# Commands that ask the API need no election file; scripts that name the folder go on.
ElectionsUnread = Annotated[Path | None, typer.Option("--elections", metavar=tr("DIR"), hidden=True)]
AsJson = Annotated[bool, typer.Option("--json", help=tr("Print one JSON object"))]
Proposal = Annotated[
    str, typer.Argument(metavar=tr("REFERENCE"), help=tr("Of what waits for a second person: reassort voter proposals"))
]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar=tr("TEXT"), help=tr("Why, for the register: a few words without personal data")),
]


def exit_unless(success: bool) -> None:
    """End with status 1 unless all is as it should be."""
    if not success:
        raise typer.Exit(1)
