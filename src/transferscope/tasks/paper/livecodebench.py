"""LiveCodeBench, release v2: contest problems, graded by running the program that a reply has.

Fields: ``question_id``, ``question_content``, ``starter_code``, ``public_test_cases``,
``private_test_cases`` and ``metadata`` (``func_name``). Release v2 is the first two files of
livecodebench/code_generation_lite, ``test.jsonl`` (400 problems) and ``test2.jsonl`` (111). In the
data folder, their names begin with ``livecodebench_test``. If there is none, a file
``leetcode_contest*`` replaces them: LeetCode contest problems with the fields ``prompt`` and
``test`` of DeepSeek-Coder's evaluation.

There are no gold programs. Presets: ``paper`` compares as LiveCodeBench does, ``fixed`` also
accepts rounded decimals and, where the statement allows it, any order and case; ``authors`` is the
released code (:mod:`.livecodebench_released`), which is also the twin of ``fixed``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ...core.records import Decoding
from ...grade.program_output import Wording, close_text, close_value, same_lines, same_value
from ...grade.program_text import program_in
from ...grade.programs import Case, Outcome, judged
from ...grade.sandbox import Program, jail
from ..definition import Benchmark, Item
from .livecodebench_released import FUNCTION_PROMPT, STDIN_PROMPT, released_score
from .livecodebench_tests import Problem, StoredTests, asserted
from .local_files import Lines, LocalFile, bad_row, text_in

NAME = "LiveCodeBench-v2"
PARTS = ("livecodebench_test.", "livecodebench_test2.")
"""Beginnings of the file names of release v2, which has two files."""
WHOLE, STAND_IN = "livecodebench_test", "leetcode_contest"
MAX_TOKENS = 32_768
_QUOTED = re.compile(r'\s*"""(?P<statement>.*?)"""(?P<starter>.*)', re.DOTALL)
_Compare = Callable[[str, str, Wording], bool]


def _draw_with(prompt: Callable[[str, str], str]) -> Callable[..., list[Item]]:
    """Draw items whose prompt is made of the statement and the starter code."""

    def read(lines: Lines) -> Iterator[Item]:
        for place, row in lines:
            own = _contest_problem if "test" in row else _stored_problem
            yield own(row, place, prompt)

    def draw(n: int | None, *, seed: int, data: Path | None) -> list[Item]:
        return LocalFile(NAME, _starts(data), read)(n, seed=seed, data=data)

    return draw


def _starts(data: Path | None) -> tuple[str, ...]:
    names = [] if data is None else [file.name.lower() for file in data.glob("*")]
    if any(name.startswith(PARTS[1]) for name in names):
        return PARTS
    if any(name.startswith(WHOLE) for name in names):
        return (WHOLE,)
    return (STAND_IN,) if any(name.startswith(STAND_IN) for name in names) else (WHOLE,)


def _stored_problem(row: dict[str, Any], place: str, prompt: Callable[[str, str], str]) -> Item:
    statement, starter = text_in(row, "question_content", place), row.get("starter_code") or ""
    try:
        function = json.loads(row.get("metadata") or "{}").get("func_name") or ""
    except (ValueError, AttributeError):
        raise bad_row("'metadata' is not a JSON object", place) from None
    if bool(function) != bool(starter) or not isinstance(starter, str):
        raise bad_row("'starter_code' and 'func_name' must be given together", place)
    tests = StoredTests(
        str(function),
        text_in(row, "public_test_cases", place),
        text_in(row, "private_test_cases", place),
        place,
    )
    id_ = f"lcb-{text_in(row, 'question_id', place)}"
    return Item(id_, prompt(statement, starter), data=Problem(tests, Wording.of(statement)))


def _contest_problem(row: dict[str, Any], place: str, prompt: Callable[[str, str], str]) -> Item:
    parts = _QUOTED.fullmatch(text_in(row, "prompt", place))
    if parts is None:
        raise bad_row("'prompt' has no statement in triple quotes", place)
    statement, starter = parts["statement"].strip(), parts["starter"].strip()
    tests = asserted(text_in(row, "test", place), starter, place)
    id_ = text_in(row, "task_id", place)
    return Item(id_, prompt(statement, starter), data=Problem(tests, Wording.of(statement)))


def _prompt(statement: str, starter: str) -> str:
    if starter:
        task = (
            f"Complete this Python code:\n```python\n{starter}\n```\n"
            "End with the complete code in one ```python block, without example calls."
        )
    else:
        task = (
            "Write a Python program that reads standard input and writes standard output. "
            "End with the complete program in one ```python block."
        )
    return f"Solve this programming problem.\n\n{statement}\n\n{task}"


def _released_prompt(statement: str, starter: str) -> str:
    return (FUNCTION_PROMPT if starter else STDIN_PROMPT) + statement


def _graded_by(text: _Compare, value: _Compare) -> Callable[[Item, str], float]:
    """Score 1.0 if the reply's program passes all public and private tests."""

    def grade(item: Item, reply: str) -> float:
        problem: Problem = item.data
        tests, compare = problem.tests, value if problem.tests.function else text
        code = program_in(reply, tests.function)
        if not code.strip():
            return 0.0

        def cases() -> Iterator[Case]:
            yield from tests.public()
            yield from tests.private()

        verdict = judged(
            Program(code, tests.function),
            cases,
            lambda output, expected: compare(output, expected, problem.wording),
        )
        return float(verdict.outcome is Outcome.PASSED)

    return grade


def _wrong(_: Item) -> list[str]:
    return ["", "```python\nraise SystemExit\n```"]


def _preset(
    prompt: Callable[[str, str], str],
    grade: Callable[[Item, str], float],
    decoding: Decoding,
    **twins: Callable[[Item, str], float],
) -> Benchmark:
    return Benchmark(
        about="contest programs, run in a sandbox",
        items=_draw_with(prompt),
        grade=grade,
        decoding=decoding,
        wrong=_wrong,
        twins=twins,
        concurrent=True,
        ready=jail,
    )


_SAMPLED = Decoding(max_tokens=MAX_TOKENS, temperature=0.6, top_p=0.95)
PRESETS = {
    "paper": _preset(
        _prompt,
        _graded_by(lambda a, b, _: same_lines(a, b), lambda a, b, _: same_value(a, b)),
        _SAMPLED,
    ),
    # The released code asks for T 0.7 without top-p; the paper says T 0.6 and 0.95.
    "authors": _preset(
        _released_prompt, released_score, Decoding(max_tokens=MAX_TOKENS, temperature=0.7)
    ),
    "fixed": _preset(
        _prompt, _graded_by(close_text, close_value), _SAMPLED, released=released_score
    ),
}
