"""Robustness against values worked out by hand, and what must not matter as properties."""

from __future__ import annotations

import json
import math
from math import comb, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import spearmanr

from transferscope.core.index import Layout, index_of
from transferscope.core.robustness import (
    BelowChance,
    Specification,
    below_chance,
    benchmark_weights,
    leave_one_out,
    rank_correlation,
    specification_curve,
    specifications,
    ti_range,
)
from transferscope.core.typed_record import plain

LAYOUT = Layout.of({"math": ["a", "b"], "other": ["c", "d"], "non": ["e"]}, "math")
BASE = np.array([40.0, 80.0, 50.0, 90.0, 60.0])
TUNED = np.array([56.0, 84.0, 46.0, 99.0, 51.0])
# gains 16, 4 | -4, 9 | -9; weights 3/4, 1/4 | 5/6, 1/6 | 1; roots 4, 2 | -2, 3 | -3

SCORES = st.floats(1.0, 99.0)
MANY = arrays(np.float64, (4, 5), elements=SCORES)


def by_name(rows, name):
    return next(row for row in rows if row.benchmark == name)


# ---- weights ----


def test_weights_by_hand() -> None:
    rows = benchmark_weights(LAYOUT, BASE)
    assert [(r.benchmark, r.group) for r in rows] == [
        ("a", "math"),
        ("b", "math"),
        ("c", "other"),
        ("d", "other"),
        ("e", "non"),
    ]
    assert [r.weight for r in rows] == pytest.approx([75.0, 25.0, 500 / 6, 100 / 6, 100.0])
    assert plain(rows[0]) == {"benchmark": "a", "group": "math", "weight": 75.0}


@given(arrays(np.float64, 5, elements=SCORES))
def test_weights_of_a_group_sum_to_100(base) -> None:
    rows = benchmark_weights(LAYOUT, base)
    for group in LAYOUT.groups:
        assert sum(r.weight for r in rows if r.group == group) == pytest.approx(100.0)


def test_no_headroom_weighs_nothing() -> None:
    rows = benchmark_weights(LAYOUT, np.array([40.0, 80.0, 100.0, 100.0, 60.0]))
    assert [r.weight for r in rows if r.group == "other"] == [0.0, 0.0]


# ---- leave one out ----


def test_leave_one_out_by_hand() -> None:
    rows = leave_one_out(LAYOUT, BASE, TUNED)
    assert [r.benchmark for r in rows] == list(LAYOUT.benchmarks)
    other, non = -7 / 6, -3.0
    without_a, without_b = by_name(rows, "a"), by_name(rows, "b")
    assert without_a.di == pytest.approx({"math": 2.0, "other": other, "non": non})
    assert without_a.ti == pytest.approx({"other": 50 * other, "non": 50 * non})
    assert without_b.ti == pytest.approx({"other": 25 * other, "non": 25 * non})
    # the source's DI is 0.75 * 4 + 0.25 * 2 = 3.5
    assert by_name(rows, "c").ti == pytest.approx({"other": 300 / 3.5, "non": -300 / 3.5})
    assert by_name(rows, "d").ti == pytest.approx({"other": -200 / 3.5, "non": -300 / 3.5})


def test_leaving_out_the_only_benchmark_is_undefined_for_its_group_alone() -> None:
    row = by_name(leave_one_out(LAYOUT, BASE, TUNED), "e")
    assert row.di["non"] is None
    assert row.ti["non"] is None
    assert row.undefined_reason == {"non": "no benchmark of non-reasoning is left"}
    assert row.ti["other"] == pytest.approx(100 * -7 / 6 / 3.5)


def test_leaving_out_the_only_source_benchmark_leaves_the_other_groups_di() -> None:
    layout = Layout.of({"math": ["a"], "non": ["b"]}, "math")
    first, second = leave_one_out(layout, np.array([10.0, 10.0]), np.array([20.0, 15.0]))
    assert first.di == {"math": None, "non": pytest.approx(math.sqrt(5.0))}
    assert first.ti == {"non": None}
    assert first.undefined_reason == {"non": "no benchmark of the source group math is left"}
    assert second.di["math"] == pytest.approx(sqrt(10))
    assert second.ti == {"non": None}


