"""OlympiadBench, the part used by the paper: mathematics in English, open-ended, text only.

Fields: ``question``, ``context``, ``final_answer`` (a list), ``is_multiple_answer``,
``answer_type``, ``unit`` and ``error``. Greedy, once. ``authors`` is the released lm-eval task
``olympiad``, which leaves out the context and compares the spelling of the first final answer,
dollar signs included, so that most formulas can't be matched. ``fixed`` says what form the answer
has, as the benchmark's own prompt does, takes every listed answer, the unit and the tolerance into
account, corrects answers (:mod:`.answer_corrections`), and leaves out problems that lack a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...grade.shapes import split
from ..definition import Benchmark, Item
from .answer_corrections import answerable, corrected
from .local_files import Lines, LocalFile, bad_row, list_in, text_in
from .maths_golds import (
    GREEDY,
    RELEASED,
    STOPPED,
    MathsGolds,
    grade,
    grade_listed,
    maths_item,
    released,
    wrong,
)
from .released_maths import lm_eval_matches

FORMS = {
    "Numerical": "a number",
    "Expression": "an expression",
    "Equation": "an equation",
    "Tuple": "a tuple",
    "Interval": "an interval",
}
"""Answer types of the benchmark, as the prompt names them."""


def _text(row: Mapping[str, Any], name: str) -> str:
    """The text of an optional field; files write a missing one as null, "None" or nothing."""
    value = str(row.get(name) or "").strip()
    return "" if value == "None" else value


def _several(row: Mapping[str, Any]) -> bool:
    return _text(row, "is_multiple_answer").casefold() == "true"


def _asked(row: Mapping[str, Any]) -> str:
    """What the prompt of ``fixed`` says about the answer's form."""
    form = FORMS.get(_text(row, "answer_type"), "")
    if _several(row):
        asked = "There are several answers; give all, separated by commas"
        asked += f" (each is {form})." if form else "."
    else:
        asked = f"The answer is {form}." if form else ""
    unit = _text(row, "unit")
    return f"{asked} Its unit is {unit}.".strip() if unit else asked


def _released(row: Mapping[str, Any], place: str) -> str:
    return RELEASED.format(problem=text_in(row, "question", place))


def _plain(row: Mapping[str, Any], place: str) -> str:
    parts = (
        _text(row, "context"),
        text_in(row, "question", place),
        _asked(row),
        "Reason step by step, and put the final answer in \\boxed{}.",
    )
    return "\n\n".join(filter(None, parts))


def _listed(row: Mapping[str, Any], place: str) -> list[str]:
    listed = [str(answer).strip() for answer in list_in(row, "final_answer", place)]
    if not listed or not all(listed):
        raise bad_row("no answer in 'final_answer'", place)
    return listed


def _first(row: Mapping[str, Any], place: str) -> MathsGolds:
    """The first answer as the file has it."""
    first = _listed(row, place)[0]
    return MathsGolds(first, (first,))


def _first_readable(row: Mapping[str, Any], place: str) -> MathsGolds:
    """The first answer, a list as one that the grader can't misread."""
    first = _listed(row, place)[0]
    return MathsGolds(first, (_readable(first, row),))


def _every(row: Mapping[str, Any], place: str) -> MathsGolds:
    """All answers, corrected and with their unit, and the tolerance.

    Several entries are alternatives, unless the problem asks for several answers.
    """
    listed = _listed(row, place)
    several = [", ".join(listed)] if _several(row) else listed
    right = tuple(_readable(answer, row) for answer in several)
    right = corrected(text_in(row, "question", place), right)
    if unit := _text(row, "unit").strip("$"):
        right = tuple(f"{answer.strip('$')}\\text{{ {unit}}}" for answer in right)
    try:
        within = tuple(float(error) for error in _text(row, "error").split(",") if error.strip())
    except ValueError:
        raise bad_row("'error' is not a number", place) from None
    return MathsGolds(listed[0], right, within)


def _readable(answer: str, row: Mapping[str, Any]) -> str:
    """A list with blanks, so that 108,135 is two numbers; a tuple if it names a value twice.

    A list with a repeated value is not a set: its order and length count.
    """
    if not _several(row):
        return answer
    parts = split(answer.replace("$", ""), ",")
    listed = ", ".join(parts)
    return f"({listed})" if len(set(parts)) < len(parts) else listed


def _file(
    prompt: Callable[[Mapping[str, Any], str], str],
    golds: Callable[[Mapping[str, Any], str], MathsGolds],
    *,
    every: bool = True,
) -> LocalFile:
    """The file's items, without unanswerable ones unless ``every``."""

    def read(lines: Lines) -> Iterator[Item]:
        for at, (place, row) in enumerate(lines):
            if not every and not answerable(text_in(row, "question", place)):
                continue
            id_ = f"olympiadbench-{row.get('id', at)}"
            yield maths_item(id_, prompt(row, place), golds(row, place))

    return LocalFile("OlympiadBench", ("olympiadbench",), read)


PAPER = Benchmark(
    about="olympiad mathematics, open-ended",
    items=_file(_released, _first_readable),
    grade=grade,
    decoding=GREEDY,
    wrong=wrong,
)
PRESETS = {
    "paper": PAPER,
    "authors": replace(
        PAPER,
        items=_file(_released, _first),
        grade=released(lm_eval_matches),
        decoding=STOPPED,
    ),
    "fixed": replace(
        PAPER,
        items=_file(_plain, _every, every=False),
        twins={"first answer": grade_listed, "released": released(lm_eval_matches)},
    ),
}
