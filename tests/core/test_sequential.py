"""Bounds that hold at all looks: by enumeration, by confseq, by hand and by simulated trainings."""

from __future__ import annotations

from itertools import product
from math import exp, inf, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from transferscope.core.sequential import (
    Changes,
    bets,
    clusters_needed,
    joint_interval,
    least_loss,
    log_evidence,
    look_weight,
    lowest_below,
)

ITEMS_40 = [-1.0] * 9 + [1.0] * 3 + [0.0] * 28
ITEMS_16 = [-0.5, -1, 0.25, 0, -0.75, 0, -1, 0.5, -0.25, 0, 0, -1, -0.5, 0, -0.25, 0]


def alone(changes: list[float]) -> Changes:
    """Independent items of equal weight."""
    values = np.array(changes, dtype=float)
    return Changes.of_items(values, np.ones(len(values)), np.arange(len(values)))


def counts(lost: int, won: int, n: int) -> Changes:
    return alone([-1.0] * lost + [1.0] * won + [0.0] * (n - lost - won))


some = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=30)


@pytest.mark.parametrize(
    ("changes", "at_least", "expected"),
    # confseq 0.0.11: last value of diversified_betting_mart(x, m, theta=0, trunc_scale=1), whose
    # bets are ours in its units (x = (change + 1) / 2, b / (1 - m)); rounding differs.
    [
        (ITEMS_40, -10.0, -0.4062053949473975),
        (ITEMS_40, 0.0, 0.9619363752643197),
        (ITEMS_40, 20.0, 5.2989101638961325),
        (ITEMS_16, -10.0, 1.1846146341898152),
        (ITEMS_16, 0.0, 2.4222042403613835),
        (ITEMS_16, 20.0, 5.635845466386151),
    ],
)
def test_the_evidence_is_that_of_confseq(changes, at_least, expected) -> None:
    assert log_evidence(alone(changes), at_least) == pytest.approx(expected, abs=1e-12)


def test_bets_are_halved_down_to_that_for_a_variance_of_one() -> None:
    assert bets(1).tolist() == [0.95]  # sqrt(7.4) is more than can be bet
    assert bets(40).tolist() == [0.95, 0.475, 0.2375]  # sqrt(7.4 / 40) = 0.43
    assert bets(100).tolist() == [0.95, 0.475, 0.2375]  # 0.27


def test_one_item_by_hand() -> None:
    assert log_evidence(alone([-1.0]), 0.0) == pytest.approx(log(1.95))
    assert log_evidence(alone([1.0]), 0.0) == pytest.approx(log(0.05))
    assert log_evidence(alone([0.0]), 50.0) == pytest.approx(log(1.95))
    assert log_evidence(alone([0.0]), 100.0) == inf


def test_clusters_shares_and_benchmarks_by_hand() -> None:
    one = Changes.of_items(
        np.array([1.0, -1.0, -1.0, 0.0]), np.array([1.0, 1.0, 2.0, 0.0]), np.array([7, 7, 3, 9])
    )
    # Cluster 3: -1 of weight 2; cluster 7: 0 of weight 2; cluster 9 has no weight.
    assert one.change_C.tolist() == [-1.0, 0.0]
    assert one.share_C.tolist() == [0.5, 0.5]
    assert one.points == pytest.approx(-50.0)
    both = Changes.mean([one, counts(0, 1, 4)])
    assert both.points == pytest.approx((-50.0 + 25.0) / 2)
    assert sorted(zip(both.share_C, both.count_C, strict=True)) == [
        (0.125, 1.0),
        (0.125, 3.0),
        (0.25, 1.0),
        (0.25, 1.0),
    ]
    assert both.clusters == pytest.approx(2 + 4 * 0.25)
    # bets(3) = [.95]; at m = 0: a fall of share 1, none of share 1, a gain and three zeros of 1/2
    assert log_evidence(both, 0.0) == pytest.approx(log(1.95 * (1 - 0.95 / 2)))


