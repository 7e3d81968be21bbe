"""CSV: graded answers (with a column ``id``) or score-only rows, columns as in :mod:`.rows`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from ...core.errors import InputError
from ...core.files import read_text
from ...core.records import ModelRef, ScoreRow
from ...core.taxonomy import Taxonomy
from .base import Importer, Results, Sample
from .naming import Place, by_benchmark, left_out, one_model, places_of, taken_of, unmapped
from .rows import (
    NUMBERS,
    UNNAMED,
    WHOLE,
    fields_of,
    renames,
    sample_of,
    score_row_of,
)

MAX_FILE = 256 * 2**20
"""Bytes: a table is held in memory; longer ones belong in JSON lines."""
_REMEDY = "repair the table, or name its columns in [columns] of a --map file"

_Row = tuple[str, dict[str, Any]]
"""Place and fields."""


def accepts(path: Path) -> bool:
    """A file by its name: .csv."""
    return path.suffix == ".csv" and path.is_file()


def read(path: Path, taxonomy: Taxonomy) -> Results:
    """Results of the table. Raises :class:`InputError` naming the line."""
    names = renames(taxonomy)
    tasks: dict[str, list[_Row]] = {}
    models: dict[str, str] = {}
    for place, row in _rows(path):
        try:
            fields = fields_of(_typed(row, names), names)
        except ValueError as err:
            _refuse(str(err), place)
        model = fields.get("model", path.stem)
        if model not in models.values():
            models[place] = model
        tasks.setdefault(fields.get("benchmark", UNNAMED), []).append((place, fields))
    if not tasks:
        _refuse("no row in it", str(path))
    places = places_of(tasks, taxonomy)
    taken = [taken_of(places[t], file=str(path), n=_items(rows)) for t, rows in tasks.items()]
    kept = [(places[t], rows) for t, rows in tasks.items() if not places[t].lower_is_better]
    parts = by_benchmark(kept, file=str(path))
    with_id = {"id" in fields for rows in tasks.values() for _, fields in rows}
    if len(with_id) > 1:
        _refuse(f"some rows have {names['id']!r} and some not", str(path))
    samples, scores = {}, []
    if with_id == {True}:
        samples = {name: partial(_samples, mine) for name, mine in parts.items()}
    else:
        scores = [row for mine in parts.values() for row in _scores(mine)]
    return Results(
        model=ModelRef(one_model(models)),
        provenance="imported:csv",
        samples=samples,
        scores=tuple(scores),
        unmapped=unmapped(places.values()),
        notes=left_out(taken),
        taken=tuple(taken),
    )


IMPORTER = Importer(accepts, read)


def _items(rows: list[_Row]) -> int | None:
    """Number of items: ids, or what the rows of scores say."""
    if ids := {fields["id"] for _, fields in rows if "id" in fields}:
        return len(ids)
    counts = [fields.get("n") for _, fields in rows]
    return None if None in counts else sum(n for n in counts if n is not None)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Place and cells of every row; the header is the first line."""
    if path.is_file() and (size := path.stat().st_size) > MAX_FILE:
        what = f"{size // 2**20} MiB; tables above {MAX_FILE // 2**20} MiB are refused"
        raise InputError(what, place=str(path), remedy="write it as JSON lines")
    reader = csv.reader(io.StringIO(read_text(path, remedy="name a .csv file"), newline=""))
    try:
        header = [name.strip() for name in next(reader, [])]
        if len(set(header)) < len(header):
            _refuse("a column twice", f"{path}:1")
        for cells in reader:
            place = f"{path}:{reader.line_num}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                _refuse(f"{len(cells)} cells under {len(header)} columns", place)
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as err:  # above all: a field of more than 131,072 characters
        raise InputError(
            f"not valid CSV ({err})",
            place=f"{path}:{reader.line_num}",
            remedy="write long texts as JSON lines",
        ) from None


def _typed(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    """Cells as the values that JSON would hold; an empty cell is no value."""
    typed: dict[str, Any] = {name: cell for name, cell in row.items() if cell.strip()}
    for name in ("score", *NUMBERS, *WHOLE):
        column = names[name]
        if (cell := typed.get(column)) is None:
            continue
        word = cell.strip().lower()
        if name == "score" and word in ("true", "false"):
            typed[column] = word == "true"
            continue
        try:
            typed[column] = int(word) if name in WHOLE else float(word)
        except ValueError:
            raise ValueError(f"column {column!r} holds {cell[:40]!r}, not a number") from None
    return typed


def _samples(parts: list[tuple[Place, list[_Row]]]) -> Iterator[Sample]:
    for where, rows in parts:
        for place, fields in rows:
            try:
                yield sample_of(fields, where)
            except (ValueError, OverflowError) as err:
                _refuse(str(err), place)


def _scores(parts: list[tuple[Place, list[_Row]]]) -> Iterator[ScoreRow]:
    seen = set()
    for where, rows in parts:
        for place, fields in rows:
            try:
                row = score_row_of(fields, where)
            except (ValueError, OverflowError) as err:
                _refuse(str(err), place)
            if (row.benchmark, row.subset) in seen:
                _refuse(f"a second score of {' '.join((row.benchmark, row.subset))}", place)
            seen.add((row.benchmark, row.subset))
            yield row


def _refuse(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=_REMEDY) from None
