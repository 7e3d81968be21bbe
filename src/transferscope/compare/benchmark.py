"""One benchmark of a base and a tuned model, compared item by item or as two scores.

:class:`Paired` and :class:`Unpaired` share one interface, so that the code which compares, ranks
or judges benchmarks need not distinguish them. All points are percent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np

from ..core.changes import ChangeTest, paired_tests, unpaired_test
from ..core.forgetting import Transitions, transition_rates, with_moves
from ..core.index import Array
from ..core.resampling import units_of
from ..core.stats import (
    ItemScores,
    Resampling,
    beta_draws,
    is_binary_independent,
    normal_draws,
)
from ..core.typed_record import UNKNOWN
from ..documents.comparison import AgainstBase, Flips
from ..runs import Estimate, PairedBenchmark, Pairing, UnpairedBenchmark
from .items import FlaggedPart, artefacts_of, flagged_items, flagged_part, flipped_ids, flips_of
from .margin_bound import Bound, UnitShares, pairs_bound, replicates_bound


class Points(NamedTuple):
    """Scores of base and tuned model in percent, and the change (tuned minus base)."""

    base: float
    tuned: float
    delta: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """Replicates (R,) of both scores in percent, NaN where their uncertainty is unknown.

    ``moved``: forgetting and backward transfer; ``None`` if answers were not kept.
    """

    base_R: Array
    tuned_R: Array
    moved: Transitions | None = None

    @property
    def change_R(self) -> Array:
        """Replicates (R,) of the change in points."""
        return np.asarray(self.tuned_R - self.base_R)


class Benchmark(Protocol):
    """Interface of a compared benchmark. ``paired``: whether it was compared item by item."""

    paired: ClassVar[bool]

    @property
    def n(self) -> int | None:
        """Number of items; of two scores the smaller known one, ``None`` if neither is known."""

    @property
    def counted(self) -> int:
        """Items that a policy may count; 0 if the number behind either score is unknown."""

    @property
    def independent(self) -> tuple[int | None, int | None]:
        """Numbers of independent units behind the base and tuned score, where known."""

    @property
    def chance(self) -> float | None:
        """Score of random guessing, 0..1, if known."""

    @property
    def points(self) -> Points:
        """Scores and change."""

    @property
    def units(self) -> UnitShares:
        """The units that are resampled, with their shares in the mean."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the items; empty if answers were not kept."""

    @property
    def tuned_flags(self) -> tuple[tuple[str, ...], ...]:
        """Flags of the tuned model's answers, item by item; empty if ``ids`` is."""

    @property
    def sign_test(self) -> bool:
        """Whether the test is a sign-flip test, which needs random draws."""

    def draw(self, rng: np.random.Generator, *, replicates: int) -> Drawn:
        """Replicates of both scores; every interval is computed from them."""

    def test(self, rng: np.random.Generator, *, replicates: int) -> ChangeTest:
        """Two-sided test of "no change"."""

    def bound(self, margin: float, drawn: Drawn, *, unmoved: bool) -> Bound:
        """The change compared with a ``margin`` in points; ``unmoved``: most units moved alike."""

    def flips(self) -> Flips | None:
        """Items by whether base and tuned model got them right; ``None`` without answers."""

    def flipped_ids(self) -> Mapping[str, Sequence[str]]:
        """Ids of the "lost" and the "won" items."""

    def artefacts(self, against: AgainstBase | None = None) -> dict[str, Any]:
        """Fields of a benchmark's row on where the change comes from: flagged or clean answers.

        Empty without answers.
        """

    def flagged(self) -> FlaggedPart:
        """The part of the change that comes from flagged answers."""

    def unflagged(self) -> Benchmark:
        """The benchmark with flagged items treated as unchanged."""


