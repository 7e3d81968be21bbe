"""What an evaluation costs: tokens, hours and money, from counts and a measured speed.

    seconds = prompt tokens / prompt speed + answer tokens / answer speed

An answer's expected length is the mean of the answers that ended while the speed was measured. If
fewer than half of a benchmark's answers ended, it is the benchmark's limit, an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

ANSWER_WEIGHT = 4.0
"""How much longer a token of an answer is assumed to take than one of a prompt."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What one benchmark asks.

    ``units`` is the number of items, or of stories if items share them. ``answers`` counts the
    replies to generate, repeats included; it is 0 if choices are scored. ``prompt_tokens`` is the
    total over all answers. ``limit`` is the maximum number of tokens of an answer.
    """

    benchmark: str
    group: str
    items: int
    units: int
    repeats: int
    answers: int
    prompt_tokens: int
    limit: int


@dataclass(frozen=True, slots=True)
class Timed:
    """One call of an engine: prompt and answer tokens processed, and the seconds it took."""

    prompt_tokens: int
    answer_tokens: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of reading prompts (``None``: they take no time) and of writing answers."""

    prompt: float | None
    answer: float

    def seconds(self, prompt_tokens: float, answer_tokens: float) -> float:
        """How long these tokens take."""
        reading = 0.0 if self.prompt is None else prompt_tokens / self.prompt
        return reading + answer_tokens / self.answer


@dataclass(frozen=True, slots=True)
class Measured:
    """The calls that were timed, and each benchmark's answers: length, and whether it ended."""

    calls: Sequence[Timed]
    lengths: Mapping[str, Sequence[tuple[int, bool]]]


def speed_of(calls: Sequence[Timed]) -> Speed | None:
    """Fit the speed to ``calls`` by least squares; ``None`` without calls.

    Large calls, which resemble an evaluation most, weigh most. If the calls can't tell prompts from
    answers, as a single one can't, a token of an answer is taken to need :data:`ANSWER_WEIGHT`
    times as long as one of a prompt.
    """
    from scipy.optimize import nnls

    if not calls:
        return None
    tokens = np.array([[call.prompt_tokens, call.answer_tokens] for call in calls], dtype=float)
    seconds = np.array([call.seconds for call in calls])
    prompt, answer = map(float, nnls(tokens, seconds)[0])
    if len(calls) == 1 or prompt == 0.0 or answer == 0.0:
        prompt = float(seconds.sum() / (tokens @ [1.0, ANSWER_WEIGHT]).sum())
        answer = ANSWER_WEIGHT * prompt
    return Speed(1.0 / prompt, 1.0 / answer)


def expected_length(seen: Sequence[tuple[int, bool]], limit: int) -> tuple[float, bool]:
    """Tokens of an answer, and whether that is only an upper bound, ``limit``."""
    ended = [tokens for tokens, end in seen if end]
    if not seen or 2 * len(ended) < len(seen):
        return float(limit), True
    return float(np.mean(ended)), False


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one benchmark; ``hours`` is ``None`` if no speed is known.

    ``bound``: the answers' length is not known, and ``answer_tokens`` and ``hours`` are upper
    bounds.
    """

    benchmark: str
    prompt_tokens: int
    answer_tokens: int
    bound: bool
    hours: float | None


def cost_of(work: Workload, measured: Measured | None, speed: Speed | None) -> Cost:
    """The cost of one benchmark at ``speed``."""
    seen = () if measured is None else measured.lengths.get(work.benchmark, ())
    each, bound = expected_length(seen, work.limit)
    tokens = round(work.answers * each)
    hours = None if speed is None else speed.seconds(work.prompt_tokens, tokens) / 3600.0
    return Cost(work.benchmark, work.prompt_tokens, tokens, bound and work.answers > 0, hours)


@dataclass(frozen=True, slots=True)
class Total:
    """The whole evaluation: tokens, hours here, hours on ``gpus`` of them, and dollars."""

    prompt_tokens: int
    answer_tokens: int
    bound: bool
    hours: float | None
    gpus: int
    hours_on_gpus: float | None
    dollars: float | None


def total_of(costs: Sequence[Cost], *, gpus: int = 1, price_per_hour: float | None = None) -> Total:
    """Sum up ``costs``; ``price_per_hour`` is that of one GPU or machine.

    The work divides evenly over ``gpus``, each as fast as the one that was measured, so the price
    does not depend on their number.
    """
    known = [cost.hours for cost in costs if cost.hours is not None]
    hours = sum(known) if len(known) == len(costs) else None
    return Total(
        prompt_tokens=sum(cost.prompt_tokens for cost in costs),
        answer_tokens=sum(cost.answer_tokens for cost in costs),
        bound=any(cost.bound for cost in costs),
        hours=hours,
        gpus=gpus,
        hours_on_gpus=None if hours is None else hours / gpus,
        dollars=None if hours is None or price_per_hour is None else hours * price_per_hour,
    )
