"""What an evaluation could show before it is run: standard errors, and detectable changes.

A benchmark's score has the standard error 100 sqrt(p (1 - p) / n) points, largest at p = 1/2. The
smallest change that its test detects with 80 % power comes from :mod:`~transferscope.core.power`,
for two models of which only one answers a share q of the items right. Items that share a story
count less: m items a story, whose results correlate by :data:`CORRELATION`, are worth
n / (1 + (m - 1) :data:`CORRELATION`) independent ones (Kish's design effect). Repeats of an item
are not counted, so both figures are upper bounds where there are any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from ..core.power import mcnemar_mde, mean_mde

DISCORDANCE = 0.2
"""The assumed share of items that only one of the two models gets right."""
CORRELATION = 0.1
"""The assumed correlation between the results of items that share a story."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The number of items of a benchmark, and of stories (equal if items share none)."""

    items: int
    units: int

    @property
    def effective(self) -> float:
        """The number of independent items that these are worth."""
        return self.items / (1.0 + (self.items / self.units - 1.0) * CORRELATION)


@dataclass(frozen=True, slots=True)
class Resolution:
    """In points: the score's standard error, and the smallest change that would be detected.

    ``change`` is ``None`` if no change could be.
    """

    stderr: float
    change: float | None


def benchmark_resolution(planned: Planned, *, discordance: float = DISCORDANCE) -> Resolution:
    """The resolution of one benchmark, whose change is tested by exact McNemar."""
    n = planned.effective
    whole = max(1, int(n))
    flips = round(discordance * whole)
    return Resolution(100.0 * sqrt(0.25 / n), mcnemar_mde(flips // 2, flips - flips // 2, whole))


def group_resolution(planned: Sequence[Planned], *, discordance: float = DISCORDANCE) -> Resolution:
    """The resolution of the mean over the benchmarks of a group, tested by sign flips."""
    k = len(planned)
    spread = sqrt(sum(1.0 / each.effective for each in planned)) / k
    units = sum(each.effective for each in planned)
    change = mean_mde(100.0 * sqrt(discordance) * spread, units, unmoved=False)
    return Resolution(100.0 * 0.5 * spread, change)
