"""Tests which measured quantities predict the drop over a study's runs and checkpoints."""

from __future__ import annotations

from collections.abc import Mapping

from ..compare import Comparison
from ..core.hidden_shift import HiddenShift
from ..core.predictors import Observation, Predictor, predictors
from ..core.token_shift import TokenShift
from ..core.weight_shift import WeightShift
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
    hidden: Mapping[str, HiddenShift],
    tokens: Mapping[str, TokenShift],
    weights: Mapping[str, WeightShift],
) -> list[Observation]:
    """Build one row per compared model; checkpoints ``CELL@STEP`` belong to the run ``CELL``.

    The drop is minus the retention: the points lost outside the source group.
    """
    rows = []
    for result in comparison.tuned:
        if result.retention is None:
            continue
        found = quantities(
            hidden.get(result.model),
            tokens.get(result.model),
            weights.get(result.model),
            source=comparison.source,
        )
        run = result.model.partition("@")[0]
        rows.append(Observation(run, -result.retention.gain, found))
    return rows


def quantities(
    hidden: HiddenShift | None,
    tokens: TokenShift | None,
    weights: WeightShift | None,
    *,
    source: str,
) -> dict[str, float]:
    """Collect the probe results of one model by quantity; ``None`` means it was not probed.

    Forward KL on the new task (arXiv 2509.04259) is KL(base || tuned) over the source group alone.
    """
    found: dict[str, float | None] = {}
    if tokens is not None:
        found |= {name: getattr(tokens, key) for name, key in TOKEN_QUANTITIES.items()}
        found["rank shift, mean size over benchmarks"] = rank_change(tokens)
        # keeps its sign: below 0 the tuned model finds the answers less likely
        found["log-ratio of the emitted tokens"] = tokens.log_ratio
        if source in tokens.groups:
            found["KL(base ‖ tuned) on the source group"] = tokens.groups[source].kl_base_tuned
    if hidden is not None:
        found |= {name: getattr(hidden, key) for name, key in HIDDEN_QUANTITIES.items()}
        if similar := [layer.cka for layer in hidden.layers if layer.cka is not None]:
            found["1 - lowest CKA"] = 1.0 - min(similar)
        if moved := [layer.rel_l2 for layer in hidden.layers if layer.rel_l2 is not None]:
            found["relative L2 shift, mean over layers"] = sum(moved) / len(moved)
    if weights is not None:
        found |= {name: getattr(weights, key) for name, key in WEIGHTS_QUANTITIES.items()}
    return {name: value for name, value in found.items() if value is not None}


def predict(
    comparison: Comparison,
    hidden: Mapping[str, HiddenShift],
    tokens: Mapping[str, TokenShift],
    weights: Mapping[str, WeightShift],
    *,
    seed: int = 0,
) -> tuple[Predictor, ...]:
    """Evaluate every quantity as a predictor of the drop."""
    return predictors(observed(comparison, hidden, tokens, weights), seed=seed)
