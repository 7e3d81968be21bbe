"""Read and write text, JSON, JSON lines and TOML; third-party files are read strictly.

Files compressed with gzip are unpacked while they are read, whatever their names.

Every reader raises :class:`InputError` with the file (and line) and a remedy if the file is
missing, a folder, not UTF-8, malformed or nested too deeply. Every writer raises it for a place
that is not writable.
"""

from __future__ import annotations

import errno
import json
import os
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from .damage import LFS, damage_of
from .errors import InputError
from .opening import (
    BUFFER,
    MAX_TEXT,
    NULL,
    check_file,
    files_below,
    is_file,
    lines_of,
    open_file,
    read_bytes,
    read_start,
)
from .parsing import DECODER, MAX_DEPTH, quick_object, too_deep
from .scratch import is_scratch, remove_left, scratch_beside, scratch_folder
from .unpacking import decoded

__all__ = [
    "FOLDER_REMEDY",
    "FULL",
    "appending",
    "check_file",
    "check_folder",
    "files_below",
    "holding",
    "is_file",
    "is_scratch",
    "json_lines",
    "json_value",
    "lines_of",
    "make_folder",
    "open_file",
    "parse_toml",
    "read_bytes",
    "read_head",
    "read_json",
    "read_json_lines",
    "read_list",
    "read_start",
    "read_text",
    "refuse_damaged",
    "refusing",
    "remedy_of",
    "remove_left",
    "scratch_folder",
    "write_atomically",
    "write_filled",
    "write_json",
    "write_temporary",
]


def read_text(path: Path, *, remedy: str = "name a text file", limit: int = MAX_TEXT) -> str:
    """The whole file, without a byte order mark and with ``\\n`` line endings.

    Raises :class:`InputError` for a file of more than ``limit`` bytes.
    """
    text = decoded(read_bytes(path, remedy=remedy, limit=limit), place=str(path), remedy=remedy)
    if text.startswith(LFS):
        _refuse_damaged(text, str(path), remedy=remedy)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_head(path: Path, *, size: int = 4096) -> str:
    """The first ``size`` bytes, decoded as far as possible; empty if the file can't be read."""
    return read_start(path, size).decode("utf-8-sig", "replace")


def refuse_damaged(path: Path) -> None:
    """Raise :class:`InputError` if the file is empty or recognised as damaged (a pointer, say)."""
    if found := damage_of(read_head(path)):
        raise InputError(found.what, place=str(path), remedy=found.remedy)


def read_json(path: Path, *, remedy: str = "name a JSON file") -> dict[str, Any]:
    """The JSON object in the file."""
    return _object(read_text(path, remedy=remedy), str(path), remedy)


def read_list(path: Path, *, remedy: str) -> list[Any]:
    """The JSON list in the file."""
    value = json_value(read_text(path, remedy=remedy), str(path), remedy)
    if not isinstance(value, list):
        raise InputError("not a JSON list", place=str(path), remedy=remedy)
    return value


def json_lines(
    lines: Iterable[bytes], *, path: Path, remedy: str, first: int = 1
) -> Iterator[tuple[str, Any]]:
    """The place ("file:line") and object of every line that isn't blank, lazily.

    ``lines`` may be the file itself, opened by :func:`.opening.open_file`: lines end only at
    ``\\n``, because text may contain U+2028. ``first`` is the number of the first line.
    """
    if isinstance(lines, BufferedReader):
        lines = lines_of(lines, path=path, remedy=remedy)
    for number, line in enumerate(lines, start=first):
        place = f"{path}:{number}"
        if (row := quick_object(line)) is not None:
            yield place, row
            continue
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError:
            raise InputError("not UTF-8 text", place=place, remedy=remedy) from None
        if text:
            yield place, _object(text, place, remedy)


def read_json_lines(path: Path, *, remedy: str) -> Iterator[tuple[str, Any]]:
    """:func:`json_lines` for a file that has at least one line."""
    found = False
    with open_file(path, remedy="name a JSONL file") as file:
        for placed in json_lines(file, path=path, remedy=remedy):
            found = True
            yield placed
    if not found:
        raise InputError("contains no rows", place=str(path), remedy=remedy)


def parse_toml(text: str, *, place: str) -> dict[str, Any]:
    """Parse the TOML document ``text``. Raises :class:`InputError` if it is not valid."""
    try:
        value = tomllib.loads(text)
    except ValueError as err:  # the decoder's own error, or an integer with thousands of digits
        raise InputError(f"not valid TOML: {err}", place=place) from None
    except RecursionError:
        raise InputError("not valid TOML: nested too deeply", place=place) from None
    if too_deep(value):
        raise InputError("not valid TOML: nested too deeply", place=place)
    return value


def write_atomically(path: Path, text: str | bytes | Iterable[str | bytes]) -> None:
    """Write text next to ``path``, flush it to disk and rename it: readers see old or new content.

    If several processes write the file at once, each has its own scratch file, and the last rename
    wins. Scratch files left behind by killed writers are removed. Raises :class:`InputError` if the
    file can't be written, and for a device, which the rename would replace.
    """

    def fill(file: IO[bytes]) -> None:
        for piece in [text] if isinstance(text, str | bytes) else text:
            file.write(piece.encode() if isinstance(piece, str) else piece)

    write_filled(path, fill)


