"""Detectable changes against enumeration and simulation of the very tests."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from transferscope.core import power
from transferscope.core.changes import paired_tests
from transferscope.core.noninferiority import tango
from transferscope.core.power import (
    items_for,
    margin_mde,
    mcnemar_mde,
    mcnemar_power,
    mean_mde,
    tango_mde,
    unpaired_mde,
)
from transferscope.core.stats import ItemScores, mcnemar_exact


def test_a_hundred_items_none_of_which_flipped() -> None:
    # a change of e makes e * 100 of them flip one way, and 6 must: P(Binomial(100, e) >= 6) = 0.8
    assert mcnemar_mde(0, 0, 100) == pytest.approx(7.79, abs=0.02)
    assert scipy_stats.binom.sf(5, 100, 0.0779) == pytest.approx(0.8, abs=0.001)
    # five items never reach 0.05 (2 / 2^5), six only if all flip
    assert mcnemar_mde(0, 0, 5) is None
    assert mcnemar_mde(0, 0, 6) == pytest.approx(100 * 0.8 ** (1 / 6), abs=0.02)


@pytest.mark.parametrize(("n", "q", "e"), [(9, 0.5, 0.4), (12, 0.6, 0.6), (14, 0.4, 0.1)])
def test_mcnemars_power_is_that_of_all_tables(n: int, q: float, e: float) -> None:
    lost, won = (q - e) / 2, (q + e) / 2
    total = 0.0
    for a, b in itertools.product(range(n + 1), repeat=2):
        if a + b <= n and mcnemar_exact(a, b) < 0.05 and b > a:
            total += scipy_stats.multinomial.pmf([a, b, n - a - b], n, [lost, won, 1 - q])
    assert mcnemar_power(n, q, e) == pytest.approx(total, abs=1e-9)


def test_the_rejection_table_is_the_binomial_test() -> None:
    table = power._mcnemar_table(1024)
    for count in (*range(1, 40), 100, 333, 1000):
        least = next(
            (
                w
                for w in range(count // 2 + 1, count + 1)
                if scipy_stats.binomtest(w, count, 0.5).pvalue < 0.05
            ),
            count + 1,
        )
        assert table[count] == least


@pytest.mark.parametrize(
    ("n", "q", "e"), [(1500, 0.2, 0.03), (1000, 0.3, 0.05), (600, 0.5, 0.085), (8000, 0.02, 0.005)]
)
def test_the_normal_branch_agrees_with_the_exact_one(n: int, q: float, e: float) -> None:
    exact = power._power(n, q, e, power._mcnemar_least)
    normal = power._normal_power(n, q, e, null=0.0, tail=0.025, correction=1.0)
    assert normal == pytest.approx(exact, abs=0.005)
    assert n * q > power.MANY


def test_both_branches_meet() -> None:
    below, above = (mcnemar_power(n, 0.2, 0.0125) for n in (9_999, 10_001))
    assert 0.7 < below < 0.9
    assert above - below == pytest.approx(0.0, abs=0.002)


def test_the_fewest_lost_are_those_of_the_test_itself() -> None:
    for n, margin in ((40, 5.0), (310, 2.0)):
        for discordant, least in enumerate(power._least_lost(np.arange(30), n, margin)):
            shown = [
                tango(lost, discordant - lost, n, margin=margin).p_dropped < 0.05
                for lost in range(discordant + 1)
            ]
            assert least == (shown.index(True) if any(shown) else discordant + 1)
            assert all(shown[least:])


@pytest.mark.parametrize(("lost", "won", "n"), [(3, 4, 60), (10, 5, 200), (0, 0, 40), (0, 9, 30)])
def test_mde_has_eighty_per_cent_power(lost: int, won: int, n: int) -> None:
    found = mcnemar_mde(lost, won, n)
    assert found is not None
    rng = np.random.default_rng(3)
    e, q = found / 100, max((lost + won) / n, found / 100)
    counts = rng.multinomial(n, [(q - e) / 2, (q + e) / 2, 1 - q], size=20_000)
    shown = {(a, b): mcnemar_exact(a, b) < 0.05 and b > a for a, b, _ in np.unique(counts, axis=0)}
    share = np.mean([shown[a, b] for a, b, _ in counts])
    assert share == pytest.approx(0.8, abs=0.015)  # 5 standard errors


@pytest.mark.parametrize(("lost", "won", "n", "margin"), [(0, 0, 100, 2.0), (6, 6, 150, 3.0)])
def test_tangos_detectable_drop_has_eighty_per_cent_power(
    lost: int, won: int, n: int, margin: float
) -> None:
    found = tango_mde(lost, won, n, margin=margin)
    assert found is not None
    assert found > margin
    rng = np.random.default_rng(4)
    e, q = found / 100, max((lost + won) / n, found / 100)
    counts = rng.multinomial(n, [(q + e) / 2, (q - e) / 2, 1 - q], size=4_000)
    shown = {
        (a, b): tango(int(a), int(b), n, margin=margin).p_dropped < 0.05
        for a, b, _ in np.unique(counts, axis=0)
    }
    assert np.mean([shown[a, b] for a, b, _ in counts]) == pytest.approx(0.8, abs=0.032)


@pytest.mark.parametrize("units", [10, 20, 60])
@pytest.mark.parametrize("still", [False, True])
def test_the_cluster_tests_detectable_change(units: int, still: bool) -> None:
    rng = np.random.default_rng(units)
    error = 0.0 if still else 100 * 0.3 / math.sqrt(units)
    found = mean_mde(error, float(units), unmoved=still)
    assert found is not None
    hits, times = 0, 1_500
    for _ in range(times):
        if still:  # nothing moves but what makes up the change
            moves = (rng.random(units) < found / 100).astype(float)
        else:
            moves = rng.normal(found / 100, 0.3, units)
        items = ItemScores.plain(np.vstack([np.zeros(units), moves]))
        (test,) = paired_tests(items, rng, single=False, replicates=499)
        hits += test.p < 0.05 and moves.sum() > 0
    # 1,500 data sets: 1 point; the t approximation is within 2 to 3, and a binomial is discrete
    assert hits / times == pytest.approx(0.8, abs=0.06)


def test_scores_with_standard_errors() -> None:
    # 100 (SE 3) against 95 (SE 1)
    assert unpaired_mde(math.sqrt(10.0)) == pytest.approx(8.86, abs=0.01)
    assert unpaired_mde(40.0) is None


def test_nothing_beyond_a_hundred_points() -> None:
    assert mean_mde(40.0, 20.0, unmoved=False) is None
    assert margin_mde(40.0, 20.0, margin=2.0, unmoved=False) is None


def test_a_margin_adds_to_what_can_be_seen() -> None:
    # 61 clusters: standard errors that a one-sided t test shows, about 2.52
    seen = margin_mde(4.0, 61.0, margin=3.0, unmoved=False)
    assert seen == pytest.approx(3.0 + 4.0 * power._noncentrality(60.0, 0.05))
    # 20 clusters hide a change that 1 - 0.05^(1/20) = 13.9 % of them show, whatever the error
    few = margin_mde(5.0, 20.0, margin=3.0, unmoved=False)
    assert few == pytest.approx(3.0 + 100 * (1 - 0.05 ** (1 / 20)) + 0.8416 * 5.0, rel=1e-4)
    still = margin_mde(0.0, 61.9, margin=3.0, unmoved=True)
    assert still == tango_mde(0, 0, 61, margin=3.0)
    assert margin_mde(0.0, 3.0, margin=60.0, unmoved=True) is None
    assert power._noncentrality(1e7, 0.05) == pytest.approx(1.6449 + 0.8416, abs=1e-3)


@pytest.mark.parametrize(
    ("effect", "discordance"),
    [
        (5, 0.2),
        (30, 0.3),
        (10, 0.1),
        (20, 0.25),
        (8, 0.5),
        (2, 0.02),
        (25, 0.25),
        (50, 1.0),
        (5, 1.0),
    ],
)
def test_planned_items_have_eighty_per_cent_power(effect: float, discordance: float) -> None:
    n = items_for(effect / 100, discordance)
    assert 0.78 <= mcnemar_power(n, discordance, effect / 100) <= 0.82


def test_a_plan_by_hand() -> None:
    # all that change change one way, so six must: P(Binomial(n, 1/2) >= 6) is 0.788 for 14 items
    # and 0.849 for 15; 14 is nearer to 80 %. For 39 and 1/5 it is 0.82, for 38 0.80 less a little.
    assert scipy_stats.binom.sf(5, [14, 15], 0.5) == pytest.approx([0.788, 0.849], abs=5e-4)
    assert items_for(0.5, 0.5) == 14
    assert scipy_stats.binom.sf(5, 38, 0.2) < 0.8 < scipy_stats.binom.sf(5, 39, 0.2) < 0.82
    assert items_for(0.2, 0.2) == 39
    # 90 points: seven items have 0.85, six 0.53. None has 78 to 82 %
    assert items_for(0.9, 0.9) == 7


def test_a_plan_of_very_many_items() -> None:
    # (1.96 sqrt(q) + 0.8416 sqrt(q - e^2))^2 / e^2 for e = 0.5 points, q = 0.3; half a pair on each
    # side is taken off as a correction, and as much for p below, not at, 0.05: 2 / e items more
    n = items_for(0.005, 0.3)
    assert n == pytest.approx(94_189 + 400, abs=20)
    assert mcnemar_power(n, 0.3, 0.005) == pytest.approx(0.8, abs=0.0005)


def test_rounding_of_an_effective_number_costs_no_unit() -> None:
    """The units of 400 equal weights come out as 399.99999999999994."""
    just_below = 400.0 - 6e-14
    assert mean_mde(0.0, just_below, unmoved=True) == mean_mde(0.0, 400.0, unmoved=True)
    assert mean_mde(0.0, 399.9, unmoved=True) == mean_mde(0.0, 399.0, unmoved=True)
