"""``compare``: what tuning changed, by benchmark, by group and as an index.

All changes are in points (percent); ``ci`` are 95 % bounds (low, high), NaN (null in JSON) if the
uncertainty is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from ..core.attribution import Causes
from ..core.changes import ChangeTest
from ..core.constant_answer import ConstantAnswer
from ..core.disagreement import Disagreement
from ..core.forgetting import Rate
from ..core.index import IndexResult
from ..core.robustness import BelowChance, BenchmarkWeight, LeftOut, SpecificationCurve
from ..core.standing import Standing, standing
from ..core.typed_record import Absent, Bounds, Known, record
from .short_table import Shown

NO_GROUP = "not in suite"
"""Start of the reason why a benchmark of both runs is not compared if it has no group."""
ONE_SIDED = "missing in "
"""Start of the reason if only one of the runs has the benchmark."""
MISSING = f"{ONE_SIDED}tuned"
"""Start of the reason if only the base has the benchmark."""


@record()
class Flips:
    """Items by whether base and tuned model got them right (mean over repeats at least 1/2)."""

    lost: int
    won: int
    both_right: int
    both_wrong: int


@record()
class FlippedItem:
    """An item whose verdict changed, with both models' answers (hostile text: escape it)."""

    benchmark: str
    id: str
    kind: str  # "lost" | "won"
    prompt: str
    base: str
    tuned: str


@record()
class AgainstBase:
    """Properties of the ``n`` answers that both runs kept, taken together.

    ``flags``: number of answers by flag, for flags that need the base's text. ``base_constant`` and
    ``tuned_constant``: the answer that the model gives to nearly all questions, if there is one.
    """

    n: int
    flags: Mapping[str, int]
    base_constant: ConstantAnswer | None = None
    tuned_constant: ConstantAnswer | None = None


@record()
class Answered:
    """Percentage of a benchmark's items with a complete answer that could be found."""

    base: float
    tuned: float


@record()
class FlagCounts:
    """Answers of a benchmark by artefact flag."""

    base: Mapping[str, int]
    tuned: Mapping[str, int]


@record(derived=("standing",))
class BenchmarkChange:
    """One benchmark, tuned model compared with the base; scores in percent.

    It is compared item by item or, if answers were not kept, as two scores: then ``test`` is
    "unpaired", ``n`` is the smaller number of items (``None``: unknown), and ``flips`` and all
    fields after ``smallest_p`` are ``None``. ``ci`` is this benchmark's own interval, uncorrected;
    it excludes 0 exactly if ``p`` is below 0.05. ``p_holm`` corrects for all benchmarks of the
    model. ``smallest_p``: the smallest ``p`` possible with this number of clusters. ``mde``: the
    smallest detectable change, ``None`` if no change could be shown.

    Where the change comes from: ``artefact_points`` and ``clean_points`` are the parts of the plain
    change that come from items with a flagged answer and from items where both answers are clean;
    they add up to it. ``clean_delta`` is the mean change of the ``clean_n`` clean items by
    themselves (``None`` without any), which is ``clean_points`` over their share of the weight.
    Clean items are easier than the rest, so it is a diagnosis, not a corrected score.
    ``against_base`` has style and script flags; ``None`` (not measured) if a run kept no answers.

    ``forgetting`` and ``backward`` are the rates of items lost and won; the adjusted rates exclude
    what guessing explains and are ``None`` if the score of guessing is unknown.
    """

    benchmark: str
    group: str
    n: int | None
    base: float
    tuned: float
    delta: float
    ci: Bounds
    test: str
    p: Known
    p_holm: Known
    mde: float | None
    chance: float | None
    flips: Flips | None
    smallest_p: float = 0.0
    clean_delta: float | None = None
    clean_n: int | None = None
    artefact_points: float | None = None
    clean_points: float | None = None
    answered: Answered | None = None
    flags: FlagCounts | None = None
    against_base: AgainstBase | None = None
    forgetting: Rate | None = None
    backward: Rate | None = None
    forgetting_adjusted: Rate | None = None
    backward_adjusted: Rate | None = None

    @property
    def standing(self) -> Standing:
        """The verdict on the change, after Holm's correction."""
        return standing(self.delta, self.p, adjusted=self.p_holm, smallest=self.smallest_p)


@record()
class PassRate:
    """pass@k of one benchmark: the percentage of items with a right answer among k samples.

    It is estimated from ``samples`` answers to each item. ``ci`` and ``p`` are of the change in
    points. ``coverage`` is the tuned model's pass@k over the base's with its 95 % bounds, ``None``
    if the base has none. ``base_all`` and ``tuned_all`` are pass^k: all k samples are right.
    """

    benchmark: str
    k: int
    samples: int
    base: float
    tuned: float
    delta: float
    ci: Bounds
    p: Known
    coverage: float | None
    coverage_ci: Bounds
    base_all: float
    tuned_all: float


