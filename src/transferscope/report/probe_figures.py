"""Charts of the probes: the paper's scatter of PCA shifts, bars by benchmark, position curves.

Every function takes results by label. Labels are models on a report, and groups of texts on a
probe's own page.
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
    """Plot every layer's shift on the two principal axes (Figure 3 of the paper)."""
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
        "Each mark is a layer. Its position shows how far the mean hidden state moved along the "
        "base's two principal axes in that layer; the base is at 0, 0."
    )
    titles = ("shift on the first axis", "shift on the second axis")
    return Figure("pca", "PCA shift, layer by layer", caption, Points(rows, labels, titles))


def frontier_scatter(
    points: Sequence[tuple[str, str, float, float]], labels: Sequence[str]
) -> Figure | None:
    """Plot retention against source gain for every run and checkpoint, coloured by arm.

    ``points`` are (name, arm, gain, retention), in points. The result is ``None`` if every arm has
    only one run, because the plane already shows these, with intervals.
    """
    rows = [
        {"label": name(run), "model": name(arm), "x": gain, "y": kept}
        for run, arm, gain, kept in points
    ]
    if len({arm for _, arm, _, _ in points}) == len(points):
        return None
    caption = (
        "Each mark is a run or a checkpoint; colour and shape show its arm. The base is at 0, 0. "
        "Compare arms at equal source gain: the higher mark forgot less."
    )
    titles = ("source gain, points", "retention, points")
    chart = Points(rows, labels, titles, origin="base")
    return Figure("frontier", "What each gain cost", caption, chart)


def kl_by_benchmark(tokens: Mapping[str, TokenShift]) -> dict[str, dict[str, float | None]]:
    """Return KL(tuned || base) in nats by model and benchmark."""
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
    """Plot a divergence, given in ``nats`` by label and benchmark, as one bar per label."""
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
    caption = "Averaged over the tokens of each response, then over responses."
    return Figure("token-benchmarks", title, caption, chart)


def position_curve(
    curve_of: Mapping[str, Sequence[CurvePoint]], labels: Sequence[str]
) -> Figure | None:
    """Plot the Jensen-Shannon divergence against the position in the response."""
    rows = [
        {"model": name(label), "x": point.first, "y": point.js}
        for label, curve in curve_of.items()
        for point in curve
    ]
    if not rows:
        return None
    titles = ("position in the response (from 0)", "Jensen–Shannon, nats")
    caption = (
        "Averaged over the positions 0, 1, 2–3, 4–7 and so on; each average is drawn at the first "
        "position of its range."
    )
    title = "Where in the response the models diverge"
    return Figure("token-positions", title, caption, Curves(rows, labels, titles))
