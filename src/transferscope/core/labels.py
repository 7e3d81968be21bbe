"""The benchmark of each text in a probe, and the group of each benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Labels:
    """``benchmarks`` gives each text's benchmark, in order ("": none; empty: no labels at all).

    ``groups`` maps benchmarks to groups; a benchmark that is not in it has no group.
    """

    benchmarks: Sequence[str] = ()
    groups: Mapping[str, str] = field(default_factory=dict)

    def of_benchmarks(self) -> dict[str, Ints]:
        """Text indices per benchmark, in the order of each benchmark's first text."""
        return _places(self.benchmarks)

    def of_groups(self) -> dict[str, Ints]:
        """Text indices per group, in the order of each group's first text."""
        return _places([self.groups.get(name, "") for name in self.benchmarks])

    def of_text(self, text: int) -> str:
        """The benchmark of a text, or ""."""
        return self.benchmarks[text] if text < len(self.benchmarks) else ""


def _places(names: Sequence[str]) -> dict[str, Ints]:
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if name:
            found.setdefault(name, []).append(place)
    return {name: np.array(places) for name, places in found.items()}
