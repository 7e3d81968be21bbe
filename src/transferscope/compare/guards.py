"""Judges one guard of a policy against one reference: its change, its bound, and what they show.

docs/science.md section 2, "The gate", explains the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

import numpy as np

from ..core.changes import ChangeTest
from ..core.disagreement import Scores
from ..core.standing import standing
from ..core.suite import Suite
from ..documents.gate_result import Guard
from ..runs import Pairing
from .benchmark import Benchmark
from .causes import reason
from .draws import RETENTION, ModelDraws, mean_shares
from .guarded_mean import GuardedMean
from .margin_bound import Bound
from .policy import GuardPolicy, Policy

ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Seen:
    """The tuned model compared with one reference.

    ``benchmarks``: all that can be compared; ``drawn``: those that the policy judges. ``floors``:
    for each guard the absolute change, in points, between two runs of the base; ``None`` if no
    second run was given, NaN if it lacks a benchmark. ``answered``: benchmarks for which the tuned
    run kept answers, so that their artefacts are known. ``tests``: the comparison's tests of "no
    change", by group and for the retention. ``metrics``: every score of the reference's and the
    tuned run's benchmarks, by metric and filter.
    """

    against: str
    suite: Suite
    policy: Policy
    pairing: Pairing
    benchmarks: Mapping[str, Benchmark]
    drawn: ModelDraws
    tests: Mapping[str, ChangeTest]
    floors: Mapping[str, float] | None
    answered: frozenset[str]
    metrics: tuple[Scores, Scores] = ({}, {})


def members(name: str, suite: Suite) -> list[tuple[str, ...]]:
    """Benchmarks behind a guard, by group; the guard's change is the mean of the group means."""
    if name == RETENTION:
        return [suite.groups[g] for g in suite.targets]
    return [suite.groups.get(name, (name,))]


def judge(name: str, rule: GuardPolicy, seen: Seen) -> tuple[Guard, float | None]:
    """The guard before Holm's correction, and its p of "dropped by more than the margin".

    Without a p the change can't be judged, so the guard can't have regressed.
    """
    groups = members(name, seen.suite)
    wanted = [b for group in groups for b in group]
    guard = Guard(name, seen.against, rule.tier, rule.margin, "INCONCLUSIVE")
    if missing := _missing_reason(wanted, seen):
        return replace(guard, why=missing), None
    flat = seen.tests[name] if name in seen.tests else seen.drawn.tests[name]
    mean = GuardedMean(mean_shares(groups), seen.drawn, flat)
    margin = rule.margin_at(mean.base)
    changes = {b: one.points.delta for b, one in mean.members.items()}
    guard = replace(
        guard,
        margin=margin,
        change=mean.change,
        n=mean.counted,
        members=changes if len(changes) > 1 else {},
        artefacts=artefacts_reason(wanted, seen),
    )
    if mean.change < 0:
        guard = replace(guard, flagged=_made_by(name, mean, seen))
    if unfit := _unfit(name, wanted, margin, mean, seen):
        return replace(guard, why=unfit), None
    bound = mean.bound(margin)
    few = guard.n < seen.policy.min_items
    if few and (uncounted := [b for b, one in mean.members.items() if one.counted == 0]):
        said = f"the number of items of {', '.join(uncounted)} is unknown"
        return replace(guard, why=f"{said}; the policy requires {seen.policy.min_items}"), None
    why = _few(guard.n, bound, seen.policy) if few else _why_open(guard, bound, flat, seen)
    return replace(
        guard,
        verdict=guard.verdict if why else "PASS",
        bound=bound.lower,
        test="exact" if few and bound.exact else bound.test,
        detectable=None if few and not bound.exact else _detectable(bound, flat),
        why=why,
    ), _p_dropped(bound, flat, few=few)


def _detectable(bound: Bound, flat: ChangeTest) -> float | None:
    """The drop in points that is shown to exceed the margin with 80 % power; ``None``: no drop is.

    Before Holm's correction. The drop must also be shown to differ from 0.
    """
    beyond = bound.detectable
    return None if beyond is None or flat.mde is None else max(beyond, flat.mde)


def _made_by(name: str, mean: GuardedMean, seen: Seen) -> str:
    """What caused a loss; its standing comes from the comparison's own test."""
    return reason(
        seen.drawn,
        mean.shares,
        standing=standing(mean.change, mean.test.p, smallest=mean.test.smallest_p),
        metrics=seen.metrics,
        of=f"{seen.against} {name}",
    )


