"""A teacher's responses to training queries: k samples per query, graded by the shared grader.

The file has one line per response, including wrong ones: ``off-policy-sft`` keeps the correct ones
(rejection sampling), and ``off-policy-rl`` needs both. Responses cut off at ``max_tokens`` are
marked, and no arm trains on them. After a kill at any moment, the same command resumes with the
first query that is not in the file. It reads every line of the file before that, and leaves a file
that contains anything else unchanged. ``.FILE.lock`` next to the file keeps a second process out.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import (
    appending,
    holding,
    is_file,
    json_lines,
    read_bytes,
    read_json_lines,
    refusing,
    write_atomically,
)
from ..core.records import Decoding, Generation, NoAnswer, Say, Tick, no_say, no_tick
from ..engines.protocol import Bounded, Engine, Needs, Streaming, require, times_before
from ..grade.maths import is_correct
from .queries import Query
from .query_prompts import messages

CHUNK = 32
"""The number of queries between two writes."""
COLDEST = 1e-3
"""The lowest temperature: logits divided by a smaller one overflow."""
ANOTHER = "name another --out"


@dataclass(frozen=True, slots=True)
class Distilled:
    """Counts of ``queries`` and of the teacher's ``responses`` to them.

    ``unfinished`` responses were cut off at the token limit. ``correct`` ones are finished and
    accepted by the grader. ``solved`` counts the queries with at least one correct response.
    ``failed`` counts the queries that the teacher's server did not answer. They are not in the
    file, and the same command asks them again. ``too_long`` are the ids of queries that don't fit
    into the teacher's context together with a response; they are not in the file either.
    """

    queries: int
    responses: int
    correct: int
    solved: int
    unfinished: int
    failed: int = 0
    too_long: tuple[str, ...] = ()


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
    say: Say = no_say,
) -> Distilled:
    """Write ``samples`` responses to every query into the JSONL file ``out``.

    Fields: id, prompt, gold, response, correct, finished, model, engine, and the sampling settings
    temperature, top_p, max_tokens, samples, seed. Raises :class:`InputError` if two queries share
    an id, if the file can't be written or another process is writing it, and if it contains
    anything but responses to these queries, from this model and engine with these settings.
    A server is tried out first: one that does not sample is refused. ``say`` is told of a wait for
    it.
    """
    if samples < 1 or max_tokens < 1:
        raise InputError("nothing to sample", remedy="set samples and max_tokens to 1 or more")
    if temperature and not COLDEST <= temperature < math.inf:
        remedy = f"use 0 (always the likeliest token), or {COLDEST} or more"
        raise InputError(f"the temperature is {temperature}", remedy=remedy)
    if twice := [name for name, n in Counter(query.id for query in queries).items() if n > 1]:
        what = f"two queries have the id {twice[0]!r}"
        raise InputError(what, remedy="give every query a unique id")
    settings = {
        "model": engine.name,
        "engine": engine.describe()["engine"],
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "samples": samples,
        "seed": seed,
    }
    check_out(out)
    with appending(out):
        pass  # reports a file that can't be written before the teacher answers
    with holding(out.with_name(f".{out.name}.lock"), wait=False) as alone:
        if not alone:
            what = "another process is writing responses to this file"
            raise InputError(what, place=str(out), remedy="wait for it, or name another --out")
        failed = _sample(engine, queries, out, settings, tick=tick, say=say)
    if len(failed) == len(queries):
        what = f"the teacher answered none of the queries: {next(iter(failed.values())).why}"
        remedy = "remove the cause, then start the same command again"
        raise InputError(what, place=engine.name, remedy=remedy)
    rows = [row for _, row in read_json_lines(out, remedy="remove the file and distill again")]
    finished = [row for row in rows if row["finished"]]
    right = [row["id"] for row in finished if row["correct"]]
    cut_off = len(rows) - len(finished)
    too_long = tuple(name for name, lost in failed.items() if lost.too_long)
    return Distilled(
        queries=len(queries),
        responses=len(rows),
        correct=len(right),
        solved=len(set(right)),
        unfinished=cut_off,
        failed=len(failed) - len(too_long),
        too_long=too_long,
    )


def check_out(out: Path, queries: str = "") -> None:
    """Raise :class:`InputError` if ``out`` can't be written as a file of responses.

    ``queries`` is the source of the queries. ``out`` must not be the same file.
    """
    remedy = "name a .jsonl file"
    with refusing(out, "can't be written", remedy=remedy):
        if out.is_dir() or not out.parent.is_dir():
            what = "is a folder" if out.is_dir() else f"no folder {out.parent}"
            raise InputError(what, place=str(out), remedy=remedy)
        with suppress(FileNotFoundError):
            out.stat()  # raises for an invalid file name
        if out.exists() and not out.is_file():
            raise InputError("is a device", place=str(out), remedy=remedy)
        asked = Path(queries.partition("?")[0])
        if out.exists() and asked.is_file() and out.samefile(asked):
            raise InputError("is the file with the queries", place=str(out), remedy=ANOTHER)


def _sample(
    engine: Engine,
    queries: Sequence[Query],
    out: Path,
    settings: dict[str, Any],
    *,
    tick: Tick,
    say: Say,
) -> dict[str, NoAnswer]:
    """Append the missing responses chunk by chunk; return the failed queries by id."""
    done = _done(out, queries, settings)
    samples = settings["samples"]
    sampling = settings["temperature"], settings["top_p"], settings["max_tokens"]
    left = [query for query in queries if query.id not in done]
    failed: dict[str, NoAnswer] = {}
    if left:
        require(engine, Needs(temperature=settings["temperature"]), say=say)
    for start in range(0, len(left), CHUNK):
        tick("distill", len(queries) - len(left) + start, len(queries))
        chunk = left[start : start + CHUNK]
        first = len(queries) - len(left) + start
        decoding = Decoding(*sampling, seed=settings["seed"] * 1_000_003 + first)
        rendered = [
            engine.render(messages(query.prompt)) for query in chunk for _ in range(samples)
        ]
        answers: dict[int, Generation | NoAnswer] = {}
        try:
            for at, answer in _answers(engine, rendered, decoding):
                answers[at] = answer
        finally:  # keep the answers received so far, whatever stopped the others
            failed |= _write(out, chunk, answers, settings)
    tick("distill", len(queries), len(queries))
    return failed


def _answers(
    engine: Engine, prompts: Sequence[str], decoding: Decoding
) -> Iterator[tuple[int, Generation | NoAnswer]]:
    unfit: Mapping[int, str] = {}
    if isinstance(engine, Bounded):
        unfit = engine.unfit(prompts, decoding.max_tokens)
    for at, why in unfit.items():
        yield at, NoAnswer(why, too_long=True)
    fitting = [at for at in range(len(prompts)) if at not in unfit]
    asked, before = [prompts[at] for at in fitting], times_before(prompts)
    if isinstance(engine, Streaming):
        nth = [before[at] for at in fitting]
        for place, answer in engine.generate_each(asked, decoding, nth=nth):
            yield fitting[place], answer
        return
    yield from zip(fitting, engine.generate(asked, decoding), strict=True)


def _write(
    out: Path,
    chunk: Sequence[Query],
    answers: Mapping[int, Generation | NoAnswer],
    settings: dict[str, Any],
) -> dict[str, NoAnswer]:
    """Append the queries that have all their samples; return the failed ones by id."""
    failed: dict[str, NoAnswer] = {}
    with appending(out) as file:
        for at, query in enumerate(chunk):
            places = range(at * settings["samples"], (at + 1) * settings["samples"])
            own = [answers[place] for place in places if place in answers]
            lost = [answer for answer in own if isinstance(answer, NoAnswer)]
            if lost:
                failed[query.id] = lost[0]
            said = [answer for answer in own if isinstance(answer, Generation)]
            if len(said) < len(places):
                continue
            for answer in said:
                row = {
                    "id": query.id,
                    "prompt": query.prompt,
                    "gold": query.gold,
                    "response": answer.text,
                    "correct": is_correct(answer.text, query.gold),
                    "finished": answer.finish != "length",
                }
                line = json.dumps(row | settings, ensure_ascii=False)
                file.write(line.encode() + b"\n")
    return failed


def _done(out: Path, queries: Sequence[Query], settings: Mapping[str, Any]) -> set[str]:
    """Return the ids of finished queries, and remove the lines of an interrupted one.

    Nothing is removed until every line is known to be one that this command wrote.
    """
    content = b""
    if is_file(out):
        content = read_bytes(out, remedy=ANOTHER)
    *lines, cut = content.split(b"\n")  # a kill may leave half a line
    known = {query.id: query for query in queries}
    found: list[tuple[str, bytes]] = []
    for place, row in json_lines(lines, path=out, remedy=ANOTHER):
        _refuse_other(row, known, settings, place)
        found.append((row["id"], lines[int(place.rpartition(":")[2]) - 1] + b"\n"))
    if cut and not found and not any(_begins(cut, query) for query in queries):
        raise InputError("contains no teacher responses", place=str(out), remedy=ANOTHER)
    counts = Counter(name for name, _ in found)
    samples = settings["samples"]
    if any(count > samples for count in counts.values()):
        what = f"contains more than {samples} responses to a query"
        raise InputError(what, place=str(out), remedy=ANOTHER)
    finished = {name for name, count in counts.items() if count == samples}
    kept = b"".join(line for name, line in found if name in finished)
    if kept != content:
        write_atomically(out, kept.decode("utf-8"))
    return finished


def _refuse_other(
    row: Mapping[str, Any], known: Mapping[str, Query], settings: Mapping[str, Any], place: str
) -> None:
    """Raise :class:`InputError` for a line that these settings could not have written."""
    name = row.get("id")
    query = known.get(name) if isinstance(name, str) else None
    if query is None or query.prompt != row.get("prompt"):
        what = f"contains a response to another query ({name})"
        raise InputError(what, place=place, remedy=ANOTHER)
    kinds: dict[str, type] = {"gold": str, "response": str, "correct": bool, "finished": bool}
    for key, kind in kinds.items():
        if not isinstance(row.get(key), kind):
            what = f"distill did not write this line: it has no valid {key!r}"
            raise InputError(what, place=place, remedy=ANOTHER)
    if row["gold"] != query.gold:
        what = f"was graded against the answer {row['gold'][:40]!r}, not {query.gold[:40]!r}"
        raise InputError(what, place=place, remedy=ANOTHER)
    for key, value in settings.items():
        if row.get(key) != value:
            what = f"contains responses with {key} {row.get(key)!r}, not {value!r}"
            raise InputError(what, place=place, remedy=ANOTHER)


def _begins(cut: bytes, query: Query) -> bool:
    """Return whether ``cut`` may be the beginning of a line with a response to ``query``."""
    asked = {"id": query.id, "prompt": query.prompt, "gold": query.gold, "response": ""}
    line = json.dumps(asked, ensure_ascii=False).removesuffix('"}').encode()
    return line.startswith(cut) or cut.startswith(line)
