"""Read documents of other harnesses, compressed or not, and report files without content."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...core.damage import AGAIN, damage_of
from ...core.files import files_below, json_value, read_head, read_start, read_text

HEAD = 2048
"""Number of bytes at the start of a file from which its format is recognised."""


def head(path: Path, size: int = HEAD) -> bytes:
    """The first bytes, decompressed; empty if the path is not a file or can't be read."""
    return read_start(path, size)


def files_named(folder: Path, *patterns: str, depth: int | None = None) -> list[Path]:
    """Sorted files matching ``patterns``, down to ``depth`` levels below (``None``: all)."""
    found = files_below(
        folder, lambda name: any(fnmatchcase(name, p) for p in patterns), depth=depth
    )
    return sorted(found)


def hollow_in(folder: Path, *patterns: str) -> list[str]:
    """A note for every matching file without content, such as an empty one or a Git LFS pointer."""
    return [
        f"{path}: left out, it {damage.what}"
        for path in files_named(folder, *patterns)
        if (damage := damage_of(read_head(path)))
    ]


def document(path: Path, *, remedy: str) -> Any:
    """Read the JSON value in the file: an object or a list."""
    return json_value(read_text(path, remedy=remedy), str(path), AGAIN)
