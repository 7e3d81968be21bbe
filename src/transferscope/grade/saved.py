"""Saved responses: JSONL with id, prompt, response and, where known, gold, label and finish.

What ``score`` and ``audit`` read. ``prompt`` may be missing (empty then), ``id`` too (the line's
number then); ``gold`` is whatever a grader understands; ``label`` is somebody's reference verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import read_json_lines

REMEDY = 'give one JSON object per line: {"id": ..., "prompt": ..., "response": ...}'


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """One line. ``place`` is "file:line"; ``finish`` as in :class:`~..core.records.Generation`."""

    id: str
    prompt: str
    response: str
    gold: Any
    label: bool | None
    finish: str | None
    place: str


def read_saved(path: Path) -> Iterator[SavedResponse]:
    """Every line of ``path``, lazily.

    Raises :class:`InputError` naming file and line for a missing file, no line at all, a field of
    the wrong kind or an id that stands there twice.
    """
    seen: dict[str, str] = {}
    for number, (place, row) in enumerate(read_json_lines(path, remedy=REMEDY)):
        saved = _saved(row, place, number)
        if saved.id in seen:
            what = f"id {saved.id!r} stands there twice, first in {seen[saved.id]}"
            raise InputError(what, place=place, remedy="give every line an id of its own")
        seen[saved.id] = place
        yield saved


def _saved(row: dict[str, Any], place: str, number: int) -> SavedResponse:
    id_ = row.get("id", number)
    if isinstance(id_, bool) or not isinstance(id_, str | int):
        raise InputError("'id' is neither text nor a whole number", place=place, remedy=REMEDY)
    for name in ("prompt", "response", "finish"):
        value = row.get(name, "" if name == "prompt" else None)
        if not isinstance(value, str) and not (name == "finish" and value is None):
            what = f"{name!r} is not text" if name in row else f"no field {name!r}"
            raise InputError(what, place=place, remedy=REMEDY)
    label = row.get("label")
    if label is not None and label not in (True, False):  # 0 and 1 equal False and True
        raise InputError("'label' is neither true nor false", place=place, remedy=REMEDY)
    return SavedResponse(
        id=str(id_),
        prompt=row.get("prompt", ""),
        response=row["response"],
        gold=row.get("gold"),
        label=None if label is None else bool(label),
        finish=row.get("finish"),
        place=place,
    )
