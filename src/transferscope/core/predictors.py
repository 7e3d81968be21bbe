"""How well a quantity measured inside the models predicts what they lost.

Rows are models: the runs of a study and their checkpoints. Checkpoints of one run resemble each
other, so each run is a cluster that is left out, and resampled, as a whole. Whether a quantity
predicts forgetting is disputed (docs/science.md, section 5); nothing is assumed here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from .typed_record import record

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]

MIN_RUNS = 5
"""With fewer runs no interval is given: resampling four runs has far less than nominal coverage."""
DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Observation:
    """One model: its run, its drop in points, and the measured quantities."""

    run: str
    drop: float
    quantities: Mapping[str, float]


@record()
class Predictor:
    """How well one quantity predicts the drop, over ``n`` models of ``runs`` runs.

    ``r2`` is the share of the drop's variance explained by a straight line. ``r2_left_out`` is the
    same for runs that were left out of the fit (negative: worse than the mean). ``rank`` is
    Spearman's correlation. Intervals resample runs and are ``None`` for fewer than five.
    ``undefined`` says why there are no values.
    """

    quantity: str
    n: int
    runs: int
    r2: float | None = None
    r2_ci: tuple[float, float] | None = None
    r2_left_out: float | None = None
    rank: float | None = None
    rank_ci: tuple[float, float] | None = None
    undefined: str | None = None


def predictors(rows: Sequence[Observation], *, seed: int = 0) -> tuple[Predictor, ...]:
    """All quantities that occur in any row, the largest absolute rank correlation first."""
    names = dict.fromkeys(name for row in rows for name in row.quantities)
    found = [_predictor(name, rows, seed) for name in names]
    return tuple(sorted(found, key=lambda p: -abs(p.rank) if p.rank is not None else 1.0))


def _predictor(quantity: str, rows: Sequence[Observation], seed: int) -> Predictor:
    kept = [
        row
        for row in rows
        if math.isfinite(row.drop) and math.isfinite(row.quantities.get(quantity, math.nan))
    ]
    names = list(dict.fromkeys(row.run for row in kept))
    run_N = np.array([names.index(row.run) for row in kept], dtype=np.int64)
    x_N = np.array([row.quantities[quantity] for row in kept])
    y_N = np.array([row.drop for row in kept])
    if len(names) < 3:
        why = f"at least three runs are needed, not {len(names)}"
        return Predictor(quantity, len(kept), len(names), undefined=why)
    if np.ptp(x_N) == 0 or np.ptp(y_N) == 0:
        what = "the quantity" if np.ptp(x_N) == 0 else "the drop"
        return Predictor(quantity, len(kept), len(names), undefined=f"{what} doesn't vary")
    r2_ci, rank_ci = _intervals(x_N, y_N, run_N, seed) if len(names) >= MIN_RUNS else (None, None)
    return Predictor(
        quantity,
        len(kept),
        len(names),
        r2=correlation(x_N, y_N) ** 2,
        r2_ci=r2_ci,
        r2_left_out=left_out_r2(x_N, y_N, run_N),
        rank=correlation(rankdata(x_N), rankdata(y_N)),
        rank_ci=rank_ci,
    )


def correlation(x_N: Floats, y_N: Floats) -> float:
    """Pearson's correlation; 0 if one side doesn't vary."""
    x_N, y_N = x_N - x_N.mean(), y_N - y_N.mean()
    size = math.sqrt(float(x_N @ x_N) * float(y_N @ y_N))
    return float(np.clip(x_N @ y_N / size, -1.0, 1.0)) if size > 0 else 0.0


def left_out_r2(x_N: Floats, y_N: Floats, run_N: Ints) -> float | None:
    """1 - squared error of each run's prediction by a line through the others / that by their mean.

    ``None`` if the means of the other runs predict without error.
    """
    by_line = by_mean = 0.0
    for run in np.unique(run_N):
        out_N = run_N == run
        x_rest_N, y_rest_N = x_N[~out_N], y_N[~out_N]
        centre, mean = x_rest_N.mean(), y_rest_N.mean()
        spread = float(((x_rest_N - centre) ** 2).sum())
        slope = float(((x_rest_N - centre) * y_rest_N).sum()) / spread if spread > 0 else 0.0
        by_line += float(((y_N[out_N] - mean - slope * (x_N[out_N] - centre)) ** 2).sum())
        by_mean += float(((y_N[out_N] - mean) ** 2).sum())
    return 1.0 - by_line / by_mean if by_mean > 0 else None


def _intervals(
    x_N: Floats, y_N: Floats, run_N: Ints, seed: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """95 % percentile intervals of R2 and of the rank correlation, resampling runs.

    In a draw without variation, both are 0.
    """
    rng = np.random.default_rng(seed)
    members = [np.flatnonzero(run_N == run) for run in np.unique(run_N)]
    found_D2 = np.empty((DRAWS, 2))
    for draw in range(DRAWS):
        chosen = rng.integers(len(members), size=len(members))
        rows_N = np.concatenate([members[run] for run in chosen])
        x, y = x_N[rows_N], y_N[rows_N]
        found_D2[draw] = correlation(x, y) ** 2, correlation(rankdata(x), rankdata(y))
    found_D2.sort(axis=0)
    low, high = math.ceil(0.025 * DRAWS) - 1, math.ceil(0.975 * DRAWS) - 1
    r2, rank = ((float(column[low]), float(column[high])) for column in found_D2.T)
    return r2, rank
