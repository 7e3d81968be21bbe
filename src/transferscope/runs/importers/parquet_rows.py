"""A parquet file of rows, columns as in :mod:`.table_rows`; read as a table is."""

from __future__ import annotations

from pathlib import Path

from .score_table import importer


def accepts(path: Path) -> bool:
    """A file by its name: .parquet."""
    return path.suffix.lower() == ".parquet" and path.is_file()


IMPORTER = importer("parquet", accepts)
