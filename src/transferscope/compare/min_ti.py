"""Compares a policy's minimum TIs with the interval of the Transferability Index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.index import IndexResult
from ..documents.gate_result import Guard
from ..runs import Run
from .guards import Seen, artefacts_reason, fewer_items_reason
from .model_index import GroupedScores, scale_of


def ti_guards(base: Run, tuned: Run, seen: Seen) -> list[Guard]:
    """One critical guard for every minimum TI.

    It passes if the interval's lower bound reaches the minimum, and has regressed if the upper
    bound is below the minimum. TI is relative to the gain on the source group: if that gain is not
    established, TI is undefined and a minimum can't be shown to hold.
    """
    scores = GroupedScores.of(seen.drawn, seen.suite, seen.tests)
    index = None
    if scores.has_source:
        index = scores.index(
            tuned.manifest.model.name,
            base.manifest.model.name,
            definition="robust",
            scale=scale_of(seen.suite, [seen.benchmarks]),
        )
    return [_ti_guard(group, least, index, seen) for group, least in seen.policy.min_ti.items()]


def _ti_guard(group: str, least: float, index: IndexResult | None, seen: Seen) -> Guard:
    guard = Guard(f"TI {group}", "base", "critical", least, "INCONCLUSIVE", test="interval")
    parts = [seen.suite.groups.get(seen.suite.source, ()), seen.suite.groups[group]]
    wanted = [b for part in parts for b in part]
    if missing := _missing_reason(wanted, seen):
        return replace(guard, why=missing)
    value = None if index is None else index.ti.get(group)
    bounds = None if index is None else index.ci.get(group)
    if value is None or bounds is None:
        reasons = {} if index is None else index.undefined_reason
        why = reasons.get(group, "TI has no interval")
        return replace(guard, why=f"TI is undefined: {why}")
    low, high = bounds
    guard = replace(
        guard,
        change=value,
        bound=low if np.isfinite(low) else None,
        n=min(sum(seen.benchmarks[b].counted for b in part) for part in parts),
        artefacts=artefacts_reason(wanted, seen),
    )
    if guard.n < seen.policy.min_items:
        why = f"a group has only {guard.n} of the required {seen.policy.min_items} items"
        return replace(guard, why=why)
    if high < least:
        return replace(guard, verdict="REGRESSED")
    why = guard.artefacts
    if not why and low < least:
        bound = f"{low:.1f}" if np.isfinite(low) else "minus infinity"
        why = f"the lower bound, {bound}, is below {least:g}"
    return replace(guard, why=why, verdict="INCONCLUSIVE" if why else "PASS")


def _missing_reason(wanted: Sequence[str], seen: Seen) -> str:
    """Why these benchmarks don't give an index over all of the base's items, or ``""``."""
    pairing = seen.pairing
    if missing := [b for b in wanted if b not in seen.benchmarks]:
        why = pairing.excluded.get(missing[0], "missing in both")
        return f"{missing[0]} can't be compared: {why}"
    return fewer_items_reason(wanted, pairing, seen.policy, "base") or ""
