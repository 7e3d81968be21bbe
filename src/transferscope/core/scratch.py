"""Temporary files and folders that are removed when their writer ends, however it ends.

A writer holds a lock on its scratch file, which the system releases when the writer dies. So the
next writer can distinguish the remains of a killed writer from files in use, and removes the
former. On file systems without locks nothing is removed.
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
"""Prefix of the names of temporary folders."""
_HELD = ".held"
_MADE = re.compile(rf"{PREFIX}[a-z0-9_]{{8}}")
_TAIL = re.compile(r"\.[0-9a-f]{8}\.tmp")
_ANY = re.compile(rf"\..+{_TAIL.pattern}", re.DOTALL)
_LONGEST = 240
"""Maximum bytes taken from a file's name, leaving room for the suffix of its scratch file."""


def is_scratch(path: Path, *, of: str) -> bool:
    """Whether ``path`` has the name of a scratch file for the file named ``of``."""
    head = f".{_stem(of)}"
    return path.name.startswith(head) and _TAIL.fullmatch(path.name[len(head) :]) is not None


@contextmanager
def scratch_beside(path: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """Yield a new file next to ``path``, open for writing; the block may rename it.

    If the block fails, the file is removed. Scratch files left by killed writers are removed too.
    """
    remove_left(path.parent, of=path.name)
    scratch, file = _created(path)
    try:
        with file:
            yield scratch, file
    except BaseException:  # Ctrl-C must not leave a scratch file behind either
        scratch.unlink(missing_ok=True)
        raise


def remove_left(folder: Path, *, of: str | None = None) -> None:
    """Remove unused scratch files in ``folder``: those of the file ``of``, or all of them."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if is_scratch(Path(name), of=of) if of else _ANY.fullmatch(name):
                with suppress(OSError), _abandoned(folder / name):
                    (folder / name).unlink()


@contextmanager
def scratch_folder(within: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, in ``within`` or the system's temporary folder, for the block's duration.

    Folders left by killed processes are removed first.
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
            continue  # another process removed it as abandoned before it was locked
        except BaseException:  # Ctrl-C must not leave a folder behind either
            _remove(folder)
            raise
        held.close()  # removed between its creation and its lock


def _remove_dead(folder: Path) -> None:
    held = folder / _HELD
    with suppress(OSError):
        if held.is_file():
            with _abandoned(held):
                _remove(folder)
        else:  # killed before its first file; other programs' files are kept
            folder.rmdir()


def _remove(folder: Path) -> None:
    """Remove the content before the lock file, so that a kill in between leaves the lock file."""
    held: list[Path] = []
    with suppress(OSError):  # it may already be gone
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
        file.close()  # removed as abandoned, between its creation and its lock


def _stem(name: str) -> str:
    return name if len(os.fsencode(name)) <= _LONGEST else name[: _LONGEST // 8]


def _locked(file: int, *, wait: bool = False) -> bool:
    """Whether this process now holds the lock of an open file.

    Use ``wait`` if only a remover may hold the lock, which releases it at once.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by another process, or the file system has no locks
        return False
    return True


@contextmanager
def _abandoned(path: Path) -> Iterator[None]:
    """Run the block while ``path`` is locked here. Raises ``OSError`` if its writer is alive."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, flags)
    try:
        if not _locked(file):
            raise BlockingIOError
        yield
    finally:
        os.close(file)