def test_leaving_out_the_gain_makes_ti_undefined_with_its_reason() -> None:
    tuned = np.array([56.0, 79.0, 46.0, 99.0, 51.0])
    row = by_name(leave_one_out(LAYOUT, BASE, tuned), "a")
    assert row.ti == {"other": None, "non": None}
    assert row.undefined_reason["other"] == "no gain on the source group math (DI -1.00)"
    assert row.di["non"] == -3.0
    document = json.dumps(plain(row), allow_nan=False)
    assert json.loads(document)["ti"] == {"other": None, "non": None}


def test_sigma_stays_with_its_group() -> None:
    sigma = np.array([4.0, 9.0, 16.0])
    row = by_name(leave_one_out(LAYOUT, BASE, TUNED, sigma_G=sigma), "e")
    assert row.di == {"math": pytest.approx(1.75), "other": pytest.approx(-7 / 18), "non": None}
    row = by_name(leave_one_out(LAYOUT, BASE, TUNED, sigma_G=sigma), "d")
    assert row.di["non"] == pytest.approx(-0.75)


def test_other_definitions_are_left_out_alike() -> None:
    linear = by_name(leave_one_out(LAYOUT, BASE, TUNED, definition="linear"), "b")
    assert linear.di == pytest.approx({"math": 16.0, "other": -20 / 6 + 9 / 6, "non": -9.0})
    relative = by_name(leave_one_out(LAYOUT, BASE, TUNED, definition="relative"), "b")
    assert relative.di == pytest.approx({"math": 0.4, "other": 0.01, "non": -0.15})


@given(arrays(np.float64, 5, elements=SCORES), arrays(np.float64, 5, elements=SCORES))
def test_a_benchmark_of_weight_zero_can_be_left_out(base, tuned) -> None:
    base[1] = 100.0
    whole = index_of("m", "b", layout=LAYOUT, base_B=base, tuned_B=tuned)
    row = by_name(leave_one_out(LAYOUT, base, tuned), "b")
    assert row.di == pytest.approx(dict(whole.di))
    assert row.ti == pytest.approx(dict(whole.ti))


@given(arrays(np.float64, 5, elements=SCORES), arrays(np.float64, 5, elements=SCORES))
def test_other_groups_keep_their_di(base, tuned) -> None:
    whole = index_of("m", "b", layout=LAYOUT, base_B=base, tuned_B=tuned)
    for row in leave_one_out(LAYOUT, base, tuned):
        home = next(
            w.group for w in benchmark_weights(LAYOUT, base) if w.benchmark == row.benchmark
        )
        for group in LAYOUT.groups:
            if group != home:
                assert row.di[group] == pytest.approx(whole.di[group])


# ---- specification curve ----


def test_the_specifications() -> None:
    alone = specifications(published=False, models=1)
    assert [(s.definition, s.scale, s.weights) for s in alone] == [
        ("robust", "unit", "headroom"),
        ("robust", "unit", "uniform"),
        ("robust", "per-model", "headroom"),
        ("robust", "per-model", "uniform"),
        ("linear", None, "headroom"),
        ("linear", None, "uniform"),
        ("relative", None, None),
    ]
    every = specifications(published=True, models=2)
    assert len(every) == len(set(every)) == 11


