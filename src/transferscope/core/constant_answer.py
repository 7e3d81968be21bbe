"""One answer to nearly all questions of a benchmark: its score tells how often that one is right.

A model that says "no" 98 times of 100 scores what the share of "no" among the right answers is,
before tuning and after. Where tuning moves such a constant, the score moves as far as the shares
lie apart, and nothing was learnt or forgotten (docs/science.md section 3).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .thinking import without_thinking
from .typed_record import record

COMMON = 0.9
"""Share of the answers from which on one of them is constant."""
FEWEST = 20
"""Answers below which nothing is said."""
SHORT_WORDS = 3
"""Up to this number of words, the whole answer counts; in a longer one, only a leading option."""
LINE_CHARS = 200
"""Characters of the first line that are looked at."""

CONSTANT = "constant_answer"
_WORD = re.compile(r"\w+")
_OPTION = re.compile(
    r"\W*(?:(yes|no|true|false)\b|([a-j])(?:\)|\.(?!\w)|[:,]?\s*$))", re.IGNORECASE
)


@record()
class ConstantAnswer:
    """``answer``, case and punctuation left out, was given ``count`` times."""

    answer: str
    count: int


def constant_answer(texts: Sequence[str]) -> ConstantAnswer | None:
    """The answer that at least 90 % of ``texts`` give; ``None`` without, or below 20 texts.

    >>> constant_answer(["No."] * 19 + ["no, it would not take so long", "yes"])
    ConstantAnswer(answer='no', count=20)
    """
    return constant_among([closed(text) for text in texts])


def constant_among(answers: Sequence[str | None]) -> ConstantAnswer | None:
    """:func:`constant_answer` of what :func:`closed` read, for callers that keep no texts."""
    if len(answers) < FEWEST:
        return None
    counted = Counter(answer for answer in answers if answer is not None)
    answer, count = max(counted.items(), key=lambda item: item[1], default=("", 0))
    return ConstantAnswer(answer, count) if count >= COMMON * len(answers) else None


def closed(text: str) -> str | None:
    """What a response answers a closed question: its words, or the option it begins with.

    Options are yes, no, true, false and the letters A to J, alone or before a bracket or full stop
    ("A: 12" begins an answer of any kind). ``None`` where the first line is a longer text, or holds
    no word. What a model says while it thinks is not its answer.

    >>> closed("<think>Is it so? No.</think>\n\nYes.")
    'yes'
    """
    answer = without_thinking(text)[:LINE_CHARS]
    line = next((line for line in answer.splitlines() if line.strip()), "")
    if option := _OPTION.match(line):
        return next(group for group in option.groups() if group).casefold()
    words = _WORD.findall(line.casefold())
    return " ".join(words) if 0 < len(words) <= SHORT_WORDS else None
