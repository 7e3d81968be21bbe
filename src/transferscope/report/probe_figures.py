"""Charts of the probes: the paper's scatter of PCA shifts, bars by benchmark, position curves.

Every function takes probes' JSON by label: models on a study's page, groups on a probe's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .chart_data import Bands, Curves, Points
from .escaping import name
from .figures import Figure

Documents = Mapping[str, Mapping[str, Any]]


def pca_scatter(hidden: Documents, labels: Sequence[str]) -> Figure | None:
    """Every layer's shift on the two axes (the paper's Figure 3)."""
    rows = [
        {
            "model": name(label),
            "label": f"layer {layer['layer']}",
            "x": layer["dm1"],
            "y": layer["dm2"],
        }
        for label, shift in hidden.items()
        for layer in shift.get("layers", ())
        if layer["dm1"] is not None
    ]
    if not rows:
        return None
    caption = (
        "A dot is a layer: where its mean moved on the base's two principal axes. The base is "
        "at 0, 0; the later layers have the larger numbers."
    )
    titles = ("shift on the first axis", "shift on the second axis")
    return Figure("pca", "PCA shift, layer by layer", caption, Points(rows, labels, titles))


def frontier_scatter(
    points: Sequence[tuple[str, str, float, float]], labels: Sequence[str]
) -> Figure | None:
    """Source gain against retention of every run and checkpoint: (name, arm, gain, retention).

    ``None`` where every arm has one run: the plane shows these, with their intervals.
    """
    rows = [
        {"label": name(run), "model": name(arm), "x": gain, "y": kept}
        for run, arm, gain, kept in points
    ]
    if len({arm for _, arm, _, _ in points}) == len(points):
        return None
    caption = (
        "A dot is a run or a checkpoint, coloured by its arm; the base is at 0, 0. Arms are "
        "compared at equal gain: of two dots at one place left to right, the higher kept more."
    )
    titles = ("source gain, points", "retention, points")
    chart = Points(rows, labels, titles, origin="base")
    return Figure("frontier", "What each gain cost", caption, chart)


def benchmark_bars(
    tokens: Documents, labels: Sequence[str], *, title: str = "KL(tuned ‖ base) by benchmark"
) -> Figure | None:
    """KL(tuned || base) of every benchmark, a bar per model."""
    rows = [
        {"row": name(benchmark), "model": name(label), "value": part["kl_tuned_base"]}
        for label, shift in tokens.items()
        for benchmark, part in (shift.get("benchmarks") or {}).items()
        if part["kl_tuned_base"] is not None
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(row["row"] for row in rows))
    chart = Bands(rows, order, labels, "nats per token", bars=True, intervals=False)
    caption = "Means over texts of means over response tokens."
    return Figure("token-benchmarks", title, caption, chart)


def position_curve(tokens: Documents, labels: Sequence[str]) -> Figure | None:
    """Jensen-Shannon divergence against the place in the response."""
    rows = [
        {"model": name(label), "x": point["first"], "y": point["js"]}
        for label, shift in tokens.items()
        for point in shift.get("curve") or ()
    ]
    if not rows:
        return None
    titles = ("position in the response (from 0)", "Jensen–Shannon, nats")
    caption = "Means over the positions 0, 1, 2–3, 4–7 and so on, drawn at the first of them."
    title = "Where in the response the models part"
    return Figure("token-positions", title, caption, Curves(rows, labels, titles))
