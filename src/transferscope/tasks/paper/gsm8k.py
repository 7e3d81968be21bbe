"""GSM8K: word problems with an integer answer, the text after "####" in ``answer``."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.records import Decoding
from ...grade.maths import is_correct, number
from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, text_in


def _read(lines: Lines) -> Iterator[Item]:
    for at, (place, row) in enumerate(lines):
        question, answer = text_in(row, "question", place), text_in(row, "answer", place)
        prompt = f"{question}\n\nSolve it step by step. End with: The answer is NUMBER."
        yield Item(f"gsm8k-{at}", prompt, gold=answer.rpartition("####")[2].strip())


def _grade(item: Item, reply: str) -> float:
    return float(item.gold is not None and is_correct(reply, item.gold))


def _wrong(item: Item) -> list[str]:
    value = number(item.gold or "")
    return ["", "no idea"] if value is None else [f"The answer is {value + 1}.", "", "no idea"]


BENCHMARK = Benchmark(
    about="school word problems",
    items=LocalFile("GSM8K", ("gsm8k",), _read),
    grade=_grade,
    decoding=Decoding(max_tokens=320),
    wrong=_wrong,
)
PRESETS = {"paper": BENCHMARK, "authors": BENCHMARK, "fixed": BENCHMARK}
