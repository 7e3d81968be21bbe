"""Several processes on one study: each takes a cell that no other holds.

The same command started again, in another terminal or on another machine with the same disk, joins
in: one process a GPU. Locks end with their process, however it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import InputError
from .config import Cell

FOLDER = "locks"


@contextmanager
def holding(out: Path, name: str, *, wait: bool) -> Iterator[bool]:
    """Whether this process holds ``name``; with ``wait`` only once nobody else does.

    Raises :class:`InputError` on a disk that can't lock files.
    """
    from filelock import FileLock, Timeout

    path = out / FOLDER / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except Timeout:
        yield False
        return
    except NotImplementedError:
        what = "is on a disk that can't lock files"
        raise InputError(what, place=str(out), remedy="name another --out") from None
    try:
        yield True
    finally:
        lock.release()


def each_once(cells: Sequence[Cell], out: Path, run: Callable[[Cell], None]) -> None:
    """Call ``run`` for every cell, those that other processes hold once they are let go.

    A cell comes after the cell it starts from. ``run`` finds what another process finished.
    """
    left, wait = list(cells), False
    while left:
        still: list[Cell] = []
        for cell in left:
            if cell.start in {other.name for other in still}:
                still.append(cell)
                continue
            with holding(out, cell.name, wait=wait) as mine:
                if mine:
                    run(cell)
                    wait = False
                else:
                    still.append(cell)
        wait, left = len(still) == len(left), still
