"""Charts as Vega-Lite specs: plain dicts that contain their data and fill their container.

Colours, fonts and line styles come from the page (``static/page.js`` reads them from the style
sheet), so the same spec works in light and dark mode.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .chart_data import Bands, Chart, Curves, Mark, Points
from .escaping import finite

Spec = dict[str, Any]

CURVE_HEIGHT = 190
PLANE_HEIGHT = 330


def vega_spec(chart: Chart, description: str, marks: Sequence[Mark]) -> Spec:
    """Return a chart's spec; ``description`` is its accessible name, ``marks`` are its series'."""
    import altair as alt

    layers, height = _layers(chart)
    spec: Spec = alt.layer(*layers).properties(width="container", height=height).to_dict()
    # The page has its own configuration, and the file must not contain any URL.
    kept = {key: part for key, part in spec.items() if key not in ("$schema", "config")}
    drawn = [[mark.colour, mark.shape] for mark in marks]
    return kept | {"description": description, "usermeta": {"marks": drawn}}


def _layers(chart: Chart) -> tuple[list[Any], int]:
    """Return the layers of a spec and its height in pixels."""
    match chart:
        case Bands():
            return _bands(chart)
        case Points():
            return _points(chart)
        case Curves():
            return _curves(chart)


def _bands(chart: Bands) -> tuple[list[Any], int]:
    import altair as alt

    scale = alt.Scale(domain=list(chart.domain), nice=False)
    place: dict[str, Any] = {
        "y": alt.Y("row:N", sort=chart.bands, title=None, scale=alt.Scale(paddingInner=0.28))
    }
    if not chart.alone:
        place["yOffset"] = alt.YOffset(
            "model:N", sort=chart.present, scale=alt.Scale(domain=chart.present)
        )
    colour = _colour(chart.labels)
    style = "+.1f" if chart.intervals else ".3f"
    tips = [alt.Tooltip("row:N", title=" "), alt.Tooltip("model:N")]
    tips.append(alt.Tooltip("value:Q", title="value", format=style))
    if chart.intervals:
        tips += [alt.Tooltip(f"{k}:Q", title=t, format=style) for k, t in BOUNDS]
    rows = alt.Chart(alt.Data(values=finite(chart.rows)))
    x = alt.X("value:Q", title=chart.title, scale=scale)
    layers = [_zero(alt, x=alt.X("zero:Q", title=chart.title))]
    if chart.bars:
        layers.append(rows.mark_bar(style="bar").encode(x=x, color=colour, tooltip=tips, **place))
    if chart.intervals:
        layers.append(
            rows.mark_rule(style="whisker" if chart.bars else "interval").encode(
                x=alt.X("low:Q", title=chart.title, scale=scale),
                x2="high:Q",
                **place,
                **({} if chart.bars else {"color": colour}),
            )
        )
    if not chart.bars:
        shape = _shape(chart.labels)
        layers.append(
            rows.mark_point(style="dot").encode(
                x=x, color=colour, shape=shape, tooltip=tips, **place
            )
        )
    return layers, len(chart.bands) * chart.band_height


BOUNDS = (("low", "95 % interval from"), ("high", "95 % interval to"))


def _points(chart: Points) -> tuple[list[Any], int]:
    import altair as alt

    channels = {"x": alt.X, "y": alt.Y}
    axes: dict[str, Any] = {}
    style = "+.1f" if chart.intervals else "+.3~g"
    tips = [alt.Tooltip("label:N", title=" ")]
    if any(row["label"] != row["model"] for row in chart.rows):
        tips.append(alt.Tooltip("model:N", title="series"))
    for key, title in zip("xy", chart.titles, strict=True):
        scale = alt.Scale(domain=list(chart.domain(key)), nice=False)
        axes[key] = channels[key](f"{key}:Q", title=title, scale=scale)
        tips.append(alt.Tooltip(f"{key}:Q", title=title, format=style))
        if chart.intervals:
            # Vega shows only the first of two entries with the same title.
            short = re.split("[:,]", title)[0]
            tips += [
                alt.Tooltip(f"{key}_{k}:Q", title=f"{short}, {t}", format=style) for k, t in BOUNDS
            ]
    rows = alt.Chart(alt.Data(values=finite(chart.rows)))
    x_title, y_title = chart.titles
    colour = _colour(chart.labels)
    layers = [
        _zero(alt, x=alt.X("zero:Q", title=x_title)),
        _zero(alt, y=alt.Y("zero:Q", title=y_title)),
    ]
    if chart.origin:
        origin = alt.Chart(alt.Data(values=[{"zero": 0}]))
        text = origin.mark_text(style="note", text=chart.origin, dx=6, dy=11, align="left")
        layers.append(text.encode(x="zero:Q", y="zero:Q"))
    if chart.intervals:
        rule = rows.mark_rule(style="interval")
        x_low = alt.X("x_low:Q", title=x_title)
        y_low = alt.Y("y_low:Q", title=y_title)
        layers.append(rule.encode(x=x_low, x2="x_high:Q", y=axes["y"], color=colour))
        layers.append(rule.encode(x=axes["x"], y=y_low, y2="y_high:Q", color=colour))
    shape = _shape(chart.labels)
    dots = rows.mark_point(style="dot").encode(**axes, color=colour, shape=shape, tooltip=tips)
    layers.append(dots)
    if any(row.get("note") for row in chart.rows):
        beside = rows.mark_text(style="number", dx=7, dy=-7, align="left")
        layers.append(beside.encode(**axes, text="note:N"))
    return layers, PLANE_HEIGHT


def _curves(chart: Curves) -> tuple[list[Any], int]:
    import altair as alt

    x_title, y_title = chart.titles
    axis = alt.Axis(tickMinStep=1, format="d")
    base = alt.Chart(alt.Data(values=finite(chart.rows))).encode(
        x=alt.X("x:Q", title=x_title, scale=alt.Scale(nice=False), axis=axis),
        y=alt.Y("y:Q", title=y_title),
        color=_colour(chart.labels),
    )
    tips = [alt.Tooltip("model:N"), alt.Tooltip("x:Q", title=x_title.partition(" (")[0])]
    tips.append(alt.Tooltip("y:Q", title=y_title, format=".4~g"))
    dots = base.mark_point(style="small-dot").encode(shape=_shape(chart.labels), tooltip=tips)
    return [base.mark_line(style="curve"), dots], CURVE_HEIGHT


def _zero(alt: Any, **channel: Any) -> Any:
    line = alt.Chart(alt.Data(values=[{"zero": 0}])).mark_rule(style="zero")
    return line.encode(**channel)


def _colour(labels: Sequence[str]) -> Any:
    import altair as alt

    return alt.Color("model:N", scale=alt.Scale(domain=list(labels)), legend=None)


def _shape(labels: Sequence[str]) -> Any:
    import altair as alt

    return alt.Shape("model:N", scale=alt.Scale(domain=list(labels)), legend=None)
