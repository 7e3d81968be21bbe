"""Time an engine on the first prompts of a suite, within a number of seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from ..core.records import Decoding
from ..engines.protocol import Engine
from .benchmark_job import Job, OwnJob
from .cost_estimate import ANSWER_WEIGHT, Measured, Timed
from .workloads import Count

FEWEST_TOKENS, MOST_TOKENS = 16, 512
"""Answers of the first and of the largest calls have at most this many tokens."""
MOST_PROMPTS = 32
"""Most prompts of a benchmark in one call."""


@dataclass(frozen=True, slots=True)
class _Call:
    """The prompts of one call, with their benchmarks and tokens, and the limit of an answer."""

    names: tuple[str, ...]
    prompts: tuple[str, ...]
    prompt_tokens: int
    cap: int

    @property
    def work(self) -> float:
        return self.prompt_tokens + ANSWER_WEIGHT * len(self.prompts) * self.cap


def measured(engine: Engine, jobs: Sequence[Job], *, count: Count, seconds: float) -> Measured:
    """Answer first prompts of ``jobs`` in ever larger calls, for about ``seconds``.

    Decoding is greedy. A short call that isn't counted warms up; at least one other is made. A call
    is taken to need as much more time than the one before as it has more tokens.
    """
    calls: list[Timed] = []
    lengths: dict[str, list[tuple[int, bool]]] = {}
    start = time.perf_counter()
    before: _Call | None = None
    for call in _calls(engine, jobs, count):
        if before is None:
            engine.generate(call.prompts[:1], Decoding(max_tokens=1))
        elif time.perf_counter() - start + calls[-1].seconds * call.work / before.work > seconds:
            break
        begun = time.perf_counter()
        found = engine.generate(call.prompts, Decoding(max_tokens=call.cap))
        took = time.perf_counter() - begun
        tokens = [count(one.text) if one.tokens is None else one.tokens for one in found]
        ended = [
            written < call.cap if one.finish is None else one.finish != "length"
            for one, written in zip(found, tokens, strict=True)
        ]
        seen: dict[str, list[tuple[int, bool]]] = {}
        for name, written, end in zip(call.names, tokens, ended, strict=True):
            seen.setdefault(name, []).append((written, end))
        lengths |= seen
        calls.append(Timed(call.prompt_tokens, sum(tokens), took))
        before = call
    return Measured(calls, {} if all(job.scores_choices for job in jobs) else lengths)


def _calls(engine: Engine, jobs: Sequence[Job], count: Count) -> Iterator[_Call]:
    """Calls in order of size: a part of the benchmarks, all, longer answers, more prompts each.

    Benchmarks with short prompts come first. Choices that are scored are only asked if there is
    nothing else, for a single token.
    """
    asked = [job for job in jobs if not job.scores_choices]
    most = MOST_TOKENS if asked else 1
    some = [(job.item.benchmark, _prompts(engine, job)) for job in asked or jobs]
    some.sort(key=lambda each: len(each[1][0]))
    cap, share, each = min(FEWEST_TOKENS, most), ceil(len(some) / 4), 1
    while True:
        pairs = [(name, prompt) for name, prompts in some[:share] for prompt in prompts[:each]]
        names, prompts = zip(*pairs, strict=True)
        yield _Call(names, prompts, sum(map(count, prompts)), cap)
        if share < len(some):
            share = min(2 * share, len(some))
        elif cap < most:
            cap *= 2
        elif each < MOST_PROMPTS:
            each *= 2
        else:
            return


def _prompts(engine: Engine, job: Job) -> list[str]:
    if isinstance(job, OwnJob):
        return [engine.render(item.messages) for item in job.items[:MOST_PROMPTS]]
    texts = job.texts()[:MOST_PROMPTS]
    return [engine.render([{"role": "user", "content": text}]) for text in texts]
