"""Import Qwen2.5-Math's evaluation: ``OUT/DATASET/SPLIT_PROMPT_N_seedS_tT_sA_eB.jsonl``.

Reads the schema of ``evaluation/math_eval.py`` in QwenLM/Qwen2.5-Math (November 2024), which many
forks share. A row is a problem with lists ``code`` (the responses), ``pred`` and ``score``, whose
elements are repeats. Without ``--save_outputs`` there is only ``*_metrics.json``, with ``acc`` (in
percent) over ``num_samples`` problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import read_json_lines
from ...core.records import ModelRef, digest
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_name, bare_stem
from .assemble import UNSCORED, Part, results_of
from .contradictions import contradiction
from .documents import document, files_named, head, hollow_in
from .foreign_run import Importer, Results, Sample
from .naming import Place, of_model, places_of
from .table_rows import sample_at
from .values import count, listed, mapping, number, share

_REMEDY = "evaluate again with math_eval.py --save_outputs"
_ROW = re.compile(rb'\s{0,64}\{\s{0,64}"idx"\s{0,9}:')
_HEAD = 2**16
_NAMED = re.compile(r"_(?P<prompt>[^_]+)_(?P<n>-?\d+)_seed(?P<seed>\d+)_t(?P<t>[\d.]+)_s")
_GENERIC = ("math_eval", "output", "outputs", "results")


def accepts(path: Path) -> bool:
    """Whether ``path`` is a file of outputs or metrics, or a folder that contains one."""
    if path.is_dir():
        return bool(_files(path))
    return _is_outputs(path) or _is_metrics(path)


def read(path: Path, taxonomy: Taxonomy, wanted: str | None = None) -> Results:
    """Read the results at ``path``.

    Raises :class:`InputError` for two models, two files of one data set, and invalid files.
    """
    found = _files(path) if path.is_dir() else [path]
    model, files = of_model(found, lambda file: (_model(file), file), wanted, path)
    notes = hollow_in(path, "*_metrics.json*", "*_seed*.jsonl*") if path.is_dir() else []
    tasks = {file: file.resolve().parent.name for file in files}
    places = places_of(tasks.values(), taxonomy)
    parts = [_part(file, places[task], notes) for file, task in tasks.items()]
    settings = [mapping(_settings(file)) for file in files]
    limit = int(settings[0].get("n", 0))
    return results_of(
        parts,
        path=path,
        model=ModelRef(model),
        provenance="imported:qwen-math",
        notes=notes,
        engine={"engine": "qwen-math"},
        seed=int(settings[0].get("seed", 0)),
        limit=limit if limit > 0 else None,
    )


IMPORTER = Importer(accepts, read, read)


def _is_outputs(path: Path) -> bool:
    if not bare_name(path).endswith(".jsonl"):
        return False
    start = head(path, _HEAD)
    return _ROW.match(start) is not None and b'"gt"' in start


def _is_metrics(path: Path) -> bool:
    start = head(path) if bare_name(path).endswith("_metrics.json") else b""
    return b'"num_samples"' in start and b'"acc"' in start


def _files(folder: Path) -> list[Path]:
    """Output files, and metrics files without outputs."""
    outputs = [file for file in files_named(folder, "*.jsonl*") if _is_outputs(file)]
    beside = {metrics for file in outputs for metrics in _metrics_of(file)}
    alone = (file for file in files_named(folder, "*_metrics.json*") if _is_metrics(file))
    return [*outputs, *sorted(file for file in alone if file not in beside)]


def _metrics_of(outputs: Path) -> list[Path]:
    stem = bare_stem(outputs)
    metrics = files_named(outputs.parent, "*_metrics.json*", depth=0)
    return [file for file in metrics if file.name.startswith(stem)]


def _model(file: Path) -> str:
    """The model's name: the first folder above the data set's without a generic name."""
    above = [parent.name for parent in file.resolve().parents][1:]
    return next((name for name in above if name and name not in _GENERIC), "unnamed")


def _settings(file: Path) -> dict[str, str]:
    found = _NAMED.search(bare_name(file))
    return found.groupdict() if found else {}


def _part(file: Path, place: Place, notes: list[str]) -> Part:
    settings = _settings(file)
    decoding: dict[str, Any] = {}
    if settings:
        decoding = {"prompt_type": settings["prompt"], "temperature": float(settings["t"])}
    if not _is_outputs(file):
        return replace(_alone(file, place), decoding=decoding)
    rows, scores = 0, []
    for _, row in read_json_lines(file, remedy=_REMEDY):
        rows += 1
        scores.append(
            [value for value in map(share, listed(row.get("score"))) if value is not None]
        )
    kept = [row for row in scores if row]
    why = "" if kept else f"none of its {rows:,} answers has a score"
    if kept and len(kept) < rows:
        notes.append(f"{place.task}: {rows - len(kept):,} of {rows:,} problems have no score")
    wrong = None
    for metrics in _metrics_of(file)[:1] if kept else ():
        said = mapping(document(metrics, remedy=_REMEDY))
        acc, n = number(said.get("acc")), said.get("num_samples")
        wrong = contradiction(
            counts=(rows,),
            mean=sum(row[0] for row in kept) / len(kept),  # acc is the first sample's
            said_n=n if type(n) is int else None,
            said=None if acc is None else acc / 100.0,
        )
    return Part(
        place=place,
        file=file,
        metric="acc",
        n=len(kept),
        read=partial(_read, file, place),
        decoding=decoding,
        left_out=why,
        contradiction=wrong,
    )


def _alone(file: Path, place: Place) -> Part:
    raw = mapping(document(file, remedy=_REMEDY))
    acc, n = number(raw.get("acc")), raw.get("num_samples")
    score = None if acc is None else acc / 100.0
    usable = score is not None and 0.0 <= score <= 1.0
    return Part(place, file, "", "acc", (), count(n), score, left_out="" if usable else UNSCORED)


def _read(file: Path, place: Place) -> Iterator[Sample]:
    for where, row in read_json_lines(file, remedy=_REMEDY):
        item, asked = row.get("idx"), row.get("question")
        if not isinstance(item, int | str):
            raise InputError("has no idx", place=where, remedy=_REMEDY)
        answers = listed(row.get("code"))
        for repeat, score in enumerate(map(share, listed(row.get("score")))):
            if score is None:
                continue
            fields: dict[str, Any] = {"id": str(item), "score": score, "repeat": repeat}
            if repeat < len(answers) and isinstance(answers[repeat], str):
                fields |= {"response": answers[repeat], "prompt": str(asked or "")}
            hashed = digest(asked) if isinstance(asked, str) else None
            yield sample_at(fields, place, where=where, remedy=_REMEDY, message_hash=hashed)
