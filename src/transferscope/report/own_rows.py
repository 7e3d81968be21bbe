"""The rows that the user's own models would have in the paper's Table 5, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

from rich.text import Text

from ..core.errors import InputError
from ..core.suite import load_suite
from ..core.typed_record import plain
from . import words
from .escaping import minus, name, sentence
from .fitted_table import plain_table
from .views import Grid

if TYPE_CHECKING:
    from rich.console import Console

    from ..documents.comparison import Comparison, TunedResult

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A tuned model's row; ``gain`` is on the source in points, TI and bounds are in percent.

    ``missing`` are the paper's benchmarks that the comparison lacks. ``ti`` is ``None`` for a group
    in ``undefined``, which has the reason. ``ci`` is ``None`` without an interval.
    """

    model: str
    base: str
    missing: tuple[str, ...]
    gain: float
    gain_ci: Bounds
    ti: Mapping[str, float | None]
    ci: Mapping[str, Bounds | None]
    undefined: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """The row in the JSON of ``transferscope published``."""
        found: dict[str, Any] = plain(self)
        return found


def own_rows(comparison: Comparison) -> list[OwnRow]:
    """The rows of the comparison's tuned models, on the published scale.

    TI at scale ``unit`` is TI with sigma 1, and sigma only multiplies the TIs of a group by the
    square root of the source's sigma over the group's. So a comparison that lacks some of the
    benchmarks, whose scale is ``unit``, still has the scale of the paper's rows.

    Raises :class:`InputError` if the comparison has other groups or benchmarks than the paper's.
    """
    paper = load_suite("paper")
    sigma = paper.sigma or {}
    groups = {group: set(names) for group, names in comparison.groups.items()}
    if comparison.source != paper.source or any(
        not names <= set(paper.groups.get(group, ())) for group, names in groups.items()
    ):
        raise InputError(
            "is not on the paper's benchmarks, so it has no row in the paper's table",
            place=f"suite {comparison.suite}",
            remedy="evaluate with --suite paper, authors, fixed or paper-lite",
        )
    factor = {
        group: sqrt(sigma[paper.source] / sigma[group]) if comparison.scale == "unit" else 1.0
        for group in paper.targets
    }
    return [_row(comparison, result, factor) for result in comparison.tuned]


def _row(comparison: Comparison, result: TunedResult, factor: Mapping[str, float]) -> OwnRow:
    paper = load_suite("paper")
    compared = {change.benchmark for change in result.benchmarks}
    source = result.plane.get(comparison.source)
    if result.index is None or source is None:
        raise InputError(
            "shares no maths benchmark with its base, so it has no index",
            place=f"model {result.model}",
            remedy="evaluate both on the same suite and items",
        )
    ti: dict[str, float | None] = {}
    ci: dict[str, Bounds | None] = {}
    undefined: dict[str, str] = {}
    for group, times in factor.items():
        value, bounds = result.index.ti.get(group), result.index.ci.get(group)
        ti[group] = None if value is None else value * times
        ci[group] = None if bounds is None else (bounds[0] * times, bounds[1] * times)
        if value is None:
            undefined[group] = result.index.undefined_reason.get(group, "no benchmark is compared")
    return OwnRow(
        model=result.model,
        base=comparison.base,
        missing=tuple(b for b in paper.group_of if b not in compared),
        gain=source.gain,
        gain_ci=source.ci,
        ti=ti,
        ci=ci,
        undefined=undefined,
    )


def own_grid(rows: Sequence[OwnRow]) -> Grid:
    """The rows as a table, in the columns of Table 5."""
    targets = load_suite("paper").targets
    head = ["model", "base", "benchmarks", "gain math"]
    head += [f"TI {words.group_name(group)}" for group in targets]
    total = len(load_suite("paper").benchmarks)
    body = []
    for row in rows:
        cells = [name(row.model), name(row.base), f"{total - len(row.missing)} of {total}"]
        cells.append(f"{words.signed(row.gain)} ({words.interval(row.gain_ci)})")
        for group in targets:
            value = row.ti[group]
            known = f"{words.number(value)} ({words.interval(row.ci[group])})"
            cells.append("undefined" if value is None else known)
        body.append(tuple(cells))
    return Grid(tuple(head), tuple(body))


def own_notes(rows: Sequence[OwnRow]) -> list[str]:
    """What to keep in mind beside the paper's rows: missing benchmarks, undefined indices."""
    said = []
    for row in rows:
        alike: dict[str, list[str]] = {}
        for group, why in row.undefined.items():
            alike.setdefault(why, []).append(words.group_name(group))
        for why, groups in alike.items():
            verb = "is" if len(groups) == 1 else "are"
            reason = minus(sentence(why))
            said.append(f"{name(row.model)}: TI {' and '.join(groups)} {verb} undefined: {reason}.")
    lacking = list(dict.fromkeys(b for row in rows for b in row.missing))
    if lacking:
        said.append(
            f"Without {', '.join(map(name, lacking))}, these rows are not comparable with the "
            "paper's, which are on all twelve benchmarks."
        )
    return said


def print_own_rows(rows: Sequence[OwnRow], console: Console) -> None:
    """Print the rows as a table, with the notes below it."""
    grid = own_grid(rows)
    table = plain_table("Your models, by the same rule, with 95 % intervals")
    table.add_column(grid.head[0], overflow="fold")
    for head in grid.head[2:]:
        table.add_column(head.replace(" ", "\n", 1), justify="right")
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in (row[0], *row[2:])))
    console.print(table)
    for note in own_notes(rows):
        console.print(Text(sentence(note)), highlight=False)
