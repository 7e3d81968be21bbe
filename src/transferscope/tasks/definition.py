"""What a benchmark is: questions, how they are answered, and what a right answer is.

A benchmark is plain Python that knows no engine. It draws :class:`Item` records, states how a model
answers them, and grades one reply at a time::

    SUMS = Benchmark(
        about="sums of two digits",
        items=lambda n, *, seed, data: [Item("1", "What is 2 + 2?", gold="4")],
        grade=lambda item, reply: float(item.gold in reply.split()),
        decoding=Decoding(max_tokens=16),
        wrong=lambda item: [str(int(item.gold) + 1)],
    )
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ..core.records import Decoding, Message


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    ``id`` is unique in its benchmark and stays the same from run to run: two runs are paired by it.
    ``prompt`` is the text of one user message, or the messages of a whole conversation, which may
    end with the beginning of the assistant's answer. ``gold`` is a reply that deserves 1.0,
    ``None`` where nobody has written one. ``choices`` are the options of a multiple choice,
    ``subset`` a stratum within the benchmark, ``cluster`` what shares a story or passage with other
    items, ``weight`` the item's share in the benchmark's mean. ``data`` is for the grader alone.
    """

    id: str
    prompt: str | tuple[Message, ...]
    gold: str | None = None
    choices: tuple[str, ...] = ()
    subset: str = ""
    cluster: str = ""
    weight: float = 1.0
    data: Any = None

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation that the model continues."""
        if isinstance(self.prompt, str):
            return ({"role": "user", "content": self.prompt},)
        return self.prompt

    @property
    def text(self) -> str:
        """The contents of all messages, separated by empty lines."""
        return "\n\n".join(message["content"] for message in self.messages)


class DrawItems(Protocol):
    """How a benchmark's items are drawn."""

    def __call__(self, n: int | None, *, seed: int, data: Path | None) -> Sequence[Item]:
        """``n`` items (``None``: all there are), the same ones for the same ``seed``.

        A larger ``n`` adds items and keeps the others, so that a run can be extended. ``data`` is
        the folder that ``--data`` names. Raises :class:`~transferscope.core.errors.InputError` for
        a file that is missing or malformed.
        """


def _other_choices(item: Item) -> Sequence[str]:
    return [choice for choice in item.choices if choice != item.gold]


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark of a pack.

    ``decoding`` says how replies are generated; its seed is that of the run. ``None``: the model
    takes the likeliest of an item's choices, and that choice is the reply. ``grade`` gives a score
    in 0..1. ``wrong`` gives replies that must score 0 (by default the other choices): the check of
    the grader in :mod:`.validation` needs them. ``about`` says in a few words what is asked.
    """

    about: str
    items: DrawItems
    grade: Callable[[Item, str], float]
    decoding: Decoding | None = None
    wrong: Callable[[Item], Sequence[str]] = _other_choices

    def method(self) -> dict[str, Any]:
        """How answers are drawn, as a run's manifest records it."""
        if self.decoding is None:
            return {"method": "multiple_choice"}
        return {
            "method": "generate_until",
            "temperature": self.decoding.temperature,
            "top_p": self.decoding.top_p,
            "max_tokens": self.decoding.max_tokens,
            "stop": list(self.decoding.stop),
        }


Pack = Mapping[str, Benchmark]
"""Benchmarks by name."""
