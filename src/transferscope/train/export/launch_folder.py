"""The folder of an export: no file of somebody else's is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...core.errors import InputError
from ...core.files import make_folder, read_text


def claim(out: Path, names: Sequence[str], *, head: str) -> None:
    """Make ``out`` for files of these names, the first of which begins with ``head``.

    That first one must be written first. Raises :class:`InputError` where a file of these names is
    there and the first one isn't an export's.
    """
    make_folder(out)
    there = [out / name for name in names if (out / name).exists()]
    if there and not _begins(out / names[0], head):
        what = "no export wrote the file of this name"
        raise InputError(what, place=str(there[0]), remedy="move it, or name another --out")


def _begins(path: Path, head: str) -> bool:
    try:
        return path.is_file() and read_text(path).startswith(head)
    except InputError:
        return False
