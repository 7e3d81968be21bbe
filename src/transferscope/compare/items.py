"""What happened item by item: flips, and the part of a change that comes from artefacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..documents.comparison import AgainstBase, Answered, FlagCounts, Flips
from ..runs import PairedBenchmark

NO_ANSWER = frozenset(
    {"empty", "truncated", "stop_cut", "looped", "unclosed_think", "prompt_echo", "role_leak"}
    | {"extraction_failed"}
)
"""Flags of answers that were not given in full or not found: they lower the answered rate."""


def flips_of(part: PairedBenchmark) -> Flips:
    """Items by whether base and tuned got them right (a mean over repeats of at least 1/2)."""
    before, after = part.base_scores >= 0.5, part.tuned_scores >= 0.5
    return Flips(
        lost=int((before & ~after).sum()),
        won=int((~before & after).sum()),
        both_right=int((before & after).sum()),
        both_wrong=int((~before & ~after).sum()),
    )


def flagged_items(part: PairedBenchmark) -> NDArray[np.bool_]:
    """Which items (n_items,) have a flagged answer on either side."""
    pairs = zip(part.base_flags, part.tuned_flags, strict=True)
    return np.array([bool(b or t) for b, t in pairs], dtype=bool)


def artefacts_of(part: PairedBenchmark, against: AgainstBase | None = None) -> dict[str, Any]:
    """Where the change comes from: items with a flagged answer on either side, or clean ones.

    The fields of a :class:`~transferscope.documents.comparison.BenchmarkChange` that say so.

    Style and script (``against``) are counted beside: they say what the model became, often in
    every answer, and would leave no clean item.
    """
    flagged = flagged_items(part)
    share = part.weights * (part.tuned_scores - part.base_scores)
    clean_weight = part.weights[~flagged].sum()
    clean = float(100.0 * share[~flagged].sum() / clean_weight) if clean_weight > 0 else None
    return {
        "clean_delta": clean,
        "clean_n": int((~flagged).sum()),
        "artefact_points": float(100.0 * share[flagged].sum() / part.weights.sum()),
        "clean_points": float(100.0 * share[~flagged].sum() / part.weights.sum()),
        "answered": Answered(_answered(part.base_flags), _answered(part.tuned_flags)),
        "flags": FlagCounts(_counted(part.base_flags), _counted(part.tuned_flags)),
        "against_base": against,
    }


def _counted(flags: Sequence[Sequence[str]]) -> dict[str, int]:
    return dict(sorted(Counter(flag for row in flags for flag in row).items()))


def _answered(flags: Sequence[Sequence[str]]) -> float:
    return 100.0 * sum(NO_ANSWER.isdisjoint(row) for row in flags) / len(flags)
