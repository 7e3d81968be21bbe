"""What an engine is: one method set over transformers and OpenAI-compatible servers.

Evaluation, distillation and probes know only this protocol. An engine holds ONE loaded model and
is used for all benchmarks of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from ..core.records import Decoding, Generation, Message, NoAnswer, Tick, no_tick


class Engine(Protocol):
    """One loaded model that answers prompts. Results come back in the order of the requests."""

    @property
    def name(self) -> str:
        """The model's name as the user gave it."""

    def render(self, messages: Sequence[Message]) -> str:
        """Chat template applied, generation prompt added."""

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """One answer per rendered prompt."""

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """log p(continuation | prompt) in nats, summed over the continuation's tokens."""

    def describe(self) -> Mapping[str, Any]:
        """Provenance for run.json: engine, dtype, device, library versions, template hash."""


@runtime_checkable
class Streaming(Protocol):
    """An engine that hands over every answer as it comes, with the index of its request.

    What has come is kept then, whatever happens to the rest; and a request may fail by itself.
    Closing the iterator ends what is in flight.
    """

    def generate_each(
        self, prompts: Sequence[str], decoding: Decoding, *, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | NoAnswer]]:
        """``nth``: how often each prompt was asked before, so that samples of one differ."""

    def loglikelihoods_each(
        self, pairs: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[int, float | NoAnswer]]:
        """As :meth:`Engine.loglikelihoods`."""


def times_before(prompts: Sequence[str]) -> list[int]:
    """How often each prompt stands before its place."""
    seen: dict[str, int] = {}
    found = []
    for prompt in prompts:
        found.append(seen.get(prompt, 0))
        seen[prompt] = found[-1] + 1
    return found
