"""Constant answers: a model gives one answer to nearly all questions of a benchmark.

A model that says "no" 98 times out of 100 scores the share of "no" among the correct answers,
before tuning and after. If tuning changes which answer is constant, the score moves by the
difference of the two shares, and nothing was learned or forgotten (docs/science.md, section 3).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .thinking import without_thinking
from .typed_record import record

COMMON = 0.9
"""An answer is constant if at least this share of the answers are equal to it."""
FEWEST = 20
"""With fewer answers, none counts as constant."""
SHORT_WORDS = 3
"""Answers of up to this many words count as a whole; of longer ones only a leading option does."""
LINE_CHARS = 200
"""Characters of the first line that are read."""

CONSTANT = "constant_answer"
_WORD = re.compile(r"\w+")
_OPTION = re.compile(
    r"\W*(?:(yes|no|true|false)\b|([a-j])(?:\)|\.(?!\w)|[:,]?\s*$))", re.IGNORECASE
)


@record()
class ConstantAnswer:
    """``answer`` (without case and punctuation) was given ``count`` times."""

    answer: str
    count: int


def constant_answer(texts: Sequence[str]) -> ConstantAnswer | None:
    """The answer that at least 90 % of ``texts`` give; ``None`` if none, or for under 20 texts.

    >>> constant_answer(["No."] * 19 + ["no, it would not take so long", "yes"])
    ConstantAnswer(answer='no', count=20)
    """
    return constant_among([closed(text) for text in texts])


def constant_among(answers: Sequence[str | None]) -> ConstantAnswer | None:
    """:func:`constant_answer` on results of :func:`closed`, for callers that keep no texts."""
    if len(answers) < FEWEST:
        return None
    counted = Counter(answer for answer in answers if answer is not None)
    answer, count = max(counted.items(), key=lambda item: item[1], default=("", 0))
    return ConstantAnswer(answer, count) if count >= COMMON * len(answers) else None


def closed(text: str) -> str | None:
    """A response's answer to a closed question: its words, or the option that it begins with.

    Options are yes, no, true, false and the letters A to J, alone or before a bracket or full stop
    ("A: 12" may begin any kind of answer). ``None`` if the first line is a longer text or has no
    words. Reasoning blocks are not part of the answer.

    >>> closed("<think>Is it so? No.</think>\n\nYes.")
    'yes'
    """
    answer = without_thinking(text)[:LINE_CHARS]
    line = next((line for line in answer.splitlines() if line.strip()), "")
    if option := _OPTION.match(line):
        return next(group for group in option.groups() if group).casefold()
    words = _WORD.findall(line.casefold())
    return " ".join(words) if 0 < len(words) <= SHORT_WORDS else None
