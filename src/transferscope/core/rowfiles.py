"""Rows of a file in any of several formats: JSON lines, a JSON array, a table, parquet, or gzip.

JSON lines are read one at a time; the other formats are read as a whole, up to a maximum size.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import InputError
from .files import json_lines, json_value, open_file, read_text
from .mistaken import refuse_mistaken
from .parquet import parquet_rows
from .shown import name as shown
from .unpacking import bare_suffix, text_encoding

MAX_TABLE = 256 * 2**20
"""Maximum size in bytes of an unpacked table or document, which is read as a whole."""
LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".tab")
DELIMITERS = ("\t", ";", ",", "|")
_PREFACE = r"(?:[ \t]*\r?\n|#[^,;|\t\r\n]*\r?\n)*(?:sep=(.)\r?\n)?"
"""What may precede the header: empty lines, comments, Excel's line that names the delimiter."""
HOLDERS = (
    *("data", "rows", "examples", "instances", "items", "records", "results", "predictions"),
    *("outputs", "responses", "samples", "answers", "generations", "completions"),
)
"""Keys under which a JSON object may have its rows."""
Row = tuple[str, dict[str, Any]]
"""A place ("file:line") and the values by column."""


def rows_of(path: Path, *, remedy: str) -> Iterator[Row]:
    """:func:`read_rows`, with at least one row."""
    found = False
    for placed in read_rows(path, remedy=remedy):
        found = True
        yield placed
    if not found:
        raise no_row(path)


def no_row(path: Path) -> InputError:
    """The error for a file without rows; a table may still have its header."""
    headed = bare_suffix(path) in (*TABLES, ".parquet")
    what = "contains only a header" if headed else "contains no rows"
    return InputError(what, place=str(path), remedy="write it again with its rows")


def read_rows(path: Path, *, remedy: str, limit: int | None = None) -> Iterator[Row]:
    """Every row of ``path``; the format is determined by the suffix, then by the first bytes.

    Table cells are text, unchanged. A table or document of more than ``limit`` bytes is refused.
    Raises :class:`InputError` naming file and place if the file can't be read, and
    :class:`MissingExtra` for parquet without pyarrow.
    """
    refuse_mistaken(path)
    kind = bare_suffix(path)
    if kind in TABLES:
        return table_rows(path, remedy=remedy, limit=limit)
    if kind == ".parquet":
        return parquet_rows(path)
    if kind != ".json" and streams(path, remedy=remedy):
        return _lines(path, remedy)
    return document_rows(path, remedy=remedy, limit=limit)


def streams(path: Path, *, remedy: str) -> bool:
    """Whether the file is UTF-8 and not a JSON array, so that it can be read line by line."""
    with open_file(path, remedy=remedy) as file:
        start = file.read(4096)
    encoding = text_encoding(start)
    if encoding not in ("utf-8", "utf-8-sig"):
        return False
    head = start.decode(encoding, errors="replace").lstrip()
    # "[1]" alone on a line is a malformed line, not an array of rows.
    return not re.match(r"\[\s*(\{|\]|$)", head)


def document_rows(path: Path, *, remedy: str, limit: int | None = None) -> Iterator[Row]:
    """Rows of a JSON document: an array of objects, one under a key, or columns of equal length.

    A file with another suffix may also contain JSON lines.
    """
    text = read_text(path, remedy=remedy, limit=limit or MAX_TABLE).strip()
    if not text:
        return
    if _is_lines(text):
        yield from json_lines((t.encode() for t in text.split("\n")), path=path, remedy=remedy)
        return
    document = json_value(text, str(path), remedy)
    rows = rows_in(document)
    if rows is None:
        what = "contains no list of rows"
        if isinstance(document, dict):
            what += f", only {', '.join(map(repr, list(document)[:6]))}"
        raise InputError(what, place=str(path), remedy=remedy)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError("not a JSON object", place=f"{path} (row {number})", remedy=remedy)
        yield f"{path} (row {number})", row


