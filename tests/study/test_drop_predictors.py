"""Every measured quantity stands among the predictors, under a name in plain words."""

import pytest

from transferscope.study.drop_predictors import quantities

HIDDEN = {
    "d_layerwise": 3.0,
    "d_paper": 1.0,
    "d_paper_max": 2.0,
    "layers": [
        {"cka": 0.9, "rel_l2": 0.1},
        {"cka": 0.7, "rel_l2": 0.5},
        {"cka": None, "rel_l2": None},
    ],
}
TOKENS = {
    "kl_tuned_base": 0.1,
    "kl_base_tuned": 0.2,
    "js": 0.3,
    "log_ratio": -0.4,
    "rank_shift": -5.0,
    "shifted_share": 0.6,
    "groups": {"math": {"kl_base_tuned": 0.7}},
}
WEIGHTS = {
    "relative_norm": 0.01,
    "changed_share": 0.8,
    "changed_bf16_share": 0.2,
    "stable_rank": 4.0,
}


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
    assert quantities({}, {}, {}, source="math") == {}
    nothing = {"relative_norm": None, "changed_share": 0.0, "stable_rank": None}
    assert quantities({}, {}, nothing, source="math") == {"share of weights changed": 0.0}


def test_a_distance_without_axes_is_no_quantity() -> None:
    layers = [{"cka": None, "rel_l2": 0.5}, {"cka": 0.75, "rel_l2": None}]
    hidden = {"d_layerwise": 2.0, "d_paper": None, "layers": layers}
    assert quantities(hidden, {}, {}, source="math") == {
        "PCA shift, layerwise": 2.0,
        "1 - lowest CKA": 0.25,
        "relative L2 shift, mean over layers": 0.5,
    }
