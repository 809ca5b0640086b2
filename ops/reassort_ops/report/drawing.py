"""Plots as SVG that a page can hold, and as one PNG."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure

from reassort_ops.report.plots import Ink

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from reassort_ops.report.plots import Plot

_WIDTH_INCHES = 9.0
_PNG_DPI = 110
_TITLE_INCHES = 0.5
_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
# Any: matplotlib's type of it lists every parameter that there is.
_STYLE: Any = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "text.color": Ink.TEXT,
    "axes.labelcolor": Ink.MUTED,
    "axes.edgecolor": Ink.MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": Ink.MUTED,
    "ytick.color": Ink.MUTED,
    "xtick.labelcolor": Ink.TEXT,
    "ytick.labelcolor": Ink.TEXT,
    # Text stays text: it can be searched, read aloud and enlarged.
    "svg.fonttype": "none",
    # The same figures give the same file.
    "svg.hashsalt": "reassort",
}


def as_svg(plot: Plot) -> str:
    """Return a plot as an `svg` element with a title and a description, its ids begun with the
    plot's name.

    Colours are custom properties of the page (`var(--sms)`), so the plot follows its scheme.
    Nothing in it names another resource.
    """
    written = StringIO()
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH_INCHES, plot.height), layout="constrained")
        _draw(plot, figure.add_subplot())
        figure.savefig(written, format="svg", transparent=True, metadata=dict.fromkeys(_METADATA))
    return _fit_for_page(written.getvalue(), plot)


def write_png(path: Path, heading: str, lines: Sequence[str], plots: Sequence[Plot]) -> None:
    """Write all plots below one another, under a heading and some lines, as one picture."""
    with mpl.rc_context(_STYLE):
        heights = [0.65 + 0.22 * len(lines), *(plot.height + _TITLE_INCHES for plot in plots)]
        figure = Figure(figsize=(_WIDTH_INCHES, sum(heights)), layout="constrained", facecolor="white")
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        parts[0].text(0.02, 0.86, heading, fontsize=16, fontweight="bold", va="top")
        parts[0].text(0.02, 0.46, "\n".join(lines), color=Ink.MUTED, va="top", linespacing=1.4)
        for plot, part in zip(plots, parts[1:], strict=True):
            axes = part.add_subplot()
            _draw(plot, axes)
            part.suptitle(plot.title, x=0.02, ha="left", fontweight="bold", fontsize=11.5)
        figure.savefig(path, format="png", dpi=_PNG_DPI, metadata={"Software": None})


# What matplotlib would say of itself, with addresses of vocabularies.
_METADATA = ("Creator", "Date", "Format", "Type")


def _draw(plot: Plot, axes: Axes) -> None:
    axes.tick_params(length=0)
    plot.draw(axes)


def _fit_for_page(svg: str, plot: Plot) -> str:
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)  # noqa: S314 - what matplotlib has just written
    for parent in list(root.iter()):
        for child in list(parent):
            # The style sheet would hold for the whole page.
            if child.tag in (f"{{{_SVG}}}metadata", f"{{{_SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.removeprefix(f"{{{_SVG}}}")
        if (target := element.attrib.pop(f"{{{_XLINK}}}href", None)) is not None:
            element.set("href", target)
        for name, value in element.attrib.items():
            element.set(name, _renamed(name, value, plot.name))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{plot.name}-title {plot.name}-desc")
    title = ElementTree.Element("title", {"id": f"{plot.name}-title"})
    title.text = plot.title
    description = ElementTree.Element("desc", {"id": f"{plot.name}-desc"})
    description.text = plot.summary
    root.insert(0, title)
    root.insert(1, description)
    return ElementTree.tostring(root, encoding="unicode")


def _renamed(name: str, value: str, plot: str) -> str:
    match name:
        case "id":
            return f"{plot}-{value}"
        case "href":
            return value.replace("#", f"#{plot}-", 1)
        case _:
            value = re.sub(r"url\(#", f"url(#{plot}-", value)
            return _COLOURS.sub(lambda found: f"var(--{Ink(found[0]).name.lower()})", value)


_COLOURS = re.compile("|".join(ink.value for ink in Ink))
