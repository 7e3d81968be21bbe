"""Bounds of a mean change that hold simultaneously at all looks at a training run.

At every look another model answers the same items. So the true change may differ between looks, and
the looks depend on each other in unknown ways. A weighted sum of e-values is valid in any case
(docs/science.md, section 2, "Looks at a training run"):

- At one look, e(m) is the capital of bets against "the true change is at least m": the mean over a
  few constant bets (Waudby-Smith & Ramdas, JRSS B 86, 2024, "diversified Kelly"; Cover's universal
  portfolio) of a product over clusters. Its expectation is at most 1 if the claim is true, for
  any number of clusters, any shares, and benchmarks with different changes.
- Over looks, the sum of weight x e(m), with weights that sum to at most 1, has expectation at most
  1 too and never falls. So it ever reaches 1 / level with probability at most ``level`` (Markov).

Nothing is resampled, so a level of 1e-5 costs no more than one of 0.05. Levels are one-sided
probabilities; changes and bounds are in points.
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
"""Share of the level split evenly over the planned looks; the rest is for looks beyond them."""
LARGEST_BET = 0.95
"""Largest bet, as a share of the possible one. A full bet is lost at the first gain of a point."""
FEW_NATS = 3.7
"""log(1 / 0.025): the capital for which the smallest bet is chosen; most bets are for more."""
HALVINGS = 32
"""Number of bisections of [-100, 100] points: resolves 5e-8."""
Z_POWER = 0.8416
"""Standard normal quantile for 80 % power."""


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """A mean change as a weighted sum of the changes of independent clusters.

    ``change_C`` (-1..1) is the mean change of a cluster's items, ``share_C`` its share of the mean
    (sum over all clusters 1), ``count_C`` the number of clusters with this change and share.
    """

    change_C: Array
    share_C: Array
    count_C: Array

    @classmethod
    def of_items(cls, difference_N: Array, weight_N: Array, cluster_N: Codes) -> Changes:
        """The change of one benchmark: ``difference_N`` (-1..1), relative weights, clusters."""
        rows = np.stack([difference_N * weight_N, weight_N])
        # Subsets are ignored: sampling them in fixed proportions would only narrow the change.
        sums_C, weights_C = units_of(cluster_N, np.zeros_like(cluster_N)).sums(rows)
        held = weights_C > 0
        change_C = np.clip(sums_C[held] / weights_C[held], -1.0, 1.0)
        return _alike(change_C, weights_C[held] / weights_C.sum(), np.ones(int(held.sum())))

    @classmethod
    def mean(cls, parts: Sequence[Changes]) -> Changes:
        """The mean of independent ``parts`` with equal weights."""
        return _alike(
            np.concatenate([part.change_C for part in parts]),
            np.concatenate([part.share_C / len(parts) for part in parts]),
            np.concatenate([part.count_C for part in parts]),
        )

    @property
    def points(self) -> float:
        """The mean change in points."""
        return 100.0 * float(self.count_C @ (self.share_C * self.change_C))

    @property
    def clusters(self) -> float:
        """Equivalent number of clusters of the largest share: sum of (share / largest)^2."""
        return float(self.count_C @ (self.share_C / self.share_C.max()) ** 2)

    def negated(self) -> Changes:
        """The same changes with opposite signs."""
        return Changes(-self.change_C, self.share_C, self.count_C)


def log_evidence(changes: Changes, at_least: float) -> float:
    """log e(m) of one look against "the true mean change is at least m", ``at_least`` = 100 m.

    e(m) is the mean over the :func:`bets` b of the product over clusters c of

        1 + b (share_c / largest share) (m - change_c) / (1 - m)

    No factor is below 0. By independence, and because a product of positive numbers is at most that
    of as many equal ones with the same sum (Hoeffding, JASA 58, 1963), its expectation is at most 1
    whenever the share-weighted mean of the clusters' true changes is at least m. It increases with
    m. ``at_least`` is from -100 to below 100.
    """
    bet_B = bets(changes.clusters)
    m = at_least / 100.0
    if m >= 1.0:
        return inf
    stake_C = changes.share_C / changes.share_C.max() * (m - changes.change_C) / (1.0 - m)
    return _log_mean_exp(np.log1p(bet_B[:, None] * stake_C) @ changes.count_C)


def bets(clusters: float) -> Array:
    """Bets (B,), halved from the largest down to the one for this many clusters of variance 1.

    A bet b gains most if the distance of the change from m is b times the variance. The smallest
    bet suits changes of all clusters, the larger ones changes of a few. They are fixed in advance,
    as they must be.
    """
    smallest = min(LARGEST_BET, sqrt(2.0 * FEW_NATS / clusters))
    halvings = int(np.ceil(np.log2(LARGEST_BET / smallest) - 1e-9))
    return np.asarray(LARGEST_BET * 0.5 ** np.arange(halvings + 1))


def look_weight(look: int, planned: int) -> float:
    """Weight of look 1, 2, ...: 0.9 spread over the planned looks, 0.1 / (j (j + 1)) for the j-th
    look beyond them, so that the weights of any number of looks sum to at most 1.

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

    The probability that the true change is below the lower bound at any look, however many there
    are, is at most ``level``; likewise above the upper bound.
    """
    spent = log(1.0 / (level * look_weight(look, planned)))
    upper = _smallest(lambda m: log_evidence(changes, m) >= spent)
    turned = changes.negated()
    return -_smallest(lambda m: log_evidence(turned, m) >= spent), upper


def lowest_below(looks: Sequence[Changes | None], *, planned: int, level: float) -> float:
    """The value in points below which the true change was at one or more of ``looks`` so far.

    A look without data is ``None``. The probability that this is wrong at any look, however many
    there are, is at most ``level``: if the true change was never below a value, then the bound goes
    below that value in at most this share of training runs. The bound never rises, and is at most
    the lowest upper bound of :func:`joint_interval`. It is 100 if nothing is shown.
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

    It is shown by the last planned look in the best case: the loss was present at every look, in
    equal shares of ``clusters``, none of which gained. 100 if even the loss of everything does not
    suffice.
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
    """Number of clusters with which a true loss of ``loss`` points is shown to exceed ``allowed``
    with 80 % power.

    This is a lower limit, because it assumes the best case of :func:`least_loss`: answers that
    improve while others get worse cost more. ``None`` if ``most`` are too few, as they are for a
    loss of ``allowed`` itself.
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
    """Identical clusters as one with a count: a benchmark of 0/1 answers has three kinds."""
    pairs, at = np.unique(np.stack([change_C, share_C]), axis=1, return_inverse=True)
    return Changes(pairs[0], pairs[1], np.asarray(np.bincount(at.ravel(), weights=count_C), float))


def _log_mean_exp(log_B: Array) -> float:
    return float(np.logaddexp.reduce(log_B)) - log(len(log_B))


def _smallest(shown: Callable[[float], bool], *, start: float = -100.0) -> float:
    """Smallest value up to 100 from which on ``shown`` holds, up to upward rounding."""
    low, high = start, 100.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if shown(middle) else (middle, high)
    return high
