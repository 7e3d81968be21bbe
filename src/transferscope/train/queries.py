"""Training queries: seeded, procedural, and easy enough that the base sometimes succeeds.

There are three kinds in equal shares, all with operands from 1 to 9: one-digit sums, one-digit
products and one-digit word problems (one operation each). The evaluation suite ``mini`` uses larger
numbers, so no training query can occur in it. A study counts shared wordings (`overlap.json`).

The base should solve 20-60 % of its own attempts. Below that, few groups of rollouts contain a
correct answer to reinforce; above it, few contain a wrong one to move away from.
``benchmarks/pass_rate.py`` measured (November 2026; smollm2-135m in bfloat16, seed 0, 60 queries x
4, T 0.7, 48 tokens): 30 % correct, 85 % finished, 29 % both, which is what RL rewards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass

LOWEST, HIGHEST = 1, 9
"""The range of every operand, both ends included."""

FORMAT = "Keep it short."
"""The end of every prompt. With it the base finishes 9 in 10 answers within 48 tokens, without it
4 in 10."""

KINDS = ("sum", "product", "story")

_NAMES = ("Nadia", "Oskar", "Priya", "Tomas", "Yuki", "Zola", "Emre", "Freya", "Kofi", "Leila")
_THINGS = ("shells", "buttons", "marbles", "stamps", "acorns", "ribbons", "pencils", "tokens")
_SUMS = ("What is {a} + {b}?", "What do {a} and {b} add up to?", "Work out {a} + {b}.")
_PRODUCTS = ("What is {a} times {b}?", "What is {a} x {b}?", "Multiply {a} by {b}.")
_STORIES = {  # operation -> situations, question
    "+": (
        "{name} has {a} {things} and finds {b} more.",
        "How many {things} does {name} have now?",
    ),
    "-": (
        "{name} has {a} {things} and gives away {b}.",
        "How many {things} are left?",
    ),
    "*": (
        "{name} has {a} boxes with {b} {things} in each box.",
        "How many {things} is that in all?",
    ),
}


@dataclass(frozen=True, slots=True)
class Query:
    """One training question. ``gold`` is its answer.

    For a procedural query, ``a``, ``b`` and ``operation`` give the underlying calculation. For a
    word problem, ``facts`` describes the situation in words, and the teacher retells it. It is
    empty otherwise.
    """

    id: str
    kind: str
    prompt: str
    gold: str
    a: int = 0
    b: int = 0
    operation: str = ""
    facts: str = ""


MOST = 729
"""The number of different training queries: 243 sums and 243 products (81 pairs of operands, 3
wordings), and as many stories, because the kinds alternate."""


def solve(a: int, b: int, operation: str) -> int:
    """Compute ``a operation b`` for ``+``, ``-`` and ``*``."""
    return {"+": a + b, "-": a - b, "*": a * b}[operation]


def make_queries(count: int, *, seed: int, exclude: Collection[str] = frozenset()) -> list[Query]:
    """Make ``count`` queries, deterministic in ``seed``, without duplicates or ``exclude``.

    The kinds alternate, so that every training step sees the same mixture. The list for a smaller
    ``count`` is a prefix of a longer one. Raises :class:`ValueError` above :data:`MOST`.
    """
    rng = random.Random(f"transferscope-train-{seed}")
    seen = set(exclude)
    queries: list[Query] = []
    for index in range(count):
        kind = KINDS[index % len(KINDS)]
        for _ in range(10_000):
            query = _MAKERS[kind](rng, f"{kind}-{seed}-{index}")
            if query.prompt not in seen:
                break
        else:
            raise ValueError(f"fewer than {count} different training queries exist")
        seen.add(query.prompt)
        queries.append(query)
    return queries


def _sum(rng: random.Random, name: str) -> Query:
    a, b = _operands(rng)
    question = _pick(rng, _SUMS).format(a=a, b=b)
    return _query(name, "sum", question=question, a=a, b=b, operation="+")


def _product(rng: random.Random, name: str) -> Query:
    a, b = _operands(rng)
    question = _pick(rng, _PRODUCTS).format(a=a, b=b)
    return _query(name, "product", question=question, a=a, b=b, operation="*")


def _story(rng: random.Random, name: str) -> Query:
    operation = _pick(rng, tuple(_STORIES))
    a, b = _operands(rng)
    if operation == "-":
        a, b = max(a, b), min(a, b)
    words = {"name": _pick(rng, _NAMES), "things": _pick(rng, _THINGS), "a": a, "b": b}
    facts, question = (part.format(**words) for part in _STORIES[operation])
    text = f"{facts} {question}"
    return _query(name, "story", question=text, a=a, b=b, operation=operation, facts=facts)


_MAKERS: dict[str, Callable[[random.Random, str], Query]] = {
    "sum": _sum,
    "product": _product,
    "story": _story,
}


def _query(
    name: str, kind: str, *, question: str, a: int, b: int, operation: str, facts: str = ""
) -> Query:
    gold = str(solve(a, b, operation))
    return Query(name, kind, f"{question} {FORMAT}", gold, a, b, operation, facts)


def _operands(rng: random.Random) -> tuple[int, int]:
    return rng.randint(LOWEST, HIGHEST), rng.randint(LOWEST, HIGHEST)


def _pick(rng: random.Random, options: tuple[str, ...]) -> str:
    return options[rng.randrange(len(options))]
