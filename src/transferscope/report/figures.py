"""Charts as Vega-Lite specs: plain dicts with their data inside, sized by their container.

Colours, fonts and the look of rules come from the page (``static/page.js`` reads them from the
style sheet), so one spec serves light and dark. A model is told by colour and by shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .escaping import finite, name
from .words import group_name

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenPart
    from ..core.token_shift import TokenMeans
    from ..documents.comparison import Comparison, TunedResult

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

ROW_STEP = 15
"""Pixels of one model's line in a chart of rows."""
CURVE_HEIGHT = 190


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: its id on the page, its heading, what it shows in a sentence, and its spec."""

    id: str
    title: str
    caption: str
    spec: Spec


def model_labels(models: Sequence[str]) -> list[str]:
    """One label a model, in order; a repeated name gets its number."""
    shown = [name(m) for m in models]
    return [
        f"{label} #{shown[: at + 1].count(label)}" if label in shown[:at] else label
        for at, label in enumerate(shown)
    ]


def plane(comparison: Comparison) -> Figure | None:
    """Source gain against retention, an interval each way."""
    import altair as alt

    labels = model_labels([t.model for t in comparison.tuned])
    rows: list[dict[str, Any]] = []
    for label, result in zip(labels, comparison.tuned, strict=True):
        point, kept = result.plane.get(comparison.source), result.retention
        if point is None or kept is None:
            continue
        rows.append(
            {
                "model": label,
                "gain": point.gain,
                "gain_low": point.ci[0],
                "gain_high": point.ci[1],
                "retention": kept.gain,
                "retention_low": kept.ci[0],
                "retention_high": kept.ci[1],
            }
        )
    if not rows:
        return None
    x_span = _span([r[k] for r in rows for k in ("gain_low", "gain_high")])
    y_span = _span([r[k] for r in rows for k in ("retention_low", "retention_high")])
    x_title = f"source gain: {group_name(comparison.source)}, points"
    x = alt.X("gain:Q", title=x_title, scale=alt.Scale(domain=x_span, nice=False))
    y_title = "retention: the other groups, points"
    y = alt.Y("retention:Q", title=y_title, scale=alt.Scale(domain=y_span, nice=False))
    tips = [
        alt.Tooltip("model:N"),
        alt.Tooltip("gain:Q", title="source gain", format="+.1f"),
        alt.Tooltip("gain_low:Q", title="from", format="+.1f"),
        alt.Tooltip("gain_high:Q", title="to", format="+.1f"),
        alt.Tooltip("retention:Q", title="retention", format="+.1f"),
        alt.Tooltip("retention_low:Q", title="from", format="+.1f"),
        alt.Tooltip("retention_high:Q", title="to", format="+.1f"),
    ]
    chart = alt.Chart(alt.Data(values=finite(rows)))
    zero = alt.Chart(alt.Data(values=[{"zero": 0}]))
    colour = _colour(labels)
    layers = [
        zero.mark_rule(style="zero").encode(x=alt.X("zero:Q", title=x_title)),
        zero.mark_rule(style="zero").encode(y=alt.Y("zero:Q", title=y_title)),
        zero.mark_text(style="note", text="base", dx=6, dy=11, align="left").encode(
            x="zero:Q", y="zero:Q"
        ),
        chart.mark_rule(style="interval").encode(
            x=alt.X("gain_low:Q", title=x_title), x2="gain_high:Q", y=y, color=colour
        ),
        chart.mark_rule(style="interval").encode(
            x=x, y=alt.Y("retention_low:Q", title=y_title), y2="retention_high:Q", color=colour
        ),
        chart.mark_point(style="dot").encode(
            x=x, y=y, color=colour, shape=_shape(labels), tooltip=tips
        ),
    ]
    caption = "Each cross is a model with its 95 % intervals; the base stands at the origin."
    return Figure("plane", "Source gain against retention", caption, _finish(layers, height=330))


def group_bars(comparison: Comparison) -> Figure:
    """Mean change of every group, with its interval."""
    rows = [
        {
            "row": group_name(group),
            "model": label,
            "value": point.gain,
            "low": point.ci[0],
            "high": point.ci[1],
        }
        for label, result in _labelled(comparison)
        for group, point in result.plane.items()
    ]
    order = [group_name(g) for g in comparison.groups]
    spec = _rows_chart(rows, order, _all_labels(comparison), "mean change, points", bars=True)
    return Figure(
        "groups",
        "Mean change of each group",
        "Bars are the mean change over a group's benchmarks; lines are 95 % intervals.",
        spec,
    )


def benchmark_deltas(comparison: Comparison) -> list[Figure]:
    """One chart per group: every benchmark's change with its interval, on one common axis."""
    every = [row for _, result in _labelled(comparison) for row in result.benchmarks]
    span = _span([bound for row in every for bound in row.ci])
    figures = []
    for at, (group, members) in enumerate(comparison.groups.items()):
        rows = [
            {
                "row": name(row.benchmark),
                "model": label,
                "value": row.delta,
                "low": row.ci[0],
                "high": row.ci[1],
                "n": row.n,
            }
            for label, result in _labelled(comparison)
            for row in result.benchmarks
            if row.group == group
        ]
        if not rows:
            continue
        order = [name(m) for m in members]
        spec = _rows_chart(rows, order, _all_labels(comparison), "change, points", span=span)
        figures.append(Figure(f"deltas-{at}", group_name(group).capitalize(), "", spec))
    return figures


