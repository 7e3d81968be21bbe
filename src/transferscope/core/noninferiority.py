"""Is a loss within its margin? One-sided tests of a paired change against -margin.

For one 0/1 outcome per independent item, this is Tango's score test (Statistics in Medicine 17,
1998, pages 891-908). If items only fall, the exact binomial test is used as well, because score
tests are then too liberal (6 % false passes at nominal 5 %). Both have a positive width if no pair
is discordant. In all other cases (repeats, fractional scores, clusters, group means) the test uses
replicates of the cluster bootstrap, with a minimum width. Changes, margins and bounds are in
points; see docs/science.md, section 2.
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
"""Level of the one-sided bound: a guard passes if the bound is above -margin."""
HALVINGS = 60
"""Number of bisections of [-1, 1]: the remaining width is below the spacing of floats near 1."""
STEEPEST = 60.0
"""Largest tilt per standard error: at this tilt only the outermost replicate has any weight."""
CONTINUITY = 0.25
"""Continuity correction in pairs: Tango's statistic is moved towards the null by this if any pair
rose. Counts are integers; without it up to 6.1 % of drops equal to the margin pass at 20 to 1,000
pairs, with it 4.9 %."""
TIE = 1e-7
"""Points. Tolerance for rounding: a change this close to a bound counts as reaching it."""


@dataclass(frozen=True, slots=True)
class MarginTest:
    """The test of a change against its margin.

    ``name``: ``tango`` or ``bootstrap``. ``change`` and its one-sided 95 % bound ``lower`` are in
    points. ``p_kept`` tests H0 "change <= -margin" (small: the loss is within the margin),
    ``p_dropped`` tests H0 "change >= -margin" (small: the drop exceeds it). ``lower`` is above
    -margin exactly if ``p_kept`` is at most 0.05.
    """

    name: str
    change: float
    lower: float
    p_kept: float
    p_dropped: float


def tango_z(lost: int, won: int, n: int, change: float, *, correction: float = 0.0) -> float:
    """Score statistic of H0: P(0 -> 1) - P(1 -> 0) = ``change`` (-1..1), from n pairs.

    ``lost`` pairs went 1 -> 0 and ``won`` pairs 0 -> 1; ``correction`` pairs are subtracted from
    their difference. Positive values: the data are above ``change``. At change 0 this is McNemar's
    (won - lost) / sqrt(won + lost); 0 if there is no evidence against H0.
    """
    if change > 0:  # mirrored, so that the root below never cancels
        return -tango_z(won, lost, n, -change, correction=-correction)
    excess = won - lost - n * change - correction
    variance = n * (2.0 * lost_share(lost, won, n, change) + change * (1.0 - change))
    if abs(excess) <= 1e-12 * n:
        return 0.0
    return excess / sqrt(variance) if variance > 0 else copysign(inf, excess)


def lost_share(lost: Count, won: Count, n: int, change: float) -> Count:
    """Maximum-likelihood P(1 -> 0) under H0: P(0 -> 1) - P(1 -> 0) = ``change``, -1 to 0.

    The larger root of 2n q^2 + b q + c = 0 (Tango 1998). Accepts numbers and arrays.
    """
    b = (2 * n - won + lost) * change - lost - won
    c = -lost * change * (1.0 - change)
    inside = b * b - 8.0 * n * c
    # Negative only because of rounding
    share: Count = (((inside + abs(inside)) / 2.0) ** 0.5 - b) / (4.0 * n)
    return share


def tango_lower(
    lost: int, won: int, n: int, *, alpha: float = ONE_SIDED, correction: float = 0.0
) -> float:
    """One-sided lower 1 - ``alpha`` bound of the change in points, by inverting Tango's test.

    ``correction`` is as in :func:`tango_z`. Without discordant pairs the bound is
    -100 z^2 / (n + z^2). Raises :class:`ValueError` for impossible counts.
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
    """One-sided lower bound in points if ``net_lost`` of n items fell and none can rise.

    Clopper and Pearson's bound; if nothing was lost, 100 (alpha^(1/n) - 1). Raises
    :class:`ValueError` for a net gain, which is impossible for such items.
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

    ``p_kept`` and the bound are never better than those of the exact test of the net losses:
    P(X <= lost - won) for n items that are lost with probability margin / 100 and never won. For a
    net gain only Tango's test applies. If any pair rose, it includes :data:`CONTINUITY`.
    ``p_dropped`` is :func:`dropped_p`.

    Raises :class:`ValueError` for impossible counts and for a margin outside that range.
    """
    from scipy.special import bdtr, ndtr

    _check_margin(margin)
    _check_counts(lost, won, n)
    null, net = -margin / 100.0, lost - won
    correction = CONTINUITY if won else 0.0  # if none rose, the exact test accounts for the steps
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
    """p (X,) of "the drop exceeds ``margin``" (points) for counts of n pairs; small if it does.

    The largest of three probabilities of lost - won or more net losses under a drop equal to the
    margin:

    - Tango's, with a continuity correction of half a pair;
    - the same with the skewness of the net losses (the first Edgeworth term): a loss is rarer than
      no loss, and the upper tail is longer than the normal one;
    - the exact binomial P(X >= lost - won) if items are lost and never won.

    Summed over all outcomes of 20 to 2,000 pairs, margins of 0.5 to 10 and up to a fifth of the
    pairs won, the first alone calls up to 6.1 % of such drops larger at nominal 5 %, and any of
    three guards after Holm in up to 7.1 %; with the last 5.7 and 6.0 %; all three 5.0 and 4.9 %.
    """
    from scipy.special import bdtrc, ndtr

    null, net_X = margin / 100.0, (lost_X - won_X).astype(float)
    both_X = 2.0 * lost_share(lost_X.astype(float), won_X.astype(float), n, -null) - null
    spread_X = np.sqrt(np.maximum(n * (both_X - null**2), 1e-60))  # 0 if nothing can move
    z_X = np.clip((net_X - 0.5 - n * null) / spread_X, -40.0, 40.0)  # p is 0 or 1 outside
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

    ``change_R``: replicates (R,) of the change in points, at least 19. ``clusters``: the number of
    resampled clusters; for a mean over benchmarks, :func:`effective_clusters`. ``moving``: how many
    of them carry the change (:func:`moving_clusters`; equal to ``clusters`` if unknown).
    ``weight_U``: each cluster's share of the change, if the shares differ.

    The p values come from the replicates moved to the null, so that their mean is -margin: p is the
    share (1 + k) / (R + 1) of them that are at least as far from -margin as the change is. They are
    moved in two ways, and the larger p and the lower bound count:

    - shifted, change* - change - margin, which keeps their spread;
    - re-weighted by exp(t change*), which resamples a population with that mean (exponential
      tilting, Efron, Canadian Journal of Statistics 9, 1981): if losses are rare, their spread
      grows with the loss.

    Shifting alone passes too many drops equal to the margin if items only fall; re-weighting alone
    does so if there are few clusters. docs/coverage.md has the error rates of both together.

    If there are few clusters, or few of them move, their spread is estimated from these few only.
    The replicates are then widened first, by :func:`small_sample`.

    Replicates can't show a loss that no cluster in the sample had. So the distance to the bound is
    at least that of the exact test of these clusters if none moved (:func:`unseen_loss`).

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
    # The probability that no cluster shows such a loss; the number of clusters may be fractional
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
    """The largest mean loss in points of which no cluster shows any with probability ``alpha``.

    ``weight_U``: the clusters' shares of the mean (sum 1). Each cluster has its own probability of
    loss. The worst case puts the losses in the clusters with the largest shares: the largest sum of
    share x probability for which the product of 1 - probability is ``alpha``. For U equal clusters
    it is 100 (1 - alpha^(1/U)), Clopper and Pearson's. The bound for a mean over benchmarks of
    2,000 and 9 items is determined by the 9.
    """
    weight_U = np.sort(weight_U[weight_U > 0])[::-1]
    count_U = np.arange(1, len(weight_U) + 1)
    # If the k largest are at risk, 1 - probability is level / share for each of them.
    level_U = np.exp((np.log(alpha) + np.cumsum(np.log(weight_U))) / count_U)
    at = int(np.argmax(np.append(weight_U[1:], 0.0) <= level_U))
    return 100.0 * float(weight_U[: at + 1].sum() - (at + 1) * level_U[at])


