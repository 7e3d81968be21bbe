"""Statistics over training runs: the unit of replication is the run, not the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .typed_record import Interval, record

FEWEST_RUNS = 3
"""With fewer runs an interval over runs is meaningless, and the result is undecided."""


@record()
class RunMean:
    """Mean over training runs in the unit of its values, with its 95 % interval.

    ``ci`` is ``None`` if there are too few runs.
    """

    mean: float
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class RunInterval:
    """A mean over ``runs`` training runs; if it has no interval, ``undecided`` says why."""

    mean: float
    ci: Interval | None
    runs: int
    undecided: str | None = None


def over_runs(run_means: Sequence[float], item_variances: Sequence[float]) -> RunInterval:
    """The t interval of the mean over R runs, with R - 1 degrees of freedom.

    ``run_means`` (R,): the value of each run (seed). ``item_variances`` (R,): the variance of each
    value over resampled items, in squared units. The variance is var(run means) / R plus the mean
    item variance. The latter isn't divided by R, because all runs are scored on the same items; the
    variance of a mean over runs is at most the mean of their variances. With R < 3 the result is
    undecided (docs/science.md, section 2). Raises :class:`ValueError` for no run, unequal lengths,
    or a variance that is negative or not finite.
    """
    from scipy.special import stdtrit

    means_R, variances_R = np.asarray(run_means, float), np.asarray(item_variances, float)
    runs = len(means_R)
    if runs == 0 or means_R.shape != variances_R.shape:
        raise ValueError(f"{runs} run means and {len(variances_R)} item variances")
    if not (np.isfinite(means_R).all() and np.isfinite(variances_R).all()):
        raise ValueError("a run mean or an item variance is not finite")
    if (variances_R < 0).any():
        raise ValueError("an item variance is negative")
    mean = float(means_R.mean())
    if runs < FEWEST_RUNS:
        why = f"{runs} training {'run' if runs == 1 else 'runs'}, at least {FEWEST_RUNS} are needed"
        return RunInterval(mean, None, runs, why)
    variance = float(means_R.var(ddof=1)) / runs + float(variances_R.mean())
    half = float(stdtrit(runs - 1, 0.975)) * float(np.sqrt(variance))
    return RunInterval(mean, (mean - half, mean + half), runs)