def test_curve_by_hand() -> None:
    curve = specification_curve(["m"], LAYOUT, BASE[None], TUNED[None])
    ti = {(r.definition, r.scale, r.weights): r.ti["m"] for r in curve.specifications}
    assert ti["robust", "unit", "headroom"] == pytest.approx(
        {"other": -700 / 6 / 3.5, "non": -300 / 3.5}
    )
    assert ti["robust", "unit", "uniform"] == pytest.approx({"other": 50 / 3, "non": -100.0})
    # per-model sigma: 6 (gains 16, 4), 6.5 (-4, 9), 0 (one benchmark)
    assert ti["robust", "per-model", "uniform"]["other"] == pytest.approx(
        100 * (0.5 / sqrt(6.5)) / (3 / sqrt(6))
    )
    assert ti["robust", "per-model", "headroom"]["non"] is None
    assert ti["linear", None, "headroom"] == pytest.approx(
        {"other": 100 * (-20 / 6 + 9 / 6) / 13, "non": -900 / 13}
    )
    assert ti["linear", None, "uniform"] == pytest.approx({"other": 25.0, "non": -90.0})
    assert ti["relative", None, None] == pytest.approx(
        {"other": 100 * 0.01 / 0.225, "non": -100 * 0.15 / 0.225}
    )
    low, high = curve.range["m"]["other"]
    assert (low, high) == pytest.approx((-700 / 6 / 3.5, 25.0))
    for result in curve.specifications:
        assert result.rank_correlation == {"other": None, "non": None}
        assert result.models_ranked["other"] == 1
    reasons = next(r for r in curve.specifications if r.scale == "per-model")
    assert reasons.undefined_reason == {"m": {"non": "sigma of non-reasoning is 0"}}


def test_published_and_default() -> None:
    sigma = np.array([4.0, 9.0, 16.0])
    default = Specification("robust", "published", "headroom")
    curve = specification_curve(
        ["m"], LAYOUT, BASE[None], TUNED[None], default=default, published_G=sigma
    )
    assert curve.default == default
    assert vars(default).items() <= vars(curve.specifications[0]).items()
    assert curve.specifications[0].ti["m"] == pytest.approx(
        {"other": -700 / 6 / 3.5 * sqrt(4 / 9), "non": -300 / 3.5 / 2}
    )
    with pytest.raises(ValueError, match="not among"):
        specification_curve(["m"], LAYOUT, BASE[None], TUNED[None], default=default)
    document = json.loads(json.dumps(plain(curve), allow_nan=False))
    assert document["default"] == {
        "definition": "robust",
        "scale": "published",
        "weights": "headroom",
    }
    assert document["specifications"][0]["rank_correlation"] == {"other": None, "non": None}
    assert document["range"]["m"]["other"] == list(curve.range["m"]["other"])


def test_uniform_weights_forget_where_the_base_stands() -> None:
    full = BASE.copy()
    full[4], tuned = 100.0, TUNED - BASE + np.where(np.arange(5) == 4, 100.0, BASE)
    curve = specification_curve(["m"], LAYOUT, full[None], tuned[None])
    ti = {(r.definition, r.weights): r for r in curve.specifications[:2]}
    assert ti["robust", "headroom"].undefined_reason["m"] == {
        "non": "no headroom: every base score of non-reasoning is 100"
    }
    assert ti["robust", "uniform"].ti["m"]["non"] == pytest.approx(-100.0)


@settings(max_examples=40)
@given(MANY, MANY)
def test_one_sigma_for_all_models_changes_no_rank(base, tuned) -> None:
    names = ["p", "q", "r", "s"]
    tuned[:, :2] = np.maximum(tuned[:, :2], base[:, :2])
    tuned[:, 0] = np.maximum(tuned[:, 0], base[:, 0] + 0.5)
    sigma = np.array([16.122, 18.431, 20.462])
    curve = specification_curve(names, LAYOUT, base, tuned, published_G=sigma)
    for result in curve.specifications:
        if result.definition == "robust" and result.scale in ("published", "cohort"):
            if result.weights != "headroom":
                continue
            for group, rank in result.rank_correlation.items():
                values = [curve.specifications[0].ti[m][group] for m in names]
                gaps = np.diff(np.sort([v for v in values if v is not None]))
                # values a rounding error apart may swap
                if rank is not None and (gaps == 0).sum() == (gaps < 1e-6).sum():
                    assert rank == pytest.approx(1.0)


