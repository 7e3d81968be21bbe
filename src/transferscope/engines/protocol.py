"""The engine protocol: one interface over transformers and OpenAI-compatible servers.

Evaluation, distillation and probes know only this protocol. An engine holds ONE loaded model and
serves all benchmarks of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ..core.records import (
    Decoding,
    Generation,
    Message,
    NoAnswer,
    Say,
    Tick,
    digest,
    no_say,
    no_tick,
)


class Engine(Protocol):
    """One loaded model that answers prompts. Results are in the order of the requests."""

    @property
    def name(self) -> str:
        """The model's name as the user gave it."""

    def render(self, messages: Sequence[Message]) -> str:
        """Apply the chat template and add the generation prompt."""

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """Return one answer per rendered prompt."""

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """Return log p(continuation | prompt) in nats, summed over the continuation's tokens."""

    def describe(self) -> Mapping[str, Any]:
        """Return provenance for run.json: engine, dtype, device, versions, template hash."""


@runtime_checkable
class Streaming(Protocol):
    """An engine that yields every answer as it arrives, with the index of its request.

    The caller can keep each answer at once, whatever happens to the rest, and a single request may
    fail on its own. Closing the iterator cancels requests in flight. A sampled answer depends on
    its own request alone (see :func:`sample_seed`), not on those beside it.
    """

    def generate_each(
        self, prompts: Sequence[str], decoding: Decoding, *, nth: Sequence[int]
    ) -> Iterator[tuple[int, Generation | NoAnswer]]:
        """Yield answers; ``nth`` distinguishes samples of one prompt."""


@runtime_checkable
class StreamingScores(Protocol):
    """An engine that yields every log-likelihood as it arrives, with the index of its request."""

    def loglikelihoods_each(
        self, pairs: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[int, float | NoAnswer]]:
        """Yield log-likelihoods; see :meth:`Engine.loglikelihoods`."""


@runtime_checkable
class Bounded(Protocol):
    """An engine that knows which requests don't fit into its model's context."""

    def unfit(self, prompts: Sequence[str], answer: int) -> Mapping[int, str]:
        """Return why a prompt with ``answer`` more tokens doesn't fit, by the prompt's index."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What an engine will be asked: answers at up to ``temperature``, and scores of choices."""

    generates: bool = True
    temperature: float = 0.0
    scores: bool = False


@runtime_checkable
class Remote(Protocol):
    """An engine whose model is elsewhere, so that it may turn out not to do what is needed."""

    def try_out(self, needs: Needs, *, say: Say = no_say) -> None:
        """Send one trial request per capability; wait for a model that is still loading.

        Raises :class:`~transferscope.core.errors.InputError` for anything that is needed but
        missing.
        """


def require(engine: Engine, needs: Needs, *, say: Say = no_say) -> None:
    """Raise :class:`InputError` if ``engine`` turns out to lack what is needed."""
    if isinstance(engine, Remote):
        engine.try_out(needs, say=say)


def sample_seed(seed: int, prompt: str, nth: int) -> int:
    """Return the random seed (31 bits) of one sample: the ``nth`` of ``prompt`` under ``seed``."""
    return int(digest([seed, prompt, nth]), 16) % 2**31


def times_before(prompts: Sequence[str]) -> list[int]:
    """Return how often each prompt occurs earlier in the list."""
    seen: dict[str, int] = {}
    found = []
    for prompt in prompts:
        found.append(seen.get(prompt, 0))
        seen[prompt] = found[-1] + 1
    return found
