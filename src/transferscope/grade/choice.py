"""Choices and named answers: which option a model took, which fact a reply names.

Everything here is strict on purpose. A reply that names two options has not chosen, and a reply
that talks without naming the option has not answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_LETTER = re.compile(r"\(?([A-Z])(?:[).:]|\b)")
_SAID_LETTER = re.compile(
    r"(?:answer|option|choice)(?:\s+is)?\s*:?\s*\**\(?([A-Z])\b\)?", re.IGNORECASE
)


def most_likely(loglikelihoods: Sequence[float]) -> int:
    """Index of the largest log-likelihood (summed over tokens, not length-normalised).

    The first of equals wins. Raises :class:`ValueError` when there is nothing to choose from.
    """
    if not loglikelihoods:
        raise ValueError("no options to choose from")
    return max(range(len(loglikelihoods)), key=lambda index: loglikelihoods[index])


def letter(response: str, options: int) -> str | None:
    """The letter a reply commits to (``"B"``, ``"The answer is B."``), or ``None``.

    It stands at the start of the reply, or after the last "answer is", "answer:", "option" or
    "choice". A letter beyond the number of ``options`` is no answer.
    """
    text = response.strip().lstrip("*")
    found: str | None = None
    if said := _SAID_LETTER.findall(text):
        found = str(said[-1]).upper()
    elif (start := _LETTER.match(text)) and _stands_alone(text, start.end()):
        found = start.group(1)
    return found if found is not None and ord(found) - ord("A") < options else None


def names_only(response: str, gold: str, rivals: Sequence[str] = ()) -> bool:
    """Whether the reply names ``gold`` as whole words and none of ``rivals``.

    A rival equal to ``gold`` is ignored. Case is ignored.
    """
    if not _names(response, gold):
        return False
    return not any(_names(response, rival) for rival in rivals if _plain(rival) != _plain(gold))


def _stands_alone(text: str, end: int) -> bool:
    """A leading capital that begins a sentence ("A cat sat") is no choice."""
    return text[end - 1] in ").:" or not text[end:].strip(" \n.*")


def _plain(text: str) -> str:
    return text.strip().rstrip(".").strip().casefold()


def _names(text: str, phrase: str) -> bool:
    pattern = rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)"
    return re.search(pattern, text.casefold()) is not None
