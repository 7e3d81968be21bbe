"""What the answers' texts say: those to show, and the flags that need the base's beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.artefacts_against import SCRIPT, STYLE, script_changed, style_openings
from ..core.constant_answer import constant_answer
from ..core.records import Response
from ..runs import PairedBenchmark, Pairing, Run
from .result import AgainstBase, FlippedItem

Texts = Mapping[tuple[str, int], Response]


@dataclass(frozen=True, slots=True)
class Answers:
    """One model's: flipped items to show, and per benchmark the flags against the base."""

    flipped: tuple[FlippedItem, ...]
    against: Mapping[str, AgainstBase]


def answers_of(
    base: Run, tuned: Sequence[Run], pairings: Sequence[Pairing], *, limit: int
) -> list[Answers]:
    """Every model's, with up to ``limit`` lost and won items per benchmark; 0: no text is read.

    One benchmark's texts are held at a time, and the base's are read once for all models.
    """
    flipped: list[list[FlippedItem]] = [[] for _ in tuned]
    against: list[dict[str, AgainstBase]] = [{} for _ in tuned]
    for name in dict.fromkeys(name for pairing in pairings for name in pairing.benchmarks):
        mine = base.responses(name) if limit else {}
        if not mine:
            continue
        for at, (run, pairing) in enumerate(zip(tuned, pairings, strict=True)):
            part = pairing.benchmarks.get(name)
            theirs = run.responses(name) if part is not None else {}
            if part is None or not theirs:
                continue
            flipped[at] += _flipped(part, mine, theirs, limit)
            if (found := _against(mine, theirs)) is not None:
                against[at][name] = found
    return [Answers(tuple(f), a) for f, a in zip(flipped, against, strict=True)]


def _against(mine: Texts, theirs: Texts) -> AgainstBase | None:
    keys = [key for key in theirs if key in mine]
    if not keys:
        return None
    before, after = [mine[k].response for k in keys], [theirs[k].response for k in keys]
    changed = sum(map(script_changed, before, after))
    flags = {STYLE: sum(style_openings(before, after)), SCRIPT: changed}
    return AgainstBase(len(keys), flags, constant_answer(before), constant_answer(after))


def _flipped(part: PairedBenchmark, mine: Texts, theirs: Texts, limit: int) -> list[FlippedItem]:
    """The first lost and won items whose answers both runs kept."""
    before, after = part.base_scores >= 0.5, part.tuned_scores >= 0.5
    shown = []
    for kind, flips in (("lost", before & ~after), ("won", ~before & after)):
        for at in np.flatnonzero(flips)[:limit]:
            key = (part.ids[at], 0)
            if key in mine and key in theirs:
                answers = {"base": mine[key].response, "tuned": theirs[key].response}
                shown.append(
                    FlippedItem(part.benchmark, part.ids[at], kind, mine[key].prompt, **answers)
                )
    return shown
