"""Assemble :class:`~.foreign_run.Results` from parts, with the same rules for every harness.

A part is one task of a file, or one subset of a task. Parts of one benchmark become its subsets,
weighted by size. If some of them have answers and others only scores, those with answers are read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ...core.errors import InputError
from ...core.records import ModelRef, ScoreRow
from ...core.tasknames import fold, key
from ...core.taxonomy import Taxonomy
from .contradictions import of_benchmark
from .foreign_run import Results, Sample, Taken
from .naming import (
    Place,
    by_benchmark,
    left_out,
    lower_is_better,
    not_comparable,
    place_of,
    unmapped,
)

Read = Callable[[], Iterator[Sample]]
_NO_SUBSET = ("", "main", "default", "all", "test", "defaultsubset", "openaihumaneval")
UNSCORED = "it has no score within 0..1"


@dataclass(frozen=True, slots=True)
class Part:
    """One task, or one subset of it, with its answers (``read``) or only its ``score``.

    ``shown`` is the task's name in messages, if it differs from the place's. ``score``, ``stderr``
    and ``scores`` (all metrics by name, starting with the one that is read) are in 0..1; ``n``
    counts items. ``left_out`` is the reason why the part is not used, else empty.
    ``contradiction`` says how the answers contradict the score, see :mod:`.contradictions`.
    """

    place: Place
    file: Path
    shown: str = ""
    metric: str = "score"
    others: tuple[str, ...] = ()
    n: int | None = None
    score: float | None = None
    stderr: float | None = None
    read: Read | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    decoding: Mapping[str, Any] = field(default_factory=dict)
    left_out: str = ""
    contradiction: str | None = None


def pick(
    scores: Mapping[str, float], place: Place, *, first: Sequence[str] = ()
) -> tuple[str | None, str]:
    """Pick the metric of ``scores`` to read; without a usable one, give the reason.

    The order of preference is: the taxonomy's metrics, those in ``first`` (the harness's main
    metrics), any other. "pass@k" also matches "pass@k:k=1". Metrics that are better when lower and
    values outside 0..1 are not usable.
    """
    usable = [m for m, v in scores.items() if 0.0 <= v <= 1.0 and not lower_is_better(m)]
    if place.lower_is_better or not usable:
        lower = [m for m in scores if place.lower_is_better or lower_is_better(m)]
        return None, not_comparable(lower[0]) if lower else UNSCORED
    for wanted in (*place.metrics, *first):
        for metric in usable:
            if metric == wanted or metric.partition(":")[0] == wanted:
                return metric, ""
    return usable[0], ""


def read_first(scores: Mapping[str, float], metric: str | None) -> dict[str, float]:
    """The scores within 0..1, starting with ``metric``; empty if it is not among them."""
    kept = {name: v for name, v in scores.items() if 0.0 <= v <= 1.0 and not lower_is_better(name)}
    return dict(sorted(kept.items(), key=lambda pair: pair[0] != metric)) if metric in kept else {}


def place_below(task: str, subset: str, taxonomy: Taxonomy) -> Place:
    """The place of a harness's subset of a task: ("mmlu", "anatomy"), or ("arc", "ARC-Easy").

    If the taxonomy has a separate benchmark for it ("arc_easy", "musr_murder_mysteries"), that one
    is used. Generic subset names ("main", "default") are ignored.
    """
    place = place_of(task, taxonomy)
    if shown_below(task, subset) == task:
        return place
    inner = subset if fold(subset).startswith(f"{fold(task)}_") else f"{task}_{subset}"
    found = taxonomy.match(inner)
    if found is not None and found.benchmark != place.benchmark:
        return replace(place_of(inner, taxonomy), task=task)
    return replace(place, subset=subset, prefix=f"{subset}/")


def dated(folder: Path, file: Path) -> str:
    """The date of a run as sortable text: from the folder's name, else the file's time of change.

    >>> dated(Path("outputs/20261128_080000"), Path("x"))
    '20261128_080000'
    """
    if re.fullmatch(r"\d{8}_\d{6}", folder.name):
        return folder.name
    return datetime.fromtimestamp(file.stat().st_mtime).strftime("%Y%m%d_%H%M%S")


class _OfFile(Protocol):
    @property
    def file(self) -> Path: ...


_Found = TypeVar("_Found", bound=_OfFile)


def newest(
    found: Iterable[_Found],
    notes: list[str],
    *,
    task: Callable[[_Found], str],
    same: Callable[[_Found], Hashable],
    when: Callable[[_Found], str],
) -> list[_Found]:
    """For each value of ``same``, keep the latest by ``when``, with a note for the others."""
    chosen: dict[Hashable, _Found] = {}
    for one in sorted(found, key=when):
        if (older := chosen.pop(same(one), None)) is not None:
            notes.append(f"{task(one)}: read from {one.file}, not from {older.file}")
        chosen[same(one)] = one
    return list(chosen.values())


def shown_below(task: str, subset: str) -> str:
    """ "mmlu/anatomy", or just the task if the subset has a generic name."""
    return task if key(subset) in (*_NO_SUBSET, key(task)) else f"{task}/{subset}"


def results_of(
    parts: Sequence[Part],
    *,
    path: Path,
    model: ModelRef,
    provenance: str,
    notes: Iterable[str] = (),
    **about: Any,
) -> Results:
    """The results of all ``parts``; ``about`` sets other fields of :class:`~.foreign_run.Results`.

    Raises :class:`InputError` for two parts of one benchmark and subset.
    """
    said = list(notes)
    used = [part for part in parts if not part.left_out]
    for place, part in ((p.place, p) for p in used):
        if (twice := _same(place, used)) is not part:
            what = f"duplicate result for {' '.join((place.benchmark, place.subset)).strip()}"
            remedy = f"keep one of them (the other is {twice.file})"
            raise InputError(what, place=str(part.file), remedy=remedy)
    samples: dict[str, Read] = {}
    scores: list[ScoreRow] = []
    wrong: dict[str, str] = {}
    groups = by_benchmark(((part.place, part) for part in used), file=str(path))
    for name, members in groups.items():
        mine = [part for _, part in members]
        reads = [part.read for part in mine if part.read is not None]
        if reads:
            samples[name] = partial(chained, reads)
            told = [(p.shown or p.place.task, p.contradiction) for p in mine if p.read is not None]
            if text := of_benchmark(told):
                wrong[name] = text
            if lacking := [_label(p.place) for p in mine if p.read is None]:
                said.append(f"{name}: left out because they have no answers: {', '.join(lacking)}")
        else:
            scores += [_row(part) for part in mine]
    if scores:
        names = ", ".join(dict.fromkeys(row.benchmark for row in scores))
        said.append(f"scores without answers, compared unpaired: {names}")
    taken = tuple(_taken(part) for part in parts)
    return Results(
        model=model,
        provenance=provenance,
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(part.place for part in used),
        notes=(*said, *left_out(taken)),
        taken=taken,
        metrics={
            name: members[0][1].scores
            for name, members in groups.items()
            if len(members) == 1 and len(members[0][1].scores) > 1
        },
        contradictions=wrong,
        decoding={name: dict(members[0][1].decoding) for name, members in groups.items()},
        **about,
    )


def _same(place: Place, parts: Sequence[Part]) -> Part:
    wanted = (place.benchmark, place.subset)
    return next(p for p in parts if (p.place.benchmark, p.place.subset) == wanted)


def _label(place: Place) -> str:
    return place.subset or place.task


def _row(part: Part) -> ScoreRow:
    place = part.place
    assert part.score is not None, "a part without answers has a score"
    return ScoreRow(
        benchmark=place.benchmark,
        score=part.score,
        subset=place.subset,
        stderr=part.stderr,
        n=part.n,
        proportion=place.proportion is not False,
        chance=place.chance,
    )


def _taken(part: Part) -> Taken:
    place = part.place
    return Taken(
        file=str(part.file),
        task=part.shown or place.task,
        benchmark=place.benchmark,
        metric=part.metric,
        others=part.others,
        n=part.n,
        left_out=part.left_out,
        lower_is_better=part.left_out == not_comparable(part.metric),
    )


def chained(reads: Sequence[Read]) -> Iterator[Sample]:
    """The samples of all readers, one after the other."""
    for read in reads:
        yield from read()
