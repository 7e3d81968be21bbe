"""Where queries and a teacher's responses come from: the built-in source, or JSON lines.

Queries, one a line; the field names of GSM8K, MATH and DeepScaleR are understood::

    {"prompt": "What is 3 + 4?", "gold": "7"}

A teacher's responses, as ``transferscope distill`` writes them; joined to queries by prompt::

    {"prompt": "What is 3 + 4?", "response": "3 + 4 = 7"}
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.files import read_json_lines
from ..grade.maths import is_correct
from .config import PROCEDURAL, ArmConfig
from .queries import Query, make_queries
from .teacher import accepted, mixed

ASKED = ("prompt", "problem", "question")
GOLD = ("gold", "answer")
REMEDY = 'give one JSON object per line: {"prompt": ..., "gold": ...}'


def queries_of(config: ArmConfig) -> list[Query]:
    """The arm's queries in training order.

    A file's are drawn without replacement in an order that ``seed`` decides, so that all arms see
    the same. Raises :class:`InputError` when it holds too few.
    """
    if config.queries_from == PROCEDURAL:
        return make_queries(config.queries, seed=config.seed)
    path = Path(config.queries_from)
    queries = read_queries(path)
    if len(queries) < config.queries:
        what = f"steps x queries_per_step asks for {config.queries} queries, here are"
        raise InputError(f"{what} {len(queries)}", place=str(path), remedy="ask for fewer steps")
    random.Random(f"transferscope-pool-{config.seed}").shuffle(queries)
    return queries[: config.queries]


def read_queries(path: Path) -> list[Query]:
    """The queries of a JSONL file in its order; a prompt that stands there twice is kept once.

    Raises :class:`InputError` naming file and line.
    """
    found: dict[str, Query] = {}
    for place, row in read_json_lines(path, remedy=REMEDY):
        prompt = _text(row, ASKED, place)
        # GSM8K's answers end in the number behind "####"
        gold = _text(row, GOLD, place).rpartition("####")[2].strip()
        if not gold:
            raise InputError("the answer is empty", place=place, remedy=REMEDY)
        found.setdefault(prompt, Query(str(row.get("id", len(found))), "file", prompt, gold))
    return list(found.values())


def responses_of(config: ArmConfig, queries: list[Query]) -> list[list[str]]:
    """``rollouts`` responses of the teacher to every query.

    Only correct ones (rejection sampling) unless the arm weighs by advantage. Raises
    :class:`InputError` when the teacher has too few for a query.
    """
    keep_wrong = config.recipe.weight == "advantage"
    if config.teacher == PROCEDURAL:
        rng = random.Random(f"transferscope-teacher-{config.seed}")
        if keep_wrong:
            return [[mixed(query, rng) for _ in range(config.rollouts)] for query in queries]
        return [accepted(query, config.rollouts, rng=rng) for query in queries]
    path = Path(config.teacher)
    given: dict[str, list[str]] = defaultdict(list)
    for place, row in read_json_lines(path, remedy=REMEDY):
        given[_text(row, ASKED, place)].append(_text(row, ("response",), place))
    chosen = []
    for query in queries:
        answers = [a for a in given[query.prompt] if keep_wrong or is_correct(a, query.gold)]
        if len(answers) < config.rollouts:
            kind = "responses" if keep_wrong else "correct responses"
            what = f"{len(answers)} {kind} to query {query.id}, {config.rollouts} were asked for"
            raise InputError(
                what, place=str(path), remedy="distill more, or ask for fewer rollouts"
            )
        chosen.append(answers[: config.rollouts])
    return chosen


def _text(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
    raise InputError(f"no text in {' or '.join(names)}", place=place, remedy=REMEDY)
