r"""GPQA-Diamond: questions of experts in physics, chemistry and biology, with four options.

The data are gated: ``gpqa_diamond.csv`` with its columns ``Question``, ``Correct Answer`` and
``Incorrect Answer 1`` to ``3``, and ``Record ID`` if it is there. The paper samples three replies
with temperature 0.6 and top-p 0.95, up to 32,768 tokens.

The released code holds the task ``GPQADiamond`` (evalchemy), which :data:`AUTHORS` follows. It
makes a generator with the same seed for every question, so that the options are always shuffled
alike and every right answer is "D". Its grader takes the last of the letters A to D that is a word
of its own in the upper-cased reply, so that the article "a" is an answer. The released replies
carry the name of another task, ``gpqa_diamond_cot_zeroshot`` (lm-eval), which shuffles each
question differently. Which of the two tasks gave the paper's table is unknown. The wording of the
request is ours here; its parts and their order are the released ones.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from string import ascii_uppercase

from ...core.records import Decoding
from ..definition import Benchmark, Item
from .lettered import LIMIT, grade_letter, lettered, letters_of, wrong_letters
from .local_files import Lines, LocalFile, text_in

RIGHT = "Correct Answer"
OPTIONS = (RIGHT, *(f"Incorrect Answer {number}" for number in (1, 2, 3)))
AUTHORS_SEED = 42
"""Seed of the generator that the released task makes for every question."""
_SINGLE = re.compile(r"\b[A-D]\b")


def _id(at: int, row: dict[str, object]) -> str:
    return f"gpqa-{row.get('Record ID') or at}"


def _read(lines: Lines) -> Iterator[Item]:
    for at, (place, row) in enumerate(lines):
        options = [text_in(row, column, place).strip() for column in OPTIONS]
        yield lettered(_id(at, row), text_in(row, "Question", place).strip(), options, 0)


def _read_authors(lines: Lines) -> Iterator[Item]:
    for at, (place, row) in enumerate(lines):
        options = [text_in(row, column, place) for column in OPTIONS]
        random.Random(AUTHORS_SEED).shuffle(options)
        listed = ", ".join(
            f"{name}) {option}" for name, option in zip("ABCD", options, strict=True)
        )
        prompt = (
            "Answer with the letter of the right option (A, B, C, or D), and nothing else, "
            f"within \\boxed{{}}.\nProblem: {text_in(row, 'Question', place)}\n"
            f"Options: {listed}\nAnswer:"
        )
        gold = letters_of(options, text_in(row, RIGHT, place))[0]
        yield Item(
            _id(at, row), prompt, gold=gold, choices=tuple(ascii_uppercase[:4]), data=(gold,)
        )


def last_single(item: Item, reply: str) -> float:
    """The released grader: the last of A to D that is a word of the upper-cased reply."""
    found = _SINGLE.findall(reply.upper())
    return float(bool(found) and found[-1] in item.data)


PAPER = Benchmark(
    about="expert questions in the natural sciences, multiple choice",
    items=LocalFile("GPQA-Diamond", ("gpqa",), _read),
    grade=grade_letter,
    decoding=Decoding(temperature=0.6, top_p=0.95, max_tokens=LIMIT),
    wrong=wrong_letters,
)
AUTHORS = Benchmark(
    about="expert questions in the natural sciences, multiple choice, all answers D",
    items=LocalFile("GPQA-Diamond", ("gpqa",), _read_authors),
    grade=last_single,
    decoding=Decoding(temperature=0.7, max_tokens=LIMIT),
)
FIXED = Benchmark(
    about=PAPER.about,
    items=PAPER.items,
    grade=grade_letter,
    decoding=PAPER.decoding,
    wrong=wrong_letters,
    twins={"last single letter": last_single},
)
PRESETS = {"paper": PAPER, "authors": AUTHORS, "fixed": FIXED}
