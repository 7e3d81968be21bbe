"""Tables of where each change comes from: flagged or clean answers, in points that add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..core.attribution import add_up
from . import words
from .escaping import name
from .views import Grid

if TYPE_CHECKING:
    from ..core.attribution import Attribution
    from ..core.standing import Standing
    from ..documents.comparison import Answered, BenchmarkChange, FlagCounts, TunedResult

HEAD = ("benchmark", "change", "from flagged", "from clean")
"""Heads of the columns in points; the third and the fourth add up to the second."""
MEASURE = (
    "The change is the sum of two parts: points from questions with a flagged answer, and points "
    "from questions with two clean answers. The clean questions' own mean change is a different "
    "number, because flagged questions are excluded from its denominator as well."
)


def artefact_grid(result: TunedResult) -> Grid:
    """Table of benchmarks with kept answers, then of groups and retention with any flag."""
    found = result.attribution
    rows = []
    for row in result.benchmarks:
        if row.flags is None or row.answered is None:
            continue
        own = f"{words.signed(row.clean_delta)} ({row.clean_n} of {row.n})"
        flags = flag_counts(row.flags) or "none"
        rows.append((name(row.benchmark), *of_row(row), own, answered(row.answered), flags))
    means = [(f"{name(words.group_name(g))} (mean)", part) for g, part in found.groups.items()]
    if found.retention is not None:
        means.append(("retention (mean)", found.retention))
    for label, part in means:
        if part.flagged_n and not part.unknown:
            rows.append((label, *points(part), "", "", ""))
    head = (*HEAD, "clean questions' own mean change (n)", "answered %, base → tuned")
    return Grid((*head, "flags, base → tuned"), tuple(rows))


def flagged_grid(result: TunedResult) -> Grid:
    """The table for a narrow screen: only rows with flagged answers, and fewer columns."""
    whole = artefact_grid(result)
    flagged = {
        name(row.benchmark)
        for row in result.benchmarks
        if row.flags and (row.flags.base or row.flags.tuned)
    }
    rows = tuple(row[:5] for row in whole.rows if row[0] in flagged or row[0].endswith(" (mean)"))
    return Grid((*HEAD, "clean mean (n)"), rows if flagged else ())


def standing_cell(said: Standing, made_by: Attribution | None) -> str:
    """A verdict for a table cell, with the part of the change from flagged answers.

    >>> cut = Attribution(-22.4, -20.0, {"truncated": -20.0}, 40, 125, standing="loss")
    >>> standing_cell("loss", cut)
    'loss established, 20.0 of 22.4 in flagged answers'
    """
    told = words.STANDING_WORDS[said]
    if not marked(said, made_by):
        return told
    assert made_by is not None
    total, flagged, _ = add_up(made_by.change, [made_by.flagged, made_by.change - made_by.flagged])
    if flagged * total > 0 and abs(flagged) <= abs(total):
        return f"{told}, {abs(flagged):.1f} of {abs(total):.1f} in flagged answers"
    return f"{told}, {words.signed(flagged)} in flagged answers"


def marked(said: Standing, made_by: Attribution | None) -> bool:
    """Whether a change is shown and its flagged part must be stated with it."""
    shown = said in ("gain", "loss", "gain suggested", "loss suggested")
    return shown and made_by is not None and made_by.notable


def points(part: Attribution) -> tuple[str, str, str]:
    """Change, flagged part and clean part, rounded so that they add up."""
    total, flagged, clean = add_up(part.change, [part.flagged, part.clean_points])
    return words.signed(total), words.signed(flagged), words.signed(clean)


def of_row(row: BenchmarkChange) -> tuple[str, str, str]:
    """Change, flagged part and clean part of a benchmark with kept answers."""
    assert row.artefact_points is not None
    assert row.clean_points is not None
    total, flagged, clean = add_up(row.delta, [row.artefact_points, row.clean_points])
    return words.signed(total), words.signed(flagged), words.signed(clean)


def flag_counts(flags: FlagCounts) -> str:
    """``truncated 3 → 12, looped 0 → 2``; empty if nothing was flagged."""
    return _flag_words(flags.base, flags.tuned)


def answered(found: Answered) -> str:
    """``100 → 91``: percentage of questions that base and tuned model answered."""
    return " → ".join(words.number(share, 0) for share in (found.base, found.tuned))


def flag_totals(result: TunedResult) -> str:
    """The flags of all benchmarks together, in the format of :func:`flag_counts`."""
    base: Counter[str] = Counter()
    tuned: Counter[str] = Counter()
    for row in result.benchmarks:
        if row.flags is not None:
            base.update(row.flags.base)
            tuned.update(row.flags.tuned)
    return _flag_words(base, tuned)


def _flag_words(base: Mapping[str, int], tuned: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name(flag)} {base.get(flag, 0)} → {tuned.get(flag, 0)}"
        for flag in sorted({*base, *tuned})
    )
