"""Item-level results: flips, and the part of a change that comes from flagged answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.right_answers import is_right
from ..documents.comparison import AgainstBase, Answered, FlagCounts, Flips
from ..runs import PairedBenchmark

NO_ANSWER = frozenset(
    {"empty", "truncated", "stop_cut", "looped", "unclosed_think", "prompt_echo", "role_leak"}
    | {"extraction_failed"}
)
"""Flags of answers that are incomplete or could not be found; they lower the answered rate."""


@dataclass(frozen=True, slots=True)
class FlaggedPart:
    """The part of a benchmark's change that comes from items with a flagged answer, in points.

    ``n`` items have known answers; ``flagged_n`` of them have a flagged answer in either run.
    ``by_flag`` splits ``flagged`` by flag. ``of_either``: the sum of the points' absolute values;
    ``of_base``: the part of that sum made by the base's answers. ``unknown``: the part for which no
    answers were kept.
    """

    n: int = 0
    flagged: float = 0.0
    by_flag: Mapping[str, float] = field(default_factory=dict)
    flagged_n: int = 0
    of_base: float = 0.0
    of_either: float = 0.0
    unknown: float = 0.0


def flips_of(part: PairedBenchmark) -> Flips:
    """Items by whether base and tuned model got them right (mean over repeats at least 1/2)."""
    before, after = is_right(part.base_scores), is_right(part.tuned_scores)
    return Flips(
        lost=int((before & ~after).sum()),
        won=int((~before & after).sum()),
        both_right=int((before & after).sum()),
        both_wrong=int((~before & ~after).sum()),
    )


def flipped_ids(part: PairedBenchmark) -> dict[str, list[str]]:
    """Ids of the items that were "lost" and "won", in order."""
    before, after = is_right(part.base_scores), is_right(part.tuned_scores)
    lost_N, won_N = before & ~after, ~before & after
    return {"lost": list(compress(part.ids, lost_N)), "won": list(compress(part.ids, won_N))}


def flagged_items(part: PairedBenchmark) -> NDArray[np.bool_]:
    """Mask (n_items,) of the items with a flagged answer in either run."""
    sides = (part.base_flags, part.tuned_flags)
    either = [np.fromiter(map(bool, flags), dtype=bool, count=len(flags)) for flags in sides]
    return np.asarray(either[0] | either[1])


def artefacts_of(part: PairedBenchmark, against: AgainstBase | None = None) -> dict[str, Any]:
    """Where the change comes from: items with a flagged answer in either run, or clean items.

    Returns the corresponding fields of a
    :class:`~transferscope.documents.comparison.BenchmarkChange`.

    Style and script (``against``) are counted separately: they describe what the model has become,
    often in every answer, and would leave no clean item.
    """
    flagged = flagged_items(part)
    share = part.weights * (part.tuned_scores - part.base_scores)
    clean_weight = part.weights[~flagged].sum()
    clean = float(100.0 * share[~flagged].sum() / clean_weight) if clean_weight > 0 else None
    (base_flags, base_rate), (tuned_flags, tuned_rate) = (
        _counted(flags) for flags in (part.base_flags, part.tuned_flags)
    )
    return {
        "clean_delta": clean,
        "clean_n": int((~flagged).sum()),
        "artefact_points": float(100.0 * share[flagged].sum() / part.weights.sum()),
        "clean_points": float(100.0 * share[~flagged].sum() / part.weights.sum()),
        "answered": Answered(base_rate, tuned_rate),
        "flags": FlagCounts(base_flags, tuned_flags),
        "against_base": against,
    }


def flagged_part(part: PairedBenchmark) -> FlaggedPart:
    """The flagged part of a benchmark's change, by flag.

    An item's share is assigned to the flags of the answer that made the change. If both answers are
    flagged, that is the one with the lower score: the base's for a gain, the tuned model's for a
    loss.
    """
    flagged = np.flatnonzero(flagged_items(part))
    share = part.weights / part.weights.sum() * (part.tuned_scores - part.base_scores)
    by_flag: dict[str, float] = {}
    of_base = 0.0
    for at in flagged:
        base, tuned = part.base_flags[at], part.tuned_flags[at]
        bases = bool(base) and (share[at] > 0 or not tuned)
        flags = base if bases else tuned
        of_base += 100.0 * abs(float(share[at])) * bases
        for flag in flags:
            by_flag[flag] = by_flag.get(flag, 0.0) + 100.0 * float(share[at]) / len(flags)
    return FlaggedPart(
        n=part.n,
        flagged=100.0 * float(share[flagged].sum()),
        by_flag=by_flag,
        flagged_n=len(flagged),
        of_base=of_base,
        of_either=100.0 * float(np.abs(share[flagged]).sum()),
    )


def _counted(flags: Sequence[tuple[str, ...]]) -> tuple[dict[str, int], float]:
    """Number of answers with each flag, and the percentage of answers given in full."""
    sets = Counter(flags)
    each: Counter[str] = Counter()
    for names, count in sets.items():
        each.update(dict.fromkeys(names, count))
    answered = sum(count for names, count in sets.items() if NO_ANSWER.isdisjoint(names))
    return dict(sorted(each.items())), 100.0 * answered / len(flags)
