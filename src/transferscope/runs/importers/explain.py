"""Explain how an import would interpret a file, without writing anything: ``import --explain``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...core.taxonomy import Taxonomy, load_taxonomy
from . import read_results
from .foreign_run import Results, Taken
from .pooled import pooled

NEAREST = 3
"""Number of names suggested for an unmapped task."""
LIKELY = 0.85
"""Minimum similarity at which a name is proposed as the same benchmark."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One task of a file: how it is interpreted, and its entry in the taxonomy.

    If the taxonomy doesn't have the task, ``group`` is ``None`` and ``nearest`` suggests names.
    ``chance`` (0..1) is ``None`` if the score of guessing is not known. ``likely`` is the benchmark
    that an unmapped task most probably is.
    """

    taken: Taken
    group: str | None
    chance: float | None
    nearest: tuple[str, ...] = ()
    likely: str | None = None

    @property
    def mapped(self) -> bool:
        """Whether the task is in the taxonomy."""
        return self.group is not None

    def map_lines(self) -> tuple[str, str]:
        """The table and the line of a ``--map`` file that would map an unmapped task.

        This is an alias if a benchmark is likely, else a new entry; the user must choose its group.
        """
        task = json.dumps(self.taken.task)
        if self.likely is not None:
            return "[aliases]", f"{task} = {json.dumps(self.likely)}"
        named = self.taken.metric not in ("", "score")
        metrics = f", metrics = [{json.dumps(self.taken.metric)}]" if named else ""
        return "[tasks]", f'{task} = {{ group = "GROUP"{metrics} }}'

    def to_json(self) -> dict[str, Any]:
        """The task's entry in the JSON output."""
        taken = self.taken
        return {
            "file": taken.file,
            "task": taken.task,
            "mapped": self.mapped,
            "benchmark": taken.benchmark,
            "group": self.group,
            "metric": taken.metric or None,
            "not_taken": list(taken.others),
            "n": taken.n,
            "lower_is_better": taken.lower_is_better,
            "chance": self.chance,
            "left_out": taken.left_out or None,
            "nearest": list(self.nearest),
            "map": None if self.mapped else "\n".join(self.map_lines()),
        }


@dataclass(frozen=True, slots=True)
class Explanation:
    """All tasks of the results at a path: unmapped ones first, then those left out."""

    path: Path
    format: str
    model: str
    tasks: tuple[Explained, ...]
    notes: tuple[str, ...]

    @property
    def unmapped(self) -> tuple[Explained, ...]:
        """The tasks that are not in the taxonomy."""
        return tuple(task for task in self.tasks if not task.mapped)

    def to_json(self) -> dict[str, Any]:
        """The JSON output of the command."""
        return {
            "path": str(self.path),
            "format": self.format,
            "model": self.model,
            "unmapped": [task.taken.task for task in self.unmapped],
            "tasks": [task.to_json() for task in self.tasks],
            "notes": list(self.notes),
        }


def explain(
    path: str | Path,
    *,
    format: str = "auto",
    mapping: Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> Explanation:
    """How an import of ``path`` with ``mapping`` would interpret each task.

    Raises :class:`InputError` as an import would, except for faults in single answers, which are
    not read.
    """
    path, taxonomy = Path(path), load_taxonomy(mapping, columns=columns)
    name, results = read_results(path, taxonomy, format)
    tasks = [_explained(taken, taxonomy) for taken in results.taken or _guessed(results, path)]
    tasks.sort(key=lambda task: (task.mapped, not task.taken.left_out))  # stable
    notes = (*results.said(), *pooled(results.taken, taxonomy))
    return Explanation(path, name, results.model.name, tuple(tasks), notes)


def _explained(taken: Taken, taxonomy: Taxonomy) -> Explained:
    entry = taxonomy.tasks.get(taken.benchmark)
    if entry is None:
        near = tuple(taxonomy.nearest(taken.task, n=NEAREST))
        likely = next(iter(taxonomy.nearest(taken.task, n=1, cutoff=LIKELY)), None)
        return Explained(taken, None, None, near, likely)
    return Explained(taken, entry.group, entry.chance)


def _guessed(results: Results, path: Path) -> list[Taken]:
    """The benchmarks under their names here, for an importer that doesn't list its tasks."""
    scored = {row.benchmark: row.n for row in results.scores}
    counts = {name: len({s.outcome.id for s in read()}) for name, read in results.samples.items()}
    return [Taken(str(path), name, name, n=n) for name, n in (scored | counts).items()]
