"""Real benchmarks from a folder of files with the original field names.

``--data DIR`` gives the folder (default: :func:`.data_folder.default_folder`). It holds one file
per benchmark, or one for each of its parts, recognised by the beginning of its name: JSON lines, a
JSON array, CSV or parquet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ...core.errors import InputError
from ...core.rowfiles import read_rows
from ..definition import Item
from .data_folder import default_folder, files_beginning

REMEDY = "give one JSON object per line with the benchmark's original field names"
LONGEST = 32_768
"""Maximum number of tokens of an answer in the paper's protocol; thinking counts."""

Lines = Iterable[tuple[str, dict[str, Any]]]
"""(place, row) of every row of the files; the place is FILE:LINE."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """Draws the items of ``benchmark`` from the files whose names begin with ``starts``.

    There must be one file for each start (lower case). ``read`` turns their rows into items.
    Implements :class:`~transferscope.tasks.definition.DrawItems`. Items of one cluster are drawn
    together, so ``n`` counts clusters if there are any. Subsets are strata: clusters are drawn from
    each in turn, and the drawn items are weighted so that all subsets count the same in their mean.
    """

    benchmark: str
    starts: tuple[str, ...]
    read: Callable[[Lines], Iterable[Item]]

    def __call__(self, n: int | None, *, seed: int, data: Path | None) -> list[Item]:
        """Draw ``n`` items or clusters; fewer if the files have no more."""
        paths = [self.path(data, start) for start in self.starts]
        strata: dict[str, dict[str, list[Item]]] = {}
        lines = chain.from_iterable(read_rows(path, remedy=REMEDY) for path in paths)
        for item in self.read(lines):
            clusters = strata.setdefault(item.subset, {})
            clusters.setdefault(item.cluster or item.id, []).append(item)
        if not strata:
            raise InputError("contains no usable item", place=str(paths[0]), remedy=REMEDY)
        drawn = list(self._in_turn(strata, seed))
        return _evenly_weighted([item for items in drawn[:n] for item in items])

    def _in_turn(
        self, strata: Mapping[str, Mapping[str, list[Item]]], seed: int
    ) -> Iterator[list[Item]]:
        """The clusters, shuffled in each subset; the first of every subset, then the second ..."""
        queues: list[list[list[Item]]] = []
        for subset in sorted(strata):
            named = "-".join(filter(None, (self.benchmark, subset)))
            queue = list(strata[subset].values())
            random.Random(f"transferscope-{named}-{seed}").shuffle(queue)
            queues.append(queue)
        for at in range(max(map(len, queues))):
            yield from (queue[at] for queue in queues if at < len(queue))

    def path(self, data: Path | None, start: str) -> Path:
        """The file in the folder ``data`` whose name begins with ``start``.

        Raises :class:`InputError` if there is no such file or several.
        """
        folder = default_folder() if data is None else data
        found = files_beginning(folder, start)
        if len(found) == 1:
            return found[0]
        what = f"{len(found) or 'no'} files {start}* for benchmark {self.benchmark}"
        remedy = "keep one of them in the folder"
        if not found:
            remedy = "see what is needed, and where from: transferscope data"
        raise InputError(what, place=str(folder), remedy=remedy)


def _evenly_weighted(drawn: list[Item]) -> list[Item]:
    """``drawn`` with weights that give all subsets the same share of the mean."""
    totals: dict[str, float] = {}
    for item in drawn:
        totals[item.subset] = totals.get(item.subset, 0.0) + item.weight
    if len(totals) == 1:
        return drawn
    largest = max(totals.values())
    return [replace(item, weight=item.weight * largest / totals[item.subset]) for item in drawn]


def bad_row(what: str, place: str) -> InputError:
    """The error for a row that doesn't have the benchmark's format."""
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
