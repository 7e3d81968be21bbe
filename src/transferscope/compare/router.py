"""What a router over the models would gain: every task to the model that does it best.

Cross-fitted: which model a benchmark goes to is chosen on some of its items and scored on others,
and so is the best single model it is held against. The in-sample best of many models always looks
like a gain, even among equal ones.

The choice is part of what chance decides: other items would have chosen other models. So every
replicate resamples the units of each fold and chooses anew. Folds stay apart, and nothing that was
chosen on is scored on. Holding the choices fixed claims a standard error of 1.3 points where it is
1.9 (three equal models). benchmarks/router.py has coverage and alarms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.changes import Z95
from ..core.index import Array
from ..core.noninferiority import exact_lower
from ..core.standing import ALPHA
from ..core.stats import ItemScores, resampled_sums, stream
from ..core.units import units_of
from .result import Interval, bounds

FOLDS = 5
REPLICATES = 500
"""Their standard deviation is off by 3 %; each goes through all choices."""


@dataclass(frozen=True, slots=True)
class Router:
    """Score of the router and of the best single model, percent, both on items not chosen on.

    A score is the mean over groups of the mean over a group's benchmarks. ``gain`` is their
    difference in points, an estimate of what choosing on so many items gains on new ones; ``ci`` is
    ``gain`` plus and minus 1.96 standard deviations of replicates that choose anew, and where they
    have none, what an exact test of as many clusters leaves open. ``choices``: per benchmark the
    share of folds (0..1) in which it went to each model; ``single_choices`` the same for the best
    single model. ``left_out`` are benchmarks that not all models answered item by item, or with
    fewer clusters than folds.
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
    replicates: int = REPLICATES,
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
    weight_B = _benchmark_weights(list(usable), group_of)
    parts = [_by_fold(item, folds, stream(seed, "router", n)) for n, item in usable.items()]
    observed = _chosen([[units.sum(axis=1)[None] for units in part] for part in parts], weight_B)
    rng = stream(seed, "router")
    drawn = _chosen(
        [[resampled_sums(units, rng, replicates) for units in part] for part in parts], weight_B
    )
    gain = float(observed.routed_R[0] - observed.single_R[0])
    half = Z95 * float((drawn.routed_R - drawn.single_R).std(ddof=1))
    if half == 0.0:  # no width is no evidence
        counts_B = [sum(units.shape[1] for units in part) for part in parts]
        half = -exact_lower(0, 1.0 / float((weight_B**2 / counts_B).sum()), alpha=ALPHA / 2.0)
    picked_BF = observed.picked_BFR[:, :, 0]
    return Router(
        score=float(observed.routed_R[0]),
        single=float(observed.single_R[0]),
        gain=gain,
        ci=(max(gain - half, -100.0), min(gain + half, 100.0)),
        choices={n: _shares(models, row) for n, row in zip(usable, picked_BF, strict=True)},
        single_choices=_shares(models, observed.best_FR[:, 0]),
        folds=folds,
        left_out=(*left_out, *(name for name in items if name not in usable)),
    )


def _by_fold(item: ItemScores, folds: int, rng: np.random.Generator) -> list[Array]:
    """Per fold the unit sums (K + 1, units): weighted scores of the models, and weights."""
    units = units_of(item.cluster_N, item.stratum_N)
    rows_KN = np.vstack([item.scores_KN, np.ones((1, item.scores_KN.shape[1]))])
    sums_KU = units.sums(rows_KN * item.weight_N)
    fold_U = rng.permutation(units.count) % folds
    return [sums_KU[:, fold_U == fold] for fold in range(folds)]


@dataclass(frozen=True, eq=False)
class _Chosen:
    """Scores (R,) in percent, and models chosen: per benchmark and fold, and the best single."""

    routed_R: Array
    single_R: Array
    picked_BFR: NDArray[np.int64]
    best_FR: NDArray[np.int64]


def _chosen(sums: Sequence[Sequence[Array]], weight_B: Array) -> _Chosen:
    """Choose on all folds but one and score on that one, for every fold and replicate.

    ``sums[b][f]`` (R, K + 1): weighted scores of K models and the weight, of one fold. Ties go to
    the first model.
    """
    sums_BFRK = np.array([list(part) for part in sums])
    rest_BFRK = sums_BFRK.sum(axis=1, keepdims=True) - sums_BFRK
    means_BFRK = rest_BFRK[..., :-1] / rest_BFRK[..., -1:]
    picked_BFR = means_BFRK.argmax(axis=-1)
    best_FR = np.tensordot(weight_B, means_BFRK, axes=1).argmax(axis=-1)
    scores = []
    for chosen in (picked_BFR, np.broadcast_to(best_FR, picked_BFR.shape)):
        held_BFR = np.take_along_axis(sums_BFRK, chosen[..., None], axis=-1)[..., 0]
        mean_BR = held_BFR.sum(axis=1) / sums_BFRK[..., -1].sum(axis=1)
        scores.append(100.0 * weight_B @ mean_BR)
    return _Chosen(scores[0], scores[1], picked_BFR, best_FR)


def _benchmark_weights(names: Sequence[str], group_of: Mapping[str, str]) -> Array:
    """Groups count alike, and benchmarks alike inside their group."""
    groups = [group_of[name] for name in names]
    raw = np.array([1.0 / groups.count(group) for group in groups])
    return np.asarray(raw / raw.sum())


def _shares(models: Sequence[str], chosen: NDArray[np.int64]) -> dict[str, float]:
    counts = np.bincount(chosen, minlength=len(models))
    return {m: float(c) / len(chosen) for m, c in zip(models, counts, strict=True) if c}
