"""The interface of importers: what they return, with samples that are read lazily."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...core.records import ModelRef, Outcome, Response, ScoreRow
from ...core.taxonomy import Taxonomy
from ..manifest import contradicts


class Sample(NamedTuple):
    """One graded answer and, if it was kept, its text."""

    outcome: Outcome
    response: Response | None


@dataclass(frozen=True, slots=True)
class Taken:
    """How one task of a file is interpreted.

    ``metric`` is the metric that is read ("exact_match,strict-match" with lm-eval's filter; "score"
    if the format doesn't name metrics), ``others`` are the task's other metrics. ``n`` counts
    items, ``None`` if the file doesn't say. ``left_out`` is the reason why the task is not
    imported, else empty; ``lower_is_better`` may be that reason.
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
    """The foreign results of one model.

    - ``samples`` maps a benchmark (the taxonomy's name, else the task's own) to a function that
      reads its samples one by one; ``scores`` are the benchmarks without samples.
    - ``unmapped`` are tasks that are not in the taxonomy: they are imported, but without a group.
    - ``notes`` say what was left out and why.
    - ``taken`` lists every task of the file, including those left out. A plugin's importer may
      leave it empty.
    - ``metrics`` has, for each benchmark with several scores, all of them (0..1) by metric and
      filter, starting with the one that is read.
    - ``contradictions`` says, for each benchmark whose samples don't agree with the file's score,
      how they differ. An importer may fill it while its samples are read.
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
        """The notes for the user, contradictions first."""
        wrong = (f"{name}: {contradicts(text)}" for name, text in self.contradictions.items())
        return *wrong, *self.notes


class Importer(NamedTuple):
    """A format: ``accepts`` tells whether a path has this format, ``read`` reads its results.

    Formats with several models in a file or folder also have ``read_model``, which takes the name
    of one model (``None`` if there is only one).
    """

    accepts: Callable[[Path], bool]
    read: Callable[[Path, Taxonomy], Results]
    read_model: Callable[[Path, Taxonomy, str | None], Results] | None = None
