"""Tables of scores with one row per model and one column per benchmark, or transposed.

No column says whether its numbers are percentages or fractions. The scale is the one that fits all
numbers of the table, and a note says which. A table with numbers both above 1 and between 0 and 1
is ambiguous and is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.cells import Cell, cell_of, count_of, is_missing
from ...core.columns import Names
from ...core.rowfiles import Row
from ...core.shown import name as shown
from ...core.taxonomy import Taxonomy
from .naming import lower_is_better, place_of
from .table_rows import refuse

MODELS = (
    *("model", "model_name", "model_id", "models", "name", "method", "system", "run", "variant"),
    *("checkpoint", "experiment", "config"),
)
"""Columns that name a row's model, the most reliable first."""
TASKS = ("benchmark", "task", "dataset", "eval", "evaluation", "metric", "test")
"""Columns that name a row's benchmark in a transposed table."""
LONGEST = 200
"""Maximum length in characters of a column's name that can name a benchmark or a model."""
INDEX = ("", "unnamed: 0")
"""Names that pandas gives to its index column."""
NO_BENCHMARK = re.compile(
    r"(macro|micro|weighted|overall|total|grand|task)?[ _-]*(avg|average|mean|overall|total|sum)"
    r"\.?([ _(-].*)?|(avg|average|mean)_.*|rank|n|n_.*|num_.*|size|params?.*|#.*|.*params.*|seed"
    r"|steps?|epochs?|global_step|lr|learning_rate|id|index|idx|no\.?|year|date|time|version|shots?"
    r"|n-shot|hub.*|likes|.*(co2|tokens|seconds|runtime).*",
    re.IGNORECASE,
)
"""Numeric columns that are not benchmarks."""
_ERROR = re.compile(r"(.+?)[ _,./-]*\(?(stderr|std_?err|se|±)\)?", re.IGNORECASE)
_COUNT = re.compile(r"(.+?)[ _,./-]+\(?n\)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Found:
    """One score of a wide table; ``n`` is the number of items if a column has it.

    ``lower`` means that lower is better, so it is neither a percentage nor a fraction.
    """

    place: str
    model: str | None
    benchmark: str
    cell: Cell
    n: int | None
    lower: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """The columns by role. ``errors`` and ``counts`` map a score column to its error or count."""

    rows: Sequence[Row]
    label: str | None
    turned: bool
    scored: Sequence[str]
    unused: Sequence[str]
    errors: Mapping[str, str]
    counts: Mapping[str, str]


def wide_rows(
    rows: Sequence[Row], names: Names, taxonomy: Taxonomy
) -> tuple[list[Row], tuple[str, ...]] | None:
    """The table's scores, one row each under our names, and notes on how it was read.

    ``None`` if no column has scores. Raises :class:`InputError` for a non-numeric cell among
    numbers, and if it is unclear whether scores are percentages or fractions.
    """
    columns = list(dict.fromkeys(column for _, row in rows for column in row))
    columns = [column for column in columns if len(column) <= LONGEST]
    numbers = [c for c in columns if _all_numbers([row.get(c) for _, row in rows])]
    words = [column for column in columns if column not in numbers]
    label, turned = _label(rows, words, numbers, names, taxonomy)
    if not numbers or (label is None and len(rows) > 1):
        return None
    errors = _beside(_ERROR, numbers)
    counts = _beside(_COUNT, numbers)
    own = names.column.get("n", "")
    aside = {*errors.values(), *counts.values()} | ({own} if turned else set())
    scored = [c for c in numbers if c not in aside]
    if turned:
        counts = dict.fromkeys(scored, own) | counts
        scored = [c for c in scored if _plain(c) not in ("stderr", "version", "n-shot")]
    else:
        scored = [c for c in scored if taxonomy.find(c) or not NO_BENCHMARK.fullmatch(c.strip())]
    higher = [r for _, r in rows if not (turned and _is_lower(str(r.get(label or "")), taxonomy))]
    scored = [
        c
        for c in scored
        if taxonomy.find(c) or lower_is_better(c) or not _beyond([r.get(c) for r in higher])
    ]
    unused = [c for c in numbers if c not in scored and c not in aside]
    table = _Table(rows, label, turned, scored, unused, errors, counts)
    found = list(_scores(table, taxonomy)) if scored and _is_known(table, taxonomy) else []
    if not found:
        return None
    scores = [one for one in found if not one.lower]
    percent = _is_percent(scores)
    return [_row(one, percent) for one in found], _notes(table, scores, percent, taxonomy)


def _label(
    rows: Sequence[Row],
    words: Sequence[str],
    numbers: Sequence[str],
    names: Names,
    taxonomy: Taxonomy,
) -> tuple[str | None, bool]:
    """The column that names the rows, and whether the rows are benchmarks instead of models."""
    if (model := names.column.get("model", "")) in words:
        return model, False
    if (task := names.column.get("benchmark", "")) in words:
        return task, True
    by_name = {_plain(column): column for column in reversed(words)}
    known = [by_name[name] for name in (*MODELS, *TASKS, *INDEX) if name in by_name]
    label = next(iter(known or words), None)
    if label is None:
        return None, False
    values = [str(row.get(label)) for _, row in rows]
    tasks = sum(taxonomy.find(value) is not None for value in values)
    heads = sum(taxonomy.find(column) is not None for column in numbers)
    return label, _plain(label) in TASKS or (tasks > heads and tasks * 2 > len(values))


def _plain(column: str) -> str:
    return column.strip().casefold()


def _is_known(table: _Table, taxonomy: Taxonomy) -> bool:
    """Whether a column's name denotes models or benchmarks, or a known benchmark is in the table.

    Without this check, any text next to any number would count as a table of scores.
    """
    label = table.label
    if label is not None and _plain(label) in (*MODELS, *TASKS):
        return True
    turned = table.turned and label is not None
    tasks = [str(row.get(label or "")) for _, row in table.rows] if turned else table.scored
    return any(taxonomy.find(task) for task in tasks)


def _all_numbers(cells: Sequence[Any]) -> bool:
    """Whether every cell is a number or empty, with at least one number."""
    present = [cell for cell in cells if not _missing(cell)]
    return bool(present) and all(_cell(cell) is not None for cell in present)


def _missing(cell: Any) -> bool:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and is_missing(cell)


def _cell(cell: Any) -> Cell | None:
    if isinstance(cell, str):
        return cell_of(cell)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    return Cell(float(cell)) if abs(cell) < 1e15 else None


def _beyond(cells: Sequence[Any]) -> bool:
    """Whether a column has numbers that can't be scores: above 100 or below 0."""
    found = [_cell(cell) for cell in cells if not _missing(cell)]
    return any(one is not None and not 0.0 <= one.value <= 100.0 for one in found)


def _beside(pattern: re.Pattern[str], columns: Sequence[str]) -> dict[str, str]:
    """Map score columns to their companion columns, whose names match ``pattern``."""
    known = {column.casefold(): column for column in columns}
    found = {}
    for column in columns:
        match = pattern.fullmatch(column.strip())
        if match and (of := known.get(match[1].strip().casefold())):
            found[of] = column
    return found


def _name(table: _Table, place: str, row: Mapping[str, Any]) -> str | None:
    """The name of the row; ``None`` without a column that names rows."""
    label = table.label
    named = None if label is None else str(row.get(label) or "").strip()
    if label is not None and not named:
        refuse(f"column {label!r} is empty, so the row has no name", place)
    return named


def _is_mean(table: _Table, named: str | None, taxonomy: Taxonomy) -> bool:
    """Whether a row of a transposed table is not a benchmark but an average, a count or similar."""
    if not table.turned or named is None or taxonomy.find(named):
        return False
    return NO_BENCHMARK.fullmatch(named) is not None


def _is_lower(name: str, taxonomy: Taxonomy) -> bool:
    """Whether lower is better for this name, as a metric or as a known benchmark."""
    return lower_is_better(name) or place_of(name, taxonomy).lower_is_better


def _scores(table: _Table, taxonomy: Taxonomy) -> Iterator[_Found]:
    lower: dict[str, bool] = {}
    for place, row in table.rows:
        named = _name(table, place, row)
        if _is_mean(table, named, taxonomy):
            continue
        for column in table.scored:
            if _missing(value := row.get(column)) or (cell := _cell(value)) is None:
                continue
            error = _cell(row.get(table.errors.get(column, "")))
            if error is not None:
                cell = cell._replace(error=error.value)
            name = column.strip()
            model, benchmark = (name, named or "") if table.turned else (named, name)
            if benchmark not in lower:
                lower[benchmark] = _is_lower(benchmark, taxonomy)
            if not lower[benchmark] and not 0.0 <= cell.value <= 100.0:
                what = f"{shown(benchmark)}: {cell.value:g} is not a score (0..1, or 0..100)"
                refuse(what, place)
            n = _count(row.get(table.counts.get(column, "")))
            yield _Found(place, model, benchmark, cell, n, lower[benchmark])


def _count(value: Any) -> int | None:
    if isinstance(value, str):
        value = count_of(value)
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_percent(found: Sequence[_Found]) -> bool:
    """Whether the numbers without "%" are percentages.

    They are fractions if none of them is above 1.
    """
    bare = [one for one in found if not one.cell.percent]
    above = next((one for one in bare if one.cell.value > 1.0), None)
    small = next((one for one in bare if 0.0 < one.cell.value <= 1.0), None)
    if small and above:
        pair = " and ".join(f"{shown(a.benchmark)} {a.cell.value:g}" for a in (small, above))
        what = f"{pair}: can't be both percentages and fractions; write % after each percentage"
        refuse(what, small.place)
    return above is not None or not small


def _row(one: _Found, percent: bool) -> Row:
    scale = 100.0 if percent or one.cell.percent else 1.0
    fields: dict[str, Any] = {"benchmark": one.benchmark, "score": one.cell.value / scale}
    if one.model is not None:
        fields["model"] = one.model
    if one.cell.error is not None:
        fields["stderr"] = one.cell.error / scale
    if one.n is not None:
        fields["n"] = one.n
    if one.lower and lower_is_better(one.benchmark):
        fields["metric"] = one.benchmark
    return one.place, fields


def _notes(
    table: _Table, found: Sequence[_Found], percent: bool, taxonomy: Taxonomy
) -> tuple[str, ...]:
    what = ("benchmark", "models") if table.turned else ("model", "benchmarks")
    rows = f"one row per {what[0]}{f' ({shown(table.label)})' if table.label else ''}"
    most = max((one.cell.value for one in found), default=0.0)
    scale = "percentages" if percent else "fractions of 1"
    if any(one.cell.percent for one in found) and not percent:
        scale = "percentages if marked with %, else fractions of 1"
    columns = f"{what[1]} {', '.join(map(shown, table.scored))}"
    notes = [f"read as {rows}, {columns}; scores are {scale} (up to {most:g})"]
    if any(one.cell.error is not None for one in found):
        notes.append("numbers after ± and in error columns are read as standard errors")
    names = [_name(table, place, row) for place, row in table.rows]
    if means := [shown(name) for name in names if name and _is_mean(table, name, taxonomy)]:
        notes.append(f"rows left out because they are not benchmarks: {', '.join(means)}")
    if table.unused:
        unused = ", ".join(map(shown, table.unused))
        notes.append(f"columns left out because they are not benchmarks: {unused}")
    return tuple(notes)
