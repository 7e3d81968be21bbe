"""Rows of a parquet file, a few at a time. Needs pyarrow: ``pip install 'transferscope[parquet]'``.

Parquet is data: nothing in it is unpickled or run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ...core.errors import InputError, MissingExtra
from .packed import AGAIN, check, data

BATCH = 64
"""Rows in memory at a time: a row may hold a prompt with all its tokens."""


def parquet_rows(
    path: Path, wanted: Sequence[str], *, needed_for: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place ("file, row 1") and values of every row, of those of the ``wanted`` columns there are.

    "doc.query" is a field of a nested column. Raises :class:`InputError` for what is not parquet,
    or cut off, and :class:`MissingExtra` without pyarrow.
    """
    file = _open(path, needed_for)
    names = [name for name in wanted if _has(file.schema_arrow, name)]
    number = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH, columns=names):
            for row in batch.to_pylist():
                number += 1
                yield f"{path}, row {number}", row
    except (OSError, ValueError) as err:  # pyarrow's own errors are among these
        raise _damaged(path, err) from None


def parquet_count(path: Path, *, needed_for: str) -> int:
    """Number of rows. Raises as :func:`parquet_rows` does."""
    return int(_open(path, needed_for).metadata.num_rows)


def _open(path: Path, needed_for: str) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", needed_for=needed_for) from None
    check(path)
    try:
        source = pyarrow.BufferReader(data(path)) if path.suffix == ".gz" else path
        return parquet.ParquetFile(source)
    except (OSError, ValueError) as err:
        raise _damaged(path, err) from None


def _has(schema: Any, name: str) -> bool:
    first, *rest = name.split(".")
    if first not in schema.names:
        return False
    kind = schema.field(first).type
    for part in rest:
        if not hasattr(kind, "fields") or part not in [field.name for field in kind.fields]:
            return False
        kind = kind.field(part).type
    return True


def _damaged(path: Path, err: Exception) -> InputError:
    what = f"not parquet, or cut off ({str(err).splitlines()[0][:80]})"
    return InputError(what, place=str(path), remedy=AGAIN)
