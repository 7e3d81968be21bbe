"""Import plain JSON lines: one graded answer (or several to one item) per line.

Columns are those of :mod:`.table_rows`. The file is read twice and not kept in memory: first to
find the benchmarks and the positions of their lines, then benchmark by benchmark. Lines with only
scores, and files that can't be read line by line (an array, UTF-16), are read like a table
(:mod:`.score_table`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ...core.columns import SNIFFED, Names
from ...core.files import json_lines, lines_of, open_file
from ...core.mistaken import mistaken
from ...core.modelnames import chosen_model
from ...core.records import ModelRef
from ...core.rowfiles import LINES, document_rows, streams
from ...core.shown import name as shown
from ...core.taxonomy import Taxonomy
from ...core.unpacking import bare_suffix
from .foreign_run import Importer, Results, Sample
from .naming import Place, by_benchmark, left_out, places_of, taken_of, unmapped
from .score_table import results_of
from .table_rows import (
    REPAIR,
    Numbered,
    RowReader,
    Unnamed,
    names_for,
    none_answered,
    notes_of,
    refuse,
    sample_of,
    unnamed,
)

_OPEN = "name a .jsonl file"


class _Stretches(NamedTuple):
    """Positions of a benchmark's lines: byte offset, first line number, number of lines."""

    offsets: array[int]
    numbers: array[int]
    lines: array[int]


class _Cursor:
    """Passes lines through, and tracks the number and byte offset of the last one."""

    def __init__(self) -> None:
        self.start, self.number, self._end = 0, 0, 0

    def over(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self.start, self._end = self._end, self._end + len(line)
            self.number += 1
            yield line


class _Index:
    """The result of the first pass: models, line positions of their benchmarks, and item counts."""

    def __init__(self) -> None:
        self.models: dict[str, str] = {}
        self.stretches: dict[tuple[str, str], _Stretches] = {}
        self.items: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[str] = Counter()
        self.numbered: dict[str, Numbered] = {}
        self._last: tuple[str, str] | None = None

    def add(self, key: tuple[str, str], cursor: _Cursor, place: str, n: int) -> None:
        """Add a line of ``key`` (model, task) with ``n`` new items."""
        self.models.setdefault(key[0], place)
        found = self.stretches.setdefault(key, _Stretches(array("q"), array("q"), array("q")))
        self.items[key] += n
        if key != self._last:
            found.offsets.append(cursor.start)
            found.numbers.append(cursor.number)
            found.lines.append(0)
            self._last = key
        found.lines[-1] = cursor.number - found.numbers[-1] + 1


def accepts(path: Path) -> bool:
    """Whether ``path`` is a .jsonl or .ndjson file by its name, compressed or not."""
    return bare_suffix(path) in LINES and path.is_file() and mistaken(path) is None


def read(path: Path, taxonomy: Taxonomy, model: str | None = None) -> Results:
    """Read the results of ``model`` (default: the only one); errors name the line."""
    if not streams(path, remedy=_OPEN):
        rows = list(document_rows(path, remedy=REPAIR))
        return replace(results_of(path, rows, taxonomy, model), provenance="imported:jsonl")
    first = [row for _, row in islice(_placed(path), SNIFFED)]
    names = names_for(first, taxonomy)
    if first and not names.column.keys() & {"id", "prompt", "response"}:
        rows = list(_placed(path))
        return replace(results_of(path, rows, taxonomy, model), provenance="imported:jsonl")
    default = unnamed(path, names, taxonomy)
    index = _index(path, names, default)
    if not index.stretches:
        if index.failed:
            raise none_answered(path)
        refuse("contains no line", str(path))
    one = chosen_model(index.models, model, path)
    tasks = {task: found for (who, task), found in index.stretches.items() if who == one}
    places = places_of(tasks, taxonomy)
    counts = {task: index.items[one, task] or None for task in tasks}
    taken = [taken_of(places[t], file=str(path), n=counts[t]) for t in tasks]
    kept = [(places[t], s) for t, s in tasks.items() if not places[t].lower_is_better]
    parts = by_benchmark(kept, file=str(path))
    notes = notes_of(names, default, index.numbered.get(one), index.failed[one])
    return Results(
        model=ModelRef(one),
        provenance="imported:jsonl",
        samples={name: partial(_read, path, names, mine) for name, mine in parts.items()},
        unmapped=unmapped(places.values()),
        notes=(*notes, *left_out(taken)),
        taken=tuple(taken),
    )


IMPORTER = Importer(accepts, read, read)


def _placed(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with open_file(path, remedy=_OPEN) as file:
        yield from json_lines(file, path=path, remedy=REPAIR)


def _index(path: Path, names: Names, default: Unnamed) -> _Index:
    index, cursor, fields_of = _Index(), _Cursor(), RowReader(names)
    with open_file(path, remedy=_OPEN) as file:
        lines = lines_of(file, path=path, remedy=REPAIR)
        for place, row in json_lines(cursor.over(lines), path=path, remedy=REPAIR):
            answers = _fields(row, fields_of, place)
            about = answers[0] if answers else row
            model = str(about.get("model", default.model))
            task = about.get("benchmark", default.benchmark)
            if not answers:
                index.failed[model] += 1
                continue
            if "asked" in answers[0]:
                numbered = index.numbered.setdefault(model, Numbered())
                answers = [numbered(fields) for fields in answers]
            new = sum(fields.get("repeat", 0) == 0 for fields in answers)
            index.add((model, task), cursor, place, new)
    return index


def _read(path: Path, names: Names, parts: list[tuple[Place, _Stretches]]) -> Iterator[Sample]:
    fields_of = RowReader(names)
    with open_file(path, remedy=_OPEN) as file:
        for where, stretches in parts:
            numbered = Numbered()
            for offset, first, count in zip(*stretches, strict=True):
                file.seek(offset)
                lines = islice(file, count)
                for place, row in json_lines(lines, path=path, remedy=REPAIR, first=first):
                    try:
                        for fields in fields_of(row):
                            yield sample_of(numbered(fields), where)
                    except (ValueError, OverflowError) as err:
                        refuse(str(err), place)


def _fields(row: dict[str, Any], fields_of: RowReader, place: str) -> list[dict[str, Any]]:
    try:
        answers = fields_of(row)
        if any("id" not in fields and "asked" not in fields for fields in answers):
            called = fields_of.names.column.get("id", "id")
            raise ValueError(f"has no {called!r}, only {', '.join(map(shown, list(row)[:12]))}")
    except ValueError as err:
        refuse(str(err), place)
    return answers
