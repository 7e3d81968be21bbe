"""One benchmark of two runs, aligned by item."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .outcome_columns import Codes, Constant, Floats, OutcomeColumns


@dataclass(frozen=True, eq=False)
class PairedBenchmark:
    """One benchmark of two runs, aligned by item; items are sorted by id.

    ``base_scores`` and ``tuned_scores`` (n_items,) are means over an item's repeats, 0..1.
    ``weights`` (n_items,) are relative; ``clusters`` (n_items,) numbers what shares a story or
    passage, ``subsets`` (n_items,) indexes ``subset_names``. ``repeats`` is the largest number of
    repeats of an item. ``binary``: one repeat per item and every score 0 or 1. ``chance`` is the
    weighted mean score of guessing, ``None`` where an item's is unknown. Flags are the union over
    an item's repeats.
    """

    benchmark: str
    ids: tuple[str, ...]
    base_scores: Floats
    tuned_scores: Floats
    weights: Floats
    clusters: Codes
    subsets: Codes
    subset_names: tuple[str, ...]
    repeats: int
    binary: bool
    chance: float | None
    base_flags: tuple[tuple[str, ...], ...]
    tuned_flags: tuple[tuple[str, ...], ...]

    @property
    def n(self) -> int:
        """Number of items."""
        return len(self.ids)


class Sides:
    """The answers of one benchmark in two runs, matched by id and repeat.

    Items in ``left_out`` are in neither. ``base_rows`` and ``tuned_rows`` (n_answers,) are the
    positions of the answers that both runs have, sorted by id and repeat. ``asked`` counts the
    base's answers to shared items, ``shared`` counts those items.
    """

    def __init__(self, base: OutcomeColumns, tuned: OutcomeColumns, left_out: set[str]) -> None:
        self.base, self.tuned = base, tuned
        self.alike = not left_out and all(
            base.column(name) == tuned.column(name) for name in ("id", "repeat")
        )
        if self.alike:
            self.base_rows = self.tuned_rows = base.by_key
            self.asked = self.tuned_answers = len(base)
            self.base_items = self.tuned_items = self.shared = len(base.items.ids)
            return
        here, there = _positions(base, left_out), _positions(tuned, left_out)
        items, others = {id_ for id_, _ in here}, {id_ for id_, _ in there}
        asked = [key for key in here if key[0] in others]
        keys = [key for key in asked if key in there]
        self.base_rows = np.array([here[key] for key in keys], dtype=np.int64)
        self.tuned_rows = np.array([there[key] for key in keys], dtype=np.int64)
        self.asked, self.tuned_answers = len(asked), len(there)
        self.base_items, self.tuned_items = len(items), len(others)
        self.shared = len(items & others)

    def differ(self, name: str, *, known: bool = False) -> NDArray[np.bool_]:
        """Answers (n_answers,) whose field ``name`` differs; ``known``: where both runs have it."""
        pairs = self._pairs(name)
        if pairs is None:
            return np.zeros(len(self.base_rows), dtype=bool)
        return np.array([a != b and not (known and (a is None or b is None)) for a, b in pairs])

    def unknown(self, name: str) -> NDArray[np.bool_]:
        """Answers (n_answers,) whose field ``name`` is ``None`` in one of the runs."""
        here, there = self._values(name)
        return np.array([a is None or b is None for a, b in zip(here, there, strict=True)])

    def _pairs(self, name: str) -> list[tuple[Hashable, Hashable]] | None:
        """Both runs' values; ``None`` where all are equal."""
        base, tuned = self.base.column(name), self.tuned.column(name)
        if isinstance(base, Constant) and isinstance(tuned, Constant):
            if base.value == tuned.value:
                return None
        elif self.alike and base == tuned:
            return None
        return list(zip(*self._values(name), strict=True))

    def _values(self, name: str) -> tuple[list[Any], list[Any]]:
        return self.base.values(name, self.base_rows), self.tuned.values(name, self.tuned_rows)


def _positions(outcomes: OutcomeColumns, left_out: set[str]) -> dict[tuple[str, int], int]:
    """Where every (id, repeat) is, in their order; without the items ``left_out``."""
    ids, repeats = outcomes.column("id"), outcomes.column("repeat")
    return {
        (ids[at], repeats[at]): at for at in outcomes.by_key.tolist() if ids[at] not in left_out
    }


def align(name: str, sides: Sides) -> PairedBenchmark:
    """The benchmark by item, on the answers that both runs have."""
    base, tuned = sides.base, sides.tuned
    items = base.items if sides.alike else base.items_at(sides.base_rows)
    scores = items.scores, items.mean(tuned.scores[sides.tuned_rows])
    repeats = int(items.counts.max())
    return PairedBenchmark(
        benchmark=name,
        ids=items.ids,
        base_scores=scores[0],
        tuned_scores=scores[1],
        weights=items.weights,
        clusters=items.clusters,
        subsets=items.subsets,
        subset_names=items.subset_names,
        repeats=repeats,
        binary=repeats == 1 and all(bool(((s == 0.0) | (s == 1.0)).all()) for s in scores),
        chance=items.chance,
        base_flags=items.flags,
        tuned_flags=items.united(tuned.values("flags", sides.tuned_rows)),
    )
