"""MATH-500: competition problems with a final answer, 500 of MATH's test set.

Fields: ``problem``, ``answer`` and, for ids, ``unique_id``. Two released tasks exist. ``authors``
is lm-eval's ``hendrycks_math_500``, which the released responses are named after: greedy, cut at
"Problem:", compared by spelling. ``fixed`` corrects answers of the file
(:mod:`.answer_corrections`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..definition import Benchmark, Item
from .answer_corrections import corrected
from .local_files import Lines, LocalFile, text_in
from .maths_golds import (
    PLAIN,
    RELEASED,
    SAMPLED,
    STOPPED,
    MathsGolds,
    answer_in,
    grade,
    grade_listed,
    maths_item,
    released,
    wrong,
)
from .released_maths import evalchemy_matches, lm_eval_matches

AUTHORS = (
    "Solve the following math problem and present the final answer in the format: "
    "Final Answer: \\boxed{{your_answer}}.\nProblem: {problem}\nAnswer:"
)


def _file(prompt: str, *, correct: bool = False) -> LocalFile:
    def read(lines: Lines) -> Iterator[Item]:
        for at, (place, row) in enumerate(lines):
            problem, listed = text_in(row, "problem", place), answer_in(row, ("answer",), place)
            right = corrected(problem, (listed,)) if correct else (listed,)
            name = str(row.get("unique_id") or at).removeprefix("test/").removesuffix(".json")
            text = prompt.format(problem=problem)
            yield maths_item(f"math500-{name}", text, MathsGolds(listed, right))

    return LocalFile("MATH-500", ("math500",), read)


PAPER = Benchmark(
    about="competition mathematics",
    items=_file(RELEASED),
    grade=grade,
    decoding=SAMPLED,
    wrong=wrong,
)
PRESETS = {
    "paper": PAPER,
    "authors": replace(
        PAPER, items=_file(AUTHORS), grade=released(lm_eval_matches), decoding=STOPPED
    ),
    "fixed": replace(
        PAPER,
        items=_file(PLAIN, correct=True),
        twins={
            "uncorrected": grade_listed,
            "released": released(lm_eval_matches),
            "evalchemy": released(evalchemy_matches),
        },
    ),
}