@pytest.mark.parametrize("m", [-0.3, 0.0, 0.2])
def test_the_expected_evidence_is_at_most_one_by_enumeration(m: float) -> None:
    """Six clusters of unequal shares and true changes, whose weighted mean is m."""
    share = np.array([1.0, 1.0, 2.0, 4.0, 4.0, 4.0])
    share /= share.sum()
    true = np.array([-0.6, 0.5, -0.2, 0.3, 0.1, -0.3])
    true += m - share @ true
    expected = 0.0
    for outcome in product((-1.0, 0.0, 1.0), repeat=6):
        # Each cluster: 0.05 more of either change than its mean needs.
        up, down = np.maximum(true, 0) + 0.05, np.maximum(-true, 0) + 0.05
        p = np.where(
            np.array(outcome) > 0, up, np.where(np.array(outcome) < 0, down, 1 - up - down)
        )
        found = Changes(np.array(outcome), share, np.ones(6))
        expected += float(p.prod()) * exp(log_evidence(found, 100 * m))
    assert 0.3 < expected <= 1.0


def test_equal_clusters_bet_at_fair_odds() -> None:
    """Where all are alike the expectation is 1: nothing is given away before Markov."""
    lost, won, n = 0.3, 0.2, 12
    total = sum(
        binom.pmf(a, n, lost) * binom.pmf(b, n - a, won / (1 - lost)) * exp(log_evidence(c, -10.0))
        for a in range(n + 1)
        for b in range(n + 1 - a)
        for c in [counts(a, b, n)]
    )
    assert total == pytest.approx(1.0, abs=1e-9)


@given(some, st.floats(-99, 98), st.floats(0, 1))
def test_evidence_grows_with_the_claim(changes, at_least, step) -> None:
    found = alone(changes)
    assert log_evidence(found, at_least + step) >= log_evidence(found, at_least) - 1e-9


def test_weights_of_any_number_of_looks_sum_to_at_most_one() -> None:
    assert look_weight(1, 10) == look_weight(10, 10) == pytest.approx(0.09)
    assert look_weight(11, 10) == pytest.approx(0.05)
    assert look_weight(12, 10) == pytest.approx(0.1 / 6)
    total = sum(look_weight(look, 10) for look in range(1, 2001))
    assert 0.9999 < total < 1.0
    for look, planned in ((0, 10), (1, 0)):
        with pytest.raises(ValueError, match="look"):
            look_weight(look, planned)


@given(some, st.integers(1, 50))
def test_an_interval_holds_the_change_and_turns_with_it(changes, look) -> None:
    found = alone(changes)
    low, high = joint_interval(found, look=look, planned=20, level=0.025)
    assert -100 <= low <= found.points <= high <= 100
    turned = joint_interval(found.negated(), look=look, planned=20, level=0.025)
    assert turned == pytest.approx((-high, -low), abs=1e-6)  # bisected to 5e-8


def test_an_upper_bound_is_where_the_evidence_has_the_weight_of_its_look() -> None:
    _, high = joint_interval(alone(ITEMS_40), look=3, planned=10, level=0.025)
    spent = log(1 / (0.025 * 0.09))
    assert log_evidence(alone(ITEMS_40), high) == pytest.approx(spent, abs=1e-6)


def test_unchanged_items_still_have_a_width() -> None:
    low, high = joint_interval(counts(0, 0, 100), look=1, planned=10, level=0.025)
    # The largest bet has a third: (1 + .95 m / (1 - m))^100 / 3 = 1 / (.025 * .09)
    odds = ((3 / (0.025 * 0.09)) ** (1 / 100) - 1) / 0.95
    assert high == -low
    assert high == pytest.approx(100 * odds / (1 + odds), rel=1e-2)  # the other bets add a little


