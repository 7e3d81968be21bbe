"""Robustness checks of the published cohort: weights, specifications, non-answers, bases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

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
from ..core.suite import load_suite
from ..core.typed_record import plain
from .cohort import PublishedModel, published_models, published_table, recompute
from .faults import FaultyColumn, faulty_columns

INSTRUCT = "Instruct"
"""Marks a base's name: it was tuned to follow instructions before it was tuned on maths."""


@dataclass(frozen=True, slots=True)
class CohortChecks:
    """Point estimates by model. The paper publishes no answers, so nothing here has an interval.

    ``plane`` is (source gain, retention) in points. ``instruct_bases`` gives, per method, the
    number of models that start from an instruct model and the total. ``same_base`` lists the bases
    from which the cohort has both an SFT and an RL model; only on these can methods be contrasted.
    ``faulty_columns`` are the benchmarks that the released code is known to grade wrongly.
    """

    plane: Mapping[str, tuple[float, float]]
    weights: Mapping[str, tuple[BenchmarkWeight, ...]]
    left_out: Mapping[str, tuple[LeftOut, ...]]
    curve: SpecificationCurve
    non_answers: Mapping[str, tuple[BelowChance, ...]]
    instruct_bases: Mapping[str, tuple[int, int]]
    same_base: Mapping[str, tuple[PublishedModel, ...]]
    faulty_columns: tuple[FaultyColumn, ...]

    def to_json(self) -> dict[str, Any]:
        """Return ``checks`` in the JSON of ``transferscope published``."""
        return {
            "plane": {m: {"gain": g, "retention": r} for m, (g, r) in self.plane.items()},
            "weights": plain(self.weights),
            "left_out": plain(self.left_out),
            "specifications": plain(self.curve),
            "non_answers": plain({m: rows for m, rows in self.non_answers.items() if rows}),
            "instruct_bases": {
                method: {"instruct": some, "of": every}
                for method, (some, every) in self.instruct_bases.items()
            },
            "same_base": {b: [m.name for m in found] for b, found in self.same_base.items()},
            "faulty_columns": plain(self.faulty_columns),
        }


def weight_share(weights: tuple[BenchmarkWeight, ...], *benchmarks: str) -> float:
    """Return the combined share of ``benchmarks`` in their group's weight, in percent."""
    return sum(row.weight for row in weights if row.benchmark in benchmarks)


@cache
def cohort_checks() -> CohortChecks:
    """Compute all checks from the packaged tables."""
    suite, table, cohort = load_suite("paper"), published_table(), recompute()
    layout, models = table.layout, [model for model, _ in cohort.rows]
    names = [model.name for model in models]
    base_MB = np.stack([table.row(model.base) for model in models])
    tuned_MB = np.stack([table.row(name) for name in names])
    sigma_G = np.array([cohort.sigma[group] for group in layout.groups])
    # An unknown chance level counts as 0: no score lies below it.
    chance_B = np.array([100.0 * (suite.benchmarks[b].chance or 0.0) for b in layout.benchmarks])
    return CohortChecks(
        plane=cohort_plane(),
        weights={
            name: benchmark_weights(layout, base_B)
            for name, base_B in zip(names, base_MB, strict=True)
        },
        left_out={
            name: leave_one_out(layout, base_B, tuned_B, sigma_G=sigma_G)
            for name, base_B, tuned_B in zip(names, base_MB, tuned_MB, strict=True)
        },
        curve=specification_curve(
            names, layout, base_MB, tuned_MB, default=Specification(scale="cohort")
        ),
        non_answers={
            name: below_chance(layout.benchmarks, tuned_B, chance_B)
            for name, tuned_B in zip(names, tuned_MB, strict=True)
        },
        instruct_bases=_instruct_bases(models),
        same_base=_same_base(models),
        faulty_columns=faulty_columns(),
    )


def cohort_plane() -> dict[str, tuple[float, float]]:
    """Return (source gain, retention) in points for every published tuned model."""
    source = load_suite("paper").source
    return {
        model.name: (
            result.gain[source],
            float(np.mean([gain for g, gain in result.gain.items() if g != source])),
        )
        for model, result in recompute().rows
    }


def _instruct_bases(models: list[PublishedModel]) -> dict[str, tuple[int, int]]:
    """Count, per method, the models tuned from an instruct base, and all models."""
    found = {}
    for method in dict.fromkeys(model.method for model in models):
        own = [model for model in models if model.method == method]
        found[method] = (sum(INSTRUCT in model.base for model in own), len(own))
    return found


def _same_base(models: list[PublishedModel]) -> dict[str, tuple[PublishedModel, ...]]:
    """Return the models of every base that was tuned by more than one method."""
    methods: dict[str, set[str]] = {}
    for model in published_models():
        methods.setdefault(model.base, set()).add(model.method)
    both = [base for base, found in methods.items() if len(found) > 1]
    return {base: tuple(m for m in models if m.base == base) for base in both}
