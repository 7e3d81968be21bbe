"""The files of Inspect's logs: a zip of JSON members (``.eval``) or one JSON document (``.json``).

Format version 2. A log comes from another program: no member is unpacked beyond
:data:`MAX_MEMBER` bytes, no document read beyond :data:`MAX_DOCUMENT`.
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
"""Bytes of one sample, unpacked: a member that claims more is refused (a zip bomb, mostly)."""
MAX_DOCUMENT = 256 * 2**20
"""Bytes of a .json log: it can only be read whole."""
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
    """The log without its samples.

    Raises :class:`InputError` for what is not a log, and for one without a header: the evaluation
    was killed or still runs.
    """
    if path.suffix == ".json":
        log = _document(path)
        log["has_samples"] = bool(log.pop("samples", None))
        return log
    with _archive(path) as archive:
        members = {info.filename: info for info in archive.infolist()}
        if "header.json" not in members:
            raise InputError(
                "no header.json in it: the evaluation was stopped or still runs",
                place=str(path),
                remedy="finish it: inspect eval-retry LOG",
            )
        _, header = _member(archive, members["header.json"], path)
        header["has_samples"] = any(map(_is_sample, members))
        return header


def read_samples(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Place and content of every sample, in the log's order; one member in memory at a time."""
    if path.suffix == ".json":
        samples = _document(path).get("samples")
        for number, sample in enumerate(samples if isinstance(samples, list) else ()):
            if not isinstance(sample, dict):
                raise InputError("not a sample", place=f"{path} (samples[{number}])", remedy=AGAIN)
            yield f"{path} (samples[{number}])", sample
        return
    with _archive(path) as archive:
        # A rewritten log may hold a member twice: the last one counts, as in the zip's directory.
        members = {info.filename: info for info in archive.infolist()}
        for name, info in members.items():
            if _is_sample(name):
                yield _member(archive, info, path)


def _is_sample(name: str) -> bool:
    return name.startswith("samples/") and name.endswith(".json")


def _document(path: Path) -> dict[str, Any]:
    if (size := path.stat().st_size) > MAX_DOCUMENT:
        raise InputError(
            f"{size // 2**20} MiB; .json logs above {MAX_DOCUMENT // 2**20} MiB are refused",
            place=str(path),
            remedy="inspect log convert --to eval, and import that",
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
            f"{info.file_size // 2**20} MiB unpacked; members above {MAX_MEMBER // 2**20} MiB "
            "are refused",
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
    """A member packed by zstandard: newer Inspect's default, which zipfile reads from 3.14 on."""
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
        # Long members are several frames; one byte more than promised shows a lie.
        with unpacker.stream_reader(packed, read_across_frames=True) as reader:
            content: bytes = reader.read(info.file_size + 1)
    except zstandard.ZstdError as err:
        _broken(f"not readable ({err})", place)
    if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
        _broken("not readable (wrong length or checksum)", place)
    return content


def _broken(what: str, place: str) -> NoReturn:
    raise InputError(what, place=place, remedy=AGAIN) from None
