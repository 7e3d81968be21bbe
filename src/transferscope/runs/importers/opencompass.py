"""Import OpenCompass: ``results/MODEL/DATASET.json``, ``predictions/``, ``summary/*.csv``.

Reads the schemas of OpenCompass 0.2 to 0.5, whose scores are percentages. The metric is the
taxonomy's first, else the first in OpenCompass' own order. Answers are read if the results have
details that say which are correct (``--dump-eval-details``); replicas of a data set are repeats.
Means over data sets ("naive_average") are read from a summary only if their parts are not there.
If a folder has several runs, each data set is read from the newest one, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name, bare_stem
from .assemble import Part, chained, dated, newest, pick, read_first
from .contradictions import CLOSE, contradiction, of_benchmark
from .documents import document, files_named, head
from .foreign_run import Importer, Results
from .naming import Place, of_model, places_of
from .opencompass_rows import (
    details_of,
    predicted,
    predictions_beside,
    read_details,
    unevaluated,
)
from .opencompass_summary import MAIN, NO_METRIC, is_summary, read_summary, run_of
from .values import number

_START = re.compile(
    rb'\s{0,64}\{\s{0,64}"(%s)"\s{0,9}:\s{0,9}\d' % "|".join(map(re.escape, MAIN)).encode()
)
_RUN = re.compile(r"[-_]run_?[0-9]{1,3}$")
_REMEDY = "name a run's folder of OpenCompass, or results/MODEL in it"


class _Result(NamedTuple):
    file: Path
    raw: dict[str, Any]
    task: str
    model: str


def accepts(path: Path) -> bool:
    """Whether ``path`` is a summary, a file in ``results/MODEL``, or a folder that contains one."""
    if path.is_dir():
        return bool(_results(path) or _summaries(path))
    return is_summary(path) or _is_result(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``, with their predictions.

    Raises :class:`InputError` for several models and for invalid files.
    """
    if (path.is_file() and is_summary(path)) or (path.is_dir() and not _results(path)):
        *older, latest = [path] if path.is_file() else _summaries(path)
        notes = [f"older summary left out: {file.name}" for file in older]
        return read_summary(latest, taxonomy, wanted, notes=notes)
    notes = []
    files = _results(path) if path.is_dir() else [path]
    every = [_result(file) for file in files]
    model, selected = of_model(every, lambda each: (each.model, each.file), wanted, path)
    found = newest(
        selected,
        notes,
        task=lambda result: result.task,
        same=lambda result: result.task,
        when=lambda result: dated(_run_of(result), result.file),
    )
    if path.is_dir():
        notes += unevaluated([result.file for result in selected])
    runs: dict[str, list[_Result]] = {}
    for result in found:
        runs.setdefault(_RUN.sub("", result.task), []).append(result)
    places = places_of(runs, taxonomy)
    parts = [_repeated(members, places[task], notes) for task, members in runs.items()]
    return run_of(parts, model, path, notes)


IMPORTER = Importer(accepts, read, read)


def _is_result(path: Path) -> bool:
    """Whether the path is ``results/MODEL/DATASET.json``, and its folder or content confirms it."""
    if not bare_name(path).endswith(".json") or len(path.parts) < 3 or not path.is_file():
        return False
    above = path.resolve().parents
    if len(above) < 3 or above[1].name != "results":
        return False
    beside = any((above[2] / name).is_dir() for name in ("predictions", "summary", "configs"))
    return beside or _START.match(head(path)) is not None


def _results(folder: Path) -> list[Path]:
    return [file for file in files_named(folder, "*.json*") if _is_result(file)]


def _summaries(folder: Path) -> list[Path]:
    return [file for file in files_named(folder, "summary_*.csv*") if is_summary(file)]


def _result(file: Path) -> _Result:
    raw = document(file, remedy=_REMEDY)
    if not isinstance(raw, dict):
        raise InputError("not an OpenCompass result", place=str(file), remedy=_REMEDY)
    return _Result(file, raw, bare_stem(file), file.resolve().parent.name)


def _run_of(result: _Result) -> Path:
    """The run's folder, which contains ``results``."""
    return result.file.resolve().parents[2]


def _repeated(runs: list[_Result], place: Place, notes: list[str]) -> Part:
    """Combine several runs of one data set under separate names: their answers are repeats."""
    parts = [_part(result, place, notes, at) for at, result in enumerate(runs)]
    first = parts[0]
    scores = [part.score for part in parts if part.score is not None]
    reads = [part.read for part in parts if part.read is not None]
    if len(parts) == 1 or first.left_out or len(scores) < len(parts):
        return first
    if 0 < len(reads) < len(parts):
        notes.append(f"{place.task}: {len(parts) - len(reads)} of its runs have no answers")
    wrong = [(run.task, part.contradiction) for run, part in zip(runs, parts, strict=True)]
    return replace(
        first,
        score=sum(scores) / len(scores),
        scores={},
        contradiction=of_benchmark(wrong),
        read=partial(chained, reads) if reads else None,
    )


def _part(result: _Result, place: Place, notes: list[str], run_: int = 0) -> Part:
    run = _run_of(result)
    if "error" in result.raw:
        return Part(place, run, left_out=f"it failed: {str(result.raw['error'])[:80]}")
    scores = _scores(result.raw)
    metric, why = pick(scores, place, first=MAIN)
    predictions = predictions_beside(result.file)
    details = details_of(result.raw.get("details"))
    kept = [score for detail in details for score in detail.scores if score is not None]
    mean = sum(kept) / len(kept) if kept else None
    if mean is not None and not why:
        metric = _agreeing(metric, scores, mean)
    part = Part(
        place=place,
        file=run,
        metric=metric or next(iter(scores), ""),
        others=tuple(name for name in scores if name != metric),
        n=len(details) or len(predicted(predictions)) or None,
        score=scores.get(metric or ""),
        scores=read_first(scores, metric),
        left_out=why,
    )
    if not kept or why:
        return part
    if lost := sum(len(detail.scores) for detail in details) - len(kept):
        notes.append(f"{place.task}: {lost:,} of {lost + len(kept):,} answers were not graded")
    repeats = max(len(detail.scores) for detail in details)
    read_ = partial(read_details, result.file, place, details, predictions, run_ * repeats)
    return replace(part, read=read_, contradiction=contradiction(mean=mean, said=part.score))


def _scores(raw: Mapping[str, Any]) -> dict[str, float]:
    """Every metric in 0..1; "accuracy (4 runs average)" counts as "accuracy"."""
    found: dict[str, float] = {}
    for name, entry in raw.items():
        # G-Pass@k summarises all replicas of an item, which are already read as repeats.
        if name in NO_METRIC or "G-Pass" in name or "/" in name:
            continue
        if (value := number(entry)) is not None:
            found.setdefault(name.partition(" (")[0], value / 100.0)
    return found


def _agreeing(metric: str | None, scores: Mapping[str, float], mean: float) -> str | None:
    """The metric that equals the mean of the correct answers, else ``metric``."""
    close = [name for name, score in scores.items() if abs(score - mean) <= CLOSE]
    return metric if metric is None or metric in close or not close else close[0]
