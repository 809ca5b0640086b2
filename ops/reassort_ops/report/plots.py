"""The plots of a report, each drawn by matplotlib on axes that it is given: for the page as SVG,
for a picture as PNG.

A plot shows the figures of its table and nothing else. matplotlib is imported with this module,
which takes half a second: only the command that draws imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from textwrap import wrap
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator
from reassort.french import french_time, typeset
from reassort.outbox import Channel

from reassort_ops.report import words
from reassort_ops.report.figures import Figures, Messages, Step
from reassort_ops.report.french import dollars, duration, number, percent, short_day
from reassort_ops.report.period import HOUR, Period

# A period up to this length is shown by the hour, a longer one by the day.
_FINE = timedelta(days=4)
# Labels of days that find room side by side; more than `_ROOM` are written at a slant.
_MOST_LABELS = 14
_ROOM = 9
# Up to this many hours, some hours have labels; beyond, only days have.
_HOURS_APART = 12 * _ROOM
_SECONDS = (
    0.01,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    20,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    21_600,
    86_400,
    259_200,
    604_800,
)


class Ink(StrEnum):
    """Colours by what they mean; on the page each becomes a custom property of its name, so that it
    follows the reader's scheme.

    Distinguishable with any colour vision (Okabe and Ito's palette, darkened to a contrast of 3 to
    1 on white); no two are the same.
    """

    TEXT = "#1b2530"
    MUTED = "#5a6673"
    GRID = "#d9dee4"
    SMS = "#0b62a4"
    EMAIL = "#c25e00"
    UNKNOWN = "#8a929b"
    GOOD = "#00795a"
    BAD = "#b3261f"
    THIRD = "#a04a86"
    FOURTH = "#6b7f00"
    FIFTH = "#3d7f9e"


_SERIES = (Ink.EMAIL, Ink.THIRD, Ink.GOOD, Ink.FOURTH, Ink.FIFTH, Ink.BAD)


@dataclass(frozen=True)
class Plot:
    """One plot: `name` is its id on the page, `summary` says in words what it shows; `height` is in
    inches for a width of 9.
    """

    name: str
    title: str
    summary: str
    height: float
    draw: Callable[[Axes], None]


def plots_of(figures: Figures) -> tuple[Plot, ...]:
    """Return the plots for which there is something to draw, in the order of the page."""
    found = (
        _funnel(figures),
        _reissues(figures),
        _times(figures),
        _failures(figures),
        _locks(figures),
        _disputes(figures),
        _sms(figures),
        _spend(figures),
    )
    return tuple(plot for plot in found if plot is not None)


# ---------------------------------------------------------------- each plot


def _funnel(figures: Figures) -> Plot | None:
    steps = [step for step in figures.funnel if step.count is not None]
    if not any(step.count for step in steps):
        return None
    told = ", ".join(f"{words.STEPS[step.step].lower()} {number(step.count)}" for step in steps)

    def draw(axes: Axes) -> None:
        counts = [step.count or 0 for step in steps]
        places = range(len(steps))
        inks = [Ink.GOOD if step.step is Step.DELIVERED else Ink.SMS for step in steps]
        axes.barh(places, counts, color=inks, height=0.62)
        for place, step in zip(places, steps, strict=True):
            share = f"   ({percent(step.percent)} de l’étape d’avant)" if step.percent is not None else ""
            axes.annotate(
                f"{number(step.count)}{share}",
                (step.count or 0, place),
                (6, 0),
                textcoords="offset points",
                va="center",
                color=Ink.TEXT,
            )
        axes.set_yticks(places, [_wrapped(words.STEPS[step.step], 30) for step in steps])
        axes.invert_yaxis()
        axes.set_xlim(0, max(counts) * 1.42)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)

    return Plot("funnel", "Du code à l’identifiant arrivé", f"Barres : {told}.", 0.55 * len(steps) + 0.35, draw)


def _reissues(figures: Figures) -> Plot | None:
    found = figures.reissues
    if not found.total:
        return None
    peak = max(found.by_hour, key=lambda hour: hour.total)

    def draw(axes: Axes) -> None:
        bins = _Bins.hours_of(figures)
        series = [
            ("par SMS", Ink.SMS, "sms"),
            ("par e-mail", Ink.EMAIL, "email"),
            ("moyen inconnu", Ink.UNKNOWN, "unknown"),
        ]
        edges = list(range(bins.count + 1))
        below = [0.0] * bins.count
        for label, ink, member in series:
            if not getattr(found, member):
                continue
            top = list(below)
            for hour in found.by_hour:
                top[bins.place(hour.hour)] += getattr(hour, member)
            axes.stairs(top, edges, baseline=below, fill=True, color=ink, label=label)
            below = top
        axes.set_ylabel("réassorts par heure")
        bins.mark(axes)
        _count_axis(axes, max(below))
        _legend(axes)

    return Plot(
        "reissues",
        "Réassorts par heure et par moyen d’envoi",
        f"Aires empilées par heure. {number(found.total)} réassorts, au plus {number(peak.total)} en une heure.",
        3.3,
        draw,
    )


def _times(figures: Figures) -> Plot | None:
    rows = [times for times in figures.times if times.count]
    if not rows:
        return None
    told = " ; ".join(
        f"{words.measured(times)} : {duration(times.p50)} pour la moitié, {duration(times.p95)} pour 95 %"
        for times in rows
    )

    def draw(axes: Axes) -> None:
        marks = (
            ("p50", typeset("50 %"), "o"),
            ("p90", typeset("90 %"), "s"),
            ("p95", typeset("95 %"), "D"),
            ("p99", typeset("99 %"), "^"),
        )
        for place, times in enumerate(rows):
            ink = {Channel.SMS: Ink.SMS, Channel.EMAIL: Ink.EMAIL, None: Ink.GOOD}[times.channel]
            values = [max(1, getattr(times, mark) or 0) for mark, _, _ in marks]
            axes.plot(
                [values[0], values[-1]], [place, place], color=ink, linewidth=3, alpha=0.35, solid_capstyle="round"
            )
            for value, (_, _, shape) in zip(values, marks, strict=True):
                axes.plot(value, place, shape, color=ink, markersize=7)
            axes.annotate(
                duration(times.p50), (values[0], place), (0, 9), textcoords="offset points", ha="center", color=Ink.TEXT
            )
            if values[-1] > values[0] * 1.5:
                axes.annotate(
                    duration(times.p99),
                    (values[-1], place),
                    (0, 9),
                    textcoords="offset points",
                    ha="center",
                    color=Ink.TEXT,
                )
        for _, label, shape in marks:
            axes.plot([], [], shape, color=Ink.MUTED, label=label, markersize=7)
        axes.set_yticks(
            range(len(rows)), [_wrapped(f"{words.measured(times)} ({number(times.count)})", 26) for times in rows]
        )
        axes.set_ylim(len(rows) - 0.5, -0.8)
        axes.set_xscale("log")
        every = [value for times in rows for value in (times.p50 or 1, times.p99 or 1)]
        _duration_axis(axes, min(every), max(every))
        axes.set_xlabel("durée que cette part des identifiants n’a pas dépassée")
        axes.grid(axis="x", color=Ink.GRID, linewidth=0.8)
        _legend(axes)

    return Plot(
        "times", "Délais de remise", f"Points sur une échelle logarithmique. {told}.", 0.62 * len(rows) + 1.2, draw
    )


def _failures(figures: Figures) -> Plot | None:
    found = figures.failures
    if not found.by_reason:
        return None
    totals: dict[str, int] = {}
    for failure in found.by_reason:
        totals[failure.words] = totals.get(failure.words, 0) + failure.count
    reasons = sorted(totals, key=lambda reason: (-totals[reason], reason))
    told = ", ".join(f"{reason} {number(totals[reason])}" for reason in reasons)

    def draw(axes: Axes) -> None:
        below = [0] * len(reasons)
        for index, messages in enumerate(found.by_domain):
            widths = [
                sum(
                    failure.count
                    for failure in found.by_reason
                    if (failure.channel, failure.domain, failure.words) == (messages.channel, messages.domain, reason)
                )
                for reason in reasons
            ]
            if any(widths):
                axes.barh(
                    range(len(reasons)),
                    widths,
                    left=below,
                    height=0.62,
                    color=_domain_ink(index, messages),
                    label=words.way(messages.channel, messages.domain),
                )
            below = [left + width for left, width in zip(below, widths, strict=True)]
        for place, reason in enumerate(reasons):
            axes.annotate(
                number(totals[reason]),
                (totals[reason], place),
                (6, 0),
                textcoords="offset points",
                va="center",
                color=Ink.TEXT,
            )
        axes.set_yticks(range(len(reasons)), [_wrapped(reason, 30) for reason in reasons])
        axes.invert_yaxis()
        axes.set_xlim(0, max(below) * 1.12)
        axes.set_xlabel("messages en échec")
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.grid(axis="x", color=Ink.GRID, linewidth=0.8)
        _legend(axes)

    return Plot("failures", "Échecs par raison et par domaine", f"Barres : {told}.", 0.42 * len(reasons) + 1.1, draw)


def _locks(figures: Figures) -> Plot | None:
    found = figures.locks
    series = [
        ("blocages", Ink.BAD, [(hour.hour, hour.locks or 0) for hour in found.by_hour]),
        ("déblocages par l’assistance", Ink.GOOD, [(hour.hour, hour.unlocked) for hour in found.by_hour]),
    ]
    series = [one for one in series if any(count for _, count in one[2])]
    if not series:
        return None
    told = f"{number(found.locks)} blocages, {number(found.unlocked)} déblocages par l’assistance"
    return Plot(
        "locks", "Blocages après des NUMEN erronés", f"Barres dans le temps. {told}.", 2.5, _in_time(figures, series)
    )


def _disputes(figures: Figures) -> Plot | None:
    found = figures.disputes
    if not found.total:
        return None
    counts = [(hour.hour, hour.disputes) for hour in found.by_hour]
    return Plot(
        "disputes",
        "Réassorts contestés",
        f"Barres dans le temps. {number(found.total)} contestations.",
        2.2,
        _in_time(figures, [("contestations", Ink.THIRD, counts)]),
    )


def _sms(figures: Figures) -> Plot | None:
    found = figures.sms
    days = found.by_day
    counts = [day.handed_over if day.counted is None else day.counted for day in days]
    if not any(counts):
        return None
    cap = found.cap_per_day
    most = max(counts)

    def draw(axes: Axes) -> None:
        bins = _Bins.days_of(figures)
        axes.bar([place + 0.5 for place in range(bins.count)], counts, color=Ink.SMS, width=0.7, label="SMS du jour")
        if most * 3 >= cap:
            axes.axhline(cap, color=Ink.BAD, linewidth=1.6, linestyle="--", label=f"plafond : {number(cap)} par jour")
            _count_axis(axes, max(most, cap))
        else:
            axes.plot(
                [], [], color=Ink.BAD, linestyle="--", label=f"plafond, au-dessus de l’échelle : {number(cap)} par jour"
            )
            _count_axis(axes, most)
        bins.mark(axes)
        axes.set_ylabel("SMS par jour")
        _legend(axes)

    share = percent(round(100 * most / cap, 1))
    return Plot(
        "sms",
        "SMS par jour, et leur plafond",
        f"Barres par jour. Au plus {number(most)} SMS, soit {share} du plafond de {number(cap)}.",
        2.7,
        draw,
    )


def _spend(figures: Figures) -> Plot | None:
    found = figures.sms
    if not found.spend_usd or len(found.by_day) < 2:
        # One day is one number, which the text has.
        return None
    sums: list[float] = []
    for day in found.by_day:
        sums.append((sums[-1] if sums else 0.0) + (day.spend_usd or 0.0))

    def draw(axes: Axes) -> None:
        bins = _Bins.days_of(figures)
        places = [place + 0.5 for place in range(bins.count)]
        axes.plot(places, sums, color=Ink.SMS, linewidth=2.2, marker="o", markersize=4, label="dépense cumulée")
        axes.fill_between(places, sums, color=Ink.SMS, alpha=0.15, linewidth=0)
        top = sums[-1]
        if found.alarm_usd is not None:
            label = f"alarme du mois : {dollars(found.alarm_usd)}"
            if sums[-1] * 4 >= found.alarm_usd:
                axes.axhline(found.alarm_usd, color=Ink.BAD, linewidth=1.6, linestyle="--", label=label)
                top = max(top, found.alarm_usd)
            else:
                axes.plot([], [], color=Ink.BAD, linestyle="--", label=f"{label}, au-dessus de l’échelle")
        axes.set_ylim(0, top * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.grid(axis="y", color=Ink.GRID, linewidth=0.8)
        axes.set_ylabel("dollars des États-Unis")
        bins.mark(axes)
        _legend(axes)

    return Plot(
        "spend", "Dépense de SMS", f"Courbe de la dépense cumulée, qui atteint {dollars(found.spend_usd)}.", 2.6, draw
    )


# ---------------------------------------------------------------- what they share


@dataclass(frozen=True)
class _Bins:
    """The hours or days of a period, as places on the horizontal axis: each is one unit wide.
    `begins` are their beginnings.
    """

    begins: tuple[datetime, ...]
    unit: str

    @classmethod
    def hours_of(cls, figures: Figures) -> _Bins:
        return cls(tuple(Period(figures.start, figures.end, ZoneInfo(figures.zone)).local_hours), "heure")

    @classmethod
    def days_of(cls, figures: Figures) -> _Bins:
        zone = ZoneInfo(figures.zone)
        return cls(tuple(datetime.combine(day.day, time(), zone) for day in figures.sms.by_day), "jour")

    @classmethod
    def fit_for(cls, figures: Figures) -> _Bins:
        """Show single hours unless there are too many."""
        long = figures.end.astimezone(UTC) - figures.start.astimezone(UTC) > _FINE
        return cls.days_of(figures) if long else cls.hours_of(figures)

    @property
    def count(self) -> int:
        return len(self.begins)

    def place(self, at: datetime) -> int:
        """Return the place of the hour or day that `at` lies in; it is in the zone of the
        figures.
        """
        if self.unit == "jour":
            return (at.date() - self.begins[0].date()).days
        return round((at.astimezone(UTC) - self.begins[0].astimezone(UTC)) / HOUR)

    def mark(self, axes: Axes) -> None:
        """Label days, and hours where there is room."""
        axes.set_xlim(0, self.count)
        if self.unit == "jour":
            step = -(-self.count // _MOST_LABELS)
            shown = list(range(0, self.count, step))
            axes.set_xticks([place + 0.5 for place in shown], [short_day(self.begins[place]) for place in shown])
        elif self.count <= _HOURS_APART:
            every = next(hours for hours in (1, 3, 6, 12) if self.count <= hours * _ROOM)
            shown = [place for place, begin in enumerate(self.begins) if begin.hour % every == 0]
            if not any(self.begins[place].hour == 0 for place in shown):
                axes.set_xlabel(short_day(self.begins[0]))
            axes.set_xticks(shown, [_day_or_hour(self.begins[place]) for place in shown])
        else:
            midnights = [place for place, begin in enumerate(self.begins) if begin.hour == 0]
            for place in midnights:
                axes.axvline(place, color=Ink.GRID, linewidth=0.8, zorder=0)
            noons = [place for place, begin in enumerate(self.begins) if begin.hour == 12]
            noons = noons[:: -(-len(noons) // _MOST_LABELS)]
            axes.set_xticks(noons, [short_day(self.begins[place]) for place in noons])
        if len(axes.get_xticklabels()) > _ROOM:
            axes.tick_params(axis="x", labelrotation=30)
            for label in axes.get_xticklabels():
                label.set_horizontalalignment("right")


def _day_or_hour(begin: datetime) -> str:
    return typeset(french_time(begin)) if begin.hour else short_day(begin)


def _in_time(figures: Figures, series: Sequence[tuple[str, Ink, list[tuple[datetime, int]]]]) -> Callable[[Axes], None]:
    """Return the drawing of bars by hour, or by day when the period is long."""

    def draw(axes: Axes) -> None:
        bins = _Bins.fit_for(figures)
        width = 0.8 / len(series)
        most = 0
        for index, (label, ink, counts) in enumerate(series):
            heights = [0] * bins.count
            for at, count in counts:
                heights[bins.place(at)] += count
            lefts = [place + 0.1 + width * index for place in range(bins.count)]
            axes.bar(lefts, heights, width=width, align="edge", color=ink, label=label)
            most = max(most, *heights)
        bins.mark(axes)
        axes.set_ylabel(f"par {bins.unit}")
        _count_axis(axes, most)
        _legend(axes)

    return draw


def _count_axis(axes: Axes, most: float) -> None:
    axes.set_ylim(0, max(most, 1) * 1.12)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.grid(axis="y", color=Ink.GRID, linewidth=0.8)


def _duration_axis(axes: Axes, least: int, most: int) -> None:
    low, high = max(1, least * 0.6), most * 1.8
    axes.set_xlim(low, high)
    shown = [round(seconds * 1000) for seconds in _SECONDS if low <= seconds * 1000 <= high]
    # As many as find room; the first and the last are the ones that matter.
    shown = shown[:: -(-len(shown) // _ROOM)]
    axes.set_xticks(shown, [duration(tick) for tick in shown])
    axes.xaxis.set_minor_locator(NullLocator())


def _legend(axes: Axes) -> None:
    """Put the legend above the axes, where it covers nothing."""
    labels = axes.get_legend_handles_labels()[1]
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=min(4, len(labels)),
        frameon=False,
        labelcolor=Ink.TEXT,
        borderaxespad=0.2,
        handlelength=1.4,
    )


def _domain_ink(index: int, messages: Messages) -> Ink:
    return Ink.SMS if messages.channel is Channel.SMS else _SERIES[(index - 1) % len(_SERIES)]


def _wrapped(text: str, width: int) -> str:
    return "\n".join(wrap(text, width))
