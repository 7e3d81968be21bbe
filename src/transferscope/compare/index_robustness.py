"""How much an index depends on its weights, on single benchmarks and on its specification."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.index import Array, Layout
from ..core.robustness import (
    Specification,
    SpecificationCurve,
    below_chance,
    benchmark_weights,
    leave_one_out,
    specification_curve,
)
from ..core.suite import Suite
from ..documents.comparison import BelowChanceOf, Robustness, TunedResult


def robustness_of(
    layout: Layout,
    point: tuple[Array, Array],
    *,
    chances: Sequence[float | None],
    independent: Sequence[tuple[int | None, int | None]],
    sigma_G: Array | float,
) -> Robustness:
    """Robustness of one model's index, as point estimates.

    ``point`` holds base and tuned scores (B,) in percent. ``chances`` (0..1) and the numbers of
    ``independent`` units behind the base and tuned score, where known, are in the layout's order.
    """
    # No score is below NaN, an unknown chance level.
    chance_B = np.array([np.nan if chance is None else 100.0 * chance for chance in chances])
    base_n, tuned_n = zip(*independent, strict=True)
    base_B, tuned_B = point
    return Robustness(
        weights=benchmark_weights(layout, base_B),
        left_out=leave_one_out(layout, base_B, tuned_B, sigma_G=sigma_G),
        below_chance=BelowChanceOf(
            base=below_chance(layout.benchmarks, base_B, chance_B, base_n),
            tuned=below_chance(layout.benchmarks, tuned_B, chance_B, tuned_n),
        ),
    )


def curve_of(
    results: Sequence[TunedResult], suite: Suite, *, scale: str
) -> SpecificationCurve | None:
    """The specification curve over the models with the most benchmarks; ``None`` without any.

    A model that lacks a benchmark is left out: its index is a different one, not another
    specification of the same index.
    """
    indexed = [result for result in results if result.robustness is not None]
    if not indexed:
        return None
    count = max(len(result.benchmarks) for result in indexed)
    first = next(result for result in indexed if len(result.benchmarks) == count)
    layout = _layout(first, suite)
    alike = [r for r in indexed if _layout(r, suite).benchmarks == layout.benchmarks]
    rows = [{row.benchmark: row for row in result.benchmarks} for result in alike]
    published = None
    if scale == "published":
        published = np.array([(suite.sigma or {})[group] for group in layout.groups])
    return specification_curve(
        [result.model for result in alike],
        layout,
        np.array([[found[b].base for b in layout.benchmarks] for found in rows]),
        np.array([[found[b].tuned for b in layout.benchmarks] for found in rows]),
        default=Specification(scale=scale),
        published_G=published,
    )


def _layout(result: TunedResult, suite: Suite) -> Layout:
    """The groups of the suite in which the model has benchmarks."""
    have = {row.benchmark for row in result.benchmarks}
    groups = {g: [b for b in members if b in have] for g, members in suite.groups.items()}
    return Layout.of({g: members for g, members in groups.items() if members}, suite.source)
