"""Are the right answers spread evenly over the places of the options?

If they are not, a model that always names one place scores more or less than a guess, and a change
of that habit looks like a change of ability. The released GPQA task of the paper is the extreme:
every right answer is "D".

The number of right answers at a place is compared with what a random order gives: a sum of draws
with probability 1 / (number of options), exact for any mix of numbers of options. The bound is
two-sided and divided by the number of places, so that a random order raises a false alarm with a
probability of at most :data:`FALSE_ALARM`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from string import ascii_uppercase

import numpy as np

from .definition import Item

FALSE_ALARM = 0.001
"""Probability that right answers in random order are called unbalanced."""


def with_options(items: Sequence[Item]) -> list[Item]:
    """The items with options, one of which is the gold answer."""
    return [item for item in items if item.choices and item.gold in item.choices]


def guessing(items: Sequence[Item]) -> float | None:
    """The score (0..1) of a random option; ``None`` if an item has no options or no gold answer."""
    chosen = with_options(items)
    if not items or len(chosen) < len(items):
        return None
    return sum(1.0 / len(item.choices) for item in chosen) / len(chosen)


def imbalance(items: Sequence[Item]) -> str | None:
    """What is wrong with the places of the right answers, in one sentence, or ``None``.

    Options with the same names in every item, such as yes and no, are not at places: which of them
    is right how often is a property of the benchmark. Letters are places.
    """
    chosen = with_options(items)
    if not chosen or (_same_names(chosen) and not _are_letters(chosen[0].choices)):
        return None
    sizes = Counter(len(item.choices) for item in chosen)
    places = Counter(item.choices.index(item.gold or "") for item in chosen)
    level = FALSE_ALARM / (2 * max(sizes))
    tails = (tail for place in range(max(sizes)) for tail in _tails(places[place], sizes, place))
    if min(tails) >= level:
        return None
    best, hits = max(places.items(), key=lambda pair: pair[1])
    counts = ", ".join(f"{_name(place)} {places[place]}" for place in range(max(sizes)))
    expected = sum(count / size for size, count in sizes.items() if size > best)
    return (
        f"right answers are not balanced over the places of the options: {counts}; always choosing "
        f"{_name(best)} scores {100 * hits / len(chosen):.0f} %, but in a random order "
        f"{100 * expected / len(chosen):.0f} % (false alarms: 1 in {1 / FALSE_ALARM:,.0f})"
    )


def _tails(hits: int, sizes: Counter[int], place: int) -> tuple[float, float]:
    """P(X <= hits) and P(X >= hits) for the number of right answers at ``place``."""
    from scipy.stats import binom

    mass = np.ones(1)
    for size, count in sizes.items():
        if size > place:
            mass = np.convolve(mass, binom.pmf(np.arange(count + 1), count, 1.0 / size))
    return float(mass[: hits + 1].sum()), float(mass[hits:].sum())


def _same_names(items: Sequence[Item]) -> bool:
    return len({frozenset(item.choices) for item in items}) == 1


def _are_letters(choices: Sequence[str]) -> bool:
    return "".join(choices) == ascii_uppercase[: len(choices)]


def _name(place: int) -> str:
    return ascii_uppercase[place] if place < len(ascii_uppercase) else f"place {place + 1}"
