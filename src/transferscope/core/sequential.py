"""Bounds of a mean change that hold at all looks at a training run together.

At every look another model answers the same items, so the true change may differ from look to look
and the looks depend on each other in unknown ways. A weighted sum of e-values is valid in any
case (docs/science.md section 2, "Looks at a training run"):

- At one look, e(m) is the capital of bets against "the true change is at least m": the mean over a
  few constant bets (Waudby-Smith & Ramdas, JRSS B 86, 2024, "diversified Kelly"; Cover's universal
  portfolio) of a product over clusters. Its expectation is at most 1 if the claim is true, for
  any number of clusters, any shares and benchmarks with different changes.
- Over looks, the sum of weight x e(m), weights summing to at most 1, has expectation at most 1 too
  and never falls, so it ever reaches 1 / level with probability at most ``level`` (Markov).

Nothing is resampled, so a level of 1e-5 costs no more than one of 0.05. Levels are one-sided
probabilities, changes and bounds are in points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np
from numpy.typing import NDArray

from .resampling import Codes, units_of

Array = NDArray[np.float64]

PLANNED = 0.9
"""Share of the level that the planned looks have, evenly; the rest is for looks beyond them."""
LARGEST_BET = 0.95
"""Largest bet, as a share of the possible one. A full bet is lost at the first gain of a point."""
FEW_NATS = 3.7
"""log(1 / 0.025): capital that the smallest bet is made for; most bets are for more."""
HALVINGS = 32
"""Bisections of [-100, 100] points: down to 5e-8."""
Z_POWER = 0.8416
"""Normal quantile of 80 % power."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """A mean change in independent parts: the weighted sum of the changes of clusters.

    ``change_C`` (-1..1) is the mean change of a cluster's items, ``share_C`` its share of the mean
    (over all clusters 1), ``count_C`` how many clusters are alike in both.
    """

    change_C: Array
    share_C: Array
    count_C: Array

    @classmethod
    def of_items(cls, difference_N: Array, weight_N: Array, cluster_N: Codes) -> Changes:
        """One benchmark's from ``difference_N`` (-1..1), relative weights and cluster codes."""
        rows = np.stack([difference_N * weight_N, weight_N])
        # Subsets are disregarded: that they are drawn in fixed shares only narrows the change.
        sums_C, weights_C = units_of(cluster_N, np.zeros_like(cluster_N)).sums(rows)
        held = weights_C > 0
        change_C = np.clip(sums_C[held] / weights_C[held], -1.0, 1.0)
        return _alike(change_C, weights_C[held] / weights_C.sum(), np.ones(int(held.sum())))

    @classmethod
    def mean(cls, parts: Sequence[Changes]) -> Changes:
        """The mean of independent ``parts``, each counting the same."""
        return _alike(
            np.concatenate([part.change_C for part in parts]),
            np.concatenate([part.share_C / len(parts) for part in parts]),
            np.concatenate([part.count_C for part in parts]),
        )

    @property
    def points(self) -> float:
        """The mean change."""
        return 100.0 * float(self.count_C @ (self.share_C * self.change_C))

    @property
    def clusters(self) -> float:
        """Clusters of the largest share that would carry as much: sum of (share / largest)^2."""
        return float(self.count_C @ (self.share_C / self.share_C.max()) ** 2)

    def negated(self) -> Changes:
        """With all signs turned."""
        return Changes(-self.change_C, self.share_C, self.count_C)


def log_evidence(changes: Changes, at_least: float) -> float:
    """log e(m) of one look against "the true mean change is at least m", ``at_least`` = 100 m.

    e(m) is the mean over the :func:`bets` b of the product over clusters c of

        1 + b (share_c / largest share) (m - change_c) / (1 - m)

    No factor is below 0. By independence, and as a product of positive numbers is at most that of
    as many equal ones of the same sum (Hoeffding, JASA 58, 1963), its expectation is at most 1
    whenever the share-weighted mean of the clusters' true changes is at least m. It grows with m.
    ``at_least`` is from -100 to below 100.
    """
    bet_B = bets(changes.clusters)
    m = at_least / 100.0
    if m >= 1.0:
        return inf
    stake_C = changes.share_C / changes.share_C.max() * (m - changes.change_C) / (1.0 - m)
    return _log_mean_exp(np.log1p(bet_B[:, None] * stake_C) @ changes.count_C)


