"""How much a comparison's index depends on choices: weights, left-out benchmarks, specification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.index import Array, Layout
from ..core.robustness import (
    BelowChance,
    BenchmarkWeight,
    LeftOut,
    Specification,
    SpecificationCurve,
    below_chance,
    benchmark_weights,
    leave_one_out,
    specification_curve,
)
from ..core.suite import Suite


@dataclass(frozen=True, eq=False)
class Robustness:
    """One model's scores in ``layout``'s order (percent), and what hangs on which of them.

    ``below_base`` and ``below_tuned`` are benchmarks scored below chance: likely non-answers.
    """

    layout: Layout
    base_B: Array
    tuned_B: Array
    weights: tuple[BenchmarkWeight, ...]
    left_out: tuple[LeftOut, ...]
    below_base: tuple[BelowChance, ...]
    below_tuned: tuple[BelowChance, ...]

    def to_json(self) -> dict[str, Any]:
        """``robustness`` of a model in the ``compare`` command's JSON."""
        return {
            "weights": [row.to_json() for row in self.weights],
            "left_out": [row.to_json() for row in self.left_out],
            "below_chance": {
                "base": [row.to_json() for row in self.below_base],
                "tuned": [row.to_json() for row in self.below_tuned],
            },
        }


def robustness_of(
    layout: Layout,
    point: tuple[Array, Array],
    *,
    chances: Sequence[float | None],
    independent: Sequence[tuple[int | None, int | None]],
    sigma_G: Array | float,
) -> Robustness:
    """Point estimates only; ``point`` holds base and tuned scores (B,) in percent.

    ``chances`` (0..1) and numbers of ``independent`` units behind base and tuned score, where they
    are known, are in the layout's order.
    """
    # NaN, an unknown chance level, is never undercut.
    chance_B = np.array([np.nan if chance is None else 100.0 * chance for chance in chances])
    base_n, tuned_n = zip(*independent, strict=True)
    base_B, tuned_B = point
    return Robustness(
        layout=layout,
        base_B=base_B,
        tuned_B=tuned_B,
        weights=benchmark_weights(layout, base_B),
        left_out=leave_one_out(layout, base_B, tuned_B, sigma_G=sigma_G),
        below_base=below_chance(layout.benchmarks, base_B, chance_B, base_n),
        below_tuned=below_chance(layout.benchmarks, tuned_B, chance_B, tuned_n),
    )


def curve_of(
    found: Mapping[str, Robustness], suite: Suite, *, scale: str
) -> SpecificationCurve | None:
    """The specification curve over the models with most benchmarks; ``None`` without any.

    A model that lacks a benchmark would get another index, not another specification of it.
    """
    if not found:
        return None
    largest = max(found.values(), key=lambda one: len(one.layout.benchmarks)).layout
    alike = {m: one for m, one in found.items() if one.layout.benchmarks == largest.benchmarks}
    published = None
    if scale == "published":
        published = np.array([(suite.sigma or {})[group] for group in largest.groups])
    return specification_curve(
        list(alike),
        largest,
        np.stack([one.base_B for one in alike.values()]),
        np.stack([one.tuned_B for one in alike.values()]),
        default=Specification(scale=scale),
        published_G=published,
    )
