import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.decomposition import PCA

from transferscope.core.hidden_shift import (
    Features,
    debiased_cka,
    measure_hidden,
    measure_parts,
    pca_axes,
    pca_shift,
    relative_l2,
)
from transferscope.core.labels import Labels
from transferscope.core.typed_record import plain

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
    assume(found.n_varying)
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
    parts = Features(np.arange(5), features(0, 2, 5, 4), features(1, 2, 5, 4))
    found = measure_parts(parts, Labels(("",) * 5)).to_json()
    distances = {"d_paper", "d_paper_max", "d_layerwise", "n_layers_averaged"}
    assert set(found) == {"n_texts", "n_skipped", "layers", "schema"} | distances
    assert [set(layer) for layer in found["layers"]] == [
        {"layer", "dm1", "dm2", "cka", "rel_l2"}
    ] * 2
    assert found["n_texts"] == 5


def test_equal_texts_have_no_axes():
    text = features(0, 2, 1, 4).repeat(5, axis=1)
    found = measure_hidden(text, features(1, 2, 5, 4))
    assert found.d_paper is found.d_paper_max is found.d_layerwise is None
    assert {(layer.dm1, layer.dm2, layer.cka) for layer in found.layers} == {(None, None, None)}
    assert all(layer.rel_l2 > 0.1 for layer in found.layers)
    document = plain(found)
    assert (document["d_layerwise"], document["n_layers_averaged"]) == (None, 0)
    assert document["undefined_reason"] == (
        "the base's states are the same for all texts, so there is no axis to project on"
    )


def test_a_layer_without_axes_is_in_no_distance():
    """Equal last tokens make layer 0 constant: the distances are those of the others alone."""
    base, tuned = features(0, 3, 5, 4), features(1, 3, 5, 4)
    base[0] = base[0, :1]
    found = measure_hidden(base, tuned)
    assert found.undefined_reason is None
    assert (found.layers[0].dm1, found.layers[0].dm2) == (None, None)
    assert found.layers[0].rel_l2 > 0.1
    assert found.n_layers_averaged == 2
    others = measure_hidden(base[1:], tuned[1:])
    assert [replace(layer, layer=layer.layer + 1) for layer in others.layers] == [*found.layers[1:]]
    for name in ("d_paper", "d_paper_max", "d_layerwise", "n_layers_averaged"):
        assert getattr(found, name) == getattr(others, name)
    assert np.isnan(pca_shift(base, tuned).dm_L2).tolist() == [[True] * 2, *[[False] * 2] * 2]
    nothing = pca_shift(base[:1], tuned[:1])
    assert (nothing.n_varying, math.isnan(nothing.d_layerwise)) == (0, True)
    json.dumps(plain(found), allow_nan=False)


def test_groups_and_benchmarks_are_measured_with_their_own_axes():
    base, tuned = features(0, 2, 9, 4), features(1, 2, 9, 4)
    rows = [0, 2, 3, 7]
    labels = Labels(
        ("a", "b", "a", "a", "", "b", "c", "a", "c"), {"a": "math", "b": "other", "c": "other"}
    )
    found = measure_parts(Features(np.arange(9), base, tuned), labels)
    assert found.benchmarks["a"] == measure_hidden(base[:, rows], tuned[:, rows])
    assert found.benchmarks["b"] is None  # two texts have no second axis
    others = [1, 5, 6, 8]
    assert found.groups["other"] == measure_hidden(base[:, others], tuned[:, others])
    assert list(found.groups) == ["math", "other"]
    document = found.to_json()
    assert document["benchmarks"]["b"] is None
    assert document["groups"]["math"]["n_texts"] == 4
    assert document["n_skipped"] == 0
    assert "n_skipped" not in document["groups"]["math"]
    own = ("groups", "benchmarks", "n_skipped", "schema")
    assert {k: v for k, v in document.items() if k not in own} == plain(measure_hidden(base, tuned))


def test_shards_of_features_are_put_into_the_order_of_the_texts():
    base, tuned = features(0, 2, 5, 3), features(1, 2, 5, 3)
    nothing = np.empty((0, 0, 0))
    parts = [
        Features(np.array(rows), base[:, rows], tuned[:, rows]) for rows in ([1, 4], [0, 2, 3])
    ]
    found = Features.joined([*parts, Features(np.array([], dtype=int), nothing, nothing)])
    np.testing.assert_array_equal(found.text_N, np.arange(5))
    np.testing.assert_array_equal(found.base_LND, base)
    np.testing.assert_array_equal(found.tuned_LND, tuned)
