"""Reader of saved responses: rows with id, prompt, response and optional gold, label and finish.

``score`` and ``audit`` read JSON lines, a JSON array, a table or parquet. A missing ``prompt`` is
empty, and a missing ``id`` is the row's number. ``gold`` is whatever the grader accepts. ``label``
is a reference verdict, for instance a person's. Other programs' field names are recognised, and
several responses in one row are repeats of its item.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..core.answers import ENDS, Answer, answers_in, asked_in, failures, item_key
from ..core.columns import SNIFFED, Names, settle
from ..core.errors import InputError
from ..core.modelnames import chosen_model, split_model
from ..core.rowfiles import TABLES, rows_of
from ..core.shown import name as shown
from ..core.unpacking import bare_suffix

REMEDY = (
    'give one JSON object per line: {"id": ..., "prompt": ..., "response": ...}, '
    "or name its fields: --field response=COLUMN"
)
WANTED = ("id", "prompt", "response", "gold", "label", "finish", "repeat", "benchmark", "model")
REPEAT = "#"
"""Separates an item's id from the number of a further response."""


@dataclass(frozen=True, slots=True)
class SavedResponse:
    """One response. ``place`` is "file:line"; ``finish`` as in :class:`~..core.records.Generation`.

    ``id`` is unique per response: that of an item's ``repeat``-th further response ends in
    "#REPEAT". ``item`` identifies the item across files, without an id by what was asked.
    """

    id: str
    prompt: str
    response: str
    gold: Any
    label: bool | None
    finish: str | None
    place: str
    item: str = ""
    repeat: int = 0
    about: Mapping[str, str] = field(default_factory=dict)


class Saved:
    """The responses of a file, read lazily by iterating once; ``notes`` then says how.

    ``path`` may select one of the file's models: ``FILE::MODEL``. ``columns`` maps our field names
    to the file's. Iterating raises :class:`InputError` naming file and line for a missing file, a
    file without rows, a field of the wrong type or a duplicate id.
    """

    def __init__(self, path: Path, columns: Mapping[str, str] | None = None) -> None:
        self._path, self._model = split_model(path)
        self._columns = columns or {}
        self._said, self._failed = "", 0

    def __iter__(self) -> Iterator[SavedResponse]:
        rows = rows_of(self._path, remedy=REMEDY)
        first = list(islice(rows, SNIFFED))
        names = settle([row for _, row in first], self._columns, wanted=WANTED)
        self._said = names.said
        table = bare_suffix(self._path) in TABLES
        model = self._chosen(names.column.get("model", "model"))
        seen: dict[str, str] = {}
        for number, (place, row) in enumerate(chain(first, rows)):
            for saved in _saved(row, names, place, number, table=table):
                if saved is not None and model not in (None, saved.about.get("model")):
                    continue
                if saved is None:
                    self._failed += 1
                    continue
                if saved.id in seen:
                    what = f"id {saved.id!r} is not unique, it first occurs in {seen[saved.id]}"
                    several = "; select one of several models: FILE::MODEL" if saved.about else ""
                    remedy = f"give every line a unique id{several}"
                    raise InputError(what, place=place, remedy=remedy)
                seen[saved.id] = place
                yield saved
        if not seen:
            what, remedy = "has no answer: every request failed", "name a file with answers"
            raise InputError(what, place=str(self._path), remedy=remedy)

    def _chosen(self, column: str) -> str | None:
        """Return the selected model under its name in the file; ``None`` if none is selected."""
        if self._model is None:
            return None
        rows = rows_of(self._path, remedy=REMEDY)
        models: dict[str, str] = {}
        for place, row in rows:
            if row.get(column) is not None:
                models.setdefault(str(row[column]), place)
        if not models:
            what, remedy = "has no column of model names", "name it: --field model=COLUMN"
            raise InputError(what, place=str(self._path), remedy=remedy)
        return chosen_model(models, self._model, self._path)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return which fields were recognised and how many requests failed, one line each."""
        failed = failures(self._failed) if self._failed else ""
        return tuple(note for note in (self._said, failed) if note)


def graded_lines(rows: Iterable[SavedResponse], verdicts: Mapping[str, bool]) -> Iterator[str]:
    """Yield the responses with a verdict (by id) as lines of plain results (docs/importing.md)."""
    seen: Counter[str] = Counter()
    for row in rows:
        if row.id not in verdicts:
            continue
        line: dict[str, Any] = {
            "id": row.item,
            "repeat": max(row.repeat, seen[row.item]),
            **row.about,
            "score": int(verdicts[row.id]),
            "prompt": row.prompt,
            "response": row.response,
        }
        seen[row.item] = line["repeat"] + 1
        if row.finish in ("stop", "stop_string", "length"):
            line["finish"] = row.finish
        yield json.dumps(line, ensure_ascii=False) + "\n"


def _saved(
    row: Mapping[str, Any], names: Names, place: str, number: int, *, table: bool
) -> Iterator[SavedResponse | None]:
    """Yield the row's responses, ``None`` for a failed one; an empty table cell is left out."""
    found = {ours: row.get(theirs) for ours, theirs in names.column.items()}
    id_ = number if found.get("id") is None and "id" not in row else found.get("id")
    if isinstance(id_, bool) or not isinstance(id_, str | int):
        raise InputError("'id' is neither text nor a whole number", place=place, remedy=REMEDY)
    prompt = _read(asked_in, found.get("prompt"), names, "prompt", place)
    if names.also and row.get(names.also):
        prompt = f"{prompt}\n{row[names.also]}"
    answers = _responses(row, found, names, place)
    finish = found.get("finish")
    if finish is not None and not isinstance(finish, str):
        raise InputError("'finish' is not text", place=place, remedy=REMEDY)
    if "finish" in names.guessed and finish is not None:
        finish = ENDS.get(finish)
    first = found.get("repeat")
    if isinstance(first, str) and first.strip().isdecimal():
        first = int(first)
    start = first if isinstance(first, int) and first > 0 else 0
    known = {k: found.get(k) for k in ("benchmark", "model")}
    about = {name: value for name, value in known.items() if isinstance(value, str)}
    item = str(id_)
    if found.get("id") is None and prompt:
        item = item_key(found["prompt"], row.get(names.also))
    for repeat, answer in enumerate(answers, start=start):
        if answer.text is None:
            yield None
            continue
        yield SavedResponse(
            id=f"{id_}{REPEAT}{repeat}" if repeat else str(id_),
            prompt=prompt,
            response=answer.text,
            gold=_gold(found.get("gold"), table=table),
            label=_label(found.get("label"), place),
            finish=finish or answer.finish,
            place=place,
            item=item,
            repeat=repeat,
            about=about,
        )


