"""Joint bounds over all looks at a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from ..core.sequential import (
    Changes,
    clusters_needed,
    joint_interval,
    least_loss,
    lowest_below,
)
from ..core.suite import Suite
from ..report.words import group_name
from ..runs import Pairing

Interval = tuple[float, float]
Look = Mapping[str, Changes]
"""The change of every group at one look."""
ERROR = 0.05
"""Bound on the probability that a harmless training is ever stopped or a false loss ever shown."""


@dataclass(frozen=True, slots=True)
class JointBounds:
    """Bounds in points, by group, that hold over all looks together, as of one look.

    This is look ``look`` of ``planned``, counted from 1. ``interval`` bounds the true change of
    each group at this look, including the source; ``retention`` bounds the mean over the other
    groups. For these other groups, the true change fell below ``lowest`` at this or an earlier
    look.
    """

    look: int
    planned: int
    interval: Mapping[str, Interval]
    retention: Interval | None
    lowest: Mapping[str, float]


def look_of(pairing: Pairing, suite: Suite) -> dict[str, Changes]:
    """Return every group's change from the paired items; groups without items are left out."""
    found = {}
    for group, members in suite.groups.items():
        parts = [pairing.benchmarks[name] for name in members if name in pairing.benchmarks]
        if parts:
            found[group] = Changes.mean(
                [
                    Changes.of_items(p.tuned_scores - p.base_scores, p.weights, p.clusters)
                    for p in parts
                ]
            )
    return found


def joint_bounds(looks: Sequence[Look | None], suite: Suite, *, planned: int) -> JointBounds:
    """Return the bounds as of the last of ``looks``, which holds all looks so far, in order.

    ``None`` marks a look whose answers are lost. Raises :class:`ValueError` if the last one is.
    """
    now = looks[-1]
    if now is None:
        raise ValueError("the last look's answers are missing")
    level, at = side(suite), len(looks)
    targets = _targets(now, suite)
    kept = Changes.mean([now[group] for group in targets]) if targets else None

    def held(changes: Changes) -> Interval:
        return joint_interval(changes, look=at, planned=planned, level=level)

    return JointBounds(
        look=at,
        planned=planned,
        interval={group: held(changes) for group, changes in now.items()},
        retention=None if kept is None else held(kept),
        lowest={
            group: lowest_below(
                [None if look is None else look.get(group) for look in looks],
                planned=planned,
                level=level,
            )
            for group in targets
        },
    )


def side(suite: Suite) -> float:
    """Return the error probability of one side of a bound, over all looks.

    The groups other than the source share 5 %, so that the probability of any false loss among them
    is at most 5 %. A single such group gets 2.5 %, so that its interval is a 95 % interval.
    """
    others = sum(group != suite.source for group in suite.groups)
    return ERROR / max(2, others)


def too_few(look: Look, suite: Suite, *, allowed: float, items: int) -> str | None:
    """Return a warning if a loss of twice ``allowed`` points can't be shown, else ``None``.

    ``look`` may be of any model, for instance the base, with ``items`` questions per benchmark. The
    best case is assumed: the loss is present at every look and no answer improves. The group with
    the fewest items decides.
    """
    targets = _targets(look, suite)
    if not targets:
        return None
    group = min(targets, key=lambda name: look[name].clusters)
    clusters, level = look[group].clusters, side(suite)
    need = clusters_needed(2.0 * allowed, allowed=allowed, level=level)
    if need is not None and clusters >= need:
        return None
    least = least_loss(clusters, allowed=allowed, level=level)
    what = (
        f"the smallest loss that can stop a training is {least:.1f} points on {group_name(group)}"
        if least < 100.0
        else f"no loss on {group_name(group)}, however large, can stop a training"
    )
    told = f"allowed_loss is {allowed:g} points: with items={items} per benchmark {what}"
    if need is None:
        return told
    wanted = ceil(need * items / clusters)
    return (
        f"{told}; to detect a loss of {2.0 * allowed:g} points in 80 % of trainings, set "
        f"items={wanted} or more"
    )


def _targets(look: Look, suite: Suite) -> list[str]:
    return [group for group in look if group != suite.source]
