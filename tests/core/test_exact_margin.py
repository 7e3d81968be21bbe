"""The exact margin test against a full enumeration, values worked out by hand, and its level."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.core.exact_margin import BEYOND, _near, exact_dropped, tango_scores
from transferscope.core.noninferiority import tango_z


def outcomes(n: int) -> list[tuple[int, int]]:
    return [(lost, won) for lost, won in product(range(n + 1), repeat=2) if lost + won <= n]


def probability(lost: int, won: int, n: int, fall: float, rise: float) -> float:
    stay = 1.0 - fall - rise
    ways = comb(n, lost) * comb(n - lost, won)
    return ways * fall**lost * rise**won * stay ** (n - lost - won)


def by_enumeration(lost: int, won: int, n: int, drop: float) -> float:
    """Largest probability, over a grid of rises, of what is at least as extreme."""
    limit = tango_z(lost, won, n, -drop)
    extreme = [o for o in outcomes(n) if tango_z(*o, n, -drop) <= limit + 1e-9]
    rises = (1.0 - drop) / 2.0 * np.linspace(0.0, 1.0, 2001)
    return max(
        sum(probability(*o, n, min(rise + drop, 1.0 - rise), rise) for o in extreme)
        for rise in rises
    )


@given(st.data())
def test_scores_of_many_outcomes_are_those_of_one(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 300))
    lost = data.draw(st.integers(0, n))
    won = data.draw(st.integers(0, n - lost))
    drop = data.draw(st.floats(0.0, 0.9))
    (many,) = tango_scores(np.array([lost]), np.array([won]), n, drop)
    one = tango_z(lost, won, n, -drop)
    assert many == one or many == pytest.approx(one, rel=1e-6, abs=1e-6)


def test_two_pairs_by_hand() -> None:
    # Only "both lost" is as extreme as itself: its probability is fall^2 with fall = rise + margin,
    # at most (1 + margin)^2 / 4, where no pair stays.
    assert exact_dropped(2, 0, 2, margin=0.0) == pytest.approx(0.25)
    assert exact_dropped(2, 0, 2, margin=10.0) == pytest.approx(0.55**2)


def test_all_of_twenty_lost() -> None:
    # (1 + 0.03)^20 / 2^20 where no pair stays; every other outcome is less extreme
    assert exact_dropped(20, 0, 20, margin=3.0) == pytest.approx(0.515**20, abs=1e-10)


@pytest.mark.parametrize(
    ("lost", "won", "n", "drop"),
    [(5, 0, 8, 0.03), (4, 1, 8, 0.1), (3, 3, 8, 0.03), (6, 0, 12, 0.2), (0, 2, 6, 0.05)],
)
def test_against_a_full_enumeration(lost: int, won: int, n: int, drop: float) -> None:
    found = exact_dropped(lost, won, n, margin=100 * drop)
    assert found == pytest.approx(by_enumeration(lost, won, n, drop), abs=2e-4)


@pytest.mark.parametrize("drop", [0.0, 0.03, 0.2])
def test_the_level_holds_whatever_rises(drop: float) -> None:
    n = 14
    p = {o: exact_dropped(*o, n, margin=100 * drop) for o in outcomes(n)}
    for rise in (1.0 - drop) / 2.0 * np.linspace(0.0, 1.0, 41):
        fall = min(rise + drop, 1.0 - rise)
        alarms = sum(probability(*o, n, fall, rise) for o, value in p.items() if value <= 0.05)
        assert alarms <= 0.0501


@pytest.mark.parametrize(("n", "drop"), [(310, 0.02), (150, 0.05), (400, 0.03)])
def test_three_guards_at_their_margin_raise_no_more_than_one_alarm_in_twenty(
    n: int, drop: float
) -> None:
    # only falls, where the normal law gives 7.0, 5.5 and 5.8 %: Holm calls the smallest of three
    # p values below 0.05 / 3 a regression
    chance = [comb(n, k) * drop**k * (1 - drop) ** (n - k) for k in range(n // 5) if k < 60]
    alarm = sum(
        share
        for k, share in enumerate(chance)
        if k > n * drop and 3 * exact_dropped(k, 0, n, margin=100 * drop) < 0.05
    )
    assert 0.005 < 1 - (1 - alarm) ** 3 <= 0.05


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_more_lost_or_one_fewer_won_never_raises_p(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 40))
    lost = data.draw(st.integers(0, n - 1))
    won = data.draw(st.integers(0, n - 1 - lost))
    margin = data.draw(st.floats(0.0, 60.0))
    p = exact_dropped(lost, won, n, margin=margin)
    assert exact_dropped(lost + 1, won, n, margin=margin) <= p + 1e-9
    if won:
        assert exact_dropped(lost, won - 1, n, margin=margin) <= p + 1e-9
        assert exact_dropped(lost + 1, won - 1, n, margin=margin) <= p + 1e-9


def test_many_pairs_agree_with_the_normal_law() -> None:
    from scipy.special import ndtr

    # 60 lost, 20 won of 1,000 against 3 points: far from both edges
    exact = exact_dropped(60, 20, 1000, margin=3.0)
    assert exact == pytest.approx(float(ndtr(tango_z(60, 20, 1000, -0.03))), abs=0.02)


@pytest.mark.parametrize(("lost", "won", "n"), [(3, 3, 5), (-1, 0, 5), (0, 0, 0)])
def test_impossible_counts_are_refused(lost: int, won: int, n: int) -> None:
    with pytest.raises(ValueError, match="don't fit"):
        exact_dropped(lost, won, n, margin=2.0)


def test_a_margin_of_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="not within"):
        exact_dropped(1, 0, 5, margin=100.0)


def test_the_numbers_of_discordant_pairs_that_are_summed() -> None:
    # 7 deviations of 50 and 49 / 3 pairs about 5,000: 5,000 -+ 366.33
    assert _near(10_000, 0.5) == (4633, 5368)
    # about 50 with a deviation of 6.892: 50 -+ 64.58, cut at 0
    assert _near(1000, 0.05) == (0, 116)
    assert _near(10, 1.0) == (0, 11)
    assert _near(100, 1.0) == (83, 101)


@pytest.mark.parametrize(("n", "share"), [(10, 0.3), (1000, 0.001), (5000, 0.02), (2000, 0.5)])
def test_hardly_any_chance_lies_beyond_them(n: int, share: float) -> None:
    from scipy.stats import binom

    first, stop = _near(n, share)
    assert binom.cdf(first - 1, n, share) + binom.sf(stop - 1, n, share) <= BEYOND
