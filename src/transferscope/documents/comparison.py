"""What a comparison says: frozen records that the report, the gate and the JSON read.

All changes are in points (percent); ``ci`` are 95 % bounds (low, high), NaN where nothing tells
the uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from io import StringIO
from typing import Any

from ..compare.index_robustness import Robustness
from ..compare.unjudged import MISSING, ONE_SIDED
from ..core.attribution import Causes
from ..core.changes import ChangeTest
from ..core.constant_answer import ConstantAnswer
from ..core.disagreement import Disagreement
from ..core.forgetting import Transitions
from ..core.index import IndexResult
from ..core.robustness import SpecificationCurve
from ..core.standing import Standing, standing

Interval = tuple[float, float]
NO_GROUP = "not in suite"
"""How the reason begins why a benchmark that both runs have is not compared: it has no group."""


def bounds(ci: Interval) -> list[float] | None:
    """An interval as JSON has it; ``None`` where it is unknown."""
    return None if math.isnan(ci[0]) else list(ci)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Flips:
    """Items by whether base and tuned got them right (a mean over repeats of at least 1/2)."""

    lost: int
    won: int
    both_right: int
    both_wrong: int


@dataclass(frozen=True, slots=True)
class FlippedItem:
    """An item whose verdict changed, with what both models answered (hostile text: escape it)."""

    benchmark: str
    id: str
    kind: str  # "lost" | "won"
    prompt: str
    base: str
    tuned: str


@dataclass(frozen=True, slots=True)
class AgainstBase:
    """What shows in the ``n`` answers that both runs kept, as a whole.

    ``flags``: answers with a flag that needs the base's text. ``base_constant`` and
    ``tuned_constant``: the one answer that the model gives to nearly all questions, if it does.
    """

    n: int
    flags: Mapping[str, int]
    base_constant: ConstantAnswer | None = None
    tuned_constant: ConstantAnswer | None = None


@dataclass(frozen=True, slots=True)
class Artefacts:
    """Where a change comes from: flagged answers or clean ones.

    ``points`` and ``clean_points``: the parts of the plain change that come from items with a
    flagged answer and from items where both answers are clean; they add up to it.
    ``clean_delta``: the mean change of the clean items by themselves (``None`` without any), which
    is ``clean_points`` over their share of the weight. Clean items are easier than the rest: it is
    a diagnosis, not a corrected score.
    ``answered``: share of items, base and tuned, that were answered in full and found, in percent.
    ``against``: style and script; ``None``, not measured, where a run kept no answers.
    """

    clean_delta: float | None
    clean_points: float
    clean_n: int
    points: float
    answered: tuple[float, float]
    base_flags: Mapping[str, int]
    tuned_flags: Mapping[str, int]
    against: AgainstBase | None = None


@dataclass(frozen=True, slots=True)
class BenchmarkChange:
    """One benchmark, base against tuned; scores in percent.

    On the same items, or, where answers were not kept, of two scores: then ``test`` is "unpaired",
    ``flips``, ``artefacts`` and ``transitions`` are ``None``, and ``n`` is the smaller number of
    items (``None``: unknown). ``ci`` is this benchmark's own interval, uncorrected, and leaves out
    0 exactly where ``p`` is below 0.05; ``p_holm`` corrects for all benchmarks of the model.
    ``smallest_p``: the smallest ``p`` that so few clusters can give. ``mde``: ``None`` where no
    change could be shown.
    """

    benchmark: str
    group: str
    n: int | None
    base: float
    tuned: float
    delta: float
    ci: Interval
    test: str
    p: float
    p_holm: float
    mde: float | None
    chance: float | None
    flips: Flips | None
    artefacts: Artefacts | None
    transitions: Transitions | None = None
    smallest_p: float = 0.0

    @property
    def standing(self) -> Standing:
        """What is shown of the change, after Holm's correction."""
        return standing(self.delta, self.p, adjusted=self.p_holm, smallest=self.smallest_p)

    def to_json(self) -> dict[str, Any]:
        """The ``benchmarks`` row of the ``compare`` command's JSON."""
        row = asdict(self)
        found = row.pop("artefacts") or {}
        rates = row.pop("transitions") or {}
        return {
            **row,
            **{key: _known(row[key]) for key in ("p", "p_holm")},
            "ci": bounds(self.ci),
            "standing": self.standing,
            **{
                name: None if rate is None else rate | {"ci": list(rate["ci"])}
                for name, rate in rates.items()
            },
            "clean_delta": found.get("clean_delta"),
            "clean_n": found.get("clean_n"),
            "artefact_points": found.get("points"),
            "clean_points": found.get("clean_points"),
            "answered": dict(zip(("base", "tuned"), found["answered"], strict=True))
            if found
            else None,
            "flags": {"base": found["base_flags"], "tuned": found["tuned_flags"]}
            if found
            else None,
            "against_base": found.get("against"),
        }


