"""The two-sided test of "no change" behind a guard: what the comparison says of the same quantity.

The gate calls nothing a regression that the comparison could not even suggest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.index import Array
from ..core.stats import cluster_sums, sign_flip, stream
from ..runs import Pairing
from .draws import ModelDraws, stacked


@dataclass(frozen=True, slots=True)
class NoChange:
    """p of "no change"; ``smallest`` p that ``clusters`` independent ones can give (0: any)."""

    p: float
    smallest: float = 0.0
    clusters: int = 0


def no_change(
    name: str,
    groups: Sequence[Sequence[str]],
    pairing: Pairing,
    drawn: ModelDraws,
    change_R: Array,
    *,
    seed: int,
    replicates: int,
) -> NoChange:
    """The test of a guard over ``groups``, whose change is the mean of the groups' means.

    One benchmark: its own test. Several, all of them item by item: sign flips of all clusters at
    once, those of the comparison's pooled test of a group. With a score among them: the z test on
    the spread of ``change_R``. p is 1 where nothing tells the uncertainty.
    """
    names = [b for group in groups for b in group]
    parts = [pairing.benchmarks[b] for b in names if b in pairing.benchmarks]
    clusters = sum(len(np.unique(part.clusters)) for part in parts)
    smallest = 2.0 ** (1 - clusters) if len(parts) == len(names) else 0.0
    if len(names) == 1:
        p = drawn.tests[drawn.names.index(names[0])].p
        return NoChange(1.0 if math.isnan(p) else p, smallest, clusters)
    if len(parts) < len(names):
        error = float(change_R.std(ddof=1))
        change = float(np.mean([np.mean([_change(pairing, b) for b in group]) for group in groups]))
        p = math.erfc(abs(change) / error / math.sqrt(2.0)) if error > 0 else 1.0
        return NoChange(p)
    share = {b: 1.0 / (len(groups) * len(group)) for group in groups for b in group}
    sums = [
        cluster_sums(
            (items.scores_KN[1:] - items.scores_KN[0])
            * (share[part.benchmark] * items.weight_N / items.weight_N.sum()),
            items.cluster_N,
        )
        for part in parts
        for items in [stacked([part])]
    ]
    rng = stream(seed, "pooled", name)
    return NoChange(
        float(sign_flip(np.hstack(sums), rng, replicates=replicates)[0]), smallest, clusters
    )


def _change(pairing: Pairing, name: str) -> float:
    if (two := pairing.unpaired.get(name)) is not None:
        return two.tuned.score - two.base.score
    base, tuned = stacked([pairing.benchmarks[name]]).means_K
    return float(tuned - base)
