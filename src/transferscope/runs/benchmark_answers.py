"""One run's answers to a benchmark as columns, sorted by (id, repeat) for pairing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.records import Outcome

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Key = tuple[str, int]
"""Identifies an answer within a benchmark: id and repeat. Pairing matches these keys."""


@dataclass(frozen=True, eq=False)
class BenchmarkAnswers:
    """Outcomes of one benchmark, sorted by (id, repeat), with one outcome per key.

    Arrays over items (n_items,) are in the order of the ids. Columns are computed on first use and
    cached, because a base is paired with many tuned models.
    """

    outcomes: Sequence[Outcome]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> BenchmarkAnswers:
        """Build from outcomes in any order."""
        return cls(sorted(outcomes, key=_by_key))

    @cached_property
    def keys(self) -> list[Key]:
        """The id and repeat of every answer."""
        return list(map(_by_key, self.outcomes))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The ids of the items, sorted."""
        return tuple(dict.fromkeys(map(_ID, self.outcomes)))

    @cached_property
    def items(self) -> frozenset[str]:
        """The ids of the items as a set."""
        return frozenset(self.ids)

    def on(self, ids: Set[str]) -> BenchmarkAnswers:
        """The answers to these items."""
        if self.items <= ids:
            return self
        return BenchmarkAnswers([o for o in self.outcomes if o.id in ids])

    def at(self, keys: Set[Key]) -> BenchmarkAnswers:
        """The answers with these keys."""
        pairs = zip(self.outcomes, self.keys, strict=True)
        return BenchmarkAnswers([outcome for outcome, key in pairs if key in keys])

    def column(self, name: str) -> list[Any]:
        """One field of all answers. Runs share equal objects, so comparing columns is fast."""
        return list(map(attrgetter(name), self.outcomes))

    @cached_property
    def scores(self) -> Floats:
        """Mean score (n_items,) over an item's repeats, 0..1."""
        totals = np.bincount(self._item, weights=self.column("score"))
        return np.asarray(totals / np.bincount(self._item), dtype=np.float64)

    @cached_property
    def repeats(self) -> int:
        """The largest number of repeats of an item."""
        return int(np.bincount(self._item).max())

    @cached_property
    def binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return set(map(attrgetter("score"), self.outcomes)) <= {0.0, 1.0}

    @cached_property
    def flags(self) -> tuple[tuple[str, ...], ...]:
        """The sorted flags of every item: the union over its repeats."""
        every = self.column("flags")
        if not any(every):
            return ((),) * len(self.ids)
        union: dict[str, set[str]] = {id_: set() for id_ in self.ids}
        for outcome in self.outcomes:
            if outcome.flags:
                union[outcome.id].update(outcome.flags)
        return tuple(tuple(sorted(flags)) for flags in union.values())

    @cached_property
    def weights(self) -> Floats:
        """The relative weight (n_items,) of every item, taken from its first repeat."""
        return np.array([o.weight for o in self._first])

    @cached_property
    def clusters(self) -> Codes:
        """Cluster number (n_items,) per item: shared by a story or passage, else the item's own."""
        labels = [("story", o.cluster) if o.cluster else ("item", o.id) for o in self._first]
        return _codes(labels)[0]

    @cached_property
    def subsets(self) -> tuple[Codes, tuple[str, ...]]:
        """Subset number (n_items,) per item, and the names of the subsets."""
        numbers, names = _codes([o.subset for o in self._first])
        return numbers, tuple(map(str, names))

    @cached_property
    def chance(self) -> float | None:
        """The weighted mean chance level; ``None`` if it is unknown for any item."""
        known = [o.chance for o in self._first if o.chance is not None]
        if len(known) < len(self._first):
            return None
        return float(np.average(known, weights=self.weights))

    @cached_property
    def _item(self) -> Codes:
        position = {id_: at for at, id_ in enumerate(self.ids)}
        return np.array([position[o.id] for o in self.outcomes], dtype=np.int64)

    @cached_property
    def _first(self) -> list[Outcome]:
        """The first repeat of every item."""
        if len(self.ids) == len(self.outcomes):
            return list(self.outcomes)
        return [self.outcomes[at] for at in np.searchsorted(self._item, np.arange(len(self.ids)))]


_by_key: Callable[[Outcome], Key] = attrgetter("id", "repeat")
_ID: Callable[[Outcome], str] = attrgetter("id")


def _codes(labels: Sequence[Hashable]) -> tuple[Codes, tuple[Hashable, ...]]:
    """Number the labels in order of first appearance; also return the distinct labels."""
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64), tuple(numbers)
