"""What a study leaves beside its comparison: its claims and its arms over their training runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from ..core.over_runs import RunMean
from ..core.predictors import Predictor
from ..core.typed_record import Interval, Known, record

Decided = Literal["confirmed", "contradicted", "undecided"]


@record()
class Claim:
    """``measured`` and ``ci`` are in the claim's unit.

    ``why`` says what an undecided one lacks, or under which condition it was measured.
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
    """Final runs of one arm at one learning rate (NaN, null in JSON, where nothing was trained).

    ``gain`` by group and ``retention`` in points; ``shift`` what the probes found; each with a 95 %
    interval over runs, the items' uncertainty included (``core/over_runs``), which is ``None``
    below three runs. ``seconds`` is the mean time of training.
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
"""``predictors.json``: how well each quantity that the probes measured predicts the drop."""
