"""Which measured quantities predict the drop, over a study's runs and their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..compare import Comparison
from ..core.predictors import Observation, Predictor, predictors
from .run_summary import rank_change

TOKEN_QUANTITIES = {
    "KL(tuned ‖ base)": "kl_tuned_base",
    "KL(base ‖ tuned)": "kl_base_tuned",
    "Jensen–Shannon": "js",
    "share of positions with JS > 0.1": "shifted_share",
}
HIDDEN_QUANTITIES = {
    "PCA shift, layerwise": "d_layerwise",
    "PCA shift, the paper's": "d_paper",
    "PCA shift, the paper's, largest over signs": "d_paper_max",
}
WEIGHTS_QUANTITIES = {
    "relative norm of the weights' change": "relative_norm",
    "share of weights changed": "changed_share",
    "share of weights changed as stored in bf16": "changed_bf16_share",
    "stable rank of the weights' change": "stable_rank",
}


def observed(
    comparison: Comparison,
    hidden: Mapping[str, Mapping[str, Any]],
    tokens: Mapping[str, Mapping[str, Any]],
    weights: Mapping[str, Mapping[str, Any]],
) -> list[Observation]:
    """One row per compared model; checkpoints ``CELL@STEP`` belong to the run ``CELL``.

    The drop is minus the retention: points lost outside of the source group.
    """
    rows = []
    for result in comparison.tuned:
        if result.retention is None:
            continue
        found = quantities(
            *(probe.get(result.model, {}) for probe in (hidden, tokens, weights)),
            source=comparison.source,
        )
        run = result.model.partition("@")[0]
        rows.append(Observation(run, -result.retention.gain, found))
    return rows


def quantities(
    hidden: Mapping[str, Any],
    tokens: Mapping[str, Any],
    weights: Mapping[str, Any],
    *,
    source: str,
) -> dict[str, float]:
    """What the probes' JSON say of one model, by the quantity's name.

    Forward KL on the new task (arXiv 2509.04259) is KL(base || tuned) over the source group alone.
    """
    found = {
        name: float(tokens[key])
        for name, key in TOKEN_QUANTITIES.items()
        if tokens.get(key) is not None
    }
    if tokens.get("rank_shift") is not None:
        found["rank shift, mean size over benchmarks"] = rank_change(tokens)
    if tokens.get("log_ratio") is not None:
        # with its sign: below 0 the tuned model likes the answers less
        found["log-ratio of the emitted tokens"] = float(tokens["log_ratio"])
    new_task = (tokens.get("groups") or {}).get(source)
    if new_task and new_task["kl_base_tuned"] is not None:
        found["KL(base ‖ tuned) on the source group"] = float(new_task["kl_base_tuned"])
    found |= {
        name: float(hidden[key])
        for name, key in HIDDEN_QUANTITIES.items()
        if hidden.get(key) is not None
    }
    layers = hidden.get("layers", ())
    if similar := [layer["cka"] for layer in layers if layer["cka"] is not None]:
        found["1 - lowest CKA"] = 1.0 - min(similar)
    if moved := [layer["rel_l2"] for layer in layers if layer["rel_l2"] is not None]:
        found["relative L2 shift, mean over layers"] = sum(moved) / len(moved)
    for name, key in WEIGHTS_QUANTITIES.items():
        if weights.get(key) is not None:
            found[name] = float(weights[key])
    return found


def predict(
    comparison: Comparison,
    hidden: Mapping[str, Mapping[str, Any]],
    tokens: Mapping[str, Mapping[str, Any]],
    weights: Mapping[str, Mapping[str, Any]],
    *,
    seed: int = 0,
) -> tuple[Predictor, ...]:
    """Every quantity as a predictor of the drop."""
    return predictors(observed(comparison, hidden, tokens, weights), seed=seed)
