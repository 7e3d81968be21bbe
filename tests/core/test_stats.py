"""Statistics against hand-worked values, scipy and plain loops written here."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from transferscope.core.stats import (
    ItemScores,
    beta_draws,
    bootstrap_means,
    holm,
    mcnemar_exact,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


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
    # Clusters {1, 1 (weight 3)}, {0}, {0}; two of the three are drawn: both first 100, one of
    # them first 4 / 5 = 80, else 0.
    items = ItemScores(
        np.array([[1.0, 1.0, 0.0, 0.0]]),
        np.array([1.0, 3.0, 1.0, 1.0]),
        np.array([0, 0, 1, 2]),
        np.zeros(4, dtype=int),
    )
    means = bootstrap_means([items], rng, replicates=9000)[:, 0, 0]
    assert set(np.round(means, 9)) == {0.0, 80.0, 100.0}
    shares = [np.mean(np.isclose(means, value)) for value in (0.0, 80.0, 100.0)]
    assert shares == pytest.approx([4 / 9, 4 / 9, 1 / 9], abs=0.02)


@pytest.mark.parametrize("size", [1, 2, 5, 10])
def test_variance_is_unbiased_whatever_the_size_of_strata(
    size: int, rng: np.random.Generator
) -> None:
    # n_h draws in a stratum of n_h would give (n_h - 1) / n_h of it: half for pairs
    scores = rng.random((400, 1, 40))
    stratum = np.arange(40) // size
    found = []
    for row in scores:
        items = ItemScores(row, np.ones(40), np.arange(40), stratum)
        found.append(bootstrap_means([items], rng, replicates=200)[:, 0, 0].var())
    # true variance of a mean of 40 uniform scores, percent squared; 400 data sets: 1.5 % error
    assert np.mean(found) == pytest.approx(1e4 / 12 / 40, rel=0.06)


def test_a_single_cluster_has_no_spread(rng: np.random.Generator) -> None:
    items = ItemScores(np.array([[1.0, 0.0]]), np.ones(2), np.zeros(2, int), np.zeros(2, int))
    assert set(bootstrap_means([items], rng, replicates=50)[:, 0, 0]) == {50.0}


def test_strata_keep_their_sizes(rng: np.random.Generator) -> None:
    # A constant stratum has no variance: only the other half of the items varies.
    scores = np.array([[1.0] * 50 + [0.0, 1.0] * 25])
    stratum = np.repeat([0, 1], 50)
    items = ItemScores(scores, np.ones(100), np.arange(100), stratum)
    means = bootstrap_means([items], rng, replicates=8000)[:, 0, 0]
    assert means.min() >= 50.0 - 1e-9
    # 49 of 50 are drawn, which makes up for the mean being the sample's own
    assert means.std() == pytest.approx(100 * 0.5 * math.sqrt(0.25 / 49), rel=0.04)


def test_mcnemar_by_hand_and_against_scipy() -> None:
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(0, 5) == pytest.approx(2 / 32)
    assert mcnemar_exact(3, 3) == 1.0
    for lost, won in itertools.product(range(12), repeat=2):
        if lost + won:
            expected = scipy_stats.binomtest(lost, lost + won, 0.5).pvalue
            assert mcnemar_exact(lost, won) == pytest.approx(expected, rel=1e-10)


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
