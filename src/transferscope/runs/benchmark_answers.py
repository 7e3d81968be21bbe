"""One run's answers to a benchmark as columns, sorted by (id, repeat): what pairing aligns."""

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
"""What pairs an answer within a benchmark: id and repeat."""


@dataclass(frozen=True, eq=False)
class BenchmarkAnswers:
    """Outcomes of one benchmark, sorted by (id, repeat); one of them per key.

    Arrays over items (n_items,) are in the order of the ids. Nothing is computed before it is used,
    and each column once: a base is paired with many tuned models.
    """

    outcomes: Sequence[Outcome]

    @classmethod
    def of(cls, outcomes: Iterable[Outcome]) -> BenchmarkAnswers:
        """The answers, sorted."""
        return cls(sorted(outcomes, key=_by_key))

    @cached_property
    def keys(self) -> list[Key]:
        """Id and repeat of every answer."""
        return list(map(_by_key, self.outcomes))

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The items."""
        return tuple(dict.fromkeys(map(_ID, self.outcomes)))

    @cached_property
    def items(self) -> frozenset[str]:
        """The items as a set."""
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
        """One field of all answers; equal objects where runs share them, so quick to compare."""
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
        """Flags of every item, sorted: the union over its repeats."""
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
        """Relative weight (n_items,) of every item, that of its first repeat."""
        return np.array([o.weight for o in self._first])

    @cached_property
    def clusters(self) -> Codes:
        """Number (n_items,) of the story or passage that an item shares, or of the item itself."""
        labels = [("story", o.cluster) if o.cluster else ("item", o.id) for o in self._first]
        return _codes(labels)[0]

    @cached_property
    def subsets(self) -> tuple[Codes, tuple[str, ...]]:
        """Number (n_items,) of every item's subset, and the subsets' names."""
        numbers, names = _codes([o.subset for o in self._first])
        return numbers, tuple(map(str, names))

    @cached_property
    def chance(self) -> float | None:
        """Weighted mean over the items; ``None`` if that of one of them is unknown."""
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
    """Labels numbered in the order of their first appearance, and the labels."""
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64), tuple(numbers)
