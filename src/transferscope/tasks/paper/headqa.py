"""HeadQA: Spanish healthcare exams in English, multiple choice.

Fields: ``qtext``, ``answers`` (``aid``, ``atext``) and ``ra``, with ``name`` and ``qid`` if they
are there. Questions with an image are left out. Exams have five options until 2014 and four since
then; the test split is of 2016 and 2017, so guessing gives 25 %.

``paper`` and ``fixed`` ask for a letter, greedily. The released code runs lm-eval's task, where the
reply is the most likely option after the bare question (:data:`AUTHORS`; log-likelihoods are summed
over tokens. Whether the paper's table has this score or the length-normalised one is unknown).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...core.records import Decoding
from ..definition import Benchmark, Item
from .lettered import LIMIT, grade_letter, lettered, wrong_letters
from .local_files import Lines, LocalFile, bad_row, list_in, text_in


def _rows(lines: Lines) -> Iterator[tuple[str, str, list[str], int]]:
    """(id, question, options, position of the right one) of every row without an image."""
    for at, (place, row) in enumerate(lines):
        if row.get("image"):
            continue
        answers = list_in(row, "answers", place)
        try:
            options = {str(answer["aid"]): str(answer["atext"]) for answer in answers}
            right = list(options).index(str(row.get("ra")))
        except (KeyError, TypeError, ValueError):
            raise bad_row("'ra' doesn't name one of the 'answers'", place) from None
        yield _id(at, row), text_in(row, "qtext", place), list(options.values()), right


def _id(at: int, row: dict[str, Any]) -> str:
    named = row.get("name") and row.get("qid")
    return f"headqa-{row['name']}-{row['qid']}" if named else f"headqa-{at}"


def _read(lines: Lines) -> Iterator[Item]:
    for id_, question, options, right in _rows(lines):
        yield lettered(id_, question, options, right)


def _read_authors(lines: Lines) -> Iterator[Item]:
    for id_, question, options, right in _rows(lines):
        prompt = f"Question: {question}\nAnswer:"
        yield Item(id_, prompt, gold=options[right], choices=tuple(options))


PAPER = Benchmark(
    about="healthcare exams, multiple choice",
    items=LocalFile("HeadQA", ("headqa",), _read),
    grade=grade_letter,
    decoding=Decoding(max_tokens=LIMIT),
    wrong=wrong_letters,
)
AUTHORS = Benchmark(
    about="healthcare exams, the most likely option",
    items=LocalFile("HeadQA", ("headqa",), _read_authors),
    grade=lambda item, reply: float(reply == item.gold),
)
PRESETS = {"paper": PAPER, "authors": AUTHORS, "fixed": PAPER}
