"""Every arm over its training runs: means with two-level intervals, what a page shows first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.over_runs import RunInterval, over_runs
from .run_summary import Measured, Value, clock

SHIFTS = ("d_layerwise", "kl", "rank", "shifted")


@dataclass(frozen=True, slots=True)
class ArmMean:
    """Final runs of one arm at one learning rate.

    ``gain`` by group and ``retention`` in points; ``shift`` what the probes found (see
    :class:`~.run_summary.Measured`); each with a 95 % interval over runs, the items' uncertainty
    included (``core/over_runs``), which is ``None`` below three runs. ``seconds`` is the mean time
    of training (:func:`~.run_summary.clock`).
    """

    arm: str
    learning_rate: float
    runs: int
    gain: dict[str, RunInterval]
    retention: RunInterval | None
    shift: dict[str, RunInterval]
    seconds: float | None

    def to_json(self) -> dict[str, Any]:
        """An element of ``arms.json``."""
        return {
            "arm": self.arm,
            "learning_rate": None if math.isnan(self.learning_rate) else self.learning_rate,
            "runs": self.runs,
            "gain": {group: _json(found) for group, found in self.gain.items()},
            "retention": None if self.retention is None else _json(self.retention),
            "shift": {key: _json(found) for key, found in self.shift.items()},
            "seconds": self.seconds,
        }


def arm_means(runs: Iterable[Measured]) -> list[ArmMean]:
    """Every arm and learning rate in the order of their first runs; checkpoints are left out."""
    cells: dict[tuple[str, float], list[Measured]] = {}
    for run in runs:
        if run.step is None:
            cells.setdefault((run.table, run.learning_rate), []).append(run)
    of = clock([run for own in cells.values() for run in own])  # one for all arms
    return [_mean(table, rate, own, of) for (table, rate), own in cells.items()]


def _mean(
    table: str, rate: float, own: Sequence[Measured], of: Callable[[Measured], float | None]
) -> ArmMean:
    groups = list(dict.fromkeys(group for run in own for group in run.gain))
    gain = {group: _over([run.gain[group] for run in own if group in run.gain]) for group in groups}
    shift = {
        key: _over([Value(run.shift[key]) for run in own if key in run.shift]) for key in SHIFTS
    }
    spent = [found for found in map(of, own) if found is not None]
    return ArmMean(
        arm=table,
        learning_rate=rate,
        runs=len(own),
        gain={group: found for group, found in gain.items() if found is not None},
        retention=_over([run.retention for run in own if run.retention is not None]),
        shift={key: found for key, found in shift.items() if found is not None},
        seconds=float(np.mean(spent)) if spent else None,
    )


def _over(values: Sequence[Value]) -> RunInterval | None:
    """``None`` without runs, or where a run has no finite value or variance."""
    means, variances = [v.value for v in values], [v.variance for v in values]
    if not values or not np.isfinite([*means, *variances]).all():
        return None
    return over_runs(means, variances)


def _json(found: RunInterval) -> dict[str, Any]:
    return {"mean": found.mean, "ci": None if found.ci is None else list(found.ci)}
