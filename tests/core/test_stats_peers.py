"""Statistics beside their peers, on the same data.

scipy is imported. Figures of evalsig 0.1.2 and statsmodels 0.15.0 (numpy 2.4.6, scipy 1.17.1) were
taken once in an environment of their own and stand here as constants.
"""

import numpy as np
import pytest
from scipy import stats as scipy_stats

from transferscope.core.index import order_interval
from transferscope.core.stats import (
    ItemScores,
    bootstrap_means,
    holm,
    mcnemar_exact,
    normal_draws,
)

from .sixty import BASE, CLUSTER, TUNED


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2)


@pytest.mark.parametrize(
    ("lost", "won", "p"), [(9, 3, 0.14599609375), (17, 5, 0.01690053939819336), (2, 0, 0.5)]
)
def test_mcnemar_beside_evalsig_and_statsmodels(lost: int, won: int, p: float) -> None:
    # evalsig mcnemar_test and statsmodels mcnemar(exact=True): the same to the last digit
    assert mcnemar_exact(lost, won) == pytest.approx(p, rel=1e-12)


def test_holm_beside_evalsig_and_statsmodels() -> None:
    # evalsig holm and statsmodels multipletests(method="holm"), both
    theirs = [0.05, 0.09, 0.09, 0.03, 0.2, 0.05]
    assert holm([0.01, 0.04, 0.03, 0.005, 0.2, 0.011]) == pytest.approx(theirs)


def test_clustered_interval_beside_evalsig(rng: np.random.Generator) -> None:
    items = ItemScores(np.vstack([BASE, TUNED]), np.ones(60), CLUSTER, np.zeros(60, dtype=np.int64))
    assert (int(((BASE - TUNED) > 0).sum()), int(((TUNED - BASE) > 0).sum())) == (16, 10)
    draws = bootstrap_means([items], rng, replicates=40_000)[:, :, 0]
    low, high = order_interval(draws[:, 1] - draws[:, 0])
    # evalsig cluster_bootstrap_ci, 40,000 resamples: -0.1833 to -0.0167. Means of 15 clusters of 4
    # lie 1/60 apart, so the quantile of another stream may be one step off.
    step = 100 / 60
    assert float(low) == pytest.approx(-18.333, abs=step + 0.01)
    assert float(high) == pytest.approx(-1.667, abs=step + 0.01)


def test_normal_draws_stay_on_the_scale(rng: np.random.Generator) -> None:
    drawn = normal_draws(60.0, 2.0, rng, replicates=50_000)
    # standard errors of mean and deviation are 0.009 and 0.006
    assert drawn.mean() == pytest.approx(60.0, abs=0.04)
    assert drawn.std() == pytest.approx(2.0, abs=0.03)
    cut = normal_draws(99.0, 2.0, rng, replicates=50_000)
    assert cut.max() == 100.0
    assert np.mean(cut == 100.0) == pytest.approx(scipy_stats.norm.sf(0.5), abs=0.01)
    # an order statistic below the cut is where it would be without it
    assert float(order_interval(cut)[0]) == pytest.approx(99 - 1.96 * 2, abs=0.1)
    assert normal_draws(40.0, 0.0, rng, replicates=3).tolist() == [40.0] * 3
