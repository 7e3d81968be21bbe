"""Minimum TIs of a policy, held against the interval of the Transferability Index."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.suite import Suite
from ..runs import Run
from .analysis import compare_runs
from .guards import Guard, Seen, artefacts_said, fewer_said, items_of
from .result import TunedResult


def ti_guards(base: Run, tuned: Run, seen: Seen) -> list[Guard]:
    """One critical guard for every minimum TI.

    It passes where the interval's lower bound reaches the minimum and has regressed where the upper
    bound lies below it. TI is a share of the gain in the source group: where that gain is not
    established there is no TI, and a minimum can't be shown to hold.
    """
    (result,) = compare_runs(
        base,
        [tuned],
        seed=seen.seed,
        replicates=seen.replicates,
        examples=0,
        pairings=[seen.pairing],
    ).tuned
    return [_ti_guard(group, least, result, seen) for group, least in seen.policy.min_ti.items()]


def _ti_guard(group: str, least: float, result: TunedResult, seen: Seen) -> Guard:
    suite, pairing = seen.suite, seen.pairing
    guard = Guard(f"TI {group}", "base", "critical", least, "INCONCLUSIVE", test="interval")
    parts = [suite.groups.get(suite.source, ()), suite.groups[group]]
    wanted = [b for part in parts for b in part]
    if missing := [b for b in wanted if b not in {*pairing.benchmarks, *pairing.unpaired}]:
        why = pairing.excluded.get(missing[0], "missing in both")
        return replace(guard, why=f"{missing[0]} can't be compared: {why}")
    if said := fewer_said(wanted, pairing, seen.policy, "base"):
        return replace(guard, why=said)
    value = None if result.index is None else result.index.ti.get(group)
    bounds = None if result.index is None else result.index.ci.get(group)
    if value is None or bounds is None:
        reasons = {} if result.index is None else result.index.undefined_reason
        why = reasons.get(group, "TI has no interval")
        return replace(guard, why=f"TI is undefined: {why}")
    low, high = bounds
    n = min(sum(items_of(pairing, b) for b in part) for part in parts)
    finite = low if np.isfinite(low) else None
    guard = replace(guard, change=value, bound=finite, n=n, artefacts=artefacts_said(wanted, seen))
    if n < seen.policy.min_items:
        why = f"{n} items in a group, the policy asks for {seen.policy.min_items}"
        return replace(guard, why=why)
    if high < least:
        return replace(guard, verdict="REGRESSED")
    if guard.artefacts:
        return replace(guard, why=guard.artefacts)
    if low >= least:
        return replace(guard, verdict="PASS")
    bound = f"{low:.1f}" if np.isfinite(low) else "minus infinity"
    return replace(guard, why=f"the lower bound, {bound}, is below {least:g}")
