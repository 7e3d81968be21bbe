"""CoQA: the last answered question about a story, after the earlier turns with their answers.

Fields: ``story``, ``questions`` and ``answers``. The score is F1 over words.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...core.records import Decoding
from ...grade.qa import f1
from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, bad_row, list_in, text_in


def _read(lines: Lines) -> Iterator[Item]:
    for at, (place, row) in enumerate(lines):
        questions, answers = list_in(row, "questions", place), list_in(row, "answers", place)
        turns = list(zip(questions, answers, strict=False))
        if not turns:
            raise bad_row("no answered question", place)
        *before, (question, gold) = turns
        told = "".join(f"Q: {q}\nA: {a}\n" for q, a in before)
        prompt = (
            "Read the story and answer the last question in a few words.\n\n"
            f"{text_in(row, 'story', place)}\n\n{told}Q: {question}\nA:"
        )
        yield Item(f"coqa-{at}", prompt, gold=str(gold))


BENCHMARK = Benchmark(
    about="the last question about a story",
    items=LocalFile("CoQA", ("coqa",), _read),
    grade=lambda item, reply: f1(reply, item.gold or ""),
    decoding=Decoding(max_tokens=32),
    wrong=lambda _: ["", "zzz qqq"],
)
PRESETS = {"paper": BENCHMARK, "authors": BENCHMARK, "fixed": BENCHMARK}
