"""A teacher's responses to training queries: k samples each, graded by the one grader.

A line per response, wrong ones too: ``off-policy-sft`` keeps the correct ones (rejection sampling),
``off-policy-rl`` needs both. Killed at any moment, it goes on with the first query that is not
there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """``responses`` of ``queries``, ``correct`` ones among them; ``solved`` queries have any."""

    queries: int
    responses: int
    correct: int
    solved: int


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

    Fields: id, prompt, gold, response, correct, finished, model, seed. Raises :class:`InputError`
    for a file that holds responses to other queries or in another number.
    """
    if samples < 1 or max_tokens < 1:
        raise InputError("nothing to sample", remedy="give samples and max_tokens of 1 or more")
    done = _done(out, queries, samples)
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
                    "model": engine.name,
                    "seed": seed,
                }
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    tick("distill", len(queries), len(queries))
    rows = [row for _, row in read_json_lines(out, remedy="remove the file and distill again")]
    right = [row["id"] for row in rows if row["correct"]]
    return Distilled(len(queries), len(rows), len(right), len(set(right)))


def _done(out: Path, queries: Sequence[Query], samples: int) -> set[str]:
    """Ids of finished queries; lines of one that was cut short are removed."""
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
        counts[name] = counts.get(name, 0) + 1
    if any(count > samples for count in counts.values()):
        what = f"holds more than {samples} responses to a query"
        raise InputError(what, place=str(out), remedy="name another --out")
    finished = {name for name, count in counts.items() if count == samples}
    kept = [line for line, row in zip(lines, rows, strict=True) if str(row["id"]) in finished]
    if len(kept) < len(lines):
        out.write_text("".join(kept), encoding="utf-8")
    return finished
