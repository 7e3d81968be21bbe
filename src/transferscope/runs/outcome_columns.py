"""One benchmark's outcomes as columns: a cohort has millions of outcomes, and most values repeat.

A column whose values are all equal is kept as one value. Ids and hashes are interned, so that the
runs of a cohort share them. An :class:`Outcome` is made when it is asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import repeat
from typing import Any, overload

import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from ..core.records import Outcome

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Flags = tuple[str, ...]

_FIELDS = Outcome.__struct_fields__
_INTERNED = ("id", "message_hash", "rendered_hash")


class Constant(Sequence[Any]):
    """``n`` times the same value."""

    __slots__ = ("_n", "value")

    def __init__(self, value: Any, n: int) -> None:
        self.value, self._n = value, n

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, at: Any) -> Any:
        return self.value

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.value, self._n)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Constant) and (self.value, self._n) == (other.value, other._n)

    def __hash__(self) -> int:
        return hash((self.value, self._n))


@dataclass(frozen=True, eq=False)
class Items:
    """A benchmark's items in one run, sorted by id.

    ``item`` (n_answers,) says of which item an answer is, ``counts`` (n_items,) how many an item
    has. ``clusters`` (n_items,) numbers what shares a story or passage, ``subsets`` (n_items,)
    indexes ``subset_names``. ``chance`` is the weighted mean score of guessing, ``None`` where an
    item's is unknown. ``scores`` (n_items,) are means over repeats, ``flags`` their union.
    """

    ids: tuple[str, ...]
    item: Codes
    counts: Codes
    weights: Floats
    clusters: Codes
    subsets: Codes
    subset_names: tuple[str, ...]
    chance: float | None
    scores: Floats = field(default_factory=lambda: np.empty(0))
    flags: tuple[Flags, ...] = ()

    def mean(self, scores: Floats) -> Floats:
        """Scores (n_answers,) by item."""
        return np.bincount(self.item, weights=scores) / self.counts

    def united(self, flags: Sequence[Flags]) -> tuple[Flags, ...]:
        """Flags (n_answers,) by item, each once and sorted."""
        known: dict[Flags, Flags] = {}
        if len(flags) > len(self.ids):
            union: list[set[str]] = [set() for _ in self.ids]
            for at, found in zip(self.item.tolist(), flags, strict=True):
                union[at].update(found)
            flags = [tuple(sorted(found)) for found in union]
        for found in set(flags):
            known[found] = tuple(sorted(set(found)))
        return tuple([known[found] for found in flags])


class OutcomeColumns(Sequence[Outcome]):
    """The outcomes of one benchmark, in the file's order; at least one."""

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.benchmark = outcomes[0].benchmark
        self._n = len(outcomes)
        columns = zip(*map(astuple, outcomes), strict=True)
        next(columns)
        self._columns = {n: _column(n, c) for n, c in zip(_FIELDS[1:], columns, strict=True)}

    def column(self, name: str) -> Sequence[Any]:
        """The values (n,) of the outcomes' field ``name``; scores are an array of floats."""
        return self._columns[name]

    @property
    def unique(self) -> bool:
        """Whether no two outcomes have the same id and repeat."""
        ids, repeats = self.column("id"), self.column("repeat")
        keys = set(ids) if isinstance(repeats, Constant) else set(zip(ids, repeats, strict=True))
        return len(keys) == self._n

    @cached_property
    def by_key(self) -> Codes:
        """Positions (n,) of the outcomes, sorted by id and repeat."""
        ids, repeats = self.column("id"), self.column("repeat")
        if isinstance(repeats, Constant):
            return np.array(sorted(range(self._n), key=ids.__getitem__), dtype=np.int64)
        keys = list(zip(ids, repeats, strict=True))
        return np.array(sorted(range(self._n), key=keys.__getitem__), dtype=np.int64)

    @property
    def scores(self) -> Floats:
        """Scores (n,) within 0..1."""
        return np.asarray(self._columns["score"])

    def values(self, name: str, at: Codes) -> list[Any]:
        """The field ``name`` at the positions ``at``."""
        column = self._columns[name]
        if isinstance(column, Constant):
            return [column.value] * len(at)
        return [column[i] for i in at.tolist()]

    @cached_property
    def items(self) -> Items:
        """All items; made once for all runs that are compared with this one."""
        return self.items_at(self.by_key)

    def items_at(self, rows: Codes) -> Items:
        """The items of the answers at the positions ``rows``, which are sorted by id and repeat."""
        answered = self.values("id", rows)
        ids = tuple(dict.fromkeys(answered))
        position = {id_: i for i, id_ in enumerate(ids)}
        item = np.array([position[id_] for id_ in answered], dtype=np.int64)
        first = rows[np.searchsorted(item, np.arange(len(ids)))]
        weights = np.array(self.values("weight", first), dtype=np.float64)
        stories = self.values("cluster", first)
        clusters, _ = _codes(
            [
                ("story", story) if story else ("item", id_)
                for story, id_ in zip(stories, ids, strict=True)
            ]
        )
        subsets, names = _codes(self.values("subset", first))
        bare = Items(
            ids=ids,
            item=item,
            counts=np.bincount(item),
            weights=weights,
            clusters=clusters,
            subsets=subsets,
            subset_names=tuple(map(str, names)),
            chance=_chance(self.values("chance", first), weights),
        )
        scores, flags = bare.mean(self.scores[rows]), bare.united(self.values("flags", rows))
        return replace(bare, scores=scores, flags=flags)

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> Outcome: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Outcome, ...]: ...
    def __getitem__(self, at: int | slice) -> Outcome | tuple[Outcome, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(self._n)))
        if not -self._n <= at < self._n:
            raise IndexError(at)
        return Outcome(self.benchmark, *(_plain(c[at]) for c in self._columns.values()))

    def __iter__(self) -> Iterator[Outcome]:
        columns = [c.tolist() if isinstance(c, np.ndarray) else c for c in self._columns.values()]
        return (Outcome(self.benchmark, *row) for row in zip(*columns, strict=True))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or len(other) != self._n:
            return False
        return all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]


def columns_of(outcomes: Iterable[Outcome]) -> dict[str, OutcomeColumns]:
    """The outcomes of every benchmark, in the order of their first ones."""
    grouped: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault(outcome.benchmark, []).append(outcome)
    return {name: OutcomeColumns(rows) for name, rows in grouped.items()}


def _codes(labels: Sequence[Hashable]) -> tuple[Codes, tuple[Hashable, ...]]:
    """Labels numbered in the order of their first appearance, and the labels."""
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64), tuple(numbers)


def _chance(chances: Sequence[float | None], weights: Floats) -> float | None:
    """Weighted mean over the items; ``None`` where that of one of them is unknown."""
    known = [chance for chance in chances if chance is not None]
    return float(np.average(known, weights=weights)) if len(known) == len(chances) else None


def _column(name: str, values: tuple[Any, ...]) -> Sequence[Any]:
    if name == "score":
        return np.array(values, dtype=np.float64)  # type: ignore[return-value]
    first = values[0]
    if first == values[-1] and values.count(first) == len(values):
        return Constant(first, len(values))
    if name in _INTERNED:
        return tuple([value if value is None else sys.intern(value) for value in values])
    different: dict[Any, Any] = {}
    return tuple([different.setdefault(value, value) for value in values])


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, np.float64) else value
