"""The ``mini`` suite: 12 procedural benchmarks that stand in, offline, for the paper's 12.

Any number of items, the same ones for the same seed on every machine, own wording, no download.
A benchmark's training items come from another seed and leave out every prompt that its first
:data:`HELD_OUT` evaluation items use.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..definition import Benchmark
from . import arithmetic, instructions, passage_questions, puzzles, temporal
from .drafts import HELD_OUT, TRAINING_SEED, Draft, Numbered, Procedure, stream

__all__ = [
    "BENCHMARKS",
    "EVALUATION_SEED",
    "HELD_OUT",
    "TRAINING_SEED",
    "Draft",
    "Numbered",
    "grade",
    "items",
    "training_items",
]

EVALUATION_SEED = 0

_PROCEDURES: Mapping[str, Procedure] = {
    **arithmetic.PROCEDURES,
    **puzzles.PROCEDURES,
    **passage_questions.PROCEDURES,
    **instructions.PROCEDURES,
    **temporal.PROCEDURES,
}

BENCHMARKS: Mapping[str, Benchmark] = {
    name: procedure.benchmark() for name, procedure in _PROCEDURES.items()
}


def items(benchmark: str, n: int, *, seed: int = EVALUATION_SEED) -> list[Numbered]:
    """The first ``n`` evaluation items of a seed; ids are ``"{seed}-{index}"``."""
    return _PROCEDURES[benchmark].numbered(n, seed=seed)


def training_items(benchmark: str, n: int, *, seed: int = TRAINING_SEED) -> list[Numbered]:
    """Items for tuning on a benchmark itself; none of their prompts is held out for evaluation."""
    if seed < TRAINING_SEED:
        raise ValueError(f"training seeds start at {TRAINING_SEED}, not {seed}")
    held_out = {item.draft.prompt for item in items(benchmark, HELD_OUT)}
    return stream(_PROCEDURES[benchmark].draw, n, seed=seed, without=held_out)


def grade(benchmark: str, draft: Draft, reply: str) -> float:
    """1.0 for a right reply, else 0.0; a choice task's reply is the text of the option taken."""
    return _PROCEDURES[benchmark].graded(draft, reply)
