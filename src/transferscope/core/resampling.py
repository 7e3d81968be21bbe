"""What is resampled: the one partition of a benchmark's items behind every statistic.

A *unit* is a cluster: an item, or all items that share a story. Bootstrap, sign flips, effective
numbers and forgetting see units only. Bootstrap draws keep to strata (subsets), which narrows an
interval where subsets differ, and must not break it:

- strata that share a unit are merged: a story whose questions carry different subsets stays whole;
- strata of fewer than :data:`SMALLEST` units are pooled, as their spread is not known from so few;
- a stratum of n units is drawn n - 1 at a time, each counting n / (n - 1) (Rao and Wu, JASA 83,
  1988), as n draws would shrink its variance by (n - 1) / n.

benchmarks/coverage.py has the coverage for strata of 1 to 10 items and for units across strata.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]
SMALLEST = 5
"""Units below which a stratum is pooled with others."""


@dataclass(frozen=True, slots=True)
class Units:
    """A benchmark's units: ``unit_N`` (n_items,) numbers them 0..U-1, ``stratum_U`` their strata.

    Strata are numbered 0..H-1, and each has at least one unit.
    """

    unit_N: Codes
    stratum_U: Codes

    @property
    def count(self) -> int:
        """Number of units U."""
        return len(self.stratum_U)

    @property
    def strata(self) -> int:
        """Number of strata H."""
        return int(self.stratum_U.max()) + 1

    def sums(self, values_KN: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums (K, U) of ``values_KN`` over the items of every unit."""
        return np.stack(
            [np.bincount(self.unit_N, weights=row, minlength=self.count) for row in values_KN]
        )


def units_of(cluster_N: Codes, stratum_N: Codes) -> Units:
    """The units of items with these clusters and strata (any codes, n_items of each)."""
    _, first, unit_N = np.unique(cluster_N, return_index=True, return_inverse=True)
    stratum_N = np.unique(stratum_N, return_inverse=True)[1]
    joined_S = _joined(stratum_N[first][unit_N], stratum_N)
    return Units(unit_N, _pooled(joined_S[stratum_N[first]]))


def _joined(mine_N: Codes, theirs_N: Codes) -> Codes:
    """A label per stratum; strata linked by a pair (``mine_N``, ``theirs_N``) share theirs."""
    count = int(theirs_N.max()) + 1
    if (mine_N == theirs_N).all():
        return np.arange(count)
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(mine_N)), (mine_N, theirs_N)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _pooled(stratum_U: Codes) -> Codes:
    """Renumbered strata; small ones are merged into one, which takes the next while it is small."""
    _, stratum_U, size_H = np.unique(stratum_U, return_inverse=True, return_counts=True)
    order = np.argsort(size_H, kind="stable")
    total_H = np.cumsum(size_H[order])
    small = int((size_H < SMALLEST).sum())
    if small == 0:
        return stratum_U
    # The pool must reach SMALLEST itself: it takes in the smallest others until it does.
    small = min(max(small, int(np.searchsorted(total_H, SMALLEST)) + 1), len(size_H))
    label_H = np.empty(len(size_H), dtype=np.int64)
    label_H[order] = np.maximum(np.arange(len(size_H)) - small + 1, 0)
    return label_H[stratum_U]
