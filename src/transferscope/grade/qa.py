"""Short free-form answers: exact match and F1 as in CoQA's evaluation (arXiv 1808.07042).

Before the comparison, reasoning, case, punctuation, the articles a, an and the, and repeated blanks
are removed. F1 is over bags of words. With several reference answers, the best match counts.
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
    """Remove reasoning blocks, case, ASCII punctuation, articles and surplus blanks.

    >>> normalised(" The  CAT's hat. ")
    'cats hat'
    >>> normalised("<think>A dog?</think>The cat.<|im_end|>")
    'cat'
    """
    plain = without_thinking(text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def exact_match(answer: str, gold: str) -> float:
    """Return 1.0 if both are the same after :func:`normalised`, else 0.0."""
    return float(normalised(answer) == normalised(gold))


def f1(answer: str, gold: str) -> float:
    """Return the harmonic mean of precision and recall over bags of words, 0..1.

    If either has no words left, the result is 1.0 if neither has, else 0.0.
    """
    said, wanted = normalised(answer).split(), normalised(gold).split()
    if not said or not wanted:
        return float(said == wanted)
    shared = (Counter(said) & Counter(wanted)).total()
    return 2 * shared / (len(said) + len(wanted))


def against(answer: str, golds: Sequence[str], score: Callable[[str, str], float]) -> float:
    """Return the best ``score`` of an answer against reference answers, any of which is right.

    CoQA's own script scores otherwise: :func:`leave_one_out`.

    Raises :class:`ValueError` without references.
    """
    if not golds:
        raise ValueError("no reference answer")
    return max(score(answer, gold) for gold in golds)


def leave_one_out(answer: str, golds: Sequence[str], score: Callable[[str, str], float]) -> float:
    """Return the score of CoQA's script: the mean over leaving one reference out of the best score.

    People, who gave one of the references, are scored that way. An answer equal to a reference that
    differs from the k - 1 others scores less than 1, at least (k - 1)/k. A single reference is not
    left out.

    Raises :class:`ValueError` without references.

    >>> leave_one_out("red", ["red", "red", "crimson"], exact_match)
    1.0
    >>> leave_one_out("crimson", ["red", "crimson"], exact_match)
    0.5
    """
    if len(golds) < 2:
        return against(answer, golds, score)
    scores = [score(answer, gold) for gold in golds]
    left = [max(scores[:at] + scores[at + 1 :]) for at in range(len(scores))]
    return sum(left) / len(left)
