"""Files compressed with gzip, and text in the encodings that Windows writes (UTF-16).

Compressed files may be hostile: no more than :data:`MAX_UNPACKED` bytes of one are read, and a file
that expands more than :data:`MAX_GROWTH` allows is refused at once.
"""

from __future__ import annotations

import codecs
import gzip
import io
import os
import zlib
from pathlib import Path
from typing import IO

from .damage import AGAIN
from .errors import InputError

MAX_UNPACKED = 4 * 2**30
"""Maximum number of bytes that a .gz file may unpack to."""
MAX_GROWTH = 300
"""Maximum expansion of a .gz file that unpacks to more than :data:`FREE`. Text compresses to about
a tenth, a decompression bomb to a thousandth."""
FREE = 64 * 2**20
GZIP = b"\x1f\x8b"
"""The first bytes of a compressed file, whatever its name."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks and their encodings; UTF-32's mark begins with that of UTF-16."""


def unpacked(file: IO[bytes], path: Path) -> io.BufferedReader:
    """The content of the open .gz ``file``; damage raises :class:`InputError` naming ``path``.

    The result is seekable, but seeking may unpack the file again.
    """
    return io.BufferedReader(_Unpacked(file, path))


class _Unpacked(io.RawIOBase):
    """The content of a .gz file, limited in size; damage raises :class:`InputError` on reading."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._gzip, self._path = gzip.GzipFile(fileobj=file, mode="rb"), path
        self._limit = min(MAX_UNPACKED, max(FREE, MAX_GROWTH * os.fstat(file.fileno()).st_size))

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._gzip.seek(offset, whence)

    def tell(self) -> int:
        return self._gzip.tell()

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            content = self._gzip.read(len(buffer))
        except EOFError:
            what = "is cut off: the gzip data ends early"
            raise InputError(what, place=str(self._path), remedy=AGAIN) from None
        except (gzip.BadGzipFile, zlib.error) as err:
            what = f"is damaged: gzip can't unpack it ({err})"
            raise InputError(what, place=str(self._path), remedy=AGAIN) from None
        if self._gzip.tell() > self._limit:
            what = f"unpacks to more than {self._limit // 2**20:,} MiB"
            raise InputError(what, place=str(self._path), remedy="split or unpack it") from None
        buffer[: len(content)] = content
        return len(content)


def text_encoding(start: bytes) -> str:
    """A text's encoding according to its first bytes; "utf-8" unless they show another one.

    >>> text_encoding("model".encode("utf-16")), text_encoding(b"model")
    ('utf-16', 'utf-8')
    """
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    # UTF-16 without a mark: every other byte of ASCII text is 0.
    head = start[:64]
    if len(head) >= 4 and not any(head[1::2]) and all(head[0::2]):
        return "utf-16-le"
    if len(head) >= 4 and not any(head[0::2]) and all(head[1::2]):
        return "utf-16-be"
    return "utf-8"


def decoded(content: bytes, *, place: str, remedy: str) -> str:
    """Decode UTF-8 or UTF-16 bytes to text without a byte order mark.

    Raises :class:`InputError` for bytes that are neither.
    """
    encoding = text_encoding(content)
    try:
        return content.decode(encoding).removeprefix("\ufeff")  # some programs write two marks
    except UnicodeDecodeError:
        what = f"not {encoding.upper().removesuffix('-SIG')} text"
        raise InputError(what, place=place, remedy=f"save it as UTF-8, or {remedy}") from None


def unpacked_name(path: Path) -> Path:
    """``path`` without the suffix of gzip: ``results.json`` for ``results.json.gz``."""
    return path.with_suffix("") if path.suffix.lower() == ".gz" else path


def bare_name(path: Path) -> str:
    """The file's name without the suffix of gzip."""
    return unpacked_name(path).name


def bare_suffix(path: Path) -> str:
    """The file's suffix in lower case, without that of gzip.

    >>> bare_suffix(Path("a.JSON.gz")), bare_suffix(Path("b.csv"))
    ('.json', '.csv')
    """
    return unpacked_name(path).suffix.lower()


def bare_stem(path: Path) -> str:
    """The file's name without its suffixes.

    >>> bare_stem(Path("out/llama-3.1.csv.gz"))
    'llama-3.1'
    """
    return unpacked_name(path).stem
