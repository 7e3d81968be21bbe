"""Many tuned models in a terminal: one line per model, and where to find the details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from . import overview, parts, verdict, words
from .escaping import name
from .fitted_table import Column, fitted_table
from .model_names import common_start, model_labels

if TYPE_CHECKING:
    from rich.table import Table

    from ..core.attribution import Attribution
    from ..core.standing import Standing
    from ..documents.comparison import Comparison, PlanePoint

STYLE = {"gain": "green", "loss": "red"}
SHORT = {
    "gain": "gain",
    "loss": "loss",
    "gain suggested": "gain?",
    "loss suggested": "loss?",
    "open": "-",
    "too few": "too few",
    "unknown": "n/a",
}
READING = (
    "The last column says whether a gain or loss is established. A question mark: only suggested, "
    "by the benchmark's own p. A star: much of the change comes from flagged answers. A dash: no "
    "change established, which does not mean that nothing was lost."
)
"""Explains :func:`standing_mark` to the reader."""
HOW_TO_SEE_MORE = (
    "To see one model's benchmarks, index and artefacts, run transferscope compare BASE MODEL. "
    "For all models, add --html FILE, --md FILE, --csv FILE or --json."
)


def standing_mark(said: Standing, made_by: Attribution | None) -> Text:
    """Return a verdict in one word, for a table's last column."""
    mark = "*" if parts.marked(said, made_by) else ""
    return Text(SHORT[said] + mark, style=STYLE.get(said, "dim"))


def lines_table(comparison: Comparison, width: int) -> Table:
    """Return one line per model, in order: gain and retention, each with interval and verdict.

    Names are shown without their common prefix. Intervals are left out if ``width`` is small.
    """
    labels = model_labels([result.model for result in comparison.tuned])
    start = common_start(labels)
    model = Column("model", [label[len(start) :] for label in labels], folds=True)
    source = comparison.source
    gain = [(t.plane.get(source), t.attribution.groups.get(source)) for t in comparison.tuned]
    kept = [(t.retention, t.attribution.retention) for t in comparison.tuned]
    columns = [model, *_columns("gain", gain, spare=2), *_columns("retention", kept, spare=1)]
    group = name(words.group_name(source))
    title = f"Change in points: gain on {group}, retention of all other groups"
    return fitted_table(title, columns, width, names=min(32, model.width))


def line_notes(comparison: Comparison) -> list[str]:
    """Return notes on the lines: the names' common prefix, counts and contradicted samples."""
    labels = model_labels([result.model for result in comparison.tuned])
    start = common_start(labels)
    told = [overview.outcome(result, comparison.source) for result in comparison.tuned]
    group = name(words.group_name(comparison.source))
    out = [f"Model names are shown without their common prefix, {start}"] if start else []
    out.append(
        f"{told.count('loss')} of {len(told)} models have an established loss; "
        f"{told.count('gain')} gained on {group} without one. A retention below 0 means that the "
        "model forgot."
    )
    out += [
        f"{label}: {verdict.contradicted(result.contradictions)}"
        for label, result in zip(labels, comparison.tuned, strict=True)
        if result.contradictions
    ]
    return out


def _columns(
    head: str, points: list[tuple[PlanePoint | None, Attribution | None]], *, spare: int
) -> list[Column]:
    """Three columns with one quantity's change, interval and verdict for every model."""
    return [
        Column(head, [words.signed(p.gain) if p else "n/a" for p, _ in points]),
        Column(
            "95 % interval", [words.interval(p.ci) if p else "" for p, _ in points], spare=spare
        ),
        Column("", [standing_mark(p.standing, by) if p else "" for p, by in points], left=True),
    ]
