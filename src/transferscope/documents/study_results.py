"""A study's results besides its comparison: claims, and arms averaged over training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..core.over_runs import RunMean
from ..core.predictors import Predictor
from ..core.typed_record import Interval, Known, record

Decided = Literal["confirmed", "contradicted", "undecided"]


@record()
class Claim:
    """One claim of the paper with its verdict; ``measured`` and ``ci`` are in the claim's unit.

    ``why`` says what an undecided claim lacks, or under which condition it was measured.
    """

    claim: str
    measured: float | None
    ci: Interval | None
    threshold: float
    verdict: Decided
    runs: int = 0
    why: str = ""


@record()
class ArmMean:
    """Means over the final runs of one arm at one learning rate.

    The learning rate is NaN (null in JSON) if nothing was trained. ``gain`` (by group) and
    ``retention`` are in points; ``shift`` holds what the probes measured. Each mean has a 95 %
    interval over runs that includes the items' uncertainty (``core/over_runs``); it is ``None``
    below three runs. ``seconds`` is the mean training time.
    """

    arm: str
    learning_rate: Known
    runs: int
    gain: Mapping[str, RunMean]
    retention: RunMean | None
    shift: Mapping[str, RunMean]
    seconds: float | None


Claims = tuple[Claim, ...]
"""``claims.json``."""
Arms = tuple[ArmMean, ...]
"""``arms.json``."""
Predictors = tuple[Predictor, ...]
"""``predictors.json``: how well each quantity measured by the probes predicts the drop."""
