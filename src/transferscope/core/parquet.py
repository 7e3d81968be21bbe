"""Rows of a parquet file, in batches. Requires pyarrow: ``pip install 'transferscope[parquet]'``.

Parquet is a pure data format: nothing in it is unpickled or executed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .damage import AGAIN
from .errors import InputError, MissingExtra
from .files import open_file, refuse_damaged

BATCH = 64
"""Rows in memory at a time; a single row may contain a prompt with all its tokens."""
MAX_UNPACKED = 2**30
"""Maximum number of bytes that a file may unpack to."""


def parquet_rows(
    path: Path, wanted: Sequence[str] | None = None, *, needed_for: str = "reading parquet"
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The place ("file (row 0)") and values of every row, for the ``wanted`` columns that exist.

    "doc.query" is a field of a nested column; ``None`` selects all columns. Raises
    :class:`InputError` if the file is not parquet, cut off or too large, and :class:`MissingExtra`
    without pyarrow.
    """
    number = 0
    with _opened(path, needed_for) as file:
        names = None if wanted is None else [n for n in wanted if _has(file.schema_arrow, n)]
        for batch in file.iter_batches(batch_size=BATCH, columns=names):
            for row in batch.to_pylist():
                yield f"{path} (row {number})", row
                number += 1


@contextmanager
def _opened(path: Path, needed_for: str) -> Iterator[Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("parquet", needed_for=needed_for) from None
    refuse_damaged(path)
    with open_file(path, remedy=AGAIN) as source:
        try:
            with parquet.ParquetFile(source) as file:
                about = file.metadata
                size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
                if size > MAX_UNPACKED:
                    what = f"unpacks to {size // 2**20:,} MiB"
                    raise InputError(what, place=str(path), remedy="write it as JSON lines")
                yield file
        except (pyarrow.ArrowException, OSError, ValueError) as err:
            what = f"not parquet, or cut off ({' '.join(str(err).split())[:120]})"
            raise InputError(what, place=str(path), remedy=AGAIN) from None


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
