"""MC-TACO: is a proposed answer to a question about time plausible, yes or no?

Fields: ``sentence``, ``question``, ``answer`` and ``label``, one candidate answer per line. The
candidate answers to a question form one cluster.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, bad_row, text_in


def _read(lines: Lines) -> Iterator[Item]:
    questions: dict[tuple[str, str], int] = {}
    for at, (place, row) in enumerate(lines):
        sentence, question = text_in(row, "sentence", place), text_in(row, "question", place)
        cluster = f"mctaco-{questions.setdefault((sentence, question), len(questions))}"
        gold = text_in(row, "label", place)
        if gold not in ("yes", "no"):
            raise bad_row("'label' is neither yes nor no", place)
        prompt = (
            f"{sentence}\n\nQuestion: {question}\n"
            f"Proposed answer: {text_in(row, 'answer', place)}\n"
            "Is the proposed answer plausible? Answer yes or no."
        )
        yield Item(f"mctaco-row-{at}", prompt, gold=gold, choices=("yes", "no"), cluster=cluster)


BENCHMARK = Benchmark(
    about="plausible times and durations, yes or no",
    items=LocalFile("MC-TACO", ("mctaco",), _read),
    grade=lambda item, reply: float(reply == item.gold),
)
PRESETS = {"paper": BENCHMARK, "authors": BENCHMARK, "fixed": BENCHMARK}
