"""Which of the paper's scores could come from faults in the released evaluation code.

A model that answers scores at least what guessing gives. A score below that means that replies were
not read as answers, or that the right answers are not spread evenly. The package's table of faults
(``data/released_faults.csv``) says for each what it does and the lowest score (percent) to which it
can take a model that answers. A fault could explain a score if that is below it. This doesn't show
that the fault caused the score: which code made the paper's tables is unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.robustness import below_chance
from ..core.suite import load_suite
from .cohort import read_table

SURE = 0.001
"""One-sided p of the exact binomial test below which a score is called below guessing."""


@dataclass(frozen=True, slots=True)
class ReleasedFault:
    """A fault of the released code; ``lowest`` is in percent."""

    benchmark: str
    fault: str
    effect: str
    lowest: float


@dataclass(frozen=True, slots=True)
class ScoreBelowGuessing:
    """A published score (percent), with the faults that could explain it.

    ``read`` is the largest share of the replies (percent) that can have been read as answers if the
    model guesses and all letters are right equally often.
    """

    model: str
    score: float
    p: float
    read: float
    could_explain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FaultyColumn:
    """A column of the paper's tables and the faults of the released code that affect it.

    ``chance`` is what guessing gives, in percent. Without options to guess from it is 0, and the
    scores can't show an effect. ``models`` counts the models in the column.
    """

    benchmark: str
    chance: float
    items: int
    models: int
    below: tuple[ScoreBelowGuessing, ...]
    faults: tuple[ReleasedFault, ...]


def faulty_columns() -> tuple[FaultyColumn, ...]:
    """The columns with a known fault, over all models of the paper's Tables 9 to 11."""
    scores: dict[str, dict[str, float]] = {}
    for row in read_table("scores"):
        scores.setdefault(row["benchmark"], {})[row["model"]] = float(row["score"])
    faults: dict[str, list[ReleasedFault]] = {}
    items: dict[str, int] = {}
    for row in read_table("released_faults"):
        found = ReleasedFault(row["benchmark"], row["fault"], row["effect"], float(row["lowest"]))
        faults.setdefault(found.benchmark, []).append(found)
        items[found.benchmark] = int(row["items"])
    return tuple(
        _column(name, scores[name], items[name], tuple(found)) for name, found in faults.items()
    )


def _column(
    name: str, scores: Mapping[str, float], items: int, faults: tuple[ReleasedFault, ...]
) -> FaultyColumn:
    import numpy as np

    chance = 100.0 * (load_suite("paper").benchmarks[name].chance or 0.0)
    models = list(scores)
    flagged = below_chance(
        models, np.array(list(scores.values())), np.full(len(models), chance), [items] * len(models)
    )
    below = tuple(
        ScoreBelowGuessing(
            model=row.benchmark,
            score=row.score,
            p=row.p,
            read=100.0 * row.score / chance,
            could_explain=tuple(each.fault for each in faults if each.lowest < row.score),
        )
        for row in flagged
        if row.p is not None and row.p < SURE
    )
    return FaultyColumn(name, chance, items, len(models), below, faults)