def _responses(
    row: Mapping[str, Any], found: Mapping[str, Any], names: Names, place: str
) -> list[Answer]:
    column = names.column.get("response", "response")
    if found.get("response") is None:
        if column in row and not isinstance(row[column], str) and row.get("error"):
            return [Answer(None)]  # a failed request in a batch's output
        what = f"{column!r} is not text" if column in row else f"no field {column!r}"
        here = ", ".join(map(shown, list(row)[:12]))
        only = f", only {here}" if here and column not in row else ""
        raise InputError(what + only, place=place, remedy=REMEDY)
    answers: list[Answer] = _read(answers_in, found["response"], names, "response", place)
    return answers


def _read(read: Any, value: Any, names: Names, name: str, place: str) -> Any:
    try:
        return read(value)
    except ValueError as err:
        column = names.column.get(name, name)
        what = f"{column!r} {err}" if isinstance(value, list | dict) else f"{column!r} is not text"
        raise InputError(what, place=place, remedy=REMEDY) from None


def _gold(gold: Any, *, table: bool) -> Any:
    """Return the reference; for SQuAD's and TriviaQA's objects, the list of accepted texts."""
    if table and gold == "":
        return None
    if not isinstance(gold, Mapping):
        return gold
    texts = gold.get("text", gold.get("aliases"))
    return texts if isinstance(texts, list | str) else gold


def _label(label: Any, place: str) -> bool | None:
    if isinstance(label, str) and label.strip().lower() in ("", "true", "false", "0", "1"):
        word = label.strip().lower()  # a table's cell
        label = None if not word else word in ("true", "1")
    if label is not None and label not in (True, False):  # 0 and 1 equal False and True
        remedy = "give the verdict; a reference answer is the gold: --field gold=label"
        raise InputError("'label' is neither true nor false", place=place, remedy=remedy)
    return None if label is None else bool(label)
