"""The smallest change that a test would have established: minimum detectable effects (MDE).

An MDE is the change, in points, that the very test in use establishes (p below 0.05, two-sided, or
one-sided against a margin) in 80 % of samples like the one seen. *Like the one seen* fixes how much
flips: the discordance is the one seen, but never below the effect itself, because a change of 8
points needs 8 % of the items to change. ``None``: no change could be shown, because no p below
0.05 exists (five items: the smallest is 2 / 2^5 = 0.0625) or 100 points would not be enough.

Exact for McNemar and Tango, by the noncentral t for tests on clusters (the tests simulate how close
that comes). docs/science.md section 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from .noninferiority import ONE_SIDED, dropped_p, exact_lower, restricted
from .stats import Array

LEVEL, POWER = 0.05, 0.80
EXACT_DISCORDANT = 1000
"""Up to so many discordant pairs McNemar's power is summed from binomials; beyond, from the normal
distribution with skewness and continuity corrections, which differs by less than 0.0005."""
EXACT_ITEMS = 5000
"""Up to so many pairs Tango's power is enumerated; beyond, it is that of the score's normal."""
REACH = 8.0
"""Standard deviations of a binomial that are summed: 1e-14 is left out."""
FINE = 1e-5
"""Effects are solved for to this share, 0.001 points."""


def mcnemar_power(effect: float, discordance: float, n: int) -> float:
    """Chance (0..1) that exact McNemar of n pairs establishes ``effect``, in its direction.

    ``effect`` and ``discordance`` are shares: P(0 -> 1) - P(1 -> 0), of which the discordance
    P(0 -> 1) + P(1 -> 0), at least |effect|, is the sum. The number of discordant pairs is
    binomial, and so is, given it, the number that went against the effect.
    """
    spread = REACH * sqrt(n * discordance * (1.0 - discordance))
    low = max(0, int(n * discordance - spread))
    discordant = np.arange(low, min(n, ceil(n * discordance + spread)) + 1)
    against = max(0.0, (1.0 - effect / discordance) / 2.0)
    most = critical_count(discordant)
    return float(_binomial(discordant, n, discordance) @ _at_most(most, discordant, against))


def critical_count(discordant: NDArray[np.int64]) -> NDArray[np.int64]:
    """Most pairs on the smaller side at which exact McNemar has p below 0.05; -1 where none has.

    Beyond :data:`EXACT_DISCORDANT` from a Cornish-Fisher expansion, which up to 400,000 is one too
    small for 1 total in 2,000 and right for all others.
    """
    table = _critical_table()
    small = np.minimum(discordant, EXACT_DISCORDANT)
    return np.where(discordant <= EXACT_DISCORDANT, table[small], _expanded_count(discordant))


def mcnemar_mde(lost: int, won: int, n: int) -> float | None:
    """MDE in points of exact McNemar, where ``lost`` of n pairs went 1 -> 0 and ``won`` 0 -> 1.

    The discordance is (lost + won) / n, unshrunken, or the effect where that is larger. None
    discordant of 100: 7.8 points, at which six or more change in 80 % of samples. Below six pairs
    ``None``.
    """
    seen = (lost + won) / n
    return _smallest(lambda effect: mcnemar_power(effect, max(seen, effect), n), 0.0)


def tango_power(drop: float, discordance: float, n: int, *, margin: float) -> float:
    """Chance (0..1) that :func:`.noninferiority.tango` finds p_dropped below 0.05 in n pairs.

    ``drop`` and ``discordance`` are shares as in :func:`mcnemar_power`; ``margin`` is in points.
    Enumerated over both counts up to :data:`EXACT_ITEMS` pairs.
    """
    from scipy.special import bdtrc, ndtr

    lost_share, won_share = (discordance + drop) / 2.0, max(0.0, (discordance - drop) / 2.0)
    if n > EXACT_ITEMS:
        null = margin / 100.0
        q = 2.0 * float(restricted(n * lost_share, n * won_share, n, -null)) - null
        width = 1.645 * sqrt(n * (q - null**2)) + 0.5
        spread = sqrt(n * (discordance - drop**2))
        return float(ndtr((n * (drop - null) - width) / spread)) if spread else 1.0
    reach = REACH * sqrt(n * won_share * (1.0 - won_share))
    won = np.arange(
        max(0, int(n * won_share - reach)), min(n, ceil(n * won_share + reach)) + 1
    )
    fewest = _fewest_lost(won, n, margin)
    rest = n - won
    reached = bdtrc(np.minimum(fewest - 1, rest), rest, lost_share / (1.0 - won_share))
    return float(_binomial(won, n, won_share) @ np.where(fewest > rest, 0.0, reached))


def tango_mde(lost: int, won: int, n: int, *, margin: float) -> float | None:
    """Smallest drop in points, more than ``margin``, that :func:`.noninferiority.tango` shows.

    Shown: p_dropped below 0.05 for one guard, before Holm, in 80 % of samples; discordance as in
    :func:`mcnemar_mde`. None discordant of 100, margin 1: 5.4 points, at which four or more fall.
    """
    seen, least = (lost + won) / n, margin / 100.0
    return _smallest(
        lambda drop: tango_power(drop, max(seen, drop), n, margin=margin), least
    )


@dataclass(frozen=True, slots=True)
class Units:
    """What a test on clusters resamples or flips, in shares of the score's range.

    ``count``: clusters of a weight above 0. ``effective``: equal clusters that carry as much
    (Kish). ``variance``: of the mean change, as seen. ``changed``: mean absolute change of a
    cluster, the discordance. ``size``: how far a cluster moves where it moves (1: as a whole).
    ``moving``: share of clusters that moved.
    """

    count: int
    effective: float
    variance: float
    changed: float
    size: float
    moving: float

    @classmethod
    def of(cls, sums_C: Array, weight_C: Array) -> Units:
        """From cluster sums (C,) of weight x change, change -1..1, and the clusters' weights (C,).

        For a mean over benchmarks both are divided by the benchmark's weight and number first, and
        strung together. Without any spread nothing is known of how clusters move: as a whole.
        """
        inside = weight_C > 0
        share_C = weight_C[inside] / weight_C.sum()
        moved_C = sums_C[inside] / weight_C.sum()
        squares = float((share_C**2).sum())
        effective = 1.0 / squares if squares else 0.0
        about_C = moved_C - share_C * float(moved_C.sum())
        variance = float((about_C**2).sum())
        if effective <= 1.0 or variance <= 1e-18:
            return cls(len(share_C), effective, 0.0, 0.0, 1.0, 0.0)
        changed = float(np.abs(moved_C).sum())
        size = min(1.0, float((moved_C**2).sum()) / squares / changed)
        moving = float((np.abs(moved_C) > 1e-12).mean())
        return cls(
            len(share_C), effective, variance * effective / (effective - 1.0), changed, size, moving
        )

    def floor(self, effect: float) -> float:
        """Least variance of the mean change where ``effect`` is its expectation.

        A share effect / size of the clusters moves by ``size``, the others don't.
        """
        return effect * max(0.0, self.size - effect) / self.effective


def flip_mde(sums_C: Array, weight_C: Array) -> float | None:
    """MDE in points of the sign-flip test on cluster sums; arguments of :meth:`Units.of`.

    The clusters' changes are shifted until their mean is the effect. They keep the spread seen, but
    where the effect exceeds the mean absolute change of a cluster, never less than if just enough
    clusters moved to make up the effect, each as far as those that moved. The test's power is that
    of a t test with effective clusters - 1 degrees of freedom (noncentral t), and six clusters
    or more must move in 80 % of samples; ``None`` below six. Simulated power at the MDE: 0.76 to
    0.85 for 8 to 400 clusters (tests); above 0.85 where fewer than ten clusters move.
    """
    units = Units.of(sums_C, weight_C)
    if units.count < 6 or units.effective <= 1.5:
        return None
    steps = _noncentrality(round(units.effective - 1.0, 2), 1.0 - LEVEL / 2.0)
    effect = steps * sqrt(units.variance)
    if effect > units.changed:
        squared = steps**2 / units.effective
        effect = max(effect, squared * units.size / (1.0 + squared))
    six = _six_move(units.count)
    if units.moving < six:
        effect = max(effect, six * units.size)
    return _points(effect)


def margin_mde(
    spread: float,
    *,
    margin: float,
    clusters: float,
    strata: float = 1.0,
    units: Units | None = None,
) -> float | None:
    """Smallest drop in points that :func:`.noninferiority.bootstrap_margin` shows beyond ``margin``.

    ``spread``: standard deviation of the replicates of the change, in points. ``clusters`` and
    ``strata`` as there. The p is taken for a t test's with clusters - strata degrees of freedom,
    beside the exact test with nothing discordant. ``units``, where every benchmark was answered
    item by item: the spread is never below what the drop itself needs (:meth:`Units.floor`).
    Without any spread the MDE of Tango's test for so many pairs.
    """
    if clusters < 2.0 or not isfinite(clusters + spread):
        return None
    if spread <= 1e-9:
        return tango_mde(0, 0, int(clusters), margin=margin)
    freedom = round(max(1.0, clusters - strata), 2)
    steps, unseen = _noncentrality(freedom, 1.0 - ONE_SIDED), -exact_lower(0, clusters) / 100.0

    def enough(drop: float) -> float:
        seen = spread / 100.0
        if units is not None and drop > units.changed:
            seen = max(seen, sqrt(units.floor(drop)))
        return drop - margin / 100.0 - max(steps * seen, unseen + QUANTILE_80 * seen)

    return _root(enough, margin / 100.0)


def unpaired_mde(se: float) -> float | None:
    """MDE in points of the two-sided z test of two independent scores; ``se`` of the change.

    2.80 standard errors: the normal quantiles of 0.975 and 0.8. ``None`` without a standard error.
    """
    from scipy.special import ndtri

    if not (isfinite(se) and se > 0):
        return None
    return _points(float(ndtri(1.0 - LEVEL / 2.0) + ndtri(POWER)) * se / 100.0)


QUANTILE_80 = 0.8416212335729143
"""Normal quantile of 0.8."""


def _points(effect: float) -> float | None:
    return 100.0 * effect if effect <= 1.0 else None


def _smallest(power: Callable[[float], float], least: float) -> float | None:
    """Effect in points at which ``power``, which rises with it, reaches 80 %."""
    return _root(lambda effect: power(effect) - POWER, least)


def _root(rises: Callable[[float], float], least: float) -> float | None:
    from scipy.optimize import brentq

    if not rises(1.0) >= 0:
        return None
    return 100.0 * float(brentq(rises, max(least, FINE), 1.0, xtol=FINE))


def _binomial(count: NDArray[np.int64], n: int, share: float) -> Array:
    from scipy.special import gammaln, xlog1py, xlogy

    ways = gammaln(n + 1.0) - gammaln(count + 1.0) - gammaln(n - count + 1.0)
    return np.asarray(np.exp(ways + xlogy(count, share) + xlog1py(n - count, -share)))


def _at_most(most: NDArray[np.int64], total: NDArray[np.int64], share: float) -> Array:
    """P(X <= most) for X of ``total`` with ``share`` each; 0 where ``most`` is -1."""
    from scipy.special import bdtr, ndtr

    if total[-1] <= EXACT_DISCORDANT:
        return np.where(most < 0, 0.0, bdtr(np.maximum(most, 0), total, share))
    spread = np.sqrt(np.maximum(total * share * (1.0 - share), 1e-9))
    z = np.minimum((most + 0.5 - total * share) / spread, REACH)  # beyond, nothing is left
    skew = np.exp(-z * z / 2.0) * (1.0 - 2.0 * share) / spread * (z * z - 1.0)
    return np.clip(ndtr(z) - skew / (6.0 * sqrt(2.0 * np.pi)), 0.0, 1.0)


@lru_cache(maxsize=1)
def _critical_table() -> NDArray[np.int64]:
    """Critical counts for 0 to :data:`EXACT_DISCORDANT` discordant pairs."""
    from scipy.special import bdtr

    total = np.arange(EXACT_DISCORDANT + 1)
    count = np.full(total.shape, -1)
    for _ in range(EXACT_DISCORDANT // 2):
        rises = bdtr(np.minimum(count + 1, total), total, 0.5) < LEVEL / 2.0
        if not rises.any():
            break
        count[rises] += 1
    return count


def _expanded_count(total: NDArray[np.int64]) -> NDArray[np.int64]:
    """The critical count from the normal quantile and the binomial's kurtosis, -2 / total."""
    from scipy.special import ndtri

    z = float(ndtri(LEVEL / 2.0))
    bent = z - (z**3 - 3.0 * z) / (12.0 * np.maximum(total, 1))
    return np.floor(total / 2.0 - 0.5 + bent * np.sqrt(total) / 2.0).astype(np.int64)


def _fewest_lost(won: NDArray[np.int64], n: int, margin: float) -> NDArray[np.int64]:
    """Fewest lost pairs at which p_dropped is below 0.05 beside ``won``; above n - won where none.

    Bisection for all at once: p falls as more pairs are lost.
    """
    low, high = np.minimum(won, n - won), n - won + 1
    while (wide := high - low > 1).any():
        middle = np.where(wide, (low + high) // 2, low)
        shown = dropped_p(middle, won, n, margin=margin) < ONE_SIDED
        high = np.where(wide & shown, middle, high)
        low = np.where(wide & ~shown, middle, low)
    return high


@lru_cache(maxsize=4096)
def _noncentrality(freedom: float, quantile: float) -> float:
    """Standard errors that a t test at this quantile of t detects in 80 % of samples."""
    from scipy.special import nctdtrinc, stdtrit

    return float(nctdtrinc(freedom, 1.0 - POWER, float(stdtrit(freedom, quantile))))


@lru_cache(maxsize=4096)
def _six_move(count: int) -> float:
    """Share of ``count`` clusters that must move, all one way, for p below 0.05 in 80 %."""
    mde = mcnemar_mde(0, 0, count)
    return 1.0 if mde is None else mde / 100.0
