"""Training queries that the evaluation asks, too: removed before any arm sees them, and counted.

Every source of queries but the built-in one becomes ``queries/SOURCE.jsonl`` without them. Built-in
queries are what a seed makes of them: those that share an n-gram with the evaluation stay and are
counted, and one that occurs in it whole stops the study.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import write_atomically, write_json
from ..core.records import digest
from ..runs import Run
from ..train.config import PROCEDURAL, ArmConfig
from ..train.overlap import N, without_overlap
from ..train.pool import queries_of, read_queries
from ..train.queries import Query
from .config import Cell, StudyConfig

FILE = "overlap.json"
WHOLE = 10_000
"""Words: longer than any query."""


def clean_sources(config: StudyConfig, base: Run, out: Path) -> dict[str, str]:
    """From every source of queries to the file that replaces it; ``overlap.json`` says what went.

    The evaluation's prompts are those of the base's run. Raises :class:`InputError` for built-in
    queries that occur in it, and as ``read_queries`` does.
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
        found = without_overlap(queries, prompts)
        built_in = source == PROCEDURAL
        report.append(
            {
                "source": source,
                "n": N,
                "queries": len(queries),
                "overlapping": len(found.removed),
                "removed": 0 if built_in else len(found.removed),
                "ids": list(found.removed),
            }
        )
        if not built_in:
            path = out / "queries" / f"{_slug(source)}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps({**asdict(q), "id": q.id}) + "\n" for q in found.kept)
            write_atomically(path, lines)
            cleaned[source] = str(path)
        elif whole := without_overlap(queries, prompts, n=WHOLE).removed:
            what = f"built-in query {whole[0]} occurs in the evaluation"
            raise InputError(what, place=f"study {config.name}", remedy="use another suite or seed")
    out.mkdir(parents=True, exist_ok=True)
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