@dataclass(frozen=True, slots=True)
class PlanePoint:
    """Mean change of a group in points with its interval.

    ``p``: its two-sided test of no change, of all its benchmarks at once. ``p_holm`` is ``p``
    except for a group of one benchmark, which stands as that benchmark's row does. ``smallest_p``:
    the smallest ``p`` that so few clusters can give. ``mde``: the smallest change that would be
    shown with 80 % power, ``None`` where none could.
    """

    gain: float
    ci: Interval
    p: float = math.nan
    p_holm: float = math.nan
    smallest_p: float = 0.0
    mde: float | None = None

    @classmethod
    def of(cls, gain: float, test: ChangeTest, *, p_holm: float | None = None) -> PlanePoint:
        """The point of a ``gain`` in points and its ``test``."""
        adjusted = test.p if p_holm is None else p_holm
        return cls(gain, test.ci, test.p, adjusted, test.smallest_p, test.mde)

    @property
    def standing(self) -> Standing:
        """What is shown of the change."""
        return standing(self.gain, self.p, adjusted=self.p_holm, smallest=self.smallest_p)

    def to_json(self) -> dict[str, Any]:
        """A group of ``plane`` in the ``compare`` command's JSON."""
        return {
            "gain": self.gain,
            "ci": bounds(self.ci),
            "p": _known(self.p),
            "standing": self.standing,
        }


@dataclass(frozen=True, slots=True)
class TunedResult:
    """One tuned model against the base.

    ``index`` is the robust definition at the comparison's scale, ``linear`` its companion with
    the Fieller interval. ``not_compared`` maps benchmarks to the reason. ``retention`` is the mean
    change over the benchmarks' groups that are not the source. ``robustness`` is ``None`` where
    there is no index. ``causes`` says which answers made the changes, ``disagreements`` which
    metrics of a benchmark don't agree about its change. ``contradictions``: benchmarks whose
    samples contradict the results they came with, in what.
    """

    model: str
    plane: Mapping[str, PlanePoint]
    retention: PlanePoint | None
    index: IndexResult | None
    linear: IndexResult | None
    benchmarks: tuple[BenchmarkChange, ...]
    not_compared: Mapping[str, str]
    flipped: tuple[FlippedItem, ...] = ()
    robustness: Robustness | None = None
    causes: Causes = field(default_factory=lambda: Causes({}, {}))
    disagreements: tuple[Disagreement, ...] = ()
    contradictions: Mapping[str, str] = field(default_factory=dict)

    @property
    def not_judged(self) -> tuple[str, ...]:
        """Benchmarks that both runs have and that no sentence rests on: they are in no group."""
        return tuple(b for b, why in self.not_compared.items() if why.startswith(NO_GROUP))

    @property
    def incomparable(self) -> tuple[str, ...]:
        """Other benchmarks that both runs have and no sentence rests on, as of other questions."""
        return tuple(
            b for b, why in self.not_compared.items() if not why.startswith((NO_GROUP, ONE_SIDED))
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """Benchmarks that the base has and this model lacks."""
        return tuple(b for b, why in self.not_compared.items() if why.startswith(MISSING))

    def to_json(self) -> dict[str, Any]:
        """One element of ``tuned`` in the ``compare`` command's JSON."""
        return {
            "model": self.model,
            "contradictions": dict(self.contradictions),
            "index": None if self.index is None else self.index.to_json(),
            "index_linear": None if self.linear is None else self.linear.to_json(),
            "plane": {group: point.to_json() for group, point in self.plane.items()},
            "retention": None if self.retention is None else self.retention.to_json(),
            "benchmarks": [row.to_json() for row in self.benchmarks],
            "not_compared": dict(self.not_compared),
            "attribution": self.causes.to_json(),
            "disagreements": [found.to_json() for found in self.disagreements],
            "not_judged": list(self.not_judged),
            "incomparable": list(self.incomparable),
            "robustness": None if self.robustness is None else self.robustness.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A base and its tuned models on one suite."""

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
    curve: SpecificationCurve | None = None

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        report = import_module("transferscope.report")
        return str(report.render_markdown(report.ReportInput(title=self.base, comparison=self)))

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """What ``rich.print`` shows: the tables of ``transferscope compare``."""
        from rich.console import Console
        from rich.text import Text

        # Late: the report reads this module, so this one must not depend on it.
        terminal = import_module("transferscope.report.terminal")
        text = StringIO()
        kept = Console(file=text, width=options.max_width, force_terminal=console.is_terminal)
        terminal.print_comparison(self, kept)
        yield Text.from_ansi(text.getvalue())

    def to_json(self) -> dict[str, Any]:
        """The JSON of ``transferscope compare``."""
        return {
            "base": self.base,
            "suite": self.suite,
            "source": self.source,
            "scale": self.scale,
            "specifications": None if self.curve is None else self.curve.to_json(),
            "replicates": self.replicates,
            "seed": self.seed,
            "tuned": [result.to_json() for result in self.tuned],
            "differences": list(self.differences),
            "provenance": dict(self.provenance),
        }
