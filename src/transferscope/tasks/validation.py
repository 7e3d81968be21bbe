"""Validate a benchmark: its grader must accept every gold answer and reject wrong ones.

Right answers of a multiple-choice question must also be spread evenly over the places of the
options (:mod:`.letter_balance`), and the suite's chance level must be what guessing gives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .definition import Benchmark, Item
from .letter_balance import guessing, imbalance, with_options

CHANCE_WITHIN = 0.005
"""Largest difference between the suite's chance level and the score of a random option."""
SHOWN = 20
"""Number of faults to keep per benchmark; a broken grader causes one for every item."""


@dataclass(frozen=True, slots=True)
class Validation:
    """The result of validating a benchmark.

    ``golds`` counts the items that have a gold answer, ``wrong`` the replies that must score 0.
    ``constant`` is the score (0..1) of the best constant answer, which is what a biased guess
    reaches: always the option at one position or, if all items have the same options, always one
    option. ``guess`` is the score of a random option. Both are ``None`` for free-form answers.
    ``faults`` holds the first :data:`SHOWN` of ``n_faults`` faults, one line each.
    """

    items: int
    golds: int
    wrong: int
    constant: float | None
    guess: float | None
    n_faults: int
    faults: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there are items and no faults."""
        return self.items > 0 and self.n_faults == 0


def validate(
    benchmark: Benchmark, items: Sequence[Item], *, chance: float | None = None
) -> Validation:
    """Grade the gold answer and the wrong answers of all ``items``.

    ``chance`` is the suite's chance level (0..1) for the benchmark, if it has one. Raises
    :class:`~transferscope.core.errors.MissingExtra` if a grader's package is not installed.
    """
    faults = [
        *_of_all(benchmark, items, chance),
        *_twice(items),
        *(fault for item in items for fault in _faults(benchmark, item)),
    ]
    return Validation(
        items=len(items),
        golds=sum(item.gold is not None for item in items),
        wrong=sum(len(benchmark.wrong(item)) for item in items),
        constant=_constant(items),
        guess=guessing(items),
        n_faults=len(faults),
        faults=tuple(faults[:SHOWN]),
    )


def _of_all(benchmark: Benchmark, items: Sequence[Item], chance: float | None) -> Iterator[str]:
    """Faults of the benchmark as a whole.

    The most likely option (no decoding) doesn't depend on the order of the options.
    """
    uneven = imbalance(items) if benchmark.decoding is not None else None
    if uneven is not None:
        yield uneven
    guess = guessing(items)
    if guess is not None and chance is not None and abs(guess - chance) > CHANCE_WITHIN:
        yield (
            f"a random option scores {100 * guess:.1f} %, but the suite's chance level is "
            f"{100 * chance:.1f} %"
        )


def _twice(items: Sequence[Item]) -> Iterator[str]:
    for id_, count in Counter(item.id for item in items).items():
        if count > 1:
            yield f"{id_}: {count} items have this id"


def _faults(benchmark: Benchmark, item: Item) -> Iterator[str]:
    if len(set(item.choices)) < len(item.choices):
        yield f"{item.id}: two options are the same"
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
    """The share of gold answers at the most frequent position, or with the most frequent option."""
    chosen = with_options(items)
    if not chosen:
        return None
    same = len({frozenset(item.choices) for item in chosen}) == 1
    places = Counter(item.choices.index(item.gold or "") for item in chosen)
    golds = Counter(item.gold for item in chosen) if same else Counter()
    return max([*places.values(), *golds.values()]) / len(chosen)