def _missing_reason(wanted: Sequence[str], seen: Seen) -> str:
    """Why the guard's change can't be computed, or ``""``."""
    if not wanted:
        return "no benchmark is in a group other than the source"
    if missing := [b for b in wanted if b not in seen.drawn.names]:
        why = seen.pairing.excluded.get(missing[0], "missing in both")
        return f"{missing[0]} can't be compared: {why}"
    return ""


def _p_dropped(bound: Bound, flat: ChangeTest, *, few: bool) -> float | None:
    """p of "dropped by more than the margin, and not by chance alone"; ``None``: no valid test."""
    if few and not bound.exact:
        return None
    p_flat = 1.0 if np.isnan(flat.p) else flat.p  # unknown: chance can't be ruled out
    return max(bound.p_dropped, p_flat)


def _few(n: int, bound: Bound, policy: Policy) -> str:
    """Below ``min_items`` nothing passes, and only an exact test can show a drop."""
    said = f"only {n} of the required {policy.min_items} items"
    if bound.exact:
        return said
    none = "repeated, clustered or pooled answers have no exact test"
    return f"{said}; a drop can't be shown either, because {none}"


def _why_open(guard: Guard, bound: Bound, flat: ChangeTest, seen: Seen) -> str:
    """Why the guard is not shown to hold; ``""`` if it is."""
    if guard.artefacts:
        return guard.artefacts
    if seen.floors is not None and np.isnan(seen.floors.get(guard.name, np.nan)):
        return "the second run of the base lacks a benchmark of this guard, so its noise is unknown"
    if bound.lower > -guard.margin:
        return ""
    return _open(bound.lower, guard.margin, flat, n=guard.n)


def _unfit(
    name: str, wanted: Sequence[str], margin: float, mean: GuardedMean, seen: Seen
) -> str | None:
    """Why these data can show neither that the guard holds nor that it dropped, or ``None``."""
    if not margin > 0:
        return "the base scores 0, so the relative margin is 0"
    if np.isnan(mean.change_R).any():
        return "a score has neither a number of items nor a standard error"
    if said := fewer_items_reason(wanted, seen.pairing, seen.policy, seen.against):
        return said
    floor = np.nan if seen.floors is None else seen.floors.get(name, np.nan)
    if margin <= floor:
        return f"two runs of the base differ by {floor:.1f} points; the margin must be larger"
    return None


def fewer_items_reason(
    wanted: Sequence[str], pairing: Pairing, policy: Policy, against: str
) -> str | None:
    """The reason if items have no answer and the policy doesn't allow that for the benchmark."""
    for name in wanted:
        if name in policy.allow_fewer_items:
            continue
        if name in pairing.unanswered:
            return (
                f"{name}: {pairing.unanswered[name]}, and can't be left out of both scores; "
                f'to judge the remaining answers, set allow_fewer_items = ["{name}"]'
            )
        if name in pairing.fewer:
            shared, total = pairing.fewer[name]
            return (
                f"{name}: the tuned run has only {shared} of the {total} items of {against}; "
                f'to judge the shared ones, set allow_fewer_items = ["{name}"]'
            )
    return None


def _open(lower: float, margin: float, flat: ChangeTest, *, n: int | None = None) -> str:
    """Why the guard is undecided: the bound is beyond the margin, but a larger drop is not shown.

    Units are called questions if each of the ``n`` questions is its own cluster.
    """
    digits = 1 if f"{lower:.1f}" != f"{-margin:.1f}" else 3
    said = f"the lower bound, {lower:.{digits}f}, is below {-margin:.{digits}f} (the margin)"
    if flat.smallest_p >= ALPHA:
        clusters = round(1 - log2(flat.smallest_p))  # it is 2 / 2^clusters
        units = "questions" if clusters == n else "clusters"
        few = f"{clusters} {units} can't reach p < {ALPHA}"
        return f"{said}, and {few} (smallest possible p: {flat.smallest_p:.3g})"
    return f"{said}, but no drop beyond the margin is shown"


def artefacts_reason(wanted: Sequence[str], seen: Seen) -> str:
    """The reason if answers have too many artefacts for the policy; ``""`` if they don't."""
    limit = seen.policy.max_artefact_rate
    if limit is None:
        return ""
    allowed = f"(the policy allows {100 * limit:.0f} %)"
    if unknown := [b for b in wanted if b not in seen.answered]:
        names = ", ".join(unknown)
        return f"no answers of {names} were kept, so their artefacts are unknown {allowed}"
    flags = [bool(f) for b in wanted for f in seen.benchmarks[b].tuned_flags]
    rate = sum(flags) / len(flags)
    return f"{100 * rate:.0f} % of the answers are artefacts {allowed}" if rate > limit else ""
