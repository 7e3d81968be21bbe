"""One guard of a policy against one reference: its change, its bound, and what they show.

docs/science.md section 2, "The gate", argues the rules.
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
    """The tuned model beside one reference.

    ``benchmarks``: all that can be compared; ``drawn``: those of them that the policy judges.
    ``floors``: by guard the absolute change, in points, between two runs of the base; ``None``
    where the second run was not given, NaN where it lacks a benchmark. ``answered``: benchmarks of
    which the tuned run kept answers, so that their artefacts are known. ``tests``: of "no change",
    by group and retention, those of the comparison. ``metrics``: every score of the reference's and
    the tuned run's benchmarks, by metric and filter.
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
    """Benchmarks behind a guard, group by group: its change is the mean of the groups' means."""
    if name == RETENTION:
        return [suite.groups[g] for g in suite.targets]
    return [suite.groups.get(name, (name,))]


def judge(name: str, rule: GuardPolicy, seen: Seen) -> tuple[Guard, float | None]:
    """The guard before Holm's correction, and its p of "dropped by more than the margin".

    Without a p nothing may be called a regression: the change can't be judged at all.
    """
    groups = members(name, seen.suite)
    wanted = [b for group in groups for b in group]
    guard = Guard(name, seen.against, rule.tier, rule.margin, "INCONCLUSIVE")
    if lacking := _lacking(wanted, seen):
        return replace(guard, why=lacking), None
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
        artefacts=artefacts_said(wanted, seen),
    )
    if mean.change < 0:
        guard = replace(guard, flagged=_made_by(name, mean, seen))
    if unfit := _unfit(name, wanted, margin, mean, seen):
        return replace(guard, why=unfit), None
    bound = mean.bound(margin)
    few = guard.n < seen.policy.min_items
    if few and (uncounted := [b for b, one in mean.members.items() if one.counted == 0]):
        said = f"the number of items of {', '.join(uncounted)} is not known"
        return replace(guard, why=f"{said}; the policy asks for {seen.policy.min_items}"), None
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
    """The drop in points that is shown to exceed the margin with 80 % power; ``None``: none is.

    Before Holm's correction. The drop must also be shown to be a change at all.
    """
    beyond = bound.detectable
    return None if beyond is None or flat.mde is None else max(beyond, flat.mde)


def _made_by(name: str, mean: GuardedMean, seen: Seen) -> str:
    """What made a loss; its standing is that of the comparison's own test."""
    return reason(
        seen.drawn,
        mean.shares,
        standing=standing(mean.change, mean.test.p, smallest=mean.test.smallest_p),
        metrics=seen.metrics,
        of=f"{seen.against} {name}",
    )


def _lacking(wanted: Sequence[str], seen: Seen) -> str:
    """Why the guard has no change at all, or ``""``."""
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
    p_flat = 1.0 if np.isnan(flat.p) else flat.p  # unknown: no chance is ruled out
    return max(bound.p_dropped, p_flat)


def _few(n: int, bound: Bound, policy: Policy) -> str:
    """Below ``min_items`` nothing passes, and a drop is shown only where an exact test exists."""
    said = f"{n} item{'' if n == 1 else 's'}, the policy asks for {policy.min_items}"
    if bound.exact:
        return said
    none = "repeated, clustered or pooled answers have no exact test"
    return f"{said}; {none}, so that so few of them can't show a drop either"


def _why_open(guard: Guard, bound: Bound, flat: ChangeTest, seen: Seen) -> str:
    """Why the guard is not shown to hold, or ``""``: it is."""
    if guard.artefacts:
        return guard.artefacts
    if seen.floors is not None and np.isnan(seen.floors.get(guard.name, np.nan)):
        return "the second run of the base lacks a benchmark of this guard: its noise is unknown"
    if bound.lower > -guard.margin:
        return ""
    return _open(bound.lower, guard.margin, flat, n=guard.n)


def _unfit(
    name: str, wanted: Sequence[str], margin: float, mean: GuardedMean, seen: Seen
) -> str | None:
    """Why these data can show neither that the guard holds nor that it fell, or ``None``."""
    if not margin > 0:
        return "the base scores 0"
    if np.isnan(mean.change_R).any():
        return "a score has neither n nor a standard error"
    if said := fewer_said(wanted, seen.pairing, seen.policy, seen.against):
        return said
    floor = np.nan if seen.floors is None else seen.floors.get(name, np.nan)
    if margin <= floor:
        return f"the base differs from itself by {floor:.1f} points, which the margin must exceed"
    return None


def fewer_said(wanted: Sequence[str], pairing: Pairing, policy: Policy, against: str) -> str | None:
    """What is said where items have no answer and the policy doesn't allow it by name."""
    for name in wanted:
        if name in policy.allow_fewer_items:
            continue
        if name in pairing.unanswered:
            return (
                f"{name}: {pairing.unanswered[name]}, and can't be left out of both scores; "
                f'allow_fewer_items = ["{name}"] judges the answers there are'
            )
        if name in pairing.fewer:
            shared, total = pairing.fewer[name]
            return (
                f"{name}: the tuned run has {shared} of the {total} items of {against}; "
                f'allow_fewer_items = ["{name}"] judges the shared ones'
            )
    return None


def _open(lower: float, margin: float, flat: ChangeTest, *, n: int | None = None) -> str:
    """Why neither is shown: the bound passes the margin, and no drop beyond it is established.

    ``n`` questions are called so where each is a cluster of its own.
    """
    digits = 1 if f"{lower:.1f}" != f"{-margin:.1f}" else 3
    said = f"the bound {lower:.{digits}f} lies below {-margin:.{digits}f} (the margin)"
    if flat.smallest_p >= ALPHA:
        clusters = round(1 - log2(flat.smallest_p))  # it is 2 / 2^clusters
        units = "questions" if clusters == n else "clusters"
        few = f"{clusters} {units} can't reach p < {ALPHA} (smallest possible p "
        return f"{said}, and {few}{flat.smallest_p:.3g})"
    return f"{said}, and a drop beyond the margin is not shown"


def artefacts_said(wanted: Sequence[str], seen: Seen) -> str:
    """What is said of the answers' artefacts where the policy limits them; ``""``: they are few."""
    limit = seen.policy.max_artefact_rate
    if limit is None:
        return ""
    allowed = f"the policy allows {100 * limit:.0f} %"
    if unknown := [b for b in wanted if b not in seen.answered]:
        return f"artefacts of {', '.join(unknown)} are unknown, as no answers were kept; {allowed}"
    flags = [bool(f) for b in wanted for f in seen.benchmarks[b].tuned_flags]
    rate = sum(flags) / len(flags)
    return f"{100 * rate:.0f} % of the answers are artefacts, {allowed}" if rate > limit else ""
