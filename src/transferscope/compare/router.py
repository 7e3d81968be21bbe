"""What a router over the models would gain by sending each benchmark to the best model for it.

The estimate is cross-fitted: the model for a benchmark is chosen on some of its items and scored on
others, and so is the best single model, the reference. The in-sample best of many models always
looks like a gain, even among equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.index import Array
from ..core.noninferiority import effective_clusters, exact_lower
from ..core.resampling import units_of
from ..core.stats import ItemScores, stream
from ..documents.ranking import Router

FOLDS = 5
DRAWS = 1_000
"""Simulated repetitions behind the interval; each repeats every choice. Their standard deviation is
known to 2.2 %."""
TIE = 1e-12
"""Scores (0..1) that differ by less are ties, which go to the first model."""


def route(
    models: Sequence[str],
    items: Mapping[str, ItemScores],
    group_of: Mapping[str, str],
    *,
    seed: int,
    draws: int = DRAWS,
    folds: int = FOLDS,
    left_out: Sequence[str] = (),
) -> Router | None:
    """Cross-fit a router over ``models``, the rows of every benchmark's ``scores_KN``.

    Ties go to the first model, the base. ``None`` if no benchmark has at least ``folds`` clusters,
    or if there is only one model.

    The interval: which model a fold chooses is random too, and a model chosen for its results on
    four folds does slightly worse on the fifth. With the choices held fixed, a nominal 95 %
    interval contains 0 in only 80 % of comparisons of equal models. So the means of all folds are
    redrawn ``draws`` times from a normal distribution with the models' observed means and the
    covariance of their clusters, and every choice is repeated in each draw (a parametric
    bootstrap). Folds are drawn as independent samples of one population, which they are:
    resampling inside the observed folds would treat their chance differences as real and give a
    standard error that is a quarter too large. The half-width of the interval is the draws'
    standard deviation times the t quantile, and at least what an exact test leaves open for the
    same number of clusters of which none differs. benchmarks/router.py measures coverage and false
    alarms.
    """
    usable = {n: i for n, i in items.items() if len(np.unique(i.cluster_N)) >= folds}
    if not usable or len(models) < 2:
        return None
    fold_of = {n: _folds(i.cluster_N, folds, stream(seed, "router", n)) for n, i in usable.items()}
    weight_B = _benchmark_weights(list(usable), group_of)
    means_BFK = np.stack([_fold_means(i, fold_of[n], folds) for n, i in usable.items()])
    share_BF = np.stack([_fold_shares(i, fold_of[n], folds) for n, i in usable.items()])
    found = _routed(means_BFK[None], share_BF, weight_B)
    single, routed = 100.0 * float(found.single_R[0]), 100.0 * float(found.routed_R[0])
    gain = routed - single
    half = _half_width(
        list(usable.values()),
        share_BF,
        weight_B,
        stream(seed, "router"),
        draws=draws,
    )
    return Router(
        score=routed,
        single=single,
        gain=gain,
        ci=(max(-100.0, gain - half), min(100.0, gain + half)),
        choices={n: _shares(models, row) for n, row in zip(usable, found.pick_RBF[0], strict=True)},
        single_choices=_shares(models, found.best_RF[0]),
        folds=folds,
        left_out=(*left_out, *(name for name in items if name not in usable)),
    )


def _folds(cluster_N: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold for each item: no cluster is split, and fold sizes differ by one cluster at most."""
    codes = np.unique(cluster_N, return_inverse=True)[1]
    order = rng.permutation(int(codes.max()) + 1)
    return np.asarray(order[codes] % folds)


def _by_fold(item: ItemScores, fold_N: NDArray[np.int64], folds: int) -> tuple[Array, Array]:
    """Weight (F,) and weighted score (F, K) of every fold."""
    inside_FN = (fold_N == np.arange(folds)[:, None]) * item.weight_N
    return inside_FN.sum(axis=1), inside_FN @ item.scores_KN.T


def _fold_means(item: ItemScores, fold_N: NDArray[np.int64], folds: int) -> Array:
    weight_F, score_FK = _by_fold(item, fold_N, folds)
    return np.asarray(score_FK / weight_F[:, None])


