"""Prepares the folder of an export without overwriting files that no export wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.errors import InputError
from ...core.files import make_folder, read_text


def claim(out: Path, names: Sequence[str], *, head: str) -> None:
    """Create ``out`` for files with these ``names``, the first of which begins with ``head``.

    The caller must write that first file first. Raises :class:`InputError` if files with these
    names exist and the first one was not written by an export.
    """
    make_folder(out)
    there = [out / name for name in names if (out / name).exists()]
    if there and not _begins(out / names[0], head):
        what = "a file with this name exists that no export wrote"
        raise InputError(what, place=str(there[0]), remedy="move it, or name another --out")


def _begins(path: Path, head: str) -> bool:
    try:
        return path.is_file() and read_text(path).startswith(head)
    except InputError:
        return False
