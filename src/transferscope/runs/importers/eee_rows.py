"""Read the instance-level rows of Every Eval Ever for :mod:`.eee`: one per metric and answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from ...core.artefacts import flags_of
from ...core.errors import InputError
from ...core.files import json_lines, open_file
from ...core.records import Outcome, Response
from .contradictions import contradiction
from .foreign_run import Sample
from .naming import FINISH, Place
from .values import mapping

REMEDY = "check the file: every_eval_ever validate FILE"
_ENDS = {**FINISH, "stop_string": "stop_string"}


class Result(NamedTuple):
    """One metric of an aggregate.

    ``score`` and ``stderr`` are in 0..1, scaled from the metric's range ``low`` to ``high``.
    ``alone`` means that its evaluation has no other metric, so that rows without a metric belong
    to it. With several metrics this is ambiguous: Inspect's converter writes 0 into such rows.
    """

    name: str
    id: str | None
    place: Place
    labels: tuple[str, ...]
    low: float
    high: float
    score: float
    stderr: float | None
    n: int | None
    share: bool
    alone: bool

    def takes(self, name: object, id_: object) -> bool:
        """Whether rows with this evaluation_name and evaluation_result_id belong to the result."""
        return name == self.name and (id_ == self.id or (id_ is None and self.alone))


@dataclass(slots=True)
class Rows:
    """Counts and sums over the rows of one result, on the file's scale.

    Rows with an error are counted only in ``errors``. ``items`` counts the rows of first epochs.
    """

    count: int = 0
    items: int = 0
    errors: int = 0
    highest: float = -math.inf
    total: float = 0.0


def tally_of(file: Path) -> dict[tuple[Any, Any], Rows]:
    """Tally of the rows by (evaluation_name, evaluation_result_id); the ids may be ``None``."""
    tally: dict[tuple[Any, Any], Rows] = {}
    with open_file(file, remedy=REMEDY) as lines:
        for place, row in json_lines(lines, path=file, remedy=REMEDY):
            key = (row.get("evaluation_name"), row.get("evaluation_result_id"))
            if not all(isinstance(part, str | None) for part in key):
                refuse("evaluation_name and evaluation_result_id must be strings", place)
            rows = tally.setdefault(key, Rows())
            if row.get("error"):
                rows.errors += 1
                continue
            score = mapping(row.get("evaluation")).get("score")
            if not isinstance(score, int | float):
                refuse("evaluation.score is not a number", place)
            rows.count += 1
            rows.items += str(mapping(row.get("metadata")).get("epoch") or 1) == "1"
            rows.highest = max(rows.highest, score)
            rows.total += score
    return tally


def rows_of(result: Result, tally: Mapping[tuple[Any, Any], Rows]) -> Rows:
    """The part of a tally that belongs to ``result``."""
    matching = [rows for key, rows in tally.items() if result.takes(*key)]
    return Rows(
        count=sum(rows.count for rows in matching),
        items=sum(rows.items for rows in matching),
        errors=sum(rows.errors for rows in matching),
        highest=max((rows.highest for rows in matching), default=-math.inf),
        total=sum(rows.total for rows in matching),
    )


def contradiction_of(result: Result, rows: Rows) -> str | None:
    """How the rows contradict the aggregate's result, ``None`` if they don't."""
    if not rows.count:
        return None
    mean = (rows.total / rows.count - result.low) / (result.high - result.low)
    return contradiction(
        counts=(rows.items, rows.items + rows.errors, rows.count, rows.count + rows.errors),
        mean=mean,
        said_n=result.n,
        said=result.score,
    )


def read_rows(parts: list[tuple[Result, Path]]) -> Iterator[Sample]:
    """The samples of the results of one benchmark, file by file, line by line."""
    for result, file in parts:
        with open_file(file, remedy=REMEDY) as lines:
            for place, row in json_lines(lines, path=file, remedy=REMEDY):
                key = (row.get("evaluation_name"), row.get("evaluation_result_id"))
                if not result.takes(*key) or row.get("error"):
                    continue
                try:
                    yield _sample(row, result)
                except (ValueError, OverflowError) as err:
                    refuse(str(err), place)


def _sample(row: Mapping[str, Any], result: Result) -> Sample:
    where, about = result.place, mapping(row.get("metadata"))
    if not isinstance(id_ := row.get("sample_id"), str):
        raise ValueError("sample_id is not a string")
    if not all(isinstance(value, str) for value in about.values()):
        raise ValueError("metadata has a value that is not a string")
    score = number(mapping(row.get("evaluation")).get("score"), "evaluation.score")
    epoch = int(about.get("epoch") or 1)
    if epoch < 1:
        raise ValueError(f"epoch {epoch} is not above 0")
    finish = _ENDS.get(about.get("stop_reason", ""))
    prompt, reply = _texts(row)
    flagged = flags_of(reply or "", finish=finish, prompt=prompt)
    # Our own export states the flags; in other rows they are detected, which needs the text.
    inferred = _names(about["flags_inferred"]) if "flags_inferred" in about else flagged.inferred
    flags = _names(about["flags"]) if "flags" in about else flagged.flags
    if reply is None and "flags" not in about:
        flags, inferred = tuple(flag for flag in flags if flag not in inferred), ()
    tokens = mapping(row.get("token_usage")).get("output_tokens")
    if tokens is None and "tokens" in about:
        tokens = int(about["tokens"])
    outcome = Outcome(
        benchmark=where.benchmark,
        id=f"{where.prefix}{id_}",
        score=(score - result.low) / (result.high - result.low),
        repeat=epoch - 1,
        subset=about.get("subset", where.subset),
        cluster=about.get("cluster", ""),
        weight=float(about.get("weight", 1.0)),
        chance=float(about["chance"]) if "chance" in about else where.chance,
        flags=flags,
        flags_inferred=inferred,
        tokens=tokens if type(tokens) is int else None,
        finish=finish,
        message_hash=about.get("message_hash"),
        rendered_hash=about.get("rendered_hash"),
    )
    if reply is None:
        return Sample(outcome, None)
    return Sample(outcome, Response(outcome.id, outcome.repeat, prompt, reply))


def _texts(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """Prompt and answer; in a conversation, the answer is the model's last message."""
    given = mapping(row.get("input"))
    prompt = given.get("formatted") or given.get("raw") or ""
    raw = mapping(row.get("output")).get("raw")
    if raw is None and isinstance(messages := row.get("messages"), list):
        said = [m for m in messages if isinstance(m, dict) and m.get("role") == "assistant"]
        raw = [said[-1].get("content") or ""] if said else []
    texts = raw if isinstance(raw, list) else []
    if not isinstance(prompt, str) or not all(isinstance(text, str) for text in texts):
        raise ValueError("input or output is not text")
    return prompt, "\n".join(texts) if texts else None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.split(",") if name)


def number(value: object, name: str) -> float:
    """``value`` as a float. Raises ``ValueError`` naming ``name`` if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is not a number: {str(value)[:40]!r}")
    return float(value)


def refuse(what: str, place: str) -> NoReturn:
    """Raise :class:`InputError` with the remedy for files that violate the schema."""
    raise InputError(what, place=place, remedy=REMEDY) from None
