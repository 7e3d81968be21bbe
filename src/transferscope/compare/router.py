"""What a router over the models would gain: every task to the model that does it best.

Cross-fitted: which model a benchmark goes to is chosen on some of its items and scored on others,
and so is the best single model it is held against. The in-sample best of many models always looks
like a gain, even among equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.index import Array, order_interval
from ..core.stats import ItemScores, bootstrap_means, stream
from .result import Interval, bounds

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Router:
    """Score of the router and of the best single model, percent, both on items not chosen on.

    A score is the mean over groups of the mean over a group's benchmarks. ``gain`` is their
    difference in points; ``ci`` resamples clusters with the choices held fixed. ``choices``: per
    benchmark the share of folds (0..1) in which it went to each model; ``single_choices`` the same
    for the best single model. ``left_out`` are benchmarks that not all models answered item by
    item, or with fewer clusters than folds.
    """

    score: float
    single: float
    gain: float
    ci: Interval
    choices: Mapping[str, Mapping[str, float]]
    single_choices: Mapping[str, float]
    folds: int
    left_out: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The ``router`` of the ``rank`` command's JSON."""
        return {
            "score": self.score,
            "single": self.single,
            "gain": self.gain,
            "ci": bounds(self.ci),
            "choices": {name: dict(shares) for name, shares in self.choices.items()},
            "single_choices": dict(self.single_choices),
            "folds": self.folds,
            "left_out": list(self.left_out),
        }


def route(
    models: Sequence[str],
    items: Mapping[str, ItemScores],
    group_of: Mapping[str, str],
    *,
    seed: int,
    replicates: int = 10_000,
    folds: int = FOLDS,
    left_out: Sequence[str] = (),
) -> Router | None:
    """Cross-fit a router over ``models``, the rows of every benchmark's ``scores_KN``.

    Ties go to the first model, the base. ``None`` without a benchmark of at least ``folds``
    clusters, or with one model only.
    """
    usable = {n: i for n, i in items.items() if len(np.unique(i.cluster_N)) >= folds}
    if not usable or len(models) < 2:
        return None
    fold_of = {n: _folds(i.cluster_N, folds, stream(seed, "router", n)) for n, i in usable.items()}
    weight_B = _benchmark_weights(list(usable), group_of)
    picked: dict[str, list[int]] = {name: [] for name in usable}
    best: list[int] = []
    for fold in range(folds):
        means_BK = np.stack([_means(i, fold_of[n] != fold) for n, i in usable.items()])
        best.append(int((weight_B @ means_BK).argmax()))
        for name, means_K in zip(usable, means_BK, strict=True):
            picked[name].append(int(means_K.argmax()))
    two = [
        _held_out(item, fold_of[name], np.array(best), np.array(picked[name]))
        for name, item in usable.items()
    ]
    single, routed = weight_B @ np.stack([item.means_K for item in two])
    drawn_RKB = bootstrap_means(two, stream(seed, "router"), replicates=replicates)
    low, high = order_interval((drawn_RKB[:, 1] - drawn_RKB[:, 0]) @ weight_B)
    return Router(
        score=float(routed),
        single=float(single),
        gain=float(routed - single),
        ci=(float(low), float(high)),
        choices={name: _shares(models, chosen) for name, chosen in picked.items()},
        single_choices=_shares(models, best),
        folds=folds,
        left_out=(*left_out, *(name for name in items if name not in usable)),
    )


def _folds(cluster_N: NDArray[np.int64], folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold per item: clusters stay whole, and folds differ by one cluster at most."""
    codes = np.unique(cluster_N, return_inverse=True)[1]
    order = rng.permutation(int(codes.max()) + 1)
    return np.asarray(order[codes] % folds)


def _means(item: ItemScores, inside_N: NDArray[np.bool_]) -> Array:
    weight_N = item.weight_N[inside_N]
    return np.asarray(item.scores_KN[:, inside_N] @ weight_N / weight_N.sum())


def _held_out(
    item: ItemScores, fold_N: NDArray[np.int64], single_F: NDArray[Any], routed_F: NDArray[Any]
) -> ItemScores:
    """Every item scored by the models chosen without its fold: rows single and routed."""
    at = np.arange(len(fold_N))
    scores = np.stack([item.scores_KN[chosen[fold_N], at] for chosen in (single_F, routed_F)])
    return ItemScores(scores, item.weight_N, item.cluster_N, item.stratum_N)


def _benchmark_weights(names: Sequence[str], group_of: Mapping[str, str]) -> Array:
    """Groups count alike, and benchmarks alike inside their group."""
    groups = [group_of[name] for name in names]
    raw = np.array([1.0 / groups.count(group) for group in groups])
    return np.asarray(raw / raw.sum())


def _shares(models: Sequence[str], chosen: Sequence[int]) -> dict[str, float]:
    counts = np.bincount(chosen, minlength=len(models))
    return {m: float(c) / len(chosen) for m, c in zip(models, counts, strict=True) if c}
