"""Reads training queries and a teacher's responses from their sources.

``queries_from`` names the built-in source (``"procedural"``), a benchmark of the mini suite
(``"mini:sequences"``: training items that its evaluation leaves out), a hub data set
(``"hub:agentica-org/DeepScaleR-Preview-Dataset"``, ``"hub:OWNER/NAME/CONFIG?split=train"``) or a
JSONL file. The field names of GSM8K, MATH and DeepScaleR are accepted. ``?level=3-5`` keeps MATH's
levels 3 to 5, in a file too::

    {"prompt": "What is 3 + 4?", "gold": "7"}

A teacher's responses are read as ``transferscope distill`` writes them and joined to queries by
prompt. One with ``"finished": false`` was cut off. It has no ending to learn, and is left out.
A query without any response that an arm could use is left out too (see `unanswered`)::

    {"prompt": "What is 3 + 4?", "response": "3 + 4 = 7"}
"""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ..core.errors import InputError
from ..core.files import read_json_lines, write_atomically
from ..grade.maths import is_correct, last_boxed, number
from ..tasks import mini
from .arm_config import PROCEDURAL, ArmConfig
from .queries import FORMAT, Query, make_queries
from .teacher import accepted, mixed

ASKED = ("prompt", "problem", "question")
GOLD = ("gold", "answer")
HUB, MINI = "hub:", "mini:"
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(?:/\w[\w.+-]*)?", re.ASCII)
_LEVELS = re.compile(r"([0-9]{1,4})(?:-([0-9]{1,4}))?")
POOL = 600
"""The number of items drawn from a mini benchmark; an arm takes its queries from them."""
REMEDY = 'give one JSON object per line: {"prompt": ..., "gold": ...}'


def queries_of(config: ArmConfig) -> list[Query]:
    """Return the arm's queries in training order.

    Queries from a source other than the built-in one are drawn without replacement in an order that
    ``seed`` determines, so that all arms see the same. Raises :class:`InputError` if there are too
    few.
    """
    source = config.queries_from
    if source == PROCEDURAL:
        return make_queries(config.queries, seed=config.seed)
    queries = read_queries(source)
    require_enough(config, len(queries), place=source)
    random.Random(f"transferscope-pool-{config.seed}").shuffle(queries)
    return queries[: config.queries]


def require_enough(config: ArmConfig, count: int, *, place: str, left_out: int = 0) -> None:
    """Raise :class:`InputError` if the arm needs more queries than ``count``."""
    if count < config.queries:
        what = f"steps x queries_per_step asks for {config.queries} queries, here are {count}"
        what += f" after {left_out} were left out" if left_out else ""
        raise InputError(what, place=place, remedy="use fewer steps")


def mini_queries(benchmark: str) -> list[Query]:
    """Return :data:`POOL` training items of a mini benchmark with numbers as answers.

    Raises :class:`InputError` for an unknown benchmark, and if the answers are not numbers, because
    the grader of all arms compares numbers.
    """
    if benchmark not in mini.BENCHMARKS:
        remedy = f"use one of {', '.join(mini.BENCHMARKS)}"
        raise InputError(f"the mini suite has no benchmark {benchmark!r}", remedy=remedy)
    items = mini.training_items(benchmark, POOL)
    if not all(number(item.draft.gold) is not None for item in items):
        what = f"training needs numeric answers, but {benchmark!r} has others"
        raise InputError(what, place="queries_from", remedy="use another benchmark")
    return [
        Query(item.id, benchmark, f"{item.draft.prompt} {FORMAT}", item.draft.gold)
        for item in items
    ]