def test_what_many_looks_show_adds_up() -> None:
    one = counts(20, 4, 100)
    bound = [lowest_below([one] * t, planned=10, level=0.025) for t in range(1, 11)]
    _, high = joint_interval(one, look=1, planned=10, level=0.025)
    assert bound[0] == pytest.approx(high, abs=1e-6)
    assert bound == sorted(bound, reverse=True)
    # Ten equal looks: the evidence of one at nine tenths of the level.
    assert log_evidence(one, bound[-1]) == pytest.approx(log(1 / (0.025 * 0.9)), abs=1e-6)
    # A look of another model in between, or one that is lost, does not raise it.
    assert lowest_below([one, one, counts(0, 20, 100)], planned=10, level=0.025) <= bound[1]
    assert lowest_below([None, one], planned=10, level=0.025) == pytest.approx(bound[0])
    assert lowest_below([None], planned=10, level=0.025) == 100.0
    assert lowest_below([], planned=10, level=0.025) == 100.0


def test_the_least_loss_is_the_one_that_stops() -> None:
    least = least_loss(100, allowed=2.0, level=0.025)
    assert 9 < least < 10
    for lost, stops in ((9, False), (10, True)):
        looks = [counts(lost, 0, 100)] * 10
        assert (lowest_below(looks, planned=10, level=0.025) < -2.0) is stops
    assert least_loss(2, allowed=2.0, level=0.025) == 100.0  # not even both items


@pytest.mark.parametrize("allowed", [1.0, 2.0, 5.0, 10.0])
def test_the_clusters_needed_catch_twice_the_allowance(allowed: float) -> None:
    n = clusters_needed(2 * allowed, allowed=allowed, level=0.025)
    assert n is not None
    least = n * least_loss(n, allowed=allowed, level=0.025) / 100
    # Whole items, and a normal quantile of a binomial one
    assert float(binom.sf(np.ceil(least) - 1, n, 2 * allowed / 100)) == pytest.approx(0.8, abs=0.06)
    assert clusters_needed(allowed, allowed=allowed, level=0.025) is None


def test_harmless_trainings_are_hardly_ever_stopped() -> None:
    """400 trainings of 30 looks; the true change is the allowance, a tenth is redrawn each look."""
    rng = np.random.default_rng(5)
    n, looks, runs, level = 60, 30, 400, 0.05
    stopped = alone_stopped = 0
    for _ in range(runs):
        u = rng.random(n)
        capital = 0.0
        alone_said = False
        for look in range(1, looks + 1):
            u = np.where(rng.random(n) < 0.1, rng.random(n), u)
            lost, won = int((u < 0.10).sum()), int((u > 0.95).sum())
            found = counts(lost, won, n)
            capital += look_weight(look, looks) * exp(log_evidence(found, -5.0))
            se = sqrt((lost + won) / n) / sqrt(n)
            alone_said |= (won - lost) / n + 1.96 * se < -0.05
        stopped += capital >= 1 / level
        alone_stopped += alone_said
    assert stopped / runs <= 0.05
    assert alone_stopped / runs > 0.10  # what each look's own 95 % interval does


@pytest.mark.parametrize("allowed", [2.0, 10.0])
def test_the_least_loss_has_just_the_evidence(allowed: float) -> None:
    lost = least_loss(200, allowed=allowed, level=0.025) / 100
    kinds = Changes(
        np.array([-1.0, 0.0]), np.full(2, 1 / 200), np.array([200 * lost, 200 * (1 - lost)])
    )
    assert log_evidence(kinds, -allowed) == pytest.approx(log(1 / (0.025 * 0.9)), abs=1e-4)


def test_one_cluster_fewer_than_needed_is_too_few() -> None:
    n = clusters_needed(10.0, allowed=4.0, level=0.05)
    assert n is not None
    for clusters, enough in ((n, True), (n - 1, False)):
        seen = 100 * (0.1 - 0.8416 * sqrt(0.1 * 0.9 / clusters))
        assert (seen >= least_loss(clusters, allowed=4.0, level=0.05)) is enough
    assert look_weight(1, 1) == pytest.approx(0.9)


def test_a_clusters_change_is_the_mean_of_its_items() -> None:
    # (1 x 0.5 + 3 x -1) / 4, and 2 x 0.25 / 2
    found = Changes.of_items(
        np.array([0.5, -1.0, 0.25]), np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1])
    )
    assert found.change_C.tolist() == [-0.625, 0.25]
    assert found.share_C == pytest.approx([4 / 6, 2 / 6])
