"""Smallest change that a test establishes with 80 % power: of the very test in use.

Changes are in points. ``None`` says that no change could be shown: the test gives no p below 0.05
however the items fall, or only beyond what a score can change by. The discordance (share of items
that flip) is the one seen, and never below the change itself: a change of 8 points needs at least 8
flips in 100. The normal formula 280 sqrt(q / n) knows neither and is far too small where few items
flip. docs/science.md section 2; tests/core/test_power.py simulates each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import ceil, erfc, sqrt

import numpy as np
from numpy.typing import NDArray

from .noninferiority import ONE_SIDED, dropped_p, exact_lower
from .standing import ALPHA

POWER = 0.8
WINDOW = 0.02
"""How far from 80 % the power of a plan may lie where one item more or less jumps over it."""
TRIED = 2_000
"""Up to about so many items a plan tries every number."""
SIGMAS = 6.5
"""Numbers of discordant pairs further than this from their mean carry less than 1e-10."""
HALVINGS = 17
"""Bisections of 0..100 points: to 0.001 points."""
MANY = 150
"""Expected discordant pairs from which on normal distributions serve for Tango's test."""
VERY_MANY = 2_000
"""The same for McNemar's, whose power is cheaper to sum."""


def mcnemar_mde(lost: int, won: int, n: int) -> float | None:
    """Of exact McNemar on ``n`` pairs, of which ``lost`` + ``won`` flipped here."""
    return _mcnemar_mde(lost + won, n)


@lru_cache(maxsize=4096)
def _mcnemar_mde(discordant: int, n: int) -> float | None:
    seen = discordant / n
    return _smallest(lambda change: mcnemar_power(n, max(seen, change), change))


def mcnemar_power(n: int, discordance: float, change: float) -> float:
    """Chance that exact McNemar's p is below 0.05 and of the right sign, over ``n`` pairs.

    ``change`` = P(0 -> 1) - P(1 -> 0), above 0, and ``discordance`` their sum, at least as large
    (both 0..1). The number of discordant pairs is binomial, and given it so is that of wins; where
    :data:`VERY_MANY` are expected, both are normal (a continuity correction makes up for the
    exact p; within 0.2 points of power).
    """
    if n * discordance > VERY_MANY:
        return _normal_power(n, discordance, change, null=0.0, tail=ALPHA / 2.0, correction=1.0)
    return _power(n, discordance, change, _mcnemar_least)


def items_for(change: float, discordance: float) -> int:
    """Fewest pairs with which exact McNemar shows ``change`` (0..1) with 80 % power.

    The power of an exact test is a sawtooth in n. Where the fewest pairs with 80 % have more than
    82 %, as one pair fewer has less than 80 %, the fewest with 78 to 82 % are taken; where no
    number has that (changes of 60 points and more), those with 80 %. Beyond :data:`TRIED` pairs
    the teeth are lower than 0.01, and n is where power crosses 80 %.
    """
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
    tried = range(6, about + about // 4 + 60)  # with five pairs no p is below 0.05
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
    ``unmoved``: most units did not move, so that a change brings flips and a spread of its own; it
    is at least that of McNemar's test on as many items of which none flipped.
    """
    least = _noncentrality(units - 1.0, ALPHA / 2.0) * error
    return _at_least(least, mcnemar_mde(0, 0, int(units)) if unmoved else least)


def unpaired_mde(error: float) -> float | None:
    """MDE of the z test on two scores, from the standard error of their difference (points)."""
    return _at_least((1.959964 + 0.841621) * error, 0.0)


def margin_mde(error: float, units: float, *, margin: float, unmoved: bool) -> float | None:
    """Smallest drop that a one-sided test on ``units`` clusters shows to exceed ``margin``.

    ``error`` and ``unmoved`` as in :func:`mean_mde`. Beside a t test :func:`.bootstrap_margin` asks
    for an excess that so many units would not hide: with 20 units 14 points, whatever the error.
    """
    hidden = -exact_lower(0, units) + _quantile(POWER) * error
    least = margin + max(_noncentrality(units - 1.0, ONE_SIDED) * error, hidden)
    return _at_least(least, tango_mde(0, 0, int(units), margin=margin) if unmoved else least)


def _at_least(change: float, other: float | None) -> float | None:
    """The larger of two, where both can be shown."""
    return None if other is None or max(change, other) > 100.0 else max(change, other)


def _smallest(power: Callable[[float], float], *, above: float = 0.0) -> float | None:
    """The change in points from which on ``power`` (of a share 0..1) is enough."""
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
    """Chance that of D discordant pairs at least ``least(D)`` go the way of ``change``."""
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
    """As :func:`_power` where many pairs are discordant: wins - losses as a normal variable."""
    beyond = n * (change - null) - correction
    threshold = _quantile(1.0 - tail) * sqrt(n * max(discordance - null * null, 0.0))
    spread = sqrt(2.0 * n * max(discordance - change * change, 1e-12))
    return 0.5 * erfc((threshold - beyond) / spread)


@lru_cache(maxsize=8)
def _quantile(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))


def _mcnemar_least(discordant_D: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fewest pairs of each D on one side with an exact two-sided p below 0.05; D + 1: none."""
    return _mcnemar_table(1 << int(discordant_D[-1]).bit_length())[discordant_D]


@lru_cache(maxsize=16)
def _mcnemar_table(size: int) -> NDArray[np.int64]:
    """:func:`_mcnemar_least` of 0 to ``size``."""
    from scipy.special import bdtr

    discordant_D = np.arange(size + 1)
    # From above downwards: the most on the other side
    most_D = np.floor(discordant_D / 2.0 - 0.97 * np.sqrt(discordant_D)) + 2.0
    most_D = np.minimum(most_D, discordant_D)
    for _ in range(6):
        p_D = np.where(most_D < 0, 0.0, 2.0 * bdtr(np.maximum(most_D, 0), discordant_D, 0.5))
        most_D = np.where(p_D >= ALPHA, most_D - 1.0, most_D)
    return np.asarray(discordant_D - np.maximum(most_D, -1.0), dtype=np.int64)


def _least_lost(discordant_D: NDArray[np.int64], n: int, margin: float) -> NDArray[np.int64]:
    """Fewest lost of D discordant pairs of n for which the drop exceeds the margin.

    D + 1 where none are enough. Bisection, for all D at once.
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
    """Standard errors that a t test with so many degrees of freedom shows with 80 % power."""
    from scipy.special import nctdtrinc, stdtrit

    df = max(1.0, freedom)
    return float(nctdtrinc(df, 1.0 - POWER, stdtrit(df, 1.0 - tail)))
