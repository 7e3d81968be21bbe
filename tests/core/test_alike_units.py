"""Counts of alike units against enumeration and against draws of single units."""

import math
from collections import Counter

import numpy as np
import pytest

from transferscope.core.alike_units import AlikeUnits
from transferscope.core.changes import mean_tests
from transferscope.core.stats import ItemScores, Resampling, bootstrap_means, resampled_sums


def test_distinct_columns_and_their_counts() -> None:
    rows = np.array([[0.0, 1.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.5, 0.5, 0.0], [2.0] * 5])
    alike = AlikeUnits.of(rows)
    found = {tuple(row): int(n) for row, n in zip(alike.rows_XP.T, alike.count_P, strict=True)}
    assert found == {(0.0, 0.5, 2.0): 2, (1.0, 0.5, 2.0): 2, (1.0, 0.0, 2.0): 1}
    assert (alike.patterns, alike.count) == (3, 5)


def test_columns_of_many_rows_keep_apart() -> None:
    # 5 rows of 8,192 values each: their numbers multiply to 2^65, beyond what an integer holds.
    rng = np.random.default_rng(0)
    rows = np.stack([rng.permutation(8192) for _ in range(5)]).astype(float)
    alike = AlikeUnits.of(np.hstack([rows, rows[:, :10]]))
    assert alike.patterns == 8192
    assert sorted(alike.count_P)[-11:] == [1] + [2] * 10


def test_resampled_counts_have_the_moments_of_resampled_units() -> None:
    # 30 units of 0 and 10 of 1: 39 draws times 40/39. Mean 10, variance 40^2 / 39 x 3/16.
    row = np.repeat([[0.0, 1.0]], [30, 10], axis=1)
    drawn = AlikeUnits.of(row).resampled(np.random.default_rng(1), 40_000)[:, 0]
    units = resampled_sums(row, np.random.default_rng(2), 40_000)[:, 0]
    variance = 1600 / 39 * 3 / 16
    assert drawn.mean() == pytest.approx(10.0, abs=4 * math.sqrt(variance / 40_000))
    assert drawn.var() == pytest.approx(variance, rel=0.03)
    assert units.var() == pytest.approx(variance, rel=0.03)
    assert set(np.round(drawn * 39 / 40, 9) % 1) == {0.0}
    one = AlikeUnits.of(np.array([[3.0]])).resampled(np.random.default_rng(1), 5)
    assert one.tolist() == [[3.0]] * 5


def test_flipped_counts_have_the_distribution_of_signs() -> None:
    # 1, 1 and -2: of 8 patterns of signs the sums are 4, 2 (twice), 0 (twice), -2 (twice), -4.
    drawn = AlikeUnits.of(np.array([[1.0, 1.0, -2.0]])).flipped(np.random.default_rng(3), 40_000)
    values, counts = np.unique(drawn, return_counts=True)
    assert values.tolist() == [-4.0, -2.0, 0.0, 2.0, 4.0]
    for share, count in zip((1 / 8, 1 / 4, 1 / 4, 1 / 4, 1 / 8), counts, strict=True):
        error = math.sqrt(share * (1 - share) / 40_000)
        assert count / 40_000 == pytest.approx(share, abs=4 * error)


def pair(n: int, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random((2, n)) < 0.6).astype(float)


def test_counts_are_drawn_where_few_units_are_distinct() -> None:
    # Base, tuned and weight have 4 distinct columns: 8 x 4 = 32 units are enough.
    scores = np.tile(np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]]), 8)
    assert Resampling.of(ItemScores.plain(scores)).counted
    assert not Resampling.of(ItemScores.plain(scores[:, :31])).counted
    halves = np.random.default_rng(0).random((2, 400))
    assert not Resampling.of(ItemScores.plain(halves)).counted