def read_queries(source: str | Path) -> list[Query]:
    """Read the queries of a JSONL file, hub data set or mini benchmark in its order.

    A repeated prompt is kept once. Rows of other levels than the requested ones are left out.

    Raises :class:`InputError` that names file and line, also if two prompts share an id or if a
    file has two answers to one prompt (for a hub data set, which users can't fix, the first is
    kept).
    """
    if str(source).startswith(MINI):
        return mini_queries(str(source).removeprefix(MINI))
    name, wanted = parsed_source(str(source))
    levels = _levels(wanted["level"], str(source)) if "level" in wanted else None
    if name.startswith(HUB):
        rows = _hub_rows(name.removeprefix(HUB), wanted.get("split", "train"))
    else:
        rows = read_json_lines(Path(name), remedy=REMEDY)
    found: dict[str, Query] = {}
    places: dict[str, str] = {}
    ids: set[str] = set()
    for place, row in rows:
        if levels is not None and _level(row, place) not in levels:
            continue
        prompt, gold = _text(row, ASKED, place), _gold(row, place)
        if not gold:
            raise InputError("the answer is empty", place=place, remedy=REMEDY)
        if not prompt.strip():
            raise InputError("the prompt is empty", place=place, remedy=REMEDY)
        if prompt in found:
            other = found[prompt].gold
            if not name.startswith(HUB) and not _same(gold, other):
                answers = f"{gold[:40]!r}, not {other[:40]!r}"
                what = f"repeats the prompt of {places[prompt]} with another answer: {answers}"
                raise InputError(what, place=place, remedy="keep one of the two")
            continue
        query = Query(str(row.get("id", len(found))), "file", prompt, gold)
        if query.id in ids:  # it identifies the responses
            what = f"another query has the id {query.id!r} too"
            raise InputError(what, place=place, remedy="give every query a unique id")
        found[prompt], places[prompt] = query, place
        ids.add(query.id)
    if not found:
        what = "contains no rows" if levels is None else f"no row has level {wanted['level']}"
        raise InputError(what, place=str(source), remedy="use another ?level= or another source")
    return list(found.values())


def parsed_source(source: str) -> tuple[str, dict[str, str]]:
    """Split a source into file or ``hub:OWNER/NAME[/CONFIG]`` and the options after the ``?``.

    Nothing is read. Raises :class:`InputError` for an invalid source.
    """
    name, _, options = source.partition("?")
    wanted = dict(parse_qsl(options, keep_blank_values=True))
    if unknown := sorted(set(wanted) - {"level", "split"}):
        what = f"unknown option {unknown[0]!r}"
        raise InputError(what, place=source, remedy="use level=3-5 or split=train")
    if "level" in wanted:
        _levels(wanted["level"], source)
    if wanted.get("split") == "":
        raise InputError("the option split is empty", place=source, remedy="use split=train")
    # Another name, such as "../x", would be looked up on this disk.
    if name.startswith(HUB) and not _HUB_NAME.fullmatch(name.removeprefix(HUB)):
        what = "is not the name of a hub data set"
        raise InputError(what, place=source, remedy="use hub:OWNER/NAME or hub:OWNER/NAME/CONFIG")
    return name, wanted


def _same(gold: str, other: str) -> bool:
    return gold == other or is_correct(f"\\boxed{{{gold}}}", other)


def write_queries(path: Path, queries: Iterable[Query]) -> None:
    """Write JSONL that :func:`read_queries` reads back, ids included."""
    write_atomically(path, query_lines(queries))


def query_lines(queries: Iterable[Query]) -> Iterator[str]:
    """Return the lines that :func:`write_queries` writes."""
    return (json.dumps(asdict(query)) + "\n" for query in queries)


def _gold(row: Mapping[str, Any], place: str) -> str:
    """Return the answer: the number after "####" (GSM8K) or the last \\boxed{} (MATH)."""
    solution = row.get("solution")
    if not any(name in row for name in GOLD) and isinstance(solution, str):
        boxed = last_boxed(solution)
        if boxed is None:
            raise InputError("the solution has no \\boxed{}", place=place, remedy=REMEDY)
        return boxed.strip()
    return _text(row, GOLD, place).rpartition("####")[2].strip()


def _levels(text: str, place: str) -> range:
    match = _LEVELS.fullmatch(text)
    levels = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
    if not levels:
        raise InputError(f"invalid level {text!r}", place=place, remedy="use level=3-5 or level=5")
    return levels


def _level(row: Mapping[str, Any], place: str) -> int:
    digits = str(row.get("level", "")).removeprefix("Level ")
    if "level" not in row:
        raise InputError("no field 'level'", place=place, remedy="leave out ?level=")
    return int(digits) if digits.isdecimal() else 0  # MATH has rows of "Level ?"