def unseen_chance(weight_U: Array, loss: float) -> float:
    """The largest probability that no cluster shows a mean loss of ``loss`` points."""
    low, high = -700.0, 0.0  # of log alpha
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        more = unseen_loss(weight_U, alpha=float(np.exp(middle))) > loss
        low, high = (middle, high) if more else (low, middle)
    return float(np.exp(high))


def small_sample(clusters: float) -> float:
    """Factor by which to widen replicates of a mean of few clusters, one-sided 95 %.

    The ratio of t to normal quantile (Hesterberg, The American Statistician 69, 2015) for at least
    2 clusters: 1.05 for 20 clusters, 1.003 for 400. The variance itself needs no factor, because
    one unit fewer than there are is drawn (:mod:`.resampling`).
    """
    from scipy.special import ndtri, stdtrit

    return float(stdtrit(max(2.0, clusters) - 1.0, 1.0 - ONE_SIDED)) / -float(ndtri(ONE_SIDED))


def moving_clusters(sums_KU: Array) -> Array:
    """Number of equal clusters (K,) that would carry as much of a change as those in ``sums_KU``.

    ``sums_KU``: each cluster's part of the change. (sum |x|)^2 / sum x^2 (Kish); 0 for none.
    """
    size_KU = np.abs(sums_KU)
    squares_K = (size_KU**2).sum(axis=1)
    whole_K = size_KU.sum(axis=1) ** 2
    return np.asarray(whole_K / np.where(squares_K > 0, squares_K, 1.0))


