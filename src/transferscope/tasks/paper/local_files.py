"""Real benchmarks from a folder of JSON-lines files with the original field names.

``--data DIR`` gives the folder. It holds one file per benchmark, recognised by the beginning of its
name.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.files import read_json_lines
from ..definition import Item

REMEDY = "give one JSON object per line with the benchmark's original field names"

Lines = Iterable[tuple[str, dict[str, Any]]]
"""(place, row) of every line of a file; the place is FILE:LINE."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """Draws the items of ``benchmark`` from the file whose name begins with ``start`` (lower case).

    ``read`` turns a file's lines into items. Implements
    :class:`~transferscope.tasks.definition.DrawItems`. Items of one cluster are drawn together, so
    ``n`` counts clusters if there are any.
    """

    benchmark: str
    start: str
    read: Callable[[Lines], Iterable[Item]]

    def __call__(self, n: int | None, *, seed: int, data: Path | None) -> list[Item]:
        """Draw ``n`` items or clusters; fewer if the file has no more."""
        path = self.path(data)
        found: dict[str, list[Item]] = {}
        for item in self.read(read_json_lines(path, remedy=REMEDY)):
            found.setdefault(item.cluster or item.id, []).append(item)
        if not found:
            raise InputError("contains no usable item", place=str(path), remedy=REMEDY)
        clusters = list(found)
        random.Random(f"transferscope-{self.benchmark}-{seed}").shuffle(clusters)
        return [item for name in clusters[:n] for item in found[name]]

    def path(self, data: Path | None) -> Path:
        """The benchmark's file in the folder ``data``.

        Raises :class:`InputError` without a folder, and if there is no such file or several.
        """
        if data is None:
            remedy = "name a folder of JSON-lines files: --data DIR"
            what = f"benchmark {self.benchmark} needs a local file"
            raise InputError(what, remedy=remedy)
        found = sorted(f for f in data.glob("*.jsonl") if f.name.lower().startswith(self.start))
        if len(found) != 1:
            count = len(found) or "no"
            what = f"{count} files {self.start}*.jsonl for benchmark {self.benchmark}"
            remedy = "keep one file of each benchmark in the folder"
            raise InputError(what, place=str(data), remedy=remedy)
        return found[0]


def bad_row(what: str, place: str) -> InputError:
    """The error for a line that doesn't have the benchmark's format."""
    return InputError(what, place=place, remedy=REMEDY)


def text_in(row: Mapping[str, Any], name: str, place: str) -> str:
    """The text in a field. Raises :class:`InputError` if it has none."""
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        raise bad_row(f"no text in {name!r}", place)
    return value


def list_in(row: Mapping[str, Any], name: str, place: str) -> list[Any]:
    """The list in a field. Raises :class:`InputError` if it has none."""
    value = row.get(name)
    if not isinstance(value, list):
        raise bad_row(f"no list in {name!r}", place)
    return value
