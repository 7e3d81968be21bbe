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
    Resampling,
    beta_draws,
    bootstrap_means,
    holm,
    is_binary_independent,
    mcnemar_exact,
    normal_draws,
    resampled_sums,
    stream,
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


@pytest.mark.parametrize(
    ("clusters", "replicates", "dtype"),
    [(7, 12, np.uint16), (1 << 16, 2, np.uint16), ((1 << 16) + 1, 2, np.int32)],
)
def test_resampled_sums_by_a_plain_loop(
    clusters: int, replicates: int, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transferscope.core.stats.BLOCK_CELLS", 35)  # five replicates of seven
    sums = np.random.default_rng(0).normal(size=(2, clusters))
    found = resampled_sums(sums, np.random.default_rng(1), replicates)
    raw, rows = np.random.default_rng(1), []
    for size in (5, 5, 2) if clusters == 7 else (1, 1):
        drawn = raw.integers(0, clusters, size=size * (clusters - 1), dtype=dtype)
        rows += [sums[:, one].sum(axis=1) for one in drawn.reshape(size, clusters - 1)]
    assert found == pytest.approx(np.array(rows) * clusters / (clusters - 1))


def test_a_single_cluster_is_kept() -> None:
    sums = np.array([[3.0], [4.0]])
    assert resampled_sums(sums, np.random.default_rng(0), 2).tolist() == [[3.0, 4.0]] * 2


def test_strata_are_resampled_one_after_the_other() -> None:
    rng = np.random.default_rng(2)
    scores, weights, stratum = rng.random((2, 40)), rng.random(40) + 0.5, np.arange(40) % 2
    items = ItemScores(scores, weights, np.arange(40), stratum)
    found = bootstrap_means([items], np.random.default_rng(3), replicates=50)[:, :, 0]
    raw, rows = np.random.default_rng(3), np.vstack([scores * weights, weights])
    total = sum(resampled_sums(rows[:, stratum == at], raw, 50) for at in (0, 1))
    assert found == pytest.approx(100 * total[:, :2] / total[:, 2:])
    # Counts of alike units: sums over what was drawn, and weights of what was drawn
    even = ItemScores.plain(np.tile([[0.0, 1.0], [1.0, 1.0]], 20))
    resampling = Resampling.of(even)
    assert resampling.counted
    assert sorted(map(tuple, resampling.alike[0].rows_XP.T)) == [(0.0, 1.0, 1.0), (1.0, 1.0, 1.0)]
    assert resampling.sums_XU.shape == (3, 40)
    drawn = resampling.alike[0].resampled(np.random.default_rng(4), 30)
    means = resampling.means(np.random.default_rng(4), 30)
    assert means == pytest.approx(100 * drawn[:, :2] / drawn[:, 2:])


def test_several_benchmarks_are_drawn_in_turn() -> None:
    plain = ItemScores.plain(np.random.default_rng(0).random((2, 30)))
    both = bootstrap_means([plain, plain], np.random.default_rng(1), replicates=20)
    raw = np.random.default_rng(1)
    for at in (0, 1):
        alone = bootstrap_means([plain], raw, replicates=20)
        np.testing.assert_array_equal(both[:, :, at], alone[:, :, 0])


def test_ten_thousand_replicates_unless_told(rng: np.random.Generator) -> None:
    items = ItemScores.plain(np.eye(2))
    assert bootstrap_means([items], rng).shape == (10_000, 2, 1)
    assert beta_draws(50.0, 10, rng).shape == (10_000,)
    assert normal_draws(50.0, 1.0, rng).shape == (10_000,)


def test_draws_of_a_score_by_the_same_stream() -> None:
    # A rounded score of 10 items: 3.33 hits
    found = beta_draws(33.3, 10, np.random.default_rng(0), replicates=5)
    expected = 100 * np.random.default_rng(0).beta(3.83, 7.17, size=5)
    assert found == pytest.approx(expected, rel=1e-12)
    cut = normal_draws(1.0, 30.0, np.random.default_rng(1), replicates=200)
    uncut = np.random.default_rng(1).normal(1.0, 30.0, size=200)
    assert cut == pytest.approx(np.minimum(np.maximum(uncut, 0.0), 100.0))
    assert uncut.min() < cut.min() == 0.0


def test_streams_differ_by_seed_and_by_every_name() -> None:
    drawn = [stream(*of).random() for of in ((0, "a"), (1, "a"), (0, "b"), (0, "a", "b"), (0,))]
    assert len(set(drawn)) == 5
    assert stream(0, "a", "b").random() == stream(0, "a", "b").random()
    assert stream(0, "a", "b").random() != stream(0, "b", "a").random()


def test_where_mcnemar_applies() -> None:
    binary = np.array([[0.0, 1.0, 1.0], [1.0, 1.0, 0.0]])
    ones, own, none = np.ones(3), np.arange(3), np.zeros(3, dtype=int)
    assert is_binary_independent(ItemScores(binary, ones, own, none))
    assert is_binary_independent(ItemScores(binary, 2 * ones, own[::-1].copy(), none))
    assert is_binary_independent(ItemScores.plain(binary[:, :1]))
    assert not is_binary_independent(ItemScores(binary / 2, ones, own, none))
    assert not is_binary_independent(ItemScores(binary, np.array([1.0, 1.0, 2.0]), own, none))
    assert not is_binary_independent(ItemScores(binary, ones, np.array([0, 0, 1]), none))


def test_ties_keep_their_order_in_holm() -> None:
    assert holm([0.02, 0.02, 0.001]) == pytest.approx([0.04, 0.04, 0.003])
    assert holm([0.3]) == [0.3]
