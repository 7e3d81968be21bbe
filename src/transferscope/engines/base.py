"""What an engine is: one method set over transformers and OpenAI-compatible servers.

Evaluation, distillation and probes know only this protocol. An engine holds ONE loaded model and
is used for all benchmarks of a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..core.records import Decoding, Generation, Message, Tick, no_tick


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
