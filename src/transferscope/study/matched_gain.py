"""Retention of two arms compared where they gained equally on the source.

The learning rate and the number of steps determine how far an arm moves from the base, and moving
further costs more retention (docs/science.md section 6). An arm's retention at a gain is therefore
read on the line through the points (gain, retention) of one seed: its learning rates, its kept
checkpoints, and the base at (0, 0), from which every arm starts.

The line runs through all points, not along the best ones. The best of six noisy points lies above
the only one of an equal arm, so that a frontier would favour whichever arm has more of them. And
the gain is matched seed by seed. At one gain for all seeds, most lines would be read far from their
last point, where a bent trade-off is straight only for the arm with few points.
``benchmarks/matched_gain.py`` simulates both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .run_summary import Measured, Value

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Matched:
    """Differences in retention by seed between two arms.

    ``gains`` are the source gains in points at which they are read, by seed. If there are none,
    ``why`` states what is missing.
    """

    gains: Mapping[int, float] = field(default_factory=dict)
    values: Mapping[int, Value] = field(default_factory=dict)
    why: str = ""


def trade_off(points: Points) -> tuple[list[float], list[float]]:
    """The gains in ascending order and the mean retention at each, with the base at (0, 0).

    >>> trade_off([(5.0, -1.0), (4.0, -3.0), (5.0, -2.0)])
    ([0.0, 4.0, 5.0], [0.0, -3.0, -1.5])
    """
    kept: dict[float, list[float]] = {0.0: [0.0]}
    for gain, retention in points:
        if gain != 0.0:
            kept.setdefault(gain, []).append(retention)
    gains = sorted(kept)
    return gains, [sum(kept[gain]) / len(kept[gain]) for gain in gains]


def retention_at(points: Points, gain: float) -> float | None:
    """The retention at a source gain on the line through ``points`` and the base.

    ``None`` outside the points, because nothing is extrapolated.
    """
    gains, kept = trade_off(points)
    if not gains[0] <= gain <= gains[-1]:
        return None
    return float(np.interp(gain, gains, kept))


def by_seed(runs: Iterable[Measured]) -> dict[int, list[Measured]]:
    """Group the runs that have a retention and a source gain by training seed."""
    seeds: dict[int, list[Measured]] = defaultdict(list)
    for run in runs:
        if run.retention is not None and run.source in run.gain:
            seeds[run.seed].append(run)
    return dict(seeds)


def matched(one: Sequence[Measured], other: Sequence[Measured]) -> Matched:
    """The retention of ``one`` minus that of ``other`` at a matched gain, by shared seed.

    The gain is the largest that both arms reach with the seed. There are no differences if an arm
    gained nothing with any seed: leaving out its seeds would choose among the runs. The variance of
    a difference is the sum of both arms' item variances. An arm's item variance is that of the
    retention plus that of the gain times the squared slope of the line there, because an error in
    the gain moves the point where retention is read. The two terms come from different benchmarks
    and are independent. Across arms the sum is an upper bound, because both are scored on the same
    items.
    """
    mine, theirs = by_seed(one), by_seed(other)
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        return Matched(why="the study has no runs of both arms with the same seed")
    gains: dict[int, float] = {}
    found: dict[int, Value] = {}
    for seed in shared:
        sides = [_points(runs[seed]) for runs in (mine, theirs)]
        reach = min(max(gain for gain, _ in points) for points in sides)
        if reach <= 0:
            why = f"no common gain: an arm's source gain is at most {reach:.1f} points"
            return Matched(why=f"{why} with seed {seed}")
        kept = [retention_at(points, reach) for points in sides]
        assert kept[0] is not None
        assert kept[1] is not None
        variance = sum(_variance_at(runs[seed], reach) for runs in (mine, theirs))
        gains[seed], found[seed] = reach, Value(kept[0] - kept[1], variance)
    return Matched(gains, found)


def _points(runs: Sequence[Measured]) -> list[tuple[float, float]]:
    return [(r.gain[r.source].value, r.retention.value) for r in runs if r.retention is not None]


def _variance_at(runs: Sequence[Measured], gain: float) -> float:
    """The item variance of the retention that is read at ``gain`` on the line of ``runs``."""
    kept = [r.retention.variance for r in runs if r.retention is not None]
    gained = [r.gain[r.source].variance for r in runs if r.retention is not None]
    return float(np.mean(kept) + _slope(_points(runs), gain) ** 2 * np.mean(gained))


def _slope(points: Points, gain: float) -> float:
    """The slope of the line's segment that ends at ``gain`` or contains it."""
    gains, kept = trade_off(points)
    at = int(np.searchsorted(gains, gain))
    return (kept[at] - kept[at - 1]) / (gains[at] - gains[at - 1])