def bets(clusters: float) -> Array:
    """Bets (B,), halved from the largest to that for so many clusters of variance 1.

    A bet of b gains most where the distance of the change from m is b times the variance; the
    smallest serves changes of all clusters, the larger ones changes of few. Fixed beforehand, as
    they must be.
    """
    smallest = min(LARGEST_BET, sqrt(2.0 * FEW_NATS / clusters))
    halvings = int(np.ceil(np.log2(LARGEST_BET / smallest) - 1e-9))
    return np.asarray(LARGEST_BET * 0.5 ** np.arange(halvings + 1))


def look_weight(look: int, planned: int) -> float:
    """Weight of look 1, 2, ...: 0.9 spread over the planned ones, 0.1 / (j (j + 1)) for the j-th
    beyond, so that all weights of any number of looks sum to at most 1.

    Raises :class:`ValueError` for numbers below 1.
    """
    if look < 1 or planned < 1:
        raise ValueError(f"look {look} of {planned}")
    beyond = look - planned
    return PLANNED / planned if beyond <= 0 else (1.0 - PLANNED) / (beyond * (beyond + 1))


def joint_interval(
    changes: Changes, *, look: int, planned: int, level: float
) -> tuple[float, float]:
    """Bounds in points of the true change at one look, ``level`` per side over all looks.

    The probability that the true change lies below the lower bound at any of however many looks is
    at most ``level``; so too above the upper one.
    """
    spent = log(1.0 / (level * look_weight(look, planned)))
    upper = _smallest(lambda m: log_evidence(changes, m) >= spent)
    turned = changes.negated()
    return -_smallest(lambda m: log_evidence(turned, m) >= spent), upper


def lowest_below(looks: Sequence[Changes | None], *, planned: int, level: float) -> float:
    """Points below which the true change lay at one or more of ``looks``, all looks up to now.

    A look of which nothing is known is ``None``. The probability that this is ever wrong, at any of
    however many looks, is at most ``level``: if the true change was never below a value, the bound
    goes below that value in at most this share of trainings. It never rises, and is at most
    the lowest upper bound of :func:`joint_interval`. 100 where nothing is shown.
    """
    known = [
        (log(look_weight(at, planned)), changes)
        for at, changes in enumerate(looks, start=1)
        if changes is not None
    ]
    if not known:
        return 100.0
    weight_L = np.array([weight for weight, _ in known])

    def shown(m: float) -> bool:
        found_L = weight_L + np.array([log_evidence(changes, m) for _, changes in known])
        return float(np.logaddexp.reduce(found_L)) >= log(1.0 / level)

    return _smallest(shown)


def least_loss(clusters: float, *, allowed: float, level: float) -> float:
    """The smallest loss in points that shows that more than ``allowed`` points were lost.

    By the last planned look, if the loss was there at every look, in ``clusters`` of equal share of
    which none gained: the best case. 100 if not even the loss of everything shows it.
    """
    bet_B, m = bets(clusters), -allowed / 100.0
    spent = log(1.0 / (level * PLANNED))
    kept_B = np.log1p(bet_B * m / (1.0 - m))
    lost_B = np.log1p(bet_B * (m + 1.0) / (1.0 - m))

    def shown(points: float) -> bool:
        lost = points / 100.0
        return _log_mean_exp(clusters * (lost * lost_B + (1.0 - lost) * kept_B)) >= spent

    return _smallest(shown, start=allowed)


def clusters_needed(
    loss: float, *, allowed: float, level: float, most: int = 1 << 24
) -> int | None:
    """Clusters with which a true loss of ``loss`` points is shown to exceed ``allowed`` in 80 %.

    In the best case of :func:`least_loss`, so a lower limit: answers that improve beside those that
    get worse cost more. ``None`` where ``most`` are too few, as for a loss of ``allowed`` itself.
    """

    def enough(clusters: int) -> bool:
        p = min(1.0, loss / 100.0)
        seen = 100.0 * (p - Z_POWER * sqrt(p * (1.0 - p) / clusters))
        return seen >= least_loss(clusters, allowed=allowed, level=level)

    if not enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _alike(change_C: Array, share_C: Array, count_C: Array) -> Changes:
    """Equal clusters counted instead of repeated: a benchmark of 0/1 answers has three kinds."""
    pairs, at = np.unique(np.stack([change_C, share_C]), axis=1, return_inverse=True)
    return Changes(pairs[0], pairs[1], np.asarray(np.bincount(at.ravel(), weights=count_C), float))


def _log_mean_exp(log_B: Array) -> float:
    return float(np.logaddexp.reduce(log_B)) - log(len(log_B))


def _smallest(shown: Callable[[float], bool], *, start: float = -100.0) -> float:
    """Smallest value up to 100 from which on ``shown`` holds, to rounding above it."""
    low, high = start, 100.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
