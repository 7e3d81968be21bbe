"""The index against values worked out by hand, and its algebra as properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transferscope.core.changes import ChangeTest
from transferscope.core.index import (
    Layout,
    _no_source_gain,
    domain_index,
    fieller,
    group_gain,
    headroom_weights,
    index_of,
    order_interval,
    pooled_sigma,
    sigma_for,
    transferability,
    uniform_weights,
)

LAYOUT = Layout.of({"math": ["a", "b"], "other": ["c", "d"], "non": ["e"]}, "math")
BASE = np.array([40.0, 80.0, 50.0, 90.0, 60.0])
TUNED = np.array([56.0, 84.0, 46.0, 99.0, 51.0])


def test_headroom_weights_by_hand() -> None:
    # math: 60 and 20 of 80; other: 50 and 10 of 60; non: alone.
    expected = [0.75, 0.25, 5 / 6, 1 / 6, 1.0]
    np.testing.assert_allclose(headroom_weights(BASE, LAYOUT.member_GB), expected, rtol=1e-15)


def test_robust_di_and_ti_by_hand() -> None:
    # d = 16, 4, -4, 9, -9; roots 4, 2, -2, 3, -3
    di = domain_index(BASE, TUNED, LAYOUT.member_GB)
    expected = [0.75 * 4 + 0.25 * 2, 5 / 6 * -2 + 1 / 6 * 3, -3.0]  # 3.5, -7/6, -3
    np.testing.assert_allclose(di, expected, rtol=1e-14)
    ti = transferability(di, 0)
    np.testing.assert_allclose(ti, [100.0, -700 / 6 / 3.5, -300 / 3.5], rtol=1e-14)


def test_sigma_divides_under_the_root() -> None:
    di = domain_index(BASE, TUNED, LAYOUT.member_GB, sigma_G=np.array([4.0, 9.0, 1.0]))
    np.testing.assert_allclose(di, [3.5 / 2, -7 / 6 / 3, -3.0], rtol=1e-14)


def test_linear_di_by_hand() -> None:
    di = domain_index(BASE, TUNED, LAYOUT.member_GB, definition="linear")
    np.testing.assert_allclose(di, [13.0, 5 / 6 * -4 + 9 / 6, -9.0], rtol=1e-14)


def test_relative_di_by_hand_and_zero_base() -> None:
    di = domain_index(BASE, TUNED, LAYOUT.member_GB, definition="relative")
    np.testing.assert_allclose(di, [(0.4 + 0.05) / 2, (-0.08 + 0.1) / 2, -0.15], rtol=1e-13)
    zero = BASE.copy()
    zero[2] = 0.0
    assert math.isnan(domain_index(zero, TUNED, LAYOUT.member_GB, definition="relative")[1])
    result = index_of("m", "b", layout=LAYOUT, base_B=zero, tuned_B=TUNED, definition="relative")
    assert result.ti["other"] is None
    assert result.undefined_reason["other"] == (
        "a base score of other reasoning is 0, so its relative gain is undefined"
    )
    assert result.di["other"] is None
    assert result.ti["non"] == pytest.approx(100 * -0.15 / 0.225)


def test_group_gain_is_the_plain_mean() -> None:
    np.testing.assert_allclose(group_gain(TUNED - BASE, LAYOUT.member_GB), [10.0, 2.5, -9.0])


def test_sigmas_by_hand() -> None:
    gains = np.array([[1.0, 3.0, 0.0, 0.0, 2.0], [5.0, 7.0, 0.0, 4.0, 4.0]])
    # math pooled: 1 3 5 7 -> variance 5; other: 0 0 0 4 -> variance 3; non: 2 4 -> 1
    expected = [math.sqrt(5), math.sqrt(3), 1.0]
    np.testing.assert_allclose(pooled_sigma(gains, LAYOUT.member_GB), expected)
    np.testing.assert_allclose(sigma_for("cohort", gains, LAYOUT.member_GB), [expected])
    per_model = sigma_for("per-model", gains, LAYOUT.member_GB)
    np.testing.assert_allclose(per_model, [[1.0, 0.0, 0.0], [1.0, 2.0, 0.0]])
    np.testing.assert_array_equal(sigma_for("unit", gains, LAYOUT.member_GB), np.ones(3))
    with pytest.raises(ValueError, match="published sigmas"):
        sigma_for("published", gains, LAYOUT.member_GB)
    with pytest.raises(ValueError, match="unknown scale"):
        sigma_for("other", gains, LAYOUT.member_GB)


def test_zero_sigma_is_undefined_not_infinite() -> None:
    result = index_of(
        "m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, sigma_G=np.array([1.0, 1.0, 0.0])
    )
    assert result.ti["non"] is None
    assert result.undefined_reason == {"non": "sigma of non-reasoning is 0"}
    assert result.ti["other"] == pytest.approx(-700 / 6 / 3.5)


def test_no_source_gain_is_undefined_and_di_still_shown() -> None:
    result = index_of("m", "b", layout=LAYOUT, base_B=TUNED, tuned_B=BASE)
    assert result.ti == {"other": None, "non": None}
    assert "no gain on the source group math" in result.undefined_reason["non"]
    assert result.di["non"] == 3.0
    assert result.gain["math"] == -10.0


def test_no_headroom() -> None:
    base = np.array([40.0, 80.0, 50.0, 90.0, 100.0])
    result = index_of("m", "b", layout=LAYOUT, base_B=base, tuned_B=TUNED)
    assert result.undefined_reason == {
        "non": "no headroom: every base score of non-reasoning is 100"
    }
    assert result.di["non"] is None  # weights of 0 would make any loss a DI of 0.00


def test_replicates_without_source_gain_are_signed_infinities() -> None:
    di = np.array([[2.0, 1.0], [0.0, 1.0], [-1.0, -3.0], [-1.0, 0.0]])
    np.testing.assert_array_equal(transferability(di, 0)[:, 1], [50.0, np.inf, -np.inf, 0.0])


def test_order_interval_takes_order_statistics_and_keeps_infinities() -> None:
    values = np.arange(1.0, 1001.0)
    low, high = order_interval(values)
    assert (low, high) == (25.0, 975.0)
    values[-26:] = np.inf
    assert order_interval(np.random.default_rng(0).permutation(values))[1] == np.inf


def test_interval_needs_an_established_source_gain() -> None:
    rng = np.random.default_rng(1)
    unsure = rng.normal(0.1, 1.0, size=(2000, 3))
    result = index_of("m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, di_RG=unsure)
    assert result.ti == {"other": None, "non": None}
    assert "not established" in result.undefined_reason["other"]
    sure = rng.normal([3.5, -1.0, -3.0], 0.2, size=(2000, 3))
    result = index_of("m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, di_RG=sure)
    assert result.ti["non"] == pytest.approx(-300 / 3.5)
    assert result.ci["non"] is not None
    ratios = np.sort(100 * sure[:, 2] / sure[:, 0])
    assert result.ci["non"] == (ratios[49], ratios[1949])
    assert result.interval == "percentile"


def changes(source: ChangeTest) -> dict[str, ChangeTest]:
    moved = ChangeTest("sign-flip", 0.5, (-5.0, 5.0), floor=3.92)
    return {"math": source, "other": moved, "non": moved}


@pytest.mark.parametrize("definition", ["robust", "linear"])
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (ChangeTest("mcnemar", 0.25, (0.0, 100.0), smallest_p=0.25), "smallest possible p is 0.25"),
        (ChangeTest("mcnemar", 0.07, (-1.0, 20.0), smallest_p=0.001), "p is 0.07"),
    ],
)
def test_the_sources_own_test_must_establish_its_gain(
    definition: str, source: ChangeTest, reason: str
) -> None:
    still = np.tile(np.array([3.5, -1.0, -3.0]), (500, 1))
    result = index_of(
        "m",
        "b",
        layout=LAYOUT,
        base_B=BASE,
        tuned_B=TUNED,
        definition=definition,
        di_RG=still,
        tests=changes(source),
    )
    assert result.ti == {"other": None, "non": None}
    assert result.undefined_reason["non"].endswith(reason)


def test_a_target_without_spread_has_no_percentile_interval() -> None:
    source = ChangeTest("mcnemar", 0.001, (5.0, 20.0), floor=3.92)
    di = np.random.default_rng(1).normal([13.0, -11 / 6, 0.0], [1.0, 1.0, 0.0], size=(900, 3))
    tuned = BASE + np.where(LAYOUT.member_GB[2], 0.0, TUNED - BASE)
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": tuned, "di_RG": di}
    robust = index_of("m", "b", **given, tests=changes(source))
    assert robust.ti["non"] == 0.0
    assert robust.ci["non"] is None
    assert robust.no_interval["non"] == "no change on non-reasoning differs between its items"
    linear = index_of("m", "b", **given, definition="linear", tests=changes(source))
    # both variances are at least (3.92 / 1.96)^2 = 4
    expected = fieller(float(linear.di["math"] or 0), 0.0, np.diag([4.0, 4.0]))
    assert expected is not None
    assert linear.ci["non"] == pytest.approx((100 * expected[0], 100 * expected[1]), abs=1.0)


@pytest.mark.parametrize("definition", ["robust", "linear"])
def test_a_ti_leaves_out_0_only_where_its_group_is_shown_to_have_changed(definition: str) -> None:
    source = ChangeTest("mcnemar", 0.001, (5.0, 20.0))
    di = np.random.default_rng(1).normal([13.0, 4.0, -4.0], 0.5, size=(900, 3))
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": TUNED, "di_RG": di}
    open_, shown = ChangeTest("sign-flip", 0.06, (0.0, 9.0)), ChangeTest("sign-flip", 0.04, (1, 9))
    tests = {"math": source, "other": open_, "non": shown}
    alone = index_of("m", "b", **given, definition=definition).ci
    both = index_of("m", "b", **given, definition=definition, tests=tests).ci
    (low, high), found = alone["other"] or (0.0, 0.0), both["other"]
    assert low * high > 0  # the replicates by themselves would leave it out
    assert found == (min(low, 0.0), max(high, 0.0))
    assert both["non"] == alone["non"]


def test_fieller_bounds_solve_the_quadratic() -> None:
    cov = np.array([[0.04, 0.01], [0.01, 0.09]])
    low, high = fieller(2.0, 1.0, cov) or (np.nan, np.nan)
    for t in (low, high):
        # at a bound the ratio's z statistic is exactly 1.96
        spread = math.sqrt(cov[1, 1] - 2 * t * cov[0, 1] + t * t * cov[0, 0])
        assert abs(1.0 - t * 2.0) / spread == pytest.approx(1.96, rel=1e-12)
    assert low < 0.5 < high
    assert fieller(0.39, 1.0, cov) is None  # 1.96 * 0.2 = 0.392
    assert fieller(-3.0, 1.0, cov) is None


def test_linear_index_carries_the_fieller_interval() -> None:
    rng = np.random.default_rng(2)
    di = rng.normal([13.0, -11 / 6, -9.0], 1.0, size=(5000, 3))
    result = index_of(
        "m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, definition="linear", di_RG=di
    )
    expected = fieller(13.0, -9.0, np.cov(di[:, [0, 2]], rowvar=False))
    assert expected is not None
    assert result.ci["non"] == pytest.approx((100 * expected[0], 100 * expected[1]))
    assert result.interval == "Fieller"


percent = st.floats(0.0, 100.0, allow_subnormal=False)
row = st.lists(percent, min_size=5, max_size=5).map(np.array)


@given(row, row)
def test_swapping_base_and_tuned_flips_every_sign_at_fixed_weights(
    a: np.ndarray, b: np.ndarray
) -> None:
    weights = headroom_weights(a, LAYOUT.member_GB)
    for definition in ("robust", "linear"):
        ahead = domain_index(a, b, LAYOUT.member_GB, definition=definition, weights_B=weights)
        back = domain_index(b, a, LAYOUT.member_GB, definition=definition, weights_B=weights)
        np.testing.assert_array_equal(ahead, -back)


def test_uniform_weights_need_no_headroom() -> None:
    weights = uniform_weights(LAYOUT.member_GB)
    assert weights.tolist() == [0.5, 0.5, 0.5, 0.5, 1.0]
    base = np.full(5, 100.0)
    tuned = base - np.array([1.0, 3.0, 2.0, 6.0, 5.0])
    given = {"layout": LAYOUT, "base_B": base, "tuned_B": tuned, "definition": "linear"}
    assert set(index_of("", "", **given).di.values()) == {None}
    uniform = index_of("", "", **given, weights_B=weights)
    assert uniform.di == {"math": -2.0, "other": -4.0, "non": -5.0}


@given(row, st.lists(st.floats(-10, 10), min_size=5, max_size=5).map(np.array), st.floats(0.01, 9))
def test_scaling_gains_scales_robust_di_by_the_root(
    base: np.ndarray, gain: np.ndarray, c: float
) -> None:
    weights = headroom_weights(base, LAYOUT.member_GB)
    one = domain_index(base, base + gain, LAYOUT.member_GB, weights_B=weights)
    many = domain_index(base, base + c * gain, LAYOUT.member_GB, weights_B=weights)
    # base + gain - base rounds at 1e-14 of 100 points; the root turns that into 1e-7.
    np.testing.assert_allclose(many, math.sqrt(c) * one, rtol=1e-6, atol=1e-6)


@given(row, row, st.floats(0.0, 99.0))
def test_a_benchmark_without_gain_dilutes_by_its_headroom(
    base: np.ndarray, tuned: np.ndarray, extra: float
) -> None:
    base = np.minimum(base, 99.0)  # the group keeps headroom before
    wider = Layout.of({"math": ["a", "b"], "other": ["c", "d", "x"], "non": ["e"]}, "math")
    at = wider.benchmarks.index("x")
    before = domain_index(base, tuned, LAYOUT.member_GB)
    after = domain_index(np.insert(base, at, extra), np.insert(tuned, at, extra), wider.member_GB)
    total = 200.0 - base[2] - base[3]
    factor = total / (total + 100.0 - extra)
    np.testing.assert_allclose(after[1], before[1] * factor, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(after[[0, 2]], before[[0, 2]], rtol=1e-12)


@given(row, row, st.permutations(range(5)))
def test_order_of_benchmarks_does_not_matter(
    base: np.ndarray, tuned: np.ndarray, order: list[int]
) -> None:
    direct = domain_index(base, tuned, LAYOUT.member_GB)
    shuffled = domain_index(base[order], tuned[order], LAYOUT.member_GB[:, order])
    np.testing.assert_allclose(shuffled, direct, rtol=1e-12, atol=1e-12)


@settings(max_examples=50)
@given(st.integers(2, 8), st.integers(0, 2**32 - 1))
def test_a_pooled_sigma_changes_no_sign_and_no_rank(models: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.uniform(5, 90, size=(models, 5))
    tuned = np.clip(base + rng.normal(3, 8, size=(models, 5)), 0, 100)
    tuned[:, :2] = np.minimum(base[:, :2] + rng.uniform(1, 9, size=(models, 2)), 100)
    sigma = sigma_for("cohort", tuned - base, LAYOUT.member_GB)
    plain = transferability(domain_index(base, tuned, LAYOUT.member_GB), 0)
    scaled = transferability(domain_index(base, tuned, LAYOUT.member_GB, sigma_G=sigma), 0)
    constant = np.sqrt(sigma[0, 0] / sigma[0])
    np.testing.assert_allclose(scaled, plain * constant, rtol=1e-9, atol=1e-9)


def test_a_layout_by_hand() -> None:
    layout = Layout.of({"math": ["a", "b"], "other": ["c", "d"], "non": ["e"]}, "math")
    assert layout.groups == ("math", "other", "non")
    assert layout.benchmarks == ("a", "b", "c", "d", "e")
    assert layout.source == "math"
    assert layout.member_GB.tolist() == [
        [True, True, False, False, False],
        [False, False, True, True, False],
        [False, False, False, False, True],
    ]
    assert Layout.of({"math": []}, "math").member_GB.shape == (1, 0)


UNSHOWN = "the gain on the source group math is not established"
RISE = np.arange(1.0, 101.0)  # its 2.5 % order statistic is the third, 3
SHOWN = ChangeTest("mcnemar", 0.049, (1.0, 9.0))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, None),
        ({"draws_R": None}, None),
        ({"draws_R": None, "point": 0.0}, "no gain on the source group math (DI 0.00)"),
        ({"draws_R": RISE - 2.9}, None),
        ({"draws_R": RISE - 3.0}, f"{UNSHOWN}: the lower 95 % bound of its DI is 0.00"),
        ({"draws_R": RISE - 5.0}, f"{UNSHOWN}: the lower 95 % bound of its DI is -2.00"),
        ({"test": SHOWN}, None),
        ({"test": SHOWN, "gain": 0.5}, None),
        ({"test": SHOWN, "gain": 0.0}, f"{UNSHOWN}: its mean change is 0.0 points"),
        ({"test": SHOWN, "gain": -1.25}, f"{UNSHOWN}: its mean change is -1.2 points"),
        ({"test": ChangeTest("u", math.nan, (0, 0)), "gain": -1.0}, None),
        ({"test": ChangeTest("u", 0.05, (0, 9))}, f"{UNSHOWN}: p is 0.05"),
        (
            {"test": ChangeTest("u", 0.125, (0, 9), smallest_p=0.05)},
            f"{UNSHOWN}: too few independent items, the smallest possible p is 0.05",
        ),
    ],
)
def test_why_the_sources_gain_is_no_denominator(given: dict, said: str | None) -> None:
    whole = {"point": 9.0, "draws_R": RISE, "definition": "robust", "gain": 2.0, "test": None}
    whole |= given
    assert _no_source_gain("math", whole.pop("point"), whole.pop("draws_R"), **whole) == said


def test_a_linear_sources_bound_is_a_normal_one() -> None:
    # Draws of deviation 2 (n - 1): 1.96 x 2 = 3.92 below the point.
    draws = np.array([-2.0, 2.0, -2.0, 2.0]) * math.sqrt(3 / 4)
    given = {"definition": "linear", "gain": 1.0, "test": None}
    assert _no_source_gain("math", 3.93, draws, **given) is None
    low = f"{UNSHOWN}: the lower 95 % bound of its DI is -0.02"
    assert _no_source_gain("math", 3.90, draws, **given) == low


def sure(groups: int = 3, replicates: int = 400) -> np.ndarray:
    centre = np.array([13.0, 4.0, -4.0])[:groups]
    return np.random.default_rng(3).normal(centre, 0.5, size=(replicates, groups))


@pytest.mark.parametrize(
    ("definition", "name"),
    [("robust", "percentile"), ("relative", "percentile"), ("linear", "Fieller")],
)
def test_an_interval_is_named_after_how_it_was_made(definition: str, name: str) -> None:
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": TUNED, "definition": definition}
    paired = index_of("m", "b", **given, di_RG=sure())
    apart = index_of("m", "b", **given, di_RG=sure(), paired=False)
    assert (paired.interval, apart.interval) == (name, f"{name}, unpaired")
    assert (paired.model, paired.base) == ("m", "b")
    assert paired.ci == apart.ci
    assert paired.no_interval == {}
    none = index_of("m", "b", **given)
    assert (none.interval, none.ci) == (None, {"other": None, "non": None})
    assert none.ti == pytest.approx(paired.ti)


@pytest.mark.parametrize("definition", ["robust", "linear"])
def test_an_unknown_uncertainty_leaves_out_its_own_interval_only(definition: str) -> None:
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": TUNED, "definition": definition}
    unknown = sure()
    unknown[:, 2] = np.nan
    found = index_of("m", "b", **given, di_RG=unknown)
    assert found.ci["non"] is None
    assert found.ci["other"] is not None
    assert found.ti["non"] is not None
    assert found.no_interval == {}
    # Of the source's: no interval at all, and its point alone says whether it gained
    unknown[:, 0] = np.nan
    found = index_of("m", "b", **given, di_RG=unknown)
    assert (found.interval, found.ci) == (None, {"other": None, "non": None})
    assert found.ti["other"] is not None


def test_a_ratio_of_nearly_nothing() -> None:
    cov = np.diag([0.25, 0.25])
    assert fieller(0.98, 1.0, cov) is None  # 1.96 x 0.5
    low, high = fieller(1.0, 0.0, cov, z=1.0) or (0.0, 0.0)
    # 0.75 t^2 <= 0.25
    assert (low, high) == pytest.approx((-math.sqrt(1 / 3), math.sqrt(1 / 3)))
    assert fieller(0.0, 1.0, np.zeros((2, 2))) is None
    # Perfectly correlated and without spread: the ratio itself
    assert fieller(2.0, 1.0, np.zeros((2, 2))) == (0.5, 0.5)


def test_order_statistics_of_few_replicates_and_of_another_axis() -> None:
    assert order_interval(np.arange(10.0)[::-1]) == (0.0, 9.0)
    # The second and the 40th of 41: ceil(1.025), ceil(39.975)
    low, high = order_interval(np.stack([np.arange(41.0), -np.arange(41.0)]), axis=1)
    assert (low.tolist(), high.tolist()) == ([1.0, -39.0], [39.0, -1.0])


def test_scores_of_several_models_at_once() -> None:
    both = np.stack([TUNED, BASE + 4.0])
    for definition in ("robust", "linear", "relative"):
        found = domain_index(BASE, both, LAYOUT.member_GB, definition=definition)
        alone = domain_index(BASE, both[1], LAYOUT.member_GB, definition=definition)
        assert found.shape == (2, 3)
        np.testing.assert_allclose(found[1], alone)
    with pytest.raises(ValueError, match="unknown definition 'cubic'"):
        domain_index(BASE, TUNED, LAYOUT.member_GB, definition="cubic")


def test_no_headroom_is_no_weight() -> None:
    base = np.array([100.0, 100.0, 50.0, 100.0, 60.0])
    assert headroom_weights(base, LAYOUT.member_GB).tolist() == [0.0, 0.0, 1.0, 0.0, 1.0]
    base[4] = 99.5
    assert headroom_weights(base, LAYOUT.member_GB)[4] == 1.0


def test_sigmas_of_replicates() -> None:
    gains = np.random.default_rng(0).normal(size=(4, 3, 5))
    pooled = pooled_sigma(gains, LAYOUT.member_GB)
    own = sigma_for("per-model", gains, LAYOUT.member_GB)
    assert (pooled.shape, own.shape) == ((4, 3), (4, 3, 3))
    for at, one in enumerate(gains):
        np.testing.assert_allclose(pooled[at], pooled_sigma(one, LAYOUT.member_GB))
        np.testing.assert_allclose(own[at], sigma_for("per-model", one, LAYOUT.member_GB))


def test_nothing_over_nothing_is_no_relative_gain() -> None:
    nothing = BASE.copy()
    nothing[4] = 0.0
    found = domain_index(nothing, nothing, LAYOUT.member_GB, definition="relative")
    assert found[:2].tolist() == [0.0, 0.0]
    assert math.isnan(found[2])
    assert transferability(np.array([0.0, 0.0, -2.0]), 0).tolist() == [0.0, 0.0, -np.inf]


def test_an_index_is_on_the_scale_of_its_sigmas() -> None:
    sigma = np.array([4.0, 9.0, 1.0])
    found = index_of("m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, sigma_G=sigma)
    assert found.di == pytest.approx({"math": 1.75, "other": -7 / 18, "non": -3.0})
    assert found.ti == pytest.approx({"other": -700 / 18 / 1.75, "non": -300 / 1.75})


def test_a_linear_source_may_have_outliers_that_a_percentile_would_not_allow() -> None:
    di = sure()
    di[:16, 0] = -1.0  # 4 %: the order statistic is -1, the normal bound 13 - 1.96 x 2.8
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": TUNED, "di_RG": di}
    assert index_of("m", "b", **given, definition="linear").ti["non"] is not None
    robust = index_of("m", "b", **given)
    assert robust.undefined_reason["non"].endswith("the lower 95 % bound of its DI is -1.00")


def test_a_p_of_just_the_level_leaves_0_in_the_interval() -> None:
    source = ChangeTest("mcnemar", 0.001, (5.0, 20.0))
    level = ChangeTest("sign-flip", 0.05, (0.0, 9.0))
    tests = {"math": source, "other": level, "non": level}
    given = {"layout": LAYOUT, "base_B": BASE, "tuned_B": TUNED}
    found = index_of("m", "b", **given, di_RG=sure(), tests=tests).ci
    assert found["other"] is not None
    assert found["other"][0] == 0.0 < found["other"][1]


def test_replicates_without_a_value_make_no_interval() -> None:
    # In a tenth of the replicates a base score of the group is 0: they have no relative gain.
    some = sure()
    some[::10, 2] = np.nan
    found = index_of(
        "m", "b", layout=LAYOUT, base_B=BASE, tuned_B=TUNED, definition="relative", di_RG=some
    )
    assert found.ci["non"] is None
    assert found.ci["other"] is not None
