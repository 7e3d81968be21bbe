"""Plain JSON lines: one graded answer a line, columns as in :mod:`.rows`.

The file is read twice and never kept: first for its benchmarks and the places of their lines, then
benchmark by benchmark.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ...core.errors import InputError
from ...core.files import json_lines, lines_of, open_file
from ...core.records import ModelRef
from ...core.taxonomy import Taxonomy
from .base import Importer, Results, Sample
from .naming import Place, by_benchmark, left_out, one_model, places_of, taken_of, unmapped
from .rows import UNNAMED, fields_of, renames, sample_of

_REMEDY = "repair the line, or name its columns in [columns] of a --map file"


class _Stretches(NamedTuple):
    """Where a benchmark's lines stand: offset in bytes, number of the first line, lines."""

    offsets: array[int]
    numbers: array[int]
    lines: array[int]


class _Cursor:
    """Lines as they pass, and where the last of them starts."""

    def __init__(self) -> None:
        self.start, self.number, self._end = 0, 0, 0

    def over(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.start, self._end = self._end, self._end + len(line)
            self.number += 1
            yield line


def accepts(path: Path) -> bool:
    """A file by its name: .jsonl or .ndjson."""
    return path.suffix in (".jsonl", ".ndjson") and path.is_file()


def read(path: Path, taxonomy: Taxonomy) -> Results:
    """Results of the file. Raises :class:`InputError` naming the line."""
    names = renames(taxonomy)
    models: dict[str, str] = {}
    tasks: dict[str, _Stretches] = {}
    items: Counter[str] = Counter()
    cursor, last = _Cursor(), None
    for place, row in json_lines(cursor.over(_lines(path)), path=path, remedy=_REMEDY):
        fields = _fields(row, names, place)
        model = fields.get("model", path.stem)
        if model not in models.values():
            models[place] = model
        task = fields.get("benchmark", UNNAMED)
        stretches = tasks.setdefault(task, _Stretches(array("q"), array("q"), array("q")))
        items[task] += fields.get("repeat", 0) == 0
        if task != last:
            stretches.offsets.append(cursor.start)
            stretches.numbers.append(cursor.number)
            stretches.lines.append(0)
            last = task
        stretches.lines[-1] = cursor.number - stretches.numbers[-1] + 1
    if not tasks:
        _refuse("no line in it", str(path))
    places = places_of(tasks, taxonomy)
    taken = [taken_of(places[t], file=str(path), n=items[t] or None) for t in tasks]
    kept = [(places[t], s) for t, s in tasks.items() if not places[t].lower_is_better]
    parts = by_benchmark(kept, file=str(path))
    return Results(
        model=ModelRef(one_model(models)),
        provenance="imported:jsonl",
        samples={name: partial(_read, path, names, mine) for name, mine in parts.items()},
        unmapped=unmapped(places.values()),
        notes=left_out(taken),
        taken=tuple(taken),
    )


IMPORTER = Importer(accepts, read)


def _read(
    path: Path, names: dict[str, str], parts: list[tuple[Place, _Stretches]]
) -> Iterator[Sample]:
    with open_file(path, remedy=_REMEDY) as file:
        for where, stretches in parts:
            for offset, first, count in zip(*stretches, strict=True):
                file.seek(offset)
                for place, row in _rows(islice(file, count), path, first):
                    try:
                        yield sample_of(fields_of(row, names), where)
                    except (ValueError, OverflowError) as err:
                        _refuse(str(err), place)


def _lines(path: Path) -> Iterator[bytes]:
    with open_file(path, remedy="name a .jsonl file") as file:
        yield from lines_of(file, path=path, remedy=_REMEDY)


def _rows(lines: Iterable[bytes], path: Path, first: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and object of the lines from number ``first`` on."""
    for place, row in json_lines(lines, path=path, remedy=_REMEDY):
        file, _, at = place.rpartition(":")
        yield f"{file}:{int(at) + first - 1}", row


def _fields(row: dict[str, Any], names: dict[str, str], place: str) -> dict[str, Any]:
    try:
        fields = fields_of(row, names)
        if "id" not in fields:
            raise ValueError(f"no {names['id']!r}, only {', '.join(list(row)[:12])}")
    except ValueError as err:
        _refuse(str(err), place)
    return fields


def _refuse(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=_REMEDY) from None
