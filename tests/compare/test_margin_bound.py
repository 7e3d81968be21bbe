"""Units behind a mean, and the bounds that a guard is judged by."""

import numpy as np
import pytest

from transferscope.compare.margin_bound import Bound, UnitShares, pairs_bound, replicates_bound
from transferscope.core.exact_margin import exact_dropped
from transferscope.core.noninferiority import bootstrap_margin, tango
from transferscope.core.power import margin_mde, tango_mde


def even(units: int, moved: list[float] | None = None) -> UnitShares:
    moved_U = None if moved is None else np.array(moved + [0.0] * (units - len(moved)))
    return UnitShares(np.full(units, 1.0 / units), moved_U, float(units))


def test_pooled_units_by_hand() -> None:
    # Shares 1/4 and 3/4 of 10 and 40 units: 1 / (1/16 / 10 + 9/16 / 40) = 49.23.
    both = UnitShares.pooled([even(10, [0.1]), even(40, [0.025] * 3)], [0.25, 0.75])
    assert both.effective == pytest.approx(1 / (1 / 160 + 9 / 640))
    assert both.weight_U[[0, -1]] == pytest.approx([0.025, 0.75 / 40])
    assert both.weight_U.sum() == pytest.approx(1.0)
    # Moves of 0.025 and three of 0.01875: (sum)^2 / sum of squares = 3.91.
    assert both.moving == pytest.approx(0.08125**2 / (0.025**2 + 3 * 0.01875**2))


def test_units_of_scores_alone_all_count_as_moving() -> None:
    assert even(10).moving == 10
    mixed = UnitShares.pooled([even(10, [0.1]), even(30)], [0.5, 0.5])
    assert mixed.moved_U is None
    assert mixed.moving == pytest.approx(1 / (1 / 40 + 1 / 120))


def test_an_unknown_number_of_units_leaves_none() -> None:
    unknown = UnitShares(np.ones(1), None, 0.0)
    assert UnitShares.pooled([even(10), unknown], [0.5, 0.5]).effective == 0.0


def test_pairs_without_losses_pass_where_the_exact_test_does() -> None:
    bound = pairs_bound(0, 0, 300, margin=1.0)
    assert bound.lower == pytest.approx(100 * (0.05 ** (1 / 300) - 1))  # -0.994
    assert bound.lower > -1.0
    assert bound.exact
    assert pairs_bound(0, 0, 298, margin=1.0).lower < -1.0


def test_replicates_have_the_normal_bound() -> None:
    change_R = -1.0 + np.random.default_rng(0).normal(0.0, 1.0, 20_000)
    units = even(1000, [0.001] * 900)
    bound = replicates_bound(-1.0, change_R, units, margin=4.0, unmoved=False)
    assert bound.lower == pytest.approx(-1.0 - 1.645, abs=0.05)
    assert (bound.test, bound.exact) == ("bootstrap", False)
    # The drop must lie 1.645 + 0.842 standard errors beyond the margin.
    assert bound.detectable == pytest.approx(4.0 + 2.487, abs=0.1)
    dropped = replicates_bound(-9.0, change_R - 8.0, units, margin=4.0, unmoved=False)
    assert dropped.p_dropped < 0.001
    assert bound.p_dropped > 0.9


def test_what_the_bound_of_pairs_is_made_of() -> None:
    assert pairs_bound(10, 2, 300, margin=2.0) == Bound(
        test="tango",
        lower=tango(10, 2, 300, margin=2.0).lower,
        p_dropped=exact_dropped(10, 2, 300, margin=2.0),
        detectable=tango_mde(10, 2, 300, margin=2.0),
        exact=True,
    )


@pytest.mark.parametrize("unmoved", [True, False])
def test_what_the_bound_of_replicates_is_made_of(unmoved: bool) -> None:
    # One of 40 units counts ten times as much as another, and three of them moved.
    weight_U = np.array([10.0, *[1.0] * 39]) / 49
    moved_U = np.array([-0.02, -0.01, -0.01, *[0.0] * 37])
    units = UnitShares(weight_U, moved_U, 49**2 / 139)
    change_R = np.random.default_rng(1).normal(-4.0, 2.0, 199)
    found = replicates_bound(-4.0, change_R, units, margin=3.0, unmoved=unmoved)
    test = bootstrap_margin(
        -4.0, change_R, margin=3.0, clusters=49**2 / 139, moving=0.04**2 / 0.0006, weight_U=weight_U
    )
    assert (found.lower, found.p_dropped) == pytest.approx((test.lower, test.p_dropped))
    error = float(change_R.std(ddof=1))
    expected = margin_mde(error, 49**2 / 139, margin=3.0, unmoved=unmoved)
    assert found.detectable == pytest.approx(expected)
    assert (found.test, found.exact) == ("bootstrap", False)


def test_every_part_has_its_share() -> None:
    with pytest.raises(ValueError, match="zip"):
        UnitShares.pooled([even(10), even(20)], [1.0])
    three = UnitShares.pooled([even(10, [0.1]), even(20), even(5)], [0.5, 0.3, 0.2])
    assert three.moved_U is None
    assert three.effective == pytest.approx(1 / (0.25 / 10 + 0.09 / 20 + 0.04 / 5))
