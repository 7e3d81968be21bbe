"""Import Every Eval Ever (arXiv 2606.14516): aggregate JSON and its instance-level JSON lines.

Files follow the published schemas ``eval.schema.json`` and ``instance_level_eval.schema.json``,
version 0.3.0 (earlier 0.x files have the same fields). :mod:`.eee_export` writes them. The format
leaves some choices open, which are made as follows:

- If an evaluation has several metrics, the first one in the taxonomy's ``metrics`` is read, else
  the first one with instance-level rows, else the first. A note says which, unless the taxonomy
  decided.
- A score is scaled to 0..1 by the metric's stated range (or its unit). A metric without either, or
  one where lower is better, is left out with a note.
- Rows that name no metric are used only if the evaluation has a single one: Inspect's converter
  writes 0 into them for scores that it can't read.
- Rows with an ``error`` are left out with a note: converters give them a score of 0.
- Inspect's converter writes an item's mean over its epochs into the row of every epoch.
- Rows have no ``message_hash``, because the messages before the chat template are not known with
  certainty.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.files import files_below, is_file, open_file, read_json
from ...core.records import ModelRef, ScoreRow
from ...core.taxonomy import Taxonomy
from .contradictions import of_benchmark
from .eee_rows import (
    REMEDY,
    Result,
    Rows,
    contradiction_of,
    number,
    read_rows,
    refuse,
    rows_of,
    tally_of,
)
from .foreign_run import Importer, Results, Sample, Taken
from .naming import Place, by_benchmark, not_comparable, of_model, place_of, plain, unmapped
from .values import count, mapping

SAMPLES = "_samples.jsonl"
"""Suffix of the rows file's name, after the aggregate's name."""
_SHARES = ("accuracy", "exact_match", "pass_rate")


@dataclass(slots=True)
class _Found:
    """Results so far: the chosen results of every benchmark, each with the file of its rows.

    ``wrong`` says, by benchmark and subset, how the rows contradict the aggregate.
    """

    chosen: list[tuple[Place, tuple[Result, Path | None]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    wrong: dict[tuple[str, str], str | None] = field(default_factory=dict)


class _Refused(NamedTuple):
    """A metric that can't be used, and why."""

    place: Place
    metric: str
    reason: str


