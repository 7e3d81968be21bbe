"""The single definition of a correct maths answer, for evaluation, rejection sampling and reward.

:mod:`.final_answer` extracts the answer that a response commits to, and :mod:`.equality` compares
it with the reference. Plain numbers, the most common answers, are compared here as exact fractions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from .equality import same
from .final_answer import MAX_CHARS, final_answer, finished, last_boxed, readings
from .math_verify_call import SECONDS
from .numbers import MAX_DIGITS, number
from .symbolic import equivalent

__all__ = [
    "MAX_CHARS",
    "MAX_DIGITS",
    "SECONDS",
    "equivalent",
    "final_answer",
    "finished",
    "is_correct",
    "last_boxed",
    "number",
]

_IMPLIES = re.compile(r"\\(?:implies|(?:Long)?[Rr]ightarrow)(?![a-zA-Z])|[⇒⟹]|=>")
_IMPLIED = re.compile(rf"^[^=<>]+=.*(?:{_IMPLIES.pattern})(?P<then>.+)$", re.DOTALL)
"""A conclusion drawn from an equation, as in "2x = 10 ⇒ x = 5"."""

_LABEL = re.compile(
    r"^\s*(?:\\text\s*\{\s*[A-Za-z][A-Za-z ]{2,30}(?::\s*\}|\s*\}\s*:)|[A-Za-z][A-Za-z ]{2,30}:)\s*"
)
"""A label before the answer: "Total cost: 30"."""


def is_correct(response: str, gold: str | Sequence[str]) -> bool:
    """Whether the final answer of ``response`` equals ``gold``, a number, LaTeX, words or a letter.

    ``gold`` may be several texts, any of which is right. Raises :class:`MissingExtra` where a
    formula has to be compared and the libraries for it are missing.
    """
    golds = [gold] if isinstance(gold, str) else list(gold)
    return any(_right(answer, one) for answer in readings(response) for one in golds)


def _right(answer: str, gold: str) -> bool:
    if (implied := _IMPLIED.search(answer)) and not _IMPLIES.search(gold):
        answer = implied["then"]
    if ":" not in gold and answer.count(":") == 1:
        answer = _LABEL.sub("", answer)
    if "%" not in answer and "%" not in gold:
        mine, theirs = number(answer), number(gold)
        if mine is not None and theirs is not None:
            return mine == theirs
    return same(answer, gold)
