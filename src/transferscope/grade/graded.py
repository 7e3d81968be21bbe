"""What a grader of saved responses returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..core.records import Tick
from .saved import SavedResponse


@dataclass(frozen=True, slots=True)
class Graded:
    """A grader's result: ``metrics`` (0..1), verdicts by response id, and ids without a grade."""

    metrics: dict[str, float]
    verdicts: dict[str, bool] = field(default_factory=dict)
    unmatched: tuple[str, ...] = ()


Grader = Callable[[Sequence[SavedResponse], Path | None, Tick], Graded]
