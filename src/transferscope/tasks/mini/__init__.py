"""The ``mini`` suite: 12 procedural benchmarks that stand in, offline, for the paper's 12.

Any number of items, the same ones for the same seed on every machine, own wording, no download.
A benchmark's training items come from another seed and leave out every prompt that its first
:data:`HELD_OUT` evaluation items use.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import arithmetic, instructions, passage_questions, puzzles, temporal
from .drafts import Benchmark, Draft, Item, stream

__all__ = ["BENCHMARKS", "Draft", "Item", "grade", "items", "training_items"]

EVALUATION_SEED = 0
TRAINING_SEED = 1_000_000
"""Training seeds start here; evaluation seeds stay below."""
HELD_OUT = 200

BENCHMARKS: Mapping[str, Benchmark] = {
    **arithmetic.BENCHMARKS,
    **puzzles.BENCHMARKS,
    **passage_questions.BENCHMARKS,
    **instructions.BENCHMARKS,
    **temporal.BENCHMARKS,
}


def items(benchmark: str, n: int, *, seed: int = EVALUATION_SEED) -> list[Item]:
    """The first ``n`` evaluation items of a seed; ids are ``"{seed}-{index}"``."""
    if not 0 <= seed < TRAINING_SEED:
        raise ValueError(f"evaluation seeds are 0..{TRAINING_SEED - 1}, not {seed}")
    return stream(BENCHMARKS[benchmark].draw, n, seed=seed)


def training_items(benchmark: str, n: int, *, seed: int = TRAINING_SEED) -> list[Item]:
    """Items for tuning on a benchmark itself; none of their prompts is held out for evaluation."""
    if seed < TRAINING_SEED:
        raise ValueError(f"training seeds start at {TRAINING_SEED}, not {seed}")
    held_out = {item.draft.prompt for item in items(benchmark, HELD_OUT)}
    return stream(BENCHMARKS[benchmark].draw, n, seed=seed, without=held_out)


def grade(benchmark: str, draft: Draft, reply: str) -> float:
    """1.0 for a right reply, else 0.0; a choice task's reply is the text of the option taken."""
    judge = BENCHMARKS[benchmark].grade
    return float(reply == draft.gold if judge is None else judge(draft, reply))
