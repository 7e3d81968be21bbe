"""Read the rows of EvalScope's reviews (and predictions): one JSON line per answer.

Rows of ``reviews/MODEL/DATASET_SUBSET.jsonl`` have a ``sample_score`` since 1.0, and before that a
``review`` in each choice. ``predictions/`` has the same file names and says how the answers ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...core.errors import InputError
from ...core.files import read_json_lines
from ...core.records import Message, message_hash
from .foreign_run import Sample
from .naming import FINISH, Place
from .table_rows import sample_at
from .values import listed, mapping, share

REMEDY = "review again with EvalScope (--use-cache)"
_ACCURACY = ("acc", "accuracy", "mean_acc", "AverageAccuracy", "is_correct", "result")


class Tally(NamedTuple):
    """Counts of a file of reviews: answers, those with a score, their items, and the total score.

    ``metric`` is ``None`` if no row has a score within 0..1.
    """

    rows: int
    metric: str | None
    scored: int
    items: int
    total: float


def tally_of(path: Path, wanted: tuple[str, ...]) -> Tally:
    """Tally the file, using the first of the ``wanted`` metrics that its rows have."""
    metric, rows, scored, total = None, 0, 0, 0.0
    items: set[str] = set()
    for _, row in read_json_lines(path, remedy=REMEDY):
        for values, _ in _answers(row):
            rows += 1
            metric = metric or _metric(values, wanted)
            if (score := share(values.get(metric or ""))) is not None:
                scored, total = scored + 1, total + score
                items.add(str(_item(row)))
    return Tally(rows, metric, scored, len(items), total)


def read_reviews(path: Path, place: Place, metric: str) -> Iterator[Sample]:
    """Read every answer with a score; raises :class:`InputError` naming the line."""
    ends = _ends(path)
    seen: Counter[str] = Counter()
    for where, row in read_json_lines(path, remedy=REMEDY):
        scored, id_ = mapping(row.get("sample_score")), _item(row)
        if not isinstance(id_, int | str):
            raise InputError("has no index", place=where, remedy=REMEDY)
        for values, text in _answers(row):
            known = scored.get("generation_index")
            repeat = known if type(known) is int and known >= 0 else seen[str(id_)]
            seen[str(id_)] += 1
            if (score := share(values.get(metric))) is None:
                continue
            asked = _asked(row)
            fields: dict[str, Any] = {"id": str(id_), "score": score, "repeat": repeat}
            fields |= ends.get(str(row.get("index")), {})
            if text is not None:
                prompt = "\n\n".join(message["content"] for message in asked)
                fields |= {"response": text, "prompt": prompt}
            hashed = message_hash(asked) if asked else None
            yield sample_at(fields, place, where=where, remedy=REMEDY, message_hash=hashed)


def _item(row: Mapping[str, Any]) -> object:
    """The item of a row: repeats share a group."""
    group = mapping(row.get("sample_score")).get("group_id")
    return row.get("index") if group is None else group


def _answers(row: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """The metrics and text of every answer in a row; several choices are repeats."""
    if isinstance(row.get("sample_score"), dict):
        score = mapping(row["sample_score"].get("score"))
        said = score.get("prediction")
        text = said if isinstance(said, str) else _said(row)
        yield mapping(score.get("value")), text
        return
    for choice in listed(row.get("choices")):
        review = mapping(mapping(choice).get("review"))
        result = review.get("result")
        values = result if isinstance(result, dict) else {"result": result}
        content = mapping(mapping(choice).get("message")).get("content")
        yield values, content if isinstance(content, str) else None


def _metric(values: Mapping[str, Any], wanted: tuple[str, ...]) -> str | None:
    """The first wanted metric with a score; all spellings of accuracy are equivalent."""
    usable = [name for name, value in values.items() if share(value) is not None]
    for name in wanted:
        alike = _ACCURACY if name in _ACCURACY else (name,)
        if found := next((metric for metric in usable if metric in alike), None):
            return found
    return next(iter(usable), None)


def _asked(row: Mapping[str, Any]) -> list[Message]:
    """The messages before the model's answer."""
    messages = list(map(mapping, listed(row.get("messages"))))
    ends = [at for at, m in enumerate(messages) if m.get("role") == "assistant"]
    given = messages[: ends[-1]] if ends else messages
    if not given:
        raw = row.get("input", mapping(row.get("raw_input")).get("question"))
        given = [{"role": "user", "content": raw}] if isinstance(raw, str) and raw else []
    return [{"role": str(m.get("role")), "content": _text(m.get("content"))} for m in given]


def _said(row: Mapping[str, Any]) -> str | None:
    messages = list(map(mapping, listed(row.get("messages"))))
    said = [m for m in messages if m.get("role") == "assistant"]
    return _text(said[-1].get("content")) if said else None


def _text(content: object) -> str:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, list):
        parts = [mapping(part) for part in content]
        return "\n".join(str(p.get("text", "")) for p in parts if p.get("type") == "text")
    return content if isinstance(content, str) else ""


def _ends(reviews: Path) -> dict[str, dict[str, Any]]:
    """How each answer ended and its length, by index, from the matching predictions file."""
    at = len(reviews.parts) - 1 - reviews.parts[::-1].index("reviews") if _below(reviews) else None
    if at is None:
        return {}
    path = Path(*reviews.parts[:at], "predictions", *reviews.parts[at + 1 :])
    found: dict[str, dict[str, Any]] = {}
    for _, row in read_json_lines(path, remedy=REMEDY) if path.is_file() else ():
        output = mapping(row.get("model_output"))
        choice = mapping(next(iter(listed(output.get("choices"))), None))
        finish = FINISH.get(str(choice.get("stop_reason")))
        tokens = mapping(output.get("usage")).get("output_tokens")
        known = {"finish": finish, "tokens": tokens if type(tokens) is int else None}
        found[str(row.get("index"))] = {k: v for k, v in known.items() if v is not None}
    return found


def _below(path: Path) -> bool:
    return "reviews" in path.parts[:-1]
