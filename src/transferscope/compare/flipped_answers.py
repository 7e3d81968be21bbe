"""What the answers' texts say: those to show, and the flags that need the base's beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.artefacts_against import SCRIPT, STYLE, script_changed, style_openings
from ..core.constant_answer import constant_answer
from ..core.records import Response
from ..documents.comparison import AgainstBase, FlippedItem
from ..runs import PairedBenchmark, Pairing, Run

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
            flipped[at] += _flipped(part, (base, run), (mine, theirs), limit)
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


def _flipped(
    part: PairedBenchmark, runs: tuple[Run, Run], texts: tuple[Texts, Texts], limit: int
) -> list[FlippedItem]:
    """The first lost and won items whose answers both runs kept.

    An item of several repeats is right where their mean is: what is shown is the first answer of
    each run that has the verdict of its item.
    """
    before, after = part.base_scores >= 0.5, part.tuned_scores >= 0.5
    scored = [_by_item(run, part.benchmark) for run in runs]
    shown = []
    for kind, flips in (("lost", before & ~after), ("won", ~before & after)):
        found: list[FlippedItem] = []
        for id_ in (part.ids[at] for at in np.flatnonzero(flips)):
            if len(found) == limit:
                break
            asked = scored[0][id_]
            # Repeats that only the tuned run has are no part of its score.
            answered = {repeat: scored[1][id_][repeat] for repeat in asked}
            mine = _first(texts[0], id_, asked, right=kind == "lost")
            theirs = _first(texts[1], id_, answered, right=kind == "won")
            if mine is not None and theirs is not None:
                answers = {"base": mine.response, "tuned": theirs.response}
                found.append(FlippedItem(part.benchmark, id_, kind, mine.prompt, **answers))
        shown += found
    return shown


def _by_item(run: Run, benchmark: str) -> dict[str, dict[int, float]]:
    """Scores by id and repeat."""
    out: dict[str, dict[int, float]] = {}
    for outcome in run.by_benchmark[benchmark]:
        out.setdefault(outcome.id, {})[outcome.repeat] = outcome.score
    return out


def _first(texts: Texts, id_: str, scores: Mapping[int, float], *, right: bool) -> Response | None:
    """The first kept answer that is right (a score of at least 1/2), or that is wrong."""
    return next(
        (
            texts[id_, repeat]
            for repeat, score in sorted(scores.items())
            if (score >= 0.5) is right and (id_, repeat) in texts
        ),
        None,
    )