def _fold_shares(item: ItemScores, fold_N: NDArray[np.int64], folds: int) -> Array:
    """Share (F,) of the benchmark's weight in each fold."""
    weight_F = _by_fold(item, fold_N, folds)[0]
    return np.asarray(weight_F / weight_F.sum())


@dataclass(frozen=True, eq=False)
class _Routed:
    """Scores (0..1) per repetition and, for each fold, the models chosen without it."""

    routed_R: Array
    single_R: Array
    pick_RBF: NDArray[np.int64]
    best_RF: NDArray[np.int64]


def _routed(means_RBFK: Array, share_BF: Array, weight_B: Array) -> _Routed:
    """Every fold scored by the models chosen without it, from the means of all folds."""
    sum_RBFK = means_RBFK * share_BF[..., None]
    others_RBFK = (sum_RBFK.sum(axis=2, keepdims=True) - sum_RBFK) / (1.0 - share_BF)[..., None]
    pick_RBF = _first_largest(others_RBFK)
    best_RF = _first_largest(np.einsum("b,rbfk->rfk", weight_B, others_RBFK))
    best_RBF = np.broadcast_to(best_RF[:, None, :], pick_RBF.shape)
    scores = [
        np.einsum("b,rbf->r", weight_B, np.take_along_axis(sum_RBFK, at[..., None], -1)[..., 0])
        for at in (pick_RBF, best_RBF)
    ]
    return _Routed(scores[0], scores[1], pick_RBF, best_RF)


def _first_largest(score: Array) -> NDArray[np.int64]:
    """Index of the largest along the last axis; the first one of a tie (see :data:`TIE`)."""
    return np.asarray((score >= score.max(axis=-1, keepdims=True) - TIE).argmax(axis=-1))


def _half_width(
    items: Sequence[ItemScores],
    share_BF: Array,
    weight_B: Array,
    rng: np.random.Generator,
    *,
    draws: int,
) -> float:
    """Half of the gain's 95 % interval in points; see :func:`route`."""
    from scipy.special import stdtrit

    models, folds = items[0].scores_KN.shape[0], share_BF.shape[1]
    means = np.empty((draws, len(items), folds, models))
    squares = 0.0
    for at, item in enumerate(items):
        root_KK = _root_covariance(item)
        noise = rng.standard_normal((draws, folds, models)) @ root_KK.T
        # The covariance is that of the whole benchmark's mean; a fold has a share of its weight.
        means[:, at] = item.means_K / 100.0 + noise / np.sqrt(share_BF[at])[:, None]
        squares += weight_B[at] ** 2 / effective_clusters([item])
    found = _routed(means, share_BF, weight_B)
    spread = 100.0 * float((found.routed_R - found.single_R).std(ddof=1))
    clusters = 1.0 / squares
    quantile = float(stdtrit(max(1.0, clusters - len(items)), 0.975))
    return max(quantile * spread, -exact_lower(0, clusters, alpha=0.025))


def _root_covariance(item: ItemScores) -> Array:
    """A root (K, K) of the covariance of the benchmark's means over its clusters, scores 0..1."""
    mean_K = item.means_K / 100.0
    moved_KN = (item.scores_KN - mean_K[:, None]) * item.weight_N / item.weight_N.sum()
    units = units_of(item.cluster_N, item.stratum_N)
    sums_KU = units.sums(moved_KN)
    values, vectors = np.linalg.eigh(sums_KU @ sums_KU.T * units.count / (units.count - 1.0))
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _benchmark_weights(names: Sequence[str], group_of: Mapping[str, str]) -> Array:
    """Equal weights for groups, and for the benchmarks of a group."""
    groups = [group_of[name] for name in names]
    raw = np.array([1.0 / groups.count(group) for group in groups])
    return np.asarray(raw / raw.sum())


def _shares(models: Sequence[str], chosen: NDArray[np.int64]) -> dict[str, float]:
    counts = np.bincount(chosen, minlength=len(models))
    return {m: float(c) / len(chosen) for m, c in zip(models, counts, strict=True) if c}
