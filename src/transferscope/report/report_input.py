"""The input of a report: one comparison, and optional further measurements of its models."""

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
    """Everything that one page shows. Mappings have tuned models' names as keys.

    A section without data is left out of the page.

    - ``hidden``, ``tokens``, ``weights``: results of ``transferscope probe``.
    - ``training``: rows of a run's ``steps.jsonl`` (``step`` and any of ``reward``, ``loss``,
      ``grad_norm``, ``length``).
    - ``costs``: named numbers (seconds, tokens, FLOPs); ``cost_note``: how they were estimated.
    - ``predictors``: how well each probed quantity predicts the drop.
    - ``claims``: a study's verdicts on the paper's claims.
    - ``arms``: the training arm of each model; ``arm_means``: means over each arm's runs.
    - ``dynamics``: summary statistics of each run's gradient norms.
    - ``created``: a date, shown as given, so that the same input always gives the same page.
    - ``notes``: sentences shown above the results.
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
