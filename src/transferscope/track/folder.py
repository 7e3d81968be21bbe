"""The folder of a trace."""

from __future__ import annotations

from pathlib import Path

from ..core.errors import InputError


def check_folder(out: Path) -> None:
    """Raise :class:`InputError` where ``out``, or what it would stand in, is a file."""
    there = next((path for path in (out, *out.parents) if path.exists()), None)
    if there is not None and not there.is_dir():
        raise InputError("is a file", place=str(there), remedy="name another folder as out")
