"""Tasks of one file that become one benchmark although nothing says that they belong together."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.shown import listed
from ...core.taxonomy import Taxonomy
from .foreign_run import Taken

SHOWN = 4
"""Tasks that a note names."""


def pooled(taken: Iterable[Taken], taxonomy: Taxonomy) -> tuple[str, ...]:
    """A note for every benchmark that several tasks are taken for by their very names.

    ``nq_open`` and ``Natural Questions`` may be one data set asked twice. The subjects of MMLU,
    which a pattern of the taxonomy takes together, are parts by nature and need no note.
    """
    by_benchmark: dict[str, dict[str, None]] = {}
    for one in taken:
        found = None if one.left_out else taxonomy.match(one.task)
        if found is not None and not found.family:
            by_benchmark.setdefault(one.benchmark, {})[one.task] = None
    return tuple(
        f"{listed(list(tasks), SHOWN)} are pooled: all are taken for {benchmark}; leave one out, "
        "or give one an entry of its own in a --map file"
        for benchmark, tasks in by_benchmark.items()
        if len(tasks) > 1
    )
