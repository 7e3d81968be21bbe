"""The off-policy teacher: worked solutions in a style the base does not have.

    What is 3 times 2?  ->  Okay, let me think about this step by step. I have to multiply 3 by 2,
    so I need 3 groups of 2. Adding them up one by one gives 2, 4, 6. So the answer is 6.

A stand-in for a large reasoning model (the paper distils one): several sentences, the same opening
every time. Worked solutions are correct by construction, and still pass the rejection step of
docs/science.md section 6 with the one grader, like those of any other teacher. Off-policy RL needs
wrong ones as well: :func:`slipped` makes one slip on the way and goes on from there.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from ..core.errors import InputError
from ..grade.maths import is_correct
from .queries import Query, solve

Teacher = Callable[[Query, random.Random], str]
"""Draws one response to a query."""

SLIPS = 0.5
"""Share of wrong responses among those of :func:`mixed`: most groups of rollouts hold both."""

OPENING = "Okay, let me think about this step by step."

_TASKS = {
    "+": ("I have to add {b} to {a}.", "This asks for the sum of {a} and {b}."),
    "-": ("I have to take {b} away from {a}.", "This asks for {a} minus {b}."),
    "*": ("I have to multiply {a} by {b}.", "This asks for {a} groups of {b}."),
}
_WORK = {
    "+": ("Counting up from {a}, I get {steps}.", "I start at {a} and go on one by one: {steps}."),
    "-": (
        "Counting down from {a}, I get {steps}.",
        "I start at {a} and go back one by one: {steps}.",
    ),
    "*": (
        "Adding {b} again and again gives {steps}.",
        "I count the groups one after the other: {steps}.",
    ),
}
_CHECKS = ("That is {a} {operation} {b} = {result}.", "So {a} {operation} {b} comes to {result}.")
_CLOSINGS = ("So the answer is {result}.", "Therefore, the answer is {result}.")


def worked(query: Query, rng: random.Random) -> str:
    """One worked solution of ``query``; ``rng`` chooses among the wordings."""
    return _told(query, rng, slip=0)


def slipped(query: Query, rng: random.Random) -> str:
    """A solution in the same style whose last step slips by one or two: plausible, and wrong."""
    return _told(query, rng, slip=rng.choice((-2, -1, 1, 2)))


def mixed(query: Query, rng: random.Random) -> str:
    """Wrong with probability :data:`SLIPS`, else worked."""
    return slipped(query, rng) if rng.random() < SLIPS else worked(query, rng)


def accepted(
    query: Query, count: int, *, rng: random.Random, teacher: Teacher = worked, tries: int = 100
) -> list[str]:
    """``count`` different responses of ``teacher`` that the grader accepts (rejection sampling).

    Raises :class:`InputError` when ``tries`` draws per response don't yield them.
    """
    kept: list[str] = []
    for _ in range(count * tries):
        if len(kept) == count:
            break
        response = teacher(query, rng)
        if response not in kept and is_correct(response, query.gold):
            kept.append(response)
    if len(kept) < count:
        raise InputError(
            f"the teacher gave {len(kept)} different correct responses, {count} were asked for",
            place=f"query {query.id}",
            remedy="ask for fewer responses per query, or use a better teacher",
        )
    return kept


def _steps(a: int, b: int, operation: str) -> list[int]:
    """The numbers said aloud on the way from the operands to the result."""
    if operation == "*":
        return [b * times for times in range(1, a + 1)]
    sign = 1 if operation == "+" else -1
    return [a + sign * step for step in range(1, b + 1)]


def _told(query: Query, rng: random.Random, *, slip: int) -> str:
    a, b, operation = query.a, query.b, query.operation
    parts = (_TASKS[operation], _WORK[operation], _CHECKS, _CLOSINGS)
    steps = _steps(a, b, operation)
    words = {
        "a": a,
        "b": b,
        "operation": operation,
        "steps": ", ".join(str(number) for number in [*steps[:-1], steps[-1] + slip]),
        "result": solve(a, b, operation) + slip,
    }
    sentences = [rng.choice(options).format(**words) for options in parts]
    facts = [f"I know that {query.facts}"] if query.facts else []
    return " ".join([OPENING, *facts, *sentences])
