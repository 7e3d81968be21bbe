"""Where a command may write: checked before anything is read, so that no input is written over."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..core.errors import InputError

_DATA = (".json", ".jsonl", ".ndjson", ".eval", ".csv", ".tsv", ".parquet", ".toml", ".gz")
"""Endings of files that a folder of results may be read for."""
_MODEL = ("config.json", "adapter_config.json")
REMEDY = "name another file"


def check_outputs(
    outputs: Mapping[str, Path | None],
    inputs: Sequence[Path | str | None] = (),
    *,
    resumes: bool = False,
) -> None:
    """Raise :class:`InputError` for outputs (by option) that would be written over something.

    Refused are one path for two outputs, a path that is an input, a file of results in a folder
    that is an input, a model's folder, and a run folder and whatever lies inside one: that is its
    writer's alone. A command that ``resumes`` goes on with a run folder and looks itself at
    what a folder holds. So is what is no file. Nothing is read or made; what can't even be looked
    at is left to the writer.
    """
    given = [Path(path) for path in inputs if path is not None]
    taken: dict[str, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        try:
            place = os.path.realpath(path)
            if (other := taken.setdefault(place, option)) != option:
                what = f"is asked for twice, by {other} and {option}"
                raise InputError(what, place=str(path), remedy=REMEDY)
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise InputError("is no file to write to", place=str(path), remedy=REMEDY)
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
        remedy = "name a folder of its own" if option == "--out" else REMEDY
        raise InputError("is an input of this command", place=str(path), remedy=remedy)
    inside = source.is_dir() and source.resolve() in place.parents
    if inside and path.is_file() and path.suffix in _DATA:
        what = f"is a file of the input {source}"
        raise InputError(what, place=str(path), remedy="name a place outside of it")


def _refuse_taken(path: Path) -> None:
    from ..runs.manifest import MANIFEST_FILE

    found = next((file for file in (MANIFEST_FILE, *_MODEL) if (path / file).is_file()), None)
    if found is not None:
        what = "is a run folder" if found == MANIFEST_FILE else f"is a model's folder ({found})"
        raise InputError(what, place=str(path), remedy="name a folder of its own")


def _refuse_inside(path: Path, place: Path) -> None:
    from ..runs.manifest import MANIFEST_FILE

    for folder in place.parents:
        if (folder / MANIFEST_FILE).is_file():
            what = f"is inside the run folder {folder}"
            raise InputError(what, place=str(path), remedy="name a place outside of it")
