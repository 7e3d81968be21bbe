"""What every importer returns: a run as another tool wrote it, its samples readable lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...core.records import ModelRef, Outcome, Response, ScoreRow
from ...core.taxonomy import Taxonomy
from ..manifest import contradicts


class Sample(NamedTuple):
    """One graded answer and, where kept, its text."""

    outcome: Outcome
    response: Response | None


@dataclass(frozen=True, slots=True)
class Taken:
    """What one task of a file was taken for.

    ``metric`` is what is read ("exact_match,strict-match" with lm-eval's filter; "score" where a
    format has no names), ``others`` are the metrics that stand beside it. ``n`` counts items,
    ``None`` where the file doesn't say. ``left_out``: why the task is not imported, else empty;
    ``lower_is_better`` may be why.
    """

    file: str
    task: str
    benchmark: str
    metric: str = "score"
    others: tuple[str, ...] = ()
    n: int | None = None
    left_out: str = ""
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Results:
    """One model's foreign results.

    ``samples`` maps a benchmark (the taxonomy's name; the task's own where it has none) to a
    function that reads its samples one by one; ``scores`` are the benchmarks without samples.
    ``unmapped`` are tasks that the taxonomy doesn't know: imported, but in no group. ``notes`` say
    what was left out and why. ``taken`` has every task of the file, those left out too; an importer
    of another distribution may leave it empty. ``metrics``: per benchmark that was scored in
    several ways, its scores (0..1) by metric and filter, the one that is read first.
    ``contradictions``: per benchmark whose samples don't make the score that the file gives for
    it, in what; an importer may fill it while its samples are read.
    """

    model: ModelRef
    provenance: str
    samples: Mapping[str, Callable[[], Iterator[Sample]]]
    scores: tuple[ScoreRow, ...] = ()
    unmapped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    taken: tuple[Taken, ...] = ()
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    contradictions: Mapping[str, str] = field(default_factory=dict)
    engine: Mapping[str, Any] = field(default_factory=dict)
    decoding: Mapping[str, Any] = field(default_factory=dict)
    template: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    limit: int | None = None

    def said(self) -> tuple[str, ...]:
        """What a user must know, contradictions first."""
        wrong = (f"{name}: {contradicts(text)}" for name, text in self.contradictions.items())
        return *wrong, *self.notes


class Importer(NamedTuple):
    """A format: does ``path`` hold it, and what it says.

    ``read_model``, for formats that keep several models in a file or folder, takes the name of one
    of them (``None``: there is only one).
    """

    accepts: Callable[[Path], bool]
    read: Callable[[Path, Taxonomy], Results]
    read_model: Callable[[Path, Taxonomy, str | None], Results] | None = None
