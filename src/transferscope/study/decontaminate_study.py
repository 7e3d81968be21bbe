"""Training queries that no arm may see, counted in ``overlap.json``.

Every source of queries except the built-in one is written to ``queries/SOURCE.jsonl`` without the
queries that the evaluation asks (see ``train/decontaminate``) and without those that the teacher of
any arm leaves unanswered. All arms see the same queries.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import make_folder, read_json, read_text, write_json
from ..core.records import digest
from ..runs import Run
from ..train.arm_config import PROCEDURAL, ArmConfig
from ..train.decontaminate import N, decontaminate
from ..train.queries import Query
from ..train.query_sources import (
    queries_of,
    query_lines,
    read_queries,
    require_enough,
    unanswered,
    write_queries,
)
from .study_config import Cell, StudyConfig

FILE = "overlap.json"


def decontaminate_sources(config: StudyConfig, base: Run, out: Path) -> dict[str, str]:
    """From each source of queries to the file that replaces it; writes ``overlap.json``.

    The evaluation's prompts are read from the base's run. Raises what ``decontaminate`` and
    ``read_queries`` raise, and :class:`InputError` where an arm has too few queries left or where
    arms have been trained on other queries.
    """
    prompts = [
        response.prompt
        for benchmark in base.by_benchmark
        for response in base.responses(benchmark).values()
        if response.repeat == 0
    ]
    arms = [cell.config for cell in config.cells() if cell.config is not None]
    report: list[dict[str, Any]] = []
    files: dict[str, str] = {}
    for source in dict.fromkeys(arm.queries_from for arm in arms):
        own = [arm for arm in arms if arm.queries_from == source]
        queries = _queries(source, own)
        lacking = unanswered(queries, own) if source != PROCEDURAL else ()
        found = decontaminate(queries, prompts, source=source, unanswered=lacking)
        report.append(
            {
                "source": source,
                "n": N,
                "queries": len(queries),
                "overlapping": len(found.overlapping),
                "removed": found.removed,
                "ids": list(found.overlapping),
                "unanswered": len(found.unanswered),
                "unanswered_ids": list(found.unanswered),
            }
        )
        if source != PROCEDURAL:
            for arm in own:
                require_enough(arm, len(found.queries), place=source, left_out=found.left_out)
            path = out / "queries" / f"{_slug(source)}.jsonl"
            _refuse_changed(path, found.queries, source=source, out=out)
            make_folder(path.parent)
            write_queries(path, found.queries)
            files[source] = str(path)
    make_folder(out)
    write_json(out / FILE, {"prompts": len(prompts), "sources": report})
    return files


def with_decontaminated_queries(cell: Cell, sources: dict[str, str]) -> Cell:
    """The cell reading its queries from the decontaminated file; built-in ones stay."""
    if cell.config is None or cell.config.queries_from not in sources:
        return cell
    changed = {"queries_from": sources[cell.config.queries_from]}
    return replace(cell, config=cell.config.model_copy(update=changed))


def decontamination_notes(out: Path) -> list[str]:
    """How many queries of each source no arm sees, and why: one sentence per source."""
    if not (out / FILE).is_file():
        return []
    said = []
    for row in read_json(out / FILE, remedy="start the study again")["sources"]:
        reasons = {
            "overlap with the evaluation": row["removed"],
            "have no teacher response to train on": row.get("unanswered", 0),
        }
        if any(reasons.values()):
            why = " and ".join(f"{count} {reason}" for reason, count in reasons.items() if count)
            said.append(f"Of {row['queries']} queries of {row['source']}, {why}. No arm sees them.")
    return said


def _refuse_changed(path: Path, queries: Sequence[Query], *, source: str, out: Path) -> None:
    """Raise :class:`InputError` if arms were started on other queries from ``source``."""
    begun = path.is_file() and any((out / "arms").glob("*/arm*.json"))
    if begun and read_text(path) != "".join(query_lines(queries)):
        what = "these queries, or the responses to them, have changed since arms were trained"
        raise InputError(what, place=source, remedy="restore the files, or name another --out")


def _queries(source: str, arms: list[ArmConfig]) -> list[Query]:
    if source != PROCEDURAL:
        return read_queries(source)
    every = [query for arm in arms for query in queries_of(arm)]
    return list({query.id: query for query in every}.values())


def _slug(source: str) -> str:
    """Return a file name that identifies the source and differs for every source."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", Path(source).name)[:40].strip("-")
    return f"{words}-{digest(source)[:8]}"
