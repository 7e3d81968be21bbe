"""Draws by a row's own seed: uniform, independent of other rows, and within the distribution."""

import numpy as np
import pytest
import torch

from transferscope.engines.seeded_draw import inverse_draw, uniforms


def test_splitmix64_as_published():
    """Vigna's reference code with state 1234567 gives these first outputs."""
    from transferscope.engines.seeded_draw import _mixed

    golden = 0x9E3779B97F4A7C15
    states = [(1234567 + n * golden) % 2**64 for n in (1, 2, 3)]
    with np.errstate(over="ignore"):
        found = _mixed(np.array(states, dtype=np.uint64)).tolist()
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_numbers_are_uniform_over_seeds_and_steps():
    """Kolmogorov's distance of 20,000 numbers: 1.63 / sqrt(n) is exceeded once in 100."""
    for found in (
        uniforms(range(20_000), 3),
        [number for step in range(20_000) for number in uniforms([5], step)],
    ):
        ordered = np.sort(found)
        assert (ordered[0] >= 0.0, ordered[-1] < 1.0) == (True, True)
        expected = (np.arange(20_000) + 0.5) / 20_000
        assert np.abs(ordered - expected).max() < 1.63 / 20_000**0.5


def test_neighbouring_seeds_and_steps_are_uncorrelated():
    rows = np.array([uniforms(range(2_000), step) for step in range(4)])
    shifted = np.corrcoef([*rows, np.roll(rows[0], 1), np.roll(rows[1], 1)])
    off = shifted[~np.eye(len(shifted), dtype=bool)]
    assert np.abs(off).max() < 4.5 / 2_000**0.5


def test_a_row_has_the_same_number_in_any_company():
    assert uniforms([7, 8, 9], 2)[1:2] == uniforms([8], 2)
    assert uniforms([7], 2) != uniforms([7], 3)
    assert uniforms([2**64 + 7], 2) == uniforms([7], 2)


def test_the_inverse_is_the_quantile():
    p = torch.tensor([[0.25, 0.0, 0.5, 0.25, 0.0]] * 5)
    assert inverse_draw(p, [0.0, 0.2499, 0.25, 0.7499, 0.75]).tolist() == [0, 0, 2, 2, 3]


@pytest.mark.parametrize("total", [0.9999999, 1.0, 1.0000001])
def test_a_token_without_probability_is_never_drawn(total):
    p = torch.tensor([[0.0, total, 0.0, 0.0]])
    for number in (0.0, 0.5, 1.0 - 2.0**-53, 1.0 - 2.0**-24):
        assert inverse_draw(p, [number]).tolist() == [1]


def test_draws_follow_the_distribution():
    """Chi-square of 8 cells over 40,000 draws stays below its 1 - 1e-4 quantile (29.9)."""
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0])
    p = weights / weights.sum()
    drawn = inverse_draw(p.repeat(40_000, 1), uniforms(range(40_000), 0))
    expected = 40_000 * p
    assert ((torch.bincount(drawn, minlength=8) - expected) ** 2 / expected).sum() < 29.9
