"""A file that names the models of a cohort, for one evaluation of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import parse_toml, read_text
from ..runs.run_folder import SAFE_NAME

REMEDY = 'give one model per line (.txt), or [[models]] tables with model = "NAME" (.toml)'
_KEYS = ("model", "base", "name")


@dataclass(frozen=True, slots=True)
class CohortModel:
    """One model, the model that it was tuned from if known, and the name of its run folder.

    ``called`` is the model's name in the run (``None``: as in ``model``).
    """

    model: str
    base: str | None
    name: str
    called: str | None = None


def is_cohort(model: str) -> bool:
    """Whether ``model`` names a file of models."""
    path = Path(model)
    return path.suffix in (".toml", ".txt") and path.is_file()


def read_cohort(path: Path) -> list[CohortModel]:
    """The models that a file names, in its order.

    A text file has one model per line; ``#`` begins a comment. A TOML file has ``[[models]]``
    tables with ``model`` and, if wanted, ``base`` and ``name``. The name defaults to the last part
    of the model's path or id. Raises :class:`InputError` for any other content and for two models
    of one name.
    """
    text = read_text(path, remedy=REMEDY)
    if path.suffix == ".toml":
        rows = _tables(parse_toml(text, place=str(path)), path)
    else:
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        rows = [{"model": line} for line in lines if line]
    if not rows:
        raise InputError("names no model", place=str(path), remedy=REMEDY)
    found: dict[str, CohortModel] = {}
    for row in rows:
        model = row["model"]
        name = row.get("name", Path(model).name)
        if not SAFE_NAME.fullmatch(name):
            what = f"{name!r} can't be the name of a run folder"
            raise InputError(what, place=str(path), remedy='add name = "NAME" (.toml)')
        if name in found:
            what = f"two models have the name {name!r}"
            raise InputError(what, place=str(path), remedy='add name = "NAME" (.toml)')
        found[name] = CohortModel(model, row.get("base"), name)
    return list(found.values())


def _tables(content: dict[str, Any], path: Path) -> list[dict[str, str]]:
    rows = content.pop("models", None)
    if content or not isinstance(rows, list):
        what = f"unknown key {min(content)!r}" if content else "has no [[models]]"
        raise InputError(what, place=str(path), remedy=REMEDY)
    for number, row in enumerate(rows, start=1):
        place = f"{path} [[models]] {number}"
        if not isinstance(row, dict) or "model" not in row:
            raise InputError("has no key 'model'", place=place, remedy=REMEDY)
        if unknown := sorted(set(row) - set(_KEYS)):
            remedy = f"use {', '.join(_KEYS)}"
            raise InputError(f"unknown key {unknown[0]!r}", place=place, remedy=remedy)
        if not all(isinstance(value, str) and value.strip() for value in row.values()):
            raise InputError("every value must be a text", place=place, remedy=REMEDY)
    return rows