@dataclass(frozen=True, eq=False)
class Paired:
    """A :class:`Benchmark` of which both runs kept the answers, item by item."""

    part: PairedBenchmark
    paired: ClassVar[bool] = True

    @property
    def n(self) -> int:
        """Number of items."""
        return self.part.n

    @property
    def counted(self) -> int:
        """Number of items."""
        return self.part.n

    @property
    def independent(self) -> tuple[int, int]:
        """Numbers of units behind the base and tuned score."""
        units = len(self.units.weight_U)
        return units, units

    @property
    def chance(self) -> float | None:
        """Score of random guessing, 0..1, if known."""
        return self.part.chance

    @property
    def items(self) -> ItemScores:
        """Scores of base and tuned model."""
        return stacked([self])

    @cached_property
    def points(self) -> Points:
        """Scores and change."""
        base, tuned = map(float, self.items.means_K)
        return Points(base, tuned, tuned - base)

    @property
    def units(self) -> UnitShares:
        """Clusters of items (:mod:`.core.resampling`)."""
        part = self.part
        units = units_of(part.clusters, part.subsets)
        share_N = part.weights / part.weights.sum()
        moved_N = (part.tuned_scores - part.base_scores) * part.weights / part.weights.sum()
        weight_U, moved_U = units.sums(np.stack([share_N, moved_N]))
        return UnitShares(weight_U, moved_U, 1.0 / float((weight_U**2).sum()))

    @property
    def ids(self) -> tuple[str, ...]:
        """The items' ids."""
        return self.part.ids

    @property
    def tuned_flags(self) -> tuple[tuple[str, ...], ...]:
        """Flags of the tuned model's answers, item by item."""
        return self.part.tuned_flags

    @property
    def sign_test(self) -> bool:
        """False for independent 0/1 outcomes of equal weight, which get McNemar's test."""
        return not (self.part.binary and is_binary_independent(self.items))

    def draw(self, rng: np.random.Generator, *, replicates: int) -> Drawn:
        """Means over resampled clusters, the same clusters for base and tuned model."""
        moved = with_moves(self.items)
        return drawn_of([self], moved, Resampling.of(moved).means(rng, replicates))[0]

    def test(self, rng: np.random.Generator, *, replicates: int) -> ChangeTest:
        """Exact McNemar for 0/1 outcomes of independent items, else sign flips by cluster."""
        single = self.part.binary
        return paired_tests(self.items, rng, single=single, replicates=replicates)[0]

    def bound(self, margin: float, drawn: Drawn, *, unmoved: bool) -> Bound:
        """Tango's and the exact test for 0/1 outcomes of independent items, else bootstrap."""
        if not self.sign_test:
            flips = self.flips()
            return pairs_bound(flips.lost, flips.won, self.n, margin=margin)
        change, change_R = self.points.delta, drawn.change_R
        return replicates_bound(change, change_R, self.units, margin=margin, unmoved=unmoved)

    def flips(self) -> Flips:
        """Items by whether base and tuned model got them right."""
        return flips_of(self.part)

    def flipped_ids(self) -> Mapping[str, Sequence[str]]:
        """Ids of the "lost" and the "won" items, in order."""
        return flipped_ids(self.part)

    def artefacts(self, against: AgainstBase | None = None) -> dict[str, Any]:
        """Where the change comes from: flagged or clean answers."""
        return artefacts_of(self.part, against)

    def flagged(self) -> FlaggedPart:
        """The part of the change that comes from flagged answers."""
        return flagged_part(self.part)

    def unflagged(self) -> Paired:
        """The benchmark with flagged items treated as unchanged."""
        flagged, part = flagged_items(self.part), self.part
        tuned_scores = np.where(flagged, part.base_scores, part.tuned_scores)
        return Paired(replace(part, tuned_scores=tuned_scores))


