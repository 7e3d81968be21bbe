"""What the mini benchmarks share: drafts, items and the seeded stream that makes them.

A benchmark is a pure function ``draw(rng) -> [Draft, ...]``: one draft, or the several that share
a passage. :func:`stream` numbers them, drops repeats and stops at ``n``, so the first 40 of 200
items are the 40 items of a shorter run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import islice

ATTEMPTS = 1_000
"""Draws in a row that bring nothing new before a small space is allowed to repeat itself."""

NAMES = (
    *("Anna", "Ben", "Clara", "David", "Emma", "Frank", "Grace", "Henry", "Irene", "Jack"),
    *("Karen", "Leo", "Maria", "Nathan", "Olivia", "Peter", "Rosa", "Simon", "Tara", "Victor"),
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A question before it has a number. ``gold`` is a reply that deserves 1.0.

    ``choices`` are the options of a choice task (``gold`` is one of them), ``rivals`` what a right
    reply must not name, ``check`` a benchmark's own data as text, ``worked`` a right reply with its
    steps where the gold alone would teach a model to guess.
    """

    prompt: str
    gold: str
    subset: str = ""
    choices: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    check: str = ""
    worked: str = ""

    @property
    def example(self) -> str:
        """The reply to tune on."""
        return self.worked or self.gold


@dataclass(frozen=True, slots=True)
class Item:
    """A draft with a stable id and the cluster of items it shares a passage with."""

    id: str
    cluster: str
    draft: Draft


Draw = Callable[[random.Random], Sequence[Draft]]
Grade = Callable[[Draft, str], bool]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """How items are drawn, and how a reply is graded (``None``: a choice by log-likelihood)."""

    draw: Draw
    grade: Grade | None = None


def stream(draw: Draw, n: int, *, seed: int, without: Collection[str] = ()) -> list[Item]:
    """The first ``n`` items of a seed, prompts in ``without`` left out.

    Raises :class:`ValueError` when the space has nothing that is not in ``without``.
    """
    rng, seen, items, idle, group = random.Random(seed), set(without), list[Item](), 0, 0
    allowed = set(without)
    while len(items) < n:
        fresh = [draft for draft in draw(rng) if draft.prompt not in seen]
        if not fresh:
            idle += 1
            if idle > 10 * ATTEMPTS:
                raise ValueError(f"nothing to draw beyond {len(seen)} prompts")
            if idle > ATTEMPTS:
                seen = set(allowed)
            continue
        idle = 0
        for draft in islice(fresh, n - len(items)):
            seen.add(draft.prompt)
            items.append(Item(f"{seed}-{len(items)}", f"{seed}-c{group}", draft))
        group += 1
    return items


def pick(rng: random.Random, right: str, wrong: Sequence[str]) -> tuple[str, ...]:
    """The options in random order, so that no position is worth more than another."""
    options = [right, *wrong]
    rng.shuffle(options)
    return tuple(options)
