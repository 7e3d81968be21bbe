"""The frontier of source gain against retention, and arms compared at a matched gain.

The learning rate determines how far an arm moves from the base, and moving further costs more
retention. Arms are therefore compared where they gained equally (docs/science.md section 6). The
points of one arm and seed are its learning rates, its kept checkpoints, and the base at (0, 0),
from which every arm starts. The frontier consists of the points that no other point beats in both
quantities. Between its points retention is interpolated linearly.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .run_summary import Measured, Value

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Matched:
    """Differences in retention by seed between two arms, at a source ``gain`` that both reach.

    The gain is in points. If there are no differences, ``why`` states what is missing.
    """

    gain: float | None = None
    values: Mapping[int, Value] = field(default_factory=dict)
    why: str = ""


def frontier(points: Points) -> list[tuple[float, float]]:
    """Return the points (gain, retention) that no other beats in both, with the base, by gain.

    >>> frontier([(5.0, -1.0), (4.0, -3.0), (8.0, -2.0)])
    [(0.0, 0.0), (5.0, -1.0), (8.0, -2.0)]
    """
    best: list[tuple[float, float]] = []
    for gain, kept in sorted([(0.0, 0.0), *points], key=lambda p: (-p[0], -p[1])):
        if not best or kept > best[-1][1]:
            best.append((gain, kept))
    return best[::-1]


def retention_at(points: Points, gain: float) -> float | None:
    """Return the retention on the frontier at a source gain; ``None`` beyond the last point.

    To the left of the frontier's first point, that point's retention applies: it is available
    without giving up any gain.
    """
    edge = frontier(points)
    if gain > edge[-1][0]:
        return None
    return float(np.interp(gain, [p[0] for p in edge], [p[1] for p in edge]))


def by_seed(runs: Iterable[Measured]) -> dict[int, list[Measured]]:
    """Group the runs that have a retention and a source gain by training seed."""
    seeds: dict[int, list[Measured]] = defaultdict(list)
    for run in runs:
        if run.retention is not None and run.source in run.gain:
            seeds[run.seed].append(run)
    return dict(seeds)


def matched(one: Sequence[Measured], other: Sequence[Measured]) -> Matched:
    """Return the retention of ``one`` minus that of ``other`` at a matched gain, by shared seed.

    The gain is the largest that both arms reach with every shared seed. There is none if an arm
    gained nothing. The variance of a difference is the sum of both arms' item variances. An arm's
    item variance is that of the retention plus that of the gain times the squared slope of the
    frontier there, because an error in the gain moves the point where retention is read. The two
    terms come from different benchmarks and are independent. Across arms the sum is an upper bound,
    because both are scored on the same items.
    """
    mine, theirs = by_seed(one), by_seed(other)
    shared = sorted(mine.keys() & theirs.keys())
    if not shared:
        return Matched(why="the study has no runs of both arms with the same seed")
    reach = min(max(p[0] for p in _points(runs[s])) for runs in (mine, theirs) for s in shared)
    if reach <= 0:
        why = f"no common gain: an arm's source gain is at most {reach:.1f} points"
        return Matched(why=why)
    found = {}
    for seed in shared:
        kept = [retention_at(_points(runs[seed]), reach) for runs in (mine, theirs)]
        assert kept[0] is not None
        assert kept[1] is not None
        variance = sum(_variance_at(runs[seed], reach) for runs in (mine, theirs))
        found[seed] = Value(kept[0] - kept[1], variance)
    return Matched(reach, found)


def _points(runs: Sequence[Measured]) -> list[tuple[float, float]]:
    return [(r.gain[r.source].value, r.retention.value) for r in runs if r.retention is not None]


def _variance_at(runs: Sequence[Measured], gain: float) -> float:
    """Return the item variance of the retention read off the frontier of ``runs`` at ``gain``."""
    kept = [r.retention.variance for r in runs if r.retention is not None]
    gained = [r.gain[r.source].variance for r in runs if r.retention is not None]
    return float(np.mean(kept) + _slope(_points(runs), gain) ** 2 * np.mean(gained))


def _slope(points: Points, gain: float) -> float:
    """Return the slope of the frontier segment at ``gain``; 0 to the left of the first point."""
    edge = frontier(points)
    for (left, before), (right, after) in pairwise(edge):
        if left < gain <= right:
            return (after - before) / (right - left)
    return 0.0