@dataclass(frozen=True, eq=False)
class Unpaired:
    """A :class:`Benchmark` of which at least one run kept only the score."""

    two: UnpairedBenchmark
    paired: ClassVar[bool] = False
    sign_test: ClassVar[bool] = False
    ids: ClassVar[tuple[str, ...]] = ()
    tuned_flags: ClassVar[tuple[tuple[str, ...], ...]] = ()

    @property
    def n(self) -> int | None:
        """The smaller known number of items; ``None`` if neither is known."""
        return self.two.n

    @property
    def counted(self) -> int:
        """The smaller number of items; 0 if one of them is unknown."""
        return min(self.two.base.n or 0, self.two.tuned.n or 0)

    @property
    def independent(self) -> tuple[int | None, int | None]:
        """Numbers of items behind the base and tuned score."""
        return self.two.base.n, self.two.tuned.n

    @property
    def chance(self) -> float | None:
        """Score of random guessing, 0..1, if known."""
        return self.two.chance

    @property
    def points(self) -> Points:
        """Scores and change."""
        base, tuned = self.two.base.score, self.two.tuned.score
        return Points(base, tuned, tuned - base)

    @property
    def units(self) -> UnitShares:
        """The items, because clusters are unknown."""
        count = self.counted or 1
        return UnitShares(np.full(count, 1.0 / count), None, float(self.counted))

    def draw(self, rng: np.random.Generator, *, replicates: int) -> Drawn:
        """Independent draws of the two scores: Beta for proportions, else normal."""
        base_R = _independent(self.two.base, rng, replicates)
        return Drawn(base_R, _independent(self.two.tuned, rng, replicates))

    def test(self, rng: np.random.Generator, *, replicates: int) -> ChangeTest:
        """z test on two independent scores; NaN if their uncertainty is unknown."""
        del rng, replicates  # nothing is drawn
        errors = [_standard_error(side) for side in (self.two.base, self.two.tuned)]
        known = [error for error in errors if error is not None]
        if len(known) < len(errors):
            return ChangeTest("unpaired", math.nan, UNKNOWN)
        return unpaired_test(self.points.delta, math.hypot(*known))

    def bound(self, margin: float, drawn: Drawn, *, unmoved: bool) -> Bound:
        """The bootstrap replicates compared with the margin."""
        change, change_R = self.points.delta, drawn.change_R
        return replicates_bound(change, change_R, self.units, margin=margin, unmoved=unmoved)

    def flips(self) -> None:
        """``None``: answers were not kept."""
        return

    def flipped_ids(self) -> Mapping[str, Sequence[str]]:
        """Both empty, because answers were not kept."""
        return {"lost": (), "won": ()}

    def artefacts(self, against: AgainstBase | None = None) -> dict[str, Any]:
        """Empty, because answers were not kept."""
        del against
        return {}

    def flagged(self) -> FlaggedPart:
        """The whole change is unknown."""
        return FlaggedPart(unknown=self.points.delta)

    def unflagged(self) -> Unpaired:
        """The benchmark itself, because its answers are unknown."""
        return self


def benchmarks_of(pairing: Pairing) -> dict[str, Benchmark]:
    """The benchmarks that can be compared; those compared item by item come first."""
    paired: dict[str, Benchmark] = {name: Paired(p) for name, p in pairing.benchmarks.items()}
    return paired | {name: Unpaired(two) for name, two in pairing.unpaired.items()}


def stacked(models: Sequence[Paired]) -> ItemScores:
    """Scores of the base and of every model on the same items."""
    first = models[0].part
    scores = np.vstack([first.base_scores, *(one.part.tuned_scores for one in models)])
    return ItemScores(scores, first.weights, first.clusters, first.subsets)


def drawn_of(models: Sequence[Paired], moved: ItemScores, drawn_RK: Array) -> list[Drawn]:
    """Draws of each model, from the resampled means of :func:`.core.forgetting.with_moves`."""
    chance, count = models[0].chance, len(models) + 1
    rates = transition_rates(moved, drawn_RK, models=count, chance=chance)
    base_R = drawn_RK[:, 0].copy()  # a view would keep the replicates of all moves
    return [Drawn(base_R, drawn_RK[:, at].copy(), rate) for at, rate in enumerate(rates, start=1)]


def _independent(estimate: Estimate, rng: np.random.Generator, replicates: int) -> Array:
    """Draws (R,) of a single score; NaN if neither n nor stderr is known."""
    if estimate.proportion and estimate.n is not None:
        return beta_draws(estimate.score, estimate.n, rng, replicates=replicates)
    if estimate.stderr is not None:
        return normal_draws(estimate.score, estimate.stderr, rng, replicates=replicates)
    return np.full(replicates, np.nan)


def _standard_error(estimate: Estimate) -> float | None:
    """Standard error in points; a proportion's is that of its Jeffreys posterior, never 0."""
    if estimate.proportion and estimate.n is not None:
        hits = estimate.score * estimate.n / 100.0 + 0.5
        total = estimate.n + 1.0
        return 100.0 * float(np.sqrt(hits * (total - hits) / (total**2 * (total + 1.0))))
    return estimate.stderr
