"""A teacher's responses to training queries: k samples each, graded by the one grader.

A line per response, wrong ones too: ``off-policy-sft`` keeps the correct ones (rejection sampling),
``off-policy-rl`` needs both; those that ran into ``max_tokens`` are marked, and no arm takes them.
Killed at any moment, it goes on with the first query that is not
there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import read_json_lines
from ..core.records import Decoding, Tick, no_tick
from ..engines.base import Engine
from ..grade.maths import is_correct
from .prompts import messages
from .queries import Query

CHUNK = 32
"""Queries between two writes."""


@dataclass(frozen=True, slots=True)
class Distilled:
    """``responses`` of ``queries``.

    ``unfinished``: cut off at the token limit; ``correct``: accepted among the finished ones;
    ``solved``: queries that have any of those.
    """

    queries: int
    responses: int
    correct: int
    solved: int
    unfinished: int


def distill(
    engine: Engine,
    queries: Sequence[Query],
    out: Path,
    *,
    samples: int = 4,
    max_tokens: int = 512,
    temperature: float = 0.7,
    top_p: float = 1.0,
    seed: int = 0,
    tick: Tick = no_tick,
) -> Distilled:
    """Write ``samples`` responses to every query into the JSONL file ``out``.

    Fields: id, prompt, gold, response, correct, finished, model, engine, and what it was sampled
    with: temperature, top_p, max_tokens, samples, seed. Raises :class:`InputError` for queries that
    share an id, and for a file that holds responses to other queries, of another model or engine or
    with other settings.
    """
    if samples < 1 or max_tokens < 1:
        raise InputError("nothing to sample", remedy="give samples and max_tokens of 1 or more")
    if twice := [name for name, n in Counter(query.id for query in queries).items() if n > 1]:
        what = f"the id {twice[0]!r} stands for two queries"
        raise InputError(what, remedy="give every query an id of its own")
    settings = {
        "model": engine.name,
        "engine": engine.describe()["engine"],
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "samples": samples,
        "seed": seed,
    }
    done = _done(out, queries, settings)
    left = [query for query in queries if query.id not in done]
    for start in range(0, len(left), CHUNK):
        tick("distill", len(queries) - len(left) + start, len(queries))
        chunk = left[start : start + CHUNK]
        first = len(queries) - len(left) + start
        decoding = Decoding(temperature, top_p, max_tokens, seed=seed * 1_000_003 + first)
        rendered = [
            engine.render(messages(query.prompt)) for query in chunk for _ in range(samples)
        ]
        answers = engine.generate(rendered, decoding)
        with out.open("a", encoding="utf-8") as file:
            for at, answer in enumerate(answers):
                query = chunk[at // samples]
                row = {
                    "id": query.id,
                    "prompt": query.prompt,
                    "gold": query.gold,
                    "response": answer.text,
                    "correct": is_correct(answer.text, query.gold),
                    "finished": answer.finish != "length",
                }
                file.write(json.dumps(row | settings, ensure_ascii=False) + "\n")
    tick("distill", len(queries), len(queries))
    rows = [row for _, row in read_json_lines(out, remedy="remove the file and distill again")]
    finished = [row for row in rows if row["finished"]]
    right = [row["id"] for row in finished if row["correct"]]
    cut_off = len(rows) - len(finished)
    return Distilled(len(queries), len(rows), len(right), len(set(right)), cut_off)


def _done(out: Path, queries: Sequence[Query], settings: Mapping[str, Any]) -> set[str]:
    """Ids of finished queries; lines of one that was cut short are removed."""
    samples = settings["samples"]
    if not out.is_file() or not out.stat().st_size:
        return set()
    content = out.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]  # a kill may leave half a line
    if whole != content:
        out.write_bytes(whole)
    if not whole:
        return set()
    counts: dict[str, int] = {}
    known = {query.id: query.prompt for query in queries}
    lines = [line + "\n" for line in whole.decode("utf-8").split("\n")[:-1]]
    rows = [row for _, row in read_json_lines(out, remedy="remove the file")]
    for row in rows:
        name = str(row.get("id"))
        if known.get(name) != row.get("prompt"):
            what = f"holds a response to another query ({name})"
            raise InputError(what, place=str(out), remedy="name another --out")
        # Files of an older version name model and seed only.
        for key in (key for key in settings if key in row and row[key] != settings[key]):
            what = f"holds responses with {key} {row[key]}, not {settings[key]}"
            raise InputError(what, place=str(out), remedy="name another --out")
        counts[name] = counts.get(name, 0) + 1
    if any(count > samples for count in counts.values()):
        what = f"holds more than {samples} responses to a query"
        raise InputError(what, place=str(out), remedy="name another --out")
    finished = {name for name, count in counts.items() if count == samples}
    kept = [line for line, row in zip(lines, rows, strict=True) if str(row["id"]) in finished]
    if len(kept) < len(lines):
        out.write_text("".join(kept), encoding="utf-8")
    return finished
