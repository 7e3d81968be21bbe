"""Import a parquet file of rows with the columns of :mod:`.table_rows`, read like a table."""

from __future__ import annotations

from pathlib import Path

from .score_table import importer


def accepts(path: Path) -> bool:
    """Whether ``path`` is a .parquet file by its name."""
    return path.suffix.lower() == ".parquet" and path.is_file()


IMPORTER = importer("parquet", accepts)
