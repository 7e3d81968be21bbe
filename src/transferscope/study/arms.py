"""Summarizes every arm over its training runs: means with two-level intervals, shown first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from ..core.over_runs import RunMean, over_runs
from ..documents.study_results import ArmMean
from .run_summary import Measured, Value, clock

SHIFTS = ("d_layerwise", "kl", "rank", "shifted")


def arm_means(runs: Iterable[Measured]) -> list[ArmMean]:
    """Return the means per arm and learning rate, in order of first run, without checkpoints."""
    cells: dict[tuple[str, float], list[Measured]] = {}
    for run in runs:
        if run.step is None:
            cells.setdefault((run.table, run.learning_rate), []).append(run)
    of = clock([run for own in cells.values() for run in own])  # the same clock for all arms
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


def _over(values: Sequence[Value]) -> RunMean | None:
    """Average over runs; ``None`` without runs or if a value or variance is not finite."""
    means, variances = [v.value for v in values], [v.variance for v in values]
    if not values or not np.isfinite([*means, *variances]).all():
        return None
    found = over_runs(means, variances)
    return RunMean(found.mean, found.ci)
