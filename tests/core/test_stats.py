"""Statistics against hand-worked values, scipy and plain loops written here."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from transferscope.core.stats import (
    ItemScores,
    beta_draws,
    bootstrap_means,
    cluster_sums,
    detectable_paired,
    holm,
    is_binary_independent,
    mcnemar_exact,
    paired_tests,
    sign_flip,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def test_cluster_sums_by_hand() -> None:
    values = np.array([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 1.0, 0.0]])
    sums = cluster_sums(values, np.array([5, 2, 5, 9]))
    np.testing.assert_array_equal(sums, [[2.0, 5.0, 8.0], [1.0, 2.0, 0.0]])


def test_bootstrap_moments_match_theory(rng: np.random.Generator) -> None:
    scores = np.vstack([np.repeat([0.0, 1.0], [60, 140]), np.repeat([1.0, 0.0], [90, 110])])
    means = bootstrap_means([ItemScores.plain(scores)], rng, replicates=20_000)[:, :, 0]
    assert means.shape == (20_000, 2)
    # variance of a resampled mean is p (1 - p) / n; its Monte Carlo error here is 1 %
    assert means.mean(axis=0) == pytest.approx([70.0, 45.0], abs=0.1)
    expected = 100 * np.sqrt([0.7 * 0.3 / 200, 0.45 * 0.55 / 200])
    assert means.std(axis=0) == pytest.approx(expected, rel=0.03)
    # the draw is shared: the covariance of the two models' means is the items' covariance / n
    covariance = np.cov(means, rowvar=False)[0, 1] / 1e4
    assert covariance == pytest.approx(np.cov(scores, ddof=0)[0, 1] / 200, rel=0.05)


def test_identical_models_have_identical_replicates(rng: np.random.Generator) -> None:
    row = rng.random(50)
    means = bootstrap_means([ItemScores.plain(np.vstack([row, row]))], rng, replicates=200)
    np.testing.assert_array_equal(means[:, 0], means[:, 1])


def test_bootstrap_is_the_weighted_ratio_over_whole_clusters(rng: np.random.Generator) -> None:
    # Two clusters: {1, 1 (weight 3)} and {0}. Draws: both first 100, both second 0, mixed 80.
    items = ItemScores(
        np.array([[1.0, 1.0, 0.0]]),
        np.array([1.0, 3.0, 1.0]),
        np.array([0, 0, 1]),
        np.zeros(3, dtype=int),
    )
    means = bootstrap_means([items], rng, replicates=8000)[:, 0, 0]
    assert set(np.round(means, 9)) == {0.0, 80.0, 100.0}
    shares = [np.mean(np.isclose(means, value)) for value in (0.0, 80.0, 100.0)]
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_strata_keep_their_sizes(rng: np.random.Generator) -> None:
    # A constant stratum has no variance: only the other half of the items varies.
    scores = np.array([[1.0] * 50 + [0.0, 1.0] * 25])
    stratum = np.repeat([0, 1], 50)
    items = ItemScores(scores, np.ones(100), np.arange(100), stratum)
    means = bootstrap_means([items], rng, replicates=8000)[:, 0, 0]
    assert means.min() >= 50.0
    assert means.std() == pytest.approx(100 * 0.5 * math.sqrt(0.25 / 50), rel=0.04)


def test_mcnemar_by_hand_and_against_scipy() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(0, 5) == pytest.approx(2 / 32)
    assert mcnemar_exact(3, 3) == 1.0
    for lost, won in itertools.product(range(12), repeat=2):
        if lost + won:
            expected = scipy_stats.binomtest(lost, lost + won, 0.5).pvalue
            assert mcnemar_exact(lost, won) == pytest.approx(expected, rel=1e-10)


def test_sign_flip_matches_enumeration(rng: np.random.Generator) -> None:
    difference = np.array([0.5, -0.25, 1.0, 1.0, 0.0, 0.75, -0.5, 1.0])
    flips = np.array(list(itertools.product([-1.0, 1.0], repeat=8)))
    exact = np.mean(np.abs(flips @ difference) >= abs(difference.sum()) - 1e-12)
    p = sign_flip(difference[None], rng, replicates=40_000)[0]
    assert p == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 40_000))


def test_sign_flip_counts_the_observed_and_never_reaches_zero(rng: np.random.Generator) -> None:
    p = sign_flip(np.vstack([np.ones(200), np.zeros(200)]), rng, replicates=999)
    assert p.tolist() == [1 / 1000, 1.0]


def test_rule_that_chooses_the_test(rng: np.random.Generator) -> None:
    binary = ItemScores.plain(np.array([[1.0, 1.0, 1.0, 1.0, 0.0, 1.0], [0, 0, 0, 0, 0, 1.0]]))
    (test,) = paired_tests(binary, rng, se_K=np.array([5.0]))
    assert (test.name, test.p) == ("mcnemar", 0.125)
    assert test.mde == pytest.approx(280 * math.sqrt(5 / 8 / 6))
    (repeated,) = paired_tests(binary, rng, se_K=np.array([5.0]), single=False)
    assert (repeated.name, repeated.mde) == ("sign-flip", 14.0)
    fractional = ItemScores.plain(binary.scores_KN * 0.5)
    clustered = ItemScores(
        binary.scores_KN, np.ones(6), np.array([0, 0, 1, 2, 3, 4]), np.zeros(6, dtype=int)
    )
    weighted = ItemScores(
        binary.scores_KN, np.arange(1.0, 7.0), np.arange(6), np.zeros(6, dtype=int)
    )
    for items in (fractional, clustered, weighted):
        assert not is_binary_independent(items)
        assert paired_tests(items, rng, se_K=np.array([5.0]))[0].name == "sign-flip"


def test_sign_flip_flips_clusters_as_one(rng: np.random.Generator) -> None:
    # One cluster of 20 items that all fell: only one independent flip, so p must be about 1.
    scores = np.vstack([np.ones(20), np.zeros(20)])
    items = ItemScores(scores, np.ones(20), np.zeros(20, dtype=int), np.zeros(20, dtype=int))
    assert paired_tests(items, rng, se_K=np.array([1.0]))[0].p == 1.0


@pytest.mark.parametrize("kind", ["plain", "repeats", "clusters"])
def test_false_alarms_stay_at_the_level(kind: str, rng: np.random.Generator) -> None:
    tests: dict[str, Callable[[], np.ndarray]] = {
        "plain": lambda: (rng.random((2, 60)) < 0.5).astype(float),
        "repeats": lambda: (rng.random((2, 60, 4)) < rng.random(60)[:, None]).mean(axis=-1),
        "clusters": lambda: np.repeat((rng.random((2, 20)) < 0.5).astype(float), 3, axis=1),
    }
    cluster = np.repeat(np.arange(20), 3) if kind == "clusters" else np.arange(60)
    alarms = 0
    for _ in range(400):
        items = ItemScores(tests[kind](), np.ones(60), cluster, np.zeros(60, dtype=int))
        (test,) = paired_tests(items, rng, se_K=np.array([1.0]), replicates=400)
        alarms += test.p <= 0.05
    # 400 null comparisons at 5 %: 20 expected, 4 standard deviations above is 37
    assert alarms <= 37


def test_detectable_change_by_hand() -> None:
    assert detectable_paired(49, 198) == pytest.approx(280 * math.sqrt(0.25 / 198))


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.randoms())
def test_holm_keeps_order_and_never_lowers(p: list[float], random: object) -> None:
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    order = sorted(range(len(p)), key=p.__getitem__)
    ranked = [adjusted[i] for i in order]
    assert ranked == sorted(ranked)


def test_beta_draws_have_the_posterior_moments(rng: np.random.Generator) -> None:
    drawn = beta_draws(30.0, 100, rng, replicates=50_000)
    posterior = scipy_stats.beta(30.5, 70.5)
    assert drawn.mean() == pytest.approx(100 * posterior.mean(), abs=0.1)
    assert drawn.std() == pytest.approx(100 * posterior.std(), rel=0.02)
