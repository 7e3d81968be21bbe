"""The mean that a guard judges: one benchmark's, or the mean of the groups' means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.changes import ChangeTest
from ..core.index import Array
from .benchmark import Benchmark
from .draws import ModelDraws
from .margin_bound import Bound, UnitShares, replicates_bound


@dataclass(frozen=True, eq=False)
class GuardedMean:
    """A weighted mean over benchmarks of ``drawn``; ``shares`` sum to 1.

    ``test``: the two-sided test of "no change" for this mean.
    """

    shares: Mapping[str, float]
    drawn: ModelDraws
    test: ChangeTest

    @property
    def members(self) -> dict[str, Benchmark]:
        """The benchmarks behind the mean."""
        return {name: self.drawn.benchmarks[name] for name in self.shares}

    @property
    def base(self) -> float:
        """The base's score in percent."""
        return sum(self.shares[name] * one.points.base for name, one in self.members.items())

    @property
    def change(self) -> float:
        """The change in points."""
        return sum(self.shares[name] * one.points.delta for name, one in self.members.items())

    @property
    def change_R(self) -> Array:
        """Replicates (R,) of the change in points; NaN if a score's uncertainty is unknown."""
        parts = [share * self.drawn.drawn[name].change_R for name, share in self.shares.items()]
        return np.asarray(np.sum(parts, axis=0))

    @property
    def counted(self) -> int:
        """Number of items behind the mean, over the benchmarks where it is known."""
        return sum(one.counted for one in self.members.values())

    @property
    def units(self) -> UnitShares:
        """The units behind the mean."""
        parts = [one.units for one in self.members.values()]
        return UnitShares.pooled(parts, list(self.shares.values()))

    def bound(self, margin: float) -> Bound:
        """The change compared with a ``margin`` in points."""
        unmoved = self.test.floor > 0
        if len(self.shares) == 1:
            ((name, one),) = self.members.items()
            return one.bound(margin, self.drawn.drawn[name], unmoved=unmoved)
        return replicates_bound(
            self.change, self.change_R, self.units, margin=margin, unmoved=unmoved
        )
