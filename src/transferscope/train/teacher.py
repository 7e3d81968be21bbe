"""The off-policy teacher: worked solutions in a style the base does not have.

    What is 3 times 2?  ->  Okay, let me think about this step by step. I have to multiply 3 by 2,
    so I need 3 groups of 2. Adding them up one by one gives 2, 4, 6. So the answer is 6.

It takes the place of a large reasoning model (the paper distils one) and writes several sentences
with the same opening every time. Worked solutions are correct by construction. They still go
through the rejection step of docs/science.md section 6 with the shared grader, like those of any
other teacher. Off-policy RL needs wrong ones as well: :func:`slipped` makes a slip in the last step
and continues from there.
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
"""The share of wrong responses in :func:`mixed`; most groups of rollouts contain both kinds."""

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
    """Write a worked solution of ``query``; ``rng`` chooses the wording."""
    return _told(query, rng, slip=0)


def slipped(query: Query, rng: random.Random) -> str:
    """Write a plausible but wrong solution in that style: its last step is off by one or two."""
    return _told(query, rng, slip=rng.choice((-2, -1, 1, 2)))


def mixed(query: Query, rng: random.Random) -> str:
    """Write a wrong solution with probability :data:`SLIPS`, else a worked one."""
    return slipped(query, rng) if rng.random() < SLIPS else worked(query, rng)


def accepted(
    query: Query, count: int, *, rng: random.Random, teacher: Teacher = worked, tries: int = 100
) -> list[str]:
    """Draw ``count`` different ``teacher`` responses that the grader accepts (rejection sampling).

    Raises :class:`InputError` if ``tries`` draws per response are not enough.
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
            f"the teacher gave {len(kept)} different correct responses, but {count} are needed",
            place=f"query {query.id}",
            remedy="ask for fewer responses per query, or use a better teacher",
        )
    return kept


def _steps(a: int, b: int, operation: str) -> list[int]:
    """List the intermediate numbers from the operands to the result."""
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
