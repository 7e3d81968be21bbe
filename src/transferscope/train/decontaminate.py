"""Finds, removes and counts training queries that share word n-grams with the evaluation.

A query overlaps with an evaluation prompt when they share a run of ``n`` words (8, as usual for
benchmark decontamination), or all of it where the query is shorter than that. Words are runs of
letters and digits, case ignored. Studies and the commands that train, distill or export
decontaminate their queries here.

Built-in queries are determined by their seed. Those that share an n-gram with the evaluation are
kept and counted, and one that occurs in it as a whole is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.errors import InputError
from .arm_config import PROCEDURAL
from .queries import Query

N = 8
WHOLE = 10_000
"""A number of words that no query reaches."""
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Overlap:
    """``kept`` queries and the ids of those ``removed``."""

    kept: tuple[Query, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decontaminated:
    """The queries to train on, and the ids of those ``overlapping``, of which ``removed`` went.

    ``unanswered``: ids of other queries that were removed because the teacher has no response.
    """

    queries: tuple[Query, ...]
    overlapping: tuple[str, ...]
    removed: int
    unanswered: tuple[str, ...] = ()

    @property
    def left_out(self) -> int:
        """The number of queries removed, for either reason."""
        return self.removed + len(self.unanswered)


def decontaminate(
    queries: Sequence[Query],
    prompts: Sequence[str],
    *,
    source: str,
    unanswered: Collection[str] = (),
) -> Decontaminated:
    """What may be trained on of ``source``'s ``queries``, given the evaluation's ``prompts``.

    The ids of ``unanswered`` (see ``pool``) go as well, but for built-in queries. Raises
    :class:`InputError` where nothing is left, and for a built-in query that is asked whole.
    """
    found = find_overlap(queries, prompts)
    if source == PROCEDURAL:
        if whole := find_overlap(queries, prompts, n=WHOLE).removed:
            what = f"built-in query {whole[0]} occurs in the evaluation"
            raise InputError(what, remedy="use another suite or seed")
        return Decontaminated(tuple(queries), found.removed, 0)
    if not found.kept:
        what = f"every query ({len(queries)}) overlaps with the evaluation"
        raise InputError(what, place=source, remedy="use other queries or another suite")
    kept = tuple(query for query in found.kept if query.id not in unanswered)
    if not kept:
        what = f"the teacher has nothing to train on for any of {len(found.kept)} queries"
        raise InputError(what, place=source, remedy="distill more responses")
    lacking = tuple(query.id for query in found.kept if query.id in unanswered)
    return Decontaminated(kept, found.removed, len(found.removed), lacking)


def find_overlap(queries: Sequence[Query], prompts: Iterable[str], *, n: int = N) -> Overlap:
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
