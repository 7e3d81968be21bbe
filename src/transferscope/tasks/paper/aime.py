"""AIME 2024 and 2025: 30 problems each, whose answers are integers from 0 to 999.

Fields: ``problem`` with ``expected_answer`` or ``answer`` and, for ids, ``id``. ``authors`` is the
released evalchemy task, which alone averages over samples: its own prompt, temperature 0.7, no
top-p, compared by spelling (033 isn't 33). The run script also names lm-eval tasks for AIME, which
are greedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...core.records import Decoding
from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, text_in
from .maths_golds import (
    PLAIN,
    RELEASED,
    SAMPLED,
    TOKENS,
    MathsGolds,
    answer_in,
    grade,
    maths_item,
    released,
    wrong,
)
from .released_maths import evalchemy_matches, lm_eval_matches

AUTHORS = "Problem: {problem}\nMark your solution with \\boxed\nAnswer:"


def _file(name: str, start: str, prompt: str) -> LocalFile:
    def read(lines: Lines) -> Iterator[Item]:
        for at, (place, row) in enumerate(lines):
            problem = text_in(row, "problem", place)
            listed = answer_in(row, ("expected_answer", "answer"), place)
            id_ = f"{start}-{str(row.get('id', at)).removeprefix(f'{start}-')}"
            yield maths_item(id_, prompt.format(problem=problem), MathsGolds(listed, (listed,)))

    return LocalFile(name, (start,), read)


def _presets(name: str, start: str) -> Mapping[str, Benchmark]:
    paper = Benchmark(
        about=f"{name[:4]} 20{name[4:]}, integers to 999",
        items=_file(name, start, RELEASED),
        grade=grade,
        decoding=SAMPLED,
        wrong=wrong,
    )
    return {
        "paper": paper,
        "authors": replace(
            paper,
            items=_file(name, start, AUTHORS),
            grade=released(evalchemy_matches),
            decoding=Decoding(temperature=0.7, max_tokens=TOKENS),
        ),
        "fixed": replace(
            paper,
            items=_file(name, start, PLAIN),
            twins={
                "released": released(lm_eval_matches),
                "evalchemy": released(evalchemy_matches),
            },
        ),
    }


AIME24 = _presets("AIME24", "aime24")
AIME25 = _presets("AIME25", "aime25")
