"""The single entry point for reading files that a user names or a folder contains.

Reading a pipe would block, a device may never end, and a loop of links leads nowhere. So only
regular files are opened, and errors name what was refused. The size of lines, texts and compressed
files is limited.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

from .errors import InputError
from .unpacking import GZIP, unpacked

MAX_TEXT = 2**30
"""Maximum size in bytes of a file that has to be read as a whole."""
BUFFER = 2**16
"""Bytes read or written at a time; many lines of samples are longer than the usual 8 KiB."""
MAX_LINE = 64 * 2**20
"""Maximum size in bytes of one line of JSON lines."""
NULL = "the name contains a null character"
"""The message for a path with a null character, which Python rejects, not the system."""
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def check_file(path: Path, *, remedy: str, folders: bool = False) -> None:
    """Raise :class:`InputError` unless ``path`` is a regular file (or, with ``folders``, a folder).

    Does not open the file, so a pipe does not block.
    """
    with _refused(path, remedy, "no such file or folder" if folders else "no such file"):
        mode = path.stat().st_mode
        if not (folders and stat.S_ISDIR(mode)):
            _check_mode(mode, path, remedy)


def is_file(path: Path, *, remedy: str = "put a file in its place, or remove it") -> bool:
    """Whether there is a file; ``False`` if nothing exists at ``path``.

    Raises :class:`InputError` for something that exists but is not a file, which ``Path.is_file``
    would ignore silently.
    """
    if not os.path.lexists(path):
        return False
    check_file(path, remedy=remedy)
    return True


@contextmanager
def open_file(path: Path, *, remedy: str) -> Iterator[BufferedReader]:
    """Open the regular file ``path`` for reading bytes; gzip is unpacked.

    Raises :class:`InputError` for anything else, and for system errors inside the block.
    """
    with _refused(path, remedy):
        check_file(path, remedy=remedy)
        # A pipe may have replaced the file in the meantime; opening it must not block either.
        with open(path, "rb", buffering=BUFFER, opener=_without_waiting) as opened:
            file = cast(BufferedReader, opened)
            _check_mode(os.fstat(file.fileno()).st_mode, path, remedy)
            packed = file.peek(len(GZIP))[: len(GZIP)] == GZIP
            yield unpacked(file, path) if packed else file


def read_bytes(path: Path, *, remedy: str, limit: int = MAX_TEXT) -> bytes:
    """The whole file. Raises :class:`InputError` for a file of more than ``limit`` bytes."""
    with open_file(path, remedy=remedy) as file:
        size = path.stat().st_size
        content = b"" if size > limit else file.read(limit + 1)
        if max(size, len(content)) > limit:
            what = f"{size // 2**20:,} MiB; files above {limit // 2**20:,} MiB are refused"
            raise InputError(what, place=str(path), remedy="write it as JSON lines")
        return content


def read_start(path: Path, size: int) -> bytes:
    """The first ``size`` bytes, unpacked; empty if it is not a file or can't be read."""
    try:
        with open_file(path, remedy="") as file:
            return file.read(size)
    except InputError:
        return b""


def lines_of(file: IO[bytes], *, path: Path, remedy: str) -> Iterator[bytes]:
    """The file's lines from its current position; only ``\\n`` ends a line.

    Raises :class:`InputError` for a line of more than :data:`MAX_LINE` bytes.
    """
    for line in iter(partial(file.readline, MAX_LINE + 1), b""):
        if len(line) > MAX_LINE:
            what = f"a line is longer than {MAX_LINE // 2**20} MiB"
            raise InputError(what, place=str(path), remedy=remedy)
        yield line


def files_below(
    folder: Path, wanted: Callable[[str], bool], *, depth: int | None = None
) -> Iterator[Path]:
    """Files in and below ``folder`` with ``wanted`` names, lazily, sorted by name.

    ``depth`` 0 is the folder itself, ``None`` has no limit. Links to folders are followed after all
    real folders, and each folder is read once. Raises :class:`InputError` naming a folder that
    can't be read, a link to a folder that contains it, or something with a wanted name that is not
    a file.
    """
    seen: set[tuple[int, int]] = set()
    todo: deque[tuple[Path, int]] = deque([(folder, 0)])
    links: deque[tuple[Path, int]] = deque()
    while todo or links:
        linked = not todo
        here, level = (links if linked else todo).popleft()
        with _refused(here, "make it readable, or move it elsewhere"):
            about = here.stat()
            if linked and _leads_back(here):
                what = "is a symbolic link to a folder that contains it"
                raise InputError(what, place=str(here), remedy="remove the link")
            if (about.st_dev, about.st_ino) in seen:
                continue
            seen.add((about.st_dev, about.st_ino))
            with os.scandir(here) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        below: list[tuple[Path, int]] = []
        for entry in entries:
            path = here / entry.name
            if entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and _is_folder(path)):
                if depth is None or level < depth:
                    (links if entry.is_symlink() else below).append((path, level + 1))
            elif wanted(entry.name):
                check_file(path, remedy="remove it, or name the files to read")
                yield path
        todo.extendleft(reversed(below))


def _is_folder(link: Path) -> bool:
    with _refused(link, "remove the link"):  # a loop of links may once have been a folder
        try:
            return stat.S_ISDIR(link.stat().st_mode)
        except FileNotFoundError:
            return False


def _leads_back(link: Path) -> bool:
    return link.resolve() in link.parent.resolve().parents or link.samefile(link.parent)


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check_mode(mode: int, path: Path, remedy: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise InputError("is a folder, not a file", place=str(path), remedy=remedy)
    what = next((what for holds, what in _KINDS if holds(mode)), "a special file")
    said = "write its output to a file and name that file"
    raise InputError(f"is {what}, not a file", place=str(path), remedy=said)


@contextmanager
def _refused(path: Path, remedy: str, missing: str = "no such file") -> Iterator[None]:
    """Turn a system error on reading ``path`` in the block into an :class:`InputError`."""
    try:
        yield
    except FileNotFoundError:
        what = "is a broken symbolic link" if path.is_symlink() else missing
        raise InputError(what, place=str(path), remedy=remedy) from None
    except OSError as err:
        what = f"not readable: {err.strerror or err}"
        raise InputError(what, place=str(path), remedy=remedy) from None
    except ValueError as err:
        if "embedded null" not in str(err):
            raise
        raise InputError(NULL, place=str(path), remedy=remedy) from None
