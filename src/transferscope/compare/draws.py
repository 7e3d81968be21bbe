"""Replicates and tests of every benchmark: what all intervals of a comparison come from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.forgetting import Transitions, transition_rates, with_moves
from ..core.index import Array
from ..core.stats import (
    ItemScores,
    PairedTest,
    beta_draws,
    bootstrap_means,
    detectable,
    normal_draws,
    paired_tests,
    pooled_sign_flip,
    stream,
)
from ..runs import Estimate, PairedBenchmark, Pairing, UnpairedBenchmark


@dataclass(frozen=True, eq=False)
class ModelDraws:
    """One tuned model beside its base: benchmark ``names`` in order, percent.

    ``base_RB`` and ``tuned_RB`` are replicated means, NaN where nothing tells the uncertainty.
    ``tests`` stand in the order of ``names``; ``paired_B`` says which are item by item.
    ``moved``: forgetting and backward transfer of the benchmarks that are.
    """

    names: tuple[str, ...]
    base_RB: Array
    tuned_RB: Array
    tests: tuple[PairedTest, ...]
    paired_B: tuple[bool, ...]
    moved: Mapping[str, Transitions]


def stacked(parts: Sequence[PairedBenchmark]) -> ItemScores:
    """One benchmark's items: scores of the base and of every model in ``parts``."""
    first = parts[0]
    scores = np.vstack([first.base_scores, *(part.tuned_scores for part in parts)])
    return ItemScores(scores, first.weights, first.clusters, first.subsets)


def draw(
    names: Sequence[str],
    pairings: Sequence[Pairing],
    *,
    base: str,
    models: Sequence[str],
    seed: int,
    replicates: int,
) -> list[ModelDraws]:
    """The draws of every model: one resample of items serves the base and all paired models.

    Every stream is named after what it is of, so that a model's numbers don't depend on company.
    """
    bases: list[dict[str, Array]] = [{} for _ in pairings]
    tuned: list[dict[str, Array]] = [{} for _ in pairings]
    tests: list[dict[str, PairedTest]] = [{} for _ in pairings]
    moved: list[dict[str, Transitions]] = [{} for _ in pairings]
    for name in names:
        rows = [row for row, p in enumerate(pairings) if name in p.benchmarks]
        if rows:
            parts = [pairings[row].benchmarks[name] for row in rows]
            rng = stream(seed, "bootstrap", name)
            items = with_moves(stacked(parts))
            drawn = bootstrap_means([items], rng, replicates=replicates)[:, :, 0]
            found = transition_rates(
                items.means_K, drawn, models=len(parts) + 1, chance=parts[0].chance
            )
            errors = (drawn[:, 1 : 1 + len(parts)] - drawn[:, :1]).std(axis=0, ddof=1)
        for at, row in enumerate(rows):
            bases[row][name], tuned[row][name] = drawn[:, 0], drawn[:, at + 1]
            moved[row][name] = found[at]
            # One model at a time: which test a model gets must not depend on its company.
            (tests[row][name],) = paired_tests(
                stacked([parts[at]]),
                stream(seed, "test", name, models[row]),
                se_K=np.array([errors[at]]),
                single=parts[at].binary,
                replicates=replicates,
            )
        for row, pairing in enumerate(pairings):
            if name not in pairing.unpaired:
                continue
            two = pairing.unpaired[name]
            lone = partial(_independent, seed=seed, benchmark=name, replicates=replicates)
            bases[row][name], tuned[row][name] = lone(two.base, base), lone(two.tuned, models[row])
            tests[row][name] = _unpaired_test(two, tuned[row][name] - bases[row][name])
    return [
        ModelDraws(
            names=(have := tuple(n for n in names if n in bases[row])),
            base_RB=_columns(bases[row], have, replicates),
            tuned_RB=_columns(tuned[row], have, replicates),
            tests=tuple(tests[row][n] for n in have),
            paired_B=tuple(n in pairing.benchmarks for n in have),
            moved=moved[row],
        )
        for row, pairing in enumerate(pairings)
    ]


def pooled_p(
    groups: Mapping[str, Sequence[str]],
    pairings: Sequence[Pairing],
    *,
    seed: int,
    replicates: int,
) -> list[dict[str, float]]:
    """Per model and group the pooled test; NaN unless all benchmarks compared are paired.

    The flips of a group are the same for all models that have the same benchmarks of it.
    """
    found: list[dict[str, float]] = [{} for _ in pairings]
    for group, members in groups.items():
        alike: dict[tuple[str, ...], list[int]] = {}
        for row, pairing in enumerate(pairings):
            found[row][group] = math.nan
            if not any(b in pairing.unpaired for b in members):
                have = tuple(b for b in members if b in pairing.benchmarks)
                alike.setdefault(have, []).append(row)
        alike.pop((), None)
        for benchmarks, rows in alike.items():
            items = [stacked([pairings[r].benchmarks[b] for r in rows]) for b in benchmarks]
            rng = stream(seed, "pooled", group)
            p_values = pooled_sign_flip(items, rng, replicates=replicates)
            for row, p in zip(rows, p_values, strict=True):
                found[row][group] = float(p)
    return found


def _columns(drawn: dict[str, Array], names: Sequence[str], replicates: int) -> Array:
    return np.stack([drawn[n] for n in names], axis=1) if names else np.empty((replicates, 0))


def _independent(
    estimate: Estimate, model: str, *, seed: int, benchmark: str, replicates: int
) -> Array:
    """Draws (R,) of one score by itself; NaN where neither n nor stderr is known."""
    rng = stream(seed, "beta", model, benchmark)
    if estimate.proportion and estimate.n is not None:
        return beta_draws(estimate.score, estimate.n, rng, replicates=replicates)
    if estimate.stderr is not None:
        return normal_draws(estimate.score, estimate.stderr, rng, replicates=replicates)
    return np.full(replicates, np.nan)


def _unpaired_test(two: UnpairedBenchmark, change_R: Array) -> PairedTest:
    """Two-sided z test on the two independent scores; NaN where there is no uncertainty."""
    error = float(change_R.std(ddof=1))
    change = two.tuned.score - two.base.score
    if not error > 0:
        return PairedTest("unpaired", math.nan, math.nan)
    return PairedTest("unpaired", math.erfc(abs(change) / error / math.sqrt(2)), detectable(error))
