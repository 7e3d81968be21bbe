"""A JSON document that is a list of rows, columns as in :mod:`.table_rows`; read as a table is."""

from __future__ import annotations

from pathlib import Path

from ...core.mistaken import mistaken
from ...core.rowfiles import holds_rows
from ...core.unpacking import bare_suffix
from .score_table import importer


def accepts(path: Path) -> bool:
    """A .json file (packed or not) that is a list of rows, or no JSON: reading it says why."""
    is_json = bare_suffix(path) == ".json" and path.is_file()
    return is_json and mistaken(path) is None and holds_rows(path)


IMPORTER = importer("json", accepts)
