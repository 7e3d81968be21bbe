"""Which measured quantities predict the drop, over a study's runs and their checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..compare import Comparison
from ..core.predictors import Observation, Predictor, predictors

TOKEN_QUANTITIES = {
    "KL(tuned ‖ base)": "kl_tuned_base",
    "KL(base ‖ tuned)": "kl_base_tuned",
    "Jensen–Shannon": "js",
    "rank shift, absolute": "rank_shift",
    "share of positions with JS > 0.1": "shifted_share",
}
HIDDEN_QUANTITIES = {
    "PCA shift, layerwise": "d_layerwise",
    "PCA shift, the paper's": "d_paper",
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
        name: abs(float(tokens[key]))
        for name, key in TOKEN_QUANTITIES.items()
        if tokens.get(key) is not None
    }
    new_task = (tokens.get("groups") or {}).get(source)
    if new_task and new_task["kl_base_tuned"] is not None:
        found["KL(base ‖ tuned) on the source group"] = float(new_task["kl_base_tuned"])
    found |= {
        name: float(hidden[key])
        for name, key in HIDDEN_QUANTITIES.items()
        if hidden.get(key) is not None
    }
    similar = [layer["cka"] for layer in hidden.get("layers", ()) if layer["cka"] is not None]
    if similar:
        found["1 - lowest CKA"] = 1.0 - min(similar)
    if weights.get("relative_norm") is not None:
        found["relative norm of the weights' change"] = float(weights["relative_norm"])
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
