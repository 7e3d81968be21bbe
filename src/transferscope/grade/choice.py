"""Choices and named answers: which option is likeliest, which fact a reply names.

Everything here is strict on purpose. A reply that names two options has not chosen, and a reply
that talks without naming the option has not answered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.thinking import without_thinking


def most_likely(loglikelihoods: Sequence[float]) -> int:
    """Index of the largest log-likelihood (summed over tokens, not length-normalised).

    The first of equals wins. Raises :class:`ValueError` when there is nothing to choose from.
    """
    if not loglikelihoods:
        raise ValueError("no options to choose from")
    return max(range(len(loglikelihoods)), key=lambda index: loglikelihoods[index])


def names_only(response: str, gold: str, rivals: Sequence[str] = ()) -> bool:
    """Whether the reply names ``gold`` as whole words and none of ``rivals``.

    A rival equal to ``gold`` is ignored. Case is ignored, and so is what was thought aloud.
    """
    response = without_thinking(response)
    if not _names(response, gold):
        return False
    return not any(_names(response, rival) for rival in rivals if _plain(rival) != _plain(gold))


def _plain(text: str) -> str:
    return text.strip().rstrip(".").strip().casefold()


def _names(text: str, phrase: str) -> bool:
    pattern = rf"(?<!\w){re.escape(phrase.casefold())}(?!\w)"
    return re.search(pattern, text.casefold()) is not None
