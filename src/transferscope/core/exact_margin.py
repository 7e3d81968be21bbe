"""The exact test of "the drop exceeds its margin" for n pairs of 0/1 outcomes.

Tango's statistic (:mod:`.noninferiority`) orders the outcomes, but its distribution is enumerated
instead of approximated by a normal one. Each of n pairs falls, rises or stays with some
probabilities, and the p value is the largest over all probabilities that satisfy the null
hypothesis (an unconditional test, after Berger and Sidik, Statistical Methods in Medical Research
12, 2003, pages 91-108). So its level holds for any n. docs/science.md, section 2, says where the
gate uses it.
"""

from __future__ import annotations

from math import ceil, exp, sqrt

import numpy as np
from numpy.typing import NDArray

from .noninferiority import lost_share
from .stats import Array

GRID = 400
"""Number of rise probabilities over which p is maximised; dense near 0, where few pairs rise."""
SPREAD = 7.0
"""Range of the number of discordant pairs in the sum, in standard deviations."""
BEYOND = 2.0 * exp(-(SPREAD**2) / 2.0)
"""Upper bound of the probability outside this range, 5e-11, which is added to p."""


def exact_dropped(lost: int, won: int, n: int, *, margin: float) -> float:
    """p of H0 "the change is at least -margin": small if the drop exceeds the ``margin``.

    ``lost`` of ``n`` pairs went 1 -> 0 and ``won`` went 0 -> 1; ``margin`` is in points, 0 to below
    100. Outcomes count as at least as extreme if Tango's statistic is no larger. Losing one more
    pair, or winning one fewer, never makes an outcome less extreme. So the probability under H0 is
    largest where the change is exactly -margin. Raises :class:`ValueError` for impossible counts
    and for a margin outside its range.
    """
    from scipy.special import bdtrc, gammaln, xlog1py, xlogy

    if n < 1 or lost < 0 or won < 0 or lost + won > n:
        raise ValueError(f"{lost} lost and {won} won don't fit {n} pairs")
    if not 0.0 <= margin < 100.0:
        raise ValueError(f"margin {margin!r} is not within 0..100")
    drop = margin / 100.0
    fewest_D = _fewest_lost(lost, won, n, drop)
    discordant_D = np.arange(n + 1)
    choose_D = gammaln(n + 1) - gammaln(discordant_D + 1) - gammaln(n - discordant_D + 1)
    rise_G = (1.0 - drop) / 2.0 * np.linspace(0.0, 1.0, GRID) ** 2
    both_G = np.minimum(2.0 * rise_G + drop, 1.0)
    fall_G = np.divide(rise_G + drop, both_G, out=np.full(GRID, 0.5), where=both_G > 0)
    p = 0.0
    for both, fall in zip(both_G, fall_G, strict=True):
        near = slice(*_near(n, float(both)))
        count_D, least_D = discordant_D[near], fewest_D[near]
        log_D = choose_D[near] + xlogy(count_D, both) + xlog1py(n - count_D, -both)
        # P(X >= k) for X falls among D discordant pairs: 0 for k = D + 1
        reached_D = np.where(least_D > 0, bdtrc(least_D - 1, count_D, fall), 1.0)
        p = max(p, float(np.exp(log_D) @ reached_D) + BEYOND)
    return min(1.0, p)


def _near(n: int, share: float) -> tuple[int, int]:
    """Range (start, exclusive end) of the number of discordant pairs that has all but
    :data:`BEYOND` of the probability.

    The range of SPREAD deviations plus SPREAD^2 / 3 pairs follows from Bernstein's inequality.
    """
    reach = SPREAD * sqrt(n * share * (1.0 - share)) + SPREAD**2 / 3.0
    return max(0, int(n * share - reach)), min(n, ceil(n * share + reach)) + 1


def _fewest_lost(lost: int, won: int, n: int, drop: float) -> NDArray[np.int64]:
    """For D = 0..n discordant pairs, the fewest lost that are as extreme; D + 1 if none are."""
    observed = float(tango_scores(np.array([lost]), np.array([won]), n, drop)[0])
    limit = observed + 1e-9 * max(1.0, abs(observed)) if np.isfinite(observed) else observed
    return fewest_lost(np.arange(n + 1), n, drop, limit=limit)


def fewest_lost(
    discordant_D: NDArray[np.int64], n: int, drop: float, *, limit: float
) -> NDArray[np.int64]:
    """For each D discordant pairs, the fewest lost with Tango's statistic at most ``limit``.

    D + 1 if there are none. ``drop`` is as in :func:`tango_scores`.
    """
    low_D, high_D = np.zeros_like(discordant_D), discordant_D + 1
    while (open_D := low_D < high_D).any():
        middle_D = (low_D + high_D) // 2
        score_D = tango_scores(middle_D, discordant_D - middle_D, n, drop)
        high_D = np.where(open_D & (score_D <= limit), middle_D, high_D)
        low_D = np.where(open_D & (score_D > limit), middle_D + 1, low_D)
    return low_D


def tango_scores(lost_X: NDArray[np.int64], won_X: NDArray[np.int64], n: int, drop: float) -> Array:
    """:func:`.noninferiority.tango_z` for H0 "change = -drop" (0..1), for many outcomes at once."""
    excess_X = won_X - lost_X + n * drop
    q_X = lost_share(lost_X.astype(float), won_X.astype(float), n, -drop)
    variance_X = n * (2.0 * q_X - drop * (1.0 + drop))
    with np.errstate(divide="ignore", invalid="ignore"):
        score_X = excess_X / np.sqrt(np.maximum(variance_X, 0.0))
    return np.asarray(np.where(np.abs(excess_X) <= 1e-12 * n, 0.0, score_X))
