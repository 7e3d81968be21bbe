"""Gradient dynamics: what the gradient norm over training shows about an arm.

g_t, t = 1..T, is the global norm before clipping. The paper reports such quantities (its Table 7)
without formulas. Our formulas are those of docs/science.md section 6, so compare the patterns with
the paper's, not the exact values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..core.typed_record import record

EARLY = 20
"""The maximum number of steps in the early slope."""


@record()
class Dynamics:
    """Quantities of one arm's gradient norms; ``None`` if there are too few finite norms.

    - ``early_slope``: the least-squares slope over the first 20 steps, in norm per step.
    - ``t_half``: the first step at which the cumulative sum reaches half of the total.
    - ``total``: the sum.
    - ``late_mean``, ``late_variance``: over the last quarter (rounded up; ddof 0).
    - ``decay_rate``: minus the least-squares slope of log g_t over g_t > 0, times T.
    - ``oscillation``: the mean of |g_t - g_(t-1)| divided by the mean of g_t.
    - ``zeros``: the number of steps with a zero gradient.
    - ``nonfinite``: the number of steps whose norm was not finite; all other quantities leave
      them out.
    - ``steps``: T.
    """

    early_slope: float | None
    t_half: int | None
    total: float | None
    late_mean: float | None
    late_variance: float | None
    decay_rate: float | None
    oscillation: float | None
    zeros: int
    nonfinite: int
    steps: int


def dynamics(norms: Sequence[float | None]) -> Dynamics:
    """Compute the dynamics of gradient norms in step order; ``None`` marks a nonfinite norm.

    Raises :class:`ValueError` if there are no steps, or if a norm that is not ``None`` is negative
    or not finite.

    >>> dynamics([4.0, 2.0, 2.0]).t_half
    1
    """
    if not norms or not all(g is None or (math.isfinite(g) and g >= 0) for g in norms):
        raise ValueError("dynamics needs at least one gradient norm, each finite and not negative")
    every = np.array([math.nan if g is None else g for g in norms], dtype=float)
    steps = len(every)
    finite = np.isfinite(every)
    t, g = np.arange(1, steps + 1)[finite], every[finite]
    total = float(g.sum()) if len(g) else None
    late = g[t > steps - math.ceil(steps / 4)]
    some = g > 0
    decay = _slope(t[some], np.log(g[some]))
    changes = np.abs(np.diff(every))
    changes = changes[np.isfinite(changes)]  # only between neighbours that are both finite
    # The comparison allows for rounding: 0.1 + 0.2 counts as half of 0.6.
    reached = np.cumsum(g) >= 0.5 * (total or 0.0) * (1 - 1e-12)
    return Dynamics(
        early_slope=_slope(t[t <= EARLY], g[t <= EARLY]),
        t_half=int(t[reached][0]) if total else None,
        total=total,
        late_mean=float(late.mean()) if len(late) else None,
        late_variance=float(late.var()) if len(late) else None,
        decay_rate=None if decay is None else -decay * steps,
        oscillation=float(changes.mean() / g.mean()) if len(changes) and total else None,
        zeros=int((~some).sum()),
        nonfinite=int((~finite).sum()),
        steps=steps,
    )


def _slope(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return the least-squares slope; ``None`` for fewer than two points."""
    if len(x) < 2:
        return None
    centred = x - x.mean()
    return float(centred @ (y - y.mean()) / (centred @ centred))