@settings(max_examples=40)
@given(MANY, MANY)
def test_every_ti_lies_in_its_range_and_undefined_ones_have_a_reason(base, tuned) -> None:
    names = ["p", "q", "r", "s"]
    curve = specification_curve(names, LAYOUT, base, tuned)
    for result in curve.specifications:
        for model in names:
            for group in LAYOUT.targets:
                value, span = result.ti[model][group], curve.range[model][group]
                if value is None:
                    assert result.undefined_reason[model][group]
                else:
                    assert span is not None
                    assert span[0] <= value <= span[1]
                    assert math.isfinite(value)


def test_ti_range() -> None:
    assert ti_range([3.0, None, -1.0]) == (-1.0, 3.0)
    assert ti_range([None]) is None


def test_rank_correlation_by_hand_and_against_scipy() -> None:
    assert rank_correlation([1.0, 2.0], [2.0, 1.0]) is None
    assert rank_correlation([1.0, 2.0, 3.0], [5.0, 5.0, 5.0]) is None
    assert rank_correlation([1.0, 2.0, 3.0], [30.0, 20.0, 10.0]) == pytest.approx(-1.0)
    # ranks 1 2 3 4 against 2 1 4 3: 1 - 6 * 4 / (4 * 15)
    assert rank_correlation([1, 2, 3, 4], [20, 10, 40, 30]) == pytest.approx(0.6)
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, 30).astype(float), rng.normal(size=30)
    assert rank_correlation(list(x), list(y)) == pytest.approx(float(spearmanr(x, y).statistic))


# ---- below chance ----


def tail(k: int, n: int, chance: float) -> float:
    return sum(comb(n, j) * chance**j * (1 - chance) ** (n - j) for j in range(k + 1))


def test_binomial_by_hand() -> None:
    # 1 of 8 at one half: (1 + 8) / 256; 2 of 8: 37 / 256 is not below 0.05
    (found,) = below_chance(["a", "b"], np.array([12.5, 25.0]), np.array([50.0, 50.0]), [8, 8])
    assert found == BelowChance("a", 12.5, 50.0, 8, found.p)
    assert found.flag == "non-answers"
    assert found.p == pytest.approx(9 / 256)


@given(st.integers(1, 200), st.data())
def test_binomial_against_its_sum(n, data) -> None:
    k = data.draw(st.integers(0, n))
    chance = data.draw(st.sampled_from([25.0, 50.0]))
    score = round(100 * k / n, 2)  # as a table prints it
    found = below_chance(["a"], np.array([score]), np.array([chance]), [n])
    p = tail(k, n, chance / 100)
    assert bool(found) == (p < 0.05)
    if found:
        assert found[0].p == pytest.approx(p)


def test_without_a_count_the_margin_is_half_of_chance() -> None:
    names = ["a", "b", "c", "d"]
    scores, chance = np.array([24.9, 25.0, 12.4, 0.0]), np.array([50.0, 50.0, 25.0, 0.0])
    found = below_chance(names, scores, chance)
    assert [(f.benchmark, f.n, f.p) for f in found] == [("a", None, None), ("c", None, None)]


def test_no_chance_level_no_flag() -> None:
    assert below_chance(["a"], np.array([0.0]), np.array([0.0]), [1000]) == ()


def test_the_only_benchmark_of_all_left_out_leaves_nothing() -> None:
    lone = Layout.of({"math": ["a"]}, "math")
    (row,) = leave_one_out(lone, np.array([40.0]), np.array([50.0]))
    assert (row.di, row.ti) == ({"math": None}, {})


def test_an_unknown_chance_level_is_never_undercut() -> None:
    unknown = np.array([np.nan])
    assert below_chance(["a"], np.array([0.0]), unknown, [1000]) == ()
    assert below_chance(["a"], np.array([0.0]), unknown) == ()