def accepts(path: Path) -> bool:
    """Whether ``path`` is an aggregate, its rows file, or a folder that contains an aggregate."""
    if path.is_dir():
        return next(_aggregates(path), None) is not None
    return _is_aggregate(path) or _is_aggregate(_aggregate_of(path))


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the aggregates at ``path``, with their rows if the rows file is next to them.

    Raises :class:`InputError` for files that don't follow the schema, for two models, and for two
    results of one benchmark and subset.
    """
    files = sorted(_aggregates(path)) if path.is_dir() else [_aggregate_of(path)]
    if not files or not _is_aggregate(files[0]):
        what = "not an aggregate of Every Eval Ever"
        raise InputError(what, place=str(path), remedy="name its .json file, or its folder")
    logs = {file: _load(file) for file in files}
    model, files = of_model(
        files, lambda file: (_model(logs[file], file)["id"], file), wanted, path
    )
    logs = {file: logs[file] for file in files}
    found = _Found()
    for file, log in logs.items():
        _choose(file, log, taxonomy, found)
    if not found.chosen:
        refuse(f"contains no usable score ({found.notes[0]})", str(path))
    keys = [(place.benchmark, place.subset) for place, _ in found.chosen]
    if twice := [key for key in keys if keys.count(key) > 1]:
        what = f"duplicate result for {' '.join(twice[0]).strip()}"
        raise InputError(what, place=str(path), remedy="keep one of them in the folder")
    parts = by_benchmark(found.chosen, file=str(path))
    samples: dict[str, Callable[[], Iterator[Sample]]] = {}
    scores: list[ScoreRow] = []
    wrong: dict[str, str] = {}
    for name, mine in parts.items():
        told = [(result.name, found.wrong.get((name, place.subset))) for place, (result, _) in mine]
        if text := of_benchmark(told):
            wrong[name] = text
        with_rows = [(result, rows) for _, (result, rows) in mine if rows is not None]
        if with_rows:
            samples[name] = partial(read_rows, with_rows)
            left = [result.name for _, (result, rows) in mine if rows is None]
            found.notes += [
                f"{task}: left out, it has no rows but other parts of {name} have" for task in left
            ]
        else:
            scores += [_score_row(result) for _, (result, _) in mine]
    first = next(iter(logs.values()))
    info = _model(first, files[0])
    about = plain(info.get("additional_details"))
    engine = mapping(info.get("inference_engine")).get("name")
    return Results(
        model=ModelRef(model, base=about.get("base_model"), revision=about.get("revision")),
        provenance="imported:eee",
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(place for place, _ in found.chosen),
        notes=tuple(found.notes),
        taken=tuple(found.taken),
        contradictions=wrong,
        engine={"engine": engine} if engine else {},
        decoding={n: d for log in logs.values() for n, d in _decodings(log, taxonomy).items()},
        versions={n: v for log in logs.values() for n, v in _versions(log).items()},
    )


IMPORTER = Importer(accepts, read, read)


def _is_aggregate(path: Path) -> bool:
    if path.suffix != ".json" or not is_file(path):
        return False
    with open_file(path, remedy=REMEDY) as file:
        start = file.read(2048)
    return b'"schema_version"' in start and b'"evaluation_id"' in start


def _aggregates(folder: Path) -> Iterator[Path]:
    found = files_below(folder, lambda name: name.endswith(".json"))
    return (file for file in found if _is_aggregate(file))


def _aggregate_of(path: Path) -> Path:
    """The aggregate for a file of rows; any other path is returned unchanged."""
    if path.name.endswith(SAMPLES):
        return path.with_name(path.name.removesuffix(SAMPLES) + ".json")
    return path


def _load(file: Path) -> dict[str, Any]:
    log = read_json(file, remedy=REMEDY)
    if not str(log.get("schema_version")).startswith("0."):
        refuse(f"schema version {log.get('schema_version')!r}, not 0.x", str(file))
    results = log.get("evaluation_results")
    if not isinstance(results, list) or not results:
        refuse("no evaluation_results", str(file))
    for at, item in enumerate(results):
        if not isinstance(mapping(item).get("evaluation_name"), str):
            refuse("no evaluation_name", f"{file} (evaluation_results[{at}])")
    return log


def _model(log: Mapping[str, Any], file: Path) -> dict[str, Any]:
    info = mapping(log.get("model_info"))
    if not isinstance(info.get("id"), str):
        refuse("no model_info.id", str(file))
    return info


def _task(result: Mapping[str, Any], taxonomy: Taxonomy) -> Place:
    """The place of a result. lm-eval's names are "task/filter", Inspect's are "package/task"."""
    name = result["evaluation_name"]
    dataset = mapping(result.get("source_data")).get("dataset_name")
    aliases = [name.partition("/")[0], name.rpartition("/")[2]]
    if isinstance(dataset, str):
        aliases.append(dataset)
    return place_of(name, taxonomy, aliases=aliases)


def _choose(file: Path, log: Mapping[str, Any], taxonomy: Taxonomy, found: _Found) -> None:
    """Add the aggregate's chosen results, one per benchmark and subset, and the notes."""
    names = Counter(item["evaluation_name"] for item in log["evaluation_results"])
    groups: dict[tuple[str, str], list[Result]] = {}
    refused: dict[tuple[str, str], list[_Refused]] = {}
    for at, item in enumerate(log["evaluation_results"]):
        alone = names[item["evaluation_name"]] == 1
        try:
            result = _result(item, _task(item, taxonomy), alone=alone)
        except ValueError as err:
            refuse(str(err), f"{file} (evaluation_results[{at}])")
        if isinstance(result, _Refused):
            task = result.place.task
            found.notes.append(f"{task}: {result.metric} left out, {result.reason}")
            key = (result.place.benchmark, result.place.subset)
            refused.setdefault(key, []).append(result)
        else:
            groups.setdefault((result.place.benchmark, result.place.subset), []).append(result)
    rows_file = _rows_file(file, log)
    tally = tally_of(rows_file) if rows_file else {}
    for results in groups.values():
        metrics = results[0].place.metrics
        has = [rows_of(result, tally) for result in results]
        ranks = [_rank(result.labels, metrics) for result in results]
        best = min(range(len(results)), key=lambda i: (ranks[i], not has[i].count, i))
        chosen = results[best]
        if len(results) > 1 and ranks[best] == len(metrics):
            others = ", ".join(r.labels[0] for i, r in enumerate(results) if i != best)
            found.notes.append(f"{chosen.name}: {chosen.labels[0]} is read, not {others}")
        found.notes += _check(chosen, has[best], tally, rows_file)
        key = (chosen.place.benchmark, chosen.place.subset)
        found.wrong[key] = contradiction_of(chosen, has[best])
        used = rows_file if has[best].count else None
        found.chosen.append((chosen.place, (chosen, used)))
        also = refused.pop(key, [])
        found.taken.append(
            Taken(
                file=str(file),
                task=chosen.name,
                benchmark=chosen.place.benchmark,
                metric=chosen.labels[0],
                others=(
                    *(r.labels[0] for i, r in enumerate(results) if i != best),
                    *(one.metric for one in also),
                ),
                n=has[best].items or chosen.n,
            )
        )
    for first, *more in refused.values():
        found.taken.append(
            Taken(
                file=str(file),
                task=first.place.task,
                benchmark=first.place.benchmark,
                metric=first.metric,
                others=tuple(one.metric for one in more),
                left_out=first.reason,
                lower_is_better=first.reason == not_comparable(first.metric),
            )
        )


