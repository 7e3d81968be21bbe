"""pass@k and pass^k against enumeration of all subsets."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.pass_at_k import pass_at_k, pass_hat_k, sizes_up_to


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_both_are_shares_of_all_subsets(answers: list[bool], data: st.DataObject) -> None:
    samples = len(answers)
    k = data.draw(st.integers(1, samples))
    subsets = list(combinations(answers, k))
    right = np.array([sum(answers)])
    # Ratios of small integers: only rounding separates the two.
    assert pass_at_k(right, samples=samples, k=k)[0] == pytest.approx(
        sum(map(any, subsets)) / len(subsets), abs=1e-12
    )
    assert pass_hat_k(right, samples=samples, k=k)[0] == pytest.approx(
        sum(map(all, subsets)) / len(subsets), abs=1e-12
    )


def test_one_sample_is_the_mean_score() -> None:
    right = np.array([0, 3, 16])
    assert pass_at_k(right, samples=16, k=1).tolist() == [0.0, 3 / 16, 1.0]
    assert pass_hat_k(right, samples=16, k=1).tolist() == [0.0, 3 / 16, 1.0]


def test_estimates_are_unbiased() -> None:
    """Of items solved with probability p, the mean estimate is 1 - (1 - p)^k."""
    rng = np.random.default_rng(0)
    right = rng.binomial(16, 0.2, size=200_000)
    found = pass_at_k(right, samples=16, k=4).mean()
    # Standard error below 0.5 / sqrt(200,000) = 0.0011.
    assert found == pytest.approx(1 - 0.8**4, abs=0.005)
    plugged_in = (1 - (1 - right / 16) ** 4).mean()
    assert abs(plugged_in - (1 - 0.8**4)) > 0.01


def test_more_samples_never_reach_less() -> None:
    right = np.arange(17)
    rates = np.stack([pass_at_k(right, samples=16, k=k) for k in range(1, 17)])
    assert (np.diff(rates, axis=0) >= -1e-12).all()
    assert rates[-1].tolist() == [0.0, *[1.0] * 16]


def test_bad_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"k 5 is not within 1\.\.4"):
        pass_at_k(np.array([1]), samples=4, k=5)
    with pytest.raises(ValueError, match=r"not within 0\.\.4"):
        pass_hat_k(np.array([5]), samples=4, k=2)


def test_reported_sizes() -> None:
    assert sizes_up_to(16) == (1, 2, 4, 8, 16)
    assert sizes_up_to(3) == (1, 2, 3)
    assert sizes_up_to(1) == (1,)
