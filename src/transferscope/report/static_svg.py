"""Charts as static SVG, for print and for readers without JavaScript.

Horizontal positions are percentages of the drawing's width, and labels are drawn in its padding. A
chart therefore fills any width while its text keeps its size. Colours come from classes in the
style sheet (``static/page.css``), so the same drawing works in light mode, dark mode and print.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from itertools import pairwise

from .chart_data import Bands, Chart, Curves, Mark, Points, Row, ticks
from .vega_specs import CURVE_HEIGHT, PLANE_HEIGHT
from .words import MINUS

PATHS = {
    "circle": "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
    "square": "M-4 -4h8v8h-8z",
    "triangle-up": "M0 -5L5 4H-5z",
    "triangle-down": "M0 5L5 -4H-5z",
    "diamond": "M0 -6L4.5 0L0 6L-4.5 0z",
    "cross": "M-5 -1.8H-1.8V-5H1.8V-1.8H5V1.8H1.8V5H-1.8V1.8H-5z",
}
"""The SVG path of each shape, centred on 0, 0."""
LABEL_WIDTH, AXIS_WIDTH, RIGHT = 150, 48, 16
TOP, TITLE, BOTTOM = 8, 16, 44
LABEL_CHARS = 22

Scale = Callable[[float], float]


def static_svg(chart: Chart, description: str, marks: Sequence[Mark]) -> str:
    """Return the chart as one ``<svg>`` element; ``description`` is its accessible name."""
    body, height = _drawn(chart, dict(zip(chart.labels, marks, strict=False)))
    left, top = AXIS_WIDTH, TOP + TITLE
    if isinstance(chart, Bands):
        left, top = min(max(112, 16 + 7 * max(map(len, chart.bands))), LABEL_WIDTH), TOP
    return (
        f'<svg class="still" role="img" aria-label="{escape(description)}" width="100%" '
        f'height="{top + height + BOTTOM}" style="padding:{top}px {RIGHT}px {BOTTOM}px {left}px">'
        f"{''.join(body)}</svg>"
    )


def mark_svg(mark: Mark) -> str:
    """Return a series' mark, for a legend or a heading."""
    return (
        '<svg class="mark" viewBox="-6 -6 12 12" width="12" height="12" aria-hidden="true">'
        f'<path class="{mark.colour}" d="{PATHS[mark.shape]}"/></svg>'
    )


def _drawn(chart: Chart, marks: Mapping[str, Mark]) -> tuple[list[str], int]:
    """Return the elements of the drawing and the height of the plot area in pixels."""
    match chart:
        case Bands():
            return _bands(chart, marks)
        case Points():
            return _points(chart, marks)
        case Curves():
            return _curves(chart, marks)


def _bands(chart: Bands, marks: Mapping[str, Mark]) -> tuple[list[str], int]:
    x = _scale(chart.domain, 0.0, 100.0)
    bands, present = chart.bands, chart.present
    height = len(bands) * chart.band_height
    line = float(chart.band_height - 3) if chart.alone else (chart.band_height - 10) / len(present)
    plot = _x_axis(chart.domain, height, chart.title)
    for at, band in enumerate(bands):
        middle = (at + 0.5) * chart.band_height
        shown = band if len(band) <= LABEL_CHARS else f"{band[: LABEL_CHARS - 1]}…"
        text = f'<text class="label" x="-8" y="{middle + 4:g}">{escape(shown)}'
        plot.append(f"{text}<title>{escape(band)}</title></text>")
    for row in chart.rows:
        lane = 0.5 * (line + 3) if chart.alone else 5 + (present.index(row["model"]) + 0.5) * line
        y = bands.index(row["row"]) * chart.band_height + lane
        if chart.bars:
            plot.append(_bar(row["value"], marks[row["model"]], x, y, max(line - 3, 4)))
        plot += _interval(row, chart, marks[row["model"]], x, y)
    return plot, height


def _bar(value: float, mark: Mark, x: Scale, y: float, thick: float) -> str:
    if not _known(value):
        return ""
    left, right = sorted((x(0.0), x(value)))
    return (
        f'<rect class="{mark.colour} bar" x="{left:.2f}%" width="{right - left:.2f}%" '
        f'y="{y - thick / 2:g}" height="{thick:g}"/>'
    )


def _interval(row: Row, chart: Bands, mark: Mark, x: Scale, y: float) -> list[str]:
    """One series' interval in a band, and its dot if the chart has no bars."""
    out = []
    if chart.intervals and _known(row["low"], row["high"]):
        css = "whisker" if chart.bars else f"interval {mark.colour}"
        ends = f'x1="{x(row["low"]):.2f}%" x2="{x(row["high"]):.2f}%"'
        out.append(f'<line class="{css}" {ends} y1="{y:g}" y2="{y:g}"/>')
    if not chart.bars and _known(row["value"]):
        out.append(_mark(mark, x(row["value"]), y))
    return out


