"""Minimum detectable effects: the smallest change that a test establishes with 80 % power.

Each is computed for the test that is actually used. Changes are in points. ``None`` means that no
change could be shown: the test gives no p below 0.05 however the items turn out, or only for
changes larger than a score can have. The discordance (share of items that flip) is the observed
one, but at least the change itself: a change of 8 points needs at least 8 flips in 100. The normal
formula 280 sqrt(q / n) ignores both facts and is far too small if few items flip. See
docs/science.md, section 2; tests/core/test_power.py checks each by simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, erfc, floor, sqrt

import numpy as np
from numpy.typing import NDArray

from .noninferiority import ONE_SIDED, dropped_p, exact_lower
from .standing import ALPHA

POWER = 0.8
WINDOW = 0.02
"""Allowed deviation from 80 % power, since power jumps with each item more or less."""
TRIED = 2_000
"""For plans of up to about this many items, every number is tried."""
SIGMAS = 6.5
"""Numbers of discordant pairs further than this from their mean have probability below 1e-10."""
HALVINGS = 17
"""Number of bisections of 0..100 points: resolves 0.001 points."""
MANY = 150
"""From this expected number of discordant pairs on, Tango's power uses normal distributions."""
VERY_MANY = 2_000
"""The same threshold for McNemar's test, whose exact power is cheaper to sum."""


def mcnemar_mde(lost: int, won: int, n: int) -> float | None:
    """MDE of exact McNemar on ``n`` pairs, given that ``lost`` + ``won`` of them flipped."""
    return _mcnemar_mde(lost + won, n)


@lru_cache(maxsize=4096)
def _mcnemar_mde(discordant: int, n: int) -> float | None:
    seen = discordant / n
    return _smallest(lambda change: mcnemar_power(n, max(seen, change), change))


def mcnemar_power(n: int, discordance: float, change: float) -> float:
    """Probability that exact McNemar on ``n`` pairs gives p below 0.05 and the right sign.

    ``change`` = P(0 -> 1) - P(1 -> 0), above 0, and ``discordance`` is the sum of the two, at least
    as large (both 0..1). The number of discordant pairs is binomial, and given it so is the number
    of wins. If :data:`VERY_MANY` are expected, both are taken as normal (a continuity correction
    accounts for the exact p; within 0.2 points of power).
    """
    if n * discordance > VERY_MANY:
        return _normal_power(n, discordance, change, null=0.0, tail=ALPHA / 2.0, correction=1.0)
    return _power(n, discordance, change, _mcnemar_least)


