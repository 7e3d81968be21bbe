"""pass@k of base and tuned model beside each other: does tuning narrow what a model can reach?

The claim that RL narrows (arXiv 2504.13837) is that a tuned model wins at pass@1 and loses at
pass@k for large k. The coverage ratio is the tuned model's pass@k over the base's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..core.changes import mean_tests
from ..core.pass_at_k import pass_at_k, pass_hat_k, sizes_up_to
from ..core.stats import Array, ItemScores, Resampling, stream
from ..core.typed_record import UNKNOWN, Interval
from ..documents.comparison import PassRate
from .benchmark import Benchmark, Paired

LOW, HIGH = 0.025, 0.975


def pass_rates(
    benchmarks: Mapping[str, Benchmark], *, seed: int, replicates: int
) -> tuple[PassRate, ...]:
    """pass@k of every benchmark with several 0/1 answers to each item, k in powers of two."""
    found: list[PassRate] = []
    for name, one in benchmarks.items():
        if isinstance(one, Paired) and (samples := one.part.samples) is not None:
            for k in sizes_up_to(samples):
                rng = stream(seed, "pass@k", name, str(k))
                found.append(_rate(one, samples, k, rng=rng, replicates=replicates))
    return tuple(found)


def _rate(
    one: Paired, samples: int, k: int, *, rng: np.random.Generator, replicates: int
) -> PassRate:
    part = one.part
    right_KN = np.rint(np.stack([part.base_scores, part.tuned_scores]) * samples).astype(np.int64)

    def items(scores_KN: Array) -> ItemScores:
        return ItemScores(scores_KN, part.weights, part.clusters, part.subsets)

    passed = items(np.stack([pass_at_k(row, samples=samples, k=k) for row in right_KN]))
    every = items(np.stack([pass_hat_k(row, samples=samples, k=k) for row in right_KN]))
    (test,) = mean_tests([passed], [1.0], rng, replicates=replicates)
    base, tuned = map(float, passed.means_K)
    drawn_RK = Resampling.of(passed).means(rng, replicates)
    return PassRate(
        benchmark=part.benchmark,
        k=k,
        samples=samples,
        base=base,
        tuned=tuned,
        delta=tuned - base,
        ci=test.ci,
        p=test.p,
        coverage=tuned / base if base > 0 else None,
        coverage_ci=_ratio_interval(drawn_RK) if base > 0 else UNKNOWN,
        base_all=float(every.means_K[0]),
        tuned_all=float(every.means_K[1]),
    )


def _ratio_interval(drawn_RK: Array) -> Interval:
    """Order statistics of tuned over base; a replicate without a base success is infinite.

    The upper bound is NaN, and both are unknown, if more than 2.5 % of the replicates are infinite:
    then no finite ratio is excluded from above.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_R = np.sort(np.where(drawn_RK[:, 0] > 0, drawn_RK[:, 1] / drawn_RK[:, 0], np.inf))
    low, high = (float(ratio_R[math.ceil(at * len(ratio_R)) - 1]) for at in (LOW, HIGH))
    return (low, high) if math.isfinite(high) else UNKNOWN
