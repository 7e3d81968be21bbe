"""The charts of a comparison and of its probes: what each shows, under which title.

A model is told by colour and by shape. Above :data:`MANY` models no set of colours tells them
apart: models then get a line of their own with their name, and colour tells the verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .chart_data import TONES, Bands, Chart, Curves, Mark, Points, model_mark, span, tone_of
from .escaping import name
from .model_names import common_start, model_labels
from .static_svg import static_svg
from .vega_specs import Spec, vega_spec
from .words import group_name

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenPart
    from ..core.token_shift import TokenMeans
    from ..documents.comparison import Comparison, PlanePoint, TunedResult

MANY = 6
"""Tuned models above which colour tells verdicts, and what is said of each model is folded."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: its id on the page, its heading, what it shows in a sentence, and its data.

    ``marks`` are those of the chart's series, in their order; by default one for each place.
    """

    id: str
    title: str
    caption: str
    chart: Chart
    marks: tuple[Mark, ...] = ()

    @property
    def description(self) -> str:
        """The accessible name: title and caption."""
        return f"{self.title}: {self.caption}" if self.caption else self.title

    @property
    def spec(self) -> Spec:
        """The chart for Vega-Lite."""
        return vega_spec(self.chart, self.description, self._marks)

    @property
    def still(self) -> str:
        """The chart as static SVG."""
        return static_svg(self.chart, self.description, self._marks)

    @property
    def _marks(self) -> tuple[Mark, ...]:
        return self.marks or tuple(model_mark(at) for at in range(len(self.chart.labels)))


def plane(comparison: Comparison) -> Figure | None:
    """Source gain against retention, an interval each way."""
    many = len(comparison.tuned) > MANY
    rows: list[dict[str, Any]] = []
    for at, (label, result) in enumerate(_labelled(comparison), start=1):
        point, kept = result.plane.get(comparison.source), result.retention
        if point is None or kept is None:
            continue
        row: dict[str, Any] = {"model": tone_of(kept.standing) if many else label, "label": label}
        row |= {"x": point.gain, "x_low": point.ci[0], "x_high": point.ci[1]}
        row |= {"y": kept.gain, "y_low": kept.ci[0], "y_high": kept.ci[1]}
        rows.append(row | ({"note": str(at)} if many else {}))
    if not rows:
        return None
    titles = (f"source gain: {group_name(comparison.source)}, points", "retention, points")
    labels = list(TONES) if many else _all_labels(comparison)
    chart = Points(rows, labels, titles, intervals=True, origin="base")
    caption = "Each cross is a model with its 95 % intervals; the base is at 0, 0."
    if many:
        caption += " Numbers are those of the table of verdicts; colour tells the retention."
    marks = tuple(TONES.values()) if many else ()
    return Figure("plane", "Source gain against retention", caption, chart, marks)


def group_bars(comparison: Comparison) -> list[Figure]:
    """Mean change of every group with its interval; a chart per group above :data:`MANY`."""
    if len(comparison.tuned) > MANY:
        return [_forest(comparison, group) for group in comparison.groups]
    rows = [
        _change(group_name(group), label, point)
        for label, result in _labelled(comparison)
        for group, point in result.plane.items()
    ]
    order = [group_name(g) for g in comparison.groups]
    chart = Bands(rows, order, _all_labels(comparison), "mean change, points", bars=True)
    caption = "Bars are the mean change over a group's benchmarks; lines are 95 % intervals."
    return [Figure("groups", "Mean change of each group", caption, chart)]


def _forest(comparison: Comparison, group: str) -> Figure:
    """One group's mean change, a line per model in their order; all groups share an axis."""
    labels = _all_labels(comparison)
    start = common_start(labels)
    order = [f"{at} {label[len(start) :]}" for at, label in enumerate(labels, start=1)]
    rows = [
        _change(row, tone_of(result.plane[group].standing), result.plane[group])
        for row, result in zip(order, comparison.tuned, strict=True)
        if group in result.plane
    ]
    every = [bound for t in comparison.tuned for p in t.plane.values() for bound in p.ci]
    chart = Bands(rows, order, list(TONES), "mean change, points", span=span(every))
    at = list(comparison.groups).index(group)
    title = f"Mean change: {group_name(group)}"
    return Figure(f"groups-{at}", title, "", chart, tuple(TONES.values()))


def _change(row: str, series: str, point: PlanePoint) -> dict[str, Any]:
    low, high = point.ci
    return {"row": row, "model": series, "value": point.gain, "low": low, "high": high}


def benchmark_deltas(comparison: Comparison) -> list[Figure]:
    """One chart per group: every benchmark's change with its interval, on one common axis.

    None above :data:`MANY` models: a table shows these (:func:`.overview.change_matrix`).
    """
    if len(comparison.tuned) > MANY:
        return []
    every = [row for _, result in _labelled(comparison) for row in result.benchmarks]
    axis = span([bound for row in every for bound in row.ci])
    figures = []
    for at, (group, members) in enumerate(comparison.groups.items()):
        rows = [
            {
                "row": name(row.benchmark),
                "model": label,
                "value": row.delta,
                "low": row.ci[0],
                "high": row.ci[1],
            }
            for label, result in _labelled(comparison)
            for row in result.benchmarks
            if row.group == group
        ]
        if not rows:
            continue
        order = [name(m) for m in members]
        chart = Bands(rows, order, _all_labels(comparison), "change, points", span=axis)
        figures.append(Figure(f"deltas-{at}", group_name(group).capitalize(), "", chart))
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
    chart = Curves(rows, labels, ("layer (0 is the embedding)", "PCA shift of the layer"))
    caption = (
        "How far the mean of the texts' features moved along the base's two principal axes of that "
        "layer; what moved across them is not in it."
    )
    return Figure("layers", "PCA shift by layer", caption, chart)


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
    chart = Bands(rows, order, labels, "nats per token", bars=True, intervals=False)
    caption = "Means over texts of means over response tokens; 0 is the base model's own choice."
    return Figure("tokens", "How far the next-token probabilities moved", caption, chart)


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
        chart = Curves(rows, labels, ("step", title))
        figures.append(Figure(f"training-{key}", title.capitalize(), caption, chart))
    return figures


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labelled(comparison: Comparison) -> list[tuple[str, TunedResult]]:
    return list(zip(_all_labels(comparison), comparison.tuned, strict=True))


def _all_labels(comparison: Comparison) -> list[str]:
    return model_labels([t.model for t in comparison.tuned])