def write_filled(path: Path, fill: Callable[[IO[bytes]], Any]) -> None:
    """:func:`write_atomically` for content that ``fill`` writes to an open file."""
    with refusing(path, "can't be written"):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise InputError(
                "is not a file that can be written to", place=str(path), remedy="name another file"
            )
        with scratch_beside(path) as (scratch, file):
            fill(file)
            file.flush()
            os.fsync(file.fileno())
            scratch.replace(path)


def write_temporary(path: Path, pieces: Iterable[bytes]) -> None:
    """Write pieces into a file that no other process reads: not atomic, not flushed to the disk.

    Raises :class:`InputError` if it can't be written.
    """
    with refusing(path, "can't be written"), path.open("wb", buffering=BUFFER) as file:
        file.writelines(pieces)


@contextmanager
def appending(path: Path) -> Iterator[IO[bytes]]:
    """Open the file for appending; flush it to disk at the end of the block.

    Raises :class:`InputError` if writing fails. Part of the added content may then be in the file,
    so readers must know how much of it is valid.
    """
    with refusing(path, "can't be written"), path.open("ab") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def holding(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Yield whether this process holds the lock file ``path``; with ``wait``, wait for it first.

    The lock is released when the process ends, however it ends. Raises :class:`InputError` if the
    file can't be created or its file system does not support locks.
    """
    from filelock import FileLock, Timeout

    make_folder(path.parent)
    lock = FileLock(path)
    with refusing(path, "can't be locked"):
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:  # also an OSError
            pass
        except NotImplementedError:  # raised by filelock on file systems without locks
            what = "is on a file system that does not support file locks"
            raise InputError(what, place=str(path.parent), remedy="name another --out") from None
    try:
        yield lock.is_locked
    finally:
        lock.release()


FOLDER_REMEDY = "name another folder: --out DIR"


def make_folder(path: Path, *, remedy: str = FOLDER_REMEDY) -> None:
    """Create the folder and its parents. Raises :class:`InputError` if that fails."""
    check_folder(path, remedy=remedy)
    with refusing(path, "can't be created", remedy=remedy):
        path.mkdir(parents=True, exist_ok=True)


def check_folder(path: Path, *, remedy: str = FOLDER_REMEDY) -> None:
    """Raise :class:`InputError` if ``path`` or one of its parents exists and is not a folder.

    Creates nothing: :func:`make_folder` detects a folder that is not writable.
    """
    for there in (path, *path.parents):
        with refusing(path, "can't be a folder", remedy=remedy):
            try:
                there.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
        if not there.exists():
            raise InputError("is a broken symbolic link", place=str(there), remedy=remedy)
        if not there.is_dir():
            raise InputError("is a file, not a folder", place=str(there), remedy=remedy)
        return


FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers that mean that the disk or quota is full."""
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


def remedy_of(err: OSError) -> str:
    """What the user can do about a failed write."""
    another = "name another place"
    if err.errno in FULL:
        return f"free some space, or {another}"
    return f"change its permissions, or {another}" if err.errno in _FORBIDDEN else another


@contextmanager
def refusing(path: Path, what: str, *, remedy: str | None = None) -> Iterator[None]:
    """Turn a system error about ``path`` in the block into an :class:`InputError` (``what``: why).

    Without a ``remedy``, the error number determines it.
    """
    try:
        yield
    except OSError as err:
        why = err.strerror or " ".join(str(err).split())
        raise InputError(
            f"{what}: {why}", place=str(path), remedy=remedy or remedy_of(err)
        ) from None
    except ValueError as err:
        if "embedded null" not in str(err):
            raise
        told = remedy or "name another place"
        raise InputError(f"{what}: {NULL}", place=str(path), remedy=told) from None


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, atomically."""
    write_atomically(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def _refuse_damaged(text: str, place: str, *, remedy: str, at: int | None = None) -> None:
    """Raise :class:`InputError` if ``text`` is recognised as something other than JSON."""
    if found := damage_of(text, at=at):
        raise InputError(found.what, place=place, remedy=found.remedy or remedy) from None


def _object(text: str, place: str, remedy: str) -> dict[str, Any]:
    value = json_value(text, place, remedy)
    if not isinstance(value, dict):
        raise InputError("not a JSON object", place=place, remedy=remedy)
    return value


def json_value(text: str, place: str, remedy: str) -> Any:
    """Parse the JSON value ``text`` of any type. Raises :class:`InputError` naming ``place``."""
    try:
        value = DECODER.decode(text)
    except ValueError as err:
        _refuse_damaged(text, place, remedy=remedy, at=getattr(err, "pos", None))
        raise InputError(f"not valid JSON ({err})", place=place, remedy=remedy) from None
    except RecursionError:
        what = "not valid JSON (nested too deeply)"
        raise InputError(what, place=place, remedy=remedy) from None
    if text.count("{") + text.count("[") > MAX_DEPTH and too_deep(value):
        what = f"nested too deeply (beyond {MAX_DEPTH} levels)"
        raise InputError(what, place=place, remedy=remedy)
    if "\\ud" in text or "\\uD" in text:
        try:  # an unpaired surrogate is not a character and can't be printed or tokenised
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            what = "contains an unpaired surrogate escape (\\ud800 to \\udfff)"
            raise InputError(what, place=place, remedy=remedy) from None
    return value