def layer_profile(hidden: Mapping[str, HiddenPart], labels: Sequence[str]) -> Figure | None:
    """Length of every layer's PCA shift; a layer in which the base has no axis is left out."""
    rows = [
        {
            "model": name(model),
            "x": layer.layer,
            "y": math.hypot(layer.dm1, layer.dm2),
        }
        for model, shift in hidden.items()
        for layer in shift.layers
        if layer.dm1 is not None and layer.dm2 is not None
    ]
    if not rows:
        return None
    spec = curves(rows, labels, "layer (0 is the embedding)", "PCA shift of the layer")
    caption = (
        "How far the mean of the texts' features moved along the base's two principal axes of that "
        "layer; what moved across them is not in it."
    )
    return Figure("layers", "PCA shift by layer", caption, spec)


TOKEN_MEASURES = {
    "kl_tuned_base": "KL(tuned ‖ base)",
    "kl_base_tuned": "KL(base ‖ tuned)",
    "js": "Jensen–Shannon",
}
"""Divergences of a token probe that are drawn, in nats."""


def token_bars(tokens: Mapping[str, TokenMeans], labels: Sequence[str]) -> Figure | None:
    """KL both ways and JS of every model."""
    rows = [
        {"row": title, "model": name(model), "value": found}
        for model, shift in tokens.items()
        for key, title in TOKEN_MEASURES.items()
        if (found := getattr(shift, key)) is not None
    ]
    if not rows:
        return None
    order = list(TOKEN_MEASURES.values())
    spec = _rows_chart(rows, order, labels, "nats per token", bars=True, intervals=False)
    caption = "Means over texts of means over response tokens; 0 is the base model's own choice."
    return Figure("tokens", "How far the next-token probabilities moved", caption, spec)


CURVES = {
    "reward": "mean reward",
    "loss": "loss",
    "grad_norm": "gradient norm",
    "length": "answer length, tokens",
}
"""Columns of ``steps.jsonl`` that are drawn."""


def training_curves(
    training: Mapping[str, Sequence[Mapping[str, Any]]], labels: Sequence[str]
) -> list[Figure]:
    """One chart per logged quantity; models that did not log it are absent from it."""
    figures = []
    for key, title in CURVES.items():
        rows = [
            {"model": name(model), "x": step["step"], "y": step[key]}
            for model, steps in training.items()
            for step in steps
            if _is_number(step.get(key)) and _is_number(step.get("step"))
        ]
        if not rows:
            continue
        caption = "Losses of different methods are not on one scale." if key == "loss" else ""
        spec = curves(rows, labels, "step", title)
        figures.append(Figure(f"training-{key}", title.capitalize(), caption, spec))
    return figures


def bars(rows: Rows, order: Sequence[str], labels: Sequence[str], title: str) -> Spec:
    """Bars without intervals: rows of ``row``, ``model`` and ``value``."""
    return _rows_chart(rows, order, labels, title, bars=True, intervals=False)


def scatter(
    id_: str, title: str, caption: str, rows: Rows, labels: Sequence[str], *, titles: Sequence[str]
) -> Figure:
    """Points ``x``, ``y`` named ``label``, coloured by ``model``; axes ``titles``, x first."""
    import altair as alt

    axes = [
        channel(f"{key}:Q", title=text, scale=alt.Scale(domain=_span([r[key] for r in rows])))
        for channel, key, text in zip((alt.X, alt.Y), "xy", titles, strict=True)
    ]
    tips = [alt.Tooltip("label:N", title=" "), alt.Tooltip("model:N", title="method")]
    tips += [
        alt.Tooltip(f"{key}:Q", title=text, format="+.3~g")
        for key, text in zip("xy", titles, strict=True)
    ]
    layers = [
        alt.Chart(alt.Data(values=[{"zero": 0}]))
        .mark_rule(style="zero")
        .encode(y=alt.Y("zero:Q", title=titles[1])),
        alt.Chart(alt.Data(values=finite(rows)))
        .mark_point(style="dot")
        .encode(x=axes[0], y=axes[1], color=_colour(labels), shape=_shape(labels), tooltip=tips),
    ]
    return Figure(id_, title, caption, _finish(layers, height=330))


