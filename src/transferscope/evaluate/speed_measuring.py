"""Time an engine on the first prompts of a suite, within a number of seconds."""

from __future__ import annotations

import time
from collections.abc import Sequence

from ..core.records import Decoding
from ..engines.protocol import Engine
from .benchmark_job import Job, OwnJob
from .cost_estimate import Measured, Timed
from .workloads import Count

FEWEST_TOKENS, MOST_TOKENS = 16, 512
"""Answers are measured up to these lengths, in steps of two, and then more of them at once."""
MOST_PROMPTS = 32
"""Most prompts of a benchmark that are answered at once."""
GROWTH = 2.5
"""A call with twice the tokens is assumed to take at most this many times as long."""


def measured(engine: Engine, jobs: Sequence[Job], *, count: Count, seconds: float) -> Measured:
    """Answer the first prompts of ``jobs``, twice as many tokens a call, for about ``seconds``.

    Decoding is greedy. The first call warms up and is not counted, unless it is the only one.
    """
    asked = [job for job in jobs if not job.scores_choices]
    cap, most = (FEWEST_TOKENS, MOST_TOKENS) if asked else (1, 1)
    each = 1
    calls: list[Timed] = []
    lengths: dict[str, list[tuple[int, bool]]] = {}
    start = time.perf_counter()
    while True:
        pairs = [
            (job.item.benchmark, p) for job in asked or jobs for p in _prompts(engine, job, each)
        ]
        begun = time.perf_counter()
        found = engine.generate([prompt for _, prompt in pairs], Decoding(max_tokens=cap))
        took = time.perf_counter() - begun
        lengths = {}
        written = 0
        for (name, _), answer in zip(pairs, found, strict=True):
            tokens = count(answer.text) if answer.tokens is None else answer.tokens
            written += tokens
            ended = tokens < cap if answer.finish is None else answer.finish != "length"
            lengths.setdefault(name, []).append((tokens, ended))
        calls.append(Timed(sum(count(prompt) for _, prompt in pairs), written, took))
        if cap < most:
            cap = min(2 * cap, most)
        elif each < MOST_PROMPTS:
            each *= 2
        else:
            break
        if time.perf_counter() - start + GROWTH * took > seconds:
            break
    return Measured(calls[1:] or calls, lengths if asked else {})


def _prompts(engine: Engine, job: Job, n: int) -> list[str]:
    if isinstance(job, OwnJob):
        return [engine.render(item.messages) for item in job.items[:n]]
    return [engine.render([{"role": "user", "content": text}]) for text in job.texts()[:n]]
