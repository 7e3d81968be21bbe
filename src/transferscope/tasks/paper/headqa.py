"""HeadQA: Spanish healthcare exams in English; the reply is the most likely option.

Fields: ``qtext``, ``answers`` (``aid``, ``atext``) and ``ra``. Questions with an image are left
out.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..definition import Benchmark, Item
from .local_files import Lines, LocalFile, bad_row, list_in, text_in


def _read(lines: Lines) -> Iterator[Item]:
    for at, (place, row) in enumerate(lines):
        if row.get("image"):
            continue
        answers = list_in(row, "answers", place)
        try:
            options = {str(answer["aid"]): str(answer["atext"]) for answer in answers}
            gold = options[str(row.get("ra"))]
        except (KeyError, TypeError):
            raise bad_row("'ra' doesn't name one of the 'answers'", place) from None
        listed = "\n".join(f"- {option}" for option in options.values())
        prompt = f"{text_in(row, 'qtext', place)}\n\nAnswer with one of these:\n{listed}"
        yield Item(f"headqa-{at}", prompt, gold=gold, choices=tuple(options.values()))


BENCHMARK = Benchmark(
    about="healthcare exams, multiple choice",
    items=LocalFile("HeadQA", ("headqa",), _read),
    grade=lambda item, reply: float(reply == item.gold),
)
PRESETS = {"paper": BENCHMARK, "authors": BENCHMARK, "fixed": BENCHMARK}
