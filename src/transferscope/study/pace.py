"""Measures how fast this machine is, in a few seconds, and sizes the demo accordingly.

The demo promises to finish within ten minutes of set-up on any kind of processor. On a slower one
it uses fewer items, and says so.
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
"""What :func:`pace_of` measures on a machine where an answer takes ``plan.SECONDS_PER_ITEM``: it
measured 2.05 s where an answer took 0.108 s (1,908 answers of the demo, two idle cores, bfloat16,
2026-11-28)."""
MINUTES = 9.0
"""The longest plan: the rest of the ten minutes allows for other load on the machine."""
FEWEST_ITEMS = 10


@dataclass(frozen=True, slots=True)
class Paced:
    """A study that takes ``pace`` times as long as on the reference machine of the plan.

    ``note`` explains what was changed to fit the time; it is empty if nothing was.
    """

    config: StudyConfig
    pace: float
    note: str = ""


def pace_of(model: str, dtype: str) -> float:
    """Time a few short answers of ``model``, relative to the plan's reference machine.

    The faster of two measurements counts, so that other load does not look like a slow machine.
    """
    engine = open_engine(model, dtype=dtype)
    asked = [item.draft.prompt for item in items("word_problems", PROMPTS)]
    prompts = [engine.render([{"role": "user", "content": text}]) for text in asked]
    engine.generate(prompts[:2], Decoding(max_tokens=2))  # the first pass allocates memory
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        engine.generate(prompts, Decoding(max_tokens=TOKENS))
        seconds.append(time.perf_counter() - start)
    return min(seconds) / REFERENCE_SECONDS


def paced(config: StudyConfig, out: Path, *, dtype: str) -> Paced:
    """Return ``config`` with as many items as fit the time; a started study keeps its number.

    Training time is not counted, because a user who asks for training expects it to take longer.
    Raises :class:`MissingExtra` if a stage's packages are missing, and :class:`InputError` as
    opening the base does.
    """
    need_packages(training=False)
    pace = pace_of(config.base, settled(dtype))
    begun = read_json(out / STUDY_FILE).get("config") if (out / STUDY_FILE).is_file() else None
    if isinstance(begun, dict) and isinstance(begun.get("items"), int):
        fewer = min(config.items, max(2, begun["items"]))
        return Paced(config.model_copy(update={"items": fewer}), pace)
    return fitted(config, out, pace)


def fitted(config: StudyConfig, out: Path, pace: float) -> Paced:
    """Return ``config`` with the most items, up to its own, whose plan fits in ``MINUTES``."""

    def minutes(count: int) -> float:
        plan = unstarted_plan(config.model_copy(update={"items": count}), out, pace=pace)
        return sum(s.minutes for s in plan.stages if not s.title.startswith("train "))

    fewest = min(FEWEST_ITEMS, config.items)
    count = next((n for n in range(config.items, fewest, -1) if minutes(n) <= MINUTES), fewest)
    if count == config.items:
        return Paced(config, pace)
    note = (
        f"This machine takes {pace:.1f} times as long as the reference machine. To finish within "
        f"10 minutes, the demo uses {count} instead of {config.items} items per benchmark. "
        "Intervals are wider as a result."
    )
    return Paced(config.model_copy(update={"items": count}), pace, note)
