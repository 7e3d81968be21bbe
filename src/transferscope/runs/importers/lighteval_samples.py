"""Read the rows of lighteval's details: one document each, nested since 0.11, flat before."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...core.parquet import parquet_rows
from ...core.records import digest
from .foreign_run import Sample
from .naming import Place
from .table_rows import sample_at
from .values import listed, mapping, share

_NEEDED = "reading lighteval's details (parquet)"
_OLD = ("example", "full_prompt", "instruction", "predictions", "metrics")
_COLUMNS = (
    *("doc.id", "doc.query", "doc.instruction", "metric"),
    *("model_response.text", "model_response.input"),
    *_OLD,
)
_LONGEST = 2**20
"""Maximum length in characters of a value that lighteval before 0.8 wrote as text."""


def read_samples(path: Path, place: Place, metric: str) -> Iterator[Sample]:
    """Read every document that has the metric; raises :class:`InputError` naming the row."""
    seen: Counter[str] = Counter()
    for where, row in rows_of(path):
        score = share(metrics_of(row).get(metric))
        doc, reply = mapping(row.get("doc")), mapping(row.get("model_response"))
        asked = doc.get("query", row.get("example"))
        id_ = doc.get("id") or digest(asked)
        repeat, seen[id_] = seen[id_], seen[id_] + 1
        if score is None:
            continue
        texts = _list(reply.get("text", row.get("predictions")))
        prompt = reply.get("input") or row.get("full_prompt") or asked
        fields = {"id": str(id_), "score": score, "repeat": repeat}
        if len(texts) == 1 and isinstance(texts[0], str):
            shown = prompt if isinstance(prompt, str) else str(asked)
            fields |= {"response": texts[0], "prompt": shown}
        hashed = digest([doc.get("instruction", row.get("instruction")), asked])
        yield sample_at(fields, place, where=where, remedy="evaluate again", message_hash=hashed)


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The place and row of every document."""
    return parquet_rows(path, _COLUMNS, needed_for=_NEEDED)


def item_metrics(path: Path) -> list[str]:
    """Metrics for which the first document has a score within 0..1."""
    first = next((row for _, row in rows_of(path)), {})
    return [name for name, value in metrics_of(first).items() if share(value) is not None]


def metrics_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A document's metrics; before 0.8 they are a dictionary written as text."""
    value = row.get("metric", row.get("metrics"))
    return mapping(_literal(value))


def _list(value: object) -> list[Any]:
    """A list, possibly written as text."""
    return listed(_literal(value))


def _literal(value: object) -> object:
    """Evaluate a text that is a Python literal; return any other value unchanged."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        return value
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