def _rows_chart(
    rows: Rows,
    order: Sequence[str],
    labels: Sequence[str],
    title: str,
    *,
    span: list[float] | None = None,
    bars: bool = False,
    intervals: bool = True,
) -> Spec:
    """One band per ``row`` value, one line per model inside it."""
    import altair as alt

    if span is None:
        keys = ("low", "high") if intervals else ("value",)
        span = _span([r[k] for r in rows for k in keys], tight_zero=not intervals)
    present = [label for label in labels if any(r["model"] == label for r in rows)]
    found = [r["row"] for r in rows]
    shown = [entry for entry in dict.fromkeys([*order, *found]) if entry in found]
    scale = alt.Scale(domain=span, nice=False)
    y = alt.Y("row:N", sort=shown, title=None, scale=alt.Scale(paddingInner=0.28))
    offset = alt.YOffset("model:N", sort=present, scale=alt.Scale(domain=present))
    colour = _colour(labels)
    tips = [alt.Tooltip("row:N", title=" "), alt.Tooltip("model:N")]
    tips.append(alt.Tooltip("value:Q", title="value", format="+.1f" if intervals else ".3f"))
    if intervals:
        tips += [
            alt.Tooltip("low:Q", title="from", format="+.1f"),
            alt.Tooltip("high:Q", title="to", format="+.1f"),
        ]
    chart = alt.Chart(alt.Data(values=finite(rows)))
    x = alt.X("value:Q", title=title, scale=scale)
    layers = [
        alt.Chart(alt.Data(values=[{"zero": 0}]))
        .mark_rule(style="zero")
        .encode(x=alt.X("zero:Q", title=title))
    ]
    if bars:
        layers.append(
            chart.mark_bar(style="bar").encode(x=x, y=y, yOffset=offset, color=colour, tooltip=tips)
        )
    if intervals:
        layers.append(
            chart.mark_rule(style="whisker" if bars else "interval").encode(
                x=alt.X("low:Q", title=title, scale=scale),
                x2="high:Q",
                y=y,
                yOffset=offset,
                **({} if bars else {"color": colour}),
            )
        )
    if not bars:
        layers.append(
            chart.mark_point(style="dot").encode(
                x=x, y=y, yOffset=offset, color=colour, shape=_shape(labels), tooltip=tips
            )
        )
    line = ROW_STEP + 3 * bars
    return _finish(layers, height=len(shown) * (len(present) * line + 10))


def curves(rows: Rows, labels: Sequence[str], x_title: str, y_title: str) -> Spec:
    """Lines through rows of ``model``, ``x`` (a whole number) and ``y``."""
    import altair as alt

    base = alt.Chart(alt.Data(values=finite(rows))).encode(
        x=alt.X(
            "x:Q",
            title=x_title,
            scale=alt.Scale(nice=False),
            axis=alt.Axis(tickMinStep=1, format="d"),
        ),
        y=alt.Y("y:Q", title=y_title),
        color=_colour(labels),
    )
    tips = [alt.Tooltip("model:N"), alt.Tooltip("x:Q", title=x_title.partition(" (")[0])]
    tips.append(alt.Tooltip("y:Q", title=y_title, format=".4~g"))
    layers = [
        base.mark_line(style="curve"),
        base.mark_point(style="small-dot").encode(shape=_shape(labels), tooltip=tips),
    ]
    return _finish(layers, height=CURVE_HEIGHT)


def _finish(layers: Sequence[Any], *, height: int) -> Spec:
    """The layers as one spec that fills its container's width."""
    import altair as alt

    spec: Spec = alt.layer(*layers).properties(width="container", height=height).to_dict()
    # The page brings its own configuration, and nothing here may name an address.
    return {key: part for key, part in spec.items() if key not in ("$schema", "config")}


def _colour(labels: Sequence[str]) -> Any:
    import altair as alt

    return alt.Color("model:N", scale=alt.Scale(domain=list(labels)), legend=None)


def _shape(labels: Sequence[str]) -> Any:
    import altair as alt

    return alt.Shape("model:N", scale=alt.Scale(domain=list(labels)), legend=None)


def _span(values: Sequence[float], *, tight_zero: bool = False) -> list[float]:
    """Axis from the smallest to the largest value, 0 included, with a little air."""
    known = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(0.0, *known), max(0.0, *known)
    air = 0.06 * (high - low) or 1.0
    return [low if tight_zero and low == 0 else low - air, high + air]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labelled(comparison: Comparison) -> list[tuple[str, TunedResult]]:
    return list(zip(_all_labels(comparison), comparison.tuned, strict=True))


def _all_labels(comparison: Comparison) -> list[str]:
    return model_labels([t.model for t in comparison.tuned])
