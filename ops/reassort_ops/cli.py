"""The `reassort` command: its groups, each in a file of `reassort_ops.commands`."""

from __future__ import annotations

import typer

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
from reassort_ops.commands.options import LOOK
from reassort_ops.failures import OneLineErrors

app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=LOOK,
    pretty_exceptions_enable=False,
    help="Run an election with the reissue service: its roll, a voter on the phone, its register, its end.",
    epilog="Example: reassort roll import roll.csv --stack reassort",
)
app.command("check", epilog="Example: reassort check --before --config-env production --voters 30000")(check.check)
app.add_typer(roll_changes.commands, name="roll")
app.add_typer(election.commands, name="election")
app.add_typer(voter_batch.commands, name="voter")
app.add_typer(helpdesk.commands, name="helpdesk")
app.add_typer(deliveries.commands, name="deliveries")
app.add_typer(register.commands, name="register")
app.add_typer(platform.commands, name="platform")
app.command("report", epilog="Example: reassort report --stack reassort --output report.html --png report.png")(
    report.report
)
app.command(
    "minutes",
    epilog="Example: reassort minutes --stack reassort --register register.jsonl --key register.pub.pem "
    "--output minutes.html --pdf minutes.pdf",
)(minutes.minutes)
app.command("purge", epilog="Example: reassort purge --stack reassort --dry-run")(purge.purge)
app.command(
    "rehearse", epilog="Example: reassort rehearse --stack reassort-staging --voters 10000 --share 20 --minutes 10"
)(rehearse.rehearse)
