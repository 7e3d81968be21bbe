"""Training queries that occur in the evaluation: found by shared word n-grams, removed, counted.

A query overlaps with an evaluation prompt when they share a run of ``n`` words (8, as usual for
benchmark decontamination), or all of it where the query is shorter than that. Words are runs of
letters and digits, case ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .queries import Query

N = 8
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """``kept`` queries and the ids of those ``removed``."""

    kept: tuple[Query, ...]
    removed: tuple[str, ...]


def without_overlap(queries: Sequence[Query], prompts: Iterable[str], *, n: int = N) -> Overlap:
    """Queries that share no ``n``-gram with any of ``prompts``.

    Memory: one hash per n-gram of the queries; the prompts are read once, one at a time.
    """
    grams: dict[tuple[str, ...], set[int]] = {}
    lengths: set[int] = set()
    for at, query in enumerate(queries):
        words = _words(query.prompt)
        size = min(n, len(words))
        for gram in _grams(words, size):
            grams.setdefault(gram, set()).add(at)
            lengths.add(size)
    found: set[int] = set()
    for prompt in prompts:
        words = _words(prompt)
        for size in lengths:
            for gram in _grams(words, size):
                found |= grams.get(gram, set())
    kept = tuple(query for at, query in enumerate(queries) if at not in found)
    return Overlap(kept, tuple(queries[at].id for at in sorted(found)))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _grams(words: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    if size:
        yield from (tuple(words[at : at + size]) for at in range(len(words) - size + 1))
