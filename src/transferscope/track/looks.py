"""What the looks at a training run show together: bounds that hold at all of them."""

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
"""Probability that a harmless training is ever stopped, or a loss that is none ever established."""


@dataclass(frozen=True, slots=True)
class JointBounds:
    """Points. What holds at all looks together, as of one of them; by group.

    ``look`` of ``planned``, counted from 1. ``interval`` is of the true change at this look (of the
    source too), ``retention`` of the mean over the other groups. ``lowest`` is of these other
    groups: at this look or an earlier one the true change lay below it.
    """

    look: int
    planned: int
    interval: Mapping[str, Interval]
    retention: Interval | None
    lowest: Mapping[str, float]


def look_of(pairing: Pairing, suite: Suite) -> dict[str, Changes]:
    """Every group's change from the paired items; groups without any are left out."""
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
    """Bounds as of the last of ``looks``, which are all so far, in order.

    ``None`` stands for a look whose answers are lost; the last one must be known.
    """
    now = looks[-1]
    if now is None:
        raise ValueError("nothing is known of the last look")
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
    """Error of one side of a bound, over all looks.

    5 % shared by the groups other than the source, so that any false loss among them is that rare;
    with one such group 2.5 %, so that its interval is a 95 % one.
    """
    others = sum(group != suite.source for group in suite.groups)
    return ERROR / max(2, others)


def too_few(look: Look, suite: Suite, *, allowed: float, items: int) -> str | None:
    """Says that a loss of twice ``allowed`` points can't be shown; ``None`` where it can.

    ``look``: of any model, e.g. the base, with ``items`` asked per benchmark. The best case counts:
    the loss is there at every look and no answer improves. Judged is the group with the least
    items.
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
        f"{told}; to catch one of {2.0 * allowed:g} points in 80 % of trainings give "
        f"items={wanted} or more"
    )


def _targets(look: Look, suite: Suite) -> list[str]:
    return [group for group in look if group != suite.source]