def effective_clusters(benchmarks: Sequence[ItemScores]) -> float:
    """Number of equal clusters equivalent to those behind the mean over ``benchmarks``.

    1 / sum of squared shares (Kish). A cluster's share is its weight divided by its benchmark's
    weight and by the number of benchmarks. For one benchmark of equal clusters this is their count.
    """
    squares = 0.0
    for items in benchmarks:
        units = units_of(items.cluster_N, items.stratum_N)
        share_C = units.sums(items.weight_N[None])[0] / items.weight_N.sum()
        squares += float((share_C**2).sum()) / len(benchmarks) ** 2
    return 1.0 / squares


def _p_beyond(moved_R: Array, slack: float) -> float:
    """p of a change that is ``slack`` above its null; ``moved_R`` are change* - change."""
    replicates = len(moved_R)
    shifted = float((moved_R >= slack - TIE).mean())
    if slack >= -float(moved_R.min()):  # no weights can move the mean that far
        tilted = 0.0
    elif slack <= -float(moved_R.max()):
        tilted = 1.0
    else:
        tilted = _tilted(moved_R, mean=-slack)[0]
    # A share of 1 may come out a rounding above it.
    return (1.0 + replicates * min(max(shifted, tilted), 1.0)) / (replicates + 1.0)


def _tilted_width(moved_R: Array, share: float) -> float:
    """How far the null is below the change if a ``share`` of its replicates reach the change."""
    if float(moved_R.min()) >= -TIE:
        return 0.0
    return -_tilted(moved_R, share=share)[1]


def _tilted(moved_R: Array, *, share: float = inf, mean: float = inf) -> tuple[float, float]:
    """Share at or above 0, and mean, of the replicates re-weighted by exp(t moved).

    Both increase with t, which is the largest at which neither exceeds ``share`` or ``mean``.
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
