"""Read the files of Inspect's logs: a zip of JSON members (``.eval``) or one document (``.json``).

Format version 2. Logs are untrusted input, so no member is decompressed beyond :data:`MAX_MEMBER`
bytes, and no document beyond :data:`MAX_DOCUMENT` bytes is read.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn
from zipfile import BadZipFile, LargeZipFile, ZipFile, ZipInfo

from ...core.errors import InputError
from ...core.files import is_file, json_lines, open_file, read_json

MAX_MEMBER = 64 * 2**20
"""Maximum bytes of one sample, decompressed. A larger member is refused: it may be a zip bomb."""
MAX_DOCUMENT = 256 * 2**20
"""Maximum bytes of a .json log, which has to be read into memory."""
LOGS = (".eval", ".json")
_ZSTANDARD = 93
_START = re.compile(
    rb'\s{0,64}\{\s{0,64}"version"\s{0,64}:\s{0,64}\d{1,9}\s{0,64},\s{0,64}"status"'
)
AGAIN = "copy the log again, or repair it with Inspect (inspect log convert)"


def is_log(path: Path) -> bool:
    """Whether ``path`` is a log, by its name and, for .json, by its first bytes."""
    if path.suffix not in LOGS or not is_file(path):
        return False
    if path.suffix == ".eval":
        return True
    with open_file(path, remedy=AGAIN) as file:
        return _START.match(file.read(1024)) is not None


def read_header(path: Path) -> dict[str, Any]:
    """Read the log without its samples.

    Raises :class:`InputError` for a file that is not a log, and for one without a header, because
    the evaluation was killed or is still running.
    """
    if path.suffix == ".json":
        log = _document(path)
        log["has_samples"] = bool(log.pop("samples", None))
        return log
    with _archive(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if "header.json" not in members:
            raise InputError(
                "has no header.json: the evaluation was stopped or is still running",
                place=str(path),
                remedy="finish it: inspect eval-retry LOG",
            )
        _, header = _member(archive, members["header.json"], path)
        header["has_samples"] = any(map(_is_sample, members))
        return header


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The place and content of every sample, in the log's order, one at a time in memory."""
    if path.suffix == ".json":
        samples = _document(path).get("samples")
        for number, sample in enumerate(samples if isinstance(samples, list) else ()):
            if not isinstance(sample, dict):
                raise InputError("not a sample", place=f"{path} (samples[{number}])", remedy=AGAIN)
            yield f"{path} (samples[{number}])", sample
        return
    with _archive(path) as archive:
        # A rewritten log may have a member twice: the last one counts, as in the zip's directory.
        members = {info.filename: info for info in archive.infolist()}
        for name, info in members.items():
            if _is_sample(name):
                yield _member(archive, info, path)


def _is_sample(name: str) -> bool:
    return name.startswith("samples/") and name.endswith(".json")


def _document(path: Path) -> dict[str, Any]:
    if (size := path.stat().st_size) > MAX_DOCUMENT:
        raise InputError(
            f"has {size // 2**20} MiB; .json logs above {MAX_DOCUMENT // 2**20} MiB are refused",
            place=str(path),
            remedy="convert it with `inspect log convert --to eval`, and import the result",
        )
    return read_json(path, remedy=AGAIN)


def _archive(path: Path) -> ZipFile:
    try:
        return ZipFile(path)
    except (BadZipFile, OSError, ValueError, struct.error) as err:
        _broken(f"not an Inspect log ({err})", str(path))


def _member(archive: ZipFile, info: ZipInfo, path: Path) -> tuple[str, dict[str, Any]]:
    place = f"{path}/{info.filename}"
    if max(info.file_size, info.compress_size) > MAX_MEMBER:
        raise InputError(
            f"has {info.file_size // 2**20} MiB decompressed; members above "
            f"{MAX_MEMBER // 2**20} MiB are refused",
            place=place,
            remedy="convert the log without its events, or leave it out",
        )
    try:
        if info.compress_type == _ZSTANDARD and not hasattr(zipfile, "ZIP_ZSTANDARD"):
            content = _unpack_zstandard(archive, info, place)
        else:
            content = archive.read(info)
    except (
        *(BadZipFile, LargeZipFile, zlib.error, struct.error, EOFError, OSError),
        *(NotImplementedError, RuntimeError, ValueError),
    ) as err:  # RuntimeError: encrypted
        _broken(f"not readable ({err})", place)
    found = next(json_lines([content], path=Path(place), remedy=AGAIN), None)
    if found is None:
        _broken("empty", place)
    return place, found[1]


def _unpack_zstandard(archive: ZipFile, info: ZipInfo, place: str) -> bytes:
    """Decompress a zstandard member: newer Inspect's default, which zipfile reads from 3.14 on."""
    import zstandard

    file: IO[bytes] | None = archive.fp
    if file is None:
        _broken("not readable (closed)", place)
    file.seek(info.header_offset)
    head = file.read(30)
    name_length, extra_length = struct.unpack("<HH", head[26:30])
    file.seek(info.header_offset + 30 + name_length + extra_length)
    packed = file.read(info.compress_size)
    unpacker = zstandard.ZstdDecompressor(max_window_size=2**27)
    try:
        # Long members have several frames. Reading one extra byte detects a wrong size in the zip.
        with unpacker.stream_reader(packed, read_across_frames=True) as reader:
            content: bytes = reader.read(info.file_size + 1)
    except zstandard.ZstdError as err:
        _broken(f"not readable ({err})", place)
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        _broken("not readable (wrong length or checksum)", place)
    return content


def _broken(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=AGAIN) from None
