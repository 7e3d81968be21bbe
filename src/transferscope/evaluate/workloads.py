"""What the benchmarks of a suite ask, counted from their prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from ..core.records import Message
from .benchmark_job import Job, OwnJob
from .cost_estimate import Workload

SAMPLED = 100
"""Prompts of a benchmark whose tokens are counted; the others are taken to be as long."""
CHARACTERS = 4
"""Characters of a token, roughly, without a tokenizer."""

Count = Callable[[str], int]
"""The number of tokens of a text."""
Render = Callable[[Sequence[Message]], str]
"""The prompt made of messages."""


def roughly(text: str) -> int:
    """The number of tokens of ``text`` without a tokenizer."""
    return ceil(len(text) / CHARACTERS)


def plainly(messages: Sequence[Message]) -> str:
    """The messages without a chat template."""
    return "\n\n".join(message["content"] for message in messages)


def workload_of(job: Job, *, count: Count = roughly, render: Render = plainly) -> Workload:
    """The work of ``job``. Choices that are scored count as prompt tokens, after their prompt."""
    repeats = 1 if job.scores_choices else job.item.repeats
    if isinstance(job, OwnJob):
        units = len({item.cluster or item.id for item in job.items})
        some = job.items[:: ceil(len(job.items) / SAMPLED)]
        scored = job.scores_choices
        each = [
            count(render(item.messages)) + sum(count(c) for c in item.choices if scored)
            for item in some
        ]
        requests = len(job.items)
    else:
        texts = job.texts()
        units, requests = job.total, len(texts)
        each = [count(text) for text in texts[:: ceil(len(texts) / SAMPLED)]]
    answers = 0 if job.scores_choices else requests * repeats
    return Workload(
        benchmark=job.item.benchmark,
        group=job.item.group,
        items=job.total,
        units=units,
        repeats=repeats,
        answers=answers,
        prompt_tokens=round(sum(each) / len(each) * requests * repeats),
        limit=_limit(job),
    )


def _limit(job: Job) -> int:
    """The maximum number of tokens of an answer; 0 if choices are scored."""
    if isinstance(job, OwnJob):
        decoding = job.benchmark.decoding
        return 0 if decoding is None else decoding.max_tokens
    if job.scores_choices:
        return 0
    from ..engines.lm_eval_model import limit_of

    settings = [job.method] if "method" in job.method else list(job.method.values())
    return max(map(limit_of, settings))
