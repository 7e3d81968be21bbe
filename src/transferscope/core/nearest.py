"""Suggest known names that are similar to an unknown one: settings, groups, policy keys, tasks."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

CUTOFF = 0.6
"""Names below this similarity (twice the matching characters over all) are not suggested."""


def nearest(name: str, known: Iterable[str], *, n: int = 3, cutoff: float = CUTOFF) -> list[str]:
    """Up to ``n`` of ``known`` that the user may have meant by ``name``, the most similar first.

    Case and the separators ``-``, ``_``, ``.`` and space are ignored. Similarity is difflib's ratio
    in 0..1 and must be at least ``cutoff``. Ties keep the order of ``known``.
    """
    wanted = _plain(name)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    scored = []
    for other in dict.fromkeys(known):
        matcher.set_seq1(_plain(other))
        bounded = matcher.real_quick_ratio() >= cutoff and matcher.quick_ratio() >= cutoff
        if bounded and (ratio := matcher.ratio()) >= cutoff:
            scored.append((ratio, other))
    return [other for _, other in sorted(scored, key=lambda pair: -pair[0])[:n]]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that is not in ``known``: the nearest known name, else all of them."""
    known = list(dict.fromkeys(known))
    if near := nearest(name, known, n=1):
        return f"did you mean {near[0]!r}?"
    return f"use one of {', '.join(known)}" if known else "none is known"


def _plain(name: str) -> str:
    return "".join(c for c in name.casefold() if c not in "-_. ")
