"""Charts of the probes: the paper's scatter of PCA shifts, bars by benchmark, position curves.

Every function takes probes' results by label: models on a study's page, groups on a probe's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .chart_data import Bands, Curves, Points
from .escaping import name
from .figures import Figure

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenPart
    from ..core.token_shift import CurvePoint, TokenShift


def pca_scatter(hidden: Mapping[str, HiddenPart], labels: Sequence[str]) -> Figure | None:
    """Every layer's shift on the two axes (the paper's Figure 3)."""
    rows = [
        {
            "model": name(label),
            "label": f"layer {layer.layer}",
            "x": layer.dm1,
            "y": layer.dm2,
        }
        for label, shift in hidden.items()
        for layer in shift.layers
        if layer.dm1 is not None
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


def kl_by_benchmark(tokens: Mapping[str, TokenShift]) -> dict[str, dict[str, float | None]]:
    """KL(tuned || base) of every model and benchmark."""
    return {
        label: {benchmark: part.kl_tuned_base for benchmark, part in shift.benchmarks.items()}
        for label, shift in tokens.items()
    }


def benchmark_bars(
    nats: Mapping[str, Mapping[str, float | None]],
    labels: Sequence[str],
    *,
    title: str = "KL(tuned ‖ base) by benchmark",
) -> Figure | None:
    """A divergence of every benchmark, in ``nats`` by label: a bar per label."""
    rows = [
        {"row": name(benchmark), "model": name(label), "value": found}
        for label, parts in nats.items()
        for benchmark, found in parts.items()
        if found is not None
    ]
    if not rows:
        return None
    order = list(dict.fromkeys(name(benchmark) for parts in nats.values() for benchmark in parts))
    chart = Bands(rows, order, labels, "nats per token", bars=True, intervals=False)
    caption = "Means over texts of means over response tokens."
    return Figure("token-benchmarks", title, caption, chart)


def position_curve(
    curve_of: Mapping[str, Sequence[CurvePoint]], labels: Sequence[str]
) -> Figure | None:
    """Jensen-Shannon divergence against the place in the response."""
    rows = [
        {"model": name(label), "x": point.first, "y": point.js}
        for label, curve in curve_of.items()
        for point in curve
    ]
    if not rows:
        return None
    titles = ("position in the response (from 0)", "Jensen–Shannon, nats")
    caption = "Means over the positions 0, 1, 2–3, 4–7 and so on, drawn at the first of them."
    title = "Where in the response the models part"
    return Figure("token-positions", title, caption, Curves(rows, labels, titles))
