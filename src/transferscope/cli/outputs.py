"""Check where a command may write before it reads anything, so that no input is overwritten."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.errors import InputError

_DATA = (".json", ".jsonl", ".ndjson", ".eval", ".csv", ".tsv", ".parquet", ".toml", ".gz")
"""Suffixes of files that may be read from a folder of results."""
_MODEL = ("config.json", "adapter_config.json")
REMEDY = "name another file"


def check_outputs(
    outputs: Mapping[str, Path | None],
    inputs: Sequence[Path | str | None] = (),
    *,
    resumes: bool = False,
) -> None:
    """Raise :class:`InputError` for an output (by option) that would overwrite something.

    Refused are: one path for two outputs, a path that is an input, a results file inside an input
    folder, a model folder, a run folder or a path inside one (only its writer may write there), and
    a path that exists but is neither a regular file nor a folder. A command that ``resumes`` may be
    given a run folder and checks its contents itself. Nothing is read or created here; a path that
    can't be inspected is left to the writer.
    """
    given = [Path(path) for path in inputs if path is not None]
    taken: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        try:
            place = os.path.realpath(path)
            if (other := taken.setdefault(place, option)) != option:
                what = f"is given twice, for {other} and {option}"
                raise InputError(what, place=str(path), remedy=REMEDY)
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise InputError("is not a regular file", place=str(path), remedy=REMEDY)
            for source in given:
                _refuse_input(option, path, Path(place), source)
            _refuse_inside(path, Path(place))
            if not resumes:
                _refuse_taken(path)
        except (OSError, ValueError):
            continue


def _refuse_input(option: str, path: Path, place: Path, source: Path) -> None:
    if not source.exists():
        return
    if place == source.resolve() or (path.exists() and path.samefile(source)):
        remedy = "name a different folder" if option == "--out" else REMEDY
        raise InputError("is an input of this command", place=str(path), remedy=remedy)
    inside = source.is_dir() and source.resolve() in place.parents
    if inside and path.is_file() and path.suffix in _DATA:
        what = f"is a file of the input {source}"
        raise InputError(what, place=str(path), remedy="name a path outside it")


def _refuse_taken(path: Path) -> None:
    from ..runs.manifest import MANIFEST_FILE

    found = next((file for file in (MANIFEST_FILE, *_MODEL) if (path / file).is_file()), None)
    if found is not None:
        what = "is a run folder" if found == MANIFEST_FILE else f"is a model folder ({found})"
        raise InputError(what, place=str(path), remedy="name a different folder")


def _refuse_inside(path: Path, place: Path) -> None:
    from ..runs.manifest import MANIFEST_FILE

    for folder in place.parents:
        if (folder / MANIFEST_FILE).is_file():
            what = f"is inside the run folder {folder}"
            raise InputError(what, place=str(path), remedy="name a path outside it")
