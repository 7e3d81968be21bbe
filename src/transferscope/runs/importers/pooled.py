"""Warn about tasks of one file that are pooled into one benchmark only because of their names."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.shown import listed
from ...core.taxonomy import Taxonomy
from .foreign_run import Taken

SHOWN = 4
"""Number of tasks named in a note."""


def pooled(taken: Iterable[Taken], taxonomy: Taxonomy) -> tuple[str, ...]:
    """A note for every benchmark to which several tasks are mapped by name.

    ``nq_open`` and ``Natural Questions`` may be one data set that was asked twice. The subjects of
    MMLU, which a pattern of the taxonomy combines, are parts by design and need no note.
    """
    by_benchmark: dict[str, dict[str, None]] = {}
    for one in taken:
        found = None if one.left_out else taxonomy.match(one.task)
        if found is not None and not found.family:
            by_benchmark.setdefault(one.benchmark, {})[one.task] = None
    return tuple(
        f"{listed(list(tasks), SHOWN)} are pooled, because all are mapped to {benchmark}; remove "
        "one of them, or give it an entry of its own in a --map file"
        for benchmark, tasks in by_benchmark.items()
        if len(tasks) > 1
    )
