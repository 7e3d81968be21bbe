"""Import lm-eval (0.3 and newer): JSON and, with --log_samples, samples next to it or inside it.

One number per document is read, by these rules:

* Metric: the first of the taxonomy's metrics that the results have; for tasks that are not in the
  taxonomy, the first metric in the results. Metrics where lower is better and values outside 0..1
  are not scores, and a task without a score is left out with the reason.
* Filter: the first one in the results for that metric (gsm8k: ``strict-match``). The taxonomy may
  choose another: ``metrics = ["exact_match,flexible-extract"]``.
* Groups: several tasks of one benchmark (57 subjects of MMLU) become its subsets, with ids
  TASK:DOC_ID. The rows that lm-eval adds for groups are means of their members, and are read only
  if the size of a member is not known.

Files of one model are read together; a task that is in several files is read from the newest.
Samples are checked against the reported results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...core.records import ScoreRow
from ...core.taxonomy import Taxonomy
from .contradictions import of_benchmark
from .foreign_run import Importer, Results, Sample
from .lmeval_about import decoding_of, limit_of, settings_of, versions_of
from .lmeval_claims import Claim, claim_of, contradicted
from .lmeval_files import (
    Document,
    documents,
    holds_results,
    is_results,
    model_of_all,
    newest,
    samples_beside,
)
from .lmeval_samples import Tally, read_samples
from .lmeval_tasks import Held, Task, all_scores, score_row, section, subset_of, task_of, whole_of
from .naming import by_benchmark, places_of, unmapped
from .settings import shared


def accepts(path: Path) -> bool:
    """Whether ``path`` is an lm-eval results file, or a folder with one up to three levels down."""
    return holds_results(path) if path.is_dir() else is_results(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``; raises :class:`InputError` for files that aren't lm-eval's.

    A task in several files is read from the newest, with a note. Several models in a folder are
    refused unless one is ``wanted``.
    """
    notes: list[str] = []
    files = documents(path, notes, wanted)
    raw, origin = newest(files, notes)
    kept = _samples(origin)
    places = places_of(origin, taxonomy)
    found = [task_of(place, raw, samples=kept, notes=notes) for place in places.values()]
    tasks = [(task.place, task) for task in found if task.key is not None]
    benchmarks = {
        name: [task for _, task in members]
        for name, members in by_benchmark(tasks, file=str(path)).items()
    }
    contradictions: dict[str, str] = {}
    samples: dict[str, Callable[[], Iterator[Sample]]] = {}
    scores: list[ScoreRow] = []
    metrics: dict[str, dict[str, float]] = {}
    for name, members in benchmarks.items():
        subsets = [subset_of(task, members) for task in members]
        if len(members) > 1 and not any(task.place.family for task in members):
            tasks_of = ", ".join(task.place.task for task in members)
            notes.append(f"{name}: these tasks are read as its subsets: {tasks_of}")
        with_samples = [
            (replace(task, samples=replace(task.samples, subset=subset)), claim_of(task, raw))
            for task, subset in zip(members, subsets, strict=True)
            if task.samples is not None
        ]
        metrics[name] = all_scores(members, raw)
        if with_samples:
            samples[name] = partial(_read_all, with_samples, contradictions)
            if lacking := [task.place.task for task in members if task.samples is None]:
                notes.append(f"{name}: left out because they lack samples: {', '.join(lacking)}")
        elif whole := whole_of(members, [origin[task.place.task].raw for task in members]):
            row = whole.task.place.task
            notes.append(f"{name}: the sizes of its tasks are not known; the row of {row} is read")
            metrics[name] = all_scores([whole.task], whole.raw)
            scores.append(score_row(whole.task, "", whole.raw))
        else:
            scores += [
                score_row(t, subset, raw) for t, subset in zip(members, subsets, strict=True)
            ]
    if scores:
        names = ", ".join(dict.fromkeys(row.benchmark for row in scores))
        notes.append(f"scores without answers, compared unpaired: {names}")
    settings = shared(
        {name: _settings(members, origin) for name, members in benchmarks.items()}
        or {"": settings_of(raw)}
    )
    limit = limit_of(settings.limit, raw, notes)
    return Results(
        model=model_of_all(files),
        provenance="imported:lm-eval",
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(place for place, _ in tasks),
        notes=tuple(notes),
        taken=tuple(task.shown(raw, origin[task.place.task].file) for task in found),
        metrics={name: table for name, table in metrics.items() if table},
        contradictions=contradictions,
        engine=settings.engine,
        decoding={
            name: decoding_of(members, raw) | settings.apart.get(name, {})
            for name, members in benchmarks.items()
        },
        template=settings.template,
        versions=versions_of(benchmarks, raw),
        seed=settings.seed,
        limit=limit,
    )


IMPORTER = Importer(accepts, read, read)


def _samples(origin: Mapping[str, Document]) -> dict[str, Path | Held]:
    """Where the samples of every task are: inside its results file, or in a file next to it."""
    found: dict[str, Path | Held] = {}
    for document in dict.fromkeys(origin.values()):
        tasks = [task for task, own in origin.items() if own is document]
        found |= samples_beside(document, tasks)
        for task, rows in section(document.raw, "samples").items():
            if task in tasks and isinstance(rows, list) and rows:
                found[task] = (document.file, rows)
    return found


def _settings(tasks: Sequence[Task], origin: Mapping[str, Document]) -> dict[str, Any]:
    """The settings of a benchmark; a setting that differs between its runs becomes a list."""
    every = [settings_of(d.raw) for d in dict.fromkeys(origin[task.place.task] for task in tasks)]
    keys = dict.fromkeys(key for each in every for key in each)
    values = {key: [each.get(key) for each in every] for key in keys}
    return {
        key: each if any(value != each[0] for value in each) else each[0]
        for key, each in values.items()
    }


def _read_all(
    parts: Sequence[tuple[Task, Claim]], contradictions: dict[str, str]
) -> Iterator[Sample]:
    """The samples of a benchmark's tasks; contradictions to their results are added at the end."""
    said: list[tuple[str, str | None]] = []
    for task, claim in parts:
        if task.samples is None:
            continue
        tally = Tally()
        total = weight = 0.0
        items = set()
        for sample in read_samples(task.samples, tally):
            yield sample
            outcome = sample.outcome
            items.add(outcome.id)
            total += outcome.weight * outcome.score
            weight += outcome.weight
        counts = (tally.documents, len(items))
        text = contradicted(claim, counts, total / weight if weight else None)
        said.append((claim.task, text))
    if wrong := of_benchmark(said):
        contradictions[parts[0][0].place.benchmark] = wrong
