"""`reassort report`: what happened, as figures and plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from reassort.clock import utc_now

from reassort_ops.commands.options import AsJson, Elections, Profile, Region, StackName
from reassort_ops.commands.target import Target
from reassort_ops.language import tr
from reassort_ops.output import progress, say, say_json
from reassort_ops.report.figures import Figures, as_json
from reassort_ops.report.gathering import Gathering
from reassort_ops.report.period import period_of
from reassort_ops.state_words import state_word

_PAGE = Path("report.html")


def report(
    stack: StackName,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", metavar=tr("FILE"), help=tr("Where the page goes, else report.html; none with --json alone")
        ),
    ] = None,
    png: Annotated[
        Path | None, typer.Option("--png", metavar=tr("FILE"), help=tr("Also one picture of all plots"))
    ] = None,
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            "--since",
            metavar=tr("TIME"),
            help=tr("2018-11-29, 2018-11-29T08:00 or yesterday, local; else the opening of the reissues"),
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--to", metavar=tr("TIME"), help=tr("Likewise, a day included; else the close of the ballot, or now")
        ),
    ] = None,
    elections: Elections = None,
    segments: Annotated[int, typer.Option(min=1, max=64, help=tr("Segments of a table read at once"))] = 8,
    region: Region = None,
    profile: Profile = None,
    as_json_: AsJson = False,
) -> None:
    """Write one self-contained page, in French: reissues by hour and channel, delivery times,
    failures, locks, disputes, SMS and their cost, and the way from a code to an identifier that
    arrived. No figure is about one voter; one that cannot be known is a dash.

    It only reads, and may run while the service does.
    """
    target = Target(stack, elections, region, profile)
    now = utc_now()
    gathering = Gathering(
        dynamodb=target.aws.dynamodb(segments),
        cloudwatch=target.aws.cloudwatch(),
        stack=target.stack,
        election=target.election,
        period=period_of(target.election, now, first, last),
        now=now,
        segments=segments,
    )
    with progress(tr("reading"), None) as advance:
        figures = gathering.figures(advance)
    page = output or (None if as_json_ else _PAGE)
    if page is not None or png is not None:
        draw(figures, page, png)
    if as_json_:
        say_json(as_json(figures))
        return
    say(
        tr(
            "{total} reissues from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} ({zone}), "
            "{undelivered} undelivered, {disputed} disputed",
            total=figures.reissues.total,
            start=figures.start,
            end=figures.end,
            zone=figures.zone,
            undelivered=figures.failures.undelivered,
            disputed=figures.disputes.total,
        )
    )
    for source in figures.sources:
        if not source.available:
            say(tr("not available: {source}", source=state_word(source.name.value)), "yellow")
    for file in (page, png):
        if file is not None:
            say(tr("{file} written", file=file), "green")


def draw(figures: Figures, page: Path | None, png: Path | None) -> None:
    """Write the page and the picture that are wanted."""
    # matplotlib takes half a second to import, which no other command needs to wait for.
    from reassort_ops.report.drawing import write_png
    from reassort_ops.report.french import day_and_time, number
    from reassort_ops.report.page import render_page
    from reassort_ops.report.plots import plots_of

    plots = plots_of(figures)
    if page is not None:
        # Anyone who looks at the former page sees it whole until the new one is.
        written = page.with_name(f".{page.name}.part")
        written.write_text(render_page(figures, plots), encoding="utf-8")
        written.replace(page)
    if png is not None:
        period = f"Du {day_and_time(figures.start)} au {day_and_time(figures.end)} ({figures.zone})"
        total = f"{number(figures.reissues.total)} réassorts. Pile {figures.stack}, {day_and_time(figures.at)}."
        heading = "Rapport des réassorts d’identifiants"
        write_png(png, heading, (f"{figures.name}, {figures.organiser}", period, total), plots)
