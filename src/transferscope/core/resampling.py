"""Resampling units: the single partition of a benchmark's items that every statistic uses.

A *unit* is a cluster: an item, or all items that share a story. Bootstrap, sign flips, effective
numbers and forgetting only use units. Bootstrap draws are stratified by subset, which narrows an
interval if subsets differ. Three rules keep the interval valid:

- strata that share a unit are merged, so that a story with questions in several subsets is whole;
- strata of fewer than :data:`SMALLEST` units are pooled: so few units don't show their spread;
- from a stratum of n units, n - 1 are drawn, each counting n / (n - 1) (Rao and Wu, JASA 83, 1988),
  because n draws would shrink its variance by (n - 1) / n.

benchmarks/coverage.py measures the coverage for strata of 1 to 10 items and units across strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
SMALLEST = 5
"""Strata with fewer units are pooled with others."""


@dataclass(frozen=True, slots=True)
class Units:
    """A benchmark's units: ``unit_N`` (n_items,) numbers them 0..U-1, ``stratum_U`` gives strata.

    Strata are numbered 0..H-1, and each has at least one unit.
    """

    unit_N: Codes
    stratum_U: Codes

    @property
    def count(self) -> int:
        """Number of units, U."""
        return len(self.stratum_U)

    @property
    def strata(self) -> int:
        """Number of strata, H."""
        return int(self.stratum_U.max()) + 1

    def sums(self, values_KN: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums (K, U) of ``values_KN`` over the items of each unit."""
        return np.stack(
            [np.bincount(self.unit_N, weights=row, minlength=self.count) for row in values_KN]
        )


def units_of(cluster_N: Codes, stratum_N: Codes) -> Units:
    """The units of items with these clusters and strata (arbitrary codes, one per item)."""
    _, first, unit_N = np.unique(cluster_N, return_index=True, return_inverse=True)
    stratum_N = np.unique(stratum_N, return_inverse=True)[1]
    joined_S = _joined(stratum_N[first][unit_N], stratum_N)
    return Units(unit_N, _pooled(joined_S[stratum_N[first]]))


def _joined(mine_N: Codes, theirs_N: Codes) -> Codes:
    """A label per stratum; strata linked by a pair (``mine_N``, ``theirs_N``) have the same one."""
    count = int(theirs_N.max()) + 1
    if (mine_N == theirs_N).all():
        return np.arange(count)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(mine_N)), (mine_N, theirs_N)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _pooled(stratum_U: Codes) -> Codes:
    """Renumbered strata. Small ones are pooled; a pool that is still small absorbs the next one."""
    _, stratum_U, size_H = np.unique(stratum_U, return_inverse=True, return_counts=True)
    order = np.argsort(size_H, kind="stable")
    total_H = np.cumsum(size_H[order])
    small = int((size_H < SMALLEST).sum())
    if small == 0:
        return stratum_U
    # The pool must have SMALLEST units itself, so it absorbs the smallest other strata until then.
    small = min(max(small, int(np.searchsorted(total_H, SMALLEST)) + 1), len(size_H))
    label_H = np.empty(len(size_H), dtype=np.int64)
    label_H[order] = np.maximum(np.arange(len(size_H)) - small + 1, 0)
    return label_H[stratum_U]
