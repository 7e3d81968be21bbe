"""Training queries that the evaluation asks, too: removed before any arm sees them, and counted.

Every source of queries but the built-in one becomes ``queries/SOURCE.jsonl`` without them (see
``train/overlap``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.files import make_folder, write_json
from ..core.records import digest
from ..runs import Run
from ..train.config import PROCEDURAL, ArmConfig
from ..train.overlap import N, clean
from ..train.pool import queries_of, read_queries, write_queries
from ..train.queries import Query
from .config import Cell, StudyConfig

FILE = "overlap.json"


def clean_sources(config: StudyConfig, base: Run, out: Path) -> dict[str, str]:
    """From every source of queries to the file that replaces it; ``overlap.json`` says what went.

    The evaluation's prompts are those of the base's run. Raises as ``clean`` and ``read_queries``
    do.
    """
    prompts = [
        response.prompt
        for benchmark in base.by_benchmark
        for response in base.responses(benchmark).values()
        if response.repeat == 0
    ]
    arms = [cell.config for cell in config.cells() if cell.config is not None]
    report: list[dict[str, Any]] = []
    cleaned: dict[str, str] = {}
    for source in dict.fromkeys(arm.queries_from for arm in arms):
        queries = _queries(source, [arm for arm in arms if arm.queries_from == source])
        found = clean(queries, prompts, source=source)
        report.append(
            {
                "source": source,
                "n": N,
                "queries": len(queries),
                "overlapping": len(found.overlapping),
                "removed": found.removed,
                "ids": list(found.overlapping),
            }
        )
        if source != PROCEDURAL:
            path = out / "queries" / f"{_slug(source)}.jsonl"
            make_folder(path.parent)
            write_queries(path, found.queries)
            cleaned[source] = str(path)
    make_folder(out)
    write_json(out / FILE, {"prompts": len(prompts), "sources": report})
    return cleaned


def with_clean_queries(cell: Cell, sources: dict[str, str]) -> Cell:
    """The cell with its queries from the cleaned file; built-in ones stay."""
    if cell.config is None or cell.config.queries_from not in sources:
        return cell
    changed = {"queries_from": sources[cell.config.queries_from]}
    return replace(cell, config=cell.config.model_copy(update=changed))


def _queries(source: str, arms: list[ArmConfig]) -> list[Query]:
    if source != PROCEDURAL:
        return read_queries(source)
    every = [query for arm in arms for query in queries_of(arm)]
    return list({query.id: query for query in every}.values())


def _slug(source: str) -> str:
    """A file name that says where the queries are from and is no other source's."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", Path(source).name)[:40].strip("-")
    return f"{words}-{digest(source)[:8]}"
