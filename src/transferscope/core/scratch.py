"""Files and folders that live no longer than their writer, however that ends.

A writer holds a lock on what it writes aside, and the system lets go of the lock when the writer
dies. So the next writer can tell what a killed one left from what is still being written, and
removes the former. Where files can't be locked nothing is removed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .opening import BUFFER

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = "transferscope-"
"""Start of the names of temporary folders."""
_HELD = ".held"
_MADE = re.compile(rf"{PREFIX}[a-z0-9_]{{8}}")
_TAIL = re.compile(r"\.[0-9a-f]{8}\.tmp")
_ANY = re.compile(rf"\..+{_TAIL.pattern}", re.DOTALL)
_LONGEST = 240
"""Bytes of a file's name that leave room for what a scratch file's name adds."""


def is_scratch(path: Path, *, of: str) -> bool:
    """Whether ``path`` is by its name a scratch file of the file named ``of``."""
    head = f".{_stem(of)}"
    return path.name.startswith(head) and _TAIL.fullmatch(path.name[len(head) :]) is not None


@contextmanager
def scratch_beside(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """A new file beside ``path``, open for writing; the block may rename it.

    Left by an error it is removed, and so is what killed writers of ``path`` left.
    """
    remove_left(path.parent, of=path.name)
    scratch, file = _created(path)
    try:
        with file:
            yield scratch, file
    except BaseException:  # Ctrl-C, too, leaves no scratch file behind
        scratch.unlink(missing_ok=True)
        raise


def remove_left(folder: Path, *, of: str | None = None) -> None:
    """Remove the scratch files in ``folder`` that no process uses: of the file ``of``, or all."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if is_scratch(Path(name), of=of) if of else _ANY.fullmatch(name):
                with suppress(OSError), _abandoned(folder / name):
                    (folder / name).unlink()


@contextmanager
def scratch_folder(within: Path | None = None) -> Iterator[Path]:
    """A new folder, in ``within`` or where the system keeps such, for as long as the block.

    Those that killed processes left there are removed first.
    """
    root = Path(tempfile.gettempdir()) if within is None else within
    with suppress(OSError):
        for left in root.glob(f"{PREFIX}*"):
            if _MADE.fullmatch(left.name):
                _remove_dead(left)
    folder, held = _held_folder(root)
    try:
        with held:
            yield folder
    finally:
        _remove(folder)


def _held_folder(root: Path) -> tuple[Path, IO[bytes]]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
        try:
            held = (folder / _HELD).open("xb")
            _locked(held.fileno(), wait=True)
            if os.fstat(held.fileno()).st_nlink:
                return folder, held
        except FileNotFoundError:
            continue  # taken for a dead writer's before it was held
        except BaseException:  # Ctrl-C, too, leaves no folder behind
            _remove(folder)
            raise
        held.close()  # so it was between its making and its lock


def _remove_dead(folder: Path) -> None:
    held = folder / _HELD
    with suppress(OSError):
        if held.is_file():
            with _abandoned(held):
                _remove(folder)
        else:  # killed before its first file; files of other programs are kept
            folder.rmdir()


def _remove(folder: Path) -> None:
    """What was held goes before its sign, so that a kill in between leaves the sign."""
    held: list[Path] = []
    with suppress(OSError):  # it may be gone
        held = [path for path in folder.iterdir() if path.name != _HELD]
    for entry in (*held, folder):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            with suppress(OSError):
                entry.unlink()


def _created(path: Path) -> tuple[Path, IO[bytes]]:
    while True:
        scratch = path.with_name(f".{_stem(path.name)}.{secrets.token_hex(4)}.tmp")
        file = scratch.open("xb", buffering=BUFFER)
        _locked(file.fileno(), wait=True)
        if os.fstat(file.fileno()).st_nlink:
            return scratch, file
        file.close()  # taken for a dead writer's, between its creation and its lock


def _stem(name: str) -> str:
    return name if len(os.fsencode(name)) <= _LONGEST else name[: _LONGEST // 8]


def _locked(file: int, *, wait: bool = False) -> bool:
    """Whether this process now holds the lock of an open file.

    ``wait`` where only a remover may hold it, which is done with the file in a moment.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another process, or a disk without locks
        return False
    return True


@contextmanager
def _abandoned(path: Path) -> Iterator[None]:
    """The block, while ``path`` is locked here. Raises ``OSError`` where its writer lives."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, flags)
    try:
        if not _locked(file):
            raise BlockingIOError
        yield
    finally:
        os.close(file)
