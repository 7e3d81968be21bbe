import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA

from transferscope.core.shift import (
    PositionShifts,
    debiased_cka,
    mean_over_texts,
    measure_hidden,
    measure_tokens,
    pca_axes,
    pca_shift,
    relative_l2,
)

FEATURES = arrays(np.float64, (3, 5, 4), elements=st.floats(-100, 100, allow_subnormal=False))


def features(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape) + 3.0


def test_pca_shift_equals_projections_by_sklearn():
    base, tuned = features(0, 4, 12, 7), features(1, 4, 12, 7)
    ours = pca_shift(base, tuned)
    for layer in range(4):
        axes = PCA(2).fit(base[layer]).components_
        axes *= np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]
        expected = (tuned[layer] @ axes.T).mean(0) - (base[layer] @ axes.T).mean(0)
        np.testing.assert_allclose(ours.dm_L2[layer], expected, atol=1e-10)
    d1, d2 = ours.dm_L2[:, 0], ours.dm_L2[:, 1]
    assert ours.d_paper == pytest.approx(math.sqrt(d1.mean() ** 2 + d2.mean() ** 2))
    assert ours.d_paper_max == pytest.approx(
        math.sqrt(np.abs(d1).mean() ** 2 + np.abs(d2).mean() ** 2)
    )
    assert ours.d_layerwise == pytest.approx(np.sqrt(d1**2 + d2**2).mean())


def test_a_known_shift_by_hand():
    # Texts vary along the first dimension most, the second next; tuning moves all by (3, 4, 9).
    base = np.array([[[4.0, 0, 0], [-4, 0, 0], [0, 1, 0], [0, -1, 0]]])
    found = measure_hidden(base, base + np.array([3.0, 4.0, 9.0]))
    assert (found.layers[0].dm1, found.layers[0].dm2) == pytest.approx((3.0, 4.0))
    assert found.d_paper == found.d_paper_max == pytest.approx(5.0)
    assert found.d_layerwise == pytest.approx(5.0)
    assert found.layers[0].cka == pytest.approx(1.0)  # a translation changes no similarity
    assert found.layers[0].rel_l2 == pytest.approx(math.sqrt(4 * 106 / 34))


@given(FEATURES, FEATURES)
def test_order_of_the_three_summaries(base, tuned):
    found = pca_shift(base, tuned)
    slack = 1e-12 * (1 + found.d_layerwise)
    assert found.d_paper <= found.d_paper_max + slack
    assert found.d_paper_max <= found.d_layerwise + slack


def test_signs_are_fixed_and_constant_features_have_no_axis():
    axes = pca_axes(features(2, 9, 5))
    assert (axes[np.arange(2), np.abs(axes).argmax(1)] > 0).all()
    assert not pca_axes(np.full((6, 5), 0.1, dtype=np.float32)).any()
    assert not pca_axes(features(3, 2, 5))[1].any()  # two texts span one axis


def naive_cka(x, y):
    def hsic(a, b):
        n, one = len(a), np.ones(len(a))
        middle = (one @ a @ one) * (one @ b @ one) / ((n - 1) * (n - 2))
        return (np.trace(a @ b) + middle - 2 / (n - 2) * one @ a @ b @ one) / (n * (n - 3))

    a, b = x @ x.T, y @ y.T
    a, b = a - np.diag(np.diag(a)), b - np.diag(np.diag(b))
    return hsic(a, b) / np.sqrt(hsic(a, a) * hsic(b, b))


def test_cka_against_the_formula_and_its_invariances():
    x, y = features(4, 10, 30), features(5, 10, 20)
    assert debiased_cka(x, y) == pytest.approx(naive_cka(x, y), abs=1e-9)
    assert debiased_cka(x, x) == 1.0
    rotation = np.linalg.qr(features(6, 30, 30))[0]
    assert debiased_cka(x, 7 * x @ rotation) == pytest.approx(1.0)
    # Unrelated features of high dimension: plain CKA would be near 1.
    unrelated = [debiased_cka(features(s, 10, 500), features(s + 99, 10, 500)) for s in range(20)]
    assert abs(np.mean(unrelated)) < 0.1


def test_undefined_answers():
    assert debiased_cka(features(0, 3, 5), features(1, 3, 5)) is None
    assert debiased_cka(np.ones((6, 5)), features(1, 6, 5)) is None
    assert relative_l2(np.zeros((4, 2)), np.ones((4, 2))) is None
    with pytest.raises(ValueError, match="shape"):
        pca_shift(np.ones((1, 4, 2)), np.ones((1, 4, 3)))
    with pytest.raises(ValueError, match="finite"):
        pca_shift(np.ones((1, 4, 2)), np.full((1, 4, 2), np.nan))


def test_hidden_json_has_exactly_the_fields_of_the_contract():
    found = measure_hidden(features(0, 2, 5, 4), features(1, 2, 5, 4)).to_json()
    assert set(found) == {"n_texts", "d_paper", "d_paper_max", "d_layerwise", "layers"}
    assert [set(layer) for layer in found["layers"]] == [
        {"layer", "dm1", "dm2", "cka", "rel_l2"}
    ] * 2
    assert found["n_texts"] == 5


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
        *("rank_shift", "shifted_share", "shifted_tokens", "lost_mass"),
    }
    assert mean_over_texts(np.array([0.0, 2.0, 4.0]), np.array([1, 1, 0])) == 2.5


def test_lost_mass_is_reported_where_there_is_any():
    found = measure_tokens(positions(), prefix="base", decode=str, kind=str)
    assert found.lost_mass == pytest.approx((0.1 + 0.3) / 2)
    none = replace(positions(), lost_mass_N=np.zeros(3))
    assert "lost_mass" not in measure_tokens(none, prefix="base", decode=str, kind=str).to_json()
