"""The folder of data files: where it is by default, and which files of a suite are in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ...assets import cache_dir
from ...core.errors import InputError, TransferscopeError
from ...core.rowfiles import LINES, TABLES
from ...core.unpacking import bare_suffix
from ..definition import DrawItems
from .data_sources import Source, sources_of

READABLE = (*LINES, ".json", *TABLES, ".parquet")
"""Suffixes of data files, apart from ``.gz``."""

State = Literal["found", "missing", "several"]


def default_folder() -> Path:
    """Where files are downloaded to and looked for unless ``--data DIR`` names a folder."""
    return cache_dir() / "data"


def files_beginning(folder: Path, start: str) -> list[Path]:
    """The data files in ``folder`` whose names begin with ``start`` (lower case), sorted."""
    return sorted(
        file
        for file in folder.glob("*")
        if file.name.lower().startswith(start) and bare_suffix(file) in READABLE
    )


@dataclass(frozen=True, slots=True)
class Stored:
    """A source and the data files of the folder that begin with its ``start``."""

    source: Source
    files: tuple[Path, ...]

    @property
    def state(self) -> State:
        """Whether the file is there, and once."""
        if len(self.files) > 1:
            return "several"
        return "found" if self.files else "missing"


def stored(folder: Path, benchmarks: Iterable[str]) -> list[Stored]:
    """The files of ``benchmarks`` and what ``folder`` has of them.

    Raises :class:`InputError` if ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("is not a folder", place=str(folder), remedy="name the files' folder")
    return [
        Stored(source, tuple(files_beginning(folder, source.start)))
        for source in sources_of(benchmarks)
    ]


def missing(found: Sequence[Stored]) -> list[Source]:
    """The sources that are missing."""
    return [each.source for each in found if each.state == "missing"]


def refuse_missing(folder: Path, benchmarks: Sequence[str], *, suite: str) -> None:
    """Raise :class:`InputError` if ``folder`` lacks files that ``benchmarks`` can't do without.

    The message names every missing file, the folder, and the command that downloads them.
    """
    lacking = [
        source.target
        for source in missing(stored(folder, benchmarks))
        if not any(files_beginning(folder, start) for start in source.instead)
    ]
    if not lacking:
        return
    count = "1 data file is" if len(lacking) == 1 else f"{len(lacking)} data files are"
    data = "" if folder == default_folder() else f" --data {folder}"
    raise InputError(
        f"{count} missing: {', '.join(lacking)}",
        place=str(folder),
        remedy=f"run: transferscope data --suite {suite}{data} --download; or put them there "
        "(without --download, the command lists their sources)",
    )


@dataclass(frozen=True, slots=True)
class Drawn:
    """How many items of a benchmark could be drawn, or why none could."""

    benchmark: str
    items: int | None
    fault: str | None = None


def drawn(benchmark: str, items: DrawItems, folder: Path) -> Drawn:
    """Draw all items of ``benchmark`` from ``folder`` and count them."""
    try:
        return Drawn(benchmark, len(items(None, seed=0, data=folder)))
    except TransferscopeError as err:
        return Drawn(benchmark, None, str(err))
