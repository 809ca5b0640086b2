"""The `reassort` command: its groups, each in a file of `reassort_ops.commands`."""

from __future__ import annotations

from typing import Annotated

import typer

from reassort_ops.command_line import Commands
from reassort_ops.commands import (
    check,
    deliveries,
    election,
    helpdesk,
    minutes,
    platform,
    purge,
    register,
    rehearse,
    report,
    roll_changes,
    voter_batch,
)
from reassort_ops.failures import OneLineErrors
from reassort_ops.language import OPTION, VARIABLE, Language, tr


def _whole(
    _language: Annotated[
        Language,
        typer.Option(OPTION, envvar=VARIABLE, help=tr("Language of the screen; may be typed after the command too")),
    ] = "fr",
) -> None:
    """The language was taken from the command line before anything was imported."""


app = Commands(
    cls=OneLineErrors,
    callback=_whole,
    help=tr("Run an election with the reissue service: its roll, a voter on the phone, its register, its end."),
    epilog=tr("Example: reassort roll import roll.csv --stack reassort"),
)
app.add("check", epilog=tr("Example: reassort check --before --config-env production --voters 30000"))(check.check)
app.add_typer(roll_changes.commands, name="roll")
app.add_typer(election.commands, name="election")
app.add_typer(voter_batch.commands, name="voter")
app.add_typer(helpdesk.commands, name="helpdesk")
app.add_typer(deliveries.commands, name="deliveries")
app.add_typer(register.commands, name="register")
app.add_typer(platform.commands, name="platform")
app.add("report", epilog=tr("Example: reassort report --stack reassort --output report.html --png report.png"))(
    report.report
)
app.add(
    "minutes",
    epilog=tr(
        "Example: reassort minutes --stack reassort --register register.jsonl --key register.pub.pem "
        "--output minutes.html --pdf minutes.pdf"
    ),
)(minutes.minutes)
app.add("purge", epilog=tr("Example: reassort purge --stack reassort --dry-run"))(purge.purge)
app.add(
    "rehearse", epilog=tr("Example: reassort rehearse --stack reassort-staging --voters 10000 --share 20 --minutes 10")
)(rehearse.rehearse)
