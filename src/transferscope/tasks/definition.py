"""The definition of a benchmark: its questions, how a model answers them, and how they are graded.

A benchmark is plain Python and independent of engines. It draws :class:`Item` records, states how a
model answers them, and grades one reply at a time::

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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..core.records import Decoding, Message


@dataclass(frozen=True, slots=True)
class Item:
    """One question.

    - ``id`` is unique within its benchmark and the same in every run: runs are paired by it.
    - ``prompt`` is the text of one user message, or the messages of a conversation, which may end
      with the beginning of the assistant's answer.
    - ``gold`` is a reply that must score 1.0, ``None`` if there is no gold answer.
    - ``choices`` are the options of a multiple-choice question.
    - ``subset`` is a stratum of the benchmark.
    - ``cluster`` is the same for items that share a story or passage.
    - ``weight`` is the item's relative weight in the benchmark's mean.
    - ``data`` is used only by the grader.
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


Replies = Sequence[tuple[Item, str]]
"""Items with their replies; with repeats, each reply has its item."""


class DrawItems(Protocol):
    """Draws the items of a benchmark."""

    def __call__(self, n: int | None, *, seed: int, data: Path | None) -> Sequence[Item]:
        """Draw ``n`` items (``None``: all), always the same ones for the same ``seed``.

        A larger ``n`` must add items and keep the others, so that a run can be extended. ``data``
        is the folder given with ``--data``. Raises
        :class:`~transferscope.core.errors.InputError` for a file that is missing or malformed.
        """


def _other_choices(item: Item) -> Sequence[str]:
    return [choice for choice in item.choices if choice != item.gold]


def _always_ready() -> None:
    """Most graders need nothing but this package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A benchmark of a pack.

    ``decoding`` defines how replies are generated; the run sets its seed. With ``None``, the reply
    is the choice that the model finds most likely. ``grade`` returns a score in 0..1. ``wrong``
    returns replies that must score 0 (by default, the other choices); :mod:`.validation` checks the
    grader with them. ``about`` describes the questions in a few words.

    ``twins`` are other graders of the same replies by name, such as a published one with a known
    fault. A run records what each of them gives, so that the fault's effect is measured. ``pooled``
    are measures of all replies together that can't be computed item by item, such as the share of
    questions whose parts are all right. A run records them too.
    """

    about: str
    items: DrawItems
    grade: Callable[[Item, str], float]
    decoding: Decoding | None = None
    wrong: Callable[[Item], Sequence[str]] = _other_choices
    twins: Mapping[str, Callable[[Item, str], float]] = field(default_factory=dict)
    pooled: Mapping[str, Callable[[Replies], float]] = field(default_factory=dict)
    concurrent: bool = False
    ready: Callable[[], object] = _always_ready

    def method(self) -> dict[str, Any]:
        """How answers are drawn, as recorded in a run's manifest."""
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
