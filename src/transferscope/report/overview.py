"""The first table of the page: verdict, gain and retention of every tuned model, one per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import words
from .chart_data import tone_of
from .escaping import name
from .parts import marked

if TYPE_CHECKING:
    from ..core.attribution import Attribution
    from ..documents.comparison import Comparison, PlanePoint, TunedResult

LEARNED = {
    "gain": "better on {}",
    "loss": "worse on {}",
    "gain suggested": "gain on {} suggested",
    "loss suggested": "loss on {} suggested",
    "open": "no change on {} shown",
    "too few": "too few questions on {}",
    "unknown": "{} can't be judged",
}
KEPT = {
    "gain": "better elsewhere",
    "loss": "loss elsewhere",
    "gain suggested": "gain elsewhere suggested",
    "loss suggested": "loss elsewhere suggested",
    "open": "no change elsewhere shown",
    "too few": "too few questions elsewhere",
    "unknown": "the rest can't be judged",
}
"""The clauses of the headline (:mod:`.verdict`), shortened for a table."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its interval; ``value`` is the sort key, ``tone`` a key of ``TONES``."""

    text: str
    interval: str
    value: float | None
    tone: str


@dataclass(frozen=True, slots=True)
class OverviewRow:
    """One tuned model. ``starred``: the verdict has a reservation, which its headline states."""

    number: int
    label: str
    verdict: str
    tone: str
    starred: bool
    headline: str
    gain: Cell
    retention: Cell


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One model's change on every benchmark; ``None`` where it could not be compared."""

    number: int
    label: str
    cells: tuple[Cell | None, ...]


def by_retention(comparison: Comparison) -> Comparison:
    """Sort the tuned models by retention, highest first; models without one come last."""

    def kept(result: TunedResult) -> float:
        return float("inf") if result.retention is None else -result.retention.gain

    return replace(comparison, tuned=tuple(sorted(comparison.tuned, key=kept)))


def overview_rows(
    comparison: Comparison, labels: Sequence[str], headlines: Sequence[str]
) -> list[OverviewRow]:
    """Return one row per tuned model, in the comparison's order."""
    source = comparison.source
    return [
        OverviewRow(
            number=at,
            label=label,
            verdict=short_verdict(result, source),
            tone=outcome(result, source),
            starred=_starred(result, source),
            headline=headline,
            gain=_cell(result.plane.get(source)),
            retention=_cell(result.retention),
        )
        for at, (label, result, headline) in enumerate(
            zip(labels, comparison.tuned, headlines, strict=True), start=1
        )
    ]


def short_verdict(result: TunedResult, source: str) -> str:
    """Return what the model learned, and how the other groups changed, in a few words.

    A group's established loss is named if the retention does not show a loss.
    """
    point, kept = result.plane.get(source), result.retention
    group = name(words.group_name(source))
    if point is not None and kept is not None and point.standing == kept.standing == "open":
        said = ["no change shown"]
    else:
        said = [f"{group} not compared" if point is None else LEARNED[point.standing].format(group)]
        said.append("nothing else compared" if kept is None else KEPT[kept.standing])
    if kept is None or kept.standing != "loss":
        said += [f"loss on {name(words.group_name(g))}" for g in _lost(result, source)]
    if result.contradictions:
        said.append("samples contradict the results")
    return ", ".join(said)


def outcome(result: TunedResult, source: str) -> str:
    """Return ``loss`` if any is established, else ``gain`` if the source's is, else ``open``."""
    point, kept = result.plane.get(source), result.retention
    shown = [p.standing for p in (point, kept) if p is not None]
    if "loss" in shown or _lost(result, source):
        return "loss"
    return "gain" if point is not None and point.standing == "gain" else "open"


def change_matrix(comparison: Comparison, labels: Sequence[str]) -> list[MatrixRow]:
    """Return every model's change on every benchmark, with benchmarks in the order of groups."""
    benchmarks = [b for members in comparison.groups.values() for b in members]
    rows = []
    for at, (label, result) in enumerate(zip(labels, comparison.tuned, strict=True), start=1):
        found = {row.benchmark: row for row in result.benchmarks}
        cells = tuple(
            Cell(
                text=words.signed(found[b].delta),
                interval=words.interval(found[b].ci),
                value=found[b].delta,
                tone=tone_of(found[b].standing),
            )
            if b in found
            else None
            for b in benchmarks
        )
        rows.append(MatrixRow(at, label, cells))
    return rows


def _lost(result: TunedResult, source: str) -> list[str]:
    """Groups other than the source with an established loss."""
    return [g for g, p in result.plane.items() if g != source and p.standing == "loss"]


def _starred(result: TunedResult, source: str) -> bool:
    """Whether flagged answers or the answers' format caused part of a change in the verdict."""
    causes = result.attribution
    told: list[tuple[PlanePoint | None, Attribution | None]] = [
        (result.plane.get(source), causes.groups.get(source)),
        (result.retention, causes.retention),
    ]
    return any(d.format for d in result.disagreements) or any(
        point is not None and marked(point.standing, found) for point, found in told
    )


def _cell(point: PlanePoint | None) -> Cell:
    if point is None:
        return Cell("n/a", "", None, "open")
    around = words.interval(point.ci)
    return Cell(words.signed(point.gain), around, point.gain, tone_of(point.standing))
