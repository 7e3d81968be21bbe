"""Documents of other harnesses, packed or not; what is hollow is named as what it is."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...core.damage import AGAIN, damage_of
from ...core.files import files_below, json_value, read_head, read_start, read_text

HEAD = 2048
"""Bytes of a file's start by which a format is recognised."""


def head(path: Path, size: int = HEAD) -> bytes:
    """The first bytes, unpacked; empty for a path that is not a file or can't be read."""
    return read_start(path, size)


def files_named(folder: Path, *patterns: str, depth: int | None = None) -> list[Path]:
    """Files of these names in ``folder`` and ``depth`` levels below it (``None``: all), sorted."""
    found = files_below(
        folder, lambda name: any(fnmatchcase(name, p) for p in patterns), depth=depth
    )
    return sorted(found)


def hollow_in(folder: Path, *patterns: str) -> list[str]:
    """A note for every file of these names that is empty, a Git LFS pointer or the like."""
    return [
        f"{path}: left out, it {damage.what}"
        for path in files_named(folder, *patterns)
        if (damage := damage_of(read_head(path)))
    ]


def document(path: Path, *, remedy: str) -> Any:
    """The JSON value in the file: an object or a list."""
    return json_value(read_text(path, remedy=remedy), str(path), AGAIN)
