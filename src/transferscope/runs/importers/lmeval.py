"""Results of lm-eval (0.4): ``results_DATE.json`` and, with --log_samples, samples beside it.

One number per document is read, by these rules:

* metric: the first of the taxonomy's that the results name, for other tasks the first that they
  name; metrics where lower is better and values outside 0..1 are no scores, and a task that has
  no other is left out with the reason;
* filter: the first that the results name for that metric (gsm8k: ``strict-match``). The taxonomy
  may name another: ``metrics = ["exact_match,flexible-extract"]``;
* several tasks of one benchmark (57 subjects of MMLU) become its subsets, their ids TASK:DOC_ID;
  the rows that lm-eval adds for groups are means of these and are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import files_below, is_file, read_json
from ...core.records import ScoreRow
from ...core.taxonomy import Taxonomy
from .base import Importer, Results, Sample
from .lmeval_about import (
    decoding_of,
    engine_of,
    limit_of,
    model_of,
    seed_of,
    template_of,
    versions_of,
)
from .lmeval_samples import SampleFile, read_samples
from .lmeval_tasks import Task, all_scores, leaves, score_row, task_of
from .naming import by_benchmark, places_of, unmapped

_PATTERN = "results_*.json"
_MARKS = {"lm_eval_version", "configs", "n-shot", "group_subtasks"}
"""Top-level keys of which lm-eval's results have at least one."""


def accepts(path: Path) -> bool:
    """A results file of lm-eval, or a folder (or its parent) that holds one."""
    if path.is_dir():
        return bool(_candidates(path))
    if path.suffix != ".json" or not is_file(path):
        return False
    try:
        return _is_lm_eval(read_json(path))
    except InputError:
        return path.match(_PATTERN)


def read(path: Path, taxonomy: Taxonomy) -> Results:
    """The results at ``path``; raises :class:`InputError` for what isn't lm-eval's.

    Of several dates in a folder the newest is read, and a note says so. Several models in a
    folder are refused.
    """
    file, raw, notes = _newest(path)
    kept = _samples_beside(file)
    places = places_of(leaves(raw), taxonomy)
    found = [task_of(place, raw, samples=kept, notes=notes) for place in places.values()]
    limit = limit_of(raw, notes)
    tasks = [(task.place, task) for task in found if task.key is not None]
    benchmarks = {
        name: [task for _, task in members]
        for name, members in by_benchmark(tasks, file=str(file)).items()
    }
    samples: dict[str, Callable[[], Iterator[Sample]]] = {}
    scores: list[ScoreRow] = []
    for name, members in benchmarks.items():
        subsets = [_subset(task, members) for task in members]
        if len(members) > 1 and not any(task.place.family for task in members):
            tasks_of = ", ".join(task.place.task for task in members)
            notes.append(f"{name}: these tasks are read as its subsets: {tasks_of}")
        files = [
            replace(task.samples, subset=subset)
            for task, subset in zip(members, subsets, strict=True)
            if task.samples is not None
        ]
        if files:
            samples[name] = partial(_read_all, files)
            if lacking := [task.place.task for task in members if task.samples is None]:
                notes.append(f"{name}: left out for want of samples: {', '.join(lacking)}")
        else:
            scores += [
                score_row(t, subset, raw) for t, subset in zip(members, subsets, strict=True)
            ]
    if scores:
        names = ", ".join(dict.fromkeys(row.benchmark for row in scores))
        notes.append(f"scores without answers, compared unpaired: {names}")
    return Results(
        model=model_of(raw, file),
        provenance="imported:lm-eval",
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(place for place, _ in tasks),
        notes=tuple(notes),
        taken=tuple(task.shown(raw, file) for task in found),
        metrics={name: table for name, ts in benchmarks.items() if (table := all_scores(ts, raw))},
        engine=engine_of(raw),
        decoding={name: decoding_of(members, raw) for name, members in benchmarks.items()},
        template=template_of(raw),
        versions=versions_of(benchmarks, raw),
        seed=seed_of(raw),
        limit=limit,
    )


IMPORTER = Importer(accepts, read)


def _candidates(folder: Path) -> list[Path]:
    """Results in ``folder`` and in its folders: lm-eval writes OUT/MODEL/results_DATE.json."""
    return sorted(files_below(folder, lambda name: fnmatchcase(name, _PATTERN), depth=1))


def _newest(path: Path) -> tuple[Path, dict[str, Any], list[str]]:
    """The results file to read, its content, and notes on those left out."""
    if not path.is_dir():
        return path, _document(path), []
    documents = {file: _document(file) for file in _candidates(path)}
    if not documents:
        remedy = f"name a folder that holds {_PATTERN}, or the file"
        raise InputError(f"no {_PATTERN} in it", place=str(path), remedy=remedy)
    models = {model_of(raw, file).name: file for file, raw in documents.items()}
    if len(models) > 1:
        folders = sorted({str(file.parent) for file in models.values()})
        names = folders if len(folders) == len(models) else sorted(map(str, models.values()))
        raise InputError(
            f"results of {len(models)} models ({', '.join(sorted(models))})",
            place=str(path),
            remedy=f"name one of them: {', '.join(names)}",
        )
    *older, newest = sorted(documents, key=_date)
    notes = []
    for file in older:
        tasks = ", ".join(leaves(documents[file]))
        notes.append(f"older results left out: {file.name} ({tasks}); name the file to import it")
    return newest, documents[newest], notes


def _date(file: Path) -> str:
    """``results_2026-11-24T08-00-00.123456.json``: the date, which sorts as text."""
    return file.name.removesuffix(".json").rpartition("_")[2]


def _samples_beside(file: Path) -> dict[str, Path]:
    """``samples_TASK_DATE.jsonl`` of the same date, by task."""
    start, end = "samples_", f"_{_date(file)}.jsonl"
    return {
        path.name.removeprefix(start).removesuffix(end): path
        for path in files_below(
            file.parent, lambda name: name.startswith(start) and name.endswith(end), depth=0
        )
    }


def _document(path: Path) -> dict[str, Any]:
    raw = read_json(path, remedy=f"name a {_PATTERN} of lm-eval")
    if not _is_lm_eval(raw):
        what = "not results of lm-eval (0.4 or newer)"
        raise InputError(what, place=str(path), remedy="name its format with --format")
    return raw


def _is_lm_eval(raw: Mapping[str, Any]) -> bool:
    results = raw.get("results")
    rows = isinstance(results, dict) and all(isinstance(row, dict) for row in results.values())
    return rows and bool(_MARKS & set(raw))


def _subset(task: Task, members: Sequence[Task]) -> str:
    """The task's name where it is one of several: here, or by a pattern of the taxonomy."""
    return task.place.task if len(members) > 1 or task.place.family else ""


def _read_all(files: Sequence[SampleFile]) -> Iterator[Sample]:
    for file in files:
        yield from read_samples(file)