def rows_in(document: Any) -> list[Any] | None:
    """The rows of a JSON document; ``None`` if it has none.

    >>> rows_in({"id": ["a", "b"], "score": [1, 0]})
    [{'id': 'a', 'score': 1}, {'id': 'b', 'score': 0}]
    """
    if isinstance(document, list):
        # The Hugging Face dataset server: {"rows": [{"row_idx": 0, "row": {...}}]}
        wrapped = [r.get("row") if isinstance(r, dict) else None for r in document]
        return wrapped if wrapped and all(isinstance(r, dict) for r in wrapped) else document
    if not isinstance(document, dict):
        return None
    for name in HOLDERS:
        held = document.get(name)
        if isinstance(held, list) and held and all(isinstance(row, dict) for row in held):
            about = {k: v for k, v in document.items() if k in ("model", "model_name")}
            return [about | row for row in rows_in(held) or []]
    values = list(document.values())
    plain = all(value is None or isinstance(value, str | int | float) for value in values)
    if plain and any(isinstance(value, int | float) for value in values):
        return [document]  # one model's scores by benchmark
    return _from_columns(document)


def _from_columns(document: dict[str, Any]) -> list[Any] | None:
    """Rows in the other forms in which pandas, datasets and W&B write a table as JSON."""
    names, data = document.get("columns"), document.get("data")
    columns = list(document.values())
    if isinstance(names, list) and isinstance(data, list):  # pandas' "split", or a W&B table
        if not all(isinstance(cells, list) and len(cells) == len(names) for cells in data):
            return None
        return [dict(zip(map(str, names), cells, strict=True)) for cells in data]
    if columns and all(isinstance(column, dict) for column in columns):
        if all(key.isdecimal() for key in document):
            return columns  # pandas' "index": {"0": {"id": "a", "score": 1}}
        keys = list(columns[0])  # pandas' default: {"id": {"0": "a"}, "score": {"0": 1}}
        numbered = bool(keys) and all(key.isdecimal() for key in keys)
        columns = [list(c.values()) for c in columns if numbered and list(c) == keys]
    if len(columns) < max(2, len(document)) or not all(isinstance(c, list) for c in columns):
        return None
    if len({len(column) for column in columns}) > 1:
        return None
    return [dict(zip(document, cells, strict=True)) for cells in zip(*columns, strict=True)]


def table_rows(path: Path, *, remedy: str, limit: int | None = None) -> Iterator[Row]:
    """Rows of a table whose first line names the columns; cells are text, unchanged.

    The delimiter is a tab, semicolon, comma or vertical bar, whichever is most frequent in the
    header.
    """
    text = read_text(path, remedy=remedy, limit=limit or MAX_TABLE)
    preface = re.match(_PREFACE, text)
    before = preface[0] if preface else ""
    text = text[len(before) :]
    delimiter = preface[1] if preface and preface[1] else delimiter_of(text)
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter)
    skipped = before.count("\n")
    try:
        header = [name.strip() for name in next(reader, [])]
        named = [name for name in header if name]
        place = f"{path}:{skipped + 1}"
        if twice := next((name for name in named if named.count(name) > 1), None):
            raise InputError(f"column {shown(twice)!r} occurs twice", place=place, remedy=remedy)
        if len(header) - len(named) > 1:
            raise InputError("several columns have no name", place=place, remedy=remedy)
        for cells in reader:
            place = f"{path}:{reader.line_num + skipped}"
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                counted = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                what = f"{counted} in a row of a table with {len(header)} columns"
                raise InputError(what, place=place, remedy=remedy)
            yield place, dict(zip(header, cells, strict=True))
    except csv.Error as err:  # mostly a field of more than 131,072 characters
        raise InputError(
            f"not valid CSV ({err})",
            place=f"{path}:{reader.line_num + skipped}",
            remedy="write long texts as JSON lines",
        ) from None


def delimiter_of(text: str) -> str:
    """The delimiter of a table's first line; among equally frequent ones, the rarer in prose.

    >>> delimiter_of("model;benchmark;score\\n"), delimiter_of("score")
    (';', ',')
    """
    header = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").partition("\n")[0])
    counts = {delimiter: header.count(delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda one: counts[one])
    return best if counts[best] else ","


def _lines(path: Path, remedy: str) -> Iterator[Row]:
    with open_file(path, remedy=remedy) as file:
        yield from json_lines(file, path=path, remedy=remedy)


def holds_rows(path: Path) -> bool:
    """Whether a ``.json`` file contains rows, or is malformed so that reading it gives a reason."""
    try:
        text = read_text(path, remedy="", limit=MAX_TABLE).strip()
        return _is_lines(text) or rows_in(json_value(text, str(path), "")) is not None
    except InputError:
        return True


def _is_lines(text: str) -> bool:
    """Whether a document is JSON lines: an object on the first line, and more lines after it."""
    first, _, rest = text.partition("\n")
    if not (text.startswith("{") and first.rstrip().endswith("}") and rest.strip()):
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return False
    return True
