"""Import tables (.csv, .tsv, compressed or not), and share code for formats that are read whole.

A table holds graded answers (with an id, or a prompt that identifies items) or scores. Scores have
one row each, with the columns of :mod:`.table_rows`, or one row per model and one column per
benchmark (:mod:`.wide`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ...core.cells import Cell, cell_of, count_of
from ...core.columns import SNIFFED, Names
from ...core.mistaken import mistaken
from ...core.modelnames import chosen_model
from ...core.records import ModelRef, ScoreRow
from ...core.rowfiles import MAX_TABLE, TABLES, Row, no_row, read_rows
from ...core.shown import name as shown
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_stem, bare_suffix
from .foreign_run import Importer, Results, Sample, Taken
from .metrics import one_metric
from .naming import Place, by_benchmark, left_out, places_of, taken_of, unmapped
from .table_rows import (
    NUMBERS,
    REPAIR,
    UNGRADED,
    WHOLE,
    Numbered,
    fields_in,
    names_for,
    none_answered,
    notes_of,
    refuse,
    sample_of,
    score_row_of,
    unnamed,
)
from .wide import wide_rows

MAX_FILE = MAX_TABLE
"""Maximum decompressed bytes of a file that is read into memory; use JSON lines for larger ones."""
_Tasks = dict[str, list[Row]]
"""Rows (place and fields), by task."""


def accepts(path: Path) -> bool:
    """Whether ``path`` is a .csv, .tsv or .tab file by its name, compressed or not."""
    return bare_suffix(path) in TABLES and path.is_file() and mistaken(path) is None


def importer(format_: str, accepts: Callable[[Path], bool]) -> Importer:
    """The importer for a format whose files are read into memory."""

    def read(path: Path, taxonomy: Taxonomy, model: str | None = None) -> Results:
        """Read the results of ``model``. Raises :class:`InputError` naming the line."""
        rows = list(read_rows(path, remedy=REPAIR, limit=MAX_FILE))
        found = results_of(path, rows, taxonomy, model)
        return replace(found, provenance=f"imported:{format_}")

    return Importer(accepts, read, read)


IMPORTER = importer("csv", accepts)


def results_of(path: Path, rows: Sequence[Row], taxonomy: Taxonomy, model: str | None) -> Results:
    """The results of ``model`` (``None``: the only one) from the rows of a file."""
    if not rows:
        raise no_row(path)
    names = names_for([row for _, row in rows[:SNIFFED]], taxonomy)
    default = unnamed(path, names, taxonomy)
    notes: tuple[str, ...] = ()
    numbered, failed = Numbered(), 0
    fields: list[Row] = []
    if not names.column.keys() & {"score", "percent"}:
        answers = names.column.keys() & {"response", "prompt"}
        wide = None if answers else wide_rows(rows, names, taxonomy)
        if wide is None:
            _no_score(rows[0], names)
        fields, notes = wide
    else:
        # "%" or "±" in a score's cell gives a percentage or an error that has no column.
        names = replace(names, column={"percent": "%", "stderr": "±", **names.column})
        for place, row in rows:
            every = _fields(_typed(row, names, place), names, place)
            failed += not every
            fields += [(place, numbered(one)) for one in every]
        notes = notes_of(names, default, numbered, failed)
    models: dict[str, str] = {}
    for place, one in fields:
        models.setdefault(one.get("model", default.model), place)
    if not models:
        raise none_answered(path)
    chosen = chosen_model(models, model, path)
    tasks: _Tasks = {}
    for place, one in fields:
        if one.get("model", default.model) == chosen:
            tasks.setdefault(one.get("benchmark", default.benchmark), []).append((place, one))
    found = _results(path, tasks, taxonomy, names.column.get("id", "id"))
    return replace(found, model=ModelRef(chosen), notes=(*notes, *found.notes))


def _results(path: Path, tasks: _Tasks, taxonomy: Taxonomy, id_: str) -> Results:
    """The results of the tasks of one model; the caller sets its name."""
    places = places_of(tasks, taxonomy)
    with_id = {"id" in fields for rows in tasks.values() for _, fields in rows}
    if len(with_id) > 1:
        refuse(f"some rows have {id_!r} and some don't", str(path))
    taken: list[Taken] = []
    for task, rows in list(tasks.items()):
        if with_id == {False}:
            kept, metric, others = one_metric(rows, places[task])
            tasks[task] = kept
            one = taken_of(places[task], file=str(path), n=_items(kept), metric=metric)
            taken.append(replace(one, others=others))
        else:
            taken.append(taken_of(places[task], file=str(path), n=_items(rows)))
    used = [(places[one.task], tasks[one.task]) for one in taken if not one.left_out]
    parts = by_benchmark(used, file=str(path))
    samples, scores = {}, []
    if with_id == {True}:
        samples = {name: partial(_samples, mine) for name, mine in parts.items()}
    else:
        scores = [row for mine in parts.values() for row in _scores(mine)]
    return Results(
        model=ModelRef(bare_stem(path)),
        provenance="imported:csv",
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(place for place, _ in used),
        notes=left_out(taken),
        taken=tuple(taken),
    )


def _items(rows: list[Row]) -> int | None:
    """The number of items: distinct ids, or the sum of n over score-only rows."""
    if ids := {fields["id"] for _, fields in rows if "id" in fields}:
        return len(ids)
    counts = [fields.get("n") for _, fields in rows]
    return None if None in counts else sum(n for n in counts if n is not None)


def _fields(row: Mapping[str, Any], names: Names, place: str) -> list[dict[str, Any]]:
    try:
        return fields_in(row, names)
    except ValueError as err:
        refuse(str(err), place)


def _typed(row: Mapping[str, Any], names: Names, place: str) -> dict[str, Any]:
    """Convert text cells to values as in JSON; empty cells are dropped.

    A score followed by "%" is a percentage, regardless of its column's name.
    """
    typed = {k: v for k, v in row.items() if not (isinstance(v, str) and not v.strip())}
    signed: dict[str, Cell] = {}
    for name in ("score", *NUMBERS, *WHOLE):
        column = names.column.get(name, "")
        cell = typed.get(column)
        if isinstance(cell, float) and math.isnan(cell) and name not in ("score", "percent"):
            del typed[column]  # parquet's value for an empty cell
        if not isinstance(cell, str):
            continue
        word = cell.strip().lower()
        count, number = count_of(word), cell_of(word)
        if name == "score" and word in ("true", "false"):
            typed[column] = word == "true"
        elif name in WHOLE and count is not None:
            typed[column] = count
        elif name not in WHOLE and word in ("nan", "inf", "-inf"):
            typed[column] = float(word)
        elif name not in WHOLE and number is not None:
            typed[column] = number.value
            signed[name] = number
        else:
            kind = "number" if number is None else "whole number"
            refuse(f"column {column!r} holds {cell[:40]!r}, not a {kind}", place)
    _signs(typed, signed, names.column)
    return typed


def _signs(typed: dict[str, Any], signed: Mapping[str, Cell], column: Mapping[str, str]) -> None:
    """Move a score such as "60.5%" to the percent column, and a number after "±" to stderr."""
    score = signed.get("score", signed.get("percent"))
    if score is not None and score.error is not None:
        typed.setdefault(column["stderr"], score.error)
    if "score" in signed and signed["score"].percent:
        typed[column["percent"]] = typed.pop(column["score"])
    elif "stderr" in signed and signed["stderr"].percent and "percent" not in signed:
        typed[column["stderr"]] /= 100.0


def _no_score(first: Row, names: Names) -> NoReturn:
    place, row = first
    here = ", ".join(map(shown, list(row)[:12]))
    graded = f"; {UNGRADED}" if "response" in names.column else ""
    refuse(f"has no 'score' (0..1) or 'percent', only {here}{graded}", place)


def _samples(parts: list[tuple[Place, list[Row]]]) -> Iterator[Sample]:
    for where, rows in parts:
        for place, fields in rows:
            try:
                yield sample_of(fields, where)
            except (ValueError, OverflowError) as err:
                refuse(str(err), place)


def _scores(parts: list[tuple[Place, list[Row]]]) -> Iterator[ScoreRow]:
    seen = set()
    for where, rows in parts:
        for place, fields in rows:
            try:
                row = score_row_of(fields, where)
            except (ValueError, OverflowError) as err:
                refuse(str(err), place)
            if (row.benchmark, row.subset) in seen:
                refuse(f"duplicate score for {' '.join((row.benchmark, row.subset))}", place)
            seen.add((row.benchmark, row.subset))
            yield row