@record(derived=("standing",))
class PlanePoint:
    """Mean change of a group in points with its interval.

    ``p``: the two-sided test of "no change" over all its benchmarks. ``p_holm`` is ``p`` except for
    a group with one benchmark, which gets that benchmark's verdict. ``smallest_p``: the smallest
    ``p`` possible with this number of clusters. ``mde``: the smallest change that would be shown
    with 80 % power, ``None`` if no change could be.
    """

    gain: float
    ci: Bounds
    p: Known = math.nan
    p_holm: Known = math.nan
    smallest_p: float = 0.0
    mde: float | None = None

    @classmethod
    def of(cls, gain: float, test: ChangeTest, *, p_holm: float | None = None) -> Self:
        """The point for a ``gain`` in points and its ``test``."""
        adjusted = test.p if p_holm is None else p_holm
        return cls(gain, test.ci, test.p, adjusted, test.smallest_p, test.mde)

    @property
    def standing(self) -> Standing:
        """The verdict on the change."""
        return standing(self.gain, self.p, adjusted=self.p_holm, smallest=self.smallest_p)


@record()
class BelowChanceOf:
    """Benchmarks on which a model scores below chance, likely because of non-answers."""

    base: tuple[BelowChance, ...]
    tuned: tuple[BelowChance, ...]


@record()
class Robustness:
    """How much one model's index depends on its weights and on each benchmark."""

    weights: tuple[BenchmarkWeight, ...]
    left_out: tuple[LeftOut, ...]
    below_chance: BelowChanceOf


@record(derived=("not_judged", "incomparable"))
class TunedResult:
    """One tuned model compared with the base.

    ``index`` is the robust definition at the comparison's scale, ``index_linear`` the linear
    one with the Fieller interval. ``not_compared`` maps benchmarks to the reason. ``retention``
    is the mean change over the groups other than the source. ``robustness`` is ``None`` if there is
    no index. ``attribution`` says which answers caused the changes, ``disagreements`` which metrics
    of a benchmark disagree about its change. ``contradictions`` maps a benchmark whose samples
    contradict its reported results to what differs. ``pass_rates`` has pass@k of benchmarks with
    several answers to each item. ``flipped`` are a few flipped items to show; their texts stay in
    the run folders and are not in the JSON.
    """

    model: str
    plane: Mapping[str, PlanePoint]
    retention: PlanePoint | None
    index: IndexResult | None
    index_linear: IndexResult | None
    benchmarks: tuple[BenchmarkChange, ...]
    not_compared: Mapping[str, str]
    flipped: Annotated[tuple[FlippedItem, ...], Field(exclude=True)] = ()
    robustness: Robustness | None = None
    attribution: Causes = field(default_factory=lambda: Causes({}, {}))
    disagreements: tuple[Disagreement, ...] = ()
    contradictions: Mapping[str, str] = field(default_factory=dict)
    pass_rates: Absent[tuple[PassRate, ...]] = ()

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Benchmarks of both runs that are not judged because they are in no group."""
        return tuple(b for b, why in self.not_compared.items() if why.startswith(NO_GROUP))

    @property
    def incomparable(self) -> tuple[str, ...]:
        """Benchmarks of both runs that are not judged because they are not comparable."""
        return tuple(
            b for b, why in self.not_compared.items() if not why.startswith((NO_GROUP, ONE_SIDED))
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Benchmarks that only the base has."""
        return tuple(b for b, why in self.not_compared.items() if why.startswith(MISSING))


@record(shows=False)
class Comparison(Shown):
    """A base and its tuned models on one suite.

    ``groups``: the suite's benchmarks by group; ``source``: the group that the models were tuned
    on. ``specifications``: the index under every reasonable definition, scale and weighting.
    ``differences``: what differs between the runs. ``provenance``: what a reader needs to repeat
    each run.
    """

    base: str
    suite: str
    source: str
    groups: Mapping[str, tuple[str, ...]]
    scale: str
    replicates: int
    seed: int
    tuned: tuple[TunedResult, ...]
    differences: tuple[str, ...]
    provenance: Mapping[str, Any]
    specifications: SpecificationCurve | None = None
    schema: Literal[1] = 1

    def _title(self) -> str:
        return f"{len(self.tuned)} tuned from {self.base} on suite {self.suite}"

    def _table(self) -> tuple[Sequence[str], list[Sequence[str]]]:
        heads = ("model", *(f"{group}, points" for group in self.groups), "retention, points")
        return heads, [
            (
                result.model,
                *(_change(result.plane.get(group)) for group in self.groups),
                _change(result.retention),
            )
            for result in self.tuned
        ]


def _change(point: PlanePoint | None) -> str:
    """``+12.3 (8.0 to 16.4)``."""
    if point is None:
        return "not compared"
    bounds = "" if math.isnan(point.ci[0]) else f" ({point.ci[0]:.1f} to {point.ci[1]:.1f})"
    return f"{point.gain:+.1f}{bounds}"
