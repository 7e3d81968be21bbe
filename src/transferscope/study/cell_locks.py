"""Lets several processes work on one study: each takes a cell that no other process has locked.

To add a process, start the same command in another terminal, or on another machine with the same
disk. Run one process per GPU. A lock is released when its process ends, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.errors import InputError
from ..core.files import holding
from .study_config import Cell

FOLDER = "locks"


def cell_lock(out: Path, name: str) -> Path:
    """Return the lock file of the cell ``name``."""
    return out / FOLDER / f"{name}.lock"


def each_once(cells: Sequence[Cell], out: Path, run: Callable[[Cell], None]) -> None:
    """Call ``run`` for every cell; cells that other processes have locked come once they are free.

    A cell runs after the cell it starts from. ``run`` must skip what another process has finished.
    A cell that fails (for example because its weights diverged) does not stop the others. At the
    end :class:`InputError` reports the first failure, its reason, and the number of further ones.
    """
    left, wait = list(cells), False
    failed: dict[str, InputError] = {}
    while left:
        still: list[Cell] = []
        for cell in left:
            if cell.start in still:
                still.append(cell)
                continue
            if cell.start is not None and cell.start.name in failed:
                what = f"its start {cell.start.name} could not be measured"
                failed[cell.name] = InputError(what, place=cell.name)
                continue
            with holding(cell_lock(out, cell.name), wait=wait) as mine:
                if not mine:
                    still.append(cell)
                    continue
                wait = False
                try:
                    run(cell)
                except InputError as err:
                    failed[cell.name] = err
        wait, left = len(still) == len(left), still
    if failed:
        name, first = next(iter(failed.items()))
        others = len(failed) - 1
        more = f" ({others} more {'model' if others == 1 else 'models'} failed)" if others else ""
        remedy = first.remedy or "fix or remove the arm"
        raise InputError(
            f"{first.what}{more}",
            place=name if first.place is None else f"{name}: {first.place}",
            remedy=f"{remedy}; use --so-far to report on the others" if len(cells) > 1 else remedy,
        ) from first
