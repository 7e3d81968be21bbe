"""Every measured quantity stands among the predictors, under a name in plain words."""

from dataclasses import replace

import pytest

from transferscope.core.hidden_shift import HiddenShift, LayerShift
from transferscope.core.token_shift import TokenMeans, TokenShift
from transferscope.core.weight_shift import WeightShift
from transferscope.study.drop_predictors import quantities


def layer(cka: float | None, rel_l2: float | None) -> LayerShift:
    return LayerShift(0, None, None, cka, rel_l2)


def means(kl_base_tuned: float, rank_shift: float = -5.0) -> TokenMeans:
    return TokenMeans(
        n_texts=1,
        n_tokens=1,
        kl_tuned_base=0.1,
        kl_base_tuned=kl_base_tuned,
        js=0.3,
        log_ratio=-0.4,
        rank_shift=rank_shift,
        shifted_share=0.6,
        entropy_base=None,
        entropy_tuned=None,
    )


LAYERS = (layer(0.9, 0.1), layer(0.7, 0.5), layer(None, None))
HIDDEN = HiddenShift(9, 1.0, 2.0, 3.0, 3, LAYERS)
TOKENS = TokenShift(
    **vars(means(0.2)), prefix="base", shifted_tokens=(), groups={"math": means(0.7)}
)
WEIGHTS = WeightShift(10, 0.8, 0.2, 0.01, 4.0)


def test_quantities_by_hand() -> None:
    assert quantities(HIDDEN, TOKENS, WEIGHTS, source="math") == pytest.approx(
        {
            "KL(tuned ‖ base)": 0.1,
            "KL(base ‖ tuned)": 0.2,
            "Jensen–Shannon": 0.3,
            "log-ratio of the emitted tokens": -0.4,
            "rank shift, mean size over benchmarks": 5.0,
            "share of positions with JS > 0.1": 0.6,
            "KL(base ‖ tuned) on the source group": 0.7,
            "PCA shift, layerwise": 3.0,
            "PCA shift, the paper's": 1.0,
            "PCA shift, the paper's, largest over signs": 2.0,
            "1 - lowest CKA": 0.3,
            "relative L2 shift, mean over layers": 0.3,
            "relative norm of the weights' change": 0.01,
            "share of weights changed": 0.8,
            "share of weights changed as stored in bf16": 0.2,
            "stable rank of the weights' change": 4.0,
        }
    )


def test_what_was_not_measured_is_left_out() -> None:
    assert quantities(None, None, None, source="math") == {}
    nothing = WeightShift(10, 0.0, 0.0, None, None)
    assert quantities(None, None, nothing, source="math") == {
        "share of weights changed": 0.0,
        "share of weights changed as stored in bf16": 0.0,
    }
    infinite = replace(TOKENS, kl_tuned_base=None, infinite={"kl_tuned_base": "inf"}, groups={})
    found = quantities(None, infinite, None, source="math")
    assert "KL(tuned ‖ base)" not in found
    assert "KL(base ‖ tuned) on the source group" not in found


def test_a_distance_without_axes_is_no_quantity() -> None:
    layers = (layer(None, 0.5), layer(0.75, None))
    hidden = HiddenShift(9, None, None, 2.0, 1, layers)
    assert quantities(hidden, None, None, source="math") == {
        "PCA shift, layerwise": 2.0,
        "1 - lowest CKA": 0.25,
        "relative L2 shift, mean over layers": 0.5,
    }