def _check(
    result: Result, rows: Rows, tally: Mapping[tuple[Any, Any], Rows], file: Path | None
) -> Iterator[str]:
    """Notes on the rows of a result. Raises for rows that are not on the stated scale."""
    label = result.labels[0]
    if rows.errors:
        what = f"{rows.errors} of {rows.count + rows.errors} answers left out"
        yield f"{result.name}: {what}, they ended in an error"
    if not rows.count:
        if any(name == result.name for name, _ in tally):
            yield f"{result.name}: no row has metric {label}, so only its score is read"
        return
    if result.high > 1.0 and 0.0 < rows.highest <= 1.0:
        what = f"the maximum of {label} is stated as {result.high:g}, but no row is above 1"
        refuse(f"{result.name}: {what}", str(file))


def _result(item: Mapping[str, Any], place: Place, *, alone: bool) -> Result | _Refused:
    """The result, or why it can't be used."""
    metric, details = mapping(item.get("metric_config")), mapping(item.get("score_details"))
    uncertainty = mapping(details.get("uncertainty"))
    ids = [metric.get(key) for key in ("metric_name", "metric_id", "metric_kind")]
    id_ = item.get("evaluation_result_id")
    labels = tuple(label for label in (id_, *ids) if isinstance(label, str)) or ("its metric",)
    name = item["evaluation_name"]
    subset = mapping(details.get("details")).get("subset")
    if isinstance(subset, str):
        place = replace(place, subset=subset)
    if metric.get("lower_is_better") or place.lower_is_better:
        return _Refused(place, labels[0], not_comparable(labels[0]))
    if (span := _span(metric)) is None:
        return _Refused(place, labels[0], "its range is not stated")
    low, high = span
    score = number(details.get("score"), "score_details.score")
    stderr = mapping(uncertainty.get("standard_error")).get("value")
    n = uncertainty.get("num_samples") or mapping(item.get("source_data")).get("samples_number")
    result = Result(
        name=name,
        id=id_ if isinstance(id_, str) else None,
        place=place,
        labels=labels,
        low=low,
        high=high,
        score=(score - low) / (high - low),
        stderr=None if stderr is None else number(stderr, "standard_error") / (high - low),
        n=count(n),
        share=metric.get("score_type") == "binary" or metric.get("metric_kind") in _SHARES,
        alone=alone,
    )
    _score_row(result)  # raises ValueError for a score outside the range
    return result


def _span(metric: Mapping[str, Any]) -> tuple[float, float] | None:
    low, high = metric.get("min_score"), metric.get("max_score")
    if isinstance(low, int | float) and isinstance(high, int | float):
        bounds = float(low), float(high)
        return bounds if all(map(math.isfinite, bounds)) and low < high else None
    if metric.get("score_type") == "binary" or metric.get("metric_unit") == "proportion":
        return 0.0, 1.0
    return (0.0, 100.0) if metric.get("metric_unit") == "percent" else None


def _rank(labels: Iterable[str], metrics: tuple[str, ...]) -> int:
    """Index of the first preferred metric that is in ``labels``, else the number of metrics."""
    return next((i for i, metric in enumerate(metrics) if metric in labels), len(metrics))


def _rows_file(file: Path, log: Mapping[str, Any]) -> Path | None:
    """The rows file of the aggregate: by the schema's naming, or as an older aggregate names it."""
    named = mapping(log.get("detailed_evaluation_results")).get("file_path")
    names = [f"{file.stem}{SAMPLES}", *([Path(named).name] if isinstance(named, str) else [])]
    beside = [file.with_name(name) for name in names if name]
    return next((path for path in beside if path.suffix == ".jsonl" and is_file(path)), None)


def _score_row(result: Result) -> ScoreRow:
    place = result.place
    return ScoreRow(
        benchmark=place.benchmark,
        score=result.score,
        subset=place.subset,
        stderr=result.stderr,
        n=result.n,
        proportion=result.share if place.proportion is None else place.proportion,
        chance=place.chance,
    )


def _decodings(log: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for item in log["evaluation_results"]:
        config = mapping(item.get("generation_config"))
        args = mapping(config.get("generation_args"))
        settings = plain(mapping(args.get("eval_plan")).get("config")) | plain(args)
        settings |= plain(config.get("additional_details"))
        if settings:
            found.setdefault(_task(item, taxonomy).benchmark, settings)
    return found


def _versions(log: Mapping[str, Any]) -> dict[str, str]:
    library = mapping(log.get("eval_library"))
    about = plain(library.get("additional_details"))
    return {name: str(value) for name, value in about.items()} | {
        str(library.get("name")): str(library.get("version"))
    }
