"""What a report is made of: one comparison, and what else was measured about its models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..documents.comparison import Comparison


@dataclass(frozen=True, slots=True)
class ReportInput:
    """Everything one page shows. Mappings are by tuned model's name; what is empty is left out.

    ``hidden``, ``tokens`` and ``weights`` hold the JSON of ``transferscope probe``; ``training``
    the rows of a run's ``steps.jsonl`` (``step`` and any of ``reward``, ``loss``, ``grad_norm``,
    ``length``); ``costs`` named numbers (seconds, tokens, FLOPs), ``cost_note`` how
    they were estimated; ``predictors`` how well each probed quantity predicts the drop; ``claims``
    a study's verdicts, ``arms`` the arm of each model, ``arm_means`` every arm over its runs,
    ``dynamics`` those of its gradient norms.
    ``created`` is shown as it is, so that the same input gives the same page.
    """

    title: str
    comparison: Comparison
    hidden: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tokens: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    training: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    costs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cost_note: str = ""
    predictors: Sequence[Mapping[str, Any]] = ()
    claims: Sequence[Mapping[str, Any]] = ()
    arm_means: Sequence[Mapping[str, Any]] = ()
    arms: Mapping[str, str] = field(default_factory=dict)
    dynamics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    created: str = ""
    notes: Sequence[str] = ()
