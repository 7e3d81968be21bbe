"""Grading of saved programs with the tests in their gold.

``gold`` is a list of tests for a program with standard input, or APPS's object, which may name a
function instead. It may also be such JSON as a text::

    [{"input": "2 3\\n", "output": "5\\n"}]
    {"inputs": ["2 3\\n"], "outputs": ["5\\n"]}
    {"fn_name": "add", "inputs": [[2, 3]], "outputs": [5]}
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.errors import InputError
from ..core.records import Tick
from ..core.rowfiles import rows_of
from .graded import Graded
from .program_output import Wording, close_text, close_value
from .program_text import program_in
from .programs import Case, Outcome, Verdict, at_once, judged
from .sandbox import Program, jail
from .saved import SavedResponse

REMEDY = (
    'give tests such as [{"input": "2 3", "output": "5"}] or '
    '{"fn_name": "add", "inputs": [[2, 3]], "outputs": [5]}'
)
_SHARES = (Outcome.WRONG, Outcome.COMPILE, Outcome.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Tests:
    """The tests of a problem; ``function`` is empty for a program with standard input."""

    function: str
    cases: tuple[Case, ...]


def grade_code(rows: Sequence[SavedResponse], gold: Path | None, tick: Tick) -> Graded:
    """Run the program of every response on its tests, in the sandbox, several at once.

    ``gold`` is a file of rows with ``id`` and ``gold``. The metrics are the accuracy and the share
    of each other outcome. Raises :class:`InputError` if there is no sandbox, if it fails, and for
    malformed tests.
    """
    jail()
    known = _gold_file(gold) if gold else {}
    golds = {row.id: (row.gold, row.place) for row in rows if row.gold is not None}
    golds |= {row.id: known[row.item] for row in rows if row.item in known}
    tests = {id_: read_tests(*placed) for id_, placed in golds.items()}
    graded = [row for row in rows if row.id in tests]
    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(at_once()) as threads:
        found = threads.map(_verdict, graded, [tests[row.id] for row in graded])
        for at, (row, verdict) in enumerate(zip(graded, found, strict=True)):
            tick("score", at, len(graded))
            outcomes[row.id] = verdict.outcome
    counts = Counter(outcomes.values())
    metrics = {"accuracy": counts[Outcome.PASSED] / len(graded)} if graded else {}
    metrics |= {each.replace(" ", "_"): counts[each] / len(graded) for each in _SHARES if graded}
    verdicts = {id_: outcome is Outcome.PASSED for id_, outcome in outcomes.items()}
    return Graded(metrics, verdicts, tuple(row.id for row in rows if row.id not in outcomes))


def _verdict(row: SavedResponse, tests: Tests) -> Verdict:
    compare = close_value if tests.function else close_text
    wording = Wording.of(row.prompt)
    return judged(
        Program(program_in(row.response, tests.function), tests.function),
        lambda: tests.cases,
        lambda output, expected: compare(output, expected, wording),
    )


def _gold_file(path: Path) -> dict[str, tuple[Any, str]]:
    """The gold of every id, and its place."""
    found: dict[str, tuple[Any, str]] = {}
    remedy = 'give one JSON object per line: {"id": ..., "gold": ...}'
    for place, row in rows_of(path, remedy=remedy):
        if "id" not in row or row.get("gold") is None:
            raise InputError("has no 'id' or no 'gold'", place=place, remedy=remedy)
        if str(row["id"]) in found:
            raise InputError(f"id {row['id']!r} is not unique", place=place, remedy=remedy)
        found[str(row["id"])] = (row["gold"], place)
    return found


def read_tests(gold: Any, place: str) -> Tests:
    """The tests that a gold holds. Raises :class:`InputError` naming ``place`` for other forms."""
    try:
        told = json.loads(gold) if isinstance(gold, str) else gold
        if isinstance(told, Mapping):
            tests = _columns(told)
        else:
            tests = Tests(
                "", tuple(Case(_text(row["input"]), _text(row["output"])) for row in told)
            )
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InputError("'gold' is not a list of tests", place=place, remedy=REMEDY) from None
    if not tests.cases:
        raise InputError("'gold' has no tests", place=place, remedy=REMEDY)
    return tests


def _columns(told: Mapping[str, Any]) -> Tests:
    function = _text(told.get("fn_name") or "")
    pairs = zip(told["inputs"], told["outputs"], strict=True)
    if not function:
        return Tests("", tuple(Case(_text(given), _text(expected)) for given, expected in pairs))
    cases = (
        Case("\n".join(json.dumps(argument) for argument in _list(given)), json.dumps(expected))
        for given, expected in pairs
    )
    return Tests(function, tuple(cases))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