def _points(chart: Points, marks: Mapping[str, Mark]) -> tuple[list[str], int]:
    x_span, y_span = chart.domain("x"), chart.domain("y")
    x, y = _scale(x_span, 0.0, 100.0), _scale(y_span, PLANE_HEIGHT, 0.0)
    plot = _y_axis(y_span, PLANE_HEIGHT, chart.titles[1])
    plot += _x_axis(x_span, PLANE_HEIGHT, chart.titles[0])
    plot.append(f'<line class="zero" x1="0" x2="100%" y1="{y(0):.1f}" y2="{y(0):.1f}"/>')
    if chart.origin:
        text = f'<text class="note" x="{x(0):.2f}%" dx="6" y="{y(0) + 14:.1f}">'
        plot.append(f"{text}{escape(chart.origin)}</text>")
    for row in chart.rows:
        mark, over, up = marks[row["model"]], row["x"], row["y"]
        if not _known(over, up):
            continue
        if chart.intervals and _known(row["x_low"], row["x_high"]):
            ends = f'x1="{x(row["x_low"]):.2f}%" x2="{x(row["x_high"]):.2f}%"'
            css = f"interval {mark.colour}"
            plot.append(f'<line class="{css}" {ends} y1="{y(up):.1f}" y2="{y(up):.1f}"/>')
        if chart.intervals and _known(row["y_low"], row["y_high"]):
            ends = f'y1="{y(row["y_low"]):.1f}" y2="{y(row["y_high"]):.1f}"'
            place = f'x1="{x(over):.2f}%" x2="{x(over):.2f}%"'
            plot.append(f'<line class="interval {mark.colour}" {place} {ends}/>')
        plot.append(_mark(mark, x(over), y(up), row["label"]))
        if row.get("note"):
            text = f'<text class="number" x="{x(over):.2f}%" dx="7" y="{y(up) - 5:.1f}">'
            plot.append(f"{text}{escape(str(row['note']))}</text>")
    return plot, PLANE_HEIGHT


def _curves(chart: Curves, marks: Mapping[str, Mark]) -> tuple[list[str], int]:
    rows = [row for row in chart.rows if _known(row["x"], row["y"])]
    xs, ys = [float(r["x"]) for r in rows] or [0.0], [float(r["y"]) for r in rows] or [0.0]
    air = 0.06 * (max(ys) - min(ys)) or 1.0
    x_span = (min(xs), max(xs)) if min(xs) < max(xs) else (min(xs) - 1.0, max(xs) + 1.0)
    y_span = (min(0.0, *ys) - air * (min(ys) < 0), max(0.0, *ys) + air)
    x, y = _scale(x_span, 0.0, 100.0), _scale(y_span, CURVE_HEIGHT, 0.0)
    plot = _y_axis(y_span, CURVE_HEIGHT, chart.titles[1])
    plot += _x_axis(x_span, CURVE_HEIGHT, chart.titles[0], whole=True)
    for label, mark in marks.items():
        own = [(x(float(r["x"])), y(float(r["y"]))) for r in rows if r["model"] == label]
        plot += [
            f'<line class="curve {mark.colour}" x1="{a:.2f}%" y1="{b:.1f}" x2="{c:.2f}%" '
            f'y2="{d:.1f}"/>'
            for (a, b), (c, d) in pairwise(own)
        ]
        if own:
            plot.append(_mark(mark, *own[-1], label))
    return plot, CURVE_HEIGHT


def _x_axis(domain: tuple[float, float], height: int, title: str, whole: bool = False) -> list[str]:
    x = _scale(domain, 0.0, 100.0)
    out = []
    for value in ticks(*domain):
        if whole and value != int(value):
            continue
        css = "zero" if value == 0 and not whole else "rule"
        at = f"{x(value):.2f}%"
        out.append(f'<line class="{css}" x1="{at}" x2="{at}" y1="0" y2="{height}"/>')
        text = f'<text class="tick" x="{at}" y="{height + 18}">{_number(value)}</text>'
        out.append(text)
    out.append(f'<text class="tick" x="50%" y="{height + 36}">{escape(title)}</text>')
    return out


def _y_axis(domain: tuple[float, float], height: int, title: str) -> list[str]:
    y = _scale(domain, height, 0.0)
    out = [f'<text class="note" x="{-AXIS_WIDTH}" y="-12">{escape(title)}</text>']
    for value in ticks(*domain):
        out.append(f'<line class="rule" x1="0" x2="100%" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        text = f'<text class="label soft" x="-8" y="{y(value) + 4:.1f}">{_number(value)}</text>'
        out.append(text)
    return out


def _mark(mark: Mark, x: float, y: float, label: str = "") -> str:
    title = f"<title>{escape(label)}</title>" if label else ""
    return (
        f'<svg class="at" x="{x:.2f}%" y="{y:.1f}"><path class="{mark.colour} dot" '
        f'd="{PATHS[mark.shape]}">{title}</path></svg>'
    )


def _scale(domain: tuple[float, float], first: float, last: float) -> Scale:
    """Return a map from values to positions; values outside the domain are drawn at its edge."""
    low, high = domain
    size = (high - low) or 1.0

    def place(value: float) -> float:
        share = min(max((value - low) / size, 0.0), 1.0)
        return first + share * (last - first)

    return place


def _known(*values: float | None) -> bool:
    return all(value is not None and not math.isnan(value) for value in values)


def _number(value: float) -> str:
    return f"{value:g}".replace("-", MINUS)
