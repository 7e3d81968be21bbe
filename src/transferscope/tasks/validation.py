"""A benchmark's check of itself: its gold answers are right, changed ones are wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .definition import Benchmark, Item

SHOWN = 20
"""Faults of a benchmark that are kept; a broken grader has one for every item."""


@dataclass(frozen=True, slots=True)
class Validation:
    """What the check of a benchmark found.

    ``golds`` counts the items that have a gold answer, ``wrong`` the replies that had to score 0.
    ``constant`` is what the best constant answer scores in 0..1, the option at one place for all
    items or, where all items have the same options, one option: ``None`` for free answers. It is
    the level that a biased guess reaches. ``faults`` holds the first :data:`SHOWN` of
    ``n_faults`` faults, one line each.
    """

    items: int
    golds: int
    wrong: int
    constant: float | None
    n_faults: int
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there are items and no faults."""
        return self.items > 0 and self.n_faults == 0


def validate(benchmark: Benchmark, items: Sequence[Item]) -> Validation:
    """Grade every gold answer and every changed one of ``items``.

    Raises :class:`~transferscope.core.errors.MissingExtra` where a grader's package is absent.
    """
    faults = [*_twice(items), *(fault for item in items for fault in _faults(benchmark, item))]
    return Validation(
        items=len(items),
        golds=sum(item.gold is not None for item in items),
        wrong=sum(len(benchmark.wrong(item)) for item in items),
        constant=_constant(items),
        n_faults=len(faults),
        faults=tuple(faults[:SHOWN]),
    )


def _twice(items: Sequence[Item]) -> Iterator[str]:
    for id_, count in Counter(item.id for item in items).items():
        if count > 1:
            yield f"{id_}: {count} items have this id"


def _faults(benchmark: Benchmark, item: Item) -> Iterator[str]:
    if len(set(item.choices)) < len(item.choices):
        yield f"{item.id}: an option is there twice"
    if item.choices and item.gold not in item.choices:
        yield f"{item.id}: the gold answer is not among the options"
    if benchmark.decoding is None and len(item.choices) < 2:
        yield f"{item.id}: fewer than two options to choose from"
    if item.gold is not None and (score := benchmark.grade(item, item.gold)) != 1.0:
        yield f"{item.id}: the gold answer scores {score:g}"
    for reply in benchmark.wrong(item):
        if (score := benchmark.grade(item, reply)) != 0.0:
            yield f"{item.id}: the wrong answer {reply[:40]!r} scores {score:g}"


def _constant(items: Sequence[Item]) -> float | None:
    """The share of golds at the most frequent place (or of the most frequent option)."""
    chosen = [item for item in items if item.choices and item.gold in item.choices]
    if not chosen:
        return None
    same = len({frozenset(item.choices) for item in chosen}) == 1
    places = Counter(item.choices.index(item.gold or "") for item in chosen)
    golds = Counter(item.gold for item in chosen) if same else Counter()
    return max([*places.values(), *golds.values()]) / len(chosen)
