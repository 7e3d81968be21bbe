"""How fast this machine is, by a measurement of a few seconds, and the demo that fits into it.

The demo's length is a promise: ten minutes after set-up on any kind of processor. What a slower one
can't evaluate in that time is left out by taking fewer items, and said.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ..core.files import read_json
from ..core.records import Decoding
from ..evaluate import open_engine
from ..models import settled
from ..tasks.mini import items
from .plan import STUDY_FILE, need_packages, unstarted_plan
from .study_config import StudyConfig

PROMPTS, TOKENS, TIMES = 24, 24, 2
REFERENCE_SECONDS = 3.2
"""What :func:`pace_of` measures where an answer takes ``plan.SECONDS_PER_ITEM``: 2.05 s stood
beside 0.108 s an answer (1,908 answers of the demo, two idle cores, bfloat16, 2026-11-28)."""
MINUTES = 9.0
"""What the plan may say: the rest of the ten is for a busy neighbour."""
FEWEST_ITEMS = 10


@dataclass(frozen=True, slots=True)
class Paced:
    """A study, ``pace`` times as long as on the machine that the plan's minutes are of.

    ``note`` says in a sentence what was changed for it; empty where nothing was.
    """

    config: StudyConfig
    pace: float
    note: str = ""


def pace_of(model: str, dtype: str) -> float:
    """Time of a few short answers of ``model``, over that on the plan's machine.

    The faster of two times counts: a neighbour's work must not look like a slow machine.
    """
    engine = open_engine(model, dtype=dtype)
    asked = [item.draft.prompt for item in items("word_problems", PROMPTS)]
    prompts = [engine.render([{"role": "user", "content": text}]) for text in asked]
    engine.generate(prompts[:2], Decoding(max_tokens=2))  # the first pass allocates
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        engine.generate(prompts, Decoding(max_tokens=TOKENS))
        seconds.append(time.perf_counter() - start)
    return min(seconds) / REFERENCE_SECONDS


def paced(config: StudyConfig, out: Path, *, dtype: str) -> Paced:
    """``config`` with as many items as fit into the time; one that was begun keeps its own.

    Training is not counted: who asks for it knows that it takes longer. Raises
    :class:`MissingExtra` without a stage's packages, and :class:`InputError` as opening the base
    does.
    """
    need_packages(training=False)
    pace = pace_of(config.base, settled(dtype))
    begun = read_json(out / STUDY_FILE).get("config") if (out / STUDY_FILE).is_file() else None
    if isinstance(begun, dict) and isinstance(begun.get("items"), int):
        fewer = min(config.items, max(2, begun["items"]))
        return Paced(config.model_copy(update={"items": fewer}), pace)
    return fitted(config, out, pace)


def fitted(config: StudyConfig, out: Path, pace: float) -> Paced:
    """``config`` with the most items, at most its own, whose plan stays within ``MINUTES``."""

    def minutes(count: int) -> float:
        plan = unstarted_plan(config.model_copy(update={"items": count}), out, pace=pace)
        return sum(s.minutes for s in plan.stages if not s.title.startswith("train "))

    fewest = min(FEWEST_ITEMS, config.items)
    count = next((n for n in range(config.items, fewest, -1) if minutes(n) <= MINUTES), fewest)
    if count == config.items:
        return Paced(config, pace)
    note = (
        f"This machine takes {pace:.1f} times as long as the one that {config.items} items a "
        f"benchmark are meant for: the demo takes {count}, to end within 10 minutes. Intervals are "
        "wider than with all."
    )
    return Paced(config.model_copy(update={"items": count}), pace, note)
