"""Files of other harnesses as they lie on a disk: plain or gzipped, named as what they are.

A file is somebody else's: nothing is unpacked beyond :data:`MAX_DOCUMENT` bytes, nothing is read
that is no regular file. What is empty, cut off, or a pointer to the real file is said in one line.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from ...core.errors import InputError
from ...core.files import json_lines, json_value

MAX_DOCUMENT = 2**30
"""Bytes of a JSON document, unpacked: it can only be read whole."""
MAX_LINE = 64 * 2**20
"""Bytes of one line of JSON lines, unpacked."""
_GZIP = b"\x1f\x8b"
_LFS = b"version https://git-lfs"
_EMPTY = "an empty file"
AGAIN = "copy or unpack the file again"


def name_of(path: Path) -> str:
    """The file's name without ``.gz``."""
    return path.name.removesuffix(".gz")


def stem_of(path: Path) -> str:
    """The file's name without ``.gz`` and its last ending."""
    return Path(name_of(path)).stem


def head(path: Path, size: int = 2048) -> bytes:
    """The first bytes, unpacked; empty for what is no file or can't be read."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            start = file.read(max(size, 4096))
            if start[:2] != _GZIP:
                return start[:size]
            return zlib.decompressobj(wbits=31).decompress(start, size)
    except (OSError, ValueError, zlib.error):
        return b""


def check(path: Path) -> None:
    """Raise :class:`InputError` for a file that is empty or a Git LFS pointer."""
    if what := _hollow(path):
        remedy = "fetch the file: git lfs pull" if what != _EMPTY else AGAIN
        raise InputError(what, place=str(path), remedy=remedy)


def hollow_in(folder: Path, *patterns: str) -> list[str]:
    """A note for every file of these names that is empty or a Git LFS pointer."""
    found = sorted({file for pattern in patterns for file in folder.rglob(pattern)})
    return [f"{file}: left out, {what}" for file in found if (what := _hollow(file))]


def _hollow(path: Path) -> str:
    """What a file without content is, else empty."""
    start = head(path, 256)
    if start.startswith(_LFS):
        return "a Git LFS pointer, not the file itself"
    return _EMPTY if not start and path.is_file() and path.stat().st_size == 0 else ""


@contextmanager
def opened(path: Path, *, remedy: str = AGAIN) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked. Raises :class:`InputError` for what can't be read or unpacked."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            yield cast("IO[bytes]", gzip.GzipFile(fileobj=raw) if packed else raw)
    except EOFError:
        raise InputError("is cut off: the gzip ends early", place=str(path), remedy=AGAIN) from None
    except (gzip.BadGzipFile, zlib.error) as err:
        raise InputError(f"a damaged gzip ({err})", place=str(path), remedy=AGAIN) from None
    except OSError as err:
        what = f"not readable: {err.strerror or err}"
        raise InputError(what, place=str(path), remedy=remedy) from None


def data(path: Path, *, remedy: str = AGAIN) -> bytes:
    """The whole file, unpacked; at most :data:`MAX_DOCUMENT` bytes."""
    with opened(path, remedy=remedy) as file:
        found = file.read(MAX_DOCUMENT + 1)
    if len(found) > MAX_DOCUMENT:
        what = f"more than {MAX_DOCUMENT // 2**20} MiB in one document"
        raise InputError(what, place=str(path), remedy="import a part of it")
    return found


def document(path: Path, *, remedy: str) -> Any:
    """The JSON value in the file: an object or a list."""
    check(path)
    raw = data(path, remedy=remedy)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", place=str(path), remedy=remedy) from None
    try:
        return json_value(text, str(path), remedy)
    except InputError:
        if text.rstrip()[-1:] not in ("}", "]"):
            what = "is cut off: its JSON does not end"
            raise InputError(what, place=str(path), remedy=AGAIN) from None
        raise


def records(path: Path, *, remedy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place ("file:line") and object of every line of JSON lines; lazily."""
    check(path)
    last = [b"\n"]
    with opened(path, remedy=remedy) as file:
        try:
            yield from json_lines(_lines(file, path, last), path=path, remedy=remedy)
        except InputError as err:
            if last[0].endswith(b"\n"):
                raise
            what = "is cut off: the last line does not end"
            raise InputError(what, place=err.place, remedy=AGAIN) from None


def _lines(file: IO[bytes], path: Path, last: list[bytes]) -> Iterator[bytes]:
    """The file's lines; ``last`` always holds the one that was read last."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        if len(line) > MAX_LINE:
            what = f"a line of more than {MAX_LINE // 2**20} MiB"
            raise InputError(what, place=f"{path}:{number}", remedy="is it JSON lines?")
        last[0] = line
        yield line
