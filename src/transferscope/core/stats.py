"""Uncertainty and tests, vectorised: no Python loops over replicates or items.

Random generators are arguments. If a benchmark has few distinct units, their counts are drawn
(:mod:`.alike_units`); otherwise replicates are drawn in blocks. Memory never grows with the product
of replicates and items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .alike_units import WORTH, AlikeUnits
from .records import digest
from .resampling import units_of

Array = NDArray[np.float64]
BLOCK_CELLS = 1 << 15
"""Number of counts (replicates x clusters) held at a time: 0.25 MB of float64. They fit the caches,
and the products are too small for BLAS to start threads, which are slower on a busy machine."""


def stream(seed: int, *names: str) -> np.random.Generator:
    """A separate generator for the thing that ``names`` name, e.g. one benchmark of one model.

    So a number depends on the seed and on what it describes, never on order or on other models.
    """
    return np.random.default_rng([seed, *(int(digest(name), 16) for name in names)])


@dataclass(frozen=True, slots=True)
class ItemScores:
    """One benchmark's scores, base and tuned models on the same items.

    ``scores_KN``: 0..1, row 0 is the base, repeats of an item already averaged. ``weight_N``: the
    items' relative weights. ``cluster_N``: codes of the clusters that are resampled together.
    ``stratum_N``: codes of the subset within which clusters are resampled.
    """

    scores_KN: Array
    weight_N: Array
    cluster_N: NDArray[np.int64]
    stratum_N: NDArray[np.int64]

    @classmethod
    def plain(cls, scores_KN: Array) -> ItemScores:
        """Independent items of equal weight in a single subset."""
        n = scores_KN.shape[1]
        return cls(scores_KN, np.ones(n), np.arange(n), np.zeros(n, dtype=np.int64))

    @property
    def means_K(self) -> Array:
        """Weighted mean score per model, in percent."""
        return np.asarray(100.0 * self.scores_KN @ self.weight_N / self.weight_N.sum())


@dataclass(frozen=True, eq=False)
class Resampling:
    """The input of a bootstrap of one benchmark.

    ``sums_XU`` (K + 1, U): unit sums of every model's weighted scores; the last row has those of
    the weights. ``stratum_U`` (U,) are the units' strata. ``alike``: the distinct units of each
    stratum.
    """

    sums_XU: Array
    stratum_U: NDArray[np.int64]
    alike: tuple[AlikeUnits, ...]

    @classmethod
    def of(cls, items: ItemScores) -> Resampling:
        """Compute the unit sums of ``items``."""
        units = units_of(items.cluster_N, items.stratum_N)
        rows_XN = np.vstack([items.scores_KN, np.ones((1, items.scores_KN.shape[1]))])
        sums_XU = units.sums(rows_XN * items.weight_N)
        inside = (units.stratum_U == stratum for stratum in range(units.strata))
        alike = tuple(AlikeUnits.of(sums_XU[:, at_U]) for at_U in inside)
        return cls(sums_XU, units.stratum_U, alike)

    @property
    def counted(self) -> bool:
        """Whether counts of identical units are drawn, because few units are distinct."""
        return WORTH * sum(found.patterns for found in self.alike) <= len(self.stratum_U)

    def means(self, rng: np.random.Generator, replicates: int) -> Array:
        """Replicated means (R, K) in percent; see :func:`bootstrap_means`."""
        total_RX = np.zeros((replicates, len(self.sums_XU)))
        for stratum, found in enumerate(self.alike):
            if self.counted:
                total_RX += found.resampled(rng, replicates)
            else:
                inside_U = self.stratum_U == stratum
                total_RX += resampled_sums(self.sums_XU[:, inside_U], rng, replicates)
        return np.asarray(100.0 * total_RX[:, :-1] / total_RX[:, -1:])


def bootstrap_means(
    benchmarks: Sequence[ItemScores], rng: np.random.Generator, *, replicates: int = 10_000
) -> Array:
    """Replicated benchmark means (R, K, B) in percent, with the same draws for base and tuned.

    Units are drawn with replacement within their strata, one fewer than there are
    (:mod:`.resampling`). The mean is the ratio of resampled weighted score to resampled weight. A
    stratum of one unit, which is then the whole benchmark, is kept as it is: its replicates have
    no spread.
    """
    means = [Resampling.of(items).means(rng, replicates) for items in benchmarks]
    return np.stack(means, axis=2)


def resampled_sums(sums_KC: Array, rng: np.random.Generator, replicates: int) -> Array:
    """Sums (R, K) over C - 1 of the C clusters of ``sums_KC``, drawn with replacement, R times.

    Scaled by C / (C - 1), so that they are sums of C clusters.
    """
    from scipy.sparse import csr_array

    if sums_KC.shape[1] == 1:
        return np.tile(sums_KC[:, 0], (replicates, 1))
    clusters, drawn_each = sums_KC.shape[1], sums_KC.shape[1] - 1
    out = np.empty((replicates, len(sums_KC)))
    block = max(1, BLOCK_CELLS // clusters)
    dtype = np.uint16 if clusters <= 1 << 16 else np.int32
    sums_CK = np.ascontiguousarray(sums_KC.T)
    # Row r of a sparse matrix lists the clusters of replicate r; the dense form counts them.
    # Buffers are reused: fresh pages for every block would cost as much as the sums themselves.
    ones, starts = np.ones(block * drawn_each), np.arange(block + 1, dtype=np.int32) * drawn_each
    counts = np.empty((block, clusters))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        drawn = rng.integers(0, clusters, size=size * drawn_each, dtype=dtype).astype(np.int32)
        cells = csr_array((ones[: drawn.size], drawn, starts[: size + 1]), shape=(size, clusters))
        cells.toarray(out=counts[:size])
        np.matmul(counts[:size], sums_CK, out=out[start : start + size])
    # Scaled last: counts times integers are exact, and so don't depend on other columns.
    out *= clusters / drawn_each
    return out


def mcnemar_exact(lost: int, won: int) -> float:
    """Two-sided exact McNemar p for ``lost`` items 1 -> 0 and ``won`` items 0 -> 1."""
    from scipy.special import bdtr

    discordant = lost + won
    if discordant == 0:
        return 1.0
    return min(1.0, 2.0 * float(bdtr(min(lost, won), discordant, 0.5)))


def is_binary_independent(items: ItemScores) -> bool:
    """Whether McNemar applies: one 0/1 outcome per independent item of equal weight."""
    singletons = len(np.unique(items.cluster_N)) == items.scores_KN.shape[1]
    even = bool(np.all(items.weight_N == items.weight_N[0]))
    zero_one = bool(np.isin(items.scores_KN, (0.0, 1.0)).all())
    return singletons and even and zero_one


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm-adjusted p values in the given order."""
    p = np.asarray(p_values, dtype=float)
    if p.size == 0:
        return []
    order = np.argsort(p, kind="stable")
    scaled = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    adjusted = np.empty_like(p)
    adjusted[order] = scaled
    return [float(value) for value in adjusted]


def beta_draws(
    score: float, n: int, rng: np.random.Generator, *, replicates: int = 10_000
) -> Array:
    """Draws (R,) in percent of a proportion for which only score (percent) and n are known.

    Jeffreys posterior Beta(k + 1/2, n - k + 1/2) with k = score * n / 100, which may be fractional
    if the score was rounded (docs/science.md, section 2).
    """
    hits = score * n / 100.0
    return 100.0 * rng.beta(hits + 0.5, n - hits + 0.5, size=replicates)


def normal_draws(
    score: float, stderr: float, rng: np.random.Generator, *, replicates: int = 10_000
) -> Array:
    """Draws (R,) of a score (percent) that is not a proportion, from its standard error (percent).

    Normal draws clipped to 0..100: no score is outside, and a base above 100 would have a negative
    headroom weight. Order statistics of the score are clipped too and otherwise unchanged.
    """
    return np.clip(rng.normal(score, stderr, size=replicates), 0.0, 100.0)
