"""Published scores that faults of the released code could explain: notes and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import words
from .escaping import name, sentence
from .views import Grid

if TYPE_CHECKING:
    from ..published import CohortChecks, FaultyColumn

UNKNOWN = (
    "Which code made the paper's tables is unknown, and replies without an answer give the same "
    "scores, so this shows what could be the cause, not what is. Where guessing gives nothing, as "
    "in maths, scores can't show the effect of a fault."
)


def fault_notes(checks: CohortChecks) -> list[str]:
    """For each column with scores below guessing: which they are and what could explain them."""
    notes = [_note(column) for column in checks.faulty_columns if column.below]
    return [*notes, UNKNOWN] if notes else []


def below_grid(checks: CohortChecks) -> Grid:
    """One row for each published score below guessing."""
    head = ("benchmark", "model", "score", "guessing", "replies read, at most", "could explain it")
    rows = [
        (
            name(column.benchmark),
            name(row.model),
            words.number(row.score),
            words.number(column.chance, 0),
            f"{words.number(row.read, 0)} %",
            "; ".join(map(sentence, row.could_explain)) or "none of the known faults",
        )
        for column in checks.faulty_columns
        for row in column.below
    ]
    return Grid(head, tuple(rows))


def released_grid(checks: CohortChecks) -> Grid:
    """One row for each known fault of the released code."""
    head = ("benchmark", "fault", "effect", "lowest score")
    rows = [
        (
            name(each.benchmark),
            sentence(each.fault),
            sentence(each.effect),
            words.number(each.lowest, 0),
        )
        for column in checks.faulty_columns
        for each in column.faults
    ]
    return Grid(head, tuple(rows))


def _note(column: FaultyColumn) -> str:
    scores = [row.score for row in column.below]
    known = dict.fromkeys(fault for row in column.below for fault in row.could_explain)
    span = words.number(scores[0])
    if len(scores) > 1:
        span = f"{words.number(min(scores))} to {words.number(max(scores))}"
    return (
        f"{name(column.benchmark)}: {len(scores)} of {column.models} models score {span}, where "
        f"guessing gives {words.number(column.chance, 0)}. The released code could explain this: "
        f"{'; '.join(map(sentence, known)) or 'no known fault does'}."
    )