def test_counts_and_units_give_the_same_intervals() -> None:
    items = ItemScores.plain(pair(600, seed=4))
    jittered = ItemScores(  # weights that all differ a little: units are drawn one by one
        items.scores_KN,
        1.0 + 1e-7 * np.arange(600),
        items.cluster_N,
        items.stratum_N,
    )
    assert not Resampling.of(jittered).counted
    means = [
        bootstrap_means([one], np.random.default_rng(5), replicates=20_000)[:, :, 0]
        for one in (items, jittered)
    ]
    for found, reference in zip(*(np.diff(one, axis=1).T for one in means), strict=True):
        assert found.std() == pytest.approx(reference.std(), rel=0.03)
        assert found.mean() == pytest.approx(reference.mean(), abs=0.1)
    tests = [
        mean_tests([one], [1.0], np.random.default_rng(6), replicates=20_000)[0]
        for one in (items, jittered)
    ]
    p = tests[1].p
    assert tests[0].p == pytest.approx(p, abs=5 * math.sqrt(2 * p * (1 - p) / 20_000))
    assert tests[0].ci == pytest.approx(tests[1].ci, abs=0.15)


def test_a_models_flips_do_not_depend_on_its_company() -> None:
    base, plain = pair(400, seed=7)
    fractional = np.random.default_rng(8).random(400)
    alone = [
        mean_tests([ItemScores.plain(np.stack([base, row]))], [1.0], np.random.default_rng(9))[0]
        for row in (plain, fractional)
    ]
    for order in ([0, 1], [1, 0]):
        rows = np.stack([base, *[(plain, fractional)[at] for at in order]])
        together = mean_tests([ItemScores.plain(rows)], [1.0], np.random.default_rng(9))
        for at, test in zip(order, together, strict=True):
            assert test.p == alone[at].p
            assert test.ci == pytest.approx(alone[at].ci, rel=1e-12)


def test_repeated_calls_flip_anew() -> None:
    items, rng = ItemScores.plain(pair(400, seed=10)), np.random.default_rng(11)
    first, second = (mean_tests([items], [1.0], rng, replicates=999)[0].p for _ in range(2))
    assert first != second


@pytest.mark.parametrize("widest", [8, 1 << 62])
def test_columns_beside_a_plain_count(widest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a narrow code, the distinct columns so far are numbered anew before the next row."""
    monkeypatch.setattr("transferscope.core.alike_units._WIDEST", widest)
    rng = np.random.default_rng(0)
    for _ in range(20):
        rows = np.vstack([np.full(60, 7.0), rng.integers(0, 4, (3, 60)), np.zeros(60)]).astype(
            float
        )
        alike = AlikeUnits.of(rows)
        expected = Counter(map(tuple, rows.T))
        found = zip(map(tuple, alike.rows_XP.T), alike.count_P, strict=True)
        assert {row: int(n) for row, n in found} == expected


def test_a_column_that_differs_in_the_highest_bit_is_another() -> None:
    # 4,096 x 2^52 is 2^64: in a code that wraps around, the last two columns would be the same.
    rng = np.random.default_rng(1)
    rows = np.stack([rng.permutation(8192) for _ in range(5)]).astype(float)
    twin = rows[:, :1].copy()
    twin[0] = (twin[0] + 4096) % 8192
    assert AlikeUnits.of(np.hstack([rows, twin])).patterns == 8193


def test_flipped_sums_by_the_same_stream() -> None:
    alike = AlikeUnits(np.array([[1.0, -2.0]]), np.array([5, 3]))
    raw = np.random.default_rng(5)
    first, second = (2.0 * raw.binomial(n, 0.5, size=50) - n for n in (5, 3))
    drawn = alike.flipped(np.random.default_rng(5), 50)[:, 0]
    assert drawn.tolist() == (first - 2.0 * second).tolist()
    with pytest.raises(ValueError, match="zip"):
        AlikeUnits(np.array([[1.0, -2.0]]), np.array([5])).flipped(raw, 5)
