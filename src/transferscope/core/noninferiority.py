"""Is a loss within its margin? One-sided tests of a paired change against -margin.

One 0/1 outcome per independent item: Tango's score test (Statistics in Medicine 17, 1998, pages
891-908), and where items only fall the exact binomial test, which score tests fall short of (6 %
false passes at nominal 5 %). Both keep a width where no pair is discordant. Everything else
(repeats, fractional scores, clusters, group means): replicates of the cluster bootstrap, with a
floor to their width. Changes, margins and bounds are in points; docs/science.md section 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, floor, inf, pi, sqrt
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .resampling import units_of
from .stats import Array, ItemScores

Count = TypeVar("Count", float, Array)
ONE_SIDED = 0.05
"""Level of the one-sided bound: a guard passes where the bound lies above -margin."""
HALVINGS = 60
"""Bisections: what is left of [-1, 1] is below the spacing of floats near 1."""
STEEPEST = 60.0
"""Largest tilt per standard error: there only the outermost replicate still has a weight."""
CONTINUITY = 0.25
"""Pairs. Tango's statistic is moved by so much towards the null where pairs rose: counts are whole,
and without it up to 6.1 % of drops of just the margin pass at 20 to 1,000 pairs; with it 4.9 %."""
TIE = 1e-7
"""Points. Changes that differ only by rounding count as reached."""


@dataclass(frozen=True, slots=True)
class MarginTest:
    """A change against its margin.

    ``name``: ``tango`` or ``bootstrap``. ``change`` and its one-sided 95 % bound ``lower`` in
    points. ``p_kept`` is against H0 "change <= -margin" (small: the loss is within the margin),
    ``p_dropped`` against H0 "change >= -margin" (small: the drop exceeds it). ``lower`` lies above
    -margin exactly where ``p_kept`` is at most 0.05.
    """

    name: str
    change: float
    lower: float
    p_kept: float
    p_dropped: float


def tango_z(lost: int, won: int, n: int, change: float, *, correction: float = 0.0) -> float:
    """Score statistic of H0: P(0 -> 1) - P(1 -> 0) = ``change`` (-1..1), from n pairs.

    ``lost`` pairs went 1 -> 0, ``won`` pairs 0 -> 1; ``correction`` pairs are taken off their
    difference. Positive: the data lie above ``change``. At change 0 it is McNemar's
    (won - lost) / sqrt(won + lost); 0 where nothing speaks against H0.
    """
    if change > 0:  # mirrored, so that the root below never cancels
        return -tango_z(won, lost, n, -change, correction=-correction)
    excess = won - lost - n * change - correction
    variance = n * (2.0 * lost_share(lost, won, n, change) + change * (1.0 - change))
    if abs(excess) <= 1e-12 * n:
        return 0.0
    return excess / sqrt(variance) if variance > 0 else copysign(inf, excess)


def lost_share(lost: Count, won: Count, n: int, change: float) -> Count:
    """P(1 -> 0) of highest likelihood under H0: P(0 -> 1) - P(1 -> 0) = ``change``, -1 to 0.

    The larger root of 2n q^2 + b q + c = 0 (Tango 1998), of numbers and of arrays alike.
    """
    b = (2 * n - won + lost) * change - lost - won
    c = -lost * change * (1.0 - change)
    inside = b * b - 8.0 * n * c
    # Below 0 by rounding only
    share: Count = (((inside + abs(inside)) / 2.0) ** 0.5 - b) / (4.0 * n)
    return share


def tango_lower(
    lost: int, won: int, n: int, *, alpha: float = ONE_SIDED, correction: float = 0.0
) -> float:
    """One-sided lower 1 - ``alpha`` bound of the change in points, Tango's test inverted.

    ``correction``: as in :func:`tango_z`. With no discordant pair it is -100 z^2 / (n + z^2).
    Raises :class:`ValueError` for counts that no n pairs can give.
    """
    from scipy.special import ndtri

    _check_counts(lost, won, n)
    z = -float(ndtri(alpha))
    low, high = -1.0, (won - lost) / n
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if tango_z(lost, won, n, middle, correction=correction) > z:
            low = middle
        else:
            high = middle
    return 100.0 * low


def exact_lower(net_lost: int, n: float, *, alpha: float = ONE_SIDED) -> float:
    """One-sided lower bound in points where ``net_lost`` of n items fell and none can rise.

    Clopper and Pearson's; with nothing lost 100 (alpha^(1/n) - 1). Raises :class:`ValueError` for a
    net gain, which items that can't rise don't have.
    """
    from scipy.special import betaincinv

    if net_lost < 0:
        raise ValueError("items that only fall have no net gain")
    return -100.0 * float(betaincinv(net_lost + 1, n - net_lost, 1.0 - alpha))


def tango_interval(lost: int, won: int, n: int, *, alpha: float = ONE_SIDED) -> tuple[float, float]:
    """Two-sided 1 - ``alpha`` score interval of the change in points."""
    tail = alpha / 2.0
    return tango_lower(lost, won, n, alpha=tail), -tango_lower(won, lost, n, alpha=tail)


def tango(lost: int, won: int, n: int, *, margin: float) -> MarginTest:
    """Tango's test of n pairs against ``margin`` (points, 0 to below 100).

    ``p_kept`` and the bound are never better than those of the exact test of the net losses, that
    is P(X <= lost - won) of n items that are lost with probability margin / 100 and never won; a
    net gain has Tango's alone. Where pairs rose, it has :data:`CONTINUITY`. ``p_dropped`` is
    :func:`dropped_p`.

    Raises :class:`ValueError` for impossible counts and for a margin outside that range.
    """
    from scipy.special import bdtr, ndtr

    _check_margin(margin)
    _check_counts(lost, won, n)
    null, net = -margin / 100.0, lost - won
    correction = CONTINUITY if won else 0.0  # none rose: the exact test's steps count already
    z = tango_z(lost, won, n, null, correction=correction)
    lower = tango_lower(lost, won, n, correction=correction)
    return MarginTest(
        name="tango",
        change=100.0 * (won - lost) / n,
        lower=lower if net < 0 else min(lower, exact_lower(net, n)),
        p_kept=max(float(ndtr(-z)), float(bdtr(net, n, -null)) if net >= 0 else 0),
        p_dropped=float(dropped_p(np.array([lost]), np.array([won]), n, margin=margin)[0]),
    )


def dropped_p(
    lost_X: NDArray[np.int64], won_X: NDArray[np.int64], n: int, *, margin: float
) -> Array:
    """p (X,) of "the drop exceeds ``margin``" (points) for counts of n pairs; small: it does.

    The largest of three chances of lost - won net losses or more at a drop of just the margin:

    - Tango's, with a continuity correction of half a pair;
    - the same with the skewness of the net losses (Edgeworth's first term): losses are rarer than
      their absence, and their upper tail is longer than the normal one;
    - the exact binomial P(X >= lost - won) where items are lost and never won.

    Summed over all outcomes of 20 to 2,000 pairs, margins of 0.5 to 10 and up to a fifth of the
    pairs won, the first alone calls up to 6.1 % of such drops larger at nominal 5 %, and any of
    three guards after Holm in up to 7.1 %; with the last 5.7 and 6.0 %; all three 5.0 and 4.9 %.
    """
    from scipy.special import bdtrc, ndtr

    null, net_X = margin / 100.0, (lost_X - won_X).astype(float)
    both_X = 2.0 * lost_share(lost_X.astype(float), won_X.astype(float), n, -null) - null
    spread_X = np.sqrt(np.maximum(n * (both_X - null**2), 1e-60))  # 0 where nothing can move
    z_X = np.clip((net_X - 0.5 - n * null) / spread_X, -40.0, 40.0)  # beyond, p is 0 or 1
    skew_X = n * null * (1.0 - 3.0 * both_X + 2.0 * null**2) / spread_X**3
    normal_X = ndtr(-z_X)
    longer_X = np.exp(-(z_X**2) / 2.0) / sqrt(2.0 * pi) * skew_X * (z_X**2 - 1.0) / 6.0
    exact_X = np.where(net_X > 0, bdtrc(np.clip(net_X - 1.0, 0, n), n, null), 1.0)
    skewed_X = np.clip(normal_X + np.maximum(longer_X, 0.0), 0.0, 1.0)
    return np.asarray(np.maximum(skewed_X, exact_X))


def bootstrap_margin(
    change: float,
    change_R: Array,
    *,
    margin: float,
    clusters: float,
    moving: float,
    weight_U: Array | None = None,
) -> MarginTest:
    """Cluster-bootstrap test of ``change`` against ``margin`` (points, 0 to below 100).

    ``change_R``: replicates (R,) of the change in points, at least 19. ``clusters``: what was
    resampled, for a mean over benchmarks :func:`effective_clusters`; ``moving``: how many of them
    carry the change (:func:`moving_clusters`; ``clusters`` where that is not known). ``weight_U``:
    every cluster's share in the change, where they are not all alike.

    The p values are read from the replicates moved to the null, whose mean is -margin: the share
    (1 + k) / (R + 1) of them at least as far from -margin as the change is. They are moved in two
    ways, and the larger p and the lower bound count:

    - shifted, change* - change - margin, which keeps their spread;
    - re-weighted by exp(t change*), which resamples a population with that mean (exponential
      tilting, Efron, Canadian Journal of Statistics 9, 1981): where losses are rare, their spread
      grows with the loss.

    Shifting alone passes too many drops of just the margin where items only fall, re-weighting
    alone where clusters are few; docs/coverage.md has the rates of both together.

    Where clusters are few, or few of them move, their spread is known from these few only: the
    replicates are widened by :func:`small_sample` first.

    Replicates can't show a loss that no cluster happened to have. So the distance to the bound is
    never below that of the exact test of these clusters of which none moved (:func:`unseen_loss`).

    Raises :class:`ValueError` for a margin outside its range and for too few replicates.
    """
    _check_margin(margin)
    kth = floor(ONE_SIDED * (len(change_R) + 1) + 1e-9)
    if kth < 1:
        raise ValueError(f"{len(change_R)} replicates have no 5 % order statistic")
    known = small_sample(min(clusters, moving + 1.0))
    moved_R, slack = (change_R - change) * known, change + margin
    width = max(
        float(np.partition(moved_R, -kth)[-kth]),
        _tilted_width(moved_R, (kth - 1) / len(moved_R)),
        -exact_lower(0, clusters) if weight_U is None else unseen_loss(weight_U, alpha=ONE_SIDED),
    )
    # The chance that none of the clusters, whose number may be a fraction, shows such a loss
    if weight_U is None:
        unseen = max(0.0, 1.0 - abs(slack) / 100.0) ** clusters
    else:
        unseen = unseen_chance(weight_U, abs(slack))
    return MarginTest(
        name="bootstrap",
        change=change,
        lower=max(change - width, -100.0),
        p_kept=max(_p_beyond(moved_R, slack), unseen if slack > 0 else 0.5),
        p_dropped=max(_p_beyond(-moved_R, -slack), unseen if slack < 0 else 0.5),
    )


def unseen_loss(weight_U: Array, *, alpha: float) -> float:
    """The largest mean loss in points at which no cluster shows a loss with probability ``alpha``.

    ``weight_U``: the clusters' shares in the mean (sum 1). A cluster is lost with a probability of
    its own, and the worst case puts the losses where one cluster counts most: the largest sum of
    share x probability for which the product of 1 - probability is ``alpha``. For U equal clusters
    it is 100 (1 - alpha^(1/U)), Clopper and Pearson's. A mean over benchmarks of 2,000 and 9 items
    rests on the nine.
    """
    weight_U = np.sort(weight_U[weight_U > 0])[::-1]
    count_U = np.arange(1, len(weight_U) + 1)
    # With the k largest at risk, 1 - probability is level / share for each of them.
    level_U = np.exp((np.log(alpha) + np.cumsum(np.log(weight_U))) / count_U)
    at = int(np.argmax(np.append(weight_U[1:], 0.0) <= level_U))
    return 100.0 * float(weight_U[: at + 1].sum() - (at + 1) * level_U[at])


def unseen_chance(weight_U: Array, loss: float) -> float:
    """The largest probability that no cluster shows a mean loss of ``loss`` points: the inverse."""
    low, high = -700.0, 0.0  # of log alpha
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        more = unseen_loss(weight_U, alpha=float(np.exp(middle))) > loss
        low, high = (middle, high) if more else (low, middle)
    return float(np.exp(high))


def small_sample(clusters: float) -> float:
    """Factor on the spread of replicates of a mean of few clusters, one-sided 95 %.

    t quantile over normal quantile (Hesterberg, The American Statistician 69, 2015); G at least 2.
    1.05 for 20 clusters, 1.003 for 400. Units are resampled one fewer at a time
    (:mod:`.resampling`), so that the variance itself needs no factor.
    """
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(max(2.0, clusters) - 1.0, 1.0 - ONE_SIDED)) / -float(ndtri(ONE_SIDED))


def moving_clusters(sums_KU: Array) -> Array:
    """Clusters (K,) of equal share that carry as much of a change as those behind ``sums_KU``.

    ``sums_KU``: every cluster's part of the change. (sum |x|)^2 / sum x^2 (Kish); 0 for none.
    """
    size_KU = np.abs(sums_KU)
    squares_K = (size_KU**2).sum(axis=1)
    whole_K = size_KU.sum(axis=1) ** 2
    return np.asarray(whole_K / np.where(squares_K > 0, squares_K, 1.0))


def effective_clusters(benchmarks: Sequence[ItemScores]) -> float:
    """Clusters of equal share that carry as much as those behind the mean over ``benchmarks``.

    1 / sum of squared shares (Kish), a cluster's share being its weight over its benchmark's and
    over their number. Equal to the number of clusters for one benchmark of equal clusters.
    """
    squares = 0.0
    for items in benchmarks:
        units = units_of(items.cluster_N, items.stratum_N)
        share_C = units.sums(items.weight_N[None])[0] / items.weight_N.sum()
        squares += float((share_C**2).sum()) / len(benchmarks) ** 2
    return 1.0 / squares


def _p_beyond(moved_R: Array, slack: float) -> float:
    """p of a change that lies ``slack`` above its null; ``moved_R`` are change* - change."""
    replicates = len(moved_R)
    shifted = float((moved_R >= slack - TIE).mean())
    if slack >= -float(moved_R.min()):  # no weights reach so far
        tilted = 0.0
    elif slack <= -float(moved_R.max()):
        tilted = 1.0
    else:
        tilted = _tilted(moved_R, mean=-slack)[0]
    # A share of 1 may come out a rounding above it.
    return (1.0 + replicates * min(max(shifted, tilted), 1.0)) / (replicates + 1.0)


def _tilted_width(moved_R: Array, share: float) -> float:
    """How far the null lies below the change where a ``share`` of it reaches the change."""
    if float(moved_R.min()) >= -TIE:
        return 0.0
    return -_tilted(moved_R, share=share)[1]


def _tilted(moved_R: Array, *, share: float = inf, mean: float = inf) -> tuple[float, float]:
    """Share at or above 0 and mean of the replicates re-weighted by exp(t moved).

    Both rise with t; it is the largest at which neither exceeds the ``share`` or ``mean`` given.
    """
    standard_R = moved_R / float(moved_R.std())
    reaches_R = moved_R >= -TIE
    low, high = -STEEPEST, STEEPEST
    share_now = mean_now = 0.0
    for _ in range(HALVINGS):
        t = (low + high) / 2.0
        power_R = t * standard_R
        weight_R = np.exp(power_R - power_R.max())
        total = float(weight_R.sum())
        share_now = float(weight_R[reaches_R].sum()) / total
        mean_now = float(weight_R @ moved_R) / total
        low, high = (low, t) if share_now > share or mean_now > mean else (t, high)
    return share_now, mean_now


def _check_counts(lost: int, won: int, n: int) -> None:
    if n < 1 or lost < 0 or won < 0 or lost + won > n:
        raise ValueError(f"{lost} lost and {won} won don't fit {n} pairs")


def _check_margin(margin: float) -> None:
    if not 0.0 <= margin < 100.0:
        raise ValueError(f"margin {margin!r} is not within 0..100")
