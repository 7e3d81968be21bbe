from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transferscope.core.labels import Labels
from transferscope.core.passages import most_shifted
from transferscope.core.position_shifts import PositionShifts
from transferscope.core.token_shift import (
    mean_over_texts,
    measure_tokens,
    position_curve,
    token_means,
)


def positions():
    kl = np.array([1.0, 3.0, 10.0])
    return PositionShifts(
        text_N=np.array([4, 4, 9]),
        token_N=np.array([0, 1, 1]),
        kl_tuned_base_N=kl,
        kl_base_tuned_N=2 * kl,
        js_N=np.array([0.05, 0.2, 0.1]),
        entropy_base_N=kl,
        entropy_tuned_N=kl,
        log_ratio_N=-kl,
        rank_base_N=np.array([5, 1, 1]),
        rank_tuned_N=np.array([5, 3, 9]),
        lost_mass_N=np.array([0.0, 0.2, 0.3]),
    )


def test_tokens_are_averaged_per_text_first():
    found = measure_tokens(
        positions(), prefix="base", decode="ab".__getitem__, kind=lambda _: "content", n_skipped=1
    )
    assert found.kl_tuned_base == (2 + 10) / 2
    assert found.log_ratio == -6
    assert found.rank_shift == (-1 - 8) / 2
    assert found.shifted_share == 0.25  # 0.1 itself is not above 0.1
    assert (found.n_texts, found.n_tokens, found.n_skipped) == (2, 3, 1)
    assert found.to_json()["shifted_tokens"] == [
        {"token": "b", "count": 2, "mean_shift": -5.0, "kind": "content"}
    ]
    assert set(found.to_json()) == {
        *("prefix", "n_texts", "n_tokens", "kl_tuned_base", "kl_base_tuned", "js", "log_ratio"),
        *("rank_shift", "shifted_share", "shifted_tokens", "lost_mass", "curve", "passages"),
        *("entropy_base", "entropy_tuned", "n_skipped", "schema"),
    }
    assert found.to_json()["n_skipped"] == 1
    assert found.to_json()["entropy_base"] == 6
    assert mean_over_texts(np.array([0.0, 2.0, 4.0]), np.array([1, 1, 0])) == 2.5


def test_lost_mass_is_reported_where_there_is_any():
    found = measure_tokens(positions(), prefix="base", decode=str, kind=str)
    assert found.lost_mass == pytest.approx((0.1 + 0.3) / 2)
    none = replace(positions(), lost_mass_N=np.zeros(3))
    assert "lost_mass" not in measure_tokens(none, prefix="base", decode=str, kind=str).to_json()


def drawn(lengths, seed=0):
    """Positions of texts of these lengths with random values."""
    rng = np.random.default_rng(seed)
    n = sum(lengths)
    values = {f.name: rng.uniform(0, 0.6, n) for f in fields(PositionShifts)}
    values["text_N"] = np.repeat(np.arange(len(lengths)), lengths)
    for name in ("token_N", "rank_base_N", "rank_tuned_N"):
        values[name] = rng.integers(1, 9, n)
    return PositionShifts(**values)


def test_parts_are_the_means_of_their_texts_alone():
    every = drawn([3, 5, 2, 4])
    labels = Labels(("a", "b", "a", ""), {"a": "math"})
    found = measure_tokens(every, prefix="base", decode=str, kind=str, labels=labels)
    rows = np.isin(every.text_N, [0, 2])
    assert found.benchmarks["a"] == found.groups["math"] == token_means(every[rows])
    assert list(found.benchmarks) == ["a", "b"]
    assert found.to_json()["groups"]["math"]["n_tokens"] == 5
    assert "passages" not in replace(found, passages=()).to_json()


def test_places_and_shards():
    every = drawn([3, 1, 4])
    assert every.place_N.tolist() == [0, 1, 2, 0, 0, 1, 2, 3]
    parts = [every[np.isin(every.text_N, texts)] for texts in ([2], [0, 1])]
    joined = PositionShifts.joined([*parts, PositionShifts.joined([])])
    for field in fields(PositionShifts):
        np.testing.assert_array_equal(getattr(joined, field.name), getattr(every, field.name))


def test_the_curve_by_hand():
    js = np.array([0.4, 0.2, 0.0, 0.1, 0.6])
    every = replace(drawn([4, 1]), js_N=js)
    found = position_curve(every)
    assert [(p.first, p.last, p.n_tokens) for p in found] == [(0, 0, 2), (1, 1, 1), (2, 3, 2)]
    assert [p.js for p in found] == pytest.approx([0.5, 0.2, 0.05])
    assert [p.shifted_share for p in found] == [1.0, 1.0, 0.0]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6))
def test_every_position_is_in_one_bin_of_its_own_power_of_two(lengths):
    found = position_curve(drawn(lengths))
    assert sum(p.n_tokens for p in found) == sum(lengths)
    assert all(p.last < max(1, 2 * p.first) for p in found)


def test_passages_by_hand():
    text = np.array([0, 0, 0, 0, 3, 5, 5])
    js = np.array([0.1, 0.3, 0.3, 0.0, 0.6, 0.2, 0.2])
    found = most_shifted(text, js, window=2)[:2]
    assert [(w.text, w.start, w.stop) for w in found] == [(0, 1, 3), (3, 4, 5)]
    # The text of one token is held against a window of two.
    assert [w.mean_js for w in found] == pytest.approx([0.3, 0.3])
    shift = measure_tokens(
        replace(drawn([2, 1]), js_N=np.array([0.0, 0.5, 0.1])),
        prefix="tuned",
        decode=lambda token: f"<{token}>",
        kind=str,
        labels=Labels(("", "b")),
    )
    assert [(p.text, p.benchmark, p.start) for p in shift.passages] == [(0, "", 0), (1, "b", 0)]
    assert [js for _, js in shift.passages[0].tokens] == [0.0, 0.5]


def test_at_most_two_passages_of_one_benchmark():
    every = drawn([3] * 8)
    labels = Labels(("a",) * 5 + ("b", "", ""))
    found = measure_tokens(every, prefix="base", decode=str, kind=str, labels=labels).passages
    assert sorted(p.benchmark for p in found) == ["", "", "a", "a", "b"]
    means = [p.mean_js for p in found]
    assert means == sorted(means, reverse=True)


@given(st.lists(st.floats(0, 0.69), min_size=1, max_size=30), st.integers(1, 8))
def test_the_window_is_the_largest(values, window):
    js = np.array(values)
    found = most_shifted(np.zeros(len(js), dtype=int), js, window=window)[0]
    width = min(window, len(js))
    sums = [sum(values[i : i + width]) for i in range(len(js) - width + 1)]
    assert found.stop - found.start == width
    assert found.mean_js * window == pytest.approx(max(sums), abs=1e-12)
