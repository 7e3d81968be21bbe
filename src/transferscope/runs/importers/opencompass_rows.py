"""Read OpenCompass' details (which answers were correct) and predictions (the answers).

Details are a list (since 0.4, with ``example_abbr`` and a list of values, one per replica of the
data set) or an object keyed by number. Predictions are keyed by number, one replica after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.records import digest
from ...core.unpacking import bare_stem
from .documents import document, files_named
from .foreign_run import Sample
from .naming import Place
from .table_rows import sample_at
from .values import mapping, share

REMEDY = "evaluate again with --dump-eval-details"
_CORRECT = ("correct", "is_correct", "cascade_correct")
_RESPONSE = ("origin_prediction", "prediction")


class Detail(NamedTuple):
    """One item: its scores by replica (``None``: not graded), and its row."""

    id: str
    scores: tuple[float | None, ...]
    row: dict[str, Any]


def details_of(raw: object) -> list[Detail]:
    """The items of a result's ``details`` that say whether they are correct."""
    if isinstance(raw, dict):
        rows = [(key, row) for key, row in raw.items() if isinstance(row, dict)]
    elif isinstance(raw, list):
        rows = [(str(at), row) for at, row in enumerate(raw) if isinstance(row, dict)]
    else:
        return []
    found = []
    for at, row in rows:
        name = next((name for name in _CORRECT if name in row), None)
        if name is None:
            continue
        values = row[name] if isinstance(row[name], list) else [row[name]]
        abbr = row.get("example_abbr")
        item = abbr.rpartition("_")[2] if isinstance(abbr, str) else ""
        found.append(Detail(item if item.isdigit() else at, tuple(map(share, values)), row))
    return found


def predictions_beside(result: Path) -> list[Path]:
    """The ``predictions/MODEL/DATASET.json`` of a result, or its parts ``DATASET_0.json``, ..."""
    file = result.resolve()
    folder = file.parents[2] / "predictions" / file.parent.name
    for ending in (".json", ".json.gz"):
        if (whole := folder / f"{bare_stem(file)}{ending}").is_file():
            return [whole]
        parts: list[Path] = []
        while (part := folder / f"{bare_stem(file)}_{len(parts)}{ending}").is_file():
            parts.append(part)
        if parts:
            return parts
    return []


def unevaluated(results: list[Path]) -> list[str]:
    """A note for every prediction that has no result in ``results``."""
    notes = []
    for folder in sorted({file.resolve().parent for file in results}):
        known = {bare_stem(file) for file in files_named(folder, "*", depth=0)}
        beside = folder.parents[1] / "predictions" / folder.name
        said = files_named(beside, "*.json*", depth=0) if beside.is_dir() else []
        stems = {bare_stem(file) for file in said}
        bare = {re.sub(r"^tmp_|_[0-9]+$", "", stem) for stem in stems if stem not in known}
        for name in sorted(bare - known):
            notes.append(f"{name}: left out, it was not evaluated: the run was stopped")
    return notes


def predicted(files: list[Path]) -> list[dict[str, Any]]:
    """The predictions in order; the numbers of each part start at 0."""
    found = []
    for file in files:
        raw = document(file, remedy="infer again with OpenCompass")
        if not isinstance(raw, dict):
            raise InputError("not OpenCompass predictions", place=str(file), remedy=REMEDY)
        numbered = sorted((int(at), row) for at, row in raw.items() if at.isdigit())
        found += [mapping(row) for _, row in numbered]
    return found


def read_details(
    file: Path, place: Place, details: list[Detail], predictions: list[Path], first: int = 0
) -> Iterator[Sample]:
    """Read every graded answer; its text is from the predictions, else from the details.

    Repeats are numbered from ``first``.
    """
    given = predicted(predictions)
    for at, detail in enumerate(details):
        for repeat, score in enumerate(detail.scores):
            if score is None:
                continue
            number = repeat * len(details) + at
            row = given[number] if number < len(given) else {}
            text = _text(row) or _text(detail.row)
            asked = row.get("origin_prompt", detail.row.get("prompt"))
            fields: dict[str, Any] = {"id": detail.id, "score": score, "repeat": first + repeat}
            if text is not None:
                fields |= {"response": text, "prompt": _prompt(asked)}
            # The prompt includes the model's template, so it can't serve as the message hash.
            hashed = None if asked is None else digest(asked)
            yield sample_at(fields, place, where=str(file), remedy=REMEDY, rendered_hash=hashed)


def _text(row: dict[str, Any]) -> str | None:
    values = (row.get(name) for name in _RESPONSE)
    return next((value for value in values if isinstance(value, str)), None)


def _prompt(asked: object) -> str:
    """The prompt as text, from a text or a list of turns ``{"role", "prompt"}``."""
    if isinstance(asked, list):
        turns = (mapping(turn) for turn in asked)
        return "\n\n".join(str(turn.get("prompt", turn.get("content", ""))) for turn in turns)
    return asked if isinstance(asked, str) else ""
