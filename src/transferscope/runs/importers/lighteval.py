"""Import lighteval: ``results_DATE.json`` and, with ``--save-details``, details as parquet.

Reads the schemas of lighteval 0.6 to 0.13 and of the old Open LLM Leaderboard.

- If there are several metrics, the taxonomy's first one is read, else the first. "all" and
  ``:_average`` rows are means of other rows and are not read.
- Answers come from the details of the same date. Without details, the scores are read, with
  lighteval's standard errors.
- An item's id is the document's number (from 0.11 on), or a hash of its question (before).
- If a folder has several dates, each task is read from its newest, with a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.records import ModelRef
from ...core.taxonomy import Taxonomy
from .assemble import Part, newest, pick, read_first, results_of
from .contradictions import contradiction
from .documents import document, hollow_in
from .foreign_run import Importer, Results
from .lighteval_files import (
    bare,
    date_of,
    details_beside,
    details_under,
    is_details,
    is_results,
    model_of,
    results_under,
    shots,
    task_of,
)
from .lighteval_samples import item_metrics, metrics_of, read_samples, rows_of
from .naming import Place, of_model, place_of, plain
from .values import count, mapping, number, share, text

_REMEDY = "name a results_*.json of lighteval"
_MAIN = ("extractive_match", "em", "qem", "acc_norm", "acc", "prompt_level_strict_acc", "pass@k")


@dataclass(frozen=True, slots=True)
class _Task:
    """One task of one results file; ``raw`` is its content, empty if there are only details."""

    key: str
    file: Path
    raw: Mapping[str, Any]
    details: Path | None

    @property
    def scores(self) -> dict[str, float]:
        row = mapping(mapping(self.raw.get("results")).get(self.key))
        known = {name: number(value) for name, value in row.items() if "_stderr" not in name}
        return {name: value for name, value in known.items() if value is not None}


def accepts(path: Path) -> bool:
    """Whether ``path`` is a results file, a details file, or a folder that contains one."""
    if path.is_dir():
        return bool(results_under(path) or details_under(path))
    return is_results(path) or is_details(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``, with their details.

    Raises :class:`InputError` for two models and for invalid files, :class:`MissingExtra` if there
    are details but pyarrow is not installed.
    """
    notes = hollow_in(path, "results_*.json*") if path.is_dir() else []
    documents = {file: _document(file) for file in _results_at(path)}
    every = _tasks(path, documents)
    if not every:
        raise InputError("contains no task", place=str(path), remedy=_REMEDY)
    name, selected = of_model(every, lambda task: (_model(task), task.file), wanted, path)
    tasks = newest(
        selected,
        notes,
        task=lambda task: task.key,
        # Only some versions include the suite's name.
        same=lambda task: (bare(task.key), shots(task.key)),
        when=lambda task: date_of(task.file),
    )
    places = _places([task.key for task in tasks], taxonomy)
    parts = [_part(task, places[task.key], notes) for task in tasks]
    latest = max((task.raw for task in tasks), key=lambda raw: str(raw.get("date", "")))
    about = mapping(latest.get("config_general"))
    config = mapping(about.get("model_config"))
    return results_of(
        parts,
        path=path,
        model=ModelRef(name, revision=text(config.get("revision"))),
        provenance="imported:lighteval",
        notes=notes,
        engine={"engine": "lighteval"} | {k: str(config[k]) for k in ("dtype",) if config.get(k)},
        versions=_versions(tasks, about),
        limit=count(about.get("max_samples")),
    )


IMPORTER = Importer(accepts, read, read)


def _results_at(path: Path) -> list[Path]:
    if path.is_dir():
        return results_under(path)
    return [path] if not is_details(path) else []


def _document(file: Path) -> dict[str, Any]:
    raw = document(file, remedy=_REMEDY)
    if not isinstance(raw, dict) or not isinstance(raw.get("results"), dict):
        raise InputError("contains no results", place=str(file), remedy=_REMEDY)
    return raw


def _tasks(path: Path, documents: Mapping[Path, dict[str, Any]]) -> list[_Task]:
    found = []
    for file, raw in documents.items():
        beside = details_beside(file)
        for key, row in raw["results"].items():
            if key != "all" and ":_average" not in key and isinstance(row, dict):
                found.append(_Task(key, file, raw, beside.get(key)))
    if not documents:
        files = details_under(path) if path.is_dir() else [path]
        found = [_Task(task_of(file), file, {}, file) for file in files]
    return found