def items_for(change: float, discordance: float) -> int:
    """Smallest number of pairs with which exact McNemar detects ``change`` (0..1) with 80 % power.

    The power of an exact test is a sawtooth in n. If the smallest n with 80 % power overshoots
    82 %, because n - 1 pairs have less than 80 %, then the smallest n with 78 to 82 % is returned;
    if no n has that (changes of 60 points and more), the smallest with 80 %. Beyond :data:`TRIED`
    pairs the teeth are lower than 0.01, and n is where power crosses 80 %.
    """
    # Miettinen's formula (Biometrics 24, 1968), corrected for the steps of an exact test
    # Miettinen's formula (Biometrics 24, 1968) with a correction for an exact test's steps
    root = 1.96 * sqrt(discordance) + 0.842 * sqrt(max(0.0, discordance - change**2))
    about = ceil((root / change) ** 2 + 2.0 / change)
    if about > TRIED:
        low, high = about // 2, 2 * about
        while high - low > 1:
            middle = (low + high) // 2
            enough = mcnemar_power(middle, discordance, change) >= POWER
            low, high = (low, middle) if enough else (middle, high)
        return high
    tried = range(6, about + about // 4 + 60)  # with five pairs, p can't be below 0.05
    powers = [mcnemar_power(n, discordance, change) for n in tried]
    first = next(at for at, power in enumerate(powers) if power >= POWER)
    if powers[first] <= POWER + WINDOW:
        return tried[first]
    near = (at for at, power in enumerate(powers) if abs(power - POWER) <= WINDOW)
    return tried[next(near, first)]


def tango_mde(lost: int, won: int, n: int, *, margin: float) -> float | None:
    """Smallest drop (points, positive) that Tango's test shows to exceed ``margin`` points."""
    seen = (lost + won) / n

    def enough(discordant_D: NDArray[np.int64]) -> NDArray[np.int64]:
        return _least_lost(discordant_D, n, margin)

    def power(drop: float) -> float:
        q, null = max(seen, drop), margin / 100.0
        if n * q > MANY:
            return _normal_power(n, q, drop, null=null, tail=ONE_SIDED, correction=0.5)
        return _power(n, q, drop, enough)

    return _smallest(power, above=margin)


def mean_mde(error: float, units: float, *, unmoved: bool) -> float | None:
    """MDE of the sign-flip test on ``units`` clusters, from the mean's standard error (points).

    The sign-flip test of U units has about the power of the t test with U - 1 degrees of freedom.
    ``unmoved``: most units did not move, so a change would add flips and hence spread. The MDE is
    then at least that of McNemar's test on the same number of items, none of which flipped.
    """
    least = _noncentrality(units - 1.0, ALPHA / 2.0) * error
    return _at_least(least, mcnemar_mde(0, 0, _whole(units)) if unmoved else least)


def unpaired_mde(error: float) -> float | None:
    """MDE of the z test on two scores, from the standard error of their difference (points)."""
    return _at_least((1.959964 + 0.841621) * error, 0.0)


def margin_mde(error: float, units: float, *, margin: float, unmoved: bool) -> float | None:
    """Smallest drop that a one-sided test on ``units`` clusters shows to exceed ``margin``.

    ``error`` and ``unmoved`` are as in :func:`mean_mde`. In addition to a t test,
    :func:`.bootstrap_margin` requires an excess that this number of units would not hide: 14 points
    for 20 units, whatever the error.
    """
    hidden = -exact_lower(0, units) + _quantile(POWER) * error
    least = margin + max(_noncentrality(units - 1.0, ONE_SIDED) * error, hidden)
    return _at_least(least, tango_mde(0, 0, _whole(units), margin=margin) if unmoved else least)


def _whole(units: float) -> int:
    """The whole units in an effective number, whose rounding error must not cost one."""
    return floor(units + 1e-6)


def _at_least(change: float, other: float | None) -> float | None:
    """The larger of the two, if both can be shown."""
    return None if other is None or max(change, other) > 100.0 else max(change, other)


def _smallest(power: Callable[[float], float], *, above: float = 0.0) -> float | None:
    """The smallest change in points for which ``power`` (a function of a share 0..1) suffices."""
    low, high = above, 100.0
    if power(1.0) < POWER:
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if power(middle / 100.0) >= POWER else (middle, high)
    return high


def _power(
    n: int,
    discordance: float,
    change: float,
    least: Callable[[NDArray[np.int64]], NDArray[np.int64]],
) -> float:
    """Probability that at least ``least(D)`` of D discordant pairs go the way of ``change``."""
    from scipy.special import bdtrc, gammaln, xlog1py, xlogy

    spread = SIGMAS * sqrt(n * discordance * (1.0 - discordance)) + 2.0
    first = max(0, int(n * discordance - spread))
    count_D = np.arange(first, min(n, ceil(n * discordance + spread)) + 1)
    log_D = gammaln(n + 1) - gammaln(count_D + 1) - gammaln(n - count_D + 1)
    log_D += xlogy(count_D, discordance) + xlog1py(n - count_D, -discordance)
    least_D = least(count_D)
    share = min(1.0, (discordance + change) / (2.0 * discordance))
    possible_D = least_D <= count_D
    reached_D = bdtrc(np.maximum(least_D - 1, 0), np.maximum(count_D, 1), share)
    reached_D = np.where(least_D <= 0, 1.0, reached_D)
    return float(np.exp(log_D[possible_D]) @ reached_D[possible_D])


def _normal_power(
    n: int, discordance: float, change: float, *, null: float, tail: float, correction: float
) -> float:
    """:func:`_power` for many discordant pairs: wins - losses is taken as normal."""
    beyond = n * (change - null) - correction
    threshold = _quantile(1.0 - tail) * sqrt(n * max(discordance - null * null, 0.0))
    spread = sqrt(2.0 * n * max(discordance - change * change, 1e-12))
    return 0.5 * erfc((threshold - beyond) / spread)


@lru_cache(maxsize=8)
def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _mcnemar_least(discordant_D: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each D pairs, the fewest on one side with exact two-sided p below 0.05; D + 1: none."""
    return _mcnemar_table(1 << int(discordant_D[-1]).bit_length())[discordant_D]


@lru_cache(maxsize=16)
def _mcnemar_table(size: int) -> NDArray[np.int64]:
    """:func:`_mcnemar_least` for 0 to ``size``."""
    from scipy.special import bdtr

    discordant_D = np.arange(size + 1)
    # Downwards: the largest possible number on the other side
    most_D = np.floor(discordant_D / 2.0 - 0.97 * np.sqrt(discordant_D)) + 2.0
    most_D = np.minimum(most_D, discordant_D)
    for _ in range(6):
        p_D = np.where(most_D < 0, 0.0, 2.0 * bdtr(np.maximum(most_D, 0), discordant_D, 0.5))
        most_D = np.where(p_D >= ALPHA, most_D - 1.0, most_D)
    return np.asarray(discordant_D - np.maximum(most_D, -1.0), dtype=np.int64)


def _least_lost(discordant_D: NDArray[np.int64], n: int, margin: float) -> NDArray[np.int64]:
    """For D discordant pairs of n, the fewest lost with which the drop exceeds the margin.

    D + 1 if no number suffices. Bisects for all D at once.
    """
    low_D, high_D = np.full(len(discordant_D), -1), discordant_D + 1
    while (open_D := high_D - low_D > 1).any():
        lost_D = np.where(open_D, (low_D + high_D) // 2, 0)
        shown_D = dropped_p(lost_D, discordant_D - lost_D, n, margin=margin) < ONE_SIDED
        high_D = np.where(open_D & shown_D, lost_D, high_D)
        low_D = np.where(open_D & ~shown_D, lost_D, low_D)
    return high_D


@lru_cache(maxsize=4096)
def _noncentrality(freedom: float, tail: float) -> float:
    """Noncentrality, in standard errors, at which a t test with this freedom has 80 % power."""
    from scipy.special import nctdtrinc, stdtrit

    df = max(1.0, freedom)
    return float(nctdtrinc(df, 1.0 - POWER, stdtrit(df, 1.0 - tail)))
