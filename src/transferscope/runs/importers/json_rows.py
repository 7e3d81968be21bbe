"""Import a JSON list of rows, with the columns of :mod:`.table_rows`; it is read like a table."""

from __future__ import annotations

from pathlib import Path

from ...core.mistaken import mistaken
from ...core.rowfiles import holds_rows
from ...core.unpacking import bare_suffix
from .score_table import importer


def accepts(path: Path) -> bool:
    """Whether ``path`` is a .json file with a list of rows, or invalid: reading it reports why."""
    is_json = bare_suffix(path) == ".json" and path.is_file()
    return is_json and mistaken(path) is None and holds_rows(path)


IMPORTER = importer("json", accepts)