def _hub_rows(name: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a hub data set; raise :class:`InputError` if it can't be loaded."""
    from datasets import load_dataset

    owner, _, rest = name.partition("/")
    name, _, config = rest.partition("/")
    if Path(owner, name).exists():  # the hub's client would read this instead
        remedy = "run from another folder, or name a JSONL file in it"
        raise InputError(
            "a local folder has the same name", place=f"{HUB}{owner}/{name}", remedy=remedy
        )
    try:
        rows = load_dataset(f"{owner}/{name}", config or None, split=split)
    except Exception as err:  # the hub's client raises a dozen kinds
        reason = " ".join(str(err).split())[:150] or type(err).__name__
        remedy = "check name and network, or give a JSONL file"
        what = f"could not be loaded: {reason}"
        raise InputError(what, place=f"{HUB}{owner}/{name}", remedy=remedy) from None
    for line, row in enumerate(rows, start=1):
        yield f"{HUB}{owner}/{name}:{line}", dict(row)


def responses_of(config: ArmConfig, queries: list[Query]) -> list[list[str]]:
    """Return ``rollouts`` responses of the teacher to every query.

    Only correct responses are used (rejection sampling) unless the arm weights by advantage. From a
    file only finished ones are used. If it has fewer than ``rollouts``, the rest is drawn from them
    with replacement. Raises :class:`InputError` if it has none for a query.
    """
    keep_wrong = _keeps_wrong(config)
    if config.teacher == PROCEDURAL:
        rng = random.Random(f"transferscope-teacher-{config.seed}")
        if keep_wrong:
            return [[mixed(query, rng) for _ in range(config.rollouts)] for query in queries]
        return [accepted(query, config.rollouts, rng=rng) for query in queries]
    given, cut_off = _given(Path(config.teacher))
    chosen = []
    for query in queries:
        answers = [a for a in given[query.prompt] if keep_wrong or is_correct(a, query.gold)]
        if not answers:
            what = f"no {'' if keep_wrong else 'correct '}response to query {query.id}"
            if cut_off[query.prompt]:
                what += f" ({cut_off[query.prompt]} unfinished left out)"
            raise InputError(what, place=config.teacher, remedy="distill more responses")
        rng = random.Random(f"transferscope-again-{config.seed}-{query.id}")
        again = rng.choices(answers, k=max(0, config.rollouts - len(answers)))
        chosen.append([*answers[: config.rollouts], *again])
    return chosen


def unanswered(queries: Sequence[Query], arms: Iterable[ArmConfig]) -> frozenset[str]:
    """Return the ids of ``queries`` for which some arm's teacher file has no usable response.

    An arm on correct responses needs one that is finished and correct. An arm that weights by
    advantage needs any finished one. Arms on their own samples or with the built-in teacher need no
    file. Raises :class:`InputError` for a file that can't be read.
    """
    needs = {
        (Path(arm.teacher), _keeps_wrong(arm))
        for arm in arms
        if arm.recipe.sampler == "teacher" and arm.teacher != PROCEDURAL
    }
    found: set[str] = set()
    for path, keep_wrong in needs:
        stat = path.stat() if path.is_file() else None
        stamp = (stat.st_mtime_ns, stat.st_size) if stat else None
        found |= _unanswered(path, stamp, keep_wrong, tuple(queries))
    return frozenset(found)


@lru_cache(maxsize=4)  # grading a large file takes minutes, and a study asks repeatedly
def _unanswered(
    path: Path, _stamp: tuple[int, int] | None, keep_wrong: bool, queries: tuple[Query, ...]
) -> frozenset[str]:
    """Compute :func:`unanswered` for one file; ``_stamp`` changes when its contents do."""
    given, _ = _given(path)
    return frozenset(
        query.id
        for query in queries
        if not any(keep_wrong or is_correct(a, query.gold) for a in given[query.prompt])
    )


def _keeps_wrong(config: ArmConfig) -> bool:
    return config.recipe.weight == "advantage"


def _given(path: Path) -> tuple[dict[str, list[str]], Counter[str]]:
    """Read a teacher's finished responses by prompt, and the number that were cut off."""
    given: dict[str, list[str]] = defaultdict(list)
    cut_off: Counter[str] = Counter()
    for place, row in read_json_lines(path, remedy=REMEDY):
        prompt, response = _text(row, ASKED, place), _text(row, ("response",), place)
        if not is_finished(row, place):
            cut_off[prompt] += 1
        else:
            given[prompt].append(response)
    return given, cut_off


def unfinished(teacher: Path) -> int:
    """Count the responses in a teacher's file that were cut off; no arm trains on them."""
    rows = read_json_lines(teacher, remedy=REMEDY)
    return sum(not is_finished(row, place) for place, row in rows)


def is_finished(row: Mapping[str, Any], place: str) -> bool:
    """Return whether a teacher's response is finished; without the field it counts as finished."""
    finished = row.get("finished", True)
    if not isinstance(finished, bool):
        what = "'finished' must be true or false"
        raise InputError(what, place=place, remedy="distill writes true or false")
    return finished


def _text(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"{name!r} is not finite", place=place, remedy=REMEDY)
            return str(value)
    raise InputError(f"no text in {' or '.join(names)}", place=place, remedy=REMEDY)
