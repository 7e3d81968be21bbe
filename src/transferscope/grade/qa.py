"""Short free answers: exact match and F1 as CoQA's evaluation defines them (arXiv 1808.07042).

Before comparing, case, punctuation, the articles a, an and the, and runs of blanks are removed. F1
is over bags of words. With several reference answers every one of them is left out once, the best
of the others counts, and the mean over them is taken: a person is scored against the others so.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from ..core.thinking import without_thinking

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalised(text: str) -> str:
    """Text without case, ASCII punctuation, articles and surplus blanks.

    >>> normalised(" The  CAT's hat. ")
    'cats hat'
    """
    plain = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def exact_match(answer: str, gold: str) -> float:
    """1.0 where both are the same after :func:`normalised`, else 0.0. Thinking is not read."""
    return float(normalised(without_thinking(answer)) == normalised(gold))


def f1(answer: str, gold: str) -> float:
    """Harmonic mean of precision and recall over bags of words, 0..1.

    Where one of the two has no word left, 1.0 if neither has, else 0.0.
    """
    said, wanted = normalised(without_thinking(answer)).split(), normalised(gold).split()
    if not said or not wanted:
        return float(said == wanted)
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted))


def against(answer: str, golds: Sequence[str], score: Callable[[str, str], float]) -> float:
    """``score`` of an answer against reference answers, each left out once; of one, plainly.

    Raises :class:`ValueError` for no reference.
    """
    if not golds:
        raise ValueError("no reference answer")
    scores = [score(answer, gold) for gold in golds]
    if len(scores) == 1:
        return scores[0]
    left_out = [max(scores[:at] + scores[at + 1 :]) for at in range(len(scores))]
    return sum(left_out) / len(left_out)
