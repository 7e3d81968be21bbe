"""What the maths benchmarks share: prompts, right answers, graders and wrong answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...core.records import Decoding
from ...grade.maths import is_correct
from ...grade.tolerance import is_close
from ..definition import Item
from .local_files import bad_row
from .mutations import mutations

TOKENS = 32_768
"""The paper's limit on an answer's tokens."""
SAMPLED = Decoding(temperature=0.6, top_p=0.95, max_tokens=TOKENS)
GREEDY = Decoding(max_tokens=TOKENS)
STOPPED = Decoding(max_tokens=TOKENS, stop=("Problem:",))
"""The released lm-eval tasks' decoding. Its stop also ends a reply that restates the problem."""

RELEASED = (
    "Solve the following math problem. Present the final answer in the format: "
    "Final Answer: \\boxed{{your_answer}}.\nProblem: {problem}\nAnswer:"
)
"""The prompt in the released responses; the paper's text doesn't give one."""
PLAIN = "{problem}\n\nReason step by step, and put the final answer in \\boxed{{}}."


@dataclass(frozen=True, slots=True)
class MathsGolds:
    """The right answers to a problem.

    ``listed`` is the one in the file, ``right`` are texts of which any is right, and ``within`` the
    tolerated absolute errors: one for all numbers of the answer, or one for each.
    """

    listed: str
    right: tuple[str, ...]
    within: tuple[float, ...] = field(default=())


def boxed(answer: str) -> str:
    """A reply with ``answer`` in the form that the prompts ask for."""
    return f"Final Answer: \\boxed{{{answer}}}"


def maths_item(id_: str, prompt: str, golds: MathsGolds) -> Item:
    """An item whose gold reply is the first of the right answers."""
    return Item(id_, prompt, gold=boxed(golds.right[0]), data=golds)


def grade(item: Item, reply: str) -> float:
    """1 if the final answer is one of the right ones, else 0."""
    golds: MathsGolds = item.data
    if is_correct(reply, golds.right):
        return 1.0
    return float(any(is_close(reply, gold, golds.within) for gold in golds.right))


def grade_listed(item: Item, reply: str) -> float:
    """1 if the final answer equals the file's, without corrections, tolerance or unit."""
    return float(is_correct(reply, item.data.listed))


def released(matches: Callable[[str, str], bool]) -> Callable[[Item, str], float]:
    """The grader of a released task, which compares with the file's answer."""
    return lambda item, reply: float(matches(reply, item.data.listed))


def wrong(item: Item) -> list[str]:
    """Replies without an answer, and with mutations of the first right one."""
    right = [gold.strip("$") for gold in item.data.right]
    mutated = (each for each in mutations(right[0]) if each not in right)
    return ["", "I don't know.", *map(boxed, mutated)]


def answer_in(row: Mapping[str, Any], names: tuple[str, ...], place: str) -> str:
    """The answer, a text or an integer, in the first of the fields that the row has.

    Raises :class:`~transferscope.core.errors.InputError` if it has none.
    """
    for name in names:
        value = row.get(name)
        if isinstance(value, int | str) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    raise bad_row(f"no answer in {' or '.join(map(repr, names))}", place)