def _places(keys: list[str], taxonomy: Taxonomy) -> dict[str, Place]:
    """Places by key; tasks that differ only in the number of examples get it in their names."""
    counts = Counter(map(bare, keys))
    places = {}
    for key in keys:
        name = bare(key)
        place = place_of(name, taxonomy, aliases=(key,))
        if counts[name] > 1:
            label = f"{name}_{shots(key) or 0}shot"
            place = place.labelled(label) if place.mapped else place_of(label, taxonomy)
        places[key] = place
    return places


def _part(task: _Task, place: Place, notes: list[str]) -> Part:
    scores = task.scores
    if task.details is not None:
        items = item_metrics(task.details)
        metric, _ = pick({m: 0.0 for m in items if m in scores or not scores}, place, first=_MAIN)
        if metric is not None:
            return _with_details(task, place, metric, notes)
        notes.append(f"{place.task}: details not read, they have none of its metrics per document")
    metric, why = pick(scores, place, first=_MAIN)
    return Part(
        place=place,
        file=task.file,
        metric=metric or next(iter(scores), ""),
        others=tuple(m for m in scores if m != metric),
        n=_count(task),
        score=scores.get(metric or ""),
        stderr=_stderr(task, metric),
        scores=read_first(scores, metric),
        decoding=_decoding(task),
        left_out=why,
    )


def _with_details(task: _Task, place: Place, metric: str, notes: list[str]) -> Part:
    assert task.details is not None
    found = [share(metrics_of(row).get(metric)) for _, row in rows_of(task.details)]
    kept = [score for score in found if score is not None]
    scores, why = task.scores, ""
    if not kept:
        why = f"none of its {len(found):,} answers has {metric}" if found else "it has no answer"
    elif len(kept) < len(found):
        notes.append(f"{place.task}: {len(found) - len(kept)} of {len(found):,} answers left out")
    mean = sum(kept) / len(kept) if kept else 0.0
    said = scores.get(metric)
    wrong = contradiction(counts=(len(found),), mean=mean, said_n=_count(task), said=said)
    return Part(
        place=place,
        file=task.file,
        metric=metric,
        others=tuple(m for m in scores if m != metric),
        n=len(kept),
        read=partial(read_samples, task.details, place, metric),
        scores=read_first(scores, metric),
        decoding=_decoding(task),
        left_out=why,
        contradiction=wrong,
    )


def _model(task: _Task) -> str:
    about = mapping(task.raw.get("config_general"))
    config = mapping(about.get("model_config"))
    named = (about.get("model_name"), config.get("model_name"), config.get("pretrained"))
    found = next((known for value in named if (known := text(value))), None)
    if found is None:
        found = model_of(task.details) if task.details else task.file.parent.name
    return found


def _config(task: _Task) -> dict[str, Any]:
    """The task's settings; older versions store them without the number of examples."""
    configs = mapping(task.raw.get("config_tasks"))
    without = "|".join(task.key.split("|")[:2])
    return next(
        (mapping(configs[k]) for k in (task.key, without, bare(task.key)) if k in configs), {}
    )


def _count(task: _Task) -> int | None:
    return count(_config(task).get("effective_num_docs"))


def _stderr(task: _Task, metric: str | None) -> float | None:
    row = mapping(mapping(task.raw.get("results")).get(task.key))
    found = number(row.get(f"{metric}_stderr"))
    return found if found is not None and found >= 0.0 else None


def _decoding(task: _Task) -> dict[str, Any]:
    config = _config(task)
    model = mapping(mapping(task.raw.get("config_general")).get("model_config"))
    names = ("generation_size", "stop_sequence", "num_samples")
    kept = {name: config[name] for name in names if config.get(name) is not None}
    examples = shots(task.key)
    fewshot = {} if examples is None else {"fewshot": examples}
    return plain(model.get("generation_parameters")) | plain(kept) | fewshot


def _versions(tasks: list[_Task], about: Mapping[str, Any]) -> dict[str, str]:
    sha = text(about.get("lighteval_sha"))
    found = {"lighteval": sha} if sha and sha != "?" else {}
    for task in tasks:
        known = mapping(task.raw.get("versions"))
        version = known.get(task.key, known.get("|".join(task.key.split("|")[:2])))
        if version is not None:
            found[f"task {bare(task.key)}"] = str(version)
    return found
