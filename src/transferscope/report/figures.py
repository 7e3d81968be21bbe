"""The charts of a comparison and of its probes, with titles, captions and data.

Colour and shape identify a model. No set of colours can distinguish more than :data:`MANY` models:
above that, each model gets its own labelled row, and colour shows the verdict.
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
"""Above this number of tuned models, colour shows the verdict and details per model are folded."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: its id on the page, its heading, a caption of a sentence or two, and its data.

    ``marks`` are the marks of the chart's series, in order; the default is one per position.
    """

    id: str
    title: str
    caption: str
    chart: Chart
    marks: tuple[Mark, ...] = ()

    @property
    def description(self) -> str:
        """The accessible name: the title, followed by the caption if there is one."""
        return f"{self.title}: {self.caption}" if self.caption else self.title

    @property
    def spec(self) -> Spec:
        """The chart as a Vega-Lite spec."""
        return vega_spec(self.chart, self.description, self._marks)

    @property
    def still(self) -> str:
        """The chart as static SVG."""
        return static_svg(self.chart, self.description, self._marks)

    @property
    def _marks(self) -> tuple[Mark, ...]:
        return self.marks or tuple(model_mark(at) for at in range(len(self.chart.labels)))


def plane(comparison: Comparison) -> Figure | None:
    """Plot retention against source gain, with both intervals; ``None`` if no model has both."""
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
    caption = (
        "Each mark is a tuned model; the lines through it are its 95 % intervals. "
        "The base model is at 0, 0."
    )
    if many:
        caption += (
            " Models are numbered as in the table of verdicts; "
            "colour and shape show the verdict on retention."
        )
    marks = tuple(TONES.values()) if many else ()
    return Figure("plane", "Source gain against retention", caption, chart, marks)


def group_bars(comparison: Comparison) -> list[Figure]:
    """Plot every group's mean change with its interval; above :data:`MANY`, one chart per group."""
    if len(comparison.tuned) > MANY:
        return [_forest(comparison, group) for group in comparison.groups]
    rows = [
        _change(group_name(group), label, point)
        for label, result in _labelled(comparison)
        for group, point in result.plane.items()
    ]
    order = [group_name(g) for g in comparison.groups]
    chart = Bands(rows, order, _all_labels(comparison), "mean change, points", bars=True)
    caption = "Bars are mean changes over a group's benchmarks; lines are 95 % intervals."
    return [Figure("groups", "Mean change of each group", caption, chart)]


def _forest(comparison: Comparison, group: str) -> Figure:
    """One group's mean change, one row per model; the charts of all groups share an axis."""
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
    """Plot every benchmark's change with its interval: one chart per group, on a common axis.

    The list is empty above :data:`MANY` models; a table shows the changes then
    (:func:`.overview.change_matrix`).
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
    """Plot the length of every layer's PCA shift, without layers in which the base has no axis."""
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
        "The distance that the mean hidden state of the texts moved along the base's two principal "
        "axes in that layer; movement perpendicular to these axes is not included."
    )
    return Figure("layers", "PCA shift by layer", caption, chart)


TOKEN_MEASURES = {
    "kl_tuned_base": "KL(tuned ‖ base)",
    "kl_base_tuned": "KL(base ‖ tuned)",
    "js": "Jensen–Shannon",
}
"""The divergences of a token probe that the chart shows, in nats."""


def token_bars(tokens: Mapping[str, TokenMeans], labels: Sequence[str]) -> Figure | None:
    """Plot KL in both directions and JS for every model, in nats per token."""
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
    caption = (
        "Averaged over the tokens of each response, then over responses; 0 means that the tuned "
        "model's probabilities equal the base's."
    )
    return Figure("tokens", "How far the next-token probabilities moved", caption, chart)


CURVES = {
    "reward": "mean reward",
    "loss": "loss",
    "grad_norm": "gradient norm",
    "length": "answer length, tokens",
}
"""The columns of ``steps.jsonl`` that are plotted."""


def training_curves(
    training: Mapping[str, Sequence[Mapping[str, Any]]], labels: Sequence[str]
) -> list[Figure]:
    """Plot every logged quantity in its own chart, without the models that did not log it."""
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
        caption = "Losses of different methods can't be compared." if key == "loss" else ""
        chart = Curves(rows, labels, ("step", title))
        figures.append(Figure(f"training-{key}", title.capitalize(), caption, chart))
    return figures


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _labelled(comparison: Comparison) -> list[tuple[str, TunedResult]]:
    return list(zip(_all_labels(comparison), comparison.tuned, strict=True))


def _all_labels(comparison: Comparison) -> list[str]:
    return model_labels([t.model for t in comparison.tuned])
