import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import LeaveOneGroupOut

from transferscope.core.predictors import Observation, correlation, left_out_r2, predictors


def rows(x, y, run):
    return [
        Observation(f"run{r}", float(b), {"kl": float(a)})
        for a, b, r in zip(x, y, run, strict=True)
    ]


def drawn(seed, n=12, runs=6):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, 2 * x + rng.normal(size=n), np.arange(n) % runs


@pytest.mark.parametrize("seed", range(4))
def test_equals_peers(seed):
    x, y, run = drawn(seed)
    found = predictors(rows(x, y, run))[0]
    assert (found.quantity, found.n, found.runs, found.undefined) == ("kl", 12, 6, None)
    line = LinearRegression().fit(x[:, None], y)
    assert found.r2 == pytest.approx(line.score(x[:, None], y))
    assert found.rank == pytest.approx(spearmanr(x, y).statistic)
    by_line = by_mean = 0.0
    for train, test in LeaveOneGroupOut().split(x, y, run):
        guess = LinearRegression().fit(x[train, None], y[train]).predict(x[test, None])
        by_line += ((y[test] - guess) ** 2).sum()
        by_mean += ((y[test] - y[train].mean()) ** 2).sum()
    assert found.r2_left_out == pytest.approx(1 - by_line / by_mean)
    for value, ci in ((found.r2, found.r2_ci), (found.rank, found.rank_ci)):
        assert ci[0] <= value <= ci[1]


def test_runs_not_models_are_resampled():
    # Every model twice: nothing is learnt, and no interval gets narrower.
    x, y, run = drawn(0, n=6)
    once = predictors(rows(x, y, run))[0]
    twice = predictors(rows(np.repeat(x, 2), np.repeat(y, 2), np.repeat(run, 2)))[0]
    assert (twice.n, twice.runs) == (12, 6)
    assert twice.rank_ci == pytest.approx(once.rank_ci)
    assert twice.r2_ci == pytest.approx(once.r2_ci)


def test_undefined_answers_say_why():
    x, y, run = drawn(1)
    assert predictors(rows(x, y, run % 2))[0].undefined == "at least three runs are needed, not 2"
    assert predictors(rows(x * 0, y, run))[0].undefined == "the quantity doesn't vary"
    assert predictors(rows(x, y * 0, run))[0].undefined == "the drop doesn't vary"
    few = predictors(rows(x, y, run % 4))[0]
    assert (few.r2_ci, few.rank_ci, few.runs) == (None, None, 4)
    assert few.rank is not None
    missing = [
        *rows(x, y, run),
        Observation("run9", 1.0, {}),
        Observation("a", 1.0, {"kl": np.nan}),
    ]
    assert predictors(missing) == predictors(rows(x, y, run))
    assert predictors([]) == ()


def test_the_strongest_comes_first():
    x, y, run = drawn(2)
    given = [
        Observation(str(r), float(b), {"noise": float(i % 3), "kl": float(a), "none": 1.0})
        for i, (a, b, r) in enumerate(zip(x, y, run, strict=True))
    ]
    assert [p.quantity for p in predictors(given)] == ["kl", "noise", "none"]


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=3, max_size=9))
def test_bounds(pairs):
    x, y = map(np.array, zip(*pairs, strict=True))
    assert -1 <= correlation(x, y) <= 1
    left = left_out_r2(x, y, np.arange(len(x)))
    assert left is None or left <= 1 + 1e-9
