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
from ..core.exact_margin import exact_dropped
from ..core.index import Array
from ..core.noninferiority import (
    MarginTest,
    bootstrap_margin,
    effective_clusters,
    moving_clusters,
    tango,
)
from ..core.power import margin_mde, tango_mde
from ..core.resampling import units_of
from ..core.standing import standing
from ..core.stats import is_binary_independent
from ..core.suite import Suite
from ..documents.gate_result import Guard
from ..runs import PairedBenchmark, Pairing
from .causes import reason
from .draws import RETENTION, ModelDraws, mean_shares, stacked
from .items import flips_of
from .policy import GuardPolicy, Policy

ALPHA = 0.05


@dataclass(frozen=True, eq=False)
class Seen:
    """The tuned model beside one reference.

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
    pairing, drawn = seen.pairing, seen.drawn
    groups = members(name, seen.suite)
    wanted = [b for group in groups for b in group]
    guard = Guard(name, seen.against, rule.tier, rule.margin, "INCONCLUSIVE")
    if lacking := _lacking(wanted, seen):
        return replace(guard, why=lacking), None
    scores = {b: points(pairing, b) for b in wanted}
    base, change = (
        float(np.mean([np.mean([scores[b][side] for b in group]) for group in groups]))
        for side in (0, 1)
    )
    margin = rule.margin_at(base)
    guard = replace(
        guard,
        margin=margin,
        change=change,
        n=sum(items_of(pairing, b) for b in wanted),
        members={b: scores[b][1] for b in wanted} if len(wanted) > 1 else {},
        artefacts=artefacts_said(wanted, seen),
    )
    if change < 0:
        guard = replace(guard, flagged=_made_by(name, groups, change, seen))
    change_R = _over(groups, drawn, drawn.tuned_RB - drawn.base_RB)
    if unfit := _unfit(name, wanted, margin, change_R, seen):
        return replace(guard, why=unfit), None
    single, clusters = _binary(groups, pairing), _clusters(groups, pairing)
    if single is not None:
        flips = flips_of(single)
        test = tango(flips.lost, flips.won, single.n, margin=margin)
    else:
        moving = _moving(mean_shares(groups), pairing, clusters)
        weight_U = _weights(mean_shares(groups), pairing)
        test = bootstrap_margin(
            change, change_R, margin=margin, clusters=clusters, moving=moving, weight_U=weight_U
        )
    flat = seen.tests[name] if name in seen.tests else drawn.tests[drawn.names.index(name)]
    few = guard.n < seen.policy.min_items
    if few and (uncounted := [b for b in wanted if items_of(pairing, b) == 0]):
        said = f"the number of items of {', '.join(uncounted)} is not known"
        return replace(guard, why=f"{said}; the policy asks for {seen.policy.min_items}"), None
    why = _few(guard.n, single, seen.policy) if few else _why_open(guard, test, flat, seen)
    return replace(
        guard,
        verdict=guard.verdict if why else "PASS",
        bound=test.lower,
        test="exact" if few and single is not None else test.name,
        detectable=None
        if few and single is None
        else _detectable(single, change_R, clusters, margin, flat),
        why=why,
    ), _p_dropped(test, flat, single, margin, few=few)


def _detectable(
    single: PairedBenchmark | None,
    change_R: Array,
    clusters: float,
    margin: float,
    flat: ChangeTest,
) -> float | None:
    """The drop in points that is shown to exceed the margin with 80 % power; ``None``: none is.

    Before Holm's correction. It must be shown to be a change at all, too.
    """
    if single is not None:
        flips = flips_of(single)
        beyond = tango_mde(flips.lost, flips.won, single.n, margin=margin)
    else:
        error = float(change_R.std(ddof=1))
        beyond = margin_mde(error, clusters, margin=margin, unmoved=flat.floor > 0)
    return None if beyond is None or flat.mde is None else max(beyond, flat.mde)


def _made_by(name: str, groups: Sequence[Sequence[str]], change: float, seen: Seen) -> str:
    """What made a loss; its standing is that of the comparison's own test."""
    drawn = seen.drawn
    flat = seen.tests[name] if name in seen.tests else drawn.tests[drawn.names.index(name)]
    return reason(
        seen.pairing,
        drawn,
        mean_shares(groups),
        standing=standing(change, flat.p, smallest=flat.smallest_p),
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


def _p_dropped(
    test: MarginTest,
    flat: ChangeTest,
    single: PairedBenchmark | None,
    margin: float,
    *,
    few: bool,
) -> float | None:
    """p of "dropped by more than the margin, and not by chance alone"; ``None``: no valid test."""
    p_flat = 1.0 if np.isnan(flat.p) else flat.p  # unknown: no chance is ruled out
    if single is not None:
        flips = flips_of(single)
        return max(exact_dropped(flips.lost, flips.won, single.n, margin=margin), p_flat)
    return None if few else max(test.p_dropped, p_flat)


def _few(n: int, single: PairedBenchmark | None, policy: Policy) -> str:
    """Below ``min_items`` nothing passes, and a drop is shown only where an exact test exists."""
    said = f"{n} item{'' if n == 1 else 's'}, the policy asks for {policy.min_items}"
    if single is not None:
        return said
    none = "repeated, clustered or pooled answers have no exact test"
    return f"{said}; {none}, so that so few of them can't show a drop either"


def _why_open(guard: Guard, test: MarginTest, flat: ChangeTest, seen: Seen) -> str:
    """Why the guard is not shown to hold, or ``""``: it is."""
    if guard.artefacts:
        return guard.artefacts
    if seen.floors is not None and np.isnan(seen.floors.get(guard.name, np.nan)):
        return "the second run of the base lacks a benchmark of this guard: its noise is unknown"
    return "" if test.lower > -guard.margin else _open(test.lower, guard.margin, flat, n=guard.n)


def _unfit(
    name: str, wanted: Sequence[str], margin: float, change_R: Array, seen: Seen
) -> str | None:
    """Why these data can show neither that the guard holds nor that it fell, or ``None``."""
    if not margin > 0:
        return "the base scores 0"
    if np.isnan(change_R).any():
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
    flags = [bool(f) for b in wanted for f in seen.pairing.benchmarks[b].tuned_flags]
    rate = sum(flags) / len(flags)
    return f"{100 * rate:.0f} % of the answers are artefacts, {allowed}" if rate > limit else ""


def points(pairing: Pairing, name: str) -> tuple[float, float]:
    """Base score in percent and change in points."""
    if (two := pairing.unpaired.get(name)) is not None:
        return two.base.score, two.tuned.score - two.base.score
    base, tuned = stacked([pairing.benchmarks[name]]).means_K
    return float(base), float(tuned - base)


def items_of(pairing: Pairing, name: str) -> int:
    """Items behind a benchmark's change, 0 where their number is unknown."""
    if (two := pairing.unpaired.get(name)) is not None:
        return min(two.base.n or 0, two.tuned.n or 0)
    return pairing.benchmarks[name].n


def _over(groups: Sequence[Sequence[str]], drawn: ModelDraws, values_RB: Array) -> Array:
    """Mean over groups of the mean over a group's benchmarks (R,)."""
    columns = [[drawn.names.index(b) for b in group] for group in groups]
    return np.asarray(np.mean([values_RB[:, at].mean(axis=1) for at in columns], axis=0))


def _binary(groups: Sequence[Sequence[str]], pairing: Pairing) -> PairedBenchmark | None:
    """The guard's only benchmark, where it is one 0/1 outcome per independent item."""
    names = [b for group in groups for b in group]
    part = pairing.benchmarks.get(names[0]) if len(names) == 1 else None
    if part is not None and part.binary and is_binary_independent(stacked([part])):
        return part
    return None


def _moving(shares: Mapping[str, float], pairing: Pairing, clusters: float) -> float:
    """Clusters that carry the change; all of them where answers were not kept."""
    if any(name not in pairing.benchmarks for name in shares):
        return clusters
    parts = []
    for name, share in shares.items():
        items = stacked([pairing.benchmarks[name]])
        part = (items.scores_KN[1:] - items.scores_KN[0]) * items.weight_N / items.weight_N.sum()
        parts.append(share * units_of(items.cluster_N, items.stratum_N).sums(part))
    return float(moving_clusters(np.hstack(parts))[0])


def _weights(shares: Mapping[str, float], pairing: Pairing) -> Array:
    """Every cluster's share in the change; items stand for clusters where answers were not kept."""
    parts = []
    for name, share in shares.items():
        if (part := pairing.benchmarks.get(name)) is None:
            count = items_of(pairing, name) or 1
            parts.append(np.full(count, share / count))
        else:
            weight_N = part.weights * (share / part.weights.sum())
            parts.append(units_of(part.clusters, part.subsets).sums(weight_N[None])[0])
    return np.hstack(parts)


def _clusters(groups: Sequence[Sequence[str]], pairing: Pairing) -> float:
    """Equal clusters that carry as much as those behind a change (Kish); items without answers.

    1 / sum of share^2 / clusters over benchmarks, a share being 1 / (groups x the group's members).
    """
    squares = 0.0
    for group in groups:
        for name in group:
            part = pairing.benchmarks.get(name)
            own = items_of(pairing, name) if part is None else effective_clusters([stacked([part])])
            squares += 1.0 / own / (len(groups) * len(group)) ** 2 if own else np.inf
    return 1.0 / squares
