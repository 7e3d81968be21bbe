"""Several processes on one study: each takes a cell that no other holds.

The same command started again, in another terminal or on another machine with the same disk, joins
in: one process a GPU. Locks end with their process, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.files import holding
from .config import Cell

FOLDER = "locks"


def cell_lock(out: Path, name: str) -> Path:
    """The lock file of the cell ``name``."""
    return out / FOLDER / f"{name}.lock"


def each_once(cells: Sequence[Cell], out: Path, run: Callable[[Cell], None]) -> None:
    """Call ``run`` for every cell, those that other processes hold once they are let go.

    A cell comes after the cell it starts from. ``run`` finds what another process finished.
    """
    left, wait = list(cells), False
    while left:
        still: list[Cell] = []
        for cell in left:
            if cell.start in still:
                still.append(cell)
                continue
            with holding(cell_lock(out, cell.name), wait=wait) as mine:
                if mine:
                    run(cell)
                    wait = False
                else:
                    still.append(cell)
        wait, left = len(still) == len(left), still
