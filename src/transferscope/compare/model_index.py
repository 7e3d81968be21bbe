"""Transferability Index of one compared model, from the comparison's draws and tests."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.changes import ChangeTest
from ..core.index import Array, IndexResult, Layout, domain_index, index_of, sigma_for
from ..core.stats import holm
from ..core.suite import Suite, is_paper
from .draws import ModelDraws


@dataclass(frozen=True, eq=False)
class GroupedScores:
    """One model's benchmarks in the order of the suite's groups; scores (B,) in percent.

    ``p_holm``: every benchmark's p after Holm's correction over all of them. ``tests``: the tests
    of the groups' mean changes. The change of a group with one benchmark is established if that
    benchmark's is, after the correction.
    """

    layout: Layout
    base_B: Array
    tuned_B: Array
    drawn: ModelDraws
    tests: Mapping[str, ChangeTest]
    p_holm: Mapping[str, float]
    suite: Suite

    @classmethod
    def of(cls, drawn: ModelDraws, suite: Suite, tests: Mapping[str, ChangeTest]) -> GroupedScores:
        """The benchmarks of ``drawn`` that are in a group of ``suite``."""
        groups = {g: [b for b in names if b in drawn.names] for g, names in suite.groups.items()}
        layout = Layout.of({g: names for g, names in groups.items() if names}, suite.source)
        points = [drawn.benchmarks[name].points for name in layout.benchmarks]
        base_B, tuned_B = (np.array([p[side] for p in points], dtype=float) for side in (0, 1))
        p_holm = _corrected({n: drawn.tests[n].p for n in drawn.names if n in layout.benchmarks})
        return cls(layout, base_B, tuned_B, drawn, tests, p_holm, suite)

    @property
    def has_source(self) -> bool:
        """Whether a benchmark of the source group was compared; without one there is no index."""
        return self.suite.source in self.layout.groups

    def only(self, groups: Sequence[str]) -> float | None:
        """Corrected p of the only benchmark in ``groups``; ``None`` if there are several."""
        rows = [self.layout.groups.index(group) for group in groups]
        members = np.flatnonzero(self.layout.member_GB[rows].any(axis=0))
        return self.p_holm[self.layout.benchmarks[members[0]]] if len(members) == 1 else None

    def sigma(self, scale: str) -> Array | float:
        """Sigma (G,) of the groups, in points, at this scale."""
        known = None
        if scale == "published":
            known = np.array([(self.suite.sigma or {})[g] for g in self.layout.groups])
        gain_B = self.tuned_B - self.base_B
        return sigma_for(scale, gain_B, self.layout.member_GB, published_G=known)

    def index(self, model: str, base: str, *, definition: str, scale: str) -> IndexResult:
        """The index with its interval; requires the source to be among the groups."""
        layout, sigma = self.layout, self.sigma(scale)
        base_RB, tuned_RB = self.drawn.columns(layout.benchmarks)
        corrected = {g: self.only([g]) for g in layout.groups}
        return index_of(
            model,
            base,
            layout=layout,
            base_B=self.base_B,
            tuned_B=self.tuned_B,
            definition=definition,
            sigma_G=sigma,
            di_RG=domain_index(
                base_RB, tuned_RB, layout.member_GB, definition=definition, sigma_G=sigma
            ),
            tests={
                group: self.tests[group] if p is None else replace(self.tests[group], p=p)
                for group, p in corrected.items()
            },
            paired=all(self.drawn.benchmarks[name].paired for name in layout.benchmarks),
        )


def scale_of(suite: Suite, compared: Sequence[Collection[str]]) -> str:
    """The scale for all models: published sigmas only if each has the paper's whole suite.

    ``compared``: the names of every model's benchmarks.
    """
    complete = all(set(names) >= set(suite.benchmarks) for names in compared)
    return suite.scale if complete and is_paper(suite) else "unit"


def _corrected(p_of: Mapping[str, float]) -> dict[str, float]:
    """Holm's correction over the benchmarks that have a p; NaN for the others."""
    tested = [name for name, p in p_of.items() if not math.isnan(p)]
    adjusted = holm([p_of[name] for name in tested])
    return dict.fromkeys(p_of, math.nan) | dict(zip(tested, adjusted, strict=True))
