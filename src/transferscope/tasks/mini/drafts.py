"""Shared by the mini benchmarks: drafts, procedures and the seeded stream that numbers drafts.

A procedure has a pure function ``draw(rng) -> [Draft, ...]``: one draft, or the several that share
a passage. :func:`stream` numbers them, drops repeats and stops at ``n``, so the first 40 of 200
items are the 40 items of a shorter run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ...core.records import Decoding
from ..definition import Benchmark, Item

TRAINING_SEED = 1_000_000
"""Training seeds start here; evaluation seeds stay below."""
HELD_OUT = 200
"""Evaluation items of a benchmark that a run asks unless it says how many; training leaves their
prompts out."""
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
class Numbered:
    """A draft with a stable id and the cluster of the items that share its passage."""

    id: str
    cluster: str
    draft: Draft


Draw = Callable[[random.Random], Sequence[Draft]]
Grade = Callable[[Draft, str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """How drafts are drawn, and how a reply is graded (``None``: a choice by log-likelihood).

    ``wrong`` gives replies that look like an answer and are wrong; a choice has its other options.
    """

    about: str
    draw: Draw
    grade: Grade | None = None
    wrong: Callable[[Draft], Sequence[str]] | None = None
    max_tokens: int = 96

    def graded(self, draft: Draft, reply: str) -> float:
        """1.0 for a right reply, else 0.0; the reply to a choice is the option's text."""
        return float(reply == draft.gold if self.grade is None else self.grade(draft, reply))

    def benchmark(self) -> Benchmark:
        """The procedure as a benchmark of the pack."""
        found = Benchmark(
            about=self.about,
            items=self._items,
            grade=lambda item, reply: self.graded(item.data, reply),
            decoding=None if self.grade is None else Decoding(max_tokens=self.max_tokens),
        )
        wrong = self.wrong
        return found if wrong is None else replace(found, wrong=lambda item: wrong(item.data))

    def numbered(self, n: int, *, seed: int) -> list[Numbered]:
        """The first ``n`` evaluation items of a seed. Raises ``ValueError`` for a training seed."""
        if not 0 <= seed < TRAINING_SEED:
            raise ValueError(f"evaluation seeds are 0..{TRAINING_SEED - 1}, not {seed}")
        return stream(self.draw, n, seed=seed)

    def _items(self, n: int | None, *, seed: int, data: Path | None) -> list[Item]:
        del data  # nothing is read from files
        return [
            Item(
                each.id,
                each.draft.prompt,
                gold=each.draft.gold,
                choices=each.draft.choices,
                subset=each.draft.subset,
                cluster=each.cluster,
                data=each.draft,
            )
            for each in self.numbered(HELD_OUT if n is None else n, seed=seed)
        ]


def wrong_numbers(draft: Draft) -> list[str]:
    """Wrong replies for a gold answer that is a whole number."""
    return [str(int(draft.gold) + 1), f"The answer is {int(draft.gold) + 10}.", "", "no idea"]


def stream(draw: Draw, n: int, *, seed: int, without: Collection[str] = ()) -> list[Numbered]:
    """The first ``n`` items of a seed, without the prompts in ``without``.

    Raises :class:`ValueError` when the space has nothing that is not in ``without``.
    """
    rng, seen, items, idle, group = random.Random(seed), set(without), list[Numbered](), 0, 0
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
            items.append(Numbered(f"{seed}-{len(items)}", f"{seed}-c{group}", draft))
        group += 1
    return items


def pick(rng: random.Random, right: str, wrong: Sequence[str]) -> tuple[str, ...]:
    """The options in random order, so that no position is more likely to be right."""
    options = [right, *wrong]
    rng.shuffle(options)
    return tuple(options)
