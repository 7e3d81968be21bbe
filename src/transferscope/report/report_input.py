"""Input of a report: one comparison, and what else was measured about its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..core.hidden_shift import HiddenShift
    from ..core.predictors import Predictor
    from ..core.token_shift import TokenShift
    from ..core.weight_shift import WeightShift
    from ..documents.comparison import Comparison
    from ..documents.study_results import ArmMean, Claim
    from ..train.dynamics import Dynamics


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything one page shows; empty parts are omitted. Mappings are by the tuned model's name.

    ``hidden``, ``tokens`` and ``weights`` hold the results of ``transferscope probe``; ``training``
    the rows of a run's ``steps.jsonl`` (``step`` and any of ``reward``, ``loss``, ``grad_norm``,
    ``length``); ``costs`` named numbers (seconds, tokens, FLOPs), ``cost_note`` how they were
    estimated; ``predictors`` how well each probed quantity predicts the drop. For a study,
    ``claims`` holds the verdicts, ``arms`` the arm of each model, ``arm_means`` every arm averaged
    over its runs, and ``dynamics`` every arm's gradient norms. ``created`` is shown unchanged, so
    that the same input gives the same page.
    """

    title: str
    comparison: Comparison
    hidden: Mapping[str, HiddenShift] = field(default_factory=dict)
    tokens: Mapping[str, TokenShift] = field(default_factory=dict)
    weights: Mapping[str, WeightShift] = field(default_factory=dict)
    training: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost_note: str = ""
    predictors: Sequence[Predictor] = ()
    claims: Sequence[Claim] = ()
    arm_means: Sequence[ArmMean] = ()
    arms: Mapping[str, str] = field(default_factory=dict)
    dynamics: Mapping[str, Dynamics] = field(default_factory=dict)
    created: str = ""
    notes: Sequence[str] = ()
