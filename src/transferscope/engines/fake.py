"""A public test double for engines: no torch, no model, no randomness."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..core.records import Decoding, Generation, Message, Tick, no_tick

Answers = Mapping[str, str] | Callable[[str], str]


class FakeEngine:
    """Answers from a dict (rendered prompt to text; "" for unknown prompts) or a callable.

    Tokens are words here: answers longer than ``max_tokens`` words are cut (finish reason
    "length"), and stop strings end them. ``loglikelihood(prompt, continuation)`` returns nats;
    by default, shorter continuations are likelier. A prompt consists of ``role: content`` lines.

    >>> engine = FakeEngine(lambda prompt: "four")
    >>> engine.generate([engine.render([{"role": "user", "content": "2+2?"}])], Decoding())
    [Generation(text='four', tokens=1, finish='stop')]
    """

    def __init__(
        self,
        answers: Answers,
        loglikelihood: Callable[[str, str], float] | None = None,
        *,
        name: str = "fake",
    ) -> None:
        self.name = name
        self._answer = answers if callable(answers) else lambda prompt: str(answers.get(prompt, ""))
        self._loglikelihood = loglikelihood or (lambda _, continuation: -float(len(continuation)))

    def render(self, messages: Sequence[Message]) -> str:
        """Return ``role: content`` lines, then ``assistant:`` unless the last message is that."""
        lines = [f"{m['role']}: {m['content']}" for m in messages]
        if messages[-1]["role"] != "assistant":
            lines.append("assistant:")
        return "\n".join(lines)

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, *, tick: Tick = no_tick
    ) -> list[Generation]:
        """Return one answer per prompt; temperature and seed have no effect."""
        done = [self._cut(self._answer(prompt), decoding) for prompt in prompts]
        tick("generate", len(done), len(done))
        return done

    def loglikelihoods(
        self, pairs: Sequence[tuple[str, str]], *, tick: Tick = no_tick
    ) -> list[float]:
        """Return nats per (prompt, continuation)."""
        done = [self._loglikelihood(prompt, continuation) for prompt, continuation in pairs]
        tick("loglikelihoods", len(done), len(done))
        return done

    def describe(self) -> Mapping[str, Any]:
        """Return the provenance."""
        return {"engine": "fake", "template": "fake", "versions": {}}

    @staticmethod
    def _cut(text: str, decoding: Decoding) -> Generation:
        finish = "stop"
        words = text.split(" ")
        if len(words) > decoding.max_tokens:
            text, finish = " ".join(words[: decoding.max_tokens]), "length"
        ends = [at for stop in decoding.stop if (at := text.find(stop)) >= 0]
        if ends:
            text, finish = text[: min(ends)], "stop_string"
        return Generation(text, len(text.split()), finish)
