from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.train.dynamics import dynamics


def test_values_worked_out_by_hand() -> None:
    found = dynamics([4.0, 2.0, 0.0, 2.0, 1.0])
    assert found.total == 9.0
    assert found.t_half == 2  # 4 + 2 >= 4.5
    # t - 3 = -2 -1 0 1 2; g - 1.8 = 2.2 0.2 -1.8 0.2 -0.8; products -4.4 -0.2 0 0.2 -1.6 over 10
    assert found.early_slope == pytest.approx(-0.6)
    assert (found.late_mean, found.late_variance) == (1.5, 0.25)  # the last two
    assert found.oscillation == pytest.approx((2 + 2 + 2 + 1) / 4 / 1.8)
    assert (found.zeros, found.steps) == (1, 5)
    # log2 g = 2 1 1 0 at t = 1 2 4 5: t - 3 = -2 -1 1 2, products -4 -1 1 0 over 10 = -0.4
    assert found.decay_rate == pytest.approx(0.4 * math.log(2) * 5)


def test_too_few_steps_define_nothing() -> None:
    one = dynamics([3.0])
    assert (one.early_slope, one.decay_rate, one.oscillation, one.t_half) == (None, None, None, 1)
    still = dynamics([0.0, 0.0])
    assert (still.t_half, still.oscillation, still.decay_rate, still.zeros) == (None, None, None, 2)
    assert still.early_slope == 0.0


def test_an_exponential_decays_at_its_rate_and_only_the_first_20_steps_are_early() -> None:
    norms = np.exp(-0.03 * np.arange(100))
    assert dynamics(list(norms)).decay_rate == pytest.approx(3.0)
    late_jump = [1.0 + t for t in range(20)] + [0.0] * 80
    assert dynamics(late_jump).early_slope == pytest.approx(1.0)


@given(st.lists(st.floats(0.01, 100.0), min_size=2, max_size=60), st.floats(0.1, 10.0))
def test_scaling_scales_what_is_a_norm_and_leaves_what_is_a_shape(
    norms: list[float], factor: float
) -> None:
    one, two = dynamics(norms), dynamics([factor * g for g in norms])
    assert two.total == pytest.approx(factor * one.total)
    assert two.t_half == one.t_half
    assert two.decay_rate == pytest.approx(one.decay_rate, abs=1e-6)
    assert two.oscillation == pytest.approx(one.oscillation, abs=1e-9)
    slope, reference = np.polyfit(range(min(20, len(norms))), norms[:20], 1)[0], one.early_slope
    assert reference == pytest.approx(slope, abs=1e-6)


@pytest.mark.parametrize("norms", [[], [1.0, math.nan], [math.inf], [-1.0]])
def test_no_norms_are_refused(norms: list[float]) -> None:
    with pytest.raises(ValueError, match="each finite and not negative"):
        dynamics(norms)


def test_steps_without_a_finite_norm_are_counted_apart() -> None:
    found = dynamics([4.0, 2.0, None, 0.0, 1.0, None])
    assert (found.nonfinite, found.zeros, found.steps) == (2, 1, 6)
    assert found.total == 7.0
    assert found.t_half == 1
    assert (found.late_mean, found.late_variance) == (1.0, 0.0)  # of steps 5 and 6
    assert found.oscillation == pytest.approx((2 + 1) / 2 / 1.75)  # 4 to 2, 0 to 1
    # t = 1 2 4 5, g = 4 2 0 1: t - 3 = -2 -1 1 2, products -8 -2 0 2 over 10
    assert found.early_slope == pytest.approx(-0.8)
    lost = dynamics([None, None])
    assert (lost.nonfinite, lost.zeros, lost.total, lost.late_mean) == (2, 0, None, None)
    assert (lost.early_slope, lost.t_half, lost.decay_rate, lost.oscillation) == (None,) * 4
